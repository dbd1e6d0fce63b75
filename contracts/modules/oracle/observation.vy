# pragma version 0.4.3
"""
@title observation
@license AGPL-3.0-only
@author Prime Perps
@notice What one source said last about an underlying, in one word; 0 is nothing.

        Packed from the low bit up: mid 56, confidence 16 (bps of mid), time 32 (as of when the price is vouched for),
        stated_at 32 (the source's own time of it, which never goes back), session 3 (of a report; other sources know of
        none), multiplier 80 (wad, which a report has counted with).
"""
from . import price_word


CONFIDENCE_AT: constant(uint256) = 56
TIME_AT: constant(uint256) = 72
STATED_AT: constant(uint256) = 104
SESSION_AT: constant(uint256) = 136
MULTIPLIER_AT: constant(uint256) = 139

DECIMALS_MAX: constant(uint256) = 18
MID_DECIMALS: constant(uint256) = 8
NUMBER_MAX: constant(uint256) = price_word.MID_MAX * 10 ** (DECIMALS_MAX - MID_DECIMALS)


@internal
@pure
def _pack(mid: uint256, confidence: uint256, time: uint256, stated_at: uint256, session: uint256) -> uint256:
    """
    @dev Fields must be in range; each source checks them where they enter.
    """
    return (
        mid
        | (confidence << CONFIDENCE_AT)
        | (time << TIME_AT)
        | (stated_at << STATED_AT)
        | (session << SESSION_AT)
    )


@internal
@view
def _stated(
    number: uint256, decimals: uint256, confidence: uint256, time: uint256, stated_at: uint256, not_before: uint256
) -> uint256:
    """
    @notice What a push feed has said as an observation, its mid rounded down; 0 if it cannot be one.
    @param number USD in 10^-decimals.
    """
    if number > NUMBER_MAX or decimals > DECIMALS_MAX or stated_at < not_before or stated_at > block.timestamp:
        return 0
    mid: uint256 = number * 10**MID_DECIMALS // 10**decimals
    if mid == 0 or mid > price_word.MID_MAX:
        return 0
    return self._pack(mid, confidence, time, stated_at, 0)


@internal
@pure
def _confidence(packed: uint256) -> uint256:
    return (packed >> CONFIDENCE_AT) & price_word.BPS_MASK


@internal
@pure
def _time(packed: uint256) -> uint256:
    return (packed >> TIME_AT) & price_word.TIME_MAX


@internal
@pure
def _stated_at(packed: uint256) -> uint256:
    return (packed >> STATED_AT) & price_word.TIME_MAX


@internal
@pure
def _session(packed: uint256) -> uint256:
    return (packed >> SESSION_AT) & price_word.SESSION_MASK


@internal
@pure
def _multiplier(packed: uint256) -> uint256:
    return packed >> MULTIPLIER_AT
