# pragma version 0.4.3
"""
@title odd_feed
@license AGPL-3.0-only
@author Prime Perps
@notice A feed that answers, or reverts with, any bytes after burning any gas: what a stand-in with a declared return
        type cannot do.
"""

decimals: public(constant(uint8)) = 8

_answer: Bytes[4_096]
_burn: uint256
_reverts: bool


@external
def set_answer(answer: Bytes[4_096], burn: uint256, reverts: bool):
    self._answer = answer
    self._burn = burn
    self._reverts = reverts


@external
@view
@raw_return
def latestRoundData() -> Bytes[4_096]:
    stop: uint256 = msg.gas - self._burn
    for _: uint256 in range(100_000):
        if msg.gas <= stop:
            break
    if self._reverts:
        raw_revert(self._answer)
    return self._answer
