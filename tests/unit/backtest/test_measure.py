"""Losses and requirements of books whose every number can be worked out by hand."""

from __future__ import annotations

from datetime import date, timedelta

import numpy as np
import pytest

from prime_perps.backtest import measure
from prime_perps.backtest.books import Draw, Kind
from prime_perps.backtest.data import Universe
from prime_perps.backtest.tiers import Era
from tests.unit.backtest.conftest import TABLE

# One stock of T1, long: MM is 6 % x 0.7 + 5 % + 1 %, and a charge for size of 0.002 %. IM is a third more.
MAINTENANCE = 0.042 + 0.05 + 0.01
MM, IM, CALL = MAINTENANCE, MAINTENANCE * 4 / 3, MAINTENANCE / 3
LONG = Kind("long", "long", lambda rng, stocks, books: Draw(np.zeros((1, 2)), np.array([[1.0, 0.0]])))
DRAWN = LONG.draw(np.random.default_rng(1), 1, 1)
NEAR = 0.0005
FIRST = date(2020, 1, 1)


def _universe(*losses: float) -> Universe:
    days = tuple(FIRST + timedelta(n) for n in range(len(losses)))
    return Universe("sp500", "", days, ("S",), np.array([[-loss, -loss / 2] for loss in losses]), 2019)


def _follow(*losses: float, tiers: tuple[str, ...] = ("T1", "ETF")) -> measure.Outcome:
    return measure.follow(_universe(*losses), [Era(slice(0, len(losses)), tiers)], LONG, DRAWN, TABLE)


def test_follow__losses_on_either_side_of_mm__only_those_above_fail():
    outcome = _follow(MM - NEAR, MM + NEAR, -MM - NEAR, 0)
    assert outcome.failed.tolist() == [0, 1, 0, 0]
    assert outcome.coverage == 0.75
    assert outcome.failed_by_book.tolist() == [0.25]
    assert outcome.books_covered == 0


def test_follow__losses_on_either_side_of_im__only_those_above_bankrupt():
    assert _follow(MM + NEAR, IM - NEAR, IM + NEAR, 0).bankrupt == 0.25


def test_follow__losses_on_either_side_of_im_less_mm__only_those_above_are_called():
    assert _follow(CALL - NEAR, CALL + NEAR, 0, MM + NEAR).called == 0.5


def test_follow__one_position__asks_as_alone_and_beside_the_yardsticks():
    outcome = _follow(0, 0)
    assert outcome.maintenance == pytest.approx([MM], abs=1e-4)
    assert outcome.ratio_isolated == pytest.approx(1)
    assert outcome.ratio_tims == pytest.approx(MM / 0.15, abs=1e-3)
    assert outcome.ratio_reg_t == pytest.approx(IM / 0.5, abs=1e-3)


def test_follow__never_fails__every_book_is_covered():
    assert (_follow(0, 0.01).coverage, _follow(0, 0.01).books_covered) == (1, 1)


def test_follow__two_eras__each_with_its_own_requirement_weighed_by_days():
    universe, loss = _universe(MM + NEAR, MM + NEAR, MM + NEAR, 0), MM
    eras = [Era(slice(0, 1), ("T1", "ETF")), Era(slice(1, 4), ("T4", "ETF"))]
    outcome = measure.follow(universe, eras, LONG, DRAWN, TABLE)
    high = 0.06 * 1.7 + 0.145 + 0.01
    assert outcome.failed.tolist() == [1, 0, 0, 0]
    assert outcome.days == 4
    assert outcome.maintenance == pytest.approx([(loss + 3 * high) / 4], abs=1e-3)


def test_follow__token_and_perp_of_one_stock__lose_together():
    half = Kind("half", "half", lambda rng, stocks, books: Draw(np.array([[3.0, 0.0]]), np.array([[-1.0, 0.0]])))
    drawn = half.draw(np.random.default_rng(1), 1, 1)
    one = measure.replay(_universe(0.4), [Era(slice(0, 1), ("T1", "ETF"))], half, drawn, TABLE, FIRST)
    assert one is not None
    # Of a gross of 1, three quarters are held and one is sold: half the net, and charges on the pair and the token.
    asked = MM / 2 + 0.02 / 4 + 0.005 * 3 / 4
    assert one.worst == pytest.approx(0.2 / asked, rel=0.001)


def test_follow__rare_loss__is_the_quantile_of_the_promise():
    losses = np.linspace(0, 1, 1001)
    assert _follow(*losses).rare_loss == pytest.approx([measure.TARGET])


def test_replay__crash__shares_worst_and_what_is_left_to_insurance():
    universe = _universe(0, 2 * MM)
    eras = [Era(slice(0, 2), ("T1", "ETF"))]
    one = measure.replay(universe, eras, LONG, DRAWN, TABLE, FIRST + timedelta(1))
    assert one is not None
    assert (one.failed, one.bankrupt, one.index_return) == (1, 1, -MM)
    assert one.worst == pytest.approx(2, abs=0.001)
    assert one.beyond_initial == pytest.approx(2 * MM - IM, abs=1e-4)
    assert one.beyond_maintenance == pytest.approx(MM, abs=1e-4)


def test_replay__gain__leaves_nothing_to_insurance():
    one = measure.replay(_universe(-0.5), [Era(slice(0, 1), ("T1", "ETF"))], LONG, DRAWN, TABLE, FIRST)
    assert one is not None
    assert (one.failed, one.bankrupt, one.beyond_initial, one.beyond_maintenance) == (0, 0, 0, 0)


def test_replay__first_day_of_an_era__has_its_tiers_not_the_last_ones():
    universe, eras = _universe(0, MM), [Era(slice(0, 1), ("T4", "ETF")), Era(slice(1, 2), ("T1", "ETF"))]
    one = measure.replay(universe, eras, LONG, DRAWN, TABLE, FIRST + timedelta(1))
    assert one is not None
    assert one.worst == pytest.approx(1, abs=0.001)


@pytest.mark.parametrize("day", [FIRST, FIRST + timedelta(2)])
def test_replay__day_outside_the_eras_or_the_data__none(day):
    universe = _universe(0, 0)
    assert measure.replay(universe, [Era(slice(1, 2), ("T1", "ETF"))], LONG, DRAWN, TABLE, day) is None
