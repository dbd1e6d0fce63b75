"""Sessions and closures of US equities: every boundary of 2026 to the second, and the oracle's calendar beside them.

What is expected stands here in wall-clock time of New York, with the holidays that the exchange has published.
"""

from __future__ import annotations

import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from datetime import date, datetime, time, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

import pytest

from prime_perps import sessions
from prime_perps.chain import Contract
from prime_perps.chain.revm import RevmBackend
from prime_perps.errors import Revert
from prime_perps.margin import Closure
from prime_perps.reports import Session
from prime_perps.sessions import DAY, RAMP, Closing, coverage, facts, session_at
from prime_perps.units import MID
from tests.stage import Stage, account, address
from tests.unit.oracle_adapter.conftest import NVDA, SPY, make_desk, publishing_feed

HOUR = 3_600
NEW_YORK = ZoneInfo("America/New_York")
HOLIDAYS = {
    date(2025, 12, 25), date(2026, 1, 1), date(2026, 1, 19), date(2026, 2, 16), date(2026, 4, 3), date(2026, 5, 25),
    date(2026, 6, 19), date(2026, 7, 3), date(2026, 9, 7), date(2026, 11, 26), date(2026, 12, 25), date(2027, 1, 1),
}  # fmt: skip
HALF_DAYS = {date(2026, 11, 27), date(2026, 12, 24)}


def at(year: int, month: int, day: int, hour: int = 0, minute: int = 0) -> int:
    """Unix seconds of a wall clock in New York."""
    return int(datetime(year, month, day, hour, minute, tzinfo=NEW_YORK).timestamp())


YEAR, NEXT_YEAR = at(2026, 1, 1), at(2027, 1, 1)


def trades(day: date) -> bool:
    return day.weekday() < 5 and day not in HOLIDAYS


def expected(instant: int) -> Session:
    """By the wall clock, minute for minute."""
    now = datetime.fromtimestamp(instant, NEW_YORK)
    day, clock = now.date(), now.time()
    if clock >= time(20):
        return Session.OVERNIGHT if trades(day + timedelta(days=1)) else Session.CLOSED
    if not trades(day):
        return Session.CLOSED
    regular, post = (time(13), time(17)) if day in HALF_DAYS else (time(16), time(20))
    ends = (
        (time(4), Session.OVERNIGHT),
        (time(9, 30), Session.PRE),
        (regular, Session.REGULAR),
        (post, Session.POST),
    )
    return next((session for end, session in ends if clock < end), Session.CLOSED)


def boundaries() -> Iterator[int]:
    """Every time of day at which anything could change, of every day of 2026."""
    day = date(2026, 1, 1)
    while day.year == 2026:
        for hour, minute in ((0, 0), (4, 0), (9, 30), (13, 0), (16, 0), (17, 0), (20, 0)):
            yield at(day.year, day.month, day.day, hour, minute)
        day += timedelta(days=1)


# sessions


def test_session_at__second_before_at_and_after_every_boundary_of_a_year__is_the_wall_clocks() -> None:
    for boundary in boundaries():
        for instant in (boundary - 1, boundary, boundary + 1):
            assert session_at(instant) == expected(instant), datetime.fromtimestamp(instant, NEW_YORK)


@pytest.mark.parametrize(
    ("instant", "session"),
    [
        (at(2026, 3, 8, 19, 59), Session.CLOSED),  # the clock went forward this morning
        (at(2026, 3, 8, 20), Session.OVERNIGHT),
        (at(2026, 11, 1, 19, 59), Session.CLOSED),  # and back this one
        (at(2026, 11, 1, 20), Session.OVERNIGHT),
        (at(2026, 11, 25, 20), Session.CLOSED),  # the eve of Thanksgiving
        (at(2026, 11, 26, 20), Session.OVERNIGHT),
        (at(2026, 11, 27, 16, 59), Session.POST),
        (at(2026, 11, 27, 17), Session.CLOSED),
        (at(2001, 9, 12, 12), Session.CLOSED),
        (at(2008, 9, 15, 12), Session.REGULAR),
    ],
)
def test_session_at__days_out_of_the_ordinary__are_known(instant: int, session: Session) -> None:
    assert session_at(instant) == session


def test_sessions__of_a_keeper__load_no_pandas() -> None:
    code = "import sys, prime_perps.sessions, prime_perps.deployment; print('pandas' in sys.modules)"
    told = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert told.stdout == "False\n"


# closures


def test_closures__of_2026__are_as_many_and_as_long_as_published() -> None:
    """The last one, 72 hours, ends in 2027; the first, of New Year's Day, began in 2025."""
    found = sessions.closures(YEAR, NEXT_YEAR)
    hours = Counter(_wall_hours(closing) for closing in found)
    assert hours == {24: 2, 48: 43, 51: 1, 72: 8, 75: 1}
    within = [closing for closing in found if closing.start >= YEAR and closing.end <= NEXT_YEAR]
    assert sum(_wall_hours(closing) >= 72 for closing in within) == 8
    assert max(within, key=_wall_hours) == Closing(at(2026, 12, 24, 17), at(2026, 12, 27, 20))
    shut = sum(min(closing.end, NEXT_YEAR) - max(closing.start, YEAR) for closing in found)
    assert shut == 2_742 * HOUR  # 31.3 % of the year
    assert sum(closing.end - closing.start for closing in found if closing.start >= YEAR) == 2_790 * HOUR


def test_closures__any_hour_of_2026__is_in_one_exactly_when_no_session_is_on() -> None:
    found = sessions.closures(YEAR, NEXT_YEAR)
    for instant in range(YEAR, NEXT_YEAR, HOUR):
        shut = any(closing.start <= instant < closing.end for closing in found)
        assert shut == (expected(instant) is Session.CLOSED), datetime.fromtimestamp(instant, NEW_YORK)


def test_closures__of_a_part_of_one__are_that_one_whole() -> None:
    weekend = Closing(at(2026, 7, 10, 20), at(2026, 7, 12, 20))
    for first, last in ((weekend.start, weekend.start + 1), (weekend.end - 1, weekend.end)):
        assert sessions.closures(first, last) == [weekend]
    assert sessions.closures(weekend.end, weekend.end + 1) == []
    assert sessions.closures(weekend.start - 1, weekend.start) == []


# what is posted


@pytest.mark.parametrize(
    "begin", [YEAR, at(2026, 7, 4, 12), at(2026, 11, 25, 21), at(2026, 12, 24, 17), at(2008, 9, 2)]
)
@pytest.mark.parametrize("days", [1, 30, 380, 390])
def test_coverage__from_any_time__ends_where_a_closure_begins_and_is_taken_by_the_oracle(begin: int, days: int) -> None:
    posted, until = coverage(begin, days)
    assert begin + days * DAY <= until < begin + (days + 7) * DAY
    assert sessions.closures(begin, until) == posted
    assert sessions.closures(until, until + 1)[0].start == until
    desk = make_desk(start=begin)
    desk.oracle.post_closures(posted, until, sender=desk.poster)
    assert desk.oracle.covered_until() == until


def test_coverage__extended_from_its_end__misses_nothing() -> None:
    posted, until = coverage(YEAR, 100)
    more, end = coverage(until, 200)
    assert posted + more == sessions.closures(YEAR, end)


@pytest.mark.parametrize("year", range(1990, 2040))
def test_closures__of_any_year__are_such_as_the_oracle_takes(year: int) -> None:
    """An hour to 7 days, a day from start to start, room for a ramp, and at most three a week, so that the end of
    coverage fits too.
    """
    found = sessions.closures(at(year, 1, 1), at(year + 1, 1, 15))
    assert all(HOUR <= closing.end - closing.start <= 7 * DAY for closing in found)
    assert all(after.start >= max(before.end + RAMP, before.start + DAY) for before, after in pairwise(found))
    weeks = Counter(
        week
        for closing in found
        for week in range((closing.start - DAY) // (7 * DAY), (closing.end - 1) // (7 * DAY) + 1)
    )
    assert max(weeks.values()) <= 3
    assert len(found) < 64


# facts


def test_facts__every_boundary_of_2026__are_the_contracts_to_the_second() -> None:
    """The first and last second of a closure, of its ramp and of the day before it, and everything else that a clock
    could mean.
    """
    begin = at(2025, 12, 30, 12)
    posted, until = coverage(begin, 375)
    oracle, backend = _posted(begin, posted, until)
    edges = [*posted, Closing(until, until + 30 * DAY)]
    marks = {begin, *boundaries()}
    for closing in edges:
        marks |= {closing.start - DAY, closing.start - RAMP, closing.start - RAMP // 2, closing.start, closing.end}
    seen = set()
    for mark in sorted(marks):
        for instant in (mark - 1, mark, mark + 1):
            if instant >= begin:
                backend.warp(instant - backend.timestamp())
                told = Closure(*oracle.closure())
                assert told == facts(instant, posted, until), datetime.fromtimestamp(instant, NEW_YORK)
                seen.add(told)
    assert {Closure(0, 0, 0), Closure(0, 1, 0), Closure(1, 1, 0), Closure(0, 2, 9_999), Closure(2, 2, 0)} <= seen


# words and liquidations


def test_words__every_boundary_of_2026__are_shut_by_the_calendar_to_the_second() -> None:
    """
    A report of the session that a wall clock shows, and a push feed that always answers, a second before, at and
    after every boundary: both are prices of an open exchange exactly while it trades, in winter and in summer.
    """
    begin = at(2025, 12, 30, 12)
    posted, until = coverage(begin, 375)
    desk = make_desk(start=begin)
    desk.oracle.post_closures(posted, until, sender=desk.poster)
    feed = publishing_feed(desk, 8, 100 * MID)
    desk.list_feed(feed, SPY, session=Session.UNKNOWN, heartbeat=2**24 - 1, confidence=20)
    desk.refresh(SPY)
    desk.submit(desk.report(NVDA))
    edges = {edge for closing in posted for edge in (closing.start, closing.end) if YEAR <= edge < NEXT_YEAR}
    assert len(edges) == 108
    days = {edge for edge in boundaries() if expected(edge - 1) != expected(edge)}
    assert edges <= days
    for mark in sorted(days):
        feed.publish(100 * MID, sender=desk.deployer)
        for instant in (mark - 1, mark, mark + 1):
            desk.backend.warp(instant - desk.now)
            session, clock = expected(instant), datetime.fromtimestamp(instant, NEW_YORK)
            desk.refresh(SPY)
            assert (desk.word(SPY).session == Session.CLOSED) == (session is Session.CLOSED), clock
            if mark in edges:
                desk.submit(desk.report(NVDA, status=session if session is not Session.CLOSED else Session.POST))
                assert desk.word(NVDA).session == session, clock
                # shut, or reopening for two minutes
                assert desk.read(NVDA).doubt == (0 if instant < mark and session is not Session.CLOSED else 1_000), (
                    clock
                )


def test_engine__every_closure_of_2026__sells_up_to_its_first_second_and_again_after_the_reopening() -> None:
    """Somebody below maintenance margin, and prices that anybody is free to refresh."""
    stage = Stage.opened(at(2026, 1, 1, 21), days=375)
    stage.prices = {"SPY": "125"}
    stage.sessions = {"SPY": Session.REGULAR}
    stage.publish()
    stage.fund("maker", "10000000")
    stage.fund("holder", "20000")
    stage.trade("maker", "holder", "SPY", "1000")
    stage.publish(SPY="112")
    margin = stage.margin("holder")
    assert 0 < margin.equity < margin.maintenance

    def sells(instant: int, *, told: bool = True) -> bool:
        """At an instant, with a report of it, or with nothing but a refresh."""
        if told:
            stage.warp(instant - 1 - stage.now())
            stage.sessions = {"SPY": expected(instant)}
            stage.publish()
        else:
            stage.warp(instant - stage.now())
            stage.oracle.refresh([stage.id("SPY")], sender=address("attacker"))
        quoted = stage.system.engine.quote(account("holder")).fraction
        if not quoted:
            with pytest.raises(Revert, match=r"^engine: healthy$"):
                stage.system.engine.start(account("holder"), sender=address("keeper"))
        return bool(quoted)

    walked = [closing for closing in sessions.closures(YEAR, NEXT_YEAR) if closing.start >= YEAR]
    for closing in walked:
        clock = datetime.fromtimestamp(closing.start, NEW_YORK)
        assert sells(closing.start - 1), clock
        assert not sells(closing.start), clock
        assert not sells(closing.start + 1, told=False), clock
        assert not sells(closing.end - 1), clock
        for second in (0, 1, 119):
            assert not sells(closing.end + second), clock
        assert sells(closing.end + 120), clock
    assert len(walked) == 54


def test_facts__thanksgiving__by_the_wall_clock() -> None:
    """A day's holiday and, 21 hours later, a weekend of 51 hours."""
    posted, until = coverage(at(2026, 11, 1), 100)
    told = [
        (at(2026, 11, 24, 19, 59), (0, 0, 0)),
        (at(2026, 11, 24, 20), (0, 1, 0)),
        (at(2026, 11, 25, 18), (0, 1, 0)),
        (at(2026, 11, 25, 19), (0, 1, 5_000)),
        (at(2026, 11, 25, 20), (1, 1, 0)),
        (at(2026, 11, 26, 17), (1, 1, 0)),
        (at(2026, 11, 26, 20), (0, 1, 0)),
        (at(2026, 11, 27, 15, 30), (0, 1, 2_500)),
        (at(2026, 11, 27, 17), (1, 1, 0)),
        (at(2026, 11, 29, 20), (0, 0, 0)),
    ]
    for instant, (now, ahead, ramp) in told:
        assert facts(instant, posted, until) == Closure(now, ahead, ramp), datetime.fromtimestamp(instant, NEW_YORK)


def test_facts__christmas__ramp_to_a_long_closure_over_the_last_two_hours() -> None:
    posted, until = coverage(at(2026, 12, 1), 100)
    start = at(2026, 12, 24, 17)
    assert facts(start - RAMP, posted, until) == Closure(0, 2, 0)
    assert facts(start - RAMP + 1, posted, until) == Closure(0, 2, 2)  # 1.39 bps, rounded up
    assert facts(start - 1, posted, until) == Closure(0, 2, 9_999)
    assert facts(start, posted, until) == Closure(2, 2, 0)
    assert facts(at(2026, 12, 27, 20), posted, until) == Closure(0, 0, 0)


def test_facts__nothing_posted__a_long_closure() -> None:
    assert facts(YEAR, [], 0) == Closure(2, 2, 0)


def test_facts__where_coverage_ends__like_any_long_closure() -> None:
    until = at(2026, 7, 8, 12)
    told = [(-DAY - 1, (0, 0, 0)), (-DAY, (0, 2, 0)), (-HOUR, (0, 2, 5_000)), (0, (2, 2, 0)), (10**9, (2, 2, 0))]
    for after, (now, ahead, ramp) in told:
        assert facts(until + after, [], until) == Closure(now, ahead, ramp)


def test_facts__a_system_by_the_exchanges_calendar__asks_for_them() -> None:
    """
    Friday afternoon to Sunday night: what moves with the market, without the width of its price, rises over two hours,
    stays while shut, and falls at the reopening.
    """
    stage = Stage.opened(at(2026, 7, 10, 16))
    stage.fund("maker", "100000")
    stage.fund("taker", "100000")
    stage.trade("maker", "taker", "AAPL", "100")
    asked = []
    for instant in (
        at(2026, 7, 10, 18),
        at(2026, 7, 10, 19),
        at(2026, 7, 10, 20),
        at(2026, 7, 12, 19),
        at(2026, 7, 12, 20),
    ):
        stage.warp(instant - stage.now() - 1)
        stage.publish()
        asked.append(stage.system.lens.account_summary(account("taker")).terms.core)
    before, half, shut, late, after = asked
    assert before == after < half < shut == late
    assert 2 * half == before + shut


def _posted(begin: int, posted: list[Closing], until: int) -> tuple[Contract, RevmBackend]:
    desk = make_desk(start=begin)
    desk.oracle.post_closures(posted, until, sender=desk.poster)
    return desk.oracle, desk.backend


def _wall_hours(closing: Closing) -> float:
    """By the wall clock, which is what a weekend of 48 hours means when the clock is changed."""
    start, end = (
        datetime.fromtimestamp(instant, NEW_YORK).replace(tzinfo=None) for instant in (closing.start, closing.end)
    )
    return (end - start) / timedelta(hours=1)
