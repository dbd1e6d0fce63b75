"""read, for every stored word and every age."""

from __future__ import annotations

from itertools import product

from hypothesis import example, given
from hypothesis import strategies as st

from prime_perps.reports import DEFAULT_LIMITS, Flag, Session, Word

from .conftest import Bench
from .strategies import stored_words

IN_DOUBT = 1 | 2 | 16  # halted, paused, reopening
instants = st.one_of(st.integers(0, 2**33), st.integers(1_700_000_000, 1_900_000_000))


def at(bench: Bench, instant: int) -> None:
    bench.backend.warp(instant - bench.backend.timestamp())


def test_read__any_word_at_any_time__equals_the_reference_and_never_reverts(bench: Bench) -> None:
    @given(stored_words, stored_words, instants)
    @example(Word(), Word(), 1_800_000_000)
    @example(Word(time=2**32 - 1), Word(half_width=10_000), 0)
    @example(Word(session=5, time=2**32 - 1), Word(session=2, time=2**32 - 1, flags=3), 2**32 - 1)
    def check(low: Word, high: Word, instant: int) -> None:
        at(bench, instant)
        bench.store(low, high)
        words, _ = bench.oracle.read([0, 1])
        assert [Word.unpack(word) for word in words] == [word.as_of(instant, DEFAULT_LIMITS) for word in (low, high)]

    check()


def test_read__time_passes__width_never_shrinks_and_doubt_is_the_grown_part(bench: Bench) -> None:
    @given(stored_words, st.lists(st.integers(0, 2**20), min_size=1, max_size=6))
    def check(stored: Word, steps: list[int]) -> None:
        bench.store(stored, Word())
        instant, width = stored.time, stored.half_width
        for step in steps:
            instant += step
            at(bench, instant)
            word = Word.unpack(bench.oracle.read([0])[0][0])
            assert width <= word.half_width <= 10_000
            assert word.doubt == word.half_width - stored.half_width
            assert (word.mid, word.time, word.slow, word.session, word.flags) == (
                stored.mid, stored.time, stored.slow, stored.session, stored.flags & ~Flag.EVENT,
            )  # fmt: skip
            width = word.half_width

    check()


def test_read__nobody_can_trade__is_in_doubt_by_a_tenth_or_all_room_and_by_age_alone_otherwise(bench: Bench) -> None:
    @given(stored_words, instants)
    def check(stored: Word, instant: int) -> None:
        at(bench, instant)
        bench.store(stored, Word())
        doubt = Word.unpack(bench.oracle.read([0])[0][0]).doubt
        room = 10_000 - stored.half_width
        fresh = instant <= stored.time + DEFAULT_LIMITS.age[stored.session]
        if stored.session in (0, 5) or stored.flags & IN_DOUBT:
            least = min(1_000, room)
            assert doubt == least if fresh else least <= doubt <= room
        else:
            assert doubt == 0 if fresh else min(1, room) <= doubt <= room

    check()


def test_read__every_session_and_every_set_of_flags__what_nobody_knows_is_in_doubt(bench: Bench) -> None:
    now = bench.backend.timestamp()
    for session, flags in product(Session, range(32)):
        stored = Word(mid=1, time=now, half_width=40, session=session, flags=flags)
        bench.store(stored, Word())
        word = Word.unpack(bench.oracle.read([0])[0][0])
        frozen = session in (Session.UNKNOWN, Session.CLOSED) or flags & (Flag.HALTED | Flag.PAUSED | Flag.REOPENING)
        assert (word.half_width, word.doubt) == ((1_040, 1_000) if frozen else (40, 0)), (session, flags)


def test_word__any_stored__is_told_as_stored(bench: Bench) -> None:
    @given(stored_words, stored_words)
    def check(low: Word, high: Word) -> None:
        bench.store(low, high)
        assert (bench.word(0), bench.word(1)) == (low, high)

    check()
