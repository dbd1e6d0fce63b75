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
ANSWER_SIZE: constant(uint256) = 160


@internal
@view
def _check_gas():
    """
    @dev Without it the sender could choose a gas limit at which a healthy feed runs dry and looks broken.
    """
    assert msg.gas >= NEEDED_GAS, "oracle: too little gas"


@internal
@view
def _ask(target: address, question: Bytes[QUESTION_SIZE]) -> Bytes[ANSWER_SIZE]:
    """
    @return What the target answered, cut at ANSWER_SIZE; nothing if it failed. Fields are then to be read one by one:
            decoding them would revert on one that does not fit its type.
    """
    self._check_gas()
    success: bool = False
    answer: Bytes[ANSWER_SIZE] = b""
    success, answer = raw_call(
        target,
        question,
        max_outsize=ANSWER_SIZE,
        gas=PROMISED_GAS,
        is_static_call=True,
        revert_on_failure=False,
    )
    return answer if success else b""
