"""A made-up crash: no test here needs the packages with real prices."""

from __future__ import annotations

from datetime import date

import numpy as np
import pytest

from prime_perps.stress.scenarios import Scenario

STOCKS = 11
OPENED, DAYS = date(2021, 3, 5), (date(2021, 3, 8), date(2021, 3, 9))  # a Friday, then Monday and Tuesday


def made_up(fall: float = -0.25, days: int = 2) -> Scenario:
    """Eleven stocks and their index: all fall by `fall` on the first day, stock 0 by twice as much, and rest then."""
    returns = np.full(STOCKS + 1, fall)
    returns[0] = 2 * fall
    first = 100 * (1 + returns)
    closes = np.array([np.full(STOCKS + 1, 100.0), first, first])
    return Scenario(
        name="crash",
        title="A made-up crash",
        source="made up",
        opened=OPENED,
        days=DAYS,
        symbols=(*(f"S{number}" for number in range(STOCKS)), "INDEX"),
        tiers=(*["T2"] * STOCKS, "ETF"),
        closes=closes,
        swings=np.full((2, STOCKS + 1), 0.01),
        bars={},
    ).shortened(days)


@pytest.fixture
def crash() -> Scenario:
    return made_up()
