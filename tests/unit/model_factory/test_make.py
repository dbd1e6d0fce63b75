"""`make`: anyone makes models of one code, and none has any effect by being made."""

from __future__ import annotations

import pytest

from prime_perps.chain import Contract
from prime_perps.errors import Revert
from prime_perps.margin import Table
from tests.unit.margin_model.conftest import RAMP, SIZELESS, TABLE, ZERO, Desk, address_of


def test_make__by_anyone__announced(desk: Desk) -> None:
    passer_by, starts = address_of("passer-by"), desk.backend.timestamp() + 5
    given = (TABLE.globals, TABLE.lines, desk.model, starts)
    foretold = desk.factory.make.call(*given, sender=passer_by)
    receipt = desk.factory.make(*given, sender=passer_by)
    announced = {"model": foretold, "previous": desk.model.address, "starts": starts, "made_by": passer_by}
    assert list(desk.factory.events(receipt)) == [("ModelMade", announced)]


def test_made__of_what_it_made_only(desk: Desk) -> None:
    assert desk.factory.made(desk.model)
    for stranger in (ZERO, desk.factory.address, desk.factory.blueprint(), desk.maker):
        assert not desk.factory.made(stranger)


def test_make__all_models__one_code_but_for_their_numbers(desk: Desk) -> None:
    first, second = (desk.made(Table(SIZELESS.globals, SIZELESS.lines[:count])) for count in (1, 2))
    assert first.address != second.address
    assert (first.line_count(), second.line_count()) == (1, 2)


@pytest.mark.parametrize("ramp", [0, 30 * 86_400 + 1, 2**256 - 1])
def test_init__ramp_out_of_bounds__refused(desk: Desk, ramp: int) -> None:
    with pytest.raises(Revert, match="factory: bad ramp"):
        Contract.deploy(desk.backend, "ModelFactory", desk.factory.blueprint(), ramp, sender=desk.maker)


@pytest.mark.parametrize("ramp", [1, 30 * 86_400])
def test_init__ramp_at_its_bounds__kept(desk: Desk, ramp: int) -> None:
    given = (desk.factory.blueprint(), ramp)
    assert Contract.deploy(desk.backend, "ModelFactory", *given, sender=desk.maker).ramp() == ramp


def test_make__first_model__no_ramp(desk: Desk) -> None:
    assert desk.factory.ramp() == RAMP
    assert desk.made(TABLE).ramp() == 0
    assert desk.made(TABLE, desk.model.address, 1).ramp() == RAMP


def test_make__bad_table__refused_with_its_reason(desk: Desk) -> None:
    with pytest.raises(Revert, match="table: empty"):
        desk.made(Table(SIZELESS.globals, []))
