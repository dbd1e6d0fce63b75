"""Pictures of the back-test: coverage, requirements against losses, and what others would ask."""

from __future__ import annotations

from pathlib import Path

import matplotlib as mpl

mpl.use("Agg")

from matplotlib import pyplot as plt
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from prime_perps.backtest.measure import TARGET
from prime_perps.backtest.report import Report, UniverseResult, tested
from prime_perps.demo.drawing import STYLE

# Distinguishable without red and green.
COLORS = {"sp500": "#0072b2", "nyse": "#e69f00"}
TARGET_COLOR = "#c0392b"
YARDSTICKS = (
    ("IM to each position alone", "ratio_isolated", "#0072b2"),
    ("MM to TIMS", "ratio_tims", "#e69f00"),
    ("IM to Regulation T", "ratio_reg_t", "#999999"),
)


def draw(report: Report, folder: Path) -> list[Path]:
    """Write coverage.png, losses.png and capital.png. Returns their paths."""
    with mpl.rc_context(STYLE):
        figures = {"coverage.png": _coverage(report), "losses.png": _losses(report), "capital.png": _capital(report)}
        for name, figure in figures.items():
            figure.savefig(folder / name, bbox_inches="tight")
            plt.close(figure)
    return [folder / name for name in figures]


def _coverage(report: Report) -> Figure:
    figure, grid = plt.subplots(1, len(report.universes), figsize=(11, 4.2), sharey=True, sharex=True)
    for axes, result in zip(grid, report.universes, strict=True):
        places = range(len(result.kinds))
        color = COLORS[result.universe.name]
        fixed = [100 * one.fixed.coverage for one in result.kinds]
        axes.hlines(places, [100 * one.at_least for one in result.kinds], fixed, color=color, linewidth=2, alpha=0.45)
        axes.plot(
            fixed, places, "o", color=color, markersize=6, label="tiers told once, with the 95 % interval's lower half"
        )
        reviewed = [100 * one.reviewed.coverage for one in result.kinds]
        axes.plot(
            reviewed,
            places,
            "D",
            markersize=5,
            color="none",
            markeredgecolor="#1a1a1a",
            label="tiers reviewed every January",
        )
        axes.axvline(100 * TARGET, color=TARGET_COLOR, linewidth=1, linestyle=(0, (4, 2)), label="target")
        axes.set_xlabel("days on which maintenance margin covered the loss, %")
        axes.set_title(_title(result), fontsize=9)
        _name_kinds(axes, result)
    handles, labels = grid[0].get_legend_handles_labels()
    figure.legend(handles, labels, loc="lower center", ncols=3, bbox_to_anchor=(0.5, -0.06))
    figure.tight_layout()
    return figure


def _losses(report: Report) -> Figure:
    kinds = report.universes[0].kinds
    figure, grid = plt.subplots(2, 5, figsize=(13, 5.8))
    for place, axes in enumerate(grid.flat):
        top = 0.0
        covered = []
        for result in report.universes:
            one = result.kinds[place].fixed
            asked, rare = 100 * one.maintenance, 100 * one.rare_loss
            color = COLORS[result.universe.name]
            axes.plot(asked, rare, ".", color=color, markersize=4, alpha=0.45, markeredgewidth=0)
            top = max(top, 1.08 * asked.max(), 1.08 * rare.max())
            covered.append(f"{result.universe.name} {int(100 * one.books_covered)} %")
        axes.plot([0, top], [0, top], color=TARGET_COLOR, linewidth=1)
        axes.set_xlim(0, top)
        axes.set_ylim(0, top)
        # Rounded down: 100 % is said of nothing less. Below the title, where no book is.
        axes.set_title(f"{kinds[place].kind.title}\nbooks covered {', '.join(covered)}", fontsize=7.5)
    for axes in grid[-1]:
        axes.set_xlabel("maintenance margin, % of gross")
    for axes in grid[:, 0]:
        axes.set_ylabel("next-day loss, % of gross")
    figure.legend(handles=_loss_legend(report), loc="lower center", ncols=3, bbox_to_anchor=(0.5, -0.06))
    figure.tight_layout()
    return figure


def _loss_legend(report: Report) -> list[Line2D]:
    names = [result.universe.name for result in report.universes]
    dots = [
        Line2D(
            [],
            [],
            linestyle="none",
            marker="o",
            markersize=4,
            color=COLORS[name],
            label=f"a book of {name}: loss exceeded on {1 - TARGET:.1%} of its days",
        )
        for name in names
    ]
    return [*dots, Line2D([], [], color=TARGET_COLOR, linewidth=1, label="loss = margin: a book below it is covered")]


def _capital(report: Report) -> Figure:
    figure, grid = plt.subplots(1, len(report.universes), figsize=(11, 5), sharey=True, sharex=True)
    height = 0.27
    for axes, result in zip(grid, report.universes, strict=True):
        for step, (label, field, color) in enumerate(YARDSTICKS):
            values = [getattr(one.fixed, field) for one in result.kinds]
            places = [place + (step - 1) * height for place in range(len(values))]
            bars = axes.barh(places, values, height * 0.92, color=color, label=label)
            axes.bar_label(bars, [f"{value:.2f}" for value in values], fontsize=6.5, padding=2, color="#333333")
        axes.axvline(1, color=TARGET_COLOR, linewidth=1, linestyle=(0, (4, 2)), zorder=0)
        axes.set_xlabel("our requirement over theirs; below 1 we ask for less")
        axes.set_title(_title(result), fontsize=9)
        axes.grid(axis="y", visible=False)
        _name_kinds(axes, result)
    handles, labels = grid[0].get_legend_handles_labels()
    figure.legend(handles, labels, loc="lower center", ncols=3, bbox_to_anchor=(0.5, -0.05))
    figure.tight_layout()
    return figure


def _name_kinds(axes: Axes, result: UniverseResult) -> None:
    axes.set_yticks(range(len(result.kinds)), [one.kind.title for one in result.kinds])
    # The first kind at the top, as in the tables. Shared axes are turned once.
    if not axes.yaxis_inverted():
        axes.invert_yaxis()


def _title(result: UniverseResult) -> str:
    days = tested(result.universe, result.kinds[0].fixed)
    return f"{result.universe.title}, {days[0].year}-{days[-1].year}"
