"""`use_table`: who may, only what this model staged, how a table comes into force, and that no underlying is lost."""

from __future__ import annotations

from dataclasses import replace

import pytest

from prime_perps.chain import Contract
from prime_perps.errors import Revert
from prime_perps.margin import Breakdown, Closure, Exposure, Table
from prime_perps.units import wad
from tests.unit.margin_model.conftest import BTC, ETF, RAMP, SIZELESS, T3, TABLE, Desk

ZERO = "0x" + "00" * 20
BOOK = [Exposure(T3, perp=wad(100_000))]
BEFORE = wad(21_200)
# Twice the factor of equities: 10,200 more for BOOK.
STRICTER = Table(replace(SIZELESS.globals, phi=(1_200, 1_500, 400, 0)), SIZELESS.lines)


def test_use_table__by_timelock__swapped_and_announced(desk: Desk) -> None:
    before, table = desk.model.table(), desk.stage(TABLE)
    receipt = desk.model.use_table(table, sender=desk.timelock)
    ends = desk.backend.timestamp() + RAMP
    assert (desk.model.table(), desk.model.previous_table(), desk.model.in_force_at()) == (table, before, ends)
    announced = {"table": table, "previous": before, "in_force_at": ends}
    assert list(desk.model.events(receipt)) == [("TableUsed", announced)]


def test_use_table__first_one__in_force_at_once(bare: Desk) -> None:
    receipt = bare.model.use_table(bare.stage(SIZELESS), sender=bare.timelock)
    ((_, fields),) = bare.model.events(receipt)
    assert (fields["previous"], fields["in_force_at"]) == (ZERO, 0)
    assert bare.model.requirements(BOOK, Closure(), 0)[0] == BEFORE


def test_use_table__first_one_by_the_guardian__refused(bare: Desk) -> None:
    with pytest.raises(Revert, match="roles: timelock only"):
        bare.model.use_table(bare.stage(TABLE), sender=bare.guardian)


@pytest.mark.parametrize(("elapsed", "come"), [(0, 0), (1, 1), (RAMP // 3, RAMP // 3), (RAMP, RAMP), (10 * RAMP, RAMP)])
def test_use_table__stricter__maintenance_by_and_by_initial_at_once(desk: Desk, elapsed: int, come: int) -> None:
    desk.model.use_table(desk.stage(STRICTER), sender=desk.timelock)
    desk.backend.warp(elapsed)
    maintenance, initial = desk.model.requirements(BOOK, Closure(), 0)
    assert maintenance == BEFORE - -wad(10_200) * come // RAMP
    assert initial == -(-4 * (BEFORE + wad(10_200)) // 3)


@pytest.mark.parametrize(("elapsed", "come"), [(0, 0), (1, 1), (RAMP // 3, RAMP // 3), (RAMP, RAMP)])
def test_use_table__milder__both_margins_by_and_by(desk: Desk, elapsed: int, come: int) -> None:
    desk.use(STRICTER)
    desk.model.use_table(desk.stage(SIZELESS), sender=desk.timelock)
    desk.backend.warp(elapsed)
    maintenance, initial = desk.model.requirements(BOOK, Closure(), 0)
    after, before = BEFORE, BEFORE + wad(10_200)
    assert maintenance == -(-(before * (RAMP - come) + after * come) // RAMP)
    before, after = (-(-4 * margin // 3) for margin in (before, after))
    assert initial == -(-(before * (RAMP - come) + after * come) // RAMP)


def test_use_table__coming_in__every_term_between_its_two_values(desk: Desk) -> None:
    book = [Exposure(T3, token=wad(80_000), perp=-wad(100_000), width=30, eventful=5_000), Exposure(ETF, perp=wad(7))]
    closure = Closure(0, 2, 5_000)
    charges = ("iota", "gamma", "basis", "wrapper")
    lines = [replace(line, **{name: 2 * getattr(line, name) for name in charges}) for line in TABLE.lines]
    dearer = Table(replace(TABLE.globals, phi=(900, 0, 0, 0), jump=15_000, loan_rate=3_200), lines)
    ends = [Breakdown(*desk.model.explain(book, closure, wad(5)))]
    desk.model.use_table(desk.stage(dearer), sender=desk.timelock)
    desk.backend.warp(RAMP // 4)
    mixed = Breakdown(*desk.model.explain(book, closure, wad(5)))
    desk.backend.warp(RAMP)
    ends.append(Breakdown(*desk.model.explain(book, closure, wad(5))))
    before, after = (vars(terms) for terms in ends)
    for name, term in vars(mixed).items():
        assert term == (after[name] if name == "initial" else -(-(3 * before[name] + after[name]) // 4)), name
    assert all(after[name] > before[name] for name in before if name != "widths")


def test_use_table__while_one_comes_in__refused(desk: Desk) -> None:
    desk.model.use_table(desk.stage(STRICTER), sender=desk.timelock)
    desk.backend.warp(RAMP - 1)
    with pytest.raises(Revert, match="model: table still coming in"):
        desk.model.use_table(desk.stage(SIZELESS), sender=desk.timelock)
    desk.backend.warp(1)
    desk.model.use_table(desk.stage(SIZELESS), sender=desk.timelock)


@pytest.mark.parametrize("role", ["attacker", "admin"])
def test_use_table__by_anybody_else__refused(desk: Desk, role: str) -> None:
    table = desk.stage(TABLE)
    with pytest.raises(Revert, match="roles: guardian only"):
        desk.model.use_table(table, sender=getattr(desk, role))


@pytest.mark.parametrize("name", ["short_side", "jump", "event_factor", "slope_cap", "long_closure", "loan_rate", "phi"])
def test_use_table__guardian_on_a_global__up_only(desk: Desk, name: str) -> None:
    def moved(by: int) -> Table:
        rules = SIZELESS.globals
        to = (*rules.phi[:3], rules.phi[3] + 1 + by) if name == "phi" else getattr(rules, name) + by
        return Table(replace(rules, **{name: to}), SIZELESS.lines)

    if name == "phi":
        desk.use(moved(0))
    with pytest.raises(Revert, match="roles: timelock only"):
        desk.model.use_table(desk.stage(moved(-1)), sender=desk.guardian)
    desk.model.use_table(desk.stage(moved(1)), sender=desk.guardian)


def test_use_table__guardian_on_the_weekend__up_only(desk: Desk) -> None:
    def moved(by: int) -> Table:
        return Table(replace(SIZELESS.globals, weekend=SIZELESS.globals.weekend + by), SIZELESS.lines)

    with pytest.raises(Revert, match="roles: timelock only"):
        desk.model.use_table(desk.stage(moved(-1)), sender=desk.guardian)
    desk.model.use_table(desk.stage(moved(1)), sender=desk.guardian)


@pytest.mark.parametrize("name", ["iota", "gamma", "basis", "wrapper", "wrapper_other", "slope"])
def test_use_table__guardian_on_a_charge__up_only(desk: Desk, name: str) -> None:
    spacious = [replace(line, gamma=line.gamma + 1, wrapper=50, slope=100) for line in TABLE.lines]

    def moved(by: int) -> Table:
        last = replace(spacious[-1], **{name: getattr(spacious[-1], name) + by})
        return Table(TABLE.globals, [*spacious[:-1], last])

    desk.use(moved(0))
    with pytest.raises(Revert, match="roles: timelock only"):
        desk.model.use_table(desk.stage(moved(-1)), sender=desk.guardian)
    desk.model.use_table(desk.stage(moved(1)), sender=desk.guardian)


@pytest.mark.parametrize("name", ["group", "beta", "hours"])
@pytest.mark.parametrize("by", [-1, 1])
def test_use_table__guardian_on_what_can_cut_both_ways__neither(desk: Desk, name: str, by: int) -> None:
    lines = list(SIZELESS.lines)
    at = ETF if by < 0 and name == "hours" else BTC
    to = getattr(lines[at], name) + by
    lines[at] = replace(lines[at], **{name: to})
    with pytest.raises(Revert, match="roles: timelock only"):
        desk.model.use_table(desk.stage(Table(SIZELESS.globals, lines)), sender=desk.guardian)


def test_use_table__guardian_on_depth__down_only_unless_nothing_was_charged(desk: Desk) -> None:
    def moved(table: Table, by: int) -> Table:
        return Table(table.globals, [replace(table.lines[0], depth=table.lines[0].depth + by), *table.lines[1:]])

    desk.use(TABLE)
    with pytest.raises(Revert, match="roles: timelock only"):
        desk.model.use_table(desk.stage(moved(TABLE, 1)), sender=desk.guardian)
    desk.model.use_table(desk.stage(moved(TABLE, -1)), sender=desk.guardian)
    desk.backend.warp(RAMP)
    desk.use(SIZELESS)
    desk.model.use_table(desk.stage(moved(TABLE, 1)), sender=desk.guardian)


def test_use_table__guardian_with_another_line__refused(desk: Desk) -> None:
    longer = Table(SIZELESS.globals, [*SIZELESS.lines, SIZELESS.lines[0]])
    with pytest.raises(Revert, match="roles: timelock only"):
        desk.model.use_table(desk.stage(longer), sender=desk.guardian)


def test_use_table__nothing_staged__refused(desk: Desk) -> None:
    for account in (ZERO, desk.attacker, desk.model.address):
        with pytest.raises(Revert, match="model: table not staged"):
            desk.model.use_table(account, sender=desk.timelock)


def test_use_table__same_code_written_by_another__refused(desk: Desk) -> None:
    other = Contract.deploy(desk.backend, "MarginModel", RAMP, sender=desk.attacker)
    foreign = replace(desk, model=other).stage(TABLE)
    with pytest.raises(Revert, match="model: table not staged"):
        desk.model.use_table(foreign, sender=desk.timelock)


def test_use_table__fewer_lines__refused(desk: Desk) -> None:
    shorter = desk.stage(Table(SIZELESS.globals, SIZELESS.lines[:-1]))
    with pytest.raises(Revert, match="model: table loses lines"):
        desk.model.use_table(shorter, sender=desk.timelock)


def test_use_table__more_lines__accepted(desk: Desk) -> None:
    longer = Table(SIZELESS.globals, [*SIZELESS.lines, SIZELESS.lines[0]])
    desk.model.use_table(desk.stage(longer), sender=desk.timelock)
    added = [Exposure(len(SIZELESS.lines), perp=wad(1))]
    # What the earlier table does not know cannot be margined by it.
    assert desk.model.line_count() == len(SIZELESS.lines)
    with pytest.raises(Revert, match="model: unknown underlying"):
        desk.model.requirements(added, Closure(), 0)
    desk.backend.warp(RAMP)
    assert desk.model.line_count() == len(SIZELESS.lines) + 1
    desk.model.requirements(added, Closure(), 0)


def test_use_table__back_to_an_earlier_one__accepted(desk: Desk) -> None:
    earlier = desk.model.table()
    desk.use(TABLE)
    desk.model.use_table(earlier, sender=desk.timelock)
    assert desk.model.table() == earlier
