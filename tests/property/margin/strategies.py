"""Risk tables and books within everything the model accepts, leaning on the edges. All tables have LINES lines."""

from __future__ import annotations

from dataclasses import replace

from hypothesis import strategies as st

from prime_perps import risk
from prime_perps.margin import VALUE_MAX, Closure, Exposure, Globals, Line, Table
from prime_perps.units import BPS, WAD

LINES = 4
# What a margin can lie above the exact number, wad: at most 4 own-name shocks, 4 factors and the two roundings of the
# core, times the largest multiplier, 5, times 4/3, and the last roundings.
ROUNDING = 64


def between(least: int, most: int) -> st.SearchStrategy[int]:
    """Either end, or anything between."""
    return st.one_of(st.sampled_from((least, most)), st.integers(least, most))


def values(most: int) -> st.SearchStrategy[int]:
    """Wad: nothing, dust, dollars, millions, and up to `most`."""
    return st.one_of(
        st.just(0),
        st.integers(0, 5),
        st.integers(0, 10**6).map(lambda dollars: dollars * WAD),
        st.integers(0, 10**9).map(lambda dollars: dollars * WAD + 1),
        between(0, most),
    )


def signed(most: int) -> st.SearchStrategy[int]:
    return st.tuples(st.sampled_from((1, -1)), values(most)).map(lambda drawn: drawn[0] * drawn[1])


@st.composite
def globals_(draw: st.DrawFn) -> Globals:
    drawn = {name: draw(between(*bounds)) for name, bounds in risk.GLOBAL_BOUNDS.items()}
    drawn["weekend"], drawn["long_closure"] = sorted((drawn["weekend"], drawn["long_closure"]))
    phi = draw(st.tuples(*[between(0, BPS)] * 4))
    return Globals(phi, **drawn)


@st.composite
def lines(draw: st.DrawFn, size_charged: bool) -> Line:
    drawn = {name: draw(between(*bounds)) for name, bounds in risk.LINE_BOUNDS.items() if name != "basis"}
    if not size_charged:
        drawn["slope"] = 0
    elif drawn["slope"]:
        drawn["depth"] = max(drawn["depth"], 1)
    return Line(group=draw(st.integers(0, 3)), basis=draw(between(0, 2 * drawn["gamma"])), **drawn)


def tables(*, size_charged: bool = True) -> st.SearchStrategy[Table]:
    some = st.lists(lines(size_charged), min_size=LINES, max_size=LINES)
    return st.builds(Table, globals_(), some)


@st.composite
def closures(draw: st.DrawFn) -> Closure:
    now, ahead = sorted(draw(st.tuples(st.integers(0, 2), st.integers(0, 2))))
    return Closure(now, ahead, draw(between(0, BPS)))


@st.composite
def exposures(draw: st.DrawFn, underlying: int, most: int = VALUE_MAX) -> Exposure:
    token, other, perp = draw(values(most)), draw(values(most)), draw(signed(most))
    return Exposure(underlying, token, other, perp, draw(between(0, BPS)), draw(between(0, BPS)))


def held() -> st.SearchStrategy[list[int]]:
    """Some of the underlyings, in any order."""
    return st.lists(st.integers(0, LINES - 1), unique=True)


@st.composite
def books(draw: st.DrawFn, most: int = VALUE_MAX) -> list[Exposure]:
    return [draw(exposures(underlying, most)) for underlying in draw(held())]


@st.composite
def perp_books(draw: st.DrawFn) -> list[Exposure]:
    return [replace(entry, token=0, other=0) for entry in draw(books())]


@st.composite
def pairs(draw: st.DrawFn) -> tuple[list[Exposure], list[Exposure]]:
    """Two books of the same underlyings in the same market: widths and events are the market's."""
    first = draw(books(VALUE_MAX // 2))
    second = [replace(draw(exposures(e.underlying, VALUE_MAX // 2)), width=e.width, eventful=e.eventful) for e in first]
    return first, second


def merged(first: list[Exposure], second: list[Exposure]) -> list[Exposure]:
    """The book of somebody who holds both."""
    return [
        replace(a, token=a.token + b.token, other=a.other + b.other, perp=a.perp + b.perp)
        for a, b in zip(first, second, strict=True)
    ]


def scaled(book: list[Exposure], by: int) -> list[Exposure]:
    return [replace(e, token=e.token * by, other=e.other * by, perp=e.perp * by) for e in book]
