# pragma version 0.4.3
"""
@title pyth
@license AGPL-3.0-only
@author Prime Perps
@notice Prices of a Pyth contract, bounded: whatever it does, the pull returns. They are read only; whoever wants a
        newer one brings it there and pays Pyth's fee.
"""
from contracts.interfaces import IOracleAdapter

from . import observation
from . import outside_call
from . import price_word


PRICE_SIZE: constant(uint256) = 128
EXPONENT_MIN: constant(int256) = -18
MID_DECIMALS: constant(uint256) = 8
PRICE_MAX: constant(int256) = 2**63 - 1
CONFIDENCE_MAX: constant(uint256) = 2**64 - 1


@internal
@view
def _pull(feed: IOracleAdapter.Feed, not_before: uint256) -> observation.Observation:
    """
    @notice The price Pyth holds, as of when it was published. Mid is rounded down, confidence up.
    @param not_before unix seconds; a price published earlier is dropped.
    @return An observation with mid 0 for a price that is nothing usable.
    """
    nothing: observation.Observation = empty(observation.Observation)
    question: Bytes[outside_call.QUESTION_SIZE] = concat(method_id("getPriceUnsafe(bytes32)"), feed.price_id)
    response: Bytes[outside_call.ANSWER_SIZE] = outside_call._ask(feed.pyth, question)
    if len(response) < PRICE_SIZE:
        return nothing

    price: int256 = extract32(response, 0, output_type=int256)
    confidence: uint256 = extract32(response, 32, output_type=uint256)
    exponent: int256 = extract32(response, 64, output_type=int256)
    published_at: uint256 = extract32(response, 96, output_type=uint256)
    if price <= 0 or price > PRICE_MAX or confidence > CONFIDENCE_MAX:
        return nothing
    if exponent < EXPONENT_MIN or exponent > 0 or published_at < not_before or published_at > block.timestamp:
        return nothing

    digits: uint256 = convert(price, uint256)
    mid: uint256 = digits * 10**MID_DECIMALS // 10 ** convert(-exponent, uint256)
    if mid > price_word.MID_MAX:
        return nothing
    return observation.Observation(
        mid=mid,
        confidence=min((confidence * price_word.FULL_WIDTH + digits - 1) // digits, price_word.FULL_WIDTH),
        time=published_at,
        stated_at=published_at,
        session=0,
    )
