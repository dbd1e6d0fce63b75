"""The week as one picture: prices, widths, four moments close up, and every customer's equity against its margins.

Floats are for the screen only.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from itertools import groupby, pairwise
from pathlib import Path
from typing import Any

import matplotlib as mpl
import matplotlib.dates as mdates
from matplotlib import pyplot as plt
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.gridspec import GridSpec
from matplotlib.lines import Line2D
from matplotlib.patches import Patch
from matplotlib.ticker import FuncFormatter, NullFormatter

from prime_perps.demo.cast import Actor
from prime_perps.demo.drawing import EQUITY, INITIAL, MAINTENANCE, SOLD, STYLE, dollars, thousands, time_of
from prime_perps.reports import Session
from prime_perps.sessions import NEW_YORK
from prime_perps.units import BPS, MID
from prime_perps.week.record import Journal, Look, Sale
from prime_perps.week.script import HALTED, SPLIT, SYMBOLS, at

# Distinguishable without red and green.
COLORS = dict(zip(SYMBOLS, ("#0072b2", "#d55e00", "#009e73", "#cc79a7", "#56b4e9", "#7f7f7f", "#e69f00"), strict=True))
BANDS = {
    Session.OVERNIGHT: "#e4e8f5",
    Session.PRE: "#f3f6fc",
    Session.REGULAR: "#ffffff",
    Session.POST: "#f3f6fc",
    Session.CLOSED: "#dedede",
}
FROZEN, SHELTERED = "#f6d9d5", "#f2b950"
CLOSE_UPS = (
    ("NVDA", "Thu 16:10", "Thu 16:32", "NVDA: news at 16:20. The first report of\n-24 % is not believed, that of 16:20:20 is"),
    (HALTED, "Fri 10:50", "Fri 12:04", "MSFT: halted 11:00, released 11:50,\ntradable two minutes later"),
    ("AAPL", "Mon 19:56", "Mon 20:16", "AAPL: reopens at 20:00, with a gap of -8 %;\ntradable, and liquidations on, from 20:02"),
    (SPLIT, "Mon 23:50", "Tue 02:10", "GOOG splits ten for one: paused 00:10, multiplier\n00:40, price 01:10, pause ends 01:40"),
)  # fmt: skip
COLUMNS = 4


def draw(journal: Journal, customers: Sequence[Actor], path: Path) -> None:
    """Write the picture."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with mpl.rc_context(STYLE):
        figure = plt.figure(figsize=(17, 19))
        rows = -(-len(customers) // COLUMNS)
        grid = GridSpec(3 + rows, COLUMNS, figure, height_ratios=[2.5, 1.7, 2.1, *[2] * rows], hspace=0.5, wspace=0.22)
        _mids(figure.add_subplot(grid[0, :]), journal)
        _widths(figure.add_subplot(grid[1, :]), journal)
        for column, (symbol, first, last, title) in enumerate(CLOSE_UPS):
            _close_up(figure.add_subplot(grid[2, column]), journal, symbol, at(first), at(last), title)
        for place, actor in enumerate(customers):
            axes = figure.add_subplot(grid[3 + place // COLUMNS, place % COLUMNS])
            _account(axes, journal, actor)
        _legends(figure)
        figure.savefig(path, bbox_inches="tight")
        plt.close(figure)


def _mids(axes: Axes, journal: Journal) -> None:
    looks = journal.looks
    times = [time_of(one.time) for one in looks]
    for symbol in SYMBOLS:
        mids = [one.prices[symbol].word.mid for one in looks]
        axes.step(
            times,
            [100 * mid / mids[0] for mid in mids],
            where="post",
            color=COLORS[symbol],
            linewidth=1.3,
            label=symbol,
        )
    _bands(axes, looks, named=True)
    low, high = axes.get_ylim()
    axes.set_ylim(low - 0.06 * (high - low), high)
    _mark_sales(axes, journal.sales)
    axes.set_title("Mid of the oracle's words, first price = 100 (GOOG per token: its split leaves no trace)")
    axes.legend(loc="center left", ncols=1, bbox_to_anchor=(1.0, 0.5))
    _week_axis(axes)


def _mark_sales(axes: Axes, sales: Sequence[Sale]) -> None:
    for place, (name, own) in enumerate(groupby(sales, key=lambda sale: sale.taken.actor)):
        slices = list(own)
        for sale in slices:
            axes.axvline(time_of(sale.taken.time), color=SOLD, linewidth=0.9, linestyle=(0, (2, 2)))
        axes.annotate(
            f"{name} liquidated",
            (time_of(slices[-1].taken.time), axes.get_ylim()[0]),
            (4, 4 + 10 * (place % 2)),
            textcoords="offset points",
            color=SOLD,
            fontsize=8,
        )


def _widths(axes: Axes, journal: Journal) -> None:
    looks = journal.looks
    times = [time_of(one.time) for one in looks]
    for symbol in ("AAPL", "NVDA", "MSFT", "GOOG", "BTC"):
        widths = [one.prices[symbol].word.half_width for one in looks]
        axes.step(times, widths, where="post", color=COLORS[symbol], linewidth=1.2)
    axes.set_yscale("log")
    axes.set_yticks([5, 15, 30, 100, 300, 1_000], ["5", "15", "30", "100", "300", "1,000"])
    axes.yaxis.set_minor_formatter(NullFormatter())
    _bands(axes, looks)
    for symbol, when, text in (
        ("NVDA", "Thu 16:20", "NVDA: a jump to be confirmed"),
        ("MSFT", "Fri 11:00", "MSFT halted"),
        ("AAPL", "Sat 20:00", "all stocks and SPY, shut: floor of 30 and doubt of 1,000"),
        ("GOOG", "Tue 00:10", "GOOG paused for its split"),
    ):
        axes.annotate(
            text,
            (time_of(at(when)), 1_030),
            (0, 7),
            textcoords="offset points",
            ha="center",
            color=COLORS[symbol],
            fontsize=8,
        )
    axes.set_ylim(4, 2_400)
    axes.set_title(
        "Half-width of the words at each look, bps of mid: the session's floor, and doubt while nobody can trade"
    )
    _week_axis(axes)


def _close_up(axes: Axes, journal: Journal, symbol: str, first: int, last: int, title: str) -> None:
    looks = [one for one in journal.looks if first <= one.time <= last]
    before = [one for one in journal.looks if one.time < first][-1]
    looks = [before, *looks]
    times = [time_of(one.time) for one in looks]
    words = [one.prices[symbol].word for one in looks]
    mids = [word.mid / MID for word in words]
    spans = [mid * word.half_width / BPS for mid, word in zip(mids, words, strict=True)]
    color = COLORS[symbol]
    axes.fill_between(
        times,
        [mid - span for mid, span in zip(mids, spans, strict=True)],
        [mid + span for mid, span in zip(mids, spans, strict=True)],
        step="post",
        color=color,
        alpha=0.18,
        linewidth=0,
    )
    axes.step(times, mids, where="post", color=color, linewidth=1.6)
    axes.plot(
        times,
        [one.prices[symbol].stated.mid / MID for one in looks],
        linestyle="none",
        marker=".",
        markersize=4,
        color="#333333",
    )
    for since, until in _spans(looks, lambda one: one.prices[symbol].frozen):
        axes.axvspan(since, until, color=FROZEN, linewidth=0, zorder=0)
    if symbol == SPLIT:
        axes.set_yscale("log")
        axes.yaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:,.0f}"))
        axes.yaxis.set_minor_formatter(NullFormatter())
        axes.set_yticks([500, 1_000, 2_000, 5_000])
    for sale in journal.sales:
        if first <= sale.taken.time <= last and symbol in sale.look.books[sale.taken.actor].held:
            axes.axvline(time_of(sale.taken.time), color=SOLD, linewidth=0.9, linestyle=(0, (2, 2)))
    axes.set_xlim(time_of(first), time_of(last))
    axes.set_title(title, fontsize=9)
    axes.xaxis.set_major_locator(mdates.AutoDateLocator(maxticks=6))
    axes.xaxis.set_major_formatter(mdates.DateFormatter("%H:%M", NEW_YORK))


def _account(axes: Axes, journal: Journal, actor: Actor) -> None:
    looks = journal.looks
    times = [time_of(one.time) for one in looks]
    books = [one.books[actor.name] for one in looks]
    equity = [dollars(book.margin.equity) for book in books]
    maintenance = [dollars(book.calm) for book in books]
    axes.step(times, [dollars(book.initial) for book in books], where="post", color=INITIAL, linewidth=0.9)
    axes.step(times, maintenance, where="post", color=MAINTENANCE, linewidth=1.1)
    axes.fill_between(times, 0, maintenance, step="post", color=MAINTENANCE, alpha=0.07, linewidth=0)
    axes.step(times, equity, where="post", color=EQUITY, linewidth=1.4)
    below = [book.margin.equity < book.calm and not book.liquidatable for book in books]
    axes.fill_between(times, equity, maintenance, where=below, step="post", color=SHELTERED, alpha=0.7, linewidth=0)
    own = [sale for sale in journal.sales if sale.taken.actor == actor.name]
    axes.plot(
        [time_of(sale.taken.time) for sale in own],
        [dollars(sale.taken.equity) for sale in own],
        linestyle="none",
        marker="v",
        markersize=8,
        color=SOLD,
        zorder=5,
    )
    _bands(axes, looks)
    axes.set_ylim(bottom=0)
    axes.yaxis.set_major_formatter(FuncFormatter(thousands))
    axes.set_title(f"{actor.name}: {_wrapped(actor.story)}", fontsize=8.5)
    _week_axis(axes, short=True)


def _bands(axes: Axes, looks: Sequence[Look], named: bool = False) -> None:
    """The exchange's sessions behind everything."""
    for session, band in groupby(_steps(looks), key=lambda step: step[0].session):
        steps = list(band)
        since, until = time_of(steps[0][0].time), time_of(steps[-1][1].time)
        axes.axvspan(since, until, color=BANDS[session], linewidth=0, zorder=0)
        if named and session in (Session.REGULAR, Session.OVERNIGHT, Session.CLOSED):
            axes.annotate(
                {Session.CLOSED: "exchange shut, 72 hours"}.get(session, session.name.lower()),
                (since + (until - since) / 2, 1),
                (0, -10),
                xycoords=("data", "axes fraction"),
                textcoords="offset points",
                ha="center",
                color="#666666",
                fontsize=8,
            )


def _spans(looks: Sequence[Look], holds: Callable[[Look], bool]) -> Iterator[tuple[Any, Any]]:
    for frozen, group in groupby(_steps(looks), key=lambda step: holds(step[0])):
        steps = list(group)
        if frozen:
            yield time_of(steps[0][0].time), time_of(steps[-1][1].time)


def _steps(looks: Sequence[Look]) -> Iterator[tuple[Look, Look]]:
    """Each look with the next one; the last lasts no time."""
    return iter([*pairwise(looks), (looks[-1], looks[-1])])


def _legends(figure: Figure) -> None:
    figure.legend(
        handles=[
            Line2D([], [], color=EQUITY, linewidth=1.4, label="equity"),
            Line2D([], [], color=MAINTENANCE, label="maintenance margin, without the doubt of frozen prices"),
            Line2D([], [], color=INITIAL, label="initial margin, likewise"),
            Patch(color=SHELTERED, alpha=0.7, label="below maintenance, but sheltered: what it holds is in doubt"),
            Line2D([], [], color=SOLD, marker="v", markersize=8, linestyle="none", label="slice liquidated"),
        ],
        loc="upper center",
        bbox_to_anchor=(0.5, 0.375),
        ncols=5,
    )
    figure.legend(
        handles=[
            Line2D([], [], color="#555555", linewidth=1.6, label="mid of the word, with its half-width"),
            Line2D(
                [], [], color="#333333", marker=".", linestyle="none", label="price x multiplier, as signers state it"
            ),
            Patch(color=FROZEN, label="frozen: shut, halted, reopening, paused or to be confirmed"),
            Line2D([], [], color=SOLD, linestyle=(0, (2, 2)), label="slice liquidated"),
        ],
        loc="upper center",
        bbox_to_anchor=(0.5, 0.575),
        ncols=4,
    )


def _week_axis(axes: Axes, short: bool = False) -> None:
    axes.xaxis.set_major_locator(mdates.DayLocator(tz=NEW_YORK))  # type: ignore[no-untyped-call]
    axes.xaxis.set_major_formatter(mdates.DateFormatter("%a" if short else "%a %-d %b, 0:00", NEW_YORK))
    if not short:
        axes.xaxis.set_minor_locator(mdates.HourLocator(range(4, 24, 4), tz=NEW_YORK))  # type: ignore[no-untyped-call]
    axes.margins(x=0)


def _wrapped(story: str) -> str:
    """Two lines at most."""
    if len(story) < 30:
        return story
    cut = story.rfind(" ", 0, 36)
    return f"{story[:cut]}\n{story[cut + 1 :]}"
