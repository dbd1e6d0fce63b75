"""Words and reports as hypothesis draws them."""

from __future__ import annotations

from hypothesis import strategies as st

from prime_perps.reports import Word

BPS = st.integers(0, 10_000)

# Every word a source can leave behind: fields within their bounds, session 7 and doubt excepted.
stored_words = st.builds(
    Word,
    mid=st.integers(0, 2**56 - 1),
    time=st.integers(0, 2**32 - 1),
    half_width=BPS,
    slow=st.integers(-(2**15), 2**15 - 1),
    session=st.integers(0, 6),
    flags=st.integers(0, 31),
)

returned_words = st.builds(
    Word,
    mid=st.integers(0, 2**56 - 1),
    time=st.integers(0, 2**32 - 1),
    half_width=BPS,
    slow=st.integers(-(2**15), 2**15 - 1),
    session=st.integers(0, 7),
    flags=st.integers(0, 31),
    doubt=BPS,
)
