# pragma version 0.4.3
"""
@title accounts
@license AGPL-3.0-only
@author Prime Perps
@notice Who may act for an account: its owner, read from its number, and operators until they expire.
"""
from contracts.interfaces import IPerpClearinghouse


TRADE: constant(uint256) = 1
DEPOSIT: constant(uint256) = 2
WITHDRAW: constant(uint256) = 4
LIQUIDATE: constant(uint256) = 8
PERMISSIONS: constant(uint256) = 15

OWNER_OFFSET: constant(uint256) = 96
EXPIRY_OFFSET: constant(uint256) = 8


# permissions in the low 8 bits, expiry above
_operators: HashMap[uint256, HashMap[address, uint256]]


@internal
@pure
def _owner(account: uint256) -> address:
    return convert(account >> OWNER_OFFSET, address)


@internal
@view
def _operator(account: uint256, operator: address) -> (uint256, uint256):
    grant: uint256 = self._operators[account][operator]
    return grant & PERMISSIONS, grant >> EXPIRY_OFFSET


@internal
@view
def _is_authorized(account: uint256, sender: address, permission: uint256) -> bool:
    if sender == self._owner(account):
        return True
    permissions: uint256 = 0
    expiry: uint256 = 0
    permissions, expiry = self._operator(account, sender)
    return permissions & permission == permission and block.timestamp <= expiry and permission != 0


@internal
@view
def _check_authorized(account: uint256, sender: address, permission: uint256):
    assert self._is_authorized(account, sender, permission), "accounts: not authorized"


@internal
def _set_operator(account: uint256, operator: address, permissions: uint256, expiry: uint256):
    assert msg.sender == self._owner(account), "accounts: owner only"
    assert operator != empty(address), "accounts: bad operator"
    assert permissions <= PERMISSIONS and expiry < 2**64, "accounts: bad permissions"
    self._operators[account][operator] = permissions | (expiry << EXPIRY_OFFSET)
    log IPerpClearinghouse.OperatorSet(account=account, operator=operator, permissions=permissions, expiry=expiry)
