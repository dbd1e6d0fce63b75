# pragma version 0.4.3
"""
@title session_limits
@license AGPL-3.0-only
@author Prime Perps
@notice What each session allows: how old a price may be before it widens, how fast it widens then, how narrow it may
        ever be, and how uncertain its sources. Set once at deployment and kept in code, so reading them costs no
        storage.

        Packed, eight lanes of 32 bits. Lane s < 7, session s: age 20 bits, floor 12 bits.
        Lane 7: growth 16 bits, report age 16 bits. Beside it the doubt of a shut exchange, and the tolerances, seven
        lanes of 16 bits.
"""
from contracts.interfaces import IOracleAdapter

from . import price_word


LANE_BITS: constant(uint256) = 32
AGE_BITS: constant(uint256) = 20
AGE_MAX: constant(uint256) = 2**20 - 1
FLOOR_MAX: constant(uint256) = 2**12 - 1
GROWTH_AT: constant(uint256) = 224
GROWTH_MAX: constant(uint256) = price_word.FULL_WIDTH
REPORT_AGE_AT: constant(uint256) = 240
REPORT_AGE_MAX: constant(uint256) = 2**16 - 1
MASK_16: constant(uint256) = 2**16 - 1
TOLERANCE_BITS: constant(uint256) = 16
SESSIONS: constant(uint256) = 7
MINUTE: constant(uint256) = 60

_PACKED: immutable(uint256)
_SHUT: immutable(uint256)
_TOLERANCES: immutable(uint256)


@deploy
def __init__(limits: IOracleAdapter.Limits):
    self._check_limits(limits)
    _PACKED = self._pack(limits)
    _SHUT = limits.shut
    tolerances: uint256 = 0
    for session: uint256 in range(SESSIONS):
        tolerances |= limits.tolerance[session] << (session * TOLERANCE_BITS)
    _TOLERANCES = tolerances


@internal
@pure
def _check_limits(limits: IOracleAdapter.Limits):
    # Growth of zero would leave a word never written, whose width is all age, without width.
    sound: bool = 0 < limits.growth and limits.growth <= GROWTH_MAX
    sound = sound and 0 < limits.report_age and limits.report_age <= REPORT_AGE_MAX
    sound = sound and limits.shut <= price_word.FULL_WIDTH
    for session: uint256 in range(SESSIONS):
        sound = sound and limits.age[session] <= AGE_MAX and limits.floor[session] <= FLOOR_MAX
        sound = sound and limits.tolerance[session] <= price_word.FULL_WIDTH
    assert sound, "oracle: bad limits"


@internal
@pure
def _pack(limits: IOracleAdapter.Limits) -> uint256:
    packed: uint256 = (limits.growth << GROWTH_AT) | (limits.report_age << REPORT_AGE_AT)
    for session: uint256 in range(SESSIONS):
        packed |= (limits.age[session] | (limits.floor[session] << AGE_BITS)) << (session * LANE_BITS)
    return packed


@internal
@view
def _unpack() -> IOracleAdapter.Limits:
    limits: IOracleAdapter.Limits = empty(IOracleAdapter.Limits)
    for session: uint256 in range(SESSIONS):
        limits.age[session] = self._age(session)
        limits.floor[session] = self._floor(session)
        limits.tolerance[session] = self._tolerance(session)
    limits.growth = (_PACKED >> GROWTH_AT) & MASK_16
    limits.report_age = _PACKED >> REPORT_AGE_AT
    limits.shut = _SHUT
    return limits


@internal
@view
def _age(session: uint256) -> uint256:
    return (_PACKED >> (session * LANE_BITS)) & AGE_MAX


@internal
@view
def _report_age(session: uint256) -> uint256:
    """
    @return seconds, the age up to which a report may be submitted: one that would be stale at once is of no use, and a
            choice of old reports is a choice of prices.
    """
    return min(self._age(session), _PACKED >> REPORT_AGE_AT)


@internal
@view
def _floor(session: uint256) -> uint256:
    return (_PACKED >> (session * LANE_BITS + AGE_BITS)) & FLOOR_MAX


@internal
@view
def _tolerance(session: uint256) -> uint256:
    """
    @return bps, the widest confidence of a price, and the furthest that two may be apart and still agree.
    """
    return (_TOLERANCES >> (session * TOLERANCE_BITS)) & MASK_16


@internal
@view
def _shut() -> uint256:
    return _SHUT


@internal
@view
def _half_width(confidence: uint256, session: uint256) -> uint256:
    """
    @return bps, twice the confidence, between the session's floor and the whole price.
    """
    return min(max(2 * confidence, self._floor(session)), price_word.FULL_WIDTH)


@internal
@view
def _doubted(stored: uint256, fresh_until: uint256, frozen: bool) -> uint256:
    """
    @notice A word whose price may no longer be the world's: past its session's age limit by the age beyond it, rounded
            up, and while nobody can trade at it by at least the doubt of a shut exchange. The half-width grows by the
            doubt.
    @param fresh_until unix seconds.
    @dev Unchecked, as every margin check pays for it: the block's time has 32 bits, growth 16, and a stored half-width
         is at most FULL_WIDTH, so nothing can wrap and the sum stays inside its field.
         A word never written has time 0, which makes it as wide as can be without a special case.
    """
    doubt: uint256 = _SHUT if frozen else 0
    if block.timestamp > fresh_until:
        growth: uint256 = unsafe_mul(unsafe_sub(block.timestamp, fresh_until), (_PACKED >> GROWTH_AT) & MASK_16)
        doubt = max(doubt, unsafe_add(growth, MINUTE - 1) // MINUTE)
    half_width: uint256 = (stored >> price_word.HALF_WIDTH_AT) & price_word.BPS_MASK
    doubt = min(doubt, unsafe_sub(price_word.FULL_WIDTH, half_width))
    return unsafe_add(stored, (doubt << price_word.HALF_WIDTH_AT) | (doubt << price_word.DOUBT_AT))
