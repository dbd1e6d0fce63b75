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
def _of(seen: DynArray[observation.Observation, 3], tolerance: uint256) -> Verdict:
    """
    @notice One: as it is. Two: the mean. Three: the median, and one of the others that is further from it than the
            tolerance is left out of the range. Two that are further apart, or a median that stands alone, disagree.
    @param tolerance bps of the result.
    """
    verdict: Verdict = empty(Verdict)
    verdict.count = len(seen)
    verdict.time = max_value(uint256)
    low: uint256 = max_value(uint256)
    high: uint256 = 0
    total: uint256 = 0
    for one: observation.Observation in seen:
        low = min(low, one.mid)
        high = max(high, one.mid)
        total += one.mid
        verdict.time = min(verdict.time, one.time)
        verdict.confidence = max(verdict.confidence, one.confidence)
    if verdict.count == 0:
        return verdict

    gap: uint256 = high - low
    if verdict.count == 3:
        verdict.mid = total - low - high
        gap = min(verdict.mid - low, high - verdict.mid)
    else:
        verdict.mid = total // verdict.count
    allowed: uint256 = verdict.mid * tolerance // price_word.FULL_WIDTH
    verdict.agreed = gap <= allowed
    # half of a range is a range of twice the mid
    per: uint256 = verdict.mid
    if verdict.agreed:
        per = 2 * verdict.mid
        if verdict.count == 3:
            if verdict.mid - low > allowed:
                low = verdict.mid
            if high - verdict.mid > allowed:
                high = verdict.mid
        gap = high - low
    verdict.spread = (gap * price_word.FULL_WIDTH + per - 1) // per
    return verdict
