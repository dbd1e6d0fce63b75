"""What a run depends on beside prices and parameters. The same settings give the same report."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

LEAST_ACCOUNTS = 11  # one of each kind


@dataclass(frozen=True)
class Settings:
    """One run. The switches ask what-if: each off by default."""

    seed: int = 1
    accounts: int = 220  # customers; makers, liquidators, insurance and fees come on top
    insurance_bps: int = 100  # of the customers' gross at the opening, paid in before the first day
    capital_bps: int = 300  # of the same, in cash, of each liquidator
    no_throttle: bool = False
    isolated: bool = False
    thin_makers: bool = False
    gaps: bool = False  # all of a day's move at its open, in one step
    days: int | None = None  # of each replay, from its first; None is all of them
    explain: int | None = None  # the customer whose liquidation is walked through; None is the first that fits

    def plain(self) -> dict[str, Any]:
        return asdict(self)
