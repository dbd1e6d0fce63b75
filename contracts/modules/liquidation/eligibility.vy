# pragma version 0.4.3
"""
@title eligibility
@license AGPL-3.0-only
@author Prime Perps
@notice Which accounts may be liquidated.
"""
from contracts.interfaces import IPerpClearinghouse


@internal
@pure
def _is_liquidatable(margin: IPerpClearinghouse.Margin) -> bool:
    """
    @dev An account is sold only if it fails at the bound of every doubtful price that favours it, and at the slow
         prices too unless less than two thirds of what it needs is left. Lines at whose price nobody can trade ask for
         nothing (`live`): who holds nothing else is sold only once equity is negative at that bound.
    """
    favoured: int256 = margin.equity + convert(margin.doubt, int256)
    live: int256 = convert(margin.live, int256)
    return favoured + max(margin.slow, 0) < live or 3 * favoured < 2 * live
