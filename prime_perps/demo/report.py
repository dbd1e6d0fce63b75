"""The outcome: as a table for people, as JSON for programs."""

from __future__ import annotations

import json
from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import Any

from rich.console import Group
from rich.table import Table
from rich.text import Text

from prime_perps.balance_sheet import health
from prime_perps.demo.checks import Check
from prime_perps.demo.record import SliceTaken
from prime_perps.units import WAD, usd

CENT = Decimal("0.01")


@dataclass(frozen=True)
class Asked:
    """Initial margin by three methods, wad USD."""

    ours: int
    position_by_position: int
    regulation_t: int


@dataclass(frozen=True)
class AccountReport:
    """One actor at the end, and what its opening book was asked for. `opening` is None for who opened nothing."""

    name: str
    story: str
    account: int
    margin: Any  # IPerpClearinghouse.Margin
    slices: Sequence[SliceTaken]
    opening: Asked | None

    @property
    def liquidated(self) -> bool:
        return bool(self.slices)

    @property
    def bad_debt(self) -> int:
        """wad USD the account owes beyond all it has."""
        return max(0, -int(self.margin.equity))


class Outcome(ABC):
    """What a replay found out, and whether its checks hold."""

    checks: Sequence[Check]

    @property
    def passed(self) -> bool:
        return all(check.holds for check in self.checks)

    def save(self, path: Path) -> None:
        """Write the JSON. USD as decimal strings with cents, ratios as decimal strings."""
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps(self._plain(), indent=2) + "\n")

    @abstractmethod
    def _plain(self) -> dict[str, Any]: ...


@dataclass(frozen=True)
class Report(Outcome):
    """Everything the demo found out. Money in wad USD."""

    first_day: str
    last_day: str
    accounts: Sequence[AccountReport]
    checks: Sequence[Check]
    insurance: int
    total_loss: int
    uncovered_loss: int
    seconds: float
    transactions: int

    def _plain(self) -> dict[str, Any]:
        return {
            "period": {"first_day": self.first_day, "last_day": self.last_day},
            "accounts": [_plain_account(account) for account in self.accounts],
            "insurance": cents(self.insurance),
            "bad_debt": {"taken_by_insurance": cents(self.total_loss), "uncovered": cents(self.uncovered_loss)},
            **plain_checks(self.checks),
            "seconds": round(self.seconds, 1),
            "transactions": self.transactions,
        }

    def render(self) -> Group:
        """Tables for a terminal."""
        return Group(self._accounts_table(), self._methods_table(), checks_table(self.checks), self._losses())

    def _accounts_table(self) -> Table:
        table = Table(title=f"Accounts at the close of {self.last_day}, whole USD", title_justify="left")
        table.add_column("account")
        for name in ("equity", "MM", "IM", "health", "slices sold", "bad debt"):
            table.add_column(name, justify="right", no_wrap=True)
        for account in self.accounts:
            ratio = health(account.margin)
            table.add_row(
                account.name,
                dollars(account.margin.equity),
                dollars(account.margin.maintenance),
                dollars(account.margin.initial),
                "-" if ratio is None else f"{ratio:.2f}",
                str(len(account.slices)) if account.liquidated else "-",
                dollars(account.bad_debt),
                style="red" if account.liquidated else "",
            )
        return table

    def _methods_table(self) -> Table:
        table = Table(title="Initial margin asked for the opening books, whole USD", title_justify="left")
        table.add_column("account")
        for name in ("portfolio (ours)", "position by position", "Regulation T"):
            table.add_column(name, justify="right")
        for account in self.accounts:
            if account.opening is not None:
                opening = account.opening
                amounts = (opening.ours, opening.position_by_position, opening.regulation_t)
                table.add_row(account.name, *map(dollars, amounts))
        return table

    def _losses(self) -> Text:
        return Text(
            f"Bad debt: {usd(self.total_loss)} taken over, {usd(self.uncovered_loss)} of it uncovered. "
            f"Insurance holds {usd(self.insurance)}. {self.transactions} transactions in {self.seconds:.0f} seconds."
        )


def checks_table(checks: Sequence[Check]) -> Table:
    """Each statement, and whether it holds."""
    table = Table(title="Checked on the chain's state", title_justify="left")
    for name in ("check", "statement", "", "detail"):
        table.add_column(name, overflow="fold")
    for check in checks:
        told = Text("holds", style="green") if check.holds else Text("FAILS", style="bold red")
        table.add_row(check.id, check.statement, told, check.detail)
    return table


def plain_checks(checks: Sequence[Check]) -> dict[str, Any]:
    """The same for programs."""
    return {
        # One entry an invariant: it holds only where every statement under its name does.
        "checks": {
            name: all(check.holds for check in checks if check.id == name)
            for name in dict.fromkeys(check.id for check in checks)
        },
        "statements": [
            {"check": check.id, "statement": check.statement, "holds": check.holds, "detail": check.detail}
            for check in checks
        ],
    }


def _plain_account(account: AccountReport) -> dict[str, Any]:
    ratio = health(account.margin)
    opening = account.opening
    return {
        "name": account.name,
        "story": account.story,
        "account": hex(account.account),
        "equity": cents(account.margin.equity),
        "mm": cents(account.margin.maintenance),
        "im": cents(account.margin.initial),
        "health": None if ratio is None else f"{ratio:.4f}",
        "liquidated": account.liquidated,
        "bad_debt": cents(account.bad_debt),
        "slices": [plain_slice(entry) for entry in account.slices],
        "opening_margin": None
        if opening is None
        else {
            "portfolio": cents(opening.ours),
            "position_by_position": cents(opening.position_by_position),
            "regulation_t": cents(opening.regulation_t),
        },
    }


def plain_slice(entry: SliceTaken) -> dict[str, str]:
    """One liquidation for programs."""
    return {
        "day": entry.day.isoformat(),
        "session": entry.session.name.lower(),
        "fraction": _ratio(entry.fraction),
        "price": _ratio(entry.price),
        "payment": cents(entry.payment),
        "reward": cents(entry.reward),
        "equity_before": cents(entry.equity),
        "mm_before": cents(entry.maintenance),
    }


def cents(amount: int) -> str:
    """A wad amount as a decimal string."""
    return str((Decimal(amount) / WAD).quantize(CENT))


def _ratio(value: int) -> str:
    return f"{Decimal(value) / WAD:.6f}"


def dollars(amount: int) -> str:
    """A wad amount in whole dollars: a table of them fits eighty columns."""
    return f"{(amount + WAD // 2) // WAD:,}"
