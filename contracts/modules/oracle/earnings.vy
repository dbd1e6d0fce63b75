# pragma version 0.4.3
"""
@title earnings
@license AGPL-3.0-only
@author Prime Perps
@notice When an underlying's price may jump beyond its usual moves: earnings nights. One event at a time, four
        underlyings to a slot, each a lane of 64 bits: start 32 bits, end 32 bits.

        An event comes as a closure does: initial margin sees all of it from a day before, maintenance margin by a ramp
        over the last two hours. So the clock liquidates nobody.
"""
from contracts.interfaces import IOracleAdapter

from . import calendar
from . import price_word


LANE_MASK: constant(uint256) = 2**64 - 1
END_AT: constant(uint256) = 32

AHEAD_MAX: constant(uint256) = 8 * calendar.DAY
# Initial margin alone.
IN_SIGHT: constant(uint256) = 1
FLAG: constant(uint256) = price_word.EVENTFUL << price_word.FLAGS_AT

_events: HashMap[uint256, uint256]


@internal
@view
def _lane(underlying: uint256) -> uint256:
    return (self._events[underlying >> 2] >> self._lane_at(underlying)) & LANE_MASK


@internal
def _store(underlying: uint256, start: uint256, end: uint256):
    others: uint256 = self._events[underlying >> 2] & ~(LANE_MASK << self._lane_at(underlying))
    self._events[underlying >> 2] = others | ((start | (end << END_AT)) << self._lane_at(underlying))
    log IOracleAdapter.EventSet(underlying=underlying, start=start, end=end)


@internal
@pure
def _lane_at(underlying: uint256) -> uint256:
    return unsafe_mul(underlying & 3, 64)


@internal
@view
def _told(word: uint256, underlying: uint256) -> uint256:
    """
    @notice A flagged word with how far its event has come, or without the flag if it is not in sight.
    @dev Few variables, as the memory of every margin check begins after them.
    """
    lane: uint256 = self._events[underlying >> 2] >> unsafe_mul(underlying & 3, 64)
    start: uint256 = lane & price_word.TIME_MAX
    if (lane >> END_AT) & price_word.TIME_MAX <= block.timestamp:
        return word & ~FLAG
    if unsafe_add(block.timestamp, calendar.LOOK_AHEAD) < start:
        return word & ~FLAG
    if start <= block.timestamp:
        return word | (price_word.FULL_WIDTH << price_word.EVENTFUL_AT)
    # the time left, of which the ramp takes the last part
    left: uint256 = min(unsafe_sub(start, block.timestamp), calendar.RAMP)
    left = unsafe_div(unsafe_mul(left, price_word.FULL_WIDTH), calendar.RAMP)
    return word | (max(unsafe_sub(price_word.FULL_WIDTH, left), IN_SIGHT) << price_word.EVENTFUL_AT)


@internal
@view
def _is_over(underlying: uint256) -> bool:
    return self._lane(underlying) >> END_AT <= block.timestamp


@internal
@view
def _check_event(underlying: uint256, start: uint256, end: uint256):
    """
    @dev A ramp that had to begin in its middle would be a jump. One that is posted is not to be cut short.
    """
    assert (
        self._is_over(underlying)
        and start >= unsafe_add(block.timestamp, calendar.RAMP)
        and start <= unsafe_add(block.timestamp, AHEAD_MAX)
        and end > start
        and end <= unsafe_add(start, calendar.LONGEST)
    ), "oracle: bad event"
