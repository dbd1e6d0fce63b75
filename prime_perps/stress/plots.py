"""Pictures of each replay: the index, everybody's health, liquidations and insurance, one above the other.

Floats are for the screen only.
"""

from __future__ import annotations

from bisect import bisect_right
from collections import Counter
from collections.abc import Sequence
from datetime import date
from pathlib import Path

import matplotlib as mpl

mpl.use("Agg")

import numpy as np
from matplotlib import pyplot as plt
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from prime_perps.demo.drawing import STYLE
from prime_perps.reports import Session
from prime_perps.stress.record import Sample
from prime_perps.stress.report import Result
from prime_perps.stress.scenarios import OPENING
from prime_perps.units import WAD

INDEX, MEDIAN, BAND, WORST, SOLD, INSURANCE, LIMIT = (
    "#1a1a1a",
    "#0072b2",
    "#56b4e9",
    "#d55e00",
    "#c0392b",
    "#009e73",
    "#c0392b",
)
HEALTHIEST = 3.5  # of what is drawn; above it nothing happens
DATES = 9  # along the axis, about
LEAST_RANGE = 0.1  # of an amount that hardly changes, for its axis
HOURS = 6.5 * 3_600

Place = tuple[float, bool]  # number of the day and how much of its hours has passed; whether it has opened


def draw(results: Sequence[Result], folder: Path) -> list[Path]:
    """Write stress-<replay>.png of each. Returns their paths."""
    written = []
    with mpl.rc_context(STYLE):
        for result in results:
            path = folder / f"stress-{result.outcome.scenario.name}.png"
            figure = _replay(result)
            figure.savefig(path, bbox_inches="tight")
            plt.close(figure)
            written.append(path)
    return written


def _replay(result: Result) -> Figure:
    scenario, record = result.outcome.scenario, result.outcome.record
    figure, grid = plt.subplots(4, 1, figsize=(9.5, 9.5), sharex=True, height_ratios=(2, 3, 2, 1.6))
    days = list(scenario.days)
    places = _places(record.samples, days)
    _index(grid[0], places, record.samples)
    # Before the open prices are in doubt or shut, and nobody's health is what it seems.
    known = [place for place, (_, begun) in enumerate(places) if begun]
    _health(grid[1], [places[place][0] for place in known], [record.samples[place] for place in known])
    _liquidations(grid[2], result, days)
    _insurance(grid[3], places, record.samples)
    step = max(1, -(-len(days) // DATES))
    grid[3].set_xticks(range(0, len(days), step), [f"{day:%-d %b}" for day in days[::step]], ha="left")
    grid[3].set_xlim(-0.05 * max(len(days) / 10, 1), len(days) + 0.02)
    grid[3].set_xlabel("trading days, each from its open to its close; nights and weekends take no room")
    figure.suptitle(
        f"{scenario.title}: {len(result.outcome.customers)} accounts, "
        f"{result.outcome.gross / WAD / 10**6:,.1f} million USD gross",
        x=0.01,
        ha="left",
        fontsize=11,
        fontweight="bold",
    )
    figure.tight_layout()
    return figure


def _index(axes: Axes, places: Sequence[Place], samples: Sequence[Sample]) -> None:
    at = [0.0, *(place for place, _ in places)]
    axes.plot(at, [OPENING, *(sample.index for sample in samples)], color=INDEX, linewidth=1.1)
    axes.set_title("Index, 100 at the opening of the accounts")


def _health(axes: Axes, places: Sequence[float], samples: Sequence[Sample]) -> None:
    worst = np.array([sample.worst for sample in samples])
    twentieth, quarter, median = (np.array([sample.shares[n] for sample in samples]) for n in range(3))
    axes.fill_between(places, np.minimum(quarter, HEALTHIEST), np.minimum(median, HEALTHIEST), color=BAND, alpha=0.35)
    axes.fill_between(places, np.minimum(twentieth, HEALTHIEST), np.minimum(quarter, HEALTHIEST), color=BAND, alpha=0.6)
    axes.plot(places, np.minimum(median, HEALTHIEST), color=MEDIAN, linewidth=1.3, label="median")
    axes.plot(places, quarter, color=MEDIAN, linewidth=0.7, label="a quarter is below")
    axes.plot(places, twentieth, color=MEDIAN, linewidth=0.7, linestyle=(0, (4, 2)), label="one in twenty is below")
    axes.plot(places, worst, color=WORST, linewidth=0.9, label="worst")
    axes.axhline(1, color=LIMIT, linewidth=1, linestyle=(0, (2, 2)))
    axes.set_ylim(min(-0.1, float(worst.min()) - 0.1), HEALTHIEST)
    axes.set_title("Health of customers: equity over maintenance margin; below 1 they may be sold")
    axes.legend(loc="lower right", ncols=4, fontsize=8)


def _liquidations(axes: Axes, result: Result, days: Sequence[date]) -> None:
    slices = result.outcome.record.slices
    counted = Counter(taken.day for taken in slices)
    first = Counter(dict.fromkeys(days, 0))
    for account in {taken.account for taken in slices}:
        first[next(taken.day for taken in slices if taken.account == account)] += 1
    middles = [place + 0.5 for place in range(len(days))]
    axes.bar(middles, [counted[day] for day in days], 0.84, color="#e8b4ae", label="slices")
    axes.bar(middles, [first[day] for day in days], 0.84, color=SOLD, label="accounts sold from for the first time")
    axes.set_title(f"Liquidations by day: {len(slices):,} slices of {result.liquidated:,} accounts")
    axes.set_ylim(0, 1.35 * max(counted.values(), default=1))
    axes.legend(loc="upper right", ncols=2, fontsize=8)


def _insurance(axes: Axes, places: Sequence[Place], samples: Sequence[Sample]) -> None:
    axes.step(
        [place for place, _ in places],
        [sample.insurance / WAD / 1_000 for sample in samples],
        where="post",
        color=INSURANCE,
    )
    low, high = axes.get_ylim()
    margin = max(high - low, LEAST_RANGE * max(abs(low), abs(high), 1)) / 2
    axes.set_ylim((low + high) / 2 - margin, (low + high) / 2 + margin)
    axes.set_title("Insurance, thousand USD; the axis need not begin at nought")


def _places(samples: Sequence[Sample], days: Sequence[date]) -> list[Place]:
    """After the close all of the day's hours have passed, before the open none of them."""
    opens: dict[date, int] = {}
    for sample in samples:
        if sample.session is Session.REGULAR:
            opens.setdefault(sample.day, sample.time)
    places = []
    for sample in samples:
        done = (sample.time - opens[sample.day]) / HOURS
        places.append((bisect_right(days, sample.day) - 1 + min(max(done, 0.0), 1.0), done >= 0))
    return places
