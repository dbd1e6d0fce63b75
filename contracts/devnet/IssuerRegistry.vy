# pragma version 0.4.3
# pragma nonreentrancy on
"""
@title IssuerRegistry
@license AGPL-3.0-only
@author Prime Perps
@notice Stands in for the issuer's register of whom it knows: an id for each address and each thing it may do.
        Registrars give and take ids; many addresses may share one.
        Left out: registrars for one token only.
"""
from contracts.interfaces import IIssuerRegistry
from snekmate.auth import ownable

implements: IIssuerRegistry

initializes: ownable


exports: (
    ownable.owner,
    ownable.transfer_ownership,
)


event RegistrarSet:
    registrar: indexed(address)
    allowed: bool


event UserIDSet:
    rwaToken: indexed(address)
    user: indexed(address)
    userID: indexed(bytes32)


is_registrar: public(HashMap[address, bool])
_ids: HashMap[address, HashMap[address, bytes32]]


@deploy
def __init__():
    """
    @notice The deployer names registrars, and is none.
    """
    ownable.__init__()


@view
@external
def getRegisteredID(rwaToken: address, user: address) -> bytes32:
    """
    @dev Reverts: "issuer: zero address".
    """
    self._check_address(rwaToken)
    self._check_address(user)
    return self._ids[rwaToken][user]


@external
def set_registrar(registrar: address, allowed: bool):
    """
    @notice Owner only.
    """
    ownable._check_owner()
    self.is_registrar[registrar] = allowed
    log RegistrarSet(registrar=registrar, allowed=allowed)


@external
def register(rwaToken: address, user: address, user_id: bytes32):
    """
    @notice Registrars only. Give an address an id, or another one. Reverts: "issuer: registrar only",
            "issuer: zero address", "issuer: bad id", "issuer: registered already".
    """
    self._check_registrar()
    self._check_address(rwaToken)
    self._check_address(user)
    assert user_id != empty(bytes32), "issuer: bad id"
    assert self._ids[rwaToken][user] != user_id, "issuer: registered already"
    self._set(rwaToken, user, user_id)


@external
def remove(rwaToken: address, user: address):
    """
    @notice Registrars only. Reverts: "issuer: registrar only", "issuer: not registered".
    """
    self._check_registrar()
    assert self._ids[rwaToken][user] != empty(bytes32), "issuer: not registered"
    self._set(rwaToken, user, empty(bytes32))


@internal
def _set(token: address, user: address, user_id: bytes32):
    self._ids[token][user] = user_id
    log UserIDSet(rwaToken=token, user=user, userID=user_id)


@internal
@view
def _check_registrar():
    assert self.is_registrar[msg.sender], "issuer: registrar only"


@internal
@pure
def _check_address(account: address):
    assert account != empty(address), "issuer: zero address"
