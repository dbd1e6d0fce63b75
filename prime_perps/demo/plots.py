"""Pictures of the replay: prices, every customer's equity against its margins, and what each method asks for.

Floats are for the screen only.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import pairwise
from pathlib import Path
from typing import Any

import matplotlib as mpl
import matplotlib.dates as mdates
from matplotlib import pyplot as plt
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.ticker import FuncFormatter

from prime_perps.demo.cast import STOCKS, Actor
from prime_perps.demo.drawing import (
    EQUITY,
    INITIAL,
    MAINTENANCE,
    SHUT,
    SOLD,
    STYLE,
    dollars,
    thousands,
    time_of,
)
from prime_perps.demo.record import Record, Sample, SliceTaken
from prime_perps.demo.report import AccountReport
from prime_perps.reports import Session

# Distinguishable without red and green.
COLORS = {"AAPL": "#0072b2", "IBM": "#d55e00", "MSFT": "#009e73", "GOOG": "#cc79a7"}
METHODS = (
    ("portfolio (ours)", "ours", "#0072b2"),
    ("position by position", "position_by_position", "#e69f00"),
    ("Regulation T", "regulation_t", "#999999"),
)


def draw(record: Record, customers: Sequence[Actor], accounts: Sequence[AccountReport], folder: Path) -> list[Path]:
    """Write prices.png, accounts.png and margin.png. Returns their paths."""
    folder.mkdir(parents=True, exist_ok=True)
    with mpl.rc_context(STYLE):
        figures = {
            "prices.png": _prices(record),
            "accounts.png": _accounts(record, customers),
            "margin.png": _margin(accounts),
        }
        for name, figure in figures.items():
            figure.savefig(folder / name, bbox_inches="tight")
            plt.close(figure)
    return [folder / name for name in figures]


def _prices(record: Record) -> Figure:
    figure, axes = plt.subplots(figsize=(9.5, 4.6))
    first = record.samples[0].prices
    for symbol in STOCKS:
        rebased = [float(100 * sample.prices[symbol] / first[symbol]) for sample in record.samples]
        axes.step(_times(record.samples), rebased, where="post", color=COLORS[symbol], linewidth=1.3, label=symbol)
    _shade_closures(axes, record.samples)
    top = axes.get_ylim()[1]
    for entry in record.slices:
        axes.axvline(time_of(entry.time), color=SOLD, linewidth=0.9, linestyle=(0, (2, 2)))
    for time, text in _labels(record.slices):
        axes.annotate(
            text,
            (time, top),
            (4, -4),
            textcoords="offset points",
            color=SOLD,
            va="top",
            fontsize=8,
            bbox={"facecolor": "white", "edgecolor": "none", "pad": 1},
        )
    axes.set_title(
        "Prices from signed reports, first price = 100. Grey: exchange closed. Dashed: a slice is liquidated"
    )
    axes.legend(loc="lower left", ncols=4)
    _date_axis(axes)
    return figure


def _labels(slices: Sequence[SliceTaken]) -> Iterator[tuple[Any, str]]:
    """One label an account, at its first slice."""
    for name in dict.fromkeys(entry.actor for entry in slices):
        own = [entry for entry in slices if entry.actor == name]
        yield time_of(own[0].time), f"{name}: {f'first of {len(own)} slices' if len(own) > 1 else '1 slice'}"


def _accounts(record: Record, customers: Sequence[Actor]) -> Figure:
    figure, grid = plt.subplots(2, 2, figsize=(11, 7), sharex=True)
    times = _times(record.samples)
    for axes, actor in zip(grid.flat, customers, strict=True):
        margins = [sample.margins[actor.name] for sample in record.samples]
        equity = [dollars(margin.equity) for margin in margins]
        maintenance = [dollars(margin.maintenance) for margin in margins]
        axes.step(times, equity, where="post", color=EQUITY, linewidth=1.4)
        axes.step(times, [dollars(m.initial) for m in margins], where="post", color=INITIAL, linewidth=1.0)
        axes.step(times, maintenance, where="post", color=MAINTENANCE, linewidth=1.0)
        axes.fill_between(times, 0, maintenance, step="post", color=MAINTENANCE, alpha=0.07, linewidth=0)
        own = [entry for entry in record.slices if entry.actor == actor.name]
        axes.plot(
            [time_of(entry.time) for entry in own],
            [dollars(entry.equity) for entry in own],
            linestyle="none",
            marker="v",
            markersize=7,
            color=SOLD,
        )
        axes.set_title(f"{actor.name}: {_wrapped(actor.story)}", fontsize=9)
        axes.set_ylim(bottom=min(0.0, *equity))
        axes.yaxis.set_major_formatter(FuncFormatter(thousands))
        _shade_closures(axes, record.samples)
        _date_axis(axes)
    figure.legend(handles=_legend(), loc="upper center", ncols=4, bbox_to_anchor=(0.5, 1.06))
    note = "USD. Grey: exchange closed. Margins rise for it and for doubt, which the account is given: nothing is sold"
    figure.text(0.5, 1.0, note, ha="center", fontsize=8.5)
    figure.tight_layout(h_pad=2.0)
    return figure


def _legend() -> list[Line2D]:
    return [
        Line2D([], [], color=EQUITY, linewidth=1.4, label="equity"),
        Line2D([], [], color=INITIAL, label="initial margin"),
        Line2D([], [], color=MAINTENANCE, label="maintenance margin"),
        Line2D([], [], color=SOLD, marker="v", markersize=7, linestyle="none", label="slice liquidated"),
    ]


def _margin(accounts: Sequence[AccountReport]) -> Figure:
    shown = [account for account in accounts if account.opening is not None]
    figure, axes = plt.subplots(figsize=(9.5, 4.2))
    width = 0.26
    for place, (label, name, color) in enumerate(METHODS):
        values = [dollars(getattr(account.opening, name)) for account in shown]
        bars = axes.bar(
            [index + (place - 1) * width for index in range(len(shown))], values, width * 0.94, color=color, label=label
        )
        axes.bar_label(bars, [thousands(value) for value in values], fontsize=7.5, padding=2, color="#333333")
    axes.set_xticks(range(len(shown)), [account.name for account in shown])
    axes.grid(axis="x", visible=False)
    axes.yaxis.set_major_formatter(FuncFormatter(thousands))
    axes.set_title("Initial margin asked for the opening book, USD")
    axes.legend(loc="upper right")
    return figure


def _shade_closures(axes: Axes, samples: Sequence[Sample]) -> None:
    """From each report of a closed exchange to the next price."""
    for sample, following in pairwise(samples):
        if sample.session is Session.CLOSED:
            axes.axvspan(time_of(sample.time), time_of(following.time), color=SHUT, linewidth=0, zorder=0)


def _date_axis(axes: Axes) -> None:
    axes.xaxis.set_major_locator(mdates.WeekdayLocator(mdates.MO, interval=2))  # type: ignore[no-untyped-call]
    axes.xaxis.set_major_formatter(mdates.DateFormatter("%-d %b"))  # type: ignore[no-untyped-call]
    axes.margins(x=0.01)


def _times(samples: Sequence[Sample]) -> list[Any]:
    return [time_of(sample.time) for sample in samples]


def _wrapped(story: str) -> str:
    """Two lines at most, so that titles do not run into each other."""
    if len(story) < 46:
        return story
    cut = story.rfind(" ", 0, 46)
    return f"{story[:cut]}\n{story[cut + 1 :]}"
