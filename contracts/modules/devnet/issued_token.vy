# pragma version 0.4.3
# pragma nonreentrancy on
"""
@title issued_token
@license AGPL-3.0-only
@author Prime Perps
@notice What every token of the issuer's stand-in does, stock or dollar, after Ondo Global Markets: 18 decimals,
        balances that never rebase.
        - A pause stops transfers, mints and burns. Approvals go on.
        - Sender, receiver and a caller who is neither are checked for compliance, at every transfer, mint and burn. The
          check is not a view.
        - A burner can burn from anyone, without allowance: this is how the issuer redeems, and how it seizes. It cannot
          burn from a blocked address, which the issuer must unblock first.
        Left out: the upgradeable beacon, permit, and `burn(uint256)` of one's own: Vyper has no overloads.
"""
from snekmate.auth import ownable
from snekmate.tokens import erc20

uses: ownable
uses: erc20


interface IssuerCompliance:
    def check(account: address): nonpayable


event BurnerSet:
    burner: indexed(address)
    allowed: bool


event PausedSet:
    paused: bool


# The library's own name and symbol are too short for "NVDAon" and its like.
name: public(immutable(String[64]))
symbol: public(immutable(String[16]))
COMPLIANCE: immutable(IssuerCompliance)


paused: public(bool)
is_burner: public(HashMap[address, bool])


@deploy
def __init__(name_: String[64], symbol_: String[16], compliance_: address):
    name = name_
    symbol = symbol_
    COMPLIANCE = IssuerCompliance(compliance_)


@external
def transfer(to: address, amount: uint256) -> bool:
    self._check_move(msg.sender, to)
    erc20._transfer(msg.sender, to, amount)
    return True


@external
def transferFrom(owner: address, to: address, amount: uint256) -> bool:
    self._check_move(owner, to)
    erc20._spend_allowance(owner, msg.sender, amount)
    erc20._transfer(owner, to, amount)
    return True


@external
def mint(to: address, amount: uint256):
    """
    @notice Minters only. Reverts: "token: minter only", "token: paused", "compliance: blocked".
    """
    assert erc20.is_minter[msg.sender], "token: minter only"
    self._check_move(empty(address), to)
    erc20._mint(to, amount)


@external
def burn(account: address, amount: uint256):
    """
    @notice Burners only; the account is not asked. Reverts: "token: burner only", "token: paused",
            "compliance: blocked".
    """
    assert self.is_burner[msg.sender], "token: burner only"
    self._check_move(account, empty(address))
    erc20._burn(account, amount)


@view
@external
def compliance() -> address:
    return COMPLIANCE.address


@external
def set_paused(paused: bool):
    """
    @notice Owner only.
    """
    ownable._check_owner()
    self.paused = paused
    log PausedSet(paused=paused)


@external
def set_burner(burner: address, allowed: bool):
    """
    @notice Owner only.
    """
    ownable._check_owner()
    self.is_burner[burner] = allowed
    log BurnerSet(burner=burner, allowed=allowed)


@internal
def _check_move(owner: address, to: address):
    """
    @dev A mint has no owner and a burn no receiver.
    """
    assert not self.paused, "token: paused"
    if msg.sender != owner and msg.sender != to:
        extcall COMPLIANCE.check(msg.sender)
    if owner != empty(address):
        extcall COMPLIANCE.check(owner)
    if to != empty(address):
        extcall COMPLIANCE.check(to)
