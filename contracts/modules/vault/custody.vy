# pragma version 0.4.3
"""
@title custody
@license AGPL-3.0-only
@author Prime Perps
@notice Moves tokens in and out of this contract and believes no token about it: what counts is the change of balance. A
        token that returns nothing is accepted, one that returns `false` is refused, one that reverts is heard with its
        own reason. An address without code is refused by every call.
"""
from ethereum.ercs import IERC20
from . import token_probe


@internal
def _pull(token: address, owner: address, amount: uint256, booked: uint256):
    """
    @notice Take exactly `amount` from the owner, who has approved this contract.
    @param booked What this contract owes before. New money is refused while the balance does not cover it: the
           depositor would share a loss (a seizure, a negative rebase) that happened before.
    """
    before: uint256 = self._balance(token)
    self._check_solvent(before, booked)
    self._check_moved(extcall IERC20(token).transferFrom(owner, self, amount, default_return_value=True))
    expected: uint256 = before + amount
    after: uint256 = self._balance(token)
    self._check_no_fee(after >= expected)
    token_probe._check_steady(after <= expected)


@internal
def _push(token: address, receiver: address, amount: uint256):
    """
    @notice Send exactly `amount` to the receiver. What the receiver gets of it is between it and the token; what leaves
            here is not.
    """
    before: uint256 = self._balance(token)
    self._check_covered(amount, before)
    self._check_moved(extcall IERC20(token).transfer(receiver, amount, default_return_value=True))
    expected: uint256 = before - amount
    after: uint256 = self._balance(token)
    self._check_no_fee(after >= expected)
    self._check_moved(after <= expected)


@internal
@view
def _balance(token: address) -> uint256:
    return staticcall IERC20(token).balanceOf(self)


@internal
@pure
def _check_solvent(balance: uint256, booked: uint256):
    assert balance >= booked, "vault: balance below book"


@internal
@pure
def _check_covered(amount: uint256, held: uint256):
    assert amount <= held, "vault: not enough in safe"


@internal
@pure
def _check_no_fee(whole: bool):
    assert whole, "vault: fee on transfer"


@internal
@pure
def _check_moved(moved: bool):
    assert moved, "vault: transfer failed"
