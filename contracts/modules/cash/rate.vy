# pragma version 0.4.3
"""
@title rate
@license AGPL-3.0-only
@author Prime Perps
@notice What a loan costs: an adaptive curve. At the target, 85 % of what could be lent being lent, it is the rate at
        target; four times as much when everything is lent, a quarter when nothing is, in straight lines. The rate at
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
# 34,865 years
SECONDS_MAX: constant(uint256) = 2**40
# The rate at target of a book that has none yet.
START: constant(uint256) = 4 * 10**16
RATE_MAX: constant(uint256) = 2 * 10**18
FLOOR_MIN: constant(uint256) = 10**14
FLOOR_MAX: constant(uint256) = 20 * 10**16


@internal
@pure
def _step(rate_at_target: uint256, utilization: uint256, elapsed: uint256, least: uint256) -> (uint256, uint256):
    """
    @notice Let the rate at target move for `elapsed` seconds at one utilization.
    @param rate_at_target 0 for one that has not begun.
    @param least The floor.
    @return (average of what a loan costs over the step, rate at target after it), both rounded down.
    @dev The mean of an exponential by its start, middle and end: (start + 2 middle + end) / 4.
    """
    self._check_utilization(utilization)
    # unchecked: rates <= 2^61, |err| <= 2^60, the exponent before it is cut < 2^107, factors < 2^75
    err: int256 = unsafe_sub(convert(utilization, int256), TARGET)
    slope: int256 = BELOW
    if err > 0:
        err = unsafe_div(unsafe_mul(err, SIGNED_WAD), SIGNED_WAD - TARGET)
        slope = ABOVE
    else:
        err = unsafe_div(unsafe_mul(err, SIGNED_WAD), TARGET)
    seconds: int256 = convert(min(elapsed, SECONDS_MAX), int256)
    exponent: int256 = unsafe_div(unsafe_mul(unsafe_mul(err, SPEED), seconds), YEAR)
    exponent = min(max(exponent, -EXPONENT_MAX), EXPONENT_MAX)
    half: uint256 = convert(math._wad_exp(unsafe_div(exponent, 2)), uint256)

    start: uint256 = self._bounded(START if rate_at_target == 0 else rate_at_target, least)
    middle: uint256 = self._bounded(unsafe_div(unsafe_mul(start, half), WAD), least)
    end: uint256 = self._bounded(unsafe_div(unsafe_mul(unsafe_div(unsafe_mul(start, half), WAD), half), WAD), least)
    mean: uint256 = unsafe_div(unsafe_add(unsafe_add(start, unsafe_mul(middle, 2)), end), 4)
    factor: int256 = unsafe_add(SIGNED_WAD, unsafe_div(unsafe_mul(slope, err), SIGNED_WAD))
    return unsafe_div(unsafe_mul(mean, convert(factor, uint256)), WAD), end


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
