"""The outcome: as tables for people, as JSON for programs."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from functools import cached_property
from pathlib import Path
from typing import Any

from rich.box import SIMPLE_HEAD
from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from prime_perps.stress.replay import Outcome
from prime_perps.units import BPS, WAD

UNIT = "wad USD (1e-18) unless a name says otherwise"
EXPLAINED_FROM = 1  # bps of gross


@dataclass(frozen=True)
class Gas:
    """What receipts of an anvil said, by function."""

    of: str  # which replay it was
    used: Mapping[str, Sequence[int]]

    def plain(self) -> dict[str, Any]:
        return {"measured_on": self.of} | {
            name: {"transactions": len(used), "mean": sum(used) // len(used), "most": max(used)}
            for name, used in self.used.items()
            if used
        }


@dataclass(frozen=True)
class Result:
    """One replay, summed up. Wad USD."""

    outcome: Outcome

    @property
    def taken_over(self) -> int:
        """Negative equity that went to takers and was made whole."""
        return sum(loss.amount for loss in self.outcome.record.losses)

    @property
    def standing(self) -> int:
        """Negative equity that customers are left with."""
        return sum(max(-customer.equity_after, 0) for customer in self.outcome.customers)

    @property
    def bad_debt(self) -> int:
        return self.taken_over + self.standing

    @property
    def bad_debt_bps(self) -> float:
        """Of the customers' gross at the opening."""
        return self.bad_debt * BPS / self.outcome.gross if self.outcome.gross else 0.0

    @property
    def rewards(self) -> int:
        """Paid to takers of accounts without equity: their losses, and what they earned."""
        return sum(taken.reward for taken in self.outcome.record.slices)

    @property
    def beyond_insurance(self) -> int:
        """What insurance could not pay when it was due."""
        return sum(loss.uncovered for loss in self.outcome.record.losses)

    @property
    def insurance_used(self) -> int:
        return self.rewards - self.beyond_insurance

    @property
    def discount(self) -> int:
        return sum(taken.discount for taken in self.outcome.record.slices)

    @property
    def liquidated(self) -> int:
        """Accounts."""
        return len({taken.account for taken in self.outcome.record.slices})

    @property
    def worst_health(self) -> float:
        worst = self.outcome.record.worst
        return worst[0] if worst else float("nan")

    @property
    def still_below(self) -> int:
        return sum(one.equity_after < one.maintenance_after for one in self.outcome.customers)

    @property
    def throttle(self) -> Any:
        return "off" if self.outcome.settings.no_throttle else self.outcome.throttle

    @cached_property
    def explanation(self) -> list[str]:
        """One line for each day that made bad debt, the costliest first; none below 1 bp of gross in all."""
        if self.bad_debt_bps <= EXPLAINED_FROM:
            return []
        by_day: dict[date, list[tuple[int, int]]] = defaultdict(list)
        for loss in self.outcome.record.losses:
            by_day[loss.day].append((loss.amount, loss.customer))
        days = sorted(by_day, key=lambda day: -sum(amount for amount, _ in by_day[day]))
        told = [self._explain(day, by_day[day]) for day in days]
        if self.standing:
            told.append(f"{_dollars(self.standing)} USD stand as negative equity that nobody has taken over.")
        return told

    def _explain(self, day: date, losses: Sequence[tuple[int, int]]) -> str:
        scenario = self.outcome.scenario
        row = scenario.days.index(day)
        moves = scenario.closes[row + 1] / scenario.closes[row] - 1
        furthest = max(range(len(moves)), key=lambda place: abs(moves[place]))
        total = sum(amount for amount, _ in losses)
        largest, number = max(losses)
        who = self.outcome.customers[number]
        accounts = len({customer for _, customer in losses})
        account = "account" if accounts == 1 else "accounts"
        return (
            f"{day}: {_dollars(total)} USD ({total * BPS / self.outcome.gross:.2f} bps) from {accounts} {account}; "
            f"the index moved {moves[-1]:+.1%}, {scenario.symbols[furthest]} {moves[furthest]:+.1%}"
            f"{self._opened(furthest, row)}. The largest, {_dollars(largest)} USD, was customer {number} ({who.kind}), "
            f"with a gross of {_dollars(who.gross)} and {who.equity / max(who.gross, 1):.1%} of it as equity at the "
            "opening."
        )

    def _opened(self, place: int, row: int) -> str:
        """How much of a move came before the open, where that is known."""
        bars = self.outcome.scenario.bars.get(place)
        if bars is None:
            return ""
        return f" (opened at {bars[row][0] / self.outcome.scenario.closes[row][place] - 1:+.1%})"

    def plain(self, gas: Gas | None) -> dict[str, Any]:
        outcome, scenario, record = self.outcome, self.outcome.scenario, self.outcome.record
        worst = record.worst
        return {
            "title": scenario.title,
            "prices": scenario.source,
            "opened": scenario.opened.isoformat(),
            "first_day": scenario.days[0].isoformat(),
            "last_day": scenario.days[-1].isoformat(),
            "unit": UNIT,
            "settings": outcome.settings.plain(),
            "throttle": self.throttle,
            "accounts": len(outcome.customers),
            "gross": outcome.gross,
            "bad_debt": self.bad_debt,
            "bad_debt_bps": round(self.bad_debt_bps, 4),
            "explanation": self.explanation,
            "borne_by": {
                "insurance": self.taken_over - self.beyond_insurance,
                "holders_of_cash": self.beyond_insurance,
                "nobody_yet": self.standing,
            },
            "insurance_funded": outcome.insurance_before,
            "insurance_used": self.insurance_used,
            "insurance_left": outcome.insurance_after,
            "socialised": record.socialised,
            "uncovered_at_the_end": outcome.uncovered,
            "liquidations": len(record.slices),
            "liquidated_accounts": self.liquidated,
            "auctions": record.auctions,
            "discount_paid": self.discount,
            "rewards_paid": self.rewards,
            "unwinding": {
                "trading": outcome.costs.trading,
                "redemption": outcome.costs.redemption,
                "refused_trades": outcome.costs.refused,
            },
            "worst_health": round(self.worst_health, 6),
            "worst_health_of": None if worst is None else {"customer": worst[1], "day": worst[2].isoformat()},
            "below_maintenance_at_the_end": self.still_below,
            "liquidations_by_day": self._by_day(),
            "kinds": self._kinds(),
            "losses": [
                {
                    "day": loss.day.isoformat(),
                    "customer": loss.customer,
                    "kind": outcome.customers[loss.customer].kind,
                    "amount": loss.amount,
                    "beyond_insurance": loss.uncovered,
                }
                for loss in record.losses
            ],
            "liquidators": {"equity_before": outcome.liquidators[0], "equity_after": outcome.liquidators[1]},
            "makers": {"equity_before": outcome.makers[0], "equity_after": outcome.makers[1]},
            "gas": None if gas is None else gas.plain(),
            "transactions": outcome.transactions,
            "looks": len(record.samples),
            "checks": {check.id: check.holds for check in outcome.checks},
            "walk": None if outcome.walk is None else outcome.walk.plain,
        }

    def _by_day(self) -> dict[str, int]:
        counted = dict.fromkeys((day.isoformat() for day in self.outcome.scenario.days), 0)
        for taken in self.outcome.record.slices:
            counted[taken.day.isoformat()] += 1
        return counted

    def _kinds(self) -> dict[str, dict[str, int]]:
        found: dict[str, dict[str, int]] = {}
        bad: dict[int, int] = defaultdict(int)
        for loss in self.outcome.record.losses:
            bad[loss.customer] += loss.amount
        for one in self.outcome.customers:
            sums = found.setdefault(
                one.kind,
                dict.fromkeys(("accounts", "gross", "equity", "equity_after", "liquidated", "slices", "bad_debt"), 0),
            )
            sums["accounts"] += 1
            sums["gross"] += one.gross
            sums["equity"] += one.equity
            sums["equity_after"] += one.equity_after
            sums["liquidated"] += one.slices > 0
            sums["slices"] += one.slices
            sums["bad_debt"] += bad[one.number] + max(-one.equity_after, 0)
        return found


@dataclass(frozen=True)
class Report:
    """Every replay of a run."""

    results: Sequence[Result]
    gas: Gas | None
    seconds: float

    @property
    def holds(self) -> bool:
        """Whether every book adds up."""
        return all(check.holds for result in self.results for check in result.outcome.checks)

    def save(self, path: Path) -> None:
        """
        Write the JSON, {replay: {...}}: money as integers of wad USD, nothing that depends on clock or machine. Written
        whole or not at all.
        """
        plain = {result.outcome.scenario.name: result.plain(self.gas) for result in self.results}
        scratch = path.with_name(path.name + ".new")
        scratch.write_text(json.dumps(plain, indent=2) + "\n")
        scratch.replace(path)

    def save_walks(self, folder: Path) -> list[Path]:
        """
        Write walk-<replay>.md of each replay in which a liquidation fits one, remove an earlier run's of the others.
        Returns their paths.
        """
        written = []
        for result in self.results:
            path = folder / f"walk-{result.outcome.scenario.name}.md"
            path.unlink(missing_ok=True)
            if result.outcome.walk is not None:
                path.write_text(result.outcome.walk.text)
                written.append(path)
        return written

    def render(self) -> Group:
        """Tables for a terminal of eighty columns."""
        parts: list[RenderableType] = [self._outcomes(), self._losses(), self._kinds()]
        if self.gas is not None:
            parts.append(_gas_table(self.gas))
        return Group(*parts, self._verdict())

    def _outcomes(self) -> RenderableType:
        table = _table("", [result.outcome.scenario.name for result in self.results])
        rows: list[tuple[str, Any]] = [
            (
                "index",
                lambda one: f"{one.outcome.scenario.closes[-1][-1] / one.outcome.scenario.closes[0][-1] - 1:+.1%}",
            ),
            ("accounts", lambda one: str(len(one.outcome.customers))),
            ("gross", lambda one: _dollars(one.outcome.gross)),
            ("liquidations", lambda one: f"{len(one.outcome.record.slices):,}"),
            ("accounts liquidated", lambda one: f"{one.liquidated:,}"),
            ("discount paid", lambda one: _dollars(one.discount)),
            ("worst health", lambda one: f"{one.worst_health:.3f}"),
            ("bad debt", lambda one: _dollars(one.bad_debt)),
            ("  bps of gross", lambda one: f"{one.bad_debt_bps:.3f}"),
            ("insurance paid in", lambda one: _dollars(one.outcome.insurance_before)),
            ("insurance used", lambda one: _dollars(one.insurance_used)),
            ("insurance left", lambda one: _dollars(one.outcome.insurance_after)),
            ("beyond insurance", lambda one: _dollars(one.beyond_insurance)),
            ("socialised", lambda one: _dollars(one.outcome.record.socialised)),
            ("below MM at the end", lambda one: str(one.still_below)),
            ("unwinding cost", lambda one: _dollars(one.outcome.costs.trading + one.outcome.costs.redemption)),
            ("liquidators' gain", lambda one: _dollars(one.outcome.liquidators[1] - one.outcome.liquidators[0])),
            ("throttle", lambda one: one.throttle if isinstance(one.throttle, str) else "on"),
            ("book adds up", lambda one: "yes" if all(check.holds for check in one.outcome.checks) else "NO"),
        ]
        for name, cell in rows:
            table.add_row(name, *(cell(result) for result in self.results))
        return _section("Replays, whole USD", table)

    def _losses(self) -> RenderableType:
        lines = [f"{result.outcome.scenario.name}: {line}" for result in self.results for line in result.explanation]
        if not lines:
            return Text("\nNo replay leaves bad debt above 1 bp of gross.", style="green")
        return Group(Text("\nBad debt above 1 bp of gross", style="bold red"), *map(Text, lines))

    def _kinds(self) -> RenderableType:
        table = _table("accounts liquidated / all", [result.outcome.scenario.name for result in self.results])
        by_replay = [result._kinds() for result in self.results]
        for kind in by_replay[0]:
            table.add_row(kind, *(f"{kinds[kind]['liquidated']} / {kinds[kind]['accounts']}" for kinds in by_replay))
        return _section("Who was liquidated", table)

    def _verdict(self) -> Text:
        told = "Every book adds up." if self.holds else "A BOOK DOES NOT ADD UP: see checks in report.json."
        return Text(f"\n{told} {self.seconds:.0f} seconds.", style="" if self.holds else "bold red")


def _gas_table(gas: Gas) -> RenderableType:
    table = _table("gas", ("transactions", "mean", "most"))
    for name, used in gas.used.items():
        if used:
            table.add_row(name, f"{len(used):,}", f"{sum(used) // len(used):,}", f"{max(used):,}")
    return _section(f"Gas by anvil's receipts: {gas.of}", table)


def _table(first: str, columns: Sequence[str]) -> Table:
    table = Table(box=SIMPLE_HEAD, pad_edge=False, show_edge=False)
    table.add_column(first, no_wrap=True)
    for name in columns:
        table.add_column(name, justify="right", no_wrap=True)
    return table


def _section(title: str, table: Table) -> RenderableType:
    return Group(Text(f"\n{title}", style="bold"), table)


def _dollars(amount: int) -> str:
    return f"{(amount + WAD // 2) // WAD:,}"
