# pragma version 0.4.3
# pragma nonreentrancy on
"""
@title SilentToken
@license AGPL-3.0-only
@author Prime Perps
@notice Stands in for tokens older than the standard's return value, after USDT: `transfer`, `transferFrom` and
        `approve` return nothing, and an allowance can be changed only from or to zero. 8 decimals, as wrapped bitcoin
        has.
"""
from snekmate.auth import ownable
from snekmate.tokens import erc20

initializes: ownable
initializes: erc20[ownable := ownable]


exports: (
    erc20.name,
    erc20.symbol,
    erc20.decimals,
    erc20.totalSupply,
    erc20.balanceOf,
    erc20.allowance,
    erc20.mint,
    ownable.owner,
)


@deploy
def __init__():
    ownable.__init__()
    erc20.__init__("Silent Bitcoin", "SBTC", 8, "Silent Bitcoin", "1")


@external
def transfer(to: address, amount: uint256):
    erc20._transfer(msg.sender, to, amount)


@external
def transferFrom(owner: address, to: address, amount: uint256):
    erc20._spend_allowance(owner, msg.sender, amount)
    erc20._transfer(owner, to, amount)


@external
def approve(spender: address, amount: uint256):
    assert amount == 0 or erc20.allowance[msg.sender][spender] == 0, "silent: allowance not zero"
    erc20._approve(msg.sender, spender, amount)
