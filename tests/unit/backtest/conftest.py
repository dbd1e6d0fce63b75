"""Made-up stocks: no test here needs the packages with real prices."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, timedelta

import numpy as np
import pytest

from prime_perps import risk
from prime_perps.backtest.data import Universe
from prime_perps.compiler import ROOT

TABLE = risk.load(ROOT / "parameters" / "risk.json")
STOCKS = 22
FIRST, LAST = date(2001, 1, 1), date(2006, 12, 31)
CRASH = date(2005, 6, 1)


def made_up(name: str, crash: float = -0.3) -> Universe:
    """22 stocks of beta 1 and an own volatility of 1 % a day, over six years; the market falls by `crash` on CRASH."""
    days = tuple(FIRST + timedelta(n) for n in range((LAST - FIRST).days + 1))
    rng = np.random.default_rng(list(name.encode()))
    index = rng.normal(0, 0.008, len(days))
    index[days.index(CRASH)] = crash
    own = rng.normal(0, 0.01, (len(days), STOCKS))
    stocks = tuple(f"S{number}" for number in range(STOCKS))
    return Universe(
        name, f"{STOCKS} made-up stocks", days, stocks, np.column_stack([index[:, None] + own, index]), 2003
    )


@pytest.fixture
def universe() -> Universe:
    return made_up("sp500")


@pytest.fixture(scope="module")
def universes() -> Iterator[None]:
    """Two made-up universes in place of the real ones, and the day of their crash in place of real crashes."""
    both = made_up("sp500"), made_up("nyse")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("prime_perps.backtest.data.universes", lambda: both)
        patch.setattr("prime_perps.backtest.run.STRESS", (CRASH,))
        yield
