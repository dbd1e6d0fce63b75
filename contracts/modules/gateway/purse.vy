# pragma version 0.4.3
"""
@title purse
@license AGPL-3.0-only
@author Prime Perps
@notice What this contract holds of a token for the length of a call, as changes of its balance since the call began,
        and what it lets others take: an amount, and nothing any more afterwards.
"""
from ethereum.ercs import IERC20


@internal
@view
def _balance(token: address) -> uint256:
    return staticcall IERC20(token).balanceOf(self)


@internal
@view
def _gained(token: address, before: uint256) -> uint256:
    """
    @notice What has come since the balance was `before`. What lay here then was nobody's to spend.
    """
    after: uint256 = self._balance(token)
    assert before <= after, "gateway: balance fell"
    return after - before


@internal
def _allow(token: address, spender: address, amount: uint256):
    assert extcall IERC20(token).approve(spender, amount, default_return_value=True), "gateway: approval refused"


@internal
def _send(token: address, receiver: address, amount: uint256):
    assert extcall IERC20(token).transfer(receiver, amount, default_return_value=True), "gateway: transfer failed"
