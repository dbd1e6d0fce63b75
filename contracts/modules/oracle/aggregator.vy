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


# round, answer, started at, updated at, round of the answer
ROUND_WORDS: constant(uint256) = 5


@internal
@view
def _pull(feed: IOracleAdapter.Feed, not_before: uint256) -> uint256:
    """
    @notice The feed's answer as of now: until its heartbeat is over, a feed that has nothing to say vouches for its
            last answer within its deviation threshold. Mid is rounded down.
    @param not_before unix seconds; an answer updated earlier is dropped.
    @return An observation; 0 for a feed that gave nothing usable.
    """
    answered: bool = False
    said: uint256[outside_call.WORDS] = empty(uint256[outside_call.WORDS])
    answered, said = outside_call._ask(feed.aggregator, method_id("latestRoundData()"), ROUND_WORDS)
    updated_at: uint256 = said[3]
    if not answered or updated_at > block.timestamp or unsafe_sub(block.timestamp, updated_at) > feed.heartbeat:
        return 0
    # an answer below zero is one too large
    return observation._stated(said[1], feed.decimals, feed.confidence, block.timestamp, updated_at, not_before)
