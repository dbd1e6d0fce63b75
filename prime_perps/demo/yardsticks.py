"""What the same account would be asked for elsewhere. Yardsticks for a report, not rules of this system."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from prime_perps import margin
from prime_perps.margin import Closure, Exposure, Table

# 12 CFR 220.12 (a) and (c): half of a long stock, half of a short one.
REGULATION_T_BPS = 5_000
# FINRA Rule 4210 (e)(1): a short against the same stock held long.
SHORT_AGAINST_THE_BOX_BPS = 500
BPS = 10_000


def regulation_t(exposures: Iterable[Exposure]) -> int:
    """
    Initial requirement in the manner of Regulation T, wad USD, rounded up: half of the value of long stock; 5 % of a
    short position as far as the same stock is held long; half of the notional of every other perp, long or short.
    Hedges with another stock are not recognised. Perps are not securities; they are charged as if they were.
    """
    total = 0
    for entry in exposures:
        held = entry.token + entry.other
        boxed = min(held, max(-entry.perp, 0))
        total += (held + abs(entry.perp) - boxed) * REGULATION_T_BPS + boxed * SHORT_AGAINST_THE_BOX_BPS
    return -(-total // BPS)


def position_by_position(exposures: Iterable[Exposure], closure: Closure, table: Table) -> int:
    """
    The sum of our own initial margins of each token and each perp as if it were an account alone, wad USD: what the
    same risk numbers ask for when positions are margined one by one.
    """
    return sum(margin.requirements([one], closure, 0, table)[1] for one in _alone(exposures))


def _alone(exposures: Iterable[Exposure]) -> Iterator[Exposure]:
    for entry in exposures:
        facts = entry.width, entry.eventful
        for token, other, perp in ((entry.token, 0, 0), (0, entry.other, 0), (0, 0, entry.perp)):
            if token or other or perp:
                yield Exposure(entry.underlying, token, other, perp, *facts)
