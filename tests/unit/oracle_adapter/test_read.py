"""read: words as of now, wider with age, and the closure they imply."""

from __future__ import annotations

import pytest

from prime_perps.chain import Contract
from prime_perps.reports import DEFAULT_LIMITS, Feed, Flag, Session, Source, Word
from prime_perps.units import MID

from .conftest import BTC, NVDA, SPY, Desk

OPEN = (0, 0, 0)
WEEKEND = (1, 1, 0)


def closure(desk: Desk, *underlyings: int) -> tuple[int, ...]:
    return tuple(desk.oracle.read(list(underlyings))[1])


def test_read__nothing_asked__answers_open(desk: Desk) -> None:
    words, answered = desk.oracle.read([])
    assert (words, tuple(answered)) == ([], OPEN)


def test_read__never_written__is_as_wide_as_can_be(desk: Desk) -> None:
    assert desk.read(5) == Word(half_width=10_000, doubt=10_000)


def test_read__never_written_but_halted__is_as_wide_as_can_be_and_flagged(desk: Desk) -> None:
    desk.oracle.set_halt(5, True, sender=desk.guardian)
    assert desk.read(5) == Word(half_width=10_000, doubt=10_000, flags=Flag.HALTED)


@pytest.mark.parametrize("underlying", [64, 2**255, 2**256 - 1])
def test_read__number_of_no_underlying__is_never_written(desk: Desk, underlying: int) -> None:
    assert desk.read(underlying) == Word(half_width=10_000, doubt=10_000)


def test_read__order_and_repetition__are_kept(desk: Desk) -> None:
    desk.submit(desk.report(NVDA, 100 * MID), desk.report(SPY, 600 * MID))
    words, _ = desk.oracle.read([SPY, NVDA, SPY])
    assert [Word.unpack(word).mid for word in words] == [600 * MID, 100 * MID, 600 * MID]


def test_read__thirty_two_underlyings__answers_all(desk: Desk) -> None:
    for underlying in range(32):
        desk.oracle.set_feed(underlying, Feed(Source.REPORTS), sender=desk.timelock)
    for start in (0, 16):
        desk.submit(*(desk.report(underlying, (underlying + 1) * MID) for underlying in range(start, start + 16)))
    words, answered = desk.oracle.read(list(range(32)))
    assert [Word.unpack(word).mid for word in words] == [(n + 1) * MID for n in range(32)]
    assert tuple(answered) == OPEN


# age


def aged(desk: Desk, session: Session, age: int) -> Word:
    """A word with half-width 40 and the given age, as read."""
    desk.submit(desk.report(status=Session.REGULAR))
    desk.backend.warp(1)
    desk.submit(desk.report(status=session, confidence=20))
    desk.backend.warp(age)
    return desk.read()


@pytest.mark.parametrize("session", list(Session))
def test_read__age_at_the_limit__is_as_stored_and_a_second_more_is_doubt(desk: Desk, session: Session) -> None:
    fresh = aged(desk, session, DEFAULT_LIMITS.age[session])
    assert (fresh.half_width, fresh.doubt) == (40, 0)
    assert fresh == desk.word()
    desk.backend.warp(1)
    assert (desk.read().half_width, desk.read().doubt) == (41, 1)


@pytest.mark.parametrize(
    ("beyond", "doubt"), [(1, 1), (6, 1), (7, 2), (12, 2), (60, 10), (61, 11), (3_600, 600), (59_760, 9_960)]
)
def test_read__age_beyond_the_limit__grows_ten_bps_a_minute_rounded_up(desk: Desk, beyond: int, doubt: int) -> None:
    word = aged(desk, Session.REGULAR, DEFAULT_LIMITS.age[Session.REGULAR] + beyond)
    assert (word.half_width, word.doubt) == (40 + doubt, doubt)
    assert (word.mid, word.session) == (desk.word().mid, desk.word().session)


@pytest.mark.parametrize("beyond", [59_761, 10**6, 10**9])
def test_read__age_without_end__stops_at_the_whole_price(desk: Desk, beyond: int) -> None:
    word = aged(desk, Session.REGULAR, DEFAULT_LIMITS.age[Session.REGULAR] + beyond)
    assert (word.half_width, word.doubt) == (10_000, 9_960)


def test_read__full_width_and_old__has_no_room_for_doubt(desk: Desk) -> None:
    desk.submit(desk.report(confidence=10_000))
    desk.backend.warp(10**6)
    assert (desk.read().half_width, desk.read().doubt) == (10_000, 0)


def test_read__longest_closure_of_a_year__does_not_widen_by_itself(desk: Desk) -> None:
    assert aged(desk, Session.CLOSED, 75 * 3_600).doubt == 0


def test_read__one_stale_underlying__leaves_the_others_narrow__OR_1(desk: Desk) -> None:
    desk.submit(desk.report(NVDA))
    desk.backend.warp(10_000)
    desk.submit(desk.report(SPY))
    assert desk.read(NVDA).doubt > 0
    assert desk.read(SPY) == desk.word(SPY)


# closure


@pytest.mark.parametrize(
    ("session", "expected"),
    [
        (Session.UNKNOWN, WEEKEND),
        (Session.PRE, OPEN),
        (Session.REGULAR, OPEN),
        (Session.POST, OPEN),
        (Session.OVERNIGHT, OPEN),
        (Session.CLOSED, WEEKEND),
        (Session.ALWAYS_OPEN, OPEN),
    ],
)
def test_read__session__decides_the_closure(desk: Desk, session: Session, expected: tuple[int, ...]) -> None:
    desk.submit(desk.report(status=Session.REGULAR))
    desk.backend.warp(1)
    desk.submit(desk.report(status=session))
    assert closure(desk, NVDA) == expected


def test_read__one_shut_among_open__the_strictest_wins(desk: Desk, aggregator: Contract) -> None:
    desk.list_feed(aggregator)
    desk.refresh(BTC)
    desk.submit(desk.report(NVDA), desk.report(SPY))
    assert closure(desk, NVDA, SPY, BTC) == OPEN
    desk.backend.warp(1)
    desk.submit(desk.report(SPY, status=Session.CLOSED))
    for asked in ((NVDA, SPY, BTC), (SPY, BTC), (BTC, SPY)):
        assert closure(desk, *asked) == WEEKEND
    assert closure(desk, NVDA, BTC) == OPEN


def test_read__never_written__counts_as_shut(desk: Desk) -> None:
    assert closure(desk, 5) == WEEKEND
