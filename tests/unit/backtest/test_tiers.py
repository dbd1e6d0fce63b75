"""Tiers are told from the past alone, by a stock's own moves and its beta."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from prime_perps.backtest import tiers
from prime_perps.errors import PrimePerpsError
from tests.unit.backtest.conftest import TABLE

DAYS = 4_000
NINETY_NINE = 2.576  # of a normal variable's absolute values, 99 % are within so many deviations


def _told(beta: float, own: float) -> str:
    """The tier of a stock with this beta, whose own moves stay within `own` on 99 % of days."""
    rng = np.random.default_rng(1)
    index = rng.normal(0, 0.01, DAYS)
    noise = rng.normal(0, own / NINETY_NINE, DAYS)
    noise -= index * np.cov(noise, index)[0, 1] / index.var(ddof=1)
    return tiers.tell(np.column_stack([beta * index + noise, index]), TABLE)[0]


@pytest.mark.parametrize(
    ("own", "tier"), [(0.01, "T1"), (0.045, "T1"), (0.055, "T2"), (0.09, "T3"), (0.11, "T4"), (0.3, "T4")]
)
def test_tell__own_moves__the_lowest_tier_whose_shock_holds_them(own, tier):
    assert _told(0.7, own) == tier


@pytest.mark.parametrize(
    ("beta", "tier"), [(-1.0, "T1"), (0.94, "T1"), (0.96, "T2"), (1.44, "T2"), (1.46, "T3"), (3.0, "T3")]
)
def test_tell__beta__the_nearest_of_the_tiers_or_above(beta, tier):
    assert _told(beta, 0.01) == tier


def test_tell__moves_with_the_index__are_not_its_own():
    # 99 % of its days are within 5.4 %, which is over the shock of T1; its own moves are not.
    assert _told(0.94, 0.048) == "T1"


def test_tell__index__is_last():
    index = np.random.default_rng(1).normal(0, 0.01, (DAYS, 1))
    assert tiers.tell(np.hstack([index, index, index]), TABLE) == ("T2", "T2", "ETF")


@pytest.mark.parametrize("returns", [np.zeros((100, 3)), np.zeros((0, 3)), np.full((1, 3), 0.1)])
def test_tell__no_days_or_none_that_move__refused(returns):
    with pytest.raises(PrimePerpsError, match="index does not move"):
        tiers.tell(returns, TABLE)


def test_fixed__one_era__from_the_year_after_the_fit_to_the_end(universe):
    (era,) = tiers.fixed(universe, TABLE)
    assert [universe.days[era.rows][at].year for at in (0, -1)] == [2004, 2006]
    assert len(era.tiers) == len(universe.stocks) + 1


def test_reviewed__an_era_a_year__from_the_third_year_on_without_gaps(universe):
    eras = tiers.reviewed(universe, TABLE)
    assert [universe.days[era.rows.start].year for era in eras] == [2003, 2004, 2005, 2006]
    assert [era.rows.stop for era in eras] == [era.rows.start for era in eras[1:]] + [len(universe.days)]


@pytest.mark.parametrize("told", [tiers.fixed, tiers.reviewed])
def test_eras__what_happens_later__changes_no_tier_before(universe, told):
    wild = universe.returns.copy()
    later = universe.rows(2005, 2006)
    wild[later] *= 10
    calm, shaken = told(universe, TABLE), told(replace(universe, returns=wild), TABLE)
    pairs = [(a.tiers, b.tiers) for a, b in zip(calm, shaken, strict=True) if a.rows.start <= later.start]
    assert pairs
    assert all(before == after for before, after in pairs)


def test_reviewed__after_a_wild_year__higher_tiers(universe):
    wild = universe.returns.copy()
    wild[universe.rows(2005, 2005), :-1] *= 10
    *_, last = tiers.reviewed(replace(universe, returns=wild), TABLE)
    assert set(last.tiers[:-1]) == {"T4"}
