# pragma version 0.4.3
# pragma nonreentrancy on
"""
@title FeeToken
@license AGPL-3.0-only
@author Prime Perps
@notice Stands in for tokens that keep part of every transfer: 18 decimals, a fee in basis points that goes to the owner
        and can be switched on later, as USDT's can. The safe must refuse it from the first transfer that costs.
"""
from ethereum.ercs import IERC20
from snekmate.auth import ownable
from snekmate.tokens import erc20

implements: IERC20

initializes: ownable
initializes: erc20[ownable := ownable]


exports: (
    erc20.name,
    erc20.symbol,
    erc20.decimals,
    erc20.totalSupply,
    erc20.balanceOf,
    erc20.allowance,
    erc20.approve,
    erc20.mint,
    ownable.owner,
)


event FeeSet:
    fee_bps: uint256


BPS: constant(uint256) = 10_000


fee_bps: public(uint256)


@deploy
def __init__(fee_bps_: uint256):
    ownable.__init__()
    erc20.__init__("Fee Token", "FEE", 18, "Fee Token", "1")
    self._set_fee(fee_bps_)


@external
def transfer(to: address, amount: uint256) -> bool:
    self._move(msg.sender, to, amount)
    return True


@external
def transferFrom(owner: address, to: address, amount: uint256) -> bool:
    erc20._spend_allowance(owner, msg.sender, amount)
    self._move(owner, to, amount)
    return True


@external
def set_fee(fee_bps: uint256):
    """
    @notice Owner only. Reverts: "fee: over 100%".
    """
    ownable._check_owner()
    self._set_fee(fee_bps)


@internal
def _move(owner: address, to: address, amount: uint256):
    fee: uint256 = amount * self.fee_bps // BPS
    erc20._transfer(owner, to, amount - fee)
    if fee > 0:
        erc20._transfer(owner, ownable.owner, fee)


@internal
def _set_fee(fee_bps: uint256):
    assert fee_bps <= BPS, "fee: over 100%"
    self.fee_bps = fee_bps
    log FeeSet(fee_bps=fee_bps)
