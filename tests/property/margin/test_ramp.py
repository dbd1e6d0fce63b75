"""A model that follows another: whatever the two tables and the book, and at every moment of the ramp."""

from __future__ import annotations

from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from prime_perps.chain import Contract
from prime_perps.margin import VALUE_MAX, Closure, Exposure, Table
from tests.property.margin.conftest import Model
from tests.property.margin.strategies import ROUNDING, between, books, closures, merged, pairs, tables, values

RAMP = 1_000  # seconds
SIZELESS = tables(size_charged=False)


def follow(model: Model, before: Table, after: Table) -> tuple[Contract, Contract]:
    """A first model and one that begins to follow it now."""
    first = model.made(before)
    return first, model.made(after, first.address, model.backend.timestamp(), RAMP)


@given(tables(), tables(), books(), closures(), values(VALUE_MAX), between(0, RAMP))
def test_MM_2_coming_in__initial_never_below_maintenance_nor_below_its_own(
    model: Model, before: Table, after: Table, book: list[Exposure], closure: Closure, debt: int, elapsed: int
) -> None:
    _, second = follow(model, before, after)
    own = model.made(after).requirements(book, closure, debt)
    model.backend.warp(elapsed)
    maintenance, initial = second.requirements(book, closure, debt)
    assert initial >= max(maintenance, own[1])


@given(tables(), tables(), books(), closures(), values(VALUE_MAX))
def test_coming_in__both_ends__what_each_table_asks_for(
    model: Model, before: Table, after: Table, book: list[Exposure], closure: Closure, debt: int
) -> None:
    first, second = follow(model, before, after)
    old, new = (one.requirements(book, closure, debt) for one in (first, model.made(after)))
    assert second.requirements(book, closure, debt) == (old[0], max(old[1], new[1]))
    model.backend.warp(RAMP)
    assert second.requirements(book, closure, debt) == new


@given(tables(), tables(), books(), closures(), between(0, RAMP - 1))
def test_coming_in__from_one_second_to_the_next__a_thousandth_of_the_way(
    model: Model, before: Table, after: Table, book: list[Exposure], closure: Closure, elapsed: int
) -> None:
    first, second = follow(model, before, after)
    old, new = (one.requirements(book, closure, 0)[0] for one in (first, model.made(after)))
    model.backend.warp(elapsed)
    now = second.requirements(book, closure, 0)[0]
    model.backend.warp(1)
    then = second.requirements(book, closure, 0)[0]
    assert abs((then - now) * RAMP - (new - old)) <= 2 * RAMP
    assert min(old, new) <= now <= max(old, new)


@given(SIZELESS, SIZELESS, pairs(), closures(), between(0, RAMP))
def test_MM_4_coming_in__two_books_in_one__never_dearer_than_apart(
    model: Model,
    before: Table,
    after: Table,
    pair: tuple[list[Exposure], list[Exposure]],
    closure: Closure,
    elapsed: int,
) -> None:
    _, second = follow(model, before, after)
    model.backend.warp(elapsed)
    together, one, other = (second.requirements(book, closure, 0)[0] for book in (merged(*pair), *pair))
    assert together <= one + other + ROUNDING


@given(tables(), tables(), books(), between(0, RAMP), st.data())
def test_MM_7_coming_in__a_wider_price_or_an_event__no_margin_falls(
    model: Model, before: Table, after: Table, book: list[Exposure], elapsed: int, data: st.DataObject
) -> None:
    _, second = follow(model, before, after)
    model.backend.warp(elapsed)
    worse = [
        replace(e, width=data.draw(between(e.width, 10_000)), eventful=data.draw(between(e.eventful, 10_000)))
        for e in book
    ]
    calm, wild = (second.requirements(one, Closure(), 0) for one in (book, worse))
    assert calm[0] <= wild[0]
    assert calm[1] <= wild[1]
