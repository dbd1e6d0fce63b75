"""What signers see at any instant of the week, and what is gossiped while the exchange is shut.

Real: the four prices a day of AAPL, IBM, MSFT and GOOG on 17, 18 and 22 January 2008, Thursday, Friday and, over the
same holiday, Tuesday: the earnings of IBM on Thursday night, and a Monday on which the world's markets fell while New
York was shut. The instants of a day are those of `history.ticks`, moved by 18 years to the same weekdays.

Scripted: everything of NVDA, SPY and BTC, the dip of MSFT during its halt, that what lies between a close and the next
opening happens when the news is out or the exchange opens, and a noise of a few bps, the same in every run.
"""

from __future__ import annotations

import random
from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from itertools import pairwise

from prime_perps import history
from prime_perps.reports import Session
from prime_perps.sessions import session_at
from prime_perps.units import BPS, MID, WAD, scaled
from prime_perps.week.script import (
    ALWAYS_OPEN,
    FIRST_DAY,
    FIRST_STOCKS,
    HALTED,
    MINUTE,
    MULTIPLIED_AT,
    NIGHTS,
    OPEN,
    RATIO,
    RESUMED_AT,
    SHUT,
    SPLIT,
    SPLIT_AT,
    START,
    STILL_FROM,
    at,
)

REAL_DAYS = (date(2008, 1, 17), date(2008, 1, 18), date(2008, 1, 22))
SHIFT = (FIRST_DAY.date() - REAL_DAYS[0]).days * 86_400  # whole weeks, both in winter
SEED = "a week in January"
NOISE = 8  # bps, at most
KNOT = 10 * MINUTE

Point = tuple[int, Decimal]

# How far the others move with the mean of the four, and from where.
FOLLOWERS = {"NVDA": (Decimal(140), Decimal("1.4")), "SPY": (Decimal(600), Decimal("0.6"))}
BITCOIN = Decimal(95_000)
# Factors on the price, straight lines in between.
NVDA_NEWS: tuple[Point, ...] = ((NIGHTS[1].news - 1, Decimal(1)), (NIGHTS[1].news, Decimal("0.76")))
DIP: tuple[Point, ...] = (
    (at("Fri 11:00"), Decimal(1)),
    (at("Fri 11:12"), Decimal("0.90")),
    (at("Fri 11:30"), Decimal("0.90")),
    (at("Fri 11:48"), Decimal(1)),
)
BITCOIN_PATH: tuple[Point, ...] = (
    (START, Decimal(1)),
    (at("Fri 16:00"), Decimal("1.01")),
    (at("Sun 09:00"), Decimal("0.99")),
    (at("Sun 15:00"), Decimal("0.85")),
    (OPEN, Decimal("0.85")),
    (at("Tue 16:00"), Decimal("0.88")),
)
# While New York is shut, what is said elsewhere overshoots the gap that comes.
GOSSIP: tuple[Point, ...] = (
    (SHUT, Decimal(1)),
    (at("Sun 12:00"), Decimal("0.86")),
    (OPEN, Decimal("0.90")),
)


@dataclass(frozen=True)
class Stated:
    """What signers state of one underlying: USD a share, shares a token (wad), and the session."""

    price: Decimal
    multiplier: int
    session: Session

    @property
    def mid(self) -> int:
        """Price x multiplier, 8 decimals, as the oracle rounds it."""
        return scaled(self.price, MID) * self.multiplier // WAD


class Prices:
    """A function of time; the same seed gives the same prices. Raises HistoryMissing."""

    def __init__(self) -> None:
        bars = history.daily_bars(FIRST_STOCKS, REAL_DAYS[0], REAL_DAYS[-1])
        self._real = {symbol: self._points(symbol, list(history.ticks(bars))) for symbol in FIRST_STOCKS}
        self._first = {symbol: points[0][1] for symbol, points in self._real.items()}

    def stated(self, symbol: str, instant: int) -> Stated:
        """What is signed: while the exchange is shut, what is gossiped, as a report of a shut exchange."""
        session = Session.ALWAYS_OPEN if symbol == ALWAYS_OPEN else session_at(instant)
        per_token = self.per_token(symbol, instant)
        if session is Session.CLOSED:
            per_token = self.per_token(symbol, SHUT - MINUTE) * _along(GOSSIP, instant)
        done = symbol == SPLIT and instant >= SPLIT_AT
        multiplied = symbol == SPLIT and instant >= MULTIPLIED_AT
        price = per_token / RATIO if done else per_token
        return Stated(_cut(price), RATIO * WAD if multiplied else WAD, session)

    def per_token(self, symbol: str, instant: int) -> Decimal:
        """USD for what was one share on Thursday. Nothing moves while the split is on, so that it can be told apart."""
        if STILL_FROM <= instant <= RESUMED_AT:
            instant = STILL_FROM
        return _cut(self._level(symbol, instant) * (1 + _noise(symbol, instant) / BPS))

    def _level(self, symbol: str, instant: int) -> Decimal:
        if symbol == ALWAYS_OPEN:
            return BITCOIN * _along(BITCOIN_PATH, instant)
        if symbol in FOLLOWERS:
            first, follows = FOLLOWERS[symbol]
            level = first * (1 + follows * (self._mean(instant) - 1))
            return level * _along(NVDA_NEWS, instant) if symbol == "NVDA" else level
        level = _along(self._real[symbol], instant)
        return level * _along(DIP, instant) if symbol == HALTED else level

    def _mean(self, instant: int) -> Decimal:
        """Of the four, each against its first price."""
        moved = [_along(self._real[symbol], instant) / self._first[symbol] for symbol in FIRST_STOCKS]
        return sum(moved, Decimal(0)) / len(moved)

    @staticmethod
    def _points(symbol: str, ticks: Sequence[history.Tick]) -> list[Point]:
        points: list[Point] = []
        for tick, following in pairwise([*ticks, None]):
            assert tick is not None
            points.append((tick.time + SHIFT, tick.prices[symbol]))
            if following is not None and following.day != tick.day:
                # what lies between a close and the next opening
                news = _when(symbol, tick.time + SHIFT)
                points += [(news - 1, tick.prices[symbol]), (news, following.prices[symbol])]
        return points


def _when(symbol: str, close: int) -> int:
    """When the move of a night happens: with the news, at the reopening, or at four in the morning."""
    if close > at("Fri 12:00"):
        return OPEN
    return next((night.news for night in NIGHTS if night.stock == symbol), at("Fri 04:00"))


def _along(points: Sequence[Point], instant: int) -> Decimal:
    """Straight lines between the points, level before the first and after the last."""
    place = bisect_right(points, instant, key=lambda point: point[0])
    if place == 0:
        return points[0][1]
    if place == len(points):
        return points[-1][1]
    (since, before), (until, after) = points[place - 1], points[place]
    return before + (after - before) * (instant - since) / (until - since)


def _noise(symbol: str, instant: int) -> Decimal:
    """bps."""
    knot, into = divmod(instant, KNOT)
    return _along(((0, _drawn(symbol, knot)), (KNOT, _drawn(symbol, knot + 1))), into)


def _drawn(symbol: str, knot: int) -> Decimal:
    return Decimal(random.Random(f"{SEED}: {symbol}, {knot}").randint(-NOISE, NOISE))


def _cut(price: Decimal) -> Decimal:
    """To the 8 decimals of a report."""
    return Decimal(scaled(price, MID)) / MID
