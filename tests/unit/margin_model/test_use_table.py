"""`use_table`: only the timelock, only what this model staged, and no underlying is lost on the way."""

from __future__ import annotations

from dataclasses import replace

import pytest

from prime_perps.chain import Contract
from prime_perps.errors import Revert
from prime_perps.margin import Closure, Exposure, Table
from prime_perps.units import wad
from tests.unit.margin_model.conftest import SIZELESS, T3, TABLE, Desk

ZERO = "0x" + "00" * 20


def test_use_table__by_timelock__swapped_and_announced(desk: Desk) -> None:
    before, table = desk.model.table(), desk.stage(TABLE)
    receipt = desk.model.use_table(table, sender=desk.timelock)
    assert desk.model.table() == table
    assert list(desk.model.events(receipt)) == [("TableUsed", {"table": table, "previous": before})]


def test_use_table__first_one__previous_is_nobody(bare: Desk) -> None:
    receipt = bare.model.use_table(bare.stage(TABLE), sender=bare.timelock)
    ((_, fields),) = bare.model.events(receipt)
    assert fields["previous"] == ZERO


def test_use_table__new_numbers__take_effect_at_once(desk: Desk) -> None:
    book = [Exposure(T3, perp=wad(100_000))]
    before = desk.model.requirements(book, Closure(), 0)[0]
    doubled = replace(SIZELESS.globals, phi=(1_200, 1_500, 400, 0))
    desk.use(Table(doubled, SIZELESS.lines))
    assert desk.model.requirements(book, Closure(), 0)[0] - before == wad(10_200)


@pytest.mark.parametrize("role", ["attacker", "admin"])
def test_use_table__by_anybody_else__refused(desk: Desk, role: str) -> None:
    table = desk.stage(TABLE)
    with pytest.raises(Revert, match="roles: timelock only"):
        desk.model.use_table(table, sender=getattr(desk, role))


def test_use_table__nothing_staged__refused(desk: Desk) -> None:
    for account in (ZERO, desk.attacker, desk.model.address):
        with pytest.raises(Revert, match="model: table not staged"):
            desk.model.use_table(account, sender=desk.timelock)


def test_use_table__same_code_written_by_another__refused(desk: Desk) -> None:
    other = Contract.deploy(desk.backend, "MarginModel", sender=desk.attacker)
    foreign = replace(desk, model=other).stage(TABLE)
    with pytest.raises(Revert, match="model: table not staged"):
        desk.model.use_table(foreign, sender=desk.timelock)


def test_use_table__fewer_lines__refused(desk: Desk) -> None:
    shorter = desk.stage(Table(SIZELESS.globals, SIZELESS.lines[:-1]))
    with pytest.raises(Revert, match="model: table loses lines"):
        desk.model.use_table(shorter, sender=desk.timelock)


def test_use_table__more_lines__accepted(desk: Desk) -> None:
    desk.use(Table(SIZELESS.globals, [*SIZELESS.lines, SIZELESS.lines[0]]))
    assert desk.model.line_count() == len(SIZELESS.lines) + 1


def test_use_table__back_to_an_earlier_one__accepted(desk: Desk) -> None:
    earlier = desk.model.table()
    desk.use(TABLE)
    desk.model.use_table(earlier, sender=desk.timelock)
    assert desk.model.table() == earlier
