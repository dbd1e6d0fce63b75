# pragma version 0.4.3
# pragma nonreentrancy on
"""
@title IssuanceHours
@license AGPL-3.0-only
@author Prime Perps
@notice Stands in for the issuer's week: shut from Friday 20:00 to Sunday 20:00 in New York, which is Saturday and
        Sunday on a clock four hours ahead of New York's. That clock is UTC in summer and an hour behind it in winter,
        and nobody but the administrator turns it: set for the wrong season, the week ends an hour early or late.
        As in the original there are no holidays and no hours of the day.
"""
from contracts.interfaces import IIssuanceHours
from snekmate.auth import ownable

implements: IIssuanceHours

initializes: ownable


exports: (
    ownable.owner,
    ownable.transfer_ownership,
)


event SetTimezoneOffset:
    prevTimezoneOffset: int256
    newTimezoneOffset: int256


DAY: constant(uint256) = 86_400
HOUR: constant(int256) = 3_600
# Unix time began on a Thursday.
EPOCH_WEEKDAY: constant(uint256) = 3
SATURDAY: constant(uint256) = 5


timezoneOffset: public(int256)  # seconds ahead of UTC of the clock whose weekend it is


@deploy
def __init__(offset: int256):
    ownable.__init__()
    self._set(offset)


@view
@external
def checkIsValidHours():
    """
    @dev Reverts: "issuer: closed".
    """
    local: uint256 = convert(convert(block.timestamp, int256) + self.timezoneOffset, uint256)
    assert (local // DAY + EPOCH_WEEKDAY) % 7 < SATURDAY, "issuer: closed"


@external
def set_timezone_offset(offset: int256):
    """
    @notice Owner only. Reverts: "issuer: bad offset" outside 12 hours behind UTC to 14 ahead of it.
    @param offset Seconds; 0 while New York has summer time, -3,600 else.
    """
    ownable._check_owner()
    self._set(offset)


@internal
def _set(offset: int256):
    assert -12 * HOUR <= offset and offset <= 14 * HOUR, "issuer: bad offset"
    log SetTimezoneOffset(prevTimezoneOffset=self.timezoneOffset, newTimezoneOffset=offset)
    self.timezoneOffset = offset
