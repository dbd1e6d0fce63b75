"""Spoil the margin model in every small way there is, and see whether its tests notice.

    make mutate                            all of it, some minutes
    make mutate ARGS="--sample 40"         forty mutants, always the same
    make mutate ARGS="--only _sqrt_up"     those that name it: a line, a function, a file, an operator
    make mutate ARGS="--list"              what there is, without trying any

Fails below the threshold, and when the list of equivalent mutants is wrong. How to read it: tests/README.md.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from random import Random

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from prime_perps.compiler import ROOT
from tests.mutation.judge import Broken, Finding, judge
from tests.mutation.operators import Mutant, mutants
from tests.mutation.report import Outcome, Report, load_equivalents, stale

CONTRACTS = ("MarginModel", "ModelFactory")
TARGETS = (
    "contracts/modules/margin/formula.vy",
    "contracts/modules/margin/risk_table.vy",
    "contracts/modules/margin/charges.vy",
    "contracts/MarginModel.vy",
    "contracts/ModelFactory.vy",
)
# Fastest first: most mutants do not outlive the unit tests.
SUITES = tuple(
    ROOT / "tests" / suite
    for suite in ("unit/margin_model", "unit/model_factory", "differential/test_margin_model.py", "property/margin")
)
REPORT = ROOT / "build" / "mutate" / "report.json"


def main(arguments: list[str] | None = None) -> int:
    """0 if the tests are good enough, 1 if not, 130 when interrupted. Exits when asked for what is not there."""
    options = _options(arguments)
    # This very stream: sys.stdout is another one while pytest speaks.
    console = Console(file=sys.stdout)
    every = every_mutant()
    chosen = _chosen(every, options.only, options.sample, options.seed)
    if not chosen:
        sys.exit(f"no mutant is named by {options.only!r}: see --list")
    if options.list:
        for mutant in chosen:
            console.print(str(mutant), markup=False, highlight=False, soft_wrap=True)
        return 0
    report = Report(load_equivalents())
    wrong = stale(report.equivalents, every)
    try:
        complete = _run(chosen, report, options.jobs, console)
    except Broken as broken:
        console.print(str(broken), style="red", markup=False)
        return 1
    report.show(console)
    report.write(REPORT, complete=complete)
    for fault in wrong + report.refuted():
        console.print(f"equivalent.toml: {fault}", style="red", markup=False)
    console.print(f"{report}; {REPORT.relative_to(ROOT)}", highlight=False, soft_wrap=True)
    if not complete:
        return 130
    return int(report.score < options.threshold or bool(wrong + report.refuted()))


def _options(arguments: list[str] | None) -> argparse.Namespace:
    assert __doc__ is not None
    parser = argparse.ArgumentParser("make mutate", description=__doc__.splitlines()[0])
    parser.add_argument("--list", action="store_true", help="print the mutants and stop")
    parser.add_argument("--only", metavar="TEXT", default="", help="those with TEXT in their place or change")
    parser.add_argument("--sample", metavar="N", type=int, help="as many, chosen by the seed")
    parser.add_argument("--seed", metavar="N", type=int, default=1, help="of the sample (1)")
    parser.add_argument("--jobs", metavar="N", type=int, default=2, help="processes (2)")
    parser.add_argument("--threshold", metavar="PERCENT", type=float, default=95, help="least score to pass (95)")
    options = parser.parse_args(arguments)
    if options.jobs < 1:
        parser.error("--jobs: at least 1")
    return options


def every_mutant() -> list[Mutant]:
    """Of all targets, in their order."""
    sources = {file: (ROOT / file).read_text() for file in TARGETS}
    modules = {Path(file).stem: source for file, source in sources.items()}
    found: list[Mutant] = []
    for file, source in sources.items():
        found += mutants(file, source, {name: text for name, text in modules.items() if f"import {name}\n" in source})
    return found


def _chosen(every: list[Mutant], only: str, sample: int | None, seed: int) -> list[Mutant]:
    some = [mutant for mutant in every if only in f"{mutant} {mutant.function}"]
    if sample is None or sample >= len(some):
        return some
    return Random(seed).sample(some, sample)


def _run(chosen: list[Mutant], report: Report, jobs: int, console: Console) -> bool:
    """Whether it came to the end."""
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    # Without a thread of its own, because processes are forked beside it.
    with Progress(*columns, console=console, auto_refresh=False) as progress:
        task = progress.add_task("the contract itself", total=len(chosen))

        def tell(finding: Finding) -> None:
            if report.add(finding) is Outcome.SURVIVED:
                console.print(f"survived: {finding.mutant}", markup=False, highlight=False, soft_wrap=True)
            counts = report.counts()
            progress.update(task, advance=1, description=f"{counts['killed']} killed, {counts['survived']} survived")
            progress.refresh()

        progress.refresh()
        try:
            judge(chosen, CONTRACTS, SUITES, jobs, tell)
        except KeyboardInterrupt:
            return False
    return True


if __name__ == "__main__":
    sys.exit(main())
