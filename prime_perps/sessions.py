"""When US equities trade 24/5: sessions, closures, and the session facts of the oracle's calendar.

New York time: overnight 20:00 to 04:00, pre 04:00 to 09:30, regular 09:30 to 16:00, post 16:00 to 20:00. A trading day
begins at 20:00 of the day before, whatever that day was; on a half-day regular ends at 13:00 and post at 17:00. What is
between two trading days is a closure: a weekend is one from Friday 20:00 to Sunday 20:00, a holiday from 20:00 of the
day before it to 20:00 of the holiday. Trading days and half-days are those of the exchange calendar XNYS.

Times are unix seconds; a closure is [start, end).
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from functools import cache
from itertools import pairwise
from zoneinfo import ZoneInfo

from prime_perps.margin import Closure
from prime_perps.reports import Session
from prime_perps.units import BPS

EXCHANGE = "XNYS"
NEW_YORK = ZoneInfo("America/New_York")
DAY = 86_400
LONG_FROM = 3 * DAY  # a closure of class 2
LOOK_AHEAD = DAY
RAMP = 7_200
POST = 4 * 3_600
AMPLE = 14 * DAY  # more than from one trading day, or closure, to the next
COVERAGE_DAYS = 390  # the oracle takes 400; where a closure begins is up to a week later


@dataclass(frozen=True)
class Closing:
    """One closure, as the oracle takes and gives it."""

    start: int
    end: int

    @property
    def severity(self) -> int:
        """1, or 2 from 72 hours on."""
        return 2 if self.end - self.start >= LONG_FROM else 1


@dataclass(frozen=True)
class _TradingDay:
    overnight: int
    pre: int
    regular: int
    post: int
    end: int


def session_at(instant: int) -> Session:
    """What the exchange is doing."""
    days = _trading_days(instant - AMPLE, instant + AMPLE)
    day = days[bisect_right(days, instant, key=lambda day: day.overnight) - 1]
    ends = (
        (day.pre, Session.OVERNIGHT),
        (day.regular, Session.PRE),
        (day.post, Session.REGULAR),
        (day.end, Session.POST),
    )
    return next((session for end, session in ends if instant < end), Session.CLOSED)


def closures(first: int, last: int) -> list[Closing]:
    """Every closure of which a part lies in [first, last), whole, rising."""
    days = _trading_days(first - AMPLE, last + AMPLE)
    gaps = (Closing(day.end, following.overnight) for day, following in pairwise(days))
    return [gap for gap in gaps if gap.start < gap.end and gap.start < last and first < gap.end]


def coverage(begin: int, days: int) -> tuple[list[Closing], int]:
    """
    What `post_closures` of the oracle takes to cover `days` from `begin` on: now, or where coverage ends so far.

    Coverage ends where a closure begins, at most a week later, so that none is cut in two.
    """
    horizon = begin + days * DAY
    upcoming = closures(begin, horizon + AMPLE)
    until = next(closing.start for closing in upcoming if closing.start >= horizon)
    return [closing for closing in upcoming if closing.start < until], until


def facts(instant: int, posted: Iterable[Closing], covered_until: int) -> Closure:
    """The session facts that the oracle gives at an instant, in exact integers. Nothing posted: covered until 0."""
    uncovered = Closing(covered_until, 2**64)
    near = [c for c in (*posted, uncovered) if c.start <= instant + LOOK_AHEAD and instant < c.end]
    now = max((closing.severity for closing in near if closing.start <= instant), default=0)
    ahead = max((closing.severity for closing in near), default=0)
    left = min((closing.start - instant for closing in near if closing.start > instant), default=RAMP)
    done = max(RAMP - left, 0) if now < ahead else 0
    return Closure(now, ahead, -(-done * BPS // RAMP))


def _trading_days(first: int, last: int) -> list[_TradingDay]:
    """Those of every year that has a part in [first, last], rising."""
    years = range(datetime.fromtimestamp(first, NEW_YORK).year, datetime.fromtimestamp(last, NEW_YORK).year + 1)
    return [day for year in years for day in _trading_days_of(year)]


@cache
def _trading_days_of(year: int) -> tuple[_TradingDay, ...]:
    # keepers sign and carry reports without pandas
    import exchange_calendars

    calendar = exchange_calendars.get_calendar(EXCHANGE, start=f"{year}-01-01", end=f"{year}-12-31")
    schedule = calendar.schedule
    hours = zip(schedule.index, schedule["open"], schedule["close"], strict=True)
    return tuple(
        _trading_day(day.date(), int(opens.timestamp()), int(shuts.timestamp())) for day, opens, shuts in hours
    )


def _trading_day(day: date, opens: int, shuts: int) -> _TradingDay:
    return _TradingDay(
        overnight=_instant(day - timedelta(days=1), time(20)),
        pre=_instant(day, time(4)),
        regular=opens,
        post=shuts,
        end=shuts + POST,
    )


def _instant(day: date, wall: time) -> int:
    return int(datetime.combine(day, wall, NEW_YORK).timestamp())
