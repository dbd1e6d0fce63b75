"""What the tour shows: a table after each step, and all of it as JSON."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from rich.console import Group
from rich.table import Table

from prime_perps.balance_sheet import health
from prime_perps.demo.checks import Check
from prime_perps.demo.report import Outcome, cents, checks_table, dollars, plain_checks
from prime_perps.units import BPS, usd


@dataclass(frozen=True)
class Look:
    """One account at one moment. `summary` as IAccountLens.Summary."""

    who: str
    when: str
    summary: Any

    @property
    def margin(self) -> Any:
        """IPerpClearinghouse.Margin."""
        return self.summary.margin

    @property
    def gross(self) -> int:
        """wad USD, the larger of what it holds in tokens and in perps: what its margin is a part of."""
        perps = sum(abs(line.perp_value) for line in self.summary.lines)
        return max(int(self.margin.token_value), int(perps))

    @property
    def part_bps(self) -> int:
        """Maintenance margin of that, bps, rounded down."""
        return int(self.margin.maintenance * BPS // self.gross) if self.gross else 0

    def plain(self) -> dict[str, Any]:
        margin, ratio = self.margin, health(self.margin)
        return {
            "account": self.who,
            "when": self.when,
            "cash": cents(margin.cash),
            "tokens": cents(margin.token_value),
            "perps": cents(margin.perp_value),
            "equity": cents(margin.equity),
            "mm": cents(margin.maintenance),
            "im": cents(margin.initial),
            "mm_bps": self.part_bps,
            "health": None if ratio is None else f"{ratio:.4f}",
        }


def looks_table(title: str, looks: Sequence[Look]) -> Table:
    """Whole USD; the last column but one is maintenance margin of what is held."""
    table = Table(title=f"{title}, whole USD", title_justify="left")
    table.add_column("account")
    table.add_column("")
    for name in ("cash", "tokens", "perps", "equity", "MM", "IM", "MM of it", "health"):
        table.add_column(name, justify="right", no_wrap=True)
    for look in looks:
        margin, ratio = look.margin, health(look.margin)
        table.add_row(
            look.who,
            look.when,
            *map(dollars, (margin.cash, margin.token_value, margin.perp_value)),
            *map(dollars, (margin.equity, margin.maintenance, margin.initial)),
            f"{Decimal(look.part_bps) / 100:.2f}%" if look.gross else "-",
            "-" if ratio is None else f"{ratio:.2f}",
        )
    return table


@dataclass(frozen=True)
class Cure:
    """One way to cure the account. wad USD: what it costs the account at the oracle's price, and how it stands then."""

    way: str
    cost: int
    before: Any  # IPerpClearinghouse.Margin
    margin: Any  # the same afterwards

    @property
    def rate(self) -> Decimal:
        """USD of cost for a dollar of maintenance margin shed: the two ways do not go equally far. 0 if none was."""
        shed = int(self.before.maintenance - self.margin.maintenance)
        return Decimal(self.cost) / shed if shed else Decimal(0)

    def plain(self) -> dict[str, Any]:
        told = {"way": self.way, "cost": cents(self.cost), "per_mm_shed": f"{self.rate:.4f}"}
        return told | {"health": f"{health(self.margin) or 0:.4f}"}


def cures_table(cures: Sequence[Cure]) -> Table:
    table = Table(title="What the same liquidation costs the account, USD", title_justify="left")
    table.add_column("by")
    for name in ("cost", "of MM shed", "equity after", "MM after", "health after"):
        table.add_column(name, justify="right", no_wrap=True)
    for cure in cures:
        margin, ratio = cure.margin, health(cure.margin)
        amounts = map(usd, (margin.equity, margin.maintenance))
        table.add_row(cure.way, usd(cure.cost), f"{cure.rate:.2%}", *amounts, "-" if ratio is None else f"{ratio:.3f}")
    return table


@dataclass(frozen=True)
class Depth:
    """What a fill asks of the one who makes it, wad USD: as one portfolio, and by the sum of its legs."""

    notional: int
    portfolio: int
    isolated: int
    buffer: int  # bps of initial margin

    def per_dollar(self, initial: int) -> Decimal:
        """USD of depth for a dollar of capital that has to be `buffer` of initial margin."""
        return Decimal(self.notional * BPS) / (initial * self.buffer)

    def rows(self) -> list[tuple[str, int]]:
        return [("one portfolio", self.portfolio), ("two legs alone", self.isolated)]

    def plain(self) -> dict[str, Any]:
        told = {name: {"im": cents(asked), "depth": f"{self.per_dollar(asked):.2f}"} for name, asked in self.rows()}
        return {"notional": cents(self.notional), "buffer_bps": self.buffer, **told}


def depth_table(depth: Depth) -> Table:
    title = f"Depth of {usd(depth.notional)} USD: what it needs, whole USD"
    table = Table(title=title, title_justify="left")
    table.add_column("margined as")
    for name in ("IM", f"capital at {depth.buffer / 100:.0f}% of IM", "depth for a dollar"):
        table.add_column(name, justify="right", no_wrap=True)
    for name, asked in depth.rows():
        capital = asked * depth.buffer // BPS
        table.add_row(name, dollars(asked), dollars(capital), f"{depth.per_dollar(asked):.1f}")
    return table


def events_table(events: Sequence[tuple[str, str, str]]) -> Table:
    table = Table(title="Events of the fill's only transaction, in order", title_justify="left")
    for name in ("contract", "event", ""):
        table.add_column(name, overflow="fold")
    for row in events:
        table.add_row(*row)
    return table


@dataclass(frozen=True)
class Report(Outcome):
    """Everything the tour found out."""

    looks: Sequence[Look]
    events: Sequence[tuple[str, str, str]]
    costs: dict[str, str]
    depth: Depth
    cures: Sequence[Cure]
    log_line: str
    checks: Sequence[Check]

    def _plain(self) -> dict[str, Any]:
        return {
            "looks": [look.plain() for look in self.looks],
            "events": [list(event) for event in self.events],
            "fill": self.costs,
            "depth": self.depth.plain(),
            "cures": [cure.plain() for cure in self.cures],
            "log": self.log_line,
            **plain_checks(self.checks),
        }

    def render(self) -> Group:
        """The checks; the tables were shown after their steps."""
        return Group(checks_table(self.checks))
