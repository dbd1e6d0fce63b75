"""The layout of a word: on chain, in Python, and both the same."""

from __future__ import annotations

from dataclasses import astuple, fields

from hypothesis import example, given
from hypothesis import strategies as st

from prime_perps.chain import Contract
from prime_perps.reports import Word

from .strategies import returned_words

LOWEST = Word(slow=-(2**15))
ALL_ONES = Word(2**56 - 1, 2**32 - 1, 10_000, -1, 7, 31, 10_000)


def test_pack__any_word__unpacks_to_itself(harness: Contract) -> None:
    @given(returned_words)
    @example(Word())
    @example(LOWEST)
    @example(ALL_ONES)
    def check(word: Word) -> None:
        packed = harness.pack(word)
        assert packed == word.pack()
        assert tuple(harness.unpack(packed)) == astuple(Word.unpack(packed)) == astuple(word)

    check()


def test_unpack__any_256_bits__is_total_and_packs_back(harness: Contract) -> None:
    @given(st.integers(0, 2**256 - 1))
    def check(packed: int) -> None:
        word = harness.unpack(packed)
        assert tuple(word) == astuple(Word.unpack(packed))
        assert harness.pack(word) == packed & 2**144 - 1

    check()


def test_pack__each_field_alone__touches_no_other() -> None:
    width = {"mid": 56, "time": 32, "half_width": 16, "slow": 16, "session": 3, "flags": 5, "doubt": 16}
    taken = 0
    for field in fields(Word):
        bits = Word(**{field.name: (1 << width[field.name]) - 1}).pack()
        assert bits.bit_count() == width[field.name]
        assert taken & bits == 0
        taken |= bits
    assert taken == 2**144 - 1
