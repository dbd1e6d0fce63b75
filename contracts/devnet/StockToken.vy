# pragma version 0.4.3
# pragma nonreentrancy on
"""
@title StockToken
@license AGPL-3.0-only
@author Prime Perps
@notice Stands in for a tokenized stock, after Ondo Global Markets: 18 decimals, balances that never rebase (dividends
        and splits are the shares multiplier's business).
        - The multiplier says how many shares a token stands for; moving it moves no balance. Whoever prices the token
          multiplies by it: reports carry it to the oracle.
        - A pause stops transfers, mints and burns. Approvals go on.
        - Sender, receiver and a caller who is neither are checked for compliance, at every transfer, mint and burn.
        - A burner can burn from anyone, without allowance: this is how the issuer redeems, and how it seizes. It cannot
          burn from a blocked address, which the issuer must unblock first.
        Left out: the upgradeable beacon, permit.
"""
from ethereum.ercs import IERC20
from snekmate.auth import ownable
from snekmate.tokens import erc20

implements: IERC20

initializes: ownable
initializes: erc20[ownable := ownable]


exports: (
    # ERC-20
    erc20.decimals,
    erc20.totalSupply,
    erc20.balanceOf,
    erc20.allowance,
    erc20.approve,
    # the issuer
    erc20.is_minter,
    erc20.set_minter,
    ownable.owner,
    ownable.transfer_ownership,
)


interface IssuerCompliance:
    def check(account: address): nonpayable


event BurnerSet:
    burner: indexed(address)
    allowed: bool


event MultiplierSet:
    multiplier: uint256


event PausedSet:
    paused: bool


# The module's own name and symbol are too short for "NVDAon" and its like.
name: public(immutable(String[64]))
symbol: public(immutable(String[16]))
COMPLIANCE: immutable(IssuerCompliance)


WAD: constant(uint256) = 10**18


multiplier: public(uint256)  # wad, shares per token
paused: public(bool)
is_burner: public(HashMap[address, bool])


@deploy
def __init__(name_: String[64], symbol_: String[16], compliance_: address):
    """
    @notice The deployer owns the token and may mint; burners are named later.
    """
    ownable.__init__()
    erc20.__init__("", "", 18, "", "1")
    name = name_
    symbol = symbol_
    self.multiplier = WAD
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
    @notice Minters only. Reverts: "stock: minter only", "stock: paused", "compliance: blocked".
    """
    assert erc20.is_minter[msg.sender], "stock: minter only"
    self._check_move(empty(address), to)
    erc20._mint(to, amount)


@external
def burn(account: address, amount: uint256):
    """
    @notice Burners only; the account is not asked. Reverts: "stock: burner only", "stock: paused",
            "compliance: blocked".
    """
    assert self.is_burner[msg.sender], "stock: burner only"
    self._check_move(account, empty(address))
    erc20._burn(account, amount)


@view
@external
def compliance() -> address:
    return COMPLIANCE.address


@external
def set_multiplier(multiplier: uint256):
    """
    @notice Owner only: a dividend raises it a little, a split by its ratio. Reverts: "stock: bad multiplier" for zero.
    @param multiplier wad, shares per token.
    """
    ownable._check_owner()
    assert multiplier != 0, "stock: bad multiplier"
    self.multiplier = multiplier
    log MultiplierSet(multiplier=multiplier)


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
    assert not self.paused, "stock: paused"
    if msg.sender != owner and msg.sender != to:
        extcall COMPLIANCE.check(msg.sender)
    if owner != empty(address):
        extcall COMPLIANCE.check(owner)
    if to != empty(address):
        extcall COMPLIANCE.check(to)
