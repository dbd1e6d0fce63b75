"""Daily returns of real stocks, read from the data files of installed packages; none of their code is run.

Sources, see requirements-backtest.txt. skfolio: adjusted closes of twenty large US companies and the S&P 500, 1990 to
2022. universal-portfolios, nyse_n: value of a dollar in each of 23 stocks of the New York exchange, 1985 to 2010, with
neither names nor dates nor an index. All are companies that lived to the end of their data.
"""

from __future__ import annotations

import csv
import gzip
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date
from importlib.util import find_spec
from pathlib import Path
from typing import TextIO

import exchange_calendars
import numpy as np
from numpy.typing import NDArray

from prime_perps.errors import PrimePerpsError

Array = NDArray[np.float64]

# The rows of nyse_n are the sessions of the exchange from the one to the other: their number is right, and so are the
# days of its crashes.
NYSE_FIRST, NYSE_LAST = date(1984, 12, 31), date(2010, 6, 30)


class PricesMissing(PrimePerpsError):
    """A package with prices is not installed, or its file is not what it should be."""


@dataclass(frozen=True)
class Universe:
    """Stocks and an index, day by day. Row i of `returns` is what happened up to the close of `days[i]`."""

    name: str
    title: str
    days: tuple[date, ...]
    stocks: tuple[str, ...]
    returns: Array  # (days, stocks + 1), fractions; the last column is the index
    fit_until: int  # the last year that tiers may be learnt from; the years after it are the test

    def rows(self, first_year: int, last_year: int) -> slice:
        """The rows of these years, both included."""
        years = [day.year for day in self.days]
        return slice(int(np.searchsorted(years, first_year)), int(np.searchsorted(years, last_year + 1)))

    def row(self, day: date) -> int | None:
        """The row of a day, None if it is not among them."""
        return self.days.index(day) if day in self.days else None


def universes() -> tuple[Universe, Universe]:
    """Both universes. Raises PricesMissing, which says what to install."""
    return sp500(), nyse()


def sp500() -> Universe:
    """Twenty large US companies against the S&P 500, 1990 to 2022. Raises PricesMissing."""
    names, days, closes = _dated("sp500_dataset.csv.gz")
    _, index_days, index = _dated("sp500_index.csv.gz")
    if days != index_days:
        raise PricesMissing(_spoilt("skfolio", "its stocks and its index are of different days"))
    return Universe(
        name="sp500",
        title="20 large US stocks and the S&P 500",
        days=days[1:],
        stocks=names,
        returns=_returns(np.hstack([closes, index])),
        fit_until=2006,
    )


def nyse() -> Universe:
    """23 stocks of the New York exchange against all of them in equal parts, 1985 to 2010. Raises PricesMissing."""
    names, rows = _table("universal", "data/nyse_n.csv", _open_text)
    values = _numbers(rows, "universal")
    days = _sessions(NYSE_FIRST, NYSE_LAST)
    if len(values) != len(days):
        raise PricesMissing(_spoilt("universal", f"nyse_n has {len(values)} rows, not {len(days)}"))
    stocks = _returns(values)
    return Universe(
        name="nyse",
        title="23 stocks of the NYSE and their mean",
        days=days[1:],
        stocks=tuple(names),
        returns=np.column_stack([stocks, stocks.mean(axis=1)]),
        fit_until=1997,
    )


def _returns(prices: Array) -> Array:
    """From each row to the next: one row less."""
    returns: Array = np.diff(prices, axis=0) / prices[:-1]
    return returns


def _sessions(first: date, last: date) -> tuple[date, ...]:
    calendar = exchange_calendars.get_calendar("XNYS", start=first.isoformat(), end=last.isoformat())
    return tuple(session.date() for session in calendar.sessions)


def _dated(file: str) -> tuple[tuple[str, ...], tuple[date, ...], Array]:
    """Names, days and closes of one of skfolio's files."""
    header, rows = _table("skfolio", f"datasets/data/{file}", _open_zipped)
    try:
        days = tuple(date.fromisoformat(row[0]) for row in rows)
    except ValueError as error:
        raise PricesMissing(_spoilt("skfolio", str(error))) from None
    return tuple(header[1:]), days, _numbers([row[1:] for row in rows], "skfolio")


def _table(package: str, file: str, opened: Callable[[Path], TextIO]) -> tuple[list[str], list[list[str]]]:
    """Header and rows of a package's file."""
    spec = find_spec(package)
    if spec is None or not spec.submodule_search_locations:
        raise PricesMissing(f"real prices are in {_how_to_install(package)}")
    path = Path(spec.submodule_search_locations[0]) / file
    try:
        with opened(path) as text:
            header, *rows = csv.reader(text)
    except FileNotFoundError:
        raise PricesMissing(_spoilt(package, f"no file {path.name}")) from None
    except (OSError, EOFError, UnicodeDecodeError, ValueError) as error:
        raise PricesMissing(_spoilt(package, f"{path.name} cannot be read ({error})")) from None
    return header, rows


def _open_text(path: Path) -> TextIO:
    return path.open(newline="")


def _open_zipped(path: Path) -> TextIO:
    return gzip.open(path, "rt", newline="")


def _numbers(rows: Sequence[Sequence[str]], package: str) -> Array:
    """Prices as an array; each is there and above zero."""
    try:
        prices = np.array(rows, dtype=np.float64)
    except ValueError as error:
        raise PricesMissing(_spoilt(package, str(error))) from None
    if prices.ndim != 2 or not (np.isfinite(prices) & (prices > 0)).all():
        raise PricesMissing(_spoilt(package, "a price is missing or not above zero"))
    return prices


# What the modules are called where they are installed from.
_DISTRIBUTIONS = {"skfolio": "skfolio", "universal": "universal-portfolios"}
_COMMAND = ".venv/bin/python -m pip install --no-deps --requirement requirements-backtest.txt"


def _how_to_install(package: str) -> str:
    return f"{_DISTRIBUTIONS[package]}, which is not installed: run `make backtest` or `make stress`, or {_COMMAND}"


def _spoilt(package: str, complaint: str) -> str:
    return (
        f"the installed {_DISTRIBUTIONS[package]} is not the one asked for: {complaint}; {_COMMAND} --force-reinstall"
    )
