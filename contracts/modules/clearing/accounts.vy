# pragma version 0.4.3
"""
@title accounts
@license AGPL-3.0-only
@author Prime Perps
@notice Whose an account is, which its number tells, and who may act for it, which the owner alone needs no call for.
"""
from contracts.interfaces import IOperators


TRADE: constant(uint256) = 1
DEPOSIT: constant(uint256) = 2
WITHDRAW: constant(uint256) = 4
LIQUIDATE: constant(uint256) = 8

OWNER_OFFSET: constant(uint256) = 96


@internal
@pure
def _owner(account: uint256) -> address:
    return convert(account >> OWNER_OFFSET, address)


@internal
@view
def _check_owner(account: uint256):
    assert msg.sender == self._owner(account), "accounts: owner only"


@internal
@view
def _check_authorized(operators: address, account: uint256, sender: address, permission: uint256):
    assert sender == self._owner(account) or staticcall IOperators(operators).is_authorized(
        account, sender, permission
    ), "accounts: not authorized"
