"""The worked books of docs/margin.md under everybody's rules: what each would ask to keep them, exactly.

Maintenance margins, size and width aside. A rule that sees one underlying at a time is summed over them, and perps
count as the stock where a rule knows none. Hyperliquid, which margins perps alone, is taken at its tier of 20 times.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from prime_perps import margin
from prime_perps.margin import Closure, Exposure
from prime_perps.risk import RiskTable
from prime_perps.units import WAD, wad
from prime_perps.yardsticks import (
    HIGH_CAP,
    derive_portfolio,
    hyperliquid,
    ibkr,
    position_by_position,
    regulation_t,
    regulation_t_maintenance,
    tims,
)

TIERS = ("T3", "ETF", "T1", "T1")
NVDA, SPY, AAPL, MSFT = range(len(TIERS))
LEVERAGE = 20
HUNDRED = wad(100_000)

BOOKS: Mapping[str, Sequence[Exposure]] = {
    "token hedged with its perp": (Exposure(NVDA, token=HUNDRED, perp=-HUNDRED),),
    "token alone": (Exposure(NVDA, token=HUNDRED),),
    "perp alone": (Exposure(NVDA, perp=HUNDRED),),
    "index alone": (Exposure(SPY, perp=HUNDRED),),
    "two stocks, index": (
        Exposure(AAPL, perp=HUNDRED // 2),
        Exposure(MSFT, perp=HUNDRED // 2),
        Exposure(SPY, perp=-HUNDRED),
    ),
}
RULES = ("ours", "alone", "FINRA", "Reg T", "TIMS", "IBKR", "Derive", "Hyperliquid")


def asked(parameters: RiskTable) -> dict[str, dict[str, int | None]]:
    """The nearest USD by book and rule; None where a rule does not apply. `alone` and `Reg T` are initial margins."""
    shipped = parameters.table(TIERS)
    table = replace(shipped, lines=[replace(line, slope=0) for line in shipped.lines])
    found: dict[str, dict[str, int | None]] = {}
    for name, book in BOOKS.items():
        derived = sum(derive_portfolio(entry.held, entry.perp)[0] for entry in book)
        perps_alone = not any(entry.held for entry in book)
        tiered = sum(hyperliquid(abs(entry.perp), ((0, LEVERAGE),)) for entry in book)
        amounts = (
            margin.requirements(book, Closure(), 0, table)[0],
            position_by_position(book, Closure(), table),
            regulation_t_maintenance(book),
            regulation_t(book),
            tims(book, {SPY: HIGH_CAP}),
            ibkr(book)[0],
            derived,
            tiered if perps_alone else None,
        )
        found[name] = {
            rule: None if amount is None else (amount + WAD // 2) // WAD
            for rule, amount in zip(RULES, amounts, strict=True)
        }
    return found
