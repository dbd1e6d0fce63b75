# pragma version 0.4.3
"""
@title observation
@license AGPL-3.0-only
@author Prime Perps
@notice What one source said last about an underlying, in one storage word.

        Packed from the low bit up: mid 56, confidence 16, time 32, stated_at 32, session 3.
"""
from . import price_word


struct Observation:
    mid: uint256  # 8 decimals
    confidence: uint256  # bps of mid
    time: uint256  # unix seconds, as of when the price is vouched for
    stated_at: uint256  # unix seconds, the source's own time of it; never goes back
    session: uint256  # of a report; other sources know of none


CONFIDENCE_AT: constant(uint256) = 56
TIME_AT: constant(uint256) = 72
STATED_AT: constant(uint256) = 104
SESSION_AT: constant(uint256) = 136


@internal
@pure
def _pack(seen: Observation) -> uint256:
    """
    @dev Fields must be in range; each source checks them where they enter.
    """
    return (
        seen.mid
        | (seen.confidence << CONFIDENCE_AT)
        | (seen.time << TIME_AT)
        | (seen.stated_at << STATED_AT)
        | (seen.session << SESSION_AT)
    )


@internal
@pure
def _unpack(packed: uint256) -> Observation:
    return Observation(
        mid=packed & price_word.MID_MAX,
        confidence=(packed >> CONFIDENCE_AT) & price_word.BPS_MASK,
        time=(packed >> TIME_AT) & price_word.TIME_MAX,
        stated_at=(packed >> STATED_AT) & price_word.TIME_MAX,
        session=packed >> SESSION_AT,
    )
