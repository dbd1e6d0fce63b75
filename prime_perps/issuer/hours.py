"""When the issuer deals: the exchange's sessions without the minutes around their changes, and windows of one asset.

Pauses in New York time: 3:55 to 4:01, 9:29 to 9:31, 15:59 to 16:01, 19:59 to 20:05. They hang on the changes of
session, so a half-day moves its own: 12:59 to 13:01, and 16:59 to the end of the day at 17:00.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta

from prime_perps.issuer.refusals import MarketClosed, MarketPaused
from prime_perps.reports import Session
from prime_perps.sessions import NEW_YORK, session_at

OPEN_SESSIONS = (Session.OVERNIGHT, Session.PRE, Session.REGULAR, Session.POST)
DIVIDEND_FROM = time(19, 50)
DIVIDEND_UNTIL = time(20, 10)


@dataclass(frozen=True)
class Window:
    """[start, end) in unix seconds."""

    start: int
    end: int

    def __contains__(self, instant: int) -> bool:
        return self.start <= instant < self.end


@dataclass(frozen=True)
class _Pause:
    """From `lead` seconds before one session becomes another to `trail` seconds after."""

    before: Session
    after: Session
    lead: int
    trail: int

    def holds(self, instant: int) -> bool:
        return session_at(instant + self.lead) is self.after and session_at(instant - self.trail) is self.before


PAUSES = (
    _Pause(Session.OVERNIGHT, Session.PRE, 300, 60),
    _Pause(Session.PRE, Session.REGULAR, 60, 60),
    _Pause(Session.REGULAR, Session.POST, 60, 60),
    _Pause(Session.POST, Session.OVERNIGHT, 60, 300),
    # Into and out of a closure only the side that would be open is a pause.
    _Pause(Session.POST, Session.CLOSED, 60, 0),
    _Pause(Session.CLOSED, Session.OVERNIGHT, 0, 300),
)


def open_session(instant: int) -> Session:
    """The session in which the issuer deals at an instant. Raises MarketClosed, MarketPaused."""
    session = session_at(instant)
    if session not in OPEN_SESSIONS:
        raise MarketClosed("the exchange is shut: a weekend or a holiday")
    if any(pause.holds(instant) for pause in PAUSES):
        raise MarketPaused("the session is about to change, or has just changed")
    return session


def dividend_window(ex_date: date) -> Window:
    """The pause of an asset that goes without its dividend from `ex_date` on: around 20:00 of the evening before."""
    evening = ex_date - timedelta(days=1)
    start, end = (new_york(datetime.combine(evening, wall)) for wall in (DIVIDEND_FROM, DIVIDEND_UNTIL))
    return Window(start, end)


def new_york(moment: datetime) -> int:
    """Unix seconds of a moment; one without an offset is New York time."""
    return int((moment if moment.tzinfo else moment.replace(tzinfo=NEW_YORK)).timestamp())


def covers(windows: Iterable[Window], instant: int) -> bool:
    """Whether one of them does."""
    return any(instant in window for window in windows)
