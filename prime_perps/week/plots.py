"""The week as one picture: prices, widths, four moments close up, and every customer's equity against its margins.

Floats are for the screen only.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from itertools import groupby, pairwise
from pathlib import Path
from textwrap import wrap
from typing import Any

import matplotlib as mpl
import matplotlib.dates as mdates
from matplotlib import pyplot as plt
from matplotlib.artist import Artist
from matplotlib.axes import Axes
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
from prime_perps.week.script import HALTED, MINUTE, SPLIT, SYMBOLS, at

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
# stock, from, to, title
CLOSE_UPS = (
    (
        "NVDA",
        "Thu 16:18",
        "Thu 16:24",
        "NVDA: news at 16:20. -24 % is not believed\nbefore a second report confirms it",
    ),
    (HALTED, "Fri 10:50", "Fri 12:04", "MSFT: halted 11:00, released 11:50,\ntradable two minutes later"),
    ("AAPL", "Mon 19:56", "Mon 20:10", "AAPL: reopens at 20:00, 8 % lower,\ntradable, and liquidations on, from 20:02"),
    (SPLIT, "Mon 23:50", "Tue 02:10", "GOOG: paused 00:10, x 10 shares 00:40,\nprice / 10 at 01:10, pause ends 01:40"),
)
COLUMNS = 4
TITLE = 44  # letters in a line
LEGEND = 0.12  # height of a row that holds a legend


def draw(journal: Journal, customers: Sequence[Actor], path: Path) -> None:
    """Write the picture."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with mpl.rc_context(STYLE):
        rows = -(-len(customers) // COLUMNS)
        figure = plt.figure(figsize=(17, 19))
        heights = [2.6, 1.7, LEGEND, 2.1, LEGEND, *[2] * rows]
        grid = GridSpec(len(heights), COLUMNS, figure, height_ratios=heights, hspace=0.45, wspace=0.22)
        _mids(figure.add_subplot(grid[0, :]), journal)
        _widths(figure.add_subplot(grid[1, :]), journal)
        _legend(figure.add_subplot(grid[2, :]), _price_keys())
        for column, (symbol, first, last, title) in enumerate(CLOSE_UPS):
            _close_up(figure.add_subplot(grid[3, column]), journal, symbol, at(first), at(last), title)
        _legend(figure.add_subplot(grid[4, :]), _account_keys())
        for place, actor in enumerate(customers):
            _account(figure.add_subplot(grid[5 + place // COLUMNS, place % COLUMNS]), journal, actor)
        figure.savefig(path, bbox_inches="tight")
        plt.close(figure)


def _mids(axes: Axes, journal: Journal) -> None:
    looks = journal.looks
    times = [time_of(one.time) for one in looks]
    for symbol in SYMBOLS:
        mids = [one.prices[symbol].word.mid for one in looks]
        rebased = [100 * mid / mids[0] for mid in mids]
        axes.step(times, rebased, where="post", color=COLORS[symbol], linewidth=1.3, label=symbol)
    _bands(axes, looks, named=True)
    low, high = axes.get_ylim()
    axes.set_ylim(low - 0.06 * (high - low), high + 0.08 * (high - low))
    _mark_sales(axes, journal.sales)
    axes.set_title(
        "Mid of the oracle's words, first price = 100, New York time (GOOG per token: its split leaves no trace)"
    )
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
        "Half-width of the words, bps of mid: a floor by session, and doubt while nobody can trade. Stocks coincide"
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
    every = next(minutes for minutes in (1, 2, 5, 15, 30) if last - first <= 8 * MINUTE * minutes)
    minutes = range(0, 60, every)
    axes.xaxis.set_major_locator(mdates.MinuteLocator(minutes, tz=NEW_YORK))  # type: ignore[no-untyped-call]
    axes.xaxis.set_major_formatter(_clock("%H:%M"))


def _account(axes: Axes, journal: Journal, actor: Actor) -> None:
    looks = journal.looks
    times = [time_of(one.time) for one in looks]
    books = [one.books[actor.name] for one in looks]
    equity = [dollars(book.margin.equity) for book in books]
    maintenance = [dollars(book.calm) for book in books]
    axes.step(times, [dollars(book.initial) for book in books], where="post", color=INITIAL, linewidth=0.9)
    axes.step(times, maintenance, where="post", color=MAINTENANCE, linewidth=1.1)
    axes.fill_between(times, 0, maintenance, step="post", color=MAINTENANCE, alpha=0.05, linewidth=0)
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
    axes.set_title("\n".join(wrap(f"{actor.name}: {actor.story}", TITLE)), fontsize=8.5)
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
                (since + (until - since) * 2 / 5, 1),
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


def _legend(axes: Axes, keys: Sequence[Artist]) -> None:
    """A row of the picture that holds the legend of the one below."""
    axes.axis("off")
    axes.legend(handles=keys, loc="lower center", ncols=len(keys), bbox_to_anchor=(0.5, -1.2))


def _price_keys() -> list[Artist]:
    return [
        Line2D([], [], color="#555555", linewidth=1.6, label="mid of the word, with its half-width"),
        Line2D([], [], color="#333333", marker=".", linestyle="none", label="price x multiplier as stated"),
        Patch(color=FROZEN, label="frozen: shut, halted, reopening, paused or to be confirmed"),
        Line2D([], [], color=SOLD, linestyle=(0, (2, 2)), label="slice liquidated"),
    ]


def _account_keys() -> list[Artist]:
    return [
        Line2D([], [], color=EQUITY, linewidth=1.4, label="equity"),
        Line2D([], [], color=MAINTENANCE, label="maintenance margin, without the doubt of frozen prices"),
        Line2D([], [], color=INITIAL, label="initial margin, likewise"),
        Patch(color=SHELTERED, alpha=0.7, label="below maintenance, but not liquidatable"),
        Line2D([], [], color=SOLD, marker="v", markersize=8, linestyle="none", label="slice liquidated"),
    ]


def _week_axis(axes: Axes, short: bool = False) -> None:
    axes.xaxis.set_major_locator(mdates.HourLocator([12], tz=NEW_YORK))  # type: ignore[no-untyped-call]
    axes.xaxis.set_major_formatter(_clock("%a" if short else "%a %-d %b, 12:00"))
    if not short:
        axes.xaxis.set_minor_locator(mdates.HourLocator(range(0, 24, 4), tz=NEW_YORK))  # type: ignore[no-untyped-call]
    axes.margins(x=0)


def _clock(shown: str) -> mdates.DateFormatter:
    """New York's."""
    return mdates.DateFormatter(shown, NEW_YORK)  # type: ignore[no-untyped-call]
