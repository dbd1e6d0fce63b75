"""Where a signer, or whoever proposes reports to signers, sees prices.

A source is asked for a symbol at an instant and says what it saw and when. Two are here, for local and test networks: a
file that any program can write, and the history that the demo replays. One for a real exchange is an object like them.
"""

from __future__ import annotations

import json
import time
from bisect import bisect_right
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from pathlib import Path
from typing import Any, Protocol

from prime_perps import history, sessions
from prime_perps.errors import PrimePerpsError
from prime_perps.history import Tick
from prime_perps.reports import Report, Session
from prime_perps.units import MID, WAD, scaled, wad

CONFIDENCE = 5  # bps; what a feed of an exchange's own trades states on a busy day
WEEK = 7 * 86_400

# Unix seconds now: the world's, or, on a development chain that lives in another year, the newest block's.
Clock = Callable[[], int]


class Unobserved(PrimePerpsError):
    """The source has no price of that symbol at that instant, and says why."""


@dataclass(frozen=True)
class Observation:
    """What a source saw of one symbol: USD a share, bps, wad shares a token, unix seconds."""

    price: Decimal
    session: Session
    time: int
    confidence: int = CONFIDENCE
    multiplier: int = WAD

    def report(self, underlying: int) -> Report:
        """The same as signers state it, the price cut to 8 decimals."""
        price = scaled(self.price, MID)
        return Report(underlying, price, self.confidence, int(self.session), self.time, self.multiplier)


class PriceSource(Protocol):
    """What a signer believes."""

    def observe(self, symbol: str, instant: int) -> Observation:
        """The newest observation as of `instant`. Raises Unobserved."""
        ...


class PriceFile:
    """
    Prices in a JSON file that another program keeps writing, whole (to another name, then moved over this one):

        {"time": 1700000000, "prices": {"AAPL": {"price": 189.37}, "BTC": {"price": 37000, "session": "ALWAYS_OPEN"}}}

    `time`, unix seconds, is when these prices were seen. Beside a price may stand `session` (else what the exchange's
    calendar says), `confidence` in bps (else 5) and `multiplier`, shares a token (else 1). No number becomes a float.
    """

    def __init__(self, path: Path) -> None:
        self._path = path

    def observe(self, symbol: str, instant: int) -> Observation:
        """Raises Unobserved, also for a file that is missing or makes no sense."""
        try:
            kept = json.loads(self._path.read_text(), parse_float=Decimal)
            seen_at, entry = kept["time"], kept["prices"].get(symbol)
            if not isinstance(seen_at, int):
                raise ValueError(f"time is {seen_at!r}")
            return self._observation(symbol, seen_at, entry)
        except OSError as error:
            raise Unobserved(f"cannot read {self._path.name}: {error.strerror}") from None
        except (ValueError, KeyError, TypeError, AttributeError, InvalidOperation) as error:
            raise Unobserved(f"{self._path.name} is not a file of prices: {error!r}") from None

    def _observation(self, symbol: str, seen_at: int, entry: dict[str, Any] | None) -> Observation:
        if entry is None:
            raise Unobserved(f"{self._path.name} has no price of {symbol}")
        session = entry.get("session")
        price, multiplier = Decimal(entry["price"]), Decimal(entry.get("multiplier", 1))
        if not (price.is_finite() and price > 0 and multiplier.is_finite() and multiplier > 0):
            raise Unobserved(f"{self._path.name} has a void price of {symbol}")
        return Observation(
            price=price,
            session=sessions.session_at(seen_at) if session is None else Session[session],
            time=seen_at,
            confidence=int(entry.get("confidence", CONFIDENCE)),
            multiplier=wad(multiplier),
        )


class HistoryReplay:
    """
    The real prices of autumn 2008, over and over: each round begins a whole number of weeks after the one before, so
    that weekdays and hours stay. What was seen when is a matter of the clock alone, so any number of signers agree.
    """

    def __init__(self, ticks: Sequence[Tick] | None = None) -> None:
        """Raises HistoryMissing when the prices are not installed."""
        self._ticks = list(history.ticks(history.daily_bars()) if ticks is None else ticks)
        span = self._ticks[-1].time - self._ticks[0].time
        self._round = (span // WEEK + 1) * WEEK

    def observe(self, symbol: str, instant: int) -> Observation:
        """The last price before `instant`, seen at `instant`. Raises Unobserved."""
        first = self._ticks[0].time
        if instant < first:
            raise Unobserved(f"the history begins at {first}, after {instant}")
        place = bisect_right(self._ticks, first + (instant - first) % self._round, key=lambda tick: tick.time) - 1
        price = self._ticks[place].prices.get(symbol)
        if price is None:
            raise Unobserved(f"the history has no price of {symbol}")
        return Observation(price, sessions.session_at(instant), instant)


def world_clock() -> int:
    """Unix seconds now."""
    return int(time.time())
