# pragma version 0.4.3
"""
@title aggregator
@license AGPL-3.0-only
@author Prime Perps
@notice Answers of AggregatorV3 feeds, bounded: whatever the feed does, the pull returns.
"""
from contracts.interfaces import IOracleAdapter

from . import observation
from . import outside_call
from . import price_word


ROUND_SIZE: constant(uint256) = 160
DECIMALS_MAX: constant(uint256) = 18
MID_DECIMALS: constant(uint256) = 8
ANSWER_MAX: constant(uint256) = price_word.MID_MAX * 10 ** (DECIMALS_MAX - MID_DECIMALS)


@internal
@view
def _pull(feed: IOracleAdapter.Feed, not_before: uint256) -> observation.Observation:
    """
    @notice The feed's answer as of now: until its heartbeat is over, a feed that has nothing to say vouches for its
            last answer within its deviation threshold. Mid is rounded down.
    @param not_before unix seconds; an answer updated earlier is dropped.
    @return An observation with mid 0 for a feed that gave nothing usable.
    """
    nothing: observation.Observation = empty(observation.Observation)
    response: Bytes[outside_call.ANSWER_SIZE] = outside_call._ask(feed.aggregator, method_id("latestRoundData()"))
    if len(response) < ROUND_SIZE:
        return nothing

    answer: int256 = extract32(response, 32, output_type=int256)
    updated_at: uint256 = extract32(response, 96, output_type=uint256)
    if answer <= 0 or answer > convert(ANSWER_MAX, int256):
        return nothing
    if updated_at < not_before or updated_at > block.timestamp or block.timestamp - updated_at > feed.heartbeat:
        return nothing

    mid: uint256 = convert(answer, uint256) * 10**MID_DECIMALS // 10**feed.decimals
    if mid > price_word.MID_MAX:
        return nothing
    return observation.Observation(
        mid=mid, confidence=feed.confidence, time=block.timestamp, stated_at=updated_at, session=0
    )
