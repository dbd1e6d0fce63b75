"""The comparison of two risk tables, for a person on a terminal and for a program."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from rich.console import Group
from rich.table import Table
from rich.text import Text

from prime_perps.accounts import SUB_ACCOUNTS, owner_of
from prime_perps.risk import GROUPS
from prime_perps.risk_change import DAY, Change, Comparison, Level, Outlook, moments
from prime_perps.units import usd

HOUR = 3_600
MINUTE = 60


@dataclass(frozen=True)
class Report:
    """A comparison, and where its two tables and its accounts come from."""

    comparison: Comparison
    symbols: Mapping[int, str]  # by underlying
    old: str  # the address of the model in use
    new: str  # the address of the model that would follow, or the name of a risk file
    block: int
    starts: int | None = None  # unix seconds, when the ramp begins, if that is known
    notes: Sequence[str] = ()  # warnings only the chain can give

    @property
    def warnings(self) -> list[str]:
        return [*self.notes, *self.comparison.warnings]

    def render(self) -> Group:
        """Warnings first, then fields, accounts, days and totals."""
        comparison = self.comparison
        begins = "" if self.starts is None else f" from {moment(self.starts)} on"
        title = Text.assemble(
            ("Risk table", "bold"),
            f" of {self.old}\n        to ",
            (self.new, "bold"),
            f", which comes into force over {duration(comparison.ramp)}{begins}",
            f"\nPrices, sessions and accounts as of block {self.block}",
        )
        warnings = [Text(f"Warning: {warning}", style="bold yellow") for warning in self.warnings]
        who = "The guardian may use it alone" if comparison.guardian_may else "Only the timelock may use it"
        return Group(title, *warnings, self._fields(), Text(who), self._falling(), self._days(), self._totals())

    def as_json(self) -> dict[str, Any]:
        """Everything, every account included. Account numbers and wad amounts are text: JSON numbers are too short."""
        comparison = self.comparison
        return {
            "old": self.old,
            "new": self.new,
            "block": self.block,
            "starts": self.starts,
            "ramp": comparison.ramp,
            "guardian_may": comparison.guardian_may,
            "warnings": self.warnings,
            "changes": [
                {
                    "underlying": change.underlying,
                    "symbol": self._scope(change),
                    "field": change.field,
                    "old": change.old,
                    "new": change.new,
                    "effect": str(change.effect),
                }
                for change in comparison.changes
            ],
            "accounts": [_account(outlook) for outlook in comparison.outlooks],
            "unreadable": {str(account): reason for account, reason in comparison.unreadable.items()},
        }

    def _scope(self, change: Change) -> str:
        if change.underlying is None:
            return "all"
        return self.symbols.get(change.underlying, str(change.underlying))

    def _fields(self) -> Table:
        table = _columns("Changed fields, bps; depth in whole USD", "of", "field", "now", "new", "effect")
        scope = None
        for change in self.comparison.changes:
            if change.underlying != scope:
                table.add_section()
                scope = change.underlying
            now, new = _value(change.field, change.old), _value(change.field, change.new)
            table.add_row(self._scope(change), change.field, now, new, str(change.effect))
        return table

    def _falling(self) -> Table:
        title = "Accounts that would fall below a margin they meet: now, and once the new table is in force, USD"
        # Without borders, so that an address stays in one piece on a terminal of 80 columns.
        table = _columns(title, "account", "", "now", "new", box=None, pad_edge=False)
        for outlook in self.comparison.falling:
            old, new = outlook.old, outlook.new
            table.add_row(
                f"{shown(outlook.account)}\n{_story(outlook)}\n",
                "equity\nMM\nIM",
                f"{usd(old.equity)}\n{usd(old.maintenance)}\n{usd(old.initial)}",
                f"{usd(new.equity)}\n{usd(new.maintenance)}\n{usd(new.initial)}",
            )
        if not self.comparison.falling:
            table.add_row("none")
        return table

    def _days(self) -> Table:
        table = _columns(
            "From the start of the ramp on, all accounts together, USD",
            *("after", "MM", "IM", "below IM", "below MM", "liquidatable"),
        )
        days = [outlook.by_day() for outlook in self.comparison.outlooks]
        for place, elapsed in enumerate(moments(self.comparison.ramp)):
            table.add_row(duration(elapsed), *_sums([levels[place] for levels in days]))
        return table

    def _totals(self) -> Table:
        comparison = self.comparison
        table = Table(title="Totals", title_justify="left", show_header=False)
        table.add_column(overflow="fold")
        table.add_column(justify="right", overflow="fold")
        counts: dict[str, Callable[[Outlook], bool]] = {
            "would fall below initial margin": lambda one: one.falls_below_initial,
            "would fall below maintenance margin": lambda one: one.falls_below_maintenance,
            "would become liquidatable": lambda one: one.becomes_liquidatable,
            "are below maintenance margin already": lambda one: one.old.below_maintenance,
            "would rise above maintenance margin": lambda one: (
                one.old.below_maintenance and not one.new.below_maintenance
            ),
        }
        table.add_row("accounts", str(len(comparison.outlooks)))
        for name, counts_in in counts.items():
            table.add_row(name, str(sum(map(counts_in, comparison.outlooks))))
        table.add_row("could not be evaluated", str(len(comparison.unreadable)))
        for account, reason in comparison.unreadable.items():
            table.add_row(shown(account), reason)
        return table


def shown(account: int) -> str:
    """Owner, and the sub-account unless it is the first."""
    sub = account % SUB_ACCOUNTS
    return owner_of(account) + (f"/{sub}" if sub else "")


def duration(seconds: int) -> str:
    """Days, hours, minutes and seconds, those that are not zero."""
    parts = []
    for name, length in (("d", DAY), ("h", HOUR), ("min", MINUTE), ("s", 1)):
        count, seconds = divmod(seconds, length)
        if count:
            parts.append(f"{count} {name}")
    return " ".join(parts) or "0 s"


def moment(timestamp: int) -> str:
    """Unix seconds as a date and time."""
    return f"{datetime.fromtimestamp(timestamp, UTC):%Y-%m-%d %H:%M:%S} UTC"


def _story(outlook: Outlook) -> str:
    """What becomes of an account, and when."""
    told = [f"{outlook.old.verdict}, then {outlook.new.verdict}"]
    if outlook.falls_below_initial:
        told.append("below IM at once")
    for name, seconds in (
        ("below MM", outlook.below_maintenance_after),
        ("liquidatable", outlook.liquidatable_after),
    ):
        if seconds:
            told.append(f"{name} after {duration(seconds)}")
    return "\n".join(told)


def _value(field: str, value: int | None) -> str:
    if value is None:
        return ""
    return GROUPS[value] if field == "group" else f"{value:,}"


def _sums(levels: Sequence[Level]) -> list[str]:
    return [
        usd(sum(level.maintenance for level in levels)),
        usd(sum(level.initial for level in levels)),
        str(sum(level.below_initial for level in levels)),
        str(sum(level.below_maintenance for level in levels)),
        str(sum(level.liquidatable for level in levels)),
    ]


def _account(outlook: Outlook) -> dict[str, Any]:
    return {
        "account": str(outlook.account),
        "owner": owner_of(outlook.account),
        "equity": str(outlook.old.equity),
        "doubt": str(outlook.old.doubt),
        "falls": outlook.falls,
        "below_maintenance_after": outlook.below_maintenance_after,
        "liquidatable_after": outlook.liquidatable_after,
        "old": _asked(outlook.old),
        "new": _asked(outlook.new),
        "by_day": [
            {"after": elapsed} | _asked(level)
            for elapsed, level in zip(moments(outlook.ramp), outlook.by_day(), strict=True)
        ],
    }


def _asked(level: Level) -> dict[str, str]:
    return {"maintenance": str(level.maintenance), "initial": str(level.initial), "verdict": level.verdict}


def _columns(title: str, *names: str, **style: Any) -> Table:
    """The first column is a name, the others are numbers. Nothing is cut short, however narrow the terminal."""
    table = Table(title=title, title_justify="left", **style)
    for place, name in enumerate(names):
        table.add_column(name, justify="right" if place else "left", overflow="fold")
    return table
