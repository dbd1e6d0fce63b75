# pragma version 0.4.3
"""
@title band
@license AGPL-3.0-only
@author Prime Perps
@notice How far a price may lie from the oracle's, and what that makes of an amount. Everything in wad.
"""


WAD: constant(uint256) = 10**18
BPS: constant(uint256) = 10**4


@internal
@pure
def _check_price(price: uint256, fair: uint256, band: uint256):
    """
    @notice Either way: a price that is too good says that the oracle's is wrong.
    """
    low: uint256 = fair * (BPS - band) // BPS
    high: uint256 = fair * (BPS + band) // BPS
    # no price is no reason to take any
    assert fair != 0 and low <= price and price <= high, "gateway: price out of band"


@internal
@pure
def _check_cost(cost: uint256, tokens: uint256, fair: uint256, band: uint256):
    """
    @notice What was paid, not what was said.
    """
    self._check_measured(cost <= tokens * fair // WAD * (BPS + band) // BPS)


@internal
@pure
def _check_proceeds(proceeds: uint256, tokens: uint256, fair: uint256, band: uint256):
    self._check_measured(proceeds >= tokens * fair // WAD * (BPS - band) // BPS)


@internal
@pure
def _check_measured(within: bool):
    assert within, "gateway: beyond the band"
