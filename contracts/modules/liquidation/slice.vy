# pragma version 0.4.3
"""
@title slice
@license AGPL-3.0-only
@author Prime Perps
@notice How much of an account is sold and for how much. A fraction f of everything is moved and pi f E is paid for it,
        so that E' = E (1 - f (1 - pi)) and MM' = (1 - f) MM: for every pi in [0, 1] and E > 0 the health E / MM does
        not fall (LQ-1). Solving E' = h MM' for f gives the closed form. Derivation: docs/liquidation.md.
"""
from contracts.interfaces import ILiquidationEngine


WAD: constant(uint256) = 10**18
BPS: constant(uint256) = 10**4


@internal
@pure
def _price_down(elapsed: uint256, terms: ILiquidationEngine.Terms) -> uint256:
    """
    @notice pi after `elapsed` seconds of the auction: two straight lines, start to knee, knee to zero. Rounded down.
    """
    if elapsed < terms.first_phase:
        return terms.start_price - (terms.start_price - terms.knee_price) * elapsed // terms.first_phase
    late: uint256 = elapsed - terms.first_phase
    if late >= terms.second_phase:
        return 0
    return terms.knee_price - terms.knee_price * late // terms.second_phase


@internal
@pure
def _fraction_down(equity: uint256, maintenance: uint256, price: uint256, target: uint256) -> uint256:
    """
    @notice f = (h MM - E) / (h MM - (1 - pi) E), wad, rounded down: never more than the target needs. 0 when healthy.
    @param equity wad, not negative; maintenance, price (pi) and target (h > 1) in wad.
    """
    goal: uint256 = target * maintenance // WAD
    if equity >= goal:
        return 0
    return (goal - equity) * WAD // (goal - (WAD - price) * equity // WAD)


@internal
@pure
def _payment_up(equity: uint256, fraction: uint256, price: uint256) -> uint256:
    """
    @notice pi f E, wad, rounded up: in favour of the account that is sold.
    """
    worth: uint256 = price * fraction
    return (worth * equity + WAD * WAD - 1) // (WAD * WAD)


@internal
@pure
def _fee_down(equity: uint256, fraction: uint256, payment: uint256, share: uint256) -> uint256:
    """
    @notice What the taker of a slice with equity leaves to insurance: `share` (bps) of his gain. Wad, rounded down.
    """
    worth: uint256 = equity * fraction // WAD
    return (worth - min(payment, worth)) * share // BPS


@internal
@pure
def _reward_down(maintenance: uint256, fraction: uint256, elapsed: uint256, phase: uint256) -> uint256:
    """
    @notice What the taker of a slice of an insolvent account earns beyond its loss: a share of the maintenance margin
            that comes with the slice, which rises from nothing to all of it over `phase`. Wad, rounded down.
    """
    share: uint256 = min(elapsed, phase) * WAD // phase
    return (maintenance * share // WAD) * fraction // WAD
