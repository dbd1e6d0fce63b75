"""How much worse the worst price of a day is than its close: what daily steps leave out."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date

import numpy as np

from prime_perps import history
from prime_perps.backtest.data import Array
from prime_perps.history import Bar

# Their prices are not adjusted; from here on none of the four was split.
FIRST, LAST = date(2006, 1, 1), date(2013, 12, 31)


def broken_by_extremes(rate: float) -> float:
    """
    A margin that the close breaks on `rate` of days: on which share of days does the worst price break it? Of single
    positions, long and short, in four stocks from 2006 to 2013. Raises HistoryMissing.
    """
    bars = history.daily_bars(history.SYMBOLS, FIRST, LAST)
    return float(np.mean([_broken(loss, rate) for series in bars.values() for loss in _losses(series)]))


def _broken(losses: tuple[Array, Array], rate: float) -> float:
    at_close, at_worst = losses
    return float(np.mean(at_worst > np.quantile(at_close, 1 - rate)))


def _losses(bars: Sequence[Bar]) -> tuple[tuple[Array, Array], tuple[Array, Array]]:
    """Of a long and of a short: losses at the close and at the worst price, fractions of the close before."""
    closes, lows, highs = (np.array([float(getattr(bar, field)) for bar in bars]) for field in ("close", "low", "high"))
    close, low, high = (prices[1:] / closes[:-1] - 1 for prices in (closes, lows, highs))
    return (-close, -low), (close, high)
