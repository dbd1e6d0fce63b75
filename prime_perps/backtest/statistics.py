"""How much a count of bad days proves."""

from __future__ import annotations

from dataclasses import dataclass
from math import erfc, log, sqrt

import numpy as np

from prime_perps.backtest.data import Array

MONTH = 21  # trading days


@dataclass(frozen=True)
class Kupiec:
    """Kupiec's test of a proportion of failures (1995): is it the one that was promised?"""

    ratio: float  # likelihood ratio, chi-squared with one degree of freedom if the promise holds
    p_value: float  # how likely a ratio this large is then
    too_many: bool  # whether there are more failures than promised


def kupiec(failures: float, trials: int, rate: float) -> Kupiec:
    """
    The test of `failures` in `trials` independent ones against a promised `rate`, 0 < rate < 1. Failures may be a
    fraction: the mean count over several series. Raises ValueError for counts that cannot be.
    """
    if not (0 < rate < 1 and 0 <= failures <= trials and trials > 0):
        raise ValueError(f"{failures} failures in {trials} trials at a rate of {rate}")
    seen = failures / trials
    ratio = 2 * (_log_likelihood(failures, trials, seen) - _log_likelihood(failures, trials, rate))
    ratio = max(0.0, ratio)
    return Kupiec(ratio, erfc(sqrt(ratio / 2)), seen > rate)


def _log_likelihood(failures: float, trials: int, rate: float) -> float:
    parts = ((failures, rate), (trials - failures, 1 - rate))
    return sum(count * log(share) for count, share in parts if count)


def lowest_mean(daily: Array, rng: np.random.Generator, draws: int = 2_000, level: float = 0.025) -> float:
    """
    Lower end of the 95 % interval of the mean of a daily series, by drawing whole months of it anew (circular block
    bootstrap): bad days come together, so days must not be drawn one by one.
    """
    blocks = -(-len(daily) // MONTH)
    # Sums of months that begin on each day, around the end.
    summed = np.concatenate([[0.0], np.cumsum(np.concatenate([daily, daily[: MONTH - 1]]))])
    months = summed[MONTH:] - summed[:-MONTH]
    drawn = months[rng.integers(0, len(months), (draws, blocks))]
    return float(np.quantile(drawn.sum(axis=1) / (blocks * MONTH), level))
