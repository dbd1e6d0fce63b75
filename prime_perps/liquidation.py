"""When an account may be liquidated: the rule of LiquidationEngine, in exact integers. USD in wad."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Protocol

from prime_perps.margin import Closure, Exposure, Table, requirements
from prime_perps.reports import Word
from prime_perps.units import BPS


class Judged(Protocol):
    """What the rule looks at, of an IPerpClearinghouse.Margin or of a forecast of one."""

    @property
    def equity(self) -> int: ...
    @property
    def doubt(self) -> int: ...
    @property
    def slow(self) -> int: ...
    @property
    def live(self) -> int: ...


def liquidatable(margin: Judged) -> bool:
    """
    Whether an account fails at the favourable end of every doubtful price, and at the slow prices too unless less than
    two thirds of what it needs is left.
    """
    favoured = margin.equity + margin.doubt
    return favoured + max(margin.slow, 0) < margin.live or 3 * favoured < 2 * margin.live


@dataclass(frozen=True)
class Doubts:
    """What the prices of a book leave open."""

    doubt: int  # wad USD, sum of |net| x doubt, each rounded up
    frozen: int  # the part of it in lines at whose price nobody can trade
    slow: int  # wad USD, sum of net x slow offset, rounded down

    @classmethod
    def of(cls, lines: Iterable[tuple[Exposure, Word]]) -> Doubts:
        """From each line's exposure and its word as `read` returns it."""
        doubt = frozen = slow = 0
        for exposure, word in lines:
            net = exposure.token + exposure.other + exposure.perp
            part = -(-abs(net) * word.doubt // BPS)
            doubt += part
            frozen += 0 if word.live else part
            slow += net * word.slow
        return cls(doubt, frozen, slow // BPS)


def live_margin(maintenance: int, of_live_lines: int, doubts: Doubts) -> int:
    """
    What liquidation holds equity and doubt to: maintenance margin less doubt, of the whole account or, if that is less,
    of the lines at whose price somebody can trade.
    """
    return min(max(maintenance - doubts.doubt, 0), max(of_live_lines - (doubts.doubt - doubts.frozen), 0))


def maintenance_of_live(lines: Iterable[tuple[Exposure, Word]], closure: Closure, table: Table) -> int:
    """Maintenance margin of those lines alone at whose price somebody can trade."""
    return requirements([exposure for exposure, word in lines if word.live], closure, 0, table)[0]
