"""The back-test from the prices to the report."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date
from pathlib import Path
from typing import Any

import numpy as np
from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

from prime_perps.backtest import compared, data, intraday, plots, tiers
from prime_perps.backtest.books import KINDS, Kind
from prime_perps.backtest.data import Universe
from prime_perps.backtest.measure import TARGET, follow, replay
from prime_perps.backtest.report import KindResult, Report, UniverseResult
from prime_perps.risk import RiskTable

STRESS = (date(1987, 10, 19), date(2000, 9, 29), date(2008, 9, 29), date(2020, 3, 12), date(2020, 3, 16))


@dataclass(frozen=True)
class Settings:
    """What a run depends on beside the prices. The same settings give the same report."""

    table: RiskTable
    seed: int
    books: int  # of each kind in each universe, or all there are if these are fewer


def bare(table: RiskTable) -> RiskTable:
    """The table with the least a net exposure can be charged, 0.5 %, and nothing for hedged pairs and tokens."""
    without = {"gamma": 50, "basis": 0, "wrapper": 0, "wrapper_other": 0}
    return RiskTable(table.globals, {name: replace(line, **without) for name, line in table.tiers.items()})


def run(output: Path, console: Console, settings: Settings) -> Report:
    """
    Measure every kind of book in both universes; write the pictures and report.json into `output`.
    Raises PricesMissing, HistoryMissing, BadRiskParameters, OSError.
    """
    started = time.monotonic()
    universes = data.universes()
    with _progress(console) as progress:
        bar = progress.add_task("", total=len(universes) * len(KINDS))
        results = []
        for universe in universes:
            eras = tiers.fixed(universe, settings.table), tiers.reviewed(universe, settings.table)
            measured = []
            for kind in KINDS:
                progress.update(bar, description=f"{universe.name}: {kind.title}")
                measured.append(_measure(universe, kind, *eras, settings))
                progress.advance(bar)
            results.append(UniverseResult(universe, eras[0][0].tiers, measured))
    report = Report(
        settings.seed,
        results,
        intraday.broken_by_extremes(1 - TARGET),
        seconds=time.monotonic() - started,
        compared=compared.asked(settings.table),
    )
    plots.draw(report, output)
    report.save(output / "report.json")
    return report


def _measure(
    universe: Universe, kind: Kind, fixed: Sequence[tiers.Era], reviewed: Sequence[tiers.Era], settings: Settings
) -> KindResult:
    # A generator of its own, so that no kind's books depend on the others.
    rng = np.random.default_rng([settings.seed, *universe.name.encode(), *kind.name.encode()])
    drawn = kind.draw(rng, len(universe.stocks), settings.books)
    replays = (replay(universe, reviewed, kind, drawn, settings.table, day) for day in STRESS)
    return KindResult(
        kind=kind,
        fixed=follow(universe, fixed, kind, drawn, settings.table),
        reviewed=follow(universe, reviewed, kind, drawn, settings.table),
        replays=[one for one in replays if one is not None],
        seed=settings.seed,
    )


def _progress(console: Console) -> Progress:
    columns: list[Any] = [
        TextColumn("{task.description:<26}"),
        BarColumn(),
        TextColumn("{task.completed}/{task.total}"),
    ]
    return Progress(*columns, TimeElapsedColumn(), console=console)
