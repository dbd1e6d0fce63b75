# pragma version 0.4.3
# pragma nonreentrancy on
"""
@title Operators
@license AGPL-3.0-only
@author Prime Perps
@notice Who may act for an account beside its owner. The clearinghouse and whoever it trusts ask here.

        Trust: nobody. Only an account's owner writes about it, and nothing here moves anything.
@custom:kill None: an owner takes a permission back at once, and each expires.
"""
from contracts.interfaces import IOperators
from .modules.clearing import accounts

implements: IOperators


PERMISSIONS: constant(uint256) = 15
EXPIRY_OFFSET: constant(uint256) = 8

# permissions in the low 8 bits, expiry above
_grants: HashMap[uint256, HashMap[address, uint256]]


@external
def set_operator(account: uint256, operator: address, permissions: uint256, expiry: uint256):
    accounts._check_owner(account)
    assert operator != empty(address), "accounts: bad operator"
    assert permissions <= PERMISSIONS and expiry < 2**64, "accounts: bad permissions"
    self._grants[account][operator] = permissions | (expiry << EXPIRY_OFFSET)
    log IOperators.OperatorSet(account=account, operator=operator, permissions=permissions, expiry=expiry)


@external
@view
def operator(account: uint256, operator: address) -> (uint256, uint256):
    return self._grant(account, operator)


@external
@view
def is_authorized(account: uint256, sender: address, permission: uint256) -> bool:
    if sender == accounts._owner(account):
        return True
    permissions: uint256 = 0
    expiry: uint256 = 0
    permissions, expiry = self._grant(account, sender)
    return permissions & permission == permission and block.timestamp <= expiry and permission != 0


@internal
@view
def _grant(account: uint256, operator: address) -> (uint256, uint256):
    grant: uint256 = self._grants[account][operator]
    return grant & PERMISSIONS, grant >> EXPIRY_OFFSET
