# pragma version 0.4.3
"""
@title outside_call
@license AGPL-3.0-only
@author Prime Perps
@notice Questions to contracts that nobody here wrote: whatever they do, the caller goes on, and nobody who sends the
        transaction can make a healthy one look broken.
"""


# A proxy in front of a deep aggregator takes about 30,000 cold.
PROMISED_GAS: constant(uint256) = 100_000
# The EVM keeps back one 64th of the gas at a call and silently shrinks what is passed on to the rest. Asking for this
# much beforehand leaves room for the 64th, the cold address and the way there.
NEEDED_GAS: constant(uint256) = PROMISED_GAS + PROMISED_GAS // 63 + 5_000

QUESTION_SIZE: constant(uint256) = 36
WORDS: constant(uint256) = 5


@internal
@view
def _check_gas():
    """
    @dev Without it the sender could choose a gas limit at which a healthy feed runs dry and looks broken.
    """
    assert msg.gas >= NEEDED_GAS, "oracle: too little gas"


@internal
@view
def _ask(target: address, question: Bytes[QUESTION_SIZE], least: uint256) -> (bool, uint256[WORDS]):
    """
    @param least words that an answer has.
    @return Whether there is one, and its first five words as they are: decoding would revert on one that does not fit
            its type.
    """
    self._check_gas()
    success: bool = False
    answer: Bytes[32 * WORDS] = b""
    success, answer = raw_call(
        target,
        question,
        max_outsize=32 * WORDS,
        gas=PROMISED_GAS,
        is_static_call=True,
        revert_on_failure=False,
    )
    words: uint256[WORDS] = empty(uint256[WORDS])
    for place: uint256 in range(WORDS):
        if len(answer) < unsafe_mul(32, unsafe_add(place, 1)):
            break
        words[place] = extract32(answer, unsafe_mul(32, place), output_type=uint256)
    return success and len(answer) >= unsafe_mul(32, least), words
