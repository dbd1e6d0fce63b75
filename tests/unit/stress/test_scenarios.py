"""Prices of a replay come from the days they are of, and tiers from the years before."""

from __future__ import annotations

from datetime import date, timedelta

import numpy as np
import pytest

from prime_perps import history
from prime_perps.backtest.data import Universe
from prime_perps.errors import PrimePerpsError
from prime_perps.stress import scenarios, whatif
from prime_perps.stress.scenarios import Replay

FIRST, LAST = date(2008, 9, 15), date(2008, 9, 19)


def _universe(first: date = date(2004, 1, 1)) -> Universe:
    days = tuple(
        first + timedelta(n) for n in range((date(2008, 12, 31) - first).days) if (first + timedelta(n)).weekday() < 5
    )
    rng = np.random.default_rng(1)
    index = rng.normal(0, 0.01, len(days))
    stocks = index[:, None] + rng.normal(0, 0.01, (len(days), 22))
    names = ("AAPL", *(f"S{number}" for number in range(21)))
    return Universe("made_up", "made up", days, names, np.column_stack([stocks, index]), 2006)


@pytest.fixture
def replay(monkeypatch) -> Universe:
    universe = _universe()
    monkeypatch.setattr(scenarios, "REPLAYS", (Replay("autumn", "Autumn", FIRST, LAST, lambda: universe),))
    return universe


def test_load__closes__are_the_returns_of_the_days_from_100_on(replay):
    scenario = scenarios.load("autumn", whatif.table())
    row = replay.row(FIRST)
    assert scenario.opened == replay.days[row - 1]
    assert scenario.days == replay.days[row : row + 5]
    assert scenario.closes[0] == pytest.approx(100)
    assert scenario.closes[1:] / scenario.closes[:-1] - 1 == pytest.approx(replay.returns[row : row + 5])
    assert scenario.symbols[-1] == "INDEX"
    assert scenario.tiers[-1] == "ETF"


def test_load__swings__of_the_sixty_days_before(replay):
    row = replay.row(FIRST)
    expected = replay.returns[row - 60 : row].std(axis=0)
    assert scenarios.load("autumn", whatif.table()).swings[0] == pytest.approx(expected)


def test_load__bars__of_a_known_stock_scaled_to_its_close_of_the_day(replay):
    scenario = scenarios.load("autumn", whatif.table())
    assert list(scenario.bars) == [0]
    bar = history.daily_bars(["AAPL"], FIRST, FIRST)["AAPL"][0]
    opened, high, low = scenario.bars[0][0]
    close = scenario.closes[1, 0]
    assert (opened / close, high / close, low / close) == pytest.approx(
        tuple(float(price / bar.close) for price in (bar.open, bar.high, bar.low))
    )


def test_load__unknown_name__says_which_there_are():
    with pytest.raises(PrimePerpsError, match="no replay '1929'; there are 1987, 2000, 2008, 2020"):
        scenarios.load("1929", whatif.table())


@pytest.mark.parametrize("days", [(date(1999, 9, 15), date(1999, 9, 19)), (date(2008, 9, 13), date(2008, 9, 19))])
def test_load__days_that_the_prices_do_not_have__says_so(monkeypatch, days):
    monkeypatch.setattr(scenarios, "REPLAYS", (Replay("autumn", "Autumn", *days, _universe),))
    with pytest.raises(PrimePerpsError, match="the prices of made_up do not hold"):
        scenarios.load("autumn", whatif.table())


def test_load__too_few_years_before__says_so(monkeypatch):
    late = _universe(date(2008, 1, 1))
    monkeypatch.setattr(scenarios, "REPLAYS", (Replay("autumn", "Autumn", FIRST, LAST, lambda: late),))
    with pytest.raises(PrimePerpsError, match="no tiers can be told for 2008-09-15: too few years before it"):
        scenarios.load("autumn", whatif.table())


def test_replays__all_four__are_of_trading_days_in_order():
    assert [replay.name for replay in scenarios.REPLAYS] == ["1987", "2000", "2008", "2020"]
    assert all(replay.first < replay.last for replay in scenarios.REPLAYS)
