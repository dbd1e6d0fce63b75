"""`line_count`, `line`, `lines`, `globals`, `previous`, `starts`, `ramp`, `in_force_at`: the model as it was made."""

from __future__ import annotations

import pytest

from prime_perps.chain import Contract
from prime_perps.errors import Revert
from prime_perps.margin import Globals, Line
from tests.unit.margin_model.conftest import RAMP, SIZELESS, TABLE, TIERS, ZERO, Desk


def test_line_count__of_a_first_model__the_length_of_its_table(model: Contract) -> None:
    assert model.line_count() == len(TIERS)


def test_line__each__as_it_went_in(desk: Desk) -> None:
    desk.use(TABLE)
    assert [Line(*desk.model.line(number)) for number in range(len(TIERS))] == TABLE.lines
    assert [Line(*line) for line in desk.model.lines()] == TABLE.lines


@pytest.mark.parametrize("underlying", [len(TIERS), 63, 64, 2**256 - 1])
def test_line__past_the_end__refused(model: Contract, underlying: int) -> None:
    with pytest.raises(Revert, match="model: unknown underlying"):
        model.line(underlying)


def test_globals__as_they_went_in(model: Contract) -> None:
    phi, *others = model.globals()
    assert Globals(tuple(phi), *others) == SIZELESS.globals


def test_first_model__follows_nobody_and_is_in_force(model: Contract) -> None:
    assert (model.previous(), model.starts(), model.ramp(), model.in_force_at()) == (ZERO, 0, 0, 0)


def test_next_model__says_whom_it_follows_and_when(desk: Desk) -> None:
    before, starts = desk.model, desk.backend.timestamp() + 100
    model = desk.follow(TABLE, wait=100)
    known = (model.previous(), model.starts(), model.ramp(), model.in_force_at())
    assert known == (before.address, starts, RAMP, starts + RAMP)
