"""What another risk table would change: field by field, and for every account at the prices of one moment.

A new table comes into force over a ramp (docs/margin.md): maintenance margin moves from the old table's to the new
one's in a straight line, initial margin is the new one's at once where that is more. So what it will do to an account
is known to the second before it is used, as long as prices, sessions and the account stay as they are.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, fields, replace
from enum import StrEnum
from functools import cached_property
from typing import Any

from prime_perps import balance_sheet
from prime_perps.errors import Revert
from prime_perps.liquidation import Doubts, liquidatable, live_margin, maintenance_of_live
from prime_perps.margin import Closure, Exposure, Globals, Line, Table, div_up, requirements
from prime_perps.reports import Word
from prime_perps.risk import GROUPS, BadRiskParameters, RiskTable

DAY = 86_400
NAMED = {"symbol", "tier"}


class Effect(StrEnum):
    """What a change does to the margin of a book."""

    MORE = "charges more"
    LESS = "charges less"
    EITHER = "cuts both ways"
    NOTHING = "charges the same"
    ADDED = "new line"
    LOST = "line lost"


# What raises one book and lowers another; every other field charges no book less when it rises, or when it falls
# (MM-7 in docs/margin.md).
EITHER_WAY = frozenset({"group", "beta", "hours"})
FALLING = frozenset({"depth"})


@dataclass(frozen=True)
class Change:
    """One field that differs. `old` is None in a line that is added, `new` in one that is lost."""

    underlying: int | None  # None for a global
    field: str  # as in a risk file
    old: int | None
    new: int | None
    effect: Effect


def changes(old: Table, new: Table) -> list[Change]:
    """Every field that differs, the globals first."""
    found = list(_global_changes(old.globals, new.globals))
    for underlying in range(max(len(old.lines), len(new.lines))):
        before, after = _line(old, underlying), _line(new, underlying)
        found += _line_changes(underlying, before, after)
    return found


def guardian_may(old: Table, new: Table) -> bool:
    """Whether the new table charges no book less, so that the guardian may use it alone and at once."""
    return all(change.effect in (Effect.MORE, Effect.NOTHING) for change in changes(old, new))


def table_of(file: RiskTable, parameters: Any, listed: Mapping[int, str]) -> tuple[Table, dict[int, str]]:
    """
    The table a risk file makes of a deployment, and the symbol of each of its lines. `parameters`: the content of the
    deployment's parameters file, whose i-th underlying names the tier of line i. `listed`: what the deployment has, by
    number; what the parameters have beyond it becomes new lines. Raises BadRiskParameters, naming the entry.
    """
    entries = parameters.get("underlyings") if isinstance(parameters, dict) else None
    if not isinstance(entries, list) or not all(isinstance(e, dict) and e.keys() >= NAMED for e in entries):
        raise BadRiskParameters("the parameters do not list underlyings with a symbol and a tier each")
    symbols = {number: str(entry["symbol"]) for number, entry in enumerate(entries)}
    for number, symbol in sorted(listed.items()):
        named = symbols.get(number, "missing")
        if named != symbol:
            raise BadRiskParameters(f"underlying {number} is {symbol} in the deployment, {named} in the parameters")
    return file.table(entry["tier"] for entry in entries), symbols


@dataclass(frozen=True)
class Level:
    """Equity against what is asked for at one moment, wad."""

    equity: int
    doubts: Doubts
    maintenance: int
    of_live_lines: int  # maintenance margin of the lines at whose price somebody can trade, alone
    initial: int

    @property
    def doubt(self) -> int:
        return self.doubts.doubt

    @property
    def slow(self) -> int:
        return self.doubts.slow

    @property
    def live(self) -> int:
        return live_margin(self.maintenance, self.of_live_lines, self.doubts)

    @property
    def verdict(self) -> str:
        """In words, as `ape run account` says it."""
        return balance_sheet.verdict(self)

    @property
    def below_initial(self) -> bool:
        return min(self.equity, self.equity + self.slow) < self.initial

    @property
    def below_maintenance(self) -> bool:
        return self.equity < self.maintenance

    @property
    def liquidatable(self) -> bool:
        return liquidatable(self)


@dataclass(frozen=True)
class Book:
    """An account as the margin model sees it."""

    account: int
    lines: Sequence[tuple[Exposure, Word]]
    closure: Closure
    debt: int  # wad
    charged: Level  # by the chain, when the book was read

    @classmethod
    def of(cls, account: int, summary: Any) -> Book:
        """From an IAccountLens.Summary, exactly."""
        margin = summary.margin
        lines = list(zip(balance_sheet.exposures(summary), balance_sheet.words(summary), strict=True))
        return cls(
            account=account,
            lines=lines,
            closure=Closure(*summary.closure),
            debt=max(-margin.cash, 0),
            # what the chain asks of the live lines alone it does not tell: `live` is the lesser of the two
            charged=Level(margin.equity, Doubts.of(lines), margin.maintenance, margin.maintenance, margin.initial),
        )

    def under(self, table: Table) -> Level:
        """With this table alone. Raises Revert for an underlying it has no line for."""
        exposures = [exposure for exposure, _ in self.lines]
        maintenance, initial = requirements(exposures, self.closure, self.debt, table)
        of_live_lines = maintenance_of_live(self.lines, self.closure, table)
        return replace(self.charged, maintenance=maintenance, of_live_lines=of_live_lines, initial=initial)

    def is_explained_by(self, tables: Iterable[Table]) -> bool:
        """Whether the chain charges what the table asks for; of two, while one follows the other, something between."""
        levels = [self.under(table) for table in tables]
        return all(
            min(asked) <= charged <= max(asked)
            for charged, asked in (
                (self.charged.maintenance, [level.maintenance for level in levels]),
                (self.charged.initial, [level.initial for level in levels]),
            )
        )


@dataclass(frozen=True)
class Outlook:
    """One account before, during and after a ramp of `ramp` seconds."""

    account: int
    old: Level
    new: Level
    ramp: int

    def at(self, elapsed: int) -> Level:
        """
        What the chain will ask for so many seconds after the ramp has begun, to the wei; what interest does to cash
        until then, and to the initial margin of a loan, is left out.
        """
        left = min(max(self.ramp - elapsed, 0), self.ramp)
        return replace(
            self.old,
            maintenance=self._mean(self.old.maintenance, self.new.maintenance, left),
            of_live_lines=self._mean(self.old.of_live_lines, self.new.of_live_lines, left),
            initial=max(self._mean(self.old.initial, self.new.initial, left), self.new.initial),
        )

    def by_day(self) -> list[Level]:
        """When the ramp begins, every 24 hours from then on, and when it ends."""
        return [self.at(moment) for moment in moments(self.ramp)]

    @property
    def falls_below_initial(self) -> bool:
        """It may only reduce risk from the moment the table is used, and could do more before."""
        return self.new.below_initial and not self.old.below_initial

    @property
    def falls_below_maintenance(self) -> bool:
        return self.new.below_maintenance and not self.old.below_maintenance

    @property
    def becomes_liquidatable(self) -> bool:
        return self.new.liquidatable and not self.old.liquidatable

    @property
    def falls(self) -> bool:
        return self.falls_below_initial or self.falls_below_maintenance or self.becomes_liquidatable

    @property
    def below_maintenance_after(self) -> int | None:
        """Seconds from the start of the ramp until equity is below maintenance margin; None if that does not come."""
        return self._passes(self.old.equity, self.old.maintenance, self.new.maintenance)

    @property
    def liquidatable_after(self) -> int | None:
        """Seconds from the start of the ramp until it can be liquidated; None if that does not come."""
        doubts, favoured = self.old.doubts, self.old.equity + self.old.doubt
        # both requirements have to pass the same one of two levels: at the moment the later of them does, if ever
        levels = (favoured + max(self.old.slow, 0), 3 * favoured // 2)
        asked = (
            (doubts.doubt, self.old.maintenance, self.new.maintenance),
            (doubts.doubt - doubts.frozen, self.old.of_live_lines, self.new.of_live_lines),
        )
        found = (self._passes(level + less, start, end) for level in levels for less, start, end in asked)
        return next((at for at in sorted(at for at in found if at is not None) if self.at(at).liquidatable), None)

    def _mean(self, old: int, new: int, left: int) -> int:
        return div_up(old * left + new * (self.ramp - left), self.ramp)

    def _passes(self, level: int, start: int, end: int) -> int | None:
        """The first second at which what is asked for, from `start` to `end`, is above `level`."""
        if start > level:
            return 0
        if end <= level:
            return None
        return (level - start) * self.ramp // (end - start) + 1


def moments(ramp: int) -> list[int]:
    """Seconds from the start of a ramp: 0, every 24 hours, and its end."""
    return [*range(0, ramp, DAY), ramp]


@dataclass(frozen=True)
class Comparison:
    """Two tables and what the step from one to the other does to every account."""

    old: Table
    new: Table
    ramp: int
    outlooks: Sequence[Outlook]
    unreadable: Mapping[int, str]  # accounts without an outlook, and why
    settled: bool = True  # whether the old table is wholly in force, without which a guardian may not go on from it

    @classmethod
    def of(
        cls,
        old: Table,
        new: Table,
        ramp: int,
        books: Iterable[Book],
        unreadable: Mapping[int, str],
        before: Sequence[Table] = (),
    ) -> Comparison:
        """
        `before`: the tables that `old` is still coming in after; none of them is left once `new` can begin. An account
        that a table cannot margin, or whose margins these tables do not explain, joins the unreadable ones.
        """
        outlooks, failed = [], dict(unreadable)
        for book in books:
            try:
                outlook = Outlook(book.account, book.under(old), book.under(new), ramp)
                if book.is_explained_by([*before, old]):
                    outlooks.append(outlook)
                else:
                    failed[book.account] = "the chain charges what these tables do not explain"
            except Revert as revert:
                failed[book.account] = revert.reason
        return cls(old, new, ramp, outlooks, failed, settled=not before)

    @cached_property
    def changes(self) -> list[Change]:
        return changes(self.old, self.new)

    @property
    def guardian_may(self) -> bool:
        return self.settled and guardian_may(self.old, self.new)

    @property
    def falling(self) -> list[Outlook]:
        """The accounts that would fall below a margin they meet today, the soonest and largest first."""
        never = self.ramp + 1
        return sorted(
            (outlook for outlook in self.outlooks if outlook.falls),
            key=lambda one: (
                never if one.liquidatable_after is None else one.liquidatable_after,
                never if one.below_maintenance_after is None else one.below_maintenance_after,
                -one.new.initial,
            ),
        )

    @property
    def warnings(self) -> list[str]:
        """What is to be known before anything else is read."""
        told = []
        if not self.changes:
            told.append("nothing changes: the two tables are the same")
        lost = len(self.old.lines) - len(self.new.lines)
        if lost > 0:
            told.append(f"the new table has {lost} fewer lines: the model refuses it (model: table loses lines)")
        if self.unreadable:
            told.append(f"{len(self.unreadable)} accounts could not be evaluated: what happens to them is not known")
        return told


def _line(table: Table, underlying: int) -> Line | None:
    return table.lines[underlying] if underlying < len(table.lines) else None


def _global_changes(old: Globals, new: Globals) -> Iterator[Change]:
    for name, before, after in zip(GROUPS, old.phi, new.phi, strict=True):
        if before != after:
            yield Change(None, f"phi.{name}", before, after, _effect("phi", before, after))
    for entry in fields(Globals):
        before, after = getattr(old, entry.name), getattr(new, entry.name)
        if entry.name != "phi" and before != after:
            yield Change(None, entry.name, before, after, _effect(entry.name, before, after))


def _line_changes(underlying: int, old: Line | None, new: Line | None) -> Iterator[Change]:
    for entry in fields(Line):
        before = None if old is None else int(getattr(old, entry.name))
        after = None if new is None else int(getattr(new, entry.name))
        if before != after:
            # without a slope the depth charged nothing
            charges = entry.name != "depth" or old is None or old.slope != 0
            effect = _effect(entry.name, before, after) if charges else Effect.NOTHING
            yield Change(underlying, entry.name, before, after, effect)


def _effect(name: str, old: int | None, new: int | None) -> Effect:
    if old is None or new is None:
        return Effect.ADDED if old is None else Effect.LOST
    if name in EITHER_WAY:
        return Effect.EITHER
    return Effect.MORE if (new > old) != (name in FALLING) else Effect.LESS
