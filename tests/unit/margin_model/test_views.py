"""`table`, `line_count`, `line`, `globals`: the table in use, as it went in."""

from __future__ import annotations

import pytest

from prime_perps.chain import Contract
from prime_perps.errors import Revert
from prime_perps.margin import Globals, Line
from tests.unit.margin_model.conftest import SIZELESS, TABLE, TIERS, Desk


def test_table__none_yet__zero(bare: Desk) -> None:
    assert int(bare.model.table(), 16) == 0


@pytest.mark.parametrize("call", [("line_count",), ("line", 0), ("globals",)], ids=str)
def test_view__no_table__refused(bare: Desk, call: tuple[str, ...]) -> None:
    with pytest.raises(Revert, match="model: no table"):
        getattr(bare.model, call[0])(*call[1:])


def test_line_count__table_in_use__its_length(model: Contract) -> None:
    assert model.line_count() == len(TIERS)


def test_line__each__as_it_went_in(desk: Desk) -> None:
    desk.use(TABLE)
    assert [Line(*desk.model.line(number)) for number in range(len(TIERS))] == TABLE.lines


@pytest.mark.parametrize("underlying", [len(TIERS), 63, 64, 2**256 - 1])
def test_line__past_the_end__refused(model: Contract, underlying: int) -> None:
    with pytest.raises(Revert, match="model: unknown underlying"):
        model.line(underlying)


def test_globals__as_they_went_in(model: Contract) -> None:
    phi, *others = model.globals()
    assert Globals(tuple(phi), *others) == SIZELESS.globals
