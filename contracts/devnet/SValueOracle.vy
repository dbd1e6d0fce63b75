# pragma version 0.4.3
# pragma nonreentrancy on
"""
@title SValueOracle
@license AGPL-3.0-only
@author Prime Perps
@notice Stands in for an issuer's oracle of multipliers, without its rules: it tells what a StockToken says of itself,
        at once and whatever it is. The issuer pauses the token, sets the multiplier, and ends the pause. SharesOracle
        is the one with the rules, and a pause that leaves the token alone.
"""
from contracts.interfaces import ISValueOracle

implements: ISValueOracle


interface StockToken:
    def multiplier() -> uint256: view
    def paused() -> bool: view


@view
@external
def getSValue(token: address) -> (uint128, bool):
    stock: StockToken = StockToken(token)
    return convert(staticcall stock.multiplier(), uint128), staticcall stock.paused()
