# pragma version 0.4.3
"""
@title price_memory
@license AGPL-3.0-only
@author Prime Perps
@notice What an underlying's price was before: two exponential means of the mid, by the time it stood; a jump that
        nobody has confirmed yet; and when the underlying reopened. One slot an underlying.

        Packed from the low bit up: fast 56, slow 56, jumped_to 56, updated_at 32, reopened_at 32, jumped_at 24.
"""
from . import price_word


struct Memory:
    fast: uint256  # 8 decimals, the mean over 5 minutes
    slow: uint256  # 8 decimals, the mean over 30 minutes
    jumped_to: uint256  # 8 decimals, 0 for none
    updated_at: uint256  # unix seconds, until when the means have been brought forward
    reopened_at: uint256  # unix seconds of the first observation since; 0 for none, AWAITED before there is one
    jumped_at: uint256  # unix seconds of the observation, the lowest 24 bits


AWAITED: constant(uint256) = 1
REOPENING: constant(uint256) = 120  # seconds from the first observation to the one that ends it
CONFIRMING: constant(uint256) = 15  # seconds from a jump to the observation that confirms it
FAST: constant(uint256) = 300
SLOW: constant(uint256) = 1_800

BPS: constant(uint256) = price_word.FULL_WIDTH
SLOW_MAX: constant(uint256) = 2**15 - 1

SLOW_AT: constant(uint256) = 56
JUMPED_TO_AT: constant(uint256) = 112
UPDATED_AT: constant(uint256) = 168
REOPENED_AT: constant(uint256) = 200
JUMPED_AT: constant(uint256) = 232
JUMPED_MASK: constant(uint256) = 2**24 - 1
# An observation that is older than the jump is so by less than the longest age limit: what seems to be more is later.
JUMPED_OLDER: constant(uint256) = JUMPED_MASK - 2**20

_memories: HashMap[uint256, uint256]


@internal
@view
def _recalled(underlying: uint256, held: uint256, mid: uint256) -> Memory:
    """
    @notice The memory with its means as of now.
    @param held The mid that has stood since.
    @param mid What to begin with where there is no memory.
    """
    packed: uint256 = self._memories[underlying]
    memory: Memory = Memory(
        fast=packed & price_word.MID_MAX,
        slow=(packed >> SLOW_AT) & price_word.MID_MAX,
        jumped_to=(packed >> JUMPED_TO_AT) & price_word.MID_MAX,
        updated_at=(packed >> UPDATED_AT) & price_word.TIME_MAX,
        reopened_at=(packed >> REOPENED_AT) & price_word.TIME_MAX,
        jumped_at=packed >> JUMPED_AT,
    )
    if memory.updated_at == 0:
        memory.fast = mid
        memory.slow = mid
    else:
        elapsed: uint256 = unsafe_sub(block.timestamp, memory.updated_at)
        memory.fast = self._mean(memory.fast, held, elapsed, FAST)
        memory.slow = self._mean(memory.slow, held, elapsed, SLOW)
    memory.updated_at = block.timestamp
    return memory


@internal
def _remember(underlying: uint256, memory: Memory):
    self._memories[underlying] = (
        memory.fast
        | (memory.slow << SLOW_AT)
        | (memory.jumped_to << JUMPED_TO_AT)
        | (memory.updated_at << UPDATED_AT)
        | (memory.reopened_at << REOPENED_AT)
        | (memory.jumped_at << JUMPED_AT)
    )


@internal
def _forget(underlying: uint256):
    self._memories[underlying] = 0


@internal
def _await_reopening(underlying: uint256):
    packed: uint256 = self._memories[underlying]
    self._memories[underlying] = packed & ~(price_word.TIME_MAX << REOPENED_AT) | (AWAITED << REOPENED_AT)


@internal
@pure
def _mean(mean: uint256, held: uint256, elapsed: uint256, period: uint256) -> uint256:
    """
    @notice What is left of the difference to `held` after x = elapsed / period is 1 / (1 + x + x^2 / 2) of it, rounded
            towards `held`: e^-x to the second order, and a little more of it later.
    @dev Unchecked: prices have 56 bits, times 32.
    """
    left: uint256 = unsafe_mul(2, unsafe_mul(period, period))
    of: uint256 = unsafe_add(left, unsafe_mul(elapsed, unsafe_add(unsafe_mul(2, period), elapsed)))
    if mean > held:
        return unsafe_add(held, unsafe_div(unsafe_mul(unsafe_sub(mean, held), left), of))
    return unsafe_sub(held, unsafe_div(unsafe_mul(unsafe_sub(held, mean), left), of))


@internal
@pure
def _judged(memory: Memory, mid: uint256, time: uint256, band: uint256) -> (bool, Memory):
    """
    @notice Whether a price is believed: it is within the band of the fast mean, or confirms a jump seen before.
    @param time unix seconds, of the observation.
    @param band bps; 0 for no guard.
    """
    judged: Memory = memory
    if band == 0 or price_word._is_within(mid, memory.fast, band):
        judged.jumped_to = 0
        return True, judged
    if memory.jumped_to == 0 or not price_word._is_within(mid, memory.jumped_to, band):
        judged.jumped_to = mid
        judged.jumped_at = time & JUMPED_MASK
        return False, judged
    # sources that joined since may have brought an older time, which confirms nothing
    if unsafe_sub(time, unsafe_add(memory.jumped_at, CONFIRMING)) & JUMPED_MASK > JUMPED_OLDER:
        return False, judged
    judged.jumped_to = 0
    judged.fast = mid
    return True, judged


@internal
@pure
def _reopened_at(reopened_at: uint256, time: uint256, was_shut: bool) -> uint256:
    """
    @notice Since when the underlying is reopening, after one more observation; 0 when it has reopened.
    @param time unix seconds, of the observation.
    """
    if was_shut or reopened_at == AWAITED:
        return time
    if reopened_at != 0 and time >= reopened_at + REOPENING:
        return 0
    return reopened_at


@internal
@pure
def _offset(slow: uint256, mid: uint256) -> int256:
    """
    @return bps, slow price over mid, less one, rounded towards nought.
    """
    if slow < mid:
        return -convert(unsafe_div(unsafe_mul(unsafe_sub(mid, slow), BPS), mid), int256)
    return convert(min(unsafe_div(unsafe_mul(unsafe_sub(slow, mid), BPS), mid), SLOW_MAX), int256)
