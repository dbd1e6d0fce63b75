"""The four replays: which days, whose prices, which tiers.

Prices are those of the back-test (prime_perps.backtest.data), where it is said what they are, and daily bars of
bokeh-sampledata where it has them. Every price is rebased to 100 USD at the opening of the replay: only returns count.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import date
from decimal import Decimal

import numpy as np

from prime_perps import history
from prime_perps.backtest import data, tiers
from prime_perps.backtest.data import Array, Universe
from prime_perps.errors import PrimePerpsError
from prime_perps.history import HistoryMissing
from prime_perps.risk import RiskTable

OPENING = 100.0  # USD
SWING_DAYS = 60  # sessions that a day's usual swing is told from
INDEX = "INDEX"
# bokeh-sampledata's range. Its prices are not adjusted, so a bar is scaled to the adjusted close of its own day.
BARS_FROM, BARS_TO = date(2000, 3, 1), date(2013, 3, 1)


@dataclass(frozen=True)
class Replay:
    """A crash by its days, both ends included. Accounts are opened at the close before `first`."""

    name: str
    title: str
    first: date
    last: date
    universe: Callable[[], Universe]


REPLAYS = (
    Replay("1987", "19 October 1987 and the week it opened", date(1987, 10, 19), date(1987, 10, 23), data.nyse),
    Replay("2000", "29 September 2000 and the week after it", date(2000, 9, 29), date(2000, 10, 6), data.sp500),
    Replay("2008", "15 September to 20 November 2008", date(2008, 9, 15), date(2008, 11, 20), data.sp500),
    Replay("2020", "19 February to 23 March 2020", date(2020, 2, 19), date(2020, 3, 23), data.sp500),
)


@dataclass(frozen=True)
class Scenario:
    """
    A replay with its prices: (days + 1, underlyings) of `closes`, the first row being the opening; (days, underlyings)
    of `swings`, a usual day's standard deviation of returns as known before it; and (days, 3) open, high, low for the
    underlyings of which they are known. The last underlying is the index, which has no token.
    """

    name: str
    title: str
    source: str
    opened: date  # at whose close the accounts are opened
    days: tuple[date, ...]
    symbols: tuple[str, ...]
    tiers: tuple[str, ...]
    closes: Array
    swings: Array
    bars: Mapping[int, Array]

    def shortened(self, days: int | None) -> Scenario:
        """Its first days only; all of them when None."""
        if days is None:
            return self
        return replace(
            self,
            days=self.days[:days],
            closes=self.closes[: days + 1],
            swings=self.swings[:days],
            bars={place: bars[:days] for place, bars in self.bars.items()},
        )


def load(name: str, table: RiskTable) -> Scenario:
    """A replay by name, with the tiers of its January. Raises PrimePerpsError, PricesMissing, HistoryMissing."""
    wanted = find(name)
    universe = wanted.universe()
    first, last = universe.row(wanted.first), universe.row(wanted.last)
    if first is None or last is None or first <= SWING_DAYS:
        raise PrimePerpsError(f"the prices of {universe.name} do not hold {wanted.first} to {wanted.last}")
    rows = slice(first, last + 1)
    growth = np.cumprod(1 + universe.returns[rows], axis=0)
    closes = OPENING * np.vstack([np.ones(growth.shape[1]), growth])
    swings = [universe.returns[row - SWING_DAYS : row].std(axis=0) for row in range(first, last + 1)]
    symbols = (*universe.stocks, INDEX)
    days = universe.days[rows]
    return Scenario(
        name=wanted.name,
        title=wanted.title,
        source=universe.title,
        opened=universe.days[first - 1],
        days=days,
        symbols=symbols,
        tiers=_tiers(universe, first, table),
        closes=closes,
        swings=np.array(swings),
        bars=_bars(symbols, universe.days[first - 1], days, closes),
    )


def find(name: str) -> Replay:
    """Raises PrimePerpsError for a replay that there is not."""
    for replay in REPLAYS:
        if replay.name == name:
            return replay
    raise PrimePerpsError(f"no replay {name!r}; there are {', '.join(replay.name for replay in REPLAYS)}")


def _tiers(universe: Universe, row: int, table: RiskTable) -> tuple[str, ...]:
    """Told from the years before the replay alone."""
    for era in tiers.reviewed(universe, table):
        if era.rows.start <= row < era.rows.stop:
            return era.tiers
    raise PrimePerpsError(f"no tiers can be told for {universe.days[row]}: too few years before it")


def _bars(symbols: tuple[str, ...], opened: date, days: tuple[date, ...], closes: Array) -> dict[int, Array]:
    """Open, high and low of the stocks that bokeh-sampledata has, scaled to the close of the same day."""
    if opened < BARS_FROM or days[-1] > BARS_TO:
        return {}
    found = {}
    for place, symbol in enumerate(symbols):
        # GOOG is not among the stocks of any universe, and IBM's name is not given where it may be.
        if symbol not in history.SYMBOLS:
            continue
        series = {bar.day: bar for bar in history.daily_bars([symbol], days[0], days[-1])[symbol]}
        if not set(days) <= set(series):
            raise HistoryMissing(f"{history.PACKAGE} lacks days of {symbol} from {days[0]} to {days[-1]}")
        found[place] = np.array(
            [
                [float(price / series[day].close) * close for price in _extremes(series[day])]
                for day, close in zip(days, closes[1:, place], strict=True)
            ]
        )
    return found


def _extremes(bar: history.Bar) -> tuple[Decimal, Decimal, Decimal]:
    return bar.open, bar.high, bar.low
