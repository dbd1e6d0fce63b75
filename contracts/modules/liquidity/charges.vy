# pragma version 0.4.3
"""
@title charges
@license AGPL-3.0-only
@author Prime Perps
@notice What hedged liquidity costs: a base, more for a large fill, more outside the regular session, more the fuller
        the inventory gets. Pips, rounded up.
"""
from contracts.interfaces import IHedgedLiquidity


PIPS: constant(uint256) = 10**6
# 5 %: nobody's terms can ask for more of any one kind
PART_MAX: constant(uint256) = 50_000
VALUE_MAX: constant(uint256) = 2**103


@internal
@pure
def _fee_up(terms: IHedgedLiquidity.Terms, notional: uint256, inventory: uint256, regular: bool) -> uint256:
    """
    @param notional wad USD, at most `largest`.
    @param inventory wad USD held in tokens after the fill; 0 for a fill that reduces it.
    """
    fee: uint256 = terms.base + self._part_up(terms.size, notional, terms.largest)
    fee += self._part_up(terms.skew, inventory, terms.inventory)
    return fee if regular else fee + terms.off_hours


@internal
@pure
def _price(price: uint256, fee: uint256, buys: bool) -> uint256:
    """
    @notice Rounded in the vault's favour.
    """
    if buys:
        return (price * (PIPS + fee) + PIPS - 1) // PIPS
    return price * (PIPS - fee) // PIPS


@internal
@pure
def _are_bounded(terms: IHedgedLiquidity.Terms) -> bool:
    return (
        max(max(terms.base, terms.size), max(terms.off_hours, terms.skew)) <= PART_MAX
        and terms.discount <= PART_MAX
        and 0 < terms.largest
        and terms.largest <= terms.inventory
        and terms.inventory <= VALUE_MAX
    )


@internal
@pure
def _part_up(part: uint256, amount: uint256, whole: uint256) -> uint256:
    return (part * amount + whole - 1) // whole
