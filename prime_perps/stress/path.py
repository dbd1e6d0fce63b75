"""What prices did between two closes: real where open, high and low are known, constructed where they are not.

From one close to the next:

- A weekend or holiday lies between: half of the way to the open at 20:00 of its last evening, when the exchange opens
  again, the rest at 9:30. Otherwise all of it at 9:30. Nights are quiet: nobody can trade his way along a gap.
- The open is the real one, or a third of the day's return away from the last close, and noise.
- From the open to the close a Brownian bridge in steps of five minutes, all names tied to one market by correlation
  .6, as wide as two thirds of the day's variance; it ends at the real close. Where the day's high and low are known the
  bridge goes through both, the one nearer to the shorter way first, and beyond neither.

The noise is drawn from the seed and the name of the replay alone.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time
from itertools import pairwise

import numpy as np

from prime_perps import sessions
from prime_perps.backtest.data import Array
from prime_perps.reports import Session
from prime_perps.sessions import NEW_YORK
from prime_perps.stress.scenarios import Scenario

STEP = 300  # seconds between two knots of a path
MARKET = 0.6  # correlation of every name's noise with the market's
OVERNIGHT = 1 / 3  # of a day's return, and of its variance, that come before the open
TICK = 1_800  # seconds between two looks at a quiet market
# Beside every half hour of the day: the last two hours before a closure, over which margin rises.
BEFORE_CLOSURE = (7_200, 3_600, 1_200, 120)
CONFIRMED_AFTER = 120  # seconds; the second price of a reopening


@dataclass(frozen=True)
class Instant:
    """When the world is looked at: unix seconds, the trading day it belongs to, and what the exchange is doing."""

    time: int
    day: date
    session: Session


class Path:
    """Prices of one replay at any second from its opening on, and the instants at which it is looked at."""

    def __init__(self, scenario: Scenario, seed: int, *, gaps: bool = False) -> None:
        """`gaps`: every day opens where it will close, and stays there, whatever is known of it."""
        self._scenario = scenario
        self._gaps = gaps
        rng = np.random.default_rng([seed, *scenario.name.encode()])
        self.opened = _close_of(scenario.opened)
        self.instants: list[Instant] = []
        self._knots: list[int] = [self.opened]
        self._moving: list[bool] = [False]  # whether prices move on from a knot to the next one
        self._logs: list[Array] = [np.log(scenario.closes[0])]
        for row, day in enumerate(scenario.days):
            before = scenario.days[row - 1] if row else scenario.opened
            self._add_day(row, before, day, rng)
        # An instant may be named twice, where the last hours before a closure meet the close.
        self.instants = sorted(set(self.instants), key=lambda instant: instant.time)

    def prices(self, instant: int) -> Array:
        """USD, one an underlying."""
        knot = bisect_right(self._knots, instant) - 1
        at = self._logs[max(knot, 0)]
        if knot >= 0 and self._moving[knot]:
            done = (instant - self._knots[knot]) / (self._knots[knot + 1] - self._knots[knot])
            at = at + done * (self._logs[knot + 1] - at)
        prices: Array = np.exp(at)
        return prices

    def _add_day(self, row: int, before: date, day: date, rng: np.random.Generator) -> None:
        opens, closes = _open_of(day), _close_of(day)
        path = self._session(row, (closes - opens) // STEP, rng)
        for closure in sessions.closures(_close_of(before), opens):
            self._see(day, *(closure.start - left for left in BEFORE_CLOSURE), closure.start)
            self._see(day, closure.end, closure.end + CONFIRMED_AFTER)
            self._knot(closure.end, (self._logs[-1] + path[0]) / 2)
        for step, logs in enumerate(path):
            self._knot(opens + step * STEP, logs, moving=step < len(path) - 1)
        self._see(day, *range(opens, closes, TICK), closes)

    def _session(self, row: int, steps: int, rng: np.random.Generator) -> Array:
        """(steps + 1, underlyings) of log prices from the open to the close of a day."""
        scenario = self._scenario
        last, close = np.log(scenario.closes[row]), np.log(scenario.closes[row + 1])
        if self._gaps:
            return np.tile(close, (steps + 1, 1))
        # A day that moved by more than is usual is taken to have swung by more on the way.
        swing = np.maximum(scenario.swings[row], np.abs(close - last) / 2)
        open_ = last + OVERNIGHT * (close - last) + _noise(1, swing, rng)[0] * np.sqrt(OVERNIGHT) / 2
        noise = _noise(steps, swing * np.sqrt((1 - OVERNIGHT) / steps), rng)
        stops: dict[int, list[tuple[int, float]]] = {
            place: [(0, open_[place]), (steps, close[place])] for place in range(len(close))
        }
        for place, bars in scenario.bars.items():
            opened, high, low = np.log(bars[row])
            turns = (low, high) if close[place] >= opened else (high, low)
            stops[place] = [(0, opened), (steps // 3, turns[0]), (2 * steps // 3, turns[1]), (steps, close[place])]
        path = np.column_stack([_bridge(stops[place], noise[:, place]) for place in range(len(close))])
        for place, bars in scenario.bars.items():
            path[:, place] = np.clip(path[:, place], np.log(bars[row][2]), np.log(bars[row][1]))
        return path

    def _knot(self, at: int, logs: Array, *, moving: bool = False) -> None:
        self._knots.append(at)
        self._logs.append(logs)
        self._moving.append(moving)

    def _see(self, day: date, *times: int) -> None:
        for at in times:
            if at > self.opened:
                self.instants.append(Instant(at, day, sessions.session_at(at)))


def _noise(steps: int, swing: Array, rng: np.random.Generator) -> Array:
    """(steps, underlyings) of steps, each name's tied to the market's."""
    market = rng.standard_normal((steps, 1))
    own = rng.standard_normal((steps, len(swing)))
    drawn: Array = (MARKET * market + np.sqrt(1 - MARKET**2) * own) * swing
    return drawn


def _bridge(stops: Sequence[tuple[int, float]], noise: Array) -> Array:
    """A walk along `noise` that is bent to pass through every stop, (step, log price)."""
    free = np.concatenate([[0.0], np.cumsum(noise)])
    bent = free.copy()
    for (start, here), (end, there) in pairwise(stops):
        piece = free[start : end + 1] - free[start]
        done = np.linspace(0, 1, end - start + 1)
        bent[start : end + 1] = here + piece + done * (there - here - piece[-1])
    return bent


def _open_of(day: date) -> int:
    return int(datetime.combine(day, time(9, 30), NEW_YORK).timestamp())


def _close_of(day: date) -> int:
    """Regular hours end at 16:00, or earlier: the first half hour that is none of them."""
    return next(at for at in _half_hours(day) if sessions.session_at(at) is not Session.REGULAR)


def _half_hours(day: date) -> Iterator[int]:
    opens = _open_of(day)
    yield from (opens + step * TICK for step in range(1, 48))
