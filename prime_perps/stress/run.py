"""A run from the names of replays to the report."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

from prime_perps import compiler
from prime_perps.stress import plots, replay, scenarios, whatif
from prime_perps.stress.jobs import Task, run_all
from prime_perps.stress.path import Path as PricePath
from prime_perps.stress.report import Gas, Report, Result
from prime_perps.stress.scenarios import Scenario
from prime_perps.stress.settings import LEAST_ACCOUNTS, Settings

# Gas depends on books, not on how many there are: a third of the accounts and one day tell it.
GAS_ACCOUNTS = 6 * LEAST_ACCOUNTS
GAS = "gas"


def run(
    output: Path,
    console: Console,
    names: Sequence[str],
    settings: Settings,
    *,
    jobs: int = 2,
    anvil: bool = False,
    gas: bool = True,
) -> Report:
    """
    Replay by name; pictures, walks, report.json and the keepers' logs go into `output`. `anvil`: everything on nodes,
    not in process. `gas`: one day more on a node, for its receipts. Raises PricesMissing, HistoryMissing, AnvilMissing,
    Revert, NodeError, OSError. A report of an earlier run is removed first, a new one comes only with the end.
    """
    with console.status("Reading prices"):
        table = whatif.table()
        loaded = [scenarios.load(name, table).shortened(settings.days) for name in names]
    return run_scenarios(output, console, loaded, settings, jobs=jobs, anvil=anvil, gas=gas)


def run_scenarios(
    output: Path,
    console: Console,
    loaded: Sequence[Scenario],
    settings: Settings,
    *,
    jobs: int,
    anvil: bool,
    gas: bool,
) -> Report:
    """The same of scenarios that are at hand."""
    started = time.monotonic()
    (output / "report.json").unlink(missing_ok=True)
    with console.status("Compiling the contracts"):
        compiler.load_all()
    engine = replay.on_anvil if anvil else replay.in_process
    tasks = [Task(one.name, partial(engine, one, settings), output / f"{one.name}.log") for one in loaded]
    # The longest first, so that the others fill the time beside it.
    tasks.sort(key=lambda task: -len(next(one for one in loaded if one.name == task.name).days))
    totals = {one.name: len(PricePath(one, settings.seed).instants) for one in loaded}
    if gas and not anvil:
        day = loaded[0].shortened(1)
        fewer = replace(settings, accounts=min(settings.accounts, GAS_ACCOUNTS))
        tasks.append(Task(GAS, partial(replay.on_anvil, day, fewer), output / f"{GAS}.log"))
        totals[GAS] = len(PricePath(day, settings.seed).instants)
    outcomes = _watched(tasks, totals, jobs, console)
    report = Report(
        results=[Result(outcomes[one.name]) for one in loaded],
        gas=_gas(outcomes[loaded[0].name] if anvil else outcomes.get(GAS)),
        seconds=time.monotonic() - started,
    )
    plots.draw(report.results, output)
    report.save_walks(output)
    report.save(output / "report.json")
    return report


def _watched(
    tasks: Sequence[Task], totals: Mapping[str, int], jobs: int, console: Console
) -> Mapping[str, replay.Outcome]:
    columns: list[Any] = [
        TextColumn("{task.description:<18}"),
        BarColumn(),
        TextColumn("{task.completed}/{task.total}"),
    ]
    with Progress(*columns, TimeElapsedColumn(), console=console) as progress:
        bars = {task.name: progress.add_task(task.name, total=totals[task.name]) for task in tasks}

        def tell(name: str, done: int, day: str) -> None:
            progress.update(bars[name], completed=done, description=f"{name}  {day}" if name == GAS else day)

        return run_all(tasks, jobs, tell)


def _gas(outcome: replay.Outcome | None) -> Gas | None:
    if outcome is None:
        return None
    days = outcome.scenario.days
    until = f" to {days[-1]}" if len(days) > 1 else ""
    return Gas(f"{days[0]}{until}, {len(outcome.customers)} accounts", outcome.gas)
