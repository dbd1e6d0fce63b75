"""MM-1 to MM-10 of docs/margin.md on the deployed model, whatever the table and the book.

MM-11 (no overflow, no division by zero) needs the reference beside it: tests/differential.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from prime_perps import risk
from prime_perps.chain import Contract
from prime_perps.chain.revm import RevmBackend
from prime_perps.compiler import CONTRACTS, ROOT
from prime_perps.errors import Revert
from prime_perps.margin import VALUE_MAX, Breakdown, Closure, Exposure, Globals, Line, Table
from prime_perps.units import BPS, wad
from tests.mutation.judge import compiled
from tests.property.margin.conftest import MAKER, NOBODY, Model
from tests.property.margin.strategies import (
    LINES,
    ROUNDING,
    between,
    books,
    closures,
    exposures,
    merged,
    pairs,
    perp_books,
    scaled,
    tables,
    values,
)

RISK_TABLE = CONTRACTS / "modules" / "margin" / "risk_table.vy"
RULE = '    assert line.basis <= 2 * line.gamma, "table: basis over 2 gamma"\n'
SIZELESS = tables(size_charged=False)


@given(tables(), closures())
def test_MM_1_nothing_held__nothing_needed(model: Model, table: Table, closure: Closure) -> None:
    flat = [Exposure(underlying, width=BPS, eventful=BPS) for underlying in range(LINES)]
    assert not any(vars(model.explain(table, [], closure)).values())
    assert not any(vars(model.explain(table, flat, closure)).values())


@given(tables(), books(), closures(), values(VALUE_MAX))
def test_MM_2_initial__never_below_maintenance(
    model: Model, table: Table, book: list[Exposure], closure: Closure, debt: int
) -> None:
    terms = model.explain(table, book, closure, debt)
    assert terms.initial >= terms.maintenance


@given(SIZELESS, books(VALUE_MAX // 1_000), closures(), st.integers(0, 1_000))
def test_MM_3_book_times_k__maintenance_times_k(
    model: Model, table: Table, book: list[Exposure], closure: Closure, k: int
) -> None:
    once, times = model.maintenance(table, book, closure), model.maintenance(table, scaled(book, k), closure)
    assert k * once - k * ROUNDING <= times <= k * once + ROUNDING


@given(SIZELESS, pairs(), closures())
def test_MM_4_two_books_in_one__never_dearer_than_apart(
    model: Model, table: Table, pair: tuple[list[Exposure], list[Exposure]], closure: Closure
) -> None:
    first, second = pair
    together = model.maintenance(table, merged(first, second), closure)
    assert together <= model.maintenance(table, first, closure) + model.maintenance(table, second, closure) + ROUNDING


def test_MM_4_basis_over_2_gamma__refused_because_without_the_rule_it_breaks() -> None:
    """The very contract, once without the rule."""
    calm = Globals((0, 0, 0, 0), BPS, BPS, BPS, 0, BPS, BPS, 0)
    line = Line(group=0, beta=0, iota=0, gamma=100, basis=0, wrapper=0, wrapper_other=0, slope=0, hours=1, depth=0)
    token, short = [Exposure(0, token=wad(100_000))], [Exposure(0, perp=-wad(100_000))]
    lawless = compiled("MarginModel", {str(RISK_TABLE.relative_to(ROOT)): RISK_TABLE.read_text().replace(RULE, "")})[0]

    def excess(basis: int) -> int:
        """What merging the two costs on a model that has no rule."""
        table = Table(calm, [replace(line, basis=basis)])
        model = Contract.create(backend, lawless, table.globals, table.lines, NOBODY, 0, 0, sender=MAKER)
        books = (merged(token, short), token, short)
        together, *apart = (model.requirements(book, Closure(), 0)[0] for book in books)
        return int(together - sum(apart))

    backend = RevmBackend()
    assert excess(200) == 0
    assert excess(201) == wad(10)
    assert excess(300) == wad(1_000)
    Model().made(Table(calm, [replace(line, basis=200)]))
    with pytest.raises(Revert, match="table: basis over 2 gamma"):
        Model().made(Table(calm, [replace(line, basis=201)]))


@given(SIZELESS, books(), closures())
def test_MM_5_maintenance__between_its_floor_and_the_sum_of_stand_alones(
    model: Model, table: Table, book: list[Exposure], closure: Closure
) -> None:
    maintenance = model.maintenance(table, book, closure)
    assert BPS * maintenance >= sum(table.lines[e.underlying].gamma * abs(e.net) for e in book)
    assert maintenance <= sum(model.maintenance(table, [e], closure) for e in book) + ROUNDING


@given(SIZELESS, exposures(0, VALUE_MAX // 4), closures(), st.data())
def test_MM_6_one_name__hedging_it_never_raises_maintenance(
    model: Model, table: Table, entry: Exposure, closure: Closure, data: st.DataObject
) -> None:
    line = table.lines[0]
    # What a unit of net is charged by itself at least, bps^2, against the charge on a pair.
    factor, own = table.globals.phi[line.group] * line.beta, line.iota * BPS
    assume(line.basis * BPS <= max(factor + own, line.iota * table.globals.jump) + (line.gamma + entry.width) * BPS)
    sold = data.draw(between(0, abs(entry.net)))
    hedged = replace(entry, perp=entry.perp - sold if entry.net > 0 else entry.perp + sold)
    before, after = (model.maintenance(table, [one], closure) for one in (entry, hedged))
    assert after <= before + ROUNDING


def _raised(draw: Any, table: Table) -> tuple[str, Table]:
    """The table with one of its charges raised, within its bounds; depth lowered."""
    rules, line = table.globals, table.lines[0]
    name = draw(st.sampled_from(("phi", "basis", "depth", *risk.GLOBAL_BOUNDS, *_RISING)))
    if name == "phi":
        at = draw(st.integers(0, 3))
        phi = tuple(draw(between(shock, BPS)) if group == at else shock for group, shock in enumerate(rules.phi))
        return name, replace(table, globals=replace(rules, phi=phi))
    if name in risk.GLOBAL_BOUNDS:
        least, most = getattr(rules, name), risk.GLOBAL_BOUNDS[name][1]
        value = draw(between(least, rules.long_closure if name == "weekend" else most))
        return name, replace(table, globals=replace(rules, **{name: value}))
    if name == "depth":
        value = draw(between(min(1, line.depth), line.depth))
    else:
        value = draw(between(getattr(line, name), 2 * line.gamma if name == "basis" else risk.LINE_BOUNDS[name][1]))
    changed = replace(line, **{name: value})
    if changed.slope and not changed.depth:
        changed = replace(changed, depth=1)
    return name, replace(table, lines=[changed, *table.lines[1:]])


_RISING = ("iota", "gamma", "wrapper", "wrapper_other", "slope")


@given(tables(), books(), closures(), values(VALUE_MAX), st.data())
def test_MM_7_a_charge_raised__no_margin_falls(
    model: Model, table: Table, book: list[Exposure], closure: Closure, debt: int, data: st.DataObject
) -> None:
    _, stricter = _raised(data.draw, table)
    before, after = model.explain(table, book, closure, debt), model.explain(stricter, book, closure, debt)
    assert after.maintenance >= before.maintenance
    assert after.initial >= before.initial


@given(tables(), books(), closures(), st.data())
def test_MM_7_a_wider_price_or_an_event__no_margin_falls(
    model: Model, table: Table, book: list[Exposure], closure: Closure, data: st.DataObject
) -> None:
    worse = [
        replace(e, width=data.draw(between(e.width, BPS)), eventful=data.draw(between(e.eventful, BPS))) for e in book
    ]
    before, after = model.explain(table, book, closure), model.explain(table, worse, closure)
    assert after.maintenance >= before.maintenance
    assert after.initial >= before.initial


@given(tables(), books(), st.data())
def test_MM_7_a_longer_closure__no_margin_falls(
    model: Model, table: Table, book: list[Exposure], data: st.DataObject
) -> None:
    now, later, ahead = sorted(data.draw(st.tuples(*[st.integers(0, 2)] * 3)))
    ramp = data.draw(between(0, BPS))
    further = data.draw(between(ramp, BPS))
    terms = [
        model.explain(table, book, closure)
        for closure in (Closure(now, ahead, ramp), Closure(now, ahead, further), Closure(later, ahead, further))
    ]
    assert terms[0].maintenance <= terms[1].maintenance <= terms[2].maintenance
    assert terms[0].initial == terms[1].initial == terms[2].initial


@given(tables(), books(), closures(), st.randoms(use_true_random=False))
def test_MM_8_another_order__the_same_in_every_term(
    model: Model, table: Table, book: list[Exposure], closure: Closure, random: Any
) -> None:
    shuffled = random.sample(book, len(book))
    assert model.explain(table, shuffled, closure) == model.explain(table, book, closure)


@given(tables(), perp_books(), closures())
def test_MM_9_perps_turned_around__only_the_short_side_tells(
    model: Model, table: Table, book: list[Exposure], closure: Closure
) -> None:
    even = replace(table, globals=replace(table.globals, short_side=BPS))
    turned = scaled(book, -1)
    assert model.explain(even, turned, closure) == model.explain(even, book, closure)


@given(tables(), books(), closures(), values(VALUE_MAX), values(VALUE_MAX))
def test_MM_10_cash_moved__no_term_but_interest_changes(
    model: Model, table: Table, book: list[Exposure], closure: Closure, owed: int, owed_then: int
) -> None:
    def without_interest(terms: Breakdown) -> Breakdown:
        return replace(terms, initial=terms.initial - terms.interest, interest=0)

    before, after = (model.explain(table, book, closure, debt) for debt in (owed, owed_then))
    assert without_interest(before) == without_interest(after)


@given(tables(), pairs())
def test_size_charge__one_large_position__never_cheaper_than_two_small_ones(
    model: Model, table: Table, pair: tuple[list[Exposure], list[Exposure]]
) -> None:
    # Superadditive where the two positions point the same way, on purpose.
    first, second = ([replace(e, perp=abs(e.perp)) for e in book] for book in pair)
    apart = model.explain(table, first).size + model.explain(table, second).size
    assert model.explain(table, merged(first, second)).size >= apart - 2 * LINES
