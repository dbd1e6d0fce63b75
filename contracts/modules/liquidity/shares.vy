# pragma version 0.4.3
"""
@title shares
@license AGPL-3.0-only
@author Prime Perps
@notice Shares of a vault and what they are worth. A raw unit of assets and a million shares that nobody owns are always
        counted in, so that whoever is first cannot make a share so dear that others' deposits round to nothing: the
        method of OpenZeppelin's ERC-4626.
"""


# Shares have so many decimals more than assets.
OFFSET: constant(uint256) = 6
VIRTUAL_SHARES: constant(uint256) = 10**OFFSET
VIRTUAL_ASSETS: constant(uint256) = 1


@internal
@pure
def _to_shares_down(assets: uint256, supply: uint256, total: uint256) -> uint256:
    return assets * (supply + VIRTUAL_SHARES) // (total + VIRTUAL_ASSETS)


@internal
@pure
def _to_shares_up(assets: uint256, supply: uint256, total: uint256) -> uint256:
    return self._div_up(assets * (supply + VIRTUAL_SHARES), total + VIRTUAL_ASSETS)


@internal
@pure
def _to_assets_down(shares: uint256, supply: uint256, total: uint256) -> uint256:
    return shares * (total + VIRTUAL_ASSETS) // (supply + VIRTUAL_SHARES)


@internal
@pure
def _to_assets_up(shares: uint256, supply: uint256, total: uint256) -> uint256:
    return self._div_up(shares * (total + VIRTUAL_ASSETS), supply + VIRTUAL_SHARES)


@internal
@pure
def _div_up(amount: uint256, divisor: uint256) -> uint256:
    return (amount + divisor - 1) // divisor
