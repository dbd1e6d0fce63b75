# pragma version 0.4.3
"""
@title rate
@license AGPL-3.0-only
@author Prime Perps
@notice What a loan costs: an adaptive curve. At the target, 85 % of what could be lent being lent, a loan costs the rate
        at target; four times as much when everything is lent, a quarter when nothing is, in straight lines. The rate at
        target follows: it grows or shrinks exponentially, by exp(50 err) in a year, err being how far utilization is
        from the target, from -1 (nothing lent) to 1 (all of it). It never falls below a floor, what a T-bill pays, nor
        rises above 200 % a year.

        Rates are wad a year, utilization is wad. Source of the curve: docs/cash.md.
"""
from snekmate.utils import math


WAD: constant(uint256) = 10**18
SIGNED_WAD: constant(int256) = 10**18
YEAR: constant(int256) = 365 * 86_400
TARGET: constant(int256) = 85 * 10**16
# What a loan costs at an err of -1, 0 and 1, in rates at target: 1/4, 1 and 4.
BELOW: constant(int256) = 75 * 10**16
ABOVE: constant(int256) = 3 * 10**18
# An err of 1 multiplies the rate at target by e^50 in a year, by 1.147 in a day.
SPEED: constant(int256) = 50
# Past this the rate at target is at one of its ends, wherever it was: 2 / 0.0001 is less than e^10.
EXPONENT_MAX: constant(int256) = 10 * 10**18
# The rate at target of a book that has none yet.
START: constant(uint256) = 4 * 10**16
RATE_MAX: constant(uint256) = 2 * 10**18
FLOOR_MIN: constant(uint256) = 10**14
FLOOR_MAX: constant(uint256) = 20 * 10**16


@internal
@pure
def _step(rate_at_target: uint256, utilization: uint256, elapsed: uint256, least: uint256) -> (uint256, uint256):
    """
    @notice Let the rate at target move for `elapsed` seconds at one utilization, at most 1.
    @param rate_at_target 0 for one that has not begun.
    @return (average of what a loan costs over the step, rate at target after it), both rounded down.
    @dev The mean of an exponential by its start, middle and end: (start + 2 middle + end) / 4.
    """
    self._check_utilization(utilization)
    start: uint256 = self._bounded(START if rate_at_target == 0 else rate_at_target, least)
    err: int256 = self._err(utilization)
    exponent: int256 = err * SPEED * convert(elapsed, int256) // YEAR
    exponent = min(max(exponent, -EXPONENT_MAX), EXPONENT_MAX)
    middle: uint256 = self._grown(start, exponent // 2, least)
    end: uint256 = self._grown(start, exponent, least)
    return self._curve((start + 2 * middle + end) // 4, err), end


@internal
@pure
def _err(utilization: uint256) -> int256:
    distance: int256 = convert(utilization, int256) - TARGET
    return distance * SIGNED_WAD // (SIGNED_WAD - TARGET if distance > 0 else TARGET)


@internal
@pure
def _curve(rate_at_target: uint256, err: int256) -> uint256:
    factor: int256 = SIGNED_WAD + (ABOVE if err > 0 else BELOW) * err // SIGNED_WAD
    return rate_at_target * convert(factor, uint256) // WAD


@internal
@pure
def _grown(rate_at_target: uint256, exponent: int256, least: uint256) -> uint256:
    factor: uint256 = convert(math._wad_exp(exponent), uint256)
    return self._bounded(rate_at_target * factor // WAD, least)


@internal
@pure
def _bounded(rate_at_target: uint256, least: uint256) -> uint256:
    return min(max(rate_at_target, least), RATE_MAX)


@internal
@pure
def _check_floor(least: uint256):
    assert FLOOR_MIN <= least and least <= FLOOR_MAX, "interest: floor out of range"


@internal
@pure
def _check_utilization(utilization: uint256):
    assert utilization <= WAD, "interest: over 100%"
