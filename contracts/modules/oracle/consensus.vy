# pragma version 0.4.3
"""
@title consensus
@license AGPL-3.0-only
@author Prime Perps
@notice One price from what up to three sources say. Their order does not matter, so nobody can choose among them.
"""
from . import observation
from . import price_word


struct Verdict:
    mid: uint256  # 8 decimals; 0 when nobody says anything
    time: uint256  # unix seconds, of the oldest observation
    confidence: uint256  # bps, the widest
    spread: uint256  # bps of mid, rounded up: half the range of those who agree, the whole gap of those who do not
    count: uint256
    agreed: bool


@internal
@pure
def _of(seen: DynArray[uint256, 3], tolerance: uint256) -> Verdict:
    """
    @notice One: as it is. Two: the mean. Three: the median, and one of the others that is further from it than the
            tolerance is left out of the range. Two that are further apart, or a median that stands alone, disagree.
    @param seen Observations.
    @param tolerance bps of the result.
    @dev Unchecked: mids have 56 bits and are not 0, bps 16.
    """
    verdict: Verdict = empty(Verdict)
    verdict.count = len(seen)
    verdict.time = max_value(uint256)
    low: uint256 = max_value(uint256)
    high: uint256 = 0
    total: uint256 = 0
    for one: uint256 in seen:
        mid: uint256 = one & price_word.MID_MAX
        low = min(low, mid)
        high = max(high, mid)
        total = unsafe_add(total, mid)
        verdict.time = min(verdict.time, observation._time(one))
        verdict.confidence = max(verdict.confidence, observation._confidence(one))
    if verdict.count == 0:
        return verdict

    gap: uint256 = unsafe_sub(high, low)
    if verdict.count == 3:
        verdict.mid = unsafe_sub(unsafe_sub(total, low), high)
        gap = min(unsafe_sub(verdict.mid, low), unsafe_sub(high, verdict.mid))
    else:
        verdict.mid = unsafe_div(total, verdict.count)
    allowed: uint256 = unsafe_div(unsafe_mul(verdict.mid, tolerance), price_word.FULL_WIDTH)
    verdict.agreed = gap <= allowed
    # half of a range is a range of twice the mid
    per: uint256 = verdict.mid
    if verdict.agreed:
        per = unsafe_mul(2, per)
        if verdict.count == 3:
            if unsafe_sub(verdict.mid, low) > allowed:
                low = verdict.mid
            if unsafe_sub(high, verdict.mid) > allowed:
                high = verdict.mid
        gap = unsafe_sub(high, low)
    verdict.spread = unsafe_div(unsafe_add(unsafe_mul(gap, price_word.FULL_WIDTH), unsafe_sub(per, 1)), per)
    return verdict
