"""Real daily prices: what four American stocks traded at, day by day, as exact decimals.

Source: the package bokeh-sampledata (public domain; unadjusted open, high, low, close of AAPL, IBM, MSFT from 2000 and
GOOG from 2004, to March 2013). The text of its file is read, so no price passes through a float.
"""

from __future__ import annotations

import csv
import gzip
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time
from decimal import Decimal, InvalidOperation
from importlib.util import find_spec
from pathlib import Path
from zoneinfo import ZoneInfo

from prime_perps.errors import PrimePerpsError

SYMBOLS = ("AAPL", "IBM", "MSFT", "GOOG")
FIRST = date(2008, 9, 1)
LAST = date(2008, 11, 30)
PACKAGE = "bokeh_sampledata"
NEW_YORK = ZoneInfo("America/New_York")
OPEN = time(9, 30)
CLOSE = time(16, 0)
SHORT_CLOSE = time(13, 0)
# The day after Thanksgiving is a half-day; the only one inside the default range.
HALF_DAYS = frozenset({date(2008, 11, 28)})


class HistoryMissing(PrimePerpsError):
    """The price data is not installed, or does not hold what was asked for."""


@dataclass(frozen=True)
class Bar:
    """One stock on one day, in USD a share. low <= open, close <= high."""

    symbol: str
    day: date
    open: Decimal
    high: Decimal
    low: Decimal
    close: Decimal
    volume: int


@dataclass(frozen=True)
class Tick:
    """The price of every symbol at one instant of an open exchange. `time` is unix seconds, UTC."""

    time: int
    day: date
    label: str  # open, first extreme, second extreme, close
    prices: dict[str, Decimal]


def daily_bars(symbols: Sequence[str] = SYMBOLS, first: date = FIRST, last: date = LAST) -> dict[str, tuple[Bar, ...]]:
    """
    The bars of each symbol from `first` to `last`, both included, in order of days; every symbol on the same days.
    Raises HistoryMissing when the package is not installed, or lacks a symbol or a day, or a row makes no sense.
    """
    wanted = set(symbols)
    found: dict[str, list[Bar]] = {symbol: [] for symbol in symbols}
    for row in _rows():
        if row["Ticker"] in wanted and first.isoformat() <= row["Date"] <= last.isoformat():
            bar = _bar(row)
            found[bar.symbol].append(bar)
    bars = {symbol: tuple(sorted(rows, key=lambda bar: bar.day)) for symbol, rows in found.items()}
    days = [bar.day for bar in next(iter(bars.values()), ())]
    for symbol, rows in bars.items():
        if not rows:
            raise HistoryMissing(f"{PACKAGE} has no prices of {symbol} from {first} to {last}")
        if [bar.day for bar in rows] != days:
            raise HistoryMissing(f"{PACKAGE} has other days for {symbol} than for {symbols[0]}")
    return bars


def ticks(bars: dict[str, tuple[Bar, ...]]) -> Iterator[Tick]:
    """
    Four instants a day, evenly spaced from the opening to the closing bell: open, two extremes, close.

    Daily data does not say which extreme came first. A stock that closed higher is taken to have seen its low first,
    one that closed lower its high first: the shortest path through the four prices.
    """
    for same_day in zip(*bars.values(), strict=True):
        day = same_day[0].day
        opening, closing = session_hours(day)
        paths = {bar.symbol: _path(bar) for bar in same_day}
        for step, label in enumerate(("open", "first extreme", "second extreme", "close")):
            instant = opening + (closing - opening) * step // 3
            yield Tick(instant, day, label, {symbol: path[step] for symbol, path in paths.items()})


def session_hours(day: date) -> tuple[int, int]:
    """Unix seconds of the opening and closing bell in New York."""
    closing = SHORT_CLOSE if day in HALF_DAYS else CLOSE
    opened, closed = (datetime.combine(day, hour, NEW_YORK) for hour in (OPEN, closing))
    return int(opened.timestamp()), int(closed.timestamp())


def _path(bar: Bar) -> tuple[Decimal, Decimal, Decimal, Decimal]:
    if bar.close >= bar.open:
        return bar.open, bar.low, bar.high, bar.close
    return bar.open, bar.high, bar.low, bar.close


def _rows() -> Iterator[dict[str, str]]:
    spec = find_spec(PACKAGE)
    if spec is None or not spec.submodule_search_locations:
        raise HistoryMissing(f"the price history needs the package {PACKAGE}: pip install {PACKAGE}")
    path = Path(spec.submodule_search_locations[0]) / "_data" / "stocks.csv.gz"
    if not path.exists():
        raise HistoryMissing(f"the installed {PACKAGE} has no stocks.csv.gz: pip install --force-reinstall {PACKAGE}")
    with gzip.open(path, "rt", newline="") as file:
        yield from csv.DictReader(file)


def _bar(row: dict[str, str]) -> Bar:
    try:
        opened, high, low, closed = (Decimal(row[name]) for name in ("Open", "High", "Low", "Close"))
        bar = Bar(row["Ticker"], date.fromisoformat(row["Date"]), opened, high, low, closed, int(row["Volume"]))
    except (InvalidOperation, ValueError, KeyError) as error:
        raise HistoryMissing(f"{PACKAGE} has an unreadable row {row}: {error!r}") from None
    if not 0 < bar.low <= min(bar.open, bar.close) <= max(bar.open, bar.close) <= bar.high:
        raise HistoryMissing(f"{PACKAGE} has an impossible day: {bar}")
    return bar
