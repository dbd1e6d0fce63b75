# pragma version 0.4.3
# pragma nonreentrancy on
"""
@title IssuerStablecoin
@license AGPL-3.0-only
@author Prime Perps
@notice Stands in for the issuer's own dollar, after USDon: a token of the issuer's with 18 decimals, see
        issued_token.vy. Stocks are bought with it and paid out in it; the swapper changes it into the settlement coin.
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


@deploy
def __init__(compliance_: address):
    """
    @notice The deployer owns the coin and may mint; burners are named later.
    """
    ownable.__init__()
    erc20.__init__("", "", 18, "", "1")
    issued_token.__init__("Devnet Issuer USD", "USDon", compliance_)
