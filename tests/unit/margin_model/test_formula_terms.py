"""Terms of the formula where the last unit decides: numbers that leave a remainder of one, or that a unit is all of."""

from __future__ import annotations

from dataclasses import replace

import pytest

from prime_perps.margin import Breakdown, Closure, Exposure, Globals, Line, Table
from prime_perps.units import BPS
from tests.unit.margin_model.conftest import Desk

# Charges nothing but a basis point of floor: each test adds the one term it is about.
RULES = Globals((0, 0, 0, 0), BPS, BPS, BPS, slope_cap=0, weekend=BPS, long_closure=BPS, loan_rate=0)
LINE = Line(0, beta=0, iota=0, gamma=1, basis=0, wrapper=0, wrapper_other=0, slope=0, hours=0, depth=0)


def explained(desk: Desk, rules: Globals, lines: list[Line], *book: Exposure) -> Breakdown:
    desk.use(Table(rules, lines))
    return Breakdown(*desk.model.explain(book, Closure(), 0))


def test_own__one_part_in_1e8_over_a_unit__rounded_up(desk: Desk) -> None:
    # 99,990,001 x 10,001 is 10,000 x 1e8 + 1.
    terms = explained(desk, replace(RULES, short_side=10_001), [replace(LINE, iota=1)], Exposure(0, perp=-99_990_001))
    assert terms.own == 10_001


def test_own__event_come_by_one_part_in_1e4_over_a_basis_point__rounded_up(desk: Desk) -> None:
    # 3 x 6,667 is two basis points and 1e-4 of another.
    rules, line = replace(RULES, event_factor=BPS + 3), replace(LINE, iota=BPS)
    assert explained(desk, rules, [line], Exposure(0, perp=BPS, eventful=6_667)).own == BPS + 3


def test_own__root_just_below_a_whole_number__that_number(desk: Desk) -> None:
    # 100^2 + 5,000^2 is 5,001^2 - 1.
    line = replace(LINE, iota=BPS)
    assert explained(desk, RULES, [line, line], Exposure(0, perp=100), Exposure(1, perp=5_000)).own == 5_001


@pytest.mark.parametrize("hours", [0, 1])
@pytest.mark.parametrize("perp", [1, -1])
def test_factor__least_there_can_be__one_unit(desk: Desk, perp: int, hours: int) -> None:
    line = replace(LINE, beta=1, hours=hours)
    assert explained(desk, replace(RULES, phi=(1, 0, 0, 0)), [line], Exposure(0, perp=perp)).factor == 1
