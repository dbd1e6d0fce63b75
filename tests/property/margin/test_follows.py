"""AC-1: whatever the factory lets a guardian use, no book needs less under it."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from prime_perps import risk
from prime_perps.chain import Contract
from prime_perps.margin import VALUE_MAX, Closure, Exposure, Line, Table
from prime_perps.units import BPS
from tests.property.margin.conftest import MAKER, NOBODY, Model
from tests.property.margin.strategies import between, books, closures, tables, values

KEPT = ("group", "beta", "hours")


@pytest.fixture(scope="module")
def factory(model: Model) -> Contract:
    blueprint = Contract.deploy_blueprint(model.backend, "MarginModel", sender=MAKER)
    return Contract.deploy(model.backend, "ModelFactory", blueprint, 1, sender=MAKER)


def raised_line(draw: Any, line: Line) -> Line:
    names = [name for name in risk.LINE_BOUNDS if name not in (*KEPT, "basis", "depth")]
    risen = {name: draw(between(getattr(line, name), risk.LINE_BOUNDS[name][1])) for name in names}
    basis = draw(between(line.basis, 2 * risen["gamma"]))
    depth = draw(between(min(1, line.depth), line.depth)) if line.slope else draw(between(1, 10**15))
    return replace(line, **risen, basis=basis, depth=depth)


@st.composite
def raised(draw: st.DrawFn) -> tuple[Table, Table]:
    """A table, and one that charges no book less, but for a field here and there that is moved anyhow."""
    table = draw(tables())
    rules = table.globals
    names = [name for name in risk.GLOBAL_BOUNDS if name != "weekend"]
    risen = {name: draw(between(getattr(rules, name), risk.GLOBAL_BOUNDS[name][1])) for name in names}
    risen["weekend"] = draw(between(rules.weekend, risen["long_closure"]))
    phi = tuple(draw(between(shock, BPS)) for shock in rules.phi)
    lines = [raised_line(draw, line) for line in table.lines]
    if draw(st.booleans()):
        at = draw(st.integers(0, len(lines) - 1))
        name = draw(st.sampled_from(("group", "hours", "beta", "iota", "wrapper", "wrapper_other")))
        bounds = (0, 3) if name == "group" else risk.LINE_BOUNDS[name]
        lines[at] = replace(lines[at], **{name: draw(between(*bounds))})
    return table, Table(replace(rules, phi=phi, **risen), lines)


def made(factory: Contract, table: Table, previous: str, starts: int) -> Contract:
    receipt = factory.make(table.globals, table.lines, previous, starts, sender=MAKER)
    ((_, fields),) = factory.events(receipt)
    return Contract.at(factory.backend, "MarginModel", fields["model"])


@given(raised(), books(), closures(), values(VALUE_MAX))
def test_AC_1_follows__true__no_margin_of_any_book_is_lower(
    model: Model,
    factory: Contract,
    pair: tuple[Table, Table],
    book: list[Exposure],
    closure: Closure,
    debt: int,
) -> None:
    first = made(factory, pair[0], NOBODY, 0)
    second = made(factory, pair[1], first.address, model.backend.timestamp())
    if factory.follows(second, first):
        before = first.requirements(book, closure, debt)
        for seconds in (0, 1):
            model.backend.warp(seconds)
            after = second.requirements(book, closure, debt)
            assert after[0] >= before[0]
            assert after[1] >= before[1]
