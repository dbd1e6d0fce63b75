"""What a run of the mutation tester found: the score, what survived, and what it says of the list of equivalents."""

from __future__ import annotations

import json
import tomllib
from collections import Counter
from dataclasses import asdict, dataclass, field
from enum import StrEnum
from functools import cached_property
from pathlib import Path

from rich.console import Console
from rich.table import Table
from rich.text import Text

from tests.mutation.judge import Finding, Verdict
from tests.mutation.operators import OPERATORS, Mutant

EQUIVALENTS = Path(__file__).with_name("equivalent.toml")


class Outcome(StrEnum):
    """A verdict, or that no test could tell."""

    KILLED = "killed"
    SURVIVED = "survived"
    EQUIVALENT = "equivalent"
    STILLBORN = "stillborn"


@dataclass(frozen=True)
class Equivalent:
    """A mutant that computes the same, named by the lines it touches, and why it does."""

    file: str
    function: str
    before: str
    after: str
    reason: str

    @property
    def key(self) -> tuple[str, str, str, str]:
        return self.file, self.function, self.before, self.after


def load_equivalents(path: Path = EQUIVALENTS) -> list[Equivalent]:
    """The list of mutants that are none. Raises TypeError for an entry with other fields."""
    return [Equivalent(**entry) for entry in tomllib.loads(path.read_text()).get("mutant", [])]


def stale(equivalents: list[Equivalent], mutants: list[Mutant]) -> list[str]:
    """What is wrong with entries that name no mutant, or one that is named already."""
    known, times = {mutant.key for mutant in mutants}, Counter(entry.key for entry in equivalents)
    lost = [f"no longer a mutant: {entry.before} -> {entry.after}" for entry in equivalents if entry.key not in known]
    return lost + [f"listed {number} times: {key[2]} -> {key[3]}" for key, number in times.items() if number > 1]


@dataclass
class Report:
    """Findings as they come in."""

    equivalents: list[Equivalent]
    findings: list[Finding] = field(default_factory=list)

    @cached_property
    def _known(self) -> set[tuple[str, str, str, str]]:
        return {entry.key for entry in self.equivalents}

    def add(self, finding: Finding) -> Outcome:
        self.findings.append(finding)
        return self.outcome(finding)

    def outcome(self, finding: Finding) -> Outcome:
        if finding.verdict is Verdict.SURVIVED and finding.mutant.key in self._known:
            return Outcome.EQUIVALENT
        return Outcome(finding.verdict.value)

    def counts(self, operator: str | None = None) -> dict[str, int]:
        """How many had each outcome, of one operator or of all."""
        some = [self.outcome(f) for f in self.findings if operator in (None, f.mutant.operator)]
        return {outcome.value: some.count(outcome) for outcome in Outcome}

    @property
    def score(self) -> float:
        """Per cent caught of what can be caught; 100 of nothing."""
        counts = self.counts()
        told = counts["killed"] + counts["survived"]
        return 100 * counts["killed"] / told if told else 100.0

    def __str__(self) -> str:
        counts = self.counts()
        told = counts["killed"] + counts["survived"]
        rest = f"{counts['equivalent']} equivalent, {counts['stillborn']} do not compile"
        return f"score {self.score:.1f} %: {counts['killed']} of {told} caught; {rest}"

    @property
    def survivors(self) -> list[Mutant]:
        found = [finding.mutant for finding in self.findings if self.outcome(finding) is Outcome.SURVIVED]
        return sorted(found, key=lambda mutant: (mutant.file, mutant.line))

    def refuted(self) -> list[str]:
        """Entries of the list of equivalents that a test does tell from the contract."""
        # A line that stands twice in a function has one entry and two mutants: one of them alive is enough.
        alive = {finding.mutant.key for finding in self.findings if finding.verdict is Verdict.SURVIVED}
        told = {finding.mutant.key: finding for finding in self.findings if finding.verdict is not Verdict.SURVIVED}
        wrong = [told[entry.key] for entry in self.equivalents if entry.key in told and entry.key not in alive]
        return [f"not equivalent, {finding.verdict} by {finding.by}: {finding.mutant}" for finding in wrong]

    def show(self, console: Console) -> None:
        """Survivors with what they changed, then the outcomes by operator."""
        if self.survivors:
            table = Table("operator", "where and what", title="Survivors", show_lines=True)
            for mutant in self.survivors:
                change = Text(f"- {mutant.before}\n", style="red") + Text(f"+ {mutant.after}", style="green")
                table.add_row(mutant.operator, Text(f"{mutant.file}:{mutant.line} {mutant.function}\n") + change)
            console.print(table)
        table = Table("operator", *Outcome, title="Outcomes")
        for operator in OPERATORS:
            if any((counts := self.counts(operator)).values()):
                table.add_row(operator, *map(str, counts.values()))
        console.print(table)

    def write(self, path: Path, *, complete: bool) -> None:
        """The same for programs."""
        told = {
            "score": round(self.score, 2),
            **self.counts(),
            "complete": complete,
            "by_operator": {operator: self.counts(operator) for operator in OPERATORS},
            "survivors": [_without_source(mutant) for mutant in self.survivors],
        }
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps(told, indent=2) + "\n")


def _without_source(mutant: Mutant) -> dict[str, object]:
    return {name: value for name, value in asdict(mutant).items() if name != "source"}
