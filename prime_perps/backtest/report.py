"""The outcome: as tables for people, as JSON for programs."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
from rich.box import SIMPLE_HEAD
from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from prime_perps.backtest.books import Kind
from prime_perps.backtest.data import Array, Universe
from prime_perps.backtest.measure import TARGET, Outcome, Replay
from prime_perps.backtest.statistics import Kupiec, kupiec, lowest_mean

REJECTED = 0.05  # p-value below which Kupiec's test is taken to reject
WORST_DAYS = 5


@dataclass(frozen=True)
class KindResult:
    """All about one kind of book in one universe."""

    kind: Kind
    fixed: Outcome  # tiers told once, held over the test years
    reviewed: Outcome  # tiers told anew every January
    replays: Sequence[Replay]  # with the tiers of that January
    seed: int

    @property
    def covered(self) -> bool:
        return self.fixed.coverage >= TARGET

    @property
    def pooled(self) -> Kupiec:
        """Every book on every day as a trial of its own: what it would be if books were independent. They are not."""
        trials = self.fixed.days * len(self.fixed.maintenance)
        return kupiec(float(self.fixed.failed.mean()) * trials, trials, 1 - TARGET)

    @property
    def by_days(self) -> Kupiec:
        """As if there were one book, failing as often as the mean of all: as many trials as days."""
        return kupiec(float(self.fixed.failed.sum()), self.fixed.days, 1 - TARGET)

    @property
    def rejected(self) -> float:
        """Share of books that fail so often that the test, on that book alone, rejects the promise."""
        tests = [kupiec(share * self.fixed.days, self.fixed.days, 1 - TARGET) for share in self.fixed.failed_by_book]
        return float(np.mean([test.too_many and test.p_value < REJECTED for test in tests]))

    @cached_property
    def at_least(self) -> float:
        """Lower end of the 95 % interval of coverage."""
        return self._lower_end(self.fixed)

    def plain(self, universe: Universe) -> dict[str, Any]:
        return {
            **self._plain_outcome(universe, self.fixed),
            "covered": self.covered,
            "target": TARGET,
            "seed": self.seed,
            "books": len(self.fixed.maintenance),
            "mm_of_gross": _rounded(self.fixed.maintenance.mean()),
            "ratio_isolated": _rounded(self.fixed.ratio_isolated),
            "ratio_tims": _rounded(self.fixed.ratio_tims),
            "ratio_reg_t": _rounded(self.fixed.ratio_reg_t),
            "kupiec_pooled_ratio": _rounded(self.pooled.ratio),
            "kupiec_pooled_p": _rounded(self.pooled.p_value),
            "kupiec_days_ratio": _rounded(self.by_days.ratio),
            "kupiec_days_p": _rounded(self.by_days.p_value),
            "kupiec_books_rejected": _rounded(self.rejected),
            "reviewed": {**self._plain_outcome(universe, self.reviewed), "covered": self.reviewed.coverage >= TARGET},
            "stress": {one.day.isoformat(): _plain_replay(one) for one in self.replays},
        }

    def _plain_outcome(self, universe: Universe, outcome: Outcome) -> dict[str, Any]:
        days = tested(universe, outcome)
        worst = [(days[row].isoformat(), outcome.failed[row]) for row in _worst(outcome.failed)]
        return {
            "coverage": _rounded(outcome.coverage),
            "coverage_at_least": _rounded(self._lower_end(outcome)),
            "bankrupt_at_im": _rounded(outcome.bankrupt),
            "called_next_day": _rounded(outcome.called),
            "books_covered": _rounded(outcome.books_covered),
            "first_day": days[0].isoformat(),
            "last_day": days[-1].isoformat(),
            "days": outcome.days,
            "worst_days": {day: _rounded(share) for day, share in worst},
        }

    def _lower_end(self, outcome: Outcome) -> float:
        return lowest_mean(1 - outcome.failed, np.random.default_rng(self.seed))


@dataclass(frozen=True)
class UniverseResult:
    """One universe; `tiers` are those told once, one a stock and the index's."""

    universe: Universe
    tiers: tuple[str, ...]
    kinds: Sequence[KindResult]

    @cached_property
    def failed(self) -> Array:
        """(days,), share of books that failed with tiers reviewed; the mean of all kinds."""
        shares: Array = np.mean([one.reviewed.failed for one in self.kinds], axis=0)
        return shares


def tested(universe: Universe, outcome: Outcome) -> tuple[date, ...]:
    """The days of an outcome: the last ones of its universe."""
    return universe.days[-outcome.days :]


@dataclass(frozen=True)
class Report:
    """Everything the back-test found out."""

    seed: int
    universes: Sequence[UniverseResult]
    broken_by_extremes: float  # how often the worst price of a day breaks a margin that closes break on 1 - TARGET
    seconds: float
    compared: Mapping[str, Mapping[str, int | None]]  # whole USD by worked book and rule

    def save(self, path: Path) -> None:
        """
        Write the JSON: {universe: {kind: {coverage, ...}}}, shares as fractions; and beside it yardsticks.json, what
        everybody's rules ask for the worked books: {book: {rule: USD}}.
        """
        plain = {
            result.universe.name: {one.kind.name: one.plain(result.universe) for one in result.kinds}
            for result in self.universes
        }
        path.write_text(json.dumps(plain, indent=2) + "\n")
        path.with_name("yardsticks.json").write_text(json.dumps(self.compared, indent=2) + "\n")

    def render(self) -> Group:
        """Tables for a terminal of eighty columns."""
        parts: list[RenderableType] = []
        for result in self.universes:
            parts += [
                Text(f"\n{result.universe.name}: {result.universe.title}", style="bold underline"),
                _tiers(result),
                _coverage(result),
                _asked(result),
                _worst_days(result),
                *_replays(result),
            ]
        return Group(*parts, _compared(self.compared), self._verdict())

    def _verdict(self) -> Text:
        text = Text("\n")
        short = [line for result in self.universes for line in _shortfalls(result)]
        if short:
            text.append(f"FALLS SHORT of {TARGET:.1%}:\n", style="bold red")
            text.append("".join(f"- {line}\n" for line in short))
            text.append("Every other kind of book is covered, with tiers told once and with tiers reviewed.\n")
        else:
            text.append(f"Every kind of book is covered on {TARGET:.1%} of days, in both universes.\n", style="green")
        text.append(
            f"Days are seen at their closes. A margin that closes break on {1 - TARGET:.1%} of days, the day's worst "
            f"price breaks on {self.broken_by_extremes:.2%} (one position in one of four stocks, 2006-2013).\n"
            f"Seed {self.seed}, {self.seconds:.0f} seconds."
        )
        return text


def _shortfalls(result: UniverseResult) -> Iterator[str]:
    for one in result.kinds:
        if min(one.fixed.coverage, one.reviewed.coverage) < TARGET:
            yield (
                f"{result.universe.name}, {one.kind.title}: {one.fixed.coverage:.3%} with tiers told once from the "
                f"years to {result.universe.fit_until}, {one.reviewed.coverage:.3%} with tiers reviewed every January"
            )


def _tiers(result: UniverseResult) -> Text:
    stocks = result.universe.stocks
    grouped = {tier: [s for s, its in zip(stocks, result.tiers, strict=False) if its == tier] for tier in result.tiers}
    listed = "; ".join(f"{tier}: {', '.join(grouped[tier])}" for tier in sorted(grouped) if grouped[tier])
    return Text(f"Tiers told once from the years to {result.universe.fit_until}. {listed}")


def _coverage(result: UniverseResult) -> RenderableType:
    fixed, reviewed = (tested(result.universe, getattr(result.kinds[0], run)) for run in ("fixed", "reviewed"))
    last = fixed[-1].year
    table = _table("books", ("covered", "at least", "p, days", "books ok", "reviewed", "> IM", "called"))
    for one in result.kinds:
        table.add_row(
            one.kind.title,
            _covered(one.fixed.coverage),
            _percent(one.at_least, 3),
            f"{one.by_days.p_value:.3f}" + ("!" if one.by_days.too_many else " "),
            _percent(one.fixed.books_covered, 0),
            _covered(one.reviewed.coverage),
            _percent(one.fixed.bankrupt, 3),
            _percent(one.fixed.called, 1),
        )
    return _section(
        f"Was the next day's loss within MM? Percent of book-days, {fixed[0].year}-{last}",
        table,
        "at least: lower end of the 95 % interval. p, days: Kupiec's test with days as trials, ! where too many fail. "
        f"books ok: those covered on {TARGET:.1%} of days each by itself. reviewed: the same as covered, with tiers "
        f"told anew every January, {reviewed[0].year}-{last}. > IM: bankrupt if it held exactly IM. called: below MM "
        "on the next day if it held exactly IM.",
    )


def _covered(coverage: float) -> Text:
    return Text(_percent(coverage, 3), style="" if coverage >= TARGET else "bold red")


def _asked(result: UniverseResult) -> RenderableType:
    table = _table("books", ("MM/gross", "isolated", "TIMS", "Reg T", "books drawn"))
    for one in result.kinds:
        fixed = one.fixed
        table.add_row(
            one.kind.title,
            f"{fixed.maintenance.mean():.1%}",
            f"{fixed.ratio_isolated:.2f}",
            f"{fixed.ratio_tims:.2f}",
            f"{fixed.ratio_reg_t:.2f}",
            str(len(fixed.maintenance)),
        )
    return _section(
        "What is asked, and our requirement over others'",
        table,
        "isolated: IM over the sum of each position's alone. TIMS: MM over TIMS, 15 % of a stock, 8 or 6 % of the "
        "index. Reg T: IM over Regulation T's initial requirement.",
    )


def _worst_days(result: UniverseResult) -> RenderableType:
    table = _table("day", ("index", "all books", "worst kind", ""))
    days = tested(result.universe, result.kinds[0].reviewed)
    index = result.universe.returns[-len(days) :, -1]
    for row in _worst(result.failed):
        worst = max(result.kinds, key=lambda one: float(one.reviewed.failed[row]))
        share = worst.reviewed.failed[row]
        table.add_row(
            str(days[row]), f"{index[row]:+.1%}", f"{result.failed[row]:.0%}", worst.kind.title, f"{share:.0%}"
        )
    return _section(
        "Worst days, tiers as reviewed: books that lost more than MM",
        table,
        "all books: the mean of the ten kinds. Then the kind that fared worst.",
    )


def _replays(result: UniverseResult) -> Iterator[RenderableType]:
    yield _section(
        "Replays: books over MM / over IM, percent",
        _replay_table(result, lambda one: f"{100 * one.failed:.0f} / {100 * one.bankrupt:.0f}"),
    )
    yield _section(
        "Replays: the worst loss over MM; what insurance pays if all held IM, % of gross",
        _replay_table(result, lambda one: f"{max(one.worst, 0):.1f}x {100 * one.beyond_initial:5.2f}"),
    )


def _replay_table(result: UniverseResult, cell: Callable[[Replay], str]) -> Table:
    days = result.kinds[0].replays
    table = _table("books", [str(one.day) for one in days])
    table.add_row("index", *(f"{one.index_return:+.1%}" for one in days))
    for one in result.kinds:
        table.add_row(one.kind.title, *map(cell, one.replays))
    return table


def _compared(asked: Mapping[str, Mapping[str, int | None]]) -> RenderableType:
    rules = list(next(iter(asked.values())))
    table = _table("worked book", rules)
    for name, by_rule in asked.items():
        amounts = (by_rule[rule] for rule in rules)
        table.add_row(name, *("" if amount is None else f"{Decimal(amount) / 1_000:.1f}" for amount in amounts))
    note = "Alone (each position by itself) and Reg T are initial requirements, the others maintenance."
    return _section("What everybody's rules ask for the worked books, thousand USD", table, note)


def _table(first: str, columns: Sequence[str]) -> Table:
    table = Table(box=SIMPLE_HEAD, pad_edge=False, padding=0, show_edge=False)
    table.add_column(first, no_wrap=True)
    for name in columns:
        table.add_column(name, justify="right", no_wrap=True)
    return table


def _section(title: str, table: Table, note: str = "") -> RenderableType:
    parts: list[RenderableType] = [Text(f"\n{title}", style="bold"), table]
    return Group(*parts, Text(note, style="dim")) if note else Group(*parts)


def _worst(failed: Array) -> list[int]:
    """The rows of the worst days, the worst first, of equals the earliest."""
    return [int(row) for row in np.argsort(-failed, kind="stable")[:WORST_DAYS]]


def _plain_replay(one: Replay) -> dict[str, float]:
    return {
        "index_return": _rounded(one.index_return),
        "over_mm": _rounded(one.failed),
        "over_im": _rounded(one.bankrupt),
        "worst_loss_over_mm": _rounded(one.worst),
        "insurance_at_im": _rounded(one.beyond_initial),
        "insurance_at_mm": _rounded(one.beyond_maintenance),
    }


def _rounded(value: float) -> float:
    # Sums of floats differ in the last digits from one processor to the next.
    return round(float(value), 8)


def _percent(share: float, digits: int) -> str:
    return f"{100 * share:.{digits}f}"
