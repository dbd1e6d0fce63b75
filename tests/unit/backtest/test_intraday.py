"""The worst price of a day against its close."""

from __future__ import annotations

from datetime import date, timedelta
from decimal import Decimal

import pytest

from prime_perps import history
from prime_perps.backtest import intraday
from prime_perps.history import Bar

DAYS = 100


def _bars(low: str, high: str) -> dict[str, tuple[Bar, ...]]:
    """Closes of 100 and, every other day, 101; each day's lowest and highest price as given."""
    first, volume = date(2008, 1, 1), 1
    bars = tuple(
        Bar("A", first + timedelta(n), Decimal(100), Decimal(high), Decimal(low), Decimal(100 + n % 2), volume)
        for n in range(DAYS + 1)
    )
    return {"A": bars}


@pytest.mark.parametrize(
    ("low", "high", "broken"),
    [
        ("90", "110", 1.0),  # beyond every close, every day, on both sides
        ("90", "101", 0.5),  # the long every day, the short never
        ("100", "101", 0.0),  # no further than the closes
    ],
)
def test_broken_by_extremes__lows_break_longs_and_highs_break_shorts(monkeypatch, low, high, broken):
    monkeypatch.setattr(history, "daily_bars", lambda *_: _bars(low, high))
    assert intraday.broken_by_extremes(0.01) == pytest.approx(broken)


def test_broken_by_extremes__real_days__more_often_than_closes():
    assert 0.01 < intraday.broken_by_extremes(0.01) < 0.05
