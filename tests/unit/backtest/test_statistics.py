"""Kupiec's test gives the published numbers; the interval respects that bad days come together."""

from __future__ import annotations

import numpy as np
import pytest

from prime_perps.backtest.statistics import kupiec, lowest_mean


def test_kupiec__twenty_failures_in_a_year_at_five_percent__is_the_textbooks_ratio():
    # P. Jorion, Value at Risk, on the 20 exceptions in 252 days that J.P. Morgan reported for 1998.
    assert kupiec(20, 252, 0.05).ratio == pytest.approx(3.91, abs=0.005)


@pytest.mark.parametrize(
    ("trials", "rate", "least", "most"),
    [
        # P. Kupiec, Techniques for Verifying the Accuracy of Risk Measurement Models (1995): what does not reject.
        (510, 0.01, 2, 10),
        (1000, 0.01, 5, 16),
        (255, 0.05, 7, 20),
        (1000, 0.05, 38, 64),
        (1000, 0.025, 16, 35),
    ],
)
def test_kupiec__published_regions__not_rejected_inside_and_rejected_outside(trials, rate, least, most):
    assert kupiec(least, trials, rate).p_value > 0.05
    assert kupiec(most, trials, rate).p_value > 0.05
    assert kupiec(most + 1, trials, rate).p_value < 0.05
    assert kupiec(least - 1, trials, rate).p_value < 0.05


def test_kupiec__ratio_at_the_five_percent_quantile__p_is_five_percent():
    # 3.841459 is the 95 % quantile of chi-squared with one degree of freedom.
    below, above = kupiec(19, 252, 0.05), kupiec(20, 252, 0.05)
    assert below.ratio < 3.841459 < above.ratio
    assert below.p_value > 0.05 > above.p_value


@pytest.mark.parametrize(("failures", "too_many"), [(1, False), (2, False), (3, True), (2.5, True)])
def test_kupiec__more_than_promised__too_many(failures, too_many):
    assert kupiec(failures, 1000, 0.002).too_many is too_many


def test_kupiec__as_promised__ratio_zero():
    assert kupiec(2, 1000, 0.002).ratio == pytest.approx(0, abs=1e-12)
    assert kupiec(2, 1000, 0.002).p_value == pytest.approx(1, abs=1e-5)


@pytest.mark.parametrize("failures", [0, 1000])
def test_kupiec__none_or_all_fail__is_finite(failures):
    assert 0 <= kupiec(failures, 1000, 0.002).p_value < 0.05


@pytest.mark.parametrize(
    ("failures", "trials", "rate"), [(-1, 10, 0.1), (11, 10, 0.1), (0, 0, 0.1), (1, 9, 0), (1, 9, 1)]
)
def test_kupiec__counts_that_cannot_be__refused(failures, trials, rate):
    with pytest.raises(ValueError, match="failures in"):
        kupiec(failures, trials, rate)


def test_lowest_mean__constant__is_the_constant():
    assert lowest_mean(np.full(500, 0.25), np.random.default_rng(1)) == pytest.approx(0.25)


def test_lowest_mean__independent_days__is_two_standard_errors_below():
    daily = np.random.default_rng(1).normal(0, 1, 10_000)
    assert lowest_mean(daily, np.random.default_rng(2)) == pytest.approx(daily.mean() - 1.96 / 100, abs=0.003)


def test_lowest_mean__same_days_in_a_row__is_lower_than_scattered():
    scattered = np.ones(2_100)
    scattered[::21] = 0
    clustered = np.ones(2_100)
    clustered[:100] = 0
    low = [lowest_mean(daily, np.random.default_rng(1)) for daily in (clustered, scattered)]
    assert low[0] < low[1] - 0.01
