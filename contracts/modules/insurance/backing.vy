# pragma version 0.4.3
"""
@title backing
@license AGPL-3.0-only
@author Prime Perps
@notice Who has which part of the cash of insurance. A share is worth (cash + 1 USD) / (shares + 1e18): the first
        dollar is nobody's, so a gift before the first deposit, or between two, cannot make a share so dear that a
        deposit is rounded away. Whoever tries leaves most of the gift to that dollar.

        A loss of everything leaves shares worth next to nothing, and the next deposit would multiply their number
        until no further one fits. So shares worth less than a billionth of what one costs at first are void, and a new
        generation begins.
"""
from contracts.interfaces import IInsuranceFund


VIRTUAL: constant(uint256) = 10**18
VOID_BELOW: constant(uint256) = 10**9

generation: public(uint256)
total_shares: public(uint256)

_shares: HashMap[uint256, HashMap[address, uint256]]


@internal
@view
def _of(backer: address) -> uint256:
    return self._shares[self.generation][backer]


@internal
@view
def _worth_down(shares: uint256, cash: uint256) -> uint256:
    """
    @notice Of that cash, wad. The dollar that is nobody's need not be there: never more than there is.
    """
    return min(shares * (cash + VIRTUAL) // (self.total_shares + VIRTUAL), cash)


@internal
def _renew(cash: uint256):
    """
    @notice Let shares go that have no worth left.
    """
    total: uint256 = self.total_shares
    if (cash + VIRTUAL) * VOID_BELOW < total + VIRTUAL:
        log IInsuranceFund.SharesVoided(generation=self.generation, shares=total)
        self.generation += 1
        self.total_shares = 0


@internal
def _make_down(backer: address, paid: uint256, cash: uint256) -> uint256:
    """
    @param cash wad, what insurance had before.
    """
    shares: uint256 = paid * (self.total_shares + VIRTUAL) // (cash + VIRTUAL)
    self._shares[self.generation][backer] += shares
    self.total_shares += shares
    return shares


@internal
def _burn(backer: address, shares: uint256):
    self._shares[self.generation][backer] -= shares
    self.total_shares -= shares
