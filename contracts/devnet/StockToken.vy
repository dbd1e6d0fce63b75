# pragma version 0.4.3
# pragma nonreentrancy on
"""
@title StockToken
@license AGPL-3.0-only
@author Prime Perps
@notice Stands in for a tokenized stock, after Ondo Global Markets: a token of the issuer's, see issued_token.vy.
        The multiplier says how many shares a token stands for; moving it moves no balance. Whoever prices the token
        multiplies by it: reports carry it to the oracle. The original has it in the shares oracle alone (SharesOracle);
        here it can also be staged on the token, for SValueOracle to tell.
"""
from ethereum.ercs import IERC20
from snekmate.auth import ownable
from snekmate.tokens import erc20

from ..modules.devnet import issued_token

implements: IERC20

initializes: ownable
initializes: erc20[ownable := ownable]
initializes: issued_token[ownable := ownable, erc20 := erc20]


exports: (
    # ERC-20
    issued_token.name,
    issued_token.symbol,
    erc20.decimals,
    erc20.totalSupply,
    erc20.balanceOf,
    erc20.allowance,
    erc20.approve,
    issued_token.transfer,
    issued_token.transferFrom,
    # the issuer
    issued_token.mint,
    issued_token.burn,
    issued_token.compliance,
    issued_token.paused,
    issued_token.set_paused,
    issued_token.is_burner,
    issued_token.set_burner,
    erc20.is_minter,
    erc20.set_minter,
    ownable.owner,
    ownable.transfer_ownership,
)


event MultiplierSet:
    multiplier: uint256


WAD: constant(uint256) = 10**18


multiplier: public(uint256)  # wad, shares per token


@deploy
def __init__(name_: String[64], symbol_: String[16], compliance_: address):
    """
    @notice The deployer owns the token and may mint; burners are named later.
    """
    ownable.__init__()
    erc20.__init__("", "", 18, "", "1")
    issued_token.__init__(name_, symbol_, compliance_)
    self.multiplier = WAD


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
