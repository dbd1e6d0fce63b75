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


# price, confidence, exponent, published at
PRICE_WORDS: constant(uint256) = 4
CONFIDENCE_MAX: constant(uint256) = 2**64 - 1


@internal
@view
def _pull(feed: IOracleAdapter.Feed, not_before: uint256) -> uint256:
    """
    @notice The price Pyth holds, as of when it was published. Mid is rounded down, confidence up.
    @param not_before unix seconds; a price published earlier is dropped.
    @return An observation; 0 for a price that is nothing usable.
    """
    answered: bool = False
    said: uint256[outside_call.WORDS] = empty(uint256[outside_call.WORDS])
    question: Bytes[outside_call.QUESTION_SIZE] = concat(method_id("getPriceUnsafe(bytes32)"), feed.price_id)
    answered, said = outside_call._ask(feed.pyth, question, PRICE_WORDS)
    price: uint256 = said[0]
    if not answered or price == 0 or said[1] > CONFIDENCE_MAX:
        return 0
    wide: uint256 = min(
        unsafe_div(unsafe_add(unsafe_mul(said[1], price_word.FULL_WIDTH), unsafe_sub(price, 1)), price),
        price_word.FULL_WIDTH,
    )
    # a price below zero is one too large, an exponent above zero one of too many decimals
    return observation._stated(price, unsafe_sub(0, said[2]), wide, said[3], said[3], not_before)
