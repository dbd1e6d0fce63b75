"""read: words as of now, wider with age and while nobody can trade, and the closure by the clock."""

from __future__ import annotations

from dataclasses import replace

import pytest

from prime_perps.chain import Contract
from prime_perps.reports import DEFAULT_LIMITS, SHUT_SESSIONS, Feed, Flag, Session, Source, Word
from prime_perps.sessions import DAY, Closing
from prime_perps.units import MID

from .conftest import BTC, NVDA, SPY, Desk, make_desk

OPEN = (0, 0, 0)
WEEKEND = (1, 1, 0)

TRADED_SESSIONS = [session for session in Session if session not in SHUT_SESSIONS]


def closure(desk: Desk, *underlyings: int) -> tuple[int, ...]:
    return tuple(desk.oracle.read(list(underlyings))[1])


def test_read__nothing_asked__answers_nothing_but_the_closure(desk: Desk) -> None:
    desk.post()
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
    words, _ = desk.oracle.read(list(range(32)))
    assert [Word.unpack(word).mid for word in words] == [(n + 1) * MID for n in range(32)]


# age


def aged(desk: Desk, session: Session, age: int) -> Word:
    """A word with half-width 40 and the given age, as read."""
    desk.submit(desk.report(status=Session.REGULAR))
    desk.backend.warp(1)
    desk.submit(desk.report(status=session, confidence=20))
    desk.backend.warp(age)
    return desk.read()


@pytest.mark.parametrize("session", TRADED_SESSIONS)
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
    desk.submit(desk.report())
    desk.backend.warp(1)
    desk.submit(desk.report(status=Session.CLOSED, confidence=10_000))
    desk.backend.warp(10**6)
    assert (desk.read().half_width, desk.read().doubt) == (10_000, 0)


def test_read__one_stale_underlying__leaves_the_others_narrow__OR_1(desk: Desk) -> None:
    desk.submit(desk.report(NVDA))
    desk.backend.warp(10_000)
    desk.submit(desk.report(SPY))
    assert desk.read(NVDA).doubt > 0
    assert desk.read(SPY) == desk.word(SPY)


# nobody can trade


@pytest.mark.parametrize("session", SHUT_SESSIONS)
def test_read__shut_session__is_in_doubt_at_once(desk: Desk, session: Session) -> None:
    word = aged(desk, session, 0)
    assert word == replace(desk.word(), half_width=1_040, doubt=1_000)


@pytest.mark.parametrize("session", SHUT_SESSIONS)
@pytest.mark.parametrize(("beyond", "doubt"), [(0, 1_000), (1, 1_000), (6_000, 1_000), (6_001, 1_001), (6_007, 1_002)])
def test_read__shut_session_and_old__the_greater_doubt_counts(
    desk: Desk, session: Session, beyond: int, doubt: int
) -> None:
    word = aged(desk, session, DEFAULT_LIMITS.age[session] + beyond)
    assert (word.half_width, word.doubt) == (40 + doubt, doubt)


def test_read__longest_closure_of_a_year__is_in_no_more_doubt_than_its_first_second(desk: Desk) -> None:
    assert aged(desk, Session.CLOSED, 75 * 3_600).doubt == 1_000


@pytest.mark.parametrize("session", list(Session))
def test_read__halted__is_in_doubt_in_every_session_and_only_once(desk: Desk, session: Session) -> None:
    desk.oracle.set_halt(NVDA, True, sender=desk.guardian)
    word = aged(desk, session, 0)
    assert word == replace(desk.word(), half_width=1_040, doubt=1_000)
    assert word.flags == Flag.HALTED


@pytest.mark.parametrize(("beyond", "doubt"), [(6_000, 1_000), (6_001, 1_001)])
def test_read__halted_and_old__the_greater_doubt_counts(desk: Desk, beyond: int, doubt: int) -> None:
    desk.oracle.set_halt(NVDA, True, sender=desk.guardian)
    word = aged(desk, Session.REGULAR, DEFAULT_LIMITS.age[Session.REGULAR] + beyond)
    assert (word.half_width, word.doubt) == (40 + doubt, doubt)


@pytest.mark.parametrize(("confidence", "room"), [(4_499, 1_002), (4_500, 1_000), (4_501, 998), (4_999, 2), (5_000, 0)])
def test_read__closed_and_wide__doubt_is_what_the_whole_price_leaves(desk: Desk, confidence: int, room: int) -> None:
    desk.submit(desk.report())
    desk.backend.warp(1)
    desk.submit(desk.report(status=Session.CLOSED, confidence=confidence))
    doubt = min(1_000, room)
    assert (desk.read().half_width, desk.read().doubt) == (10_000 - room + doubt, doubt)


def test_read__reopened__is_as_stored_after_two_reports_and_two_minutes__OR_2(desk: Desk) -> None:
    aged(desk, Session.CLOSED, 60)
    desk.submit(desk.report(status=Session.PRE))
    assert (desk.read().flags, desk.read().doubt) == (Flag.REOPENING, 1_000)
    desk.backend.warp(120)
    assert desk.read().doubt == 1_000
    desk.submit(desk.report(status=Session.PRE))
    assert desk.read() == desk.word()


@pytest.mark.parametrize(("session", "doubt"), [(Session.UNKNOWN, 1_000), (Session.ALWAYS_OPEN, 0)])
def test_read__push_feed__its_session_decides_whether_it_is_in_doubt(
    desk: Desk, aggregator: Contract, session: Session, doubt: int
) -> None:
    desk.list_feed(aggregator, session=session)
    desk.refresh(BTC)
    assert (desk.read(BTC).half_width, desk.read(BTC).doubt) == (100 + doubt, doubt)


def test_read__one_halted_and_one_closed__leave_the_others_narrow__OR_1(desk: Desk, aggregator: Contract) -> None:
    desk.list_feed(aggregator)
    desk.refresh(BTC)
    desk.submit(desk.report(NVDA), desk.report(SPY))
    desk.oracle.set_halt(NVDA, True, sender=desk.guardian)
    desk.backend.warp(1)
    desk.submit(desk.report(SPY, status=Session.CLOSED))
    words, _ = desk.oracle.read([BTC, NVDA, BTC, SPY, BTC])
    assert [Word.unpack(word).doubt for word in words] == [0, 1_000, 0, 1_000, 0]


@pytest.mark.parametrize("shut", [0, 1, 9_960, 10_000])
def test_read__adapter_of_other_limits__shut_doubt_is_what_it_was_deployed_with(shut: int) -> None:
    desk = make_desk(replace(DEFAULT_LIMITS, shut=shut))
    doubt = min(shut, 9_960)
    assert aged(desk, Session.CLOSED, 0) == replace(desk.word(), half_width=40 + doubt, doubt=doubt)
    desk.backend.warp(1)
    desk.submit(desk.report(status=Session.REGULAR, confidence=20))
    desk.oracle.set_halt(NVDA, True, sender=desk.guardian)
    assert desk.read() == replace(desk.word(), half_width=40 + doubt, doubt=doubt)


def test_read__adapter_that_grants_no_shut_doubt__age_and_silence_are_doubt_all_the_same() -> None:
    desk = make_desk(replace(DEFAULT_LIMITS, shut=0))
    assert desk.read(5) == Word(half_width=10_000, doubt=10_000)
    assert aged(desk, Session.CLOSED, DEFAULT_LIMITS.age[Session.CLOSED] + 60).doubt == 10


# closure


@pytest.mark.parametrize("session", list(Session))
def test_read__session_of_a_word__leaves_the_closure_to_the_clock(desk: Desk, session: Session) -> None:
    desk.post()
    desk.submit(desk.report(status=Session.REGULAR))
    desk.backend.warp(1)
    desk.submit(desk.report(status=session))
    assert closure(desk, NVDA) == OPEN


def test_read__in_a_closure__tells_it_whatever_is_asked(desk: Desk) -> None:
    desk.post(Closing(desk.now + DAY, desk.now + 2 * DAY))
    desk.backend.warp(DAY)
    for asked in ((), (NVDA,), (5, BTC), (SPY, NVDA, SPY)):
        assert closure(desk, *asked) == WEEKEND == tuple(desk.oracle.closure())


def test_read__nothing_posted__is_a_long_closure(desk: Desk) -> None:
    assert closure(desk, NVDA) == (2, 2, 0)


# a closure that nobody has marked


def test_read__posted_closure_begins__a_word_is_closed_at_that_second_and_what_never_closes_is_not__OR_2(
    desk: Desk,
) -> None:
    start = desk.now + 2 * DAY
    desk.post(Closing(start, start + 2 * DAY))
    desk.backend.warp(start - 1 - desk.backend.timestamp())
    desk.submit(desk.report(SPY), desk.report(NVDA, status=Session.ALWAYS_OPEN))
    assert desk.read(SPY).session == Session.REGULAR
    desk.backend.warp(1)
    stored = desk.word(SPY)
    assert stored.session == Session.REGULAR
    assert desk.read(SPY) == stored.as_of(start, DEFAULT_LIMITS, shut=True)
    assert (desk.read(SPY).session, desk.read(SPY).doubt) == (Session.CLOSED, DEFAULT_LIMITS.shut)
    assert desk.read(NVDA) == desk.word(NVDA)
    desk.backend.warp(2 * DAY)
    assert desk.read(SPY).session == Session.REGULAR


def test_read__coverage_has_ended__is_no_closure_of_the_words(desk: Desk) -> None:
    """Margin is that of a long closure; a report of an open exchange still counts."""
    desk.post()
    desk.backend.warp(desk.oracle.covered_until() - desk.backend.timestamp())
    desk.submit(desk.report(SPY))
    assert closure(desk) == (2, 2, 0)
    assert desk.read(SPY) == desk.word(SPY)
