"""The outcome of the week: as tables for people, as JSON for programs."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from rich.console import Group
from rich.table import Table
from rich.text import Text

from prime_perps.demo.cast import Actor
from prime_perps.demo.checks import Check
from prime_perps.demo.record import SliceTaken
from prime_perps.demo.report import Outcome, cents, checks_table, dollars, plain_checks, plain_slice
from prime_perps.units import usd
from prime_perps.week.record import Book, Journal, Look
from prime_perps.week.script import HALTED_AT, PAUSED_AT, RELEASED_AT, RESUMED_AT, SHUT, Act, at, told

# The moments a reader compares: the last look at or before each of them.
MOMENTS = {
    "opened": at("Thu 09:40"),
    "after the news": at("Thu 16:20:20"),
    "in the halt": at("Fri 11:20"),
    "before shut": SHUT - 1,
    "shut, Sunday": at("Sun 15:00"),
    "reopened": at("Mon 20:02"),
    "end": at("Tue 19:59"),
}
assert HALTED_AT < MOMENTS["in the halt"] < RELEASED_AT < PAUSED_AT < RESUMED_AT


@dataclass(frozen=True)
class AccountReport:
    """One account over the week."""

    name: str
    story: str
    customer: bool
    books: dict[str, Book]  # by moment
    # health, equity over maintenance margin without the doubt of frozen prices, and when; None for who had no positions
    lowest: tuple[Decimal, int] | None
    slices: Sequence[SliceTaken]

    @property
    def liquidated(self) -> bool:
        return bool(self.slices)


@dataclass(frozen=True)
class Report(Outcome):
    """Everything the week found out. Money in wad USD."""

    accounts: Sequence[AccountReport]
    acts: Sequence[Act]
    checks: Sequence[Check]
    looks: int
    total_loss: int
    seconds: float
    transactions: int

    def _plain(self) -> dict[str, Any]:
        return {
            "acts": [{"time": told(act.time), "act": str(act)} for act in self.acts],
            "accounts": [_plain_account(account) for account in self.accounts],
            "bad_debt": cents(self.total_loss),
            **plain_checks(self.checks),
            "looks": self.looks,
            "transactions": self.transactions,
            "seconds": round(self.seconds, 1),
        }

    def render(self) -> Group:
        """Tables for a terminal."""
        return Group(self._accounts_table(), checks_table(self.checks), self._last_line())

    def _accounts_table(self) -> Table:
        title = "Customers: equity and maintenance margin as the exchange shuts, equity later, whole USD"
        table = Table(title=title, title_justify="left")
        table.add_column("account")
        for name in ("Friday", "MM then", "reopened", "end", "lowest", "slices"):
            table.add_column(name, justify="right", no_wrap=True)
        for account in self.accounts:
            if account.customer:
                books = account.books
                table.add_row(
                    account.name,
                    dollars(books["before shut"].margin.equity),
                    dollars(books["before shut"].calm),
                    dollars(books["reopened"].margin.equity),
                    dollars(books["end"].margin.equity),
                    "-" if account.lowest is None else f"{account.lowest[0]:.2f} {told(account.lowest[1])[:3]}",
                    str(len(account.slices)) if account.liquidated else "-",
                    style="red" if account.liquidated else "",
                )
        table.caption = "lowest: health, equity over maintenance margin without the doubt of frozen prices"
        return table

    def _last_line(self) -> Text:
        return Text(
            f"Bad debt {usd(self.total_loss)}. {self.looks} looks, {self.transactions} transactions in "
            f"{self.seconds:.0f} seconds."
        )


def account_reports(journal: Journal, cast: Sequence[Actor]) -> list[AccountReport]:
    """What became of each account."""
    looks = {moment: _look_at(journal, instant) for moment, instant in MOMENTS.items()}
    reports = []
    for actor in cast:
        opened = [one for one in journal.looks if one.time >= MOMENTS["opened"]]
        asked = [(one.books[actor.name], one.time) for one in opened if one.books[actor.name].calm]
        reports.append(
            AccountReport(
                name=actor.name,
                story=actor.story,
                customer=actor.customer,
                books={moment: look.books[actor.name] for moment, look in looks.items()},
                lowest=min(((Decimal(book.margin.equity) / book.calm, since) for book, since in asked), default=None),
                slices=[sale.taken for sale in journal.sales if sale.taken.actor == actor.name],
            )
        )
    return reports


def _look_at(journal: Journal, instant: int) -> Look:
    return [one for one in journal.looks if one.time <= instant][-1]


def _plain_account(account: AccountReport) -> dict[str, Any]:
    return {
        "name": account.name,
        "story": account.story,
        "liquidated": account.liquidated,
        "lowest_health": None
        if account.lowest is None
        else {"health": f"{account.lowest[0]:.4f}", "time": told(account.lowest[1])},
        "moments": {
            moment: {
                "equity": cents(book.margin.equity),
                "mm": cents(book.margin.maintenance),
                "mm_without_doubt": cents(book.calm),
                "mm_of_the_closure": cents(book.by_the_clock),
                "im": cents(book.margin.initial),
                "doubt": cents(book.margin.doubt),
                "liquidatable": book.liquidatable,
            }
            for moment, book in account.books.items()
        },
        "slices": [{"time": told(entry.time)} | plain_slice(entry) for entry in account.slices],
    }
