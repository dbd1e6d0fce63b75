# pragma version 0.4.3
"""
@title aggregator
@license AGPL-3.0-only
@author Prime Perps
@notice Answers of AggregatorV3 feeds, bounded: whatever the feed does, the pull returns.
"""
from contracts.interfaces import IAggregatorV3
from contracts.interfaces import IOracleAdapter

from . import feed_word
from . import price_word


# A proxy in front of a deep aggregator takes about 30,000 cold.
FEED_GAS: constant(uint256) = 100_000
# The EVM keeps back one 64th of the gas at a call and silently shrinks what is passed on to the rest. Asking for this
# much beforehand leaves room for the 64th, the cold address and the way there.
FEED_GAS_NEEDED: constant(uint256) = FEED_GAS + FEED_GAS // 63 + 5_000

ANSWER_SIZE: constant(uint256) = 160
DECIMALS_MAX: constant(uint256) = 18
MID_DECIMALS: constant(uint256) = 8
ANSWER_MAX: constant(uint256) = price_word.MID_MAX * 10 ** (DECIMALS_MAX - MID_DECIMALS)


@internal
@view
def _check_feed(feed: IOracleAdapter.Feed):
    """
    @dev A session other than unknown or always open would let a feed, which does not know it, state that the exchange
         is open or shut.
    """
    sound: bool = False
    if feed.source == feed_word.AGGREGATOR:
        sound = (
            feed.aggregator.is_contract
            and feed.decimals <= DECIMALS_MAX
            and 0 < feed.heartbeat and feed.heartbeat <= feed_word.HEARTBEAT_MAX
            and feed.confidence <= price_word.FULL_WIDTH
            and (feed.session == price_word.SESSION_UNKNOWN or feed.session == price_word.SESSION_ALWAYS_OPEN)
        )
        if sound:
            decimals: uint8 = staticcall IAggregatorV3(feed.aggregator).decimals()
            sound = convert(decimals, uint256) == feed.decimals
    elif feed.source <= feed_word.REPORTS:
        rest: uint256 = feed.decimals | feed.heartbeat | feed.confidence | feed.session
        sound = feed.aggregator == empty(address) and rest == 0
    assert sound, "oracle: bad feed"


@internal
@view
def _check_feed_gas():
    """
    @dev Without it the sender could choose a gas limit at which a healthy feed runs dry and looks broken.
    """
    assert msg.gas >= FEED_GAS_NEEDED, "oracle: too little gas"


@internal
@view
def _pull(feed: IOracleAdapter.Feed, not_before: uint256) -> (uint256, uint256):
    """
    @notice The feed's answer as a mid and the feed's own time of it.
    @param not_before unix seconds; an answer updated earlier is dropped.
    @return (mid, updated at), zeros for a feed that gave nothing usable. Mid is rounded down.
    @dev Fields are read one by one: decoding the tuple would revert on a round id or a time that does not fit.
    """
    self._check_feed_gas()
    success: bool = False
    response: Bytes[ANSWER_SIZE] = b""
    success, response = raw_call(
        feed.aggregator,
        method_id("latestRoundData()"),
        max_outsize=ANSWER_SIZE,
        gas=FEED_GAS,
        is_static_call=True,
        revert_on_failure=False,
    )
    if not success or len(response) < ANSWER_SIZE:
        return 0, 0

    answer: int256 = extract32(response, 32, output_type=int256)
    updated_at: uint256 = extract32(response, 96, output_type=uint256)
    if answer <= 0 or answer > convert(ANSWER_MAX, int256):
        return 0, 0
    if updated_at < not_before or updated_at > block.timestamp or block.timestamp - updated_at > feed.heartbeat:
        return 0, 0

    mid: uint256 = convert(answer, uint256) * 10**MID_DECIMALS // 10**feed.decimals
    if mid > price_word.MID_MAX:
        return 0, 0
    return mid, updated_at
