# pragma version 0.4.3
"""
@title market_words
@license AGPL-3.0-only
@author Prime Perps
@notice Cash is shares of an index: what is positive of the supply index, a loan of the debt index. The whole market is
        three words, and between two changes both indexes go on in straight lines, at the rates that the last change has
        left: what a view tells is what a call charges, to the wei, and a margin check reads one word.

        indexes   78 bits  supply index, 2^60 at first
                  78 bits  debt index, 2^60 at first
                  32 bits  time of both
                  34 bits  what cash earns, parts per billion a year
                  34 bits  what a loan costs, parts per billion a year
        totals   112 bits  supply shares
                 112 bits  debt shares
                  32 bits  utilization, parts per billion
        claims    96 bits  stablecoin booked in the safe, wad
                  96 bits  net settled, wad, signed: quote that has become cash
                  64 bits  rate at target, wad a year

        Cash is rounded down, loans are rounded up: both are rounded towards minus infinity.
"""


# An index of 1. 2^78 is 262,144 times as much: 96 years at 13 %.
ONE_BITS: constant(uint256) = 60
ONE: constant(uint256) = 2**60
INDEX_BITS: constant(uint256) = 78
INDEX_MAX: constant(uint256) = 2**78 - 1
TIME_AT: constant(uint256) = 156
TIME_MASK: constant(uint256) = 2**32 - 1
RATES_AT: constant(uint256) = 188
RATE_BITS: constant(uint256) = 34
RATE_MASK: constant(uint256) = 2**34 - 1
# index x rate (1e-9 a year) x seconds into index.
RATE_DIVISOR: constant(uint256) = 10**9 * 365 * 86_400

SHARES_BITS: constant(uint256) = 112
SHARES_MASK: constant(uint256) = 2**112 - 1
UTILIZATION_AT: constant(uint256) = 224

CLAIM_BITS: constant(uint256) = 96
CLAIM_MASK: constant(uint256) = 2**96 - 1
TARGET_AT: constant(uint256) = 192


@internal
@view
def _index(indexes: uint256, debt: bool) -> int256:
    """
    @notice One index as of now: supply rounded down, debt up. At its end it stands still.
    """
    elapsed: uint256 = unsafe_sub(block.timestamp, (indexes >> TIME_AT) & TIME_MASK)
    # index < 2^78, rate < 2^34, seconds < 2^32
    index: uint256 = indexes & INDEX_MAX
    growth: uint256 = unsafe_mul(index, (indexes >> RATES_AT) & RATE_MASK)
    up: uint256 = 0
    if debt:
        index = (indexes >> INDEX_BITS) & INDEX_MAX
        growth = unsafe_mul(index, indexes >> (RATES_AT + RATE_BITS))
        up = RATE_DIVISOR - 1
    growth = unsafe_div(unsafe_add(unsafe_mul(growth, elapsed), up), RATE_DIVISOR)
    return convert(convert(min(unsafe_add(index, growth), INDEX_MAX), bytes32), int256)


@internal
@view
def _amount(shares: int256, indexes: uint256) -> int256:
    """
    @notice What shares are worth now, wad; negative is a loan.
    """
    # |shares| < 2^112, index < 2^78
    return unsafe_mul(shares, self._index(indexes, shares < 0)) >> ONE_BITS


@internal
@view
def _shares(amount: int256, indexes: uint256) -> int256:
    """
    @notice The shares that an amount (wad) is worth now.
    """
    # |amount| < 2^132
    index: int256 = self._index(indexes, amount < 0)
    scaled: int256 = amount << ONE_BITS
    if amount < 0:
        scaled = unsafe_sub(scaled, unsafe_sub(index, 1))
    return unsafe_div(scaled, index)


@internal
@pure
def _in_totals(shares: int256) -> uint256:
    """
    @notice An account's shares where they stand in the word of totals.
    """
    word: uint256 = convert(convert(shares, bytes32), uint256)
    if shares < 0:
        return unsafe_sub(0, word) << SHARES_BITS
    return word
