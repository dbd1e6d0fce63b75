"""Which tier of the risk table a stock belongs to, told from its past alone."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from prime_perps.backtest.data import Array, Universe
from prime_perps.errors import PrimePerpsError
from prime_perps.risk import RiskTable
from prime_perps.units import BPS

STOCKS = ("T1", "T2", "T3", "T4")
INDEX = "ETF"

# The share of days on which a stock's own move stays within its tier's own-name shock. The factor, the sum of both and
# the jump cover what is beyond; 99 % is also what the past can tell: a rarer day is too rare to be counted.
OWN_DAYS = 0.99
# How many years a yearly review looks back on, and how many it needs at least.
REVIEWED_YEARS = 5
LEAST_YEARS = 2


@dataclass(frozen=True)
class Era:
    """Days on which the same tiers are in force. `tiers` holds one a column of returns, so the index's is the last."""

    rows: slice
    tiers: tuple[str, ...]


def fixed(universe: Universe, table: RiskTable) -> list[Era]:
    """Tiers told once, from the years up to `fit_until`, and kept for all years after it."""
    years = [day.year for day in universe.days]
    fitted = universe.rows(years[0], universe.fit_until)
    return [Era(universe.rows(universe.fit_until + 1, years[-1]), tell(universe.returns[fitted], table))]


def reviewed(universe: Universe, table: RiskTable) -> list[Era]:
    """Tiers told anew every January from the five years before it, from the third year of the data on."""
    first, last = universe.days[0].year, universe.days[-1].year
    return [
        Era(universe.rows(year, year), tell(universe.returns[universe.rows(year - REVIEWED_YEARS, year - 1)], table))
        for year in range(first + LEAST_YEARS, last + 1)
    ]


def tell(returns: Array, table: RiskTable) -> tuple[str, ...]:
    """
    The tier of each stock, and that of the index, from these days: the lowest whose own-name shock is not exceeded by
    the stock's own move on 99 % of them, and whose beta is the nearest one to the stock's, or above. The stock's own
    move is what its beta to the index does not explain. What is too wild for every tier gets the highest.
    """
    index = returns[:, -1]
    if len(returns) < 2 or not index.std() > 0:
        raise PrimePerpsError("the index does not move in the years that tiers are to be told from")
    tiers = []
    for stock in returns[:, :-1].T:
        beta = float(np.cov(stock, index)[0, 1] / index.var(ddof=1))
        own = float(np.quantile(np.abs(stock - beta * index), OWN_DAYS))
        fitting = [tier for tier in STOCKS if own <= table.line(tier).iota / BPS and beta <= _beta_limit(tier, table)]
        tiers.append(fitting[0] if fitting else STOCKS[-1])
    return (*tiers, INDEX)


def _beta_limit(tier: str, table: RiskTable) -> float:
    """Up to which beta of a stock no higher tier's is nearer."""
    own = table.line(tier).beta
    higher = [line.beta for line in map(table.line, STOCKS) if line.beta > own]
    return (own + min(higher)) / 2 / BPS if higher else np.inf
