"""`explain`: the same margins as `requirements`, and terms that add up to them."""

from __future__ import annotations

import pytest

from prime_perps import margin
from prime_perps.chain import Contract
from prime_perps.errors import Revert
from prime_perps.margin import Breakdown, Closure, Exposure
from prime_perps.units import wad
from tests.unit.margin_model.conftest import BTC, ETF, T3, T4, TABLE, Desk

BOOK = [
    Exposure(T3, token=wad("123456.789"), other=wad(1_000), perp=-wad(80_000), width=13),
    Exposure(T4, perp=-wad("777.7"), width=250, eventful=2_500),
    Exposure(ETF, perp=-wad(30_000), width=5),
    Exposure(BTC, token=7, width=1),
]
CLOSURE = Closure(0, 1, 3_333)
DEBT = wad("4567.89")


@pytest.fixture
def terms(desk: Desk) -> Breakdown:
    desk.use(TABLE)
    return Breakdown(*desk.model.explain(BOOK, CLOSURE, DEBT))


def test_explain__margins__those_of_requirements(desk: Desk, terms: Breakdown) -> None:
    assert (terms.maintenance, terms.initial) == desk.model.requirements(BOOK, CLOSURE, DEBT)


def test_explain__every_term__that_of_the_reference(terms: Breakdown) -> None:
    assert terms == margin.explain(BOOK, CLOSURE, DEBT, TABLE)


def test_explain__terms__none_is_empty_here(terms: Breakdown) -> None:
    assert all(vars(terms).values())


def test_explain__sum_of_terms__maintenance_and_at_most_a_unit_a_term_more(terms: Breakdown) -> None:
    total = terms.core + terms.floor + terms.widths + terms.basis + terms.wrapper + terms.size
    assert 0 <= total - terms.maintenance <= 3


def test_explain__core__larger_of_sum_and_jump(terms: Breakdown) -> None:
    assert terms.core == max(terms.factor + terms.own, terms.jump)


@pytest.mark.parametrize(
    ("book", "closure", "debt", "reason"),
    [
        ([Exposure(64)], Closure(), 0, "model: unknown underlying"),
        ([Exposure(1), Exposure(1)], Closure(), 0, "model: duplicate underlying"),
        ([Exposure(1, perp=2**200)], Closure(), 0, "model: notional too large"),
        ([Exposure(1, width=10_001)], Closure(), 0, "model: width over 100%"),
        ([], Closure(1, 0), 0, "model: bad closure"),
        ([], Closure(), 2**200, "model: debt too large"),
    ],
)
def test_explain__what_requirements_refuses__refused(
    model: Contract, book: list[Exposure], closure: Closure, debt: int, reason: str
) -> None:
    with pytest.raises(Revert, match=reason):
        model.explain(book, closure, debt)
