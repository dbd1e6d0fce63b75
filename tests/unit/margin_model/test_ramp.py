"""A model that follows another: how it comes into force, and what may not follow."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from prime_perps.chain import Contract
from prime_perps.errors import Revert
from prime_perps.margin import Breakdown, Closure, Exposure, Table
from prime_perps.units import wad
from tests.stage import deployed_source
from tests.unit.margin_model.conftest import ETF, RAMP, SIZELESS, T3, TABLE, ZERO, Desk

BOOK = [Exposure(T3, perp=wad(100_000))]
BEFORE = wad(21_200)
# Twice the factor of equities: 10,200 more for BOOK.
STRICTER = Table(replace(SIZELESS.globals, phi=(1_200, 1_500, 400, 0)), SIZELESS.lines)
AFTER = BEFORE + wad(10_200)


def initial(maintenance: int) -> int:
    return -(-4 * maintenance // 3)


@pytest.mark.parametrize("elapsed", [0, 1, RAMP // 3, RAMP - 1, RAMP, 10 * RAMP])
def test_requirements__stricter__maintenance_by_and_by_initial_at_once(desk: Desk, elapsed: int) -> None:
    desk.follow(STRICTER)
    desk.backend.warp(elapsed)
    come = min(elapsed, RAMP)
    needed = desk.model.requirements(BOOK, Closure(), 0)
    assert needed == (BEFORE - -wad(10_200) * come // RAMP, initial(AFTER))


@pytest.mark.parametrize("elapsed", [0, 1, RAMP // 3, RAMP - 1, RAMP, 10 * RAMP])
def test_requirements__milder__both_margins_by_and_by(desk: Desk, elapsed: int) -> None:
    desk.use(STRICTER)
    desk.follow(SIZELESS)
    desk.backend.warp(elapsed)
    left = max(RAMP - elapsed, 0)

    def mean(before: int, after: int) -> int:
        return -(-(before * left + after * (RAMP - left)) // RAMP)

    needed = desk.model.requirements(BOOK, Closure(), 0)
    assert needed == (mean(AFTER, BEFORE), mean(initial(AFTER), initial(BEFORE)))


def test_requirements__not_begun__maintenance_of_the_previous(desk: Desk) -> None:
    desk.follow(STRICTER, wait=1_000)
    desk.backend.warp(999)
    assert desk.model.requirements(BOOK, Closure(), 0) == (BEFORE, initial(AFTER))
    desk.backend.warp(2)
    assert desk.model.requirements(BOOK, Closure(), 0)[0] == BEFORE - -wad(10_200) // RAMP


def test_requirements__a_unit_less_a_second_before_the_end__still_rounded_up(desk: Desk) -> None:
    # Nine wei: a factor of two wei before, of one after.
    book = [Exposure(T3, perp=9)]
    desk.use(STRICTER)
    before = desk.model.requirements(book, Closure(), 0)[0]
    desk.follow(SIZELESS)
    desk.backend.warp(RAMP - 1)
    assert desk.model.requirements(book, Closure(), 0)[0] == before
    desk.backend.warp(1)
    assert desk.model.requirements(book, Closure(), 0)[0] == before - 1


def test_explain__coming_in__every_term_between_its_two_values(desk: Desk) -> None:
    desk.use(TABLE)
    book = [Exposure(T3, token=wad(80_000), perp=-wad(100_000), width=30, eventful=5_000), Exposure(ETF, perp=wad(7))]
    closure, debt = Closure(0, 2, 5_000), wad(5)
    charges = ("iota", "gamma", "basis", "wrapper", "slope")
    lines = [replace(line, **{name: 2 * getattr(line, name) for name in charges}) for line in TABLE.lines]
    dearer = Table(replace(TABLE.globals, phi=(900, 0, 0, 0), jump=15_000, loan_rate=3_200), lines)
    before = vars(Breakdown(*desk.model.explain(book, closure, debt)))
    desk.follow(dearer)
    desk.backend.warp(RAMP // 4)
    mixed = vars(Breakdown(*desk.model.explain(book, closure, debt)))
    assert (mixed["maintenance"], mixed["initial"]) == desk.model.requirements(book, closure, debt)
    desk.backend.warp(RAMP)
    after = vars(Breakdown(*desk.model.explain(book, closure, debt)))
    assert [name for name in before if after[name] <= before[name]] == ["widths"]
    for name, term in mixed.items():
        assert term == (after[name] if name == "initial" else -(-(3 * before[name] + after[name]) // 4)), name


def test_requirements__a_third_after_the_second__each_in_its_turn(desk: Desk) -> None:
    strictest = Table(replace(SIZELESS.globals, phi=(2_400, 1_500, 400, 0)), SIZELESS.lines)
    desk.follow(STRICTER)
    desk.follow(strictest, wait=RAMP)
    desk.backend.warp(RAMP // 2)
    assert desk.model.requirements(BOOK, Closure(), 0)[0] == BEFORE + wad(5_100)
    desk.backend.warp(RAMP)
    assert desk.model.requirements(BOOK, Closure(), 0)[0] == AFTER + wad(10_200)
    desk.backend.warp(RAMP)
    assert desk.model.requirements(BOOK, Closure(), 0)[0] == AFTER + wad(20_400)


def test_init__begins_before_the_previous_is_in_force__refused(desk: Desk) -> None:
    desk.follow(STRICTER)
    with pytest.raises(Revert, match="model: bad ramp"):
        desk.follow(SIZELESS, wait=RAMP - 1)
    desk.follow(SIZELESS, wait=RAMP)


def test_init__fewer_lines_than_the_previous__refused(desk: Desk) -> None:
    with pytest.raises(Revert, match="model: table loses lines"):
        desk.follow(Table(SIZELESS.globals, SIZELESS.lines[:-1]))


def test_init__fewer_lines_than_a_previous_that_is_coming_in__refused(desk: Desk) -> None:
    desk.follow(Table(SIZELESS.globals, [*SIZELESS.lines, SIZELESS.lines[0]]))
    with pytest.raises(Revert, match="model: table loses lines"):
        desk.follow(SIZELESS, wait=RAMP)


def test_line_count__more_lines__count_once_in_force(desk: Desk) -> None:
    count = len(SIZELESS.lines)
    desk.follow(Table(SIZELESS.globals, [*SIZELESS.lines, SIZELESS.lines[0]]))
    added = [Exposure(count, perp=wad(1))]
    desk.backend.warp(RAMP - 1)
    # What the previous one does not know cannot be margined by it.
    assert desk.model.line_count() == count
    with pytest.raises(Revert, match="model: unknown underlying"):
        desk.model.requirements(added, Closure(), 0)
    desk.backend.warp(1)
    assert desk.model.line_count() == count + 1
    desk.model.requirements(added, Closure(), 0)
    desk.model.explain(added, Closure(), 0)


def deployed(desk: Desk, previous: str, starts: int, ramp: int) -> Contract:
    """A model without the factory, which would choose the ramp."""
    rules, lines = SIZELESS.globals, SIZELESS.lines
    return Contract.deploy(desk.backend, "MarginModel", rules, lines, previous, starts, ramp, sender=desk.maker)


def test_line_count__previous_made_elsewhere_counts_more__no_more_than_its_own(desk: Desk) -> None:
    source = Path(__file__).with_name("boasting_model.vy")
    previous = deployed_source(desk.backend, source, desk.maker)
    assert deployed(desk, previous.address, desk.backend.timestamp(), RAMP).line_count() == len(SIZELESS.lines)


IMPOSSIBLE = [(False, 1, 0), (False, 0, 1), (True, 0, 0), (True, 1, 0), (True, 0, 30 * 86_400 + 1), (True, 2**64, 1)]


@pytest.mark.parametrize(("follows", "starts", "ramp"), IMPOSSIBLE)
def test_init__impossible_ramp__refused(desk: Desk, follows: bool, starts: int, ramp: int) -> None:
    """A model that follows another has a ramp of up to 30 days, a first one has none."""
    with pytest.raises(Revert, match="model: bad ramp"):
        deployed(desk, desk.model.address if follows else ZERO, starts, ramp)


@pytest.mark.parametrize(("starts", "ramp"), [(0, 1), (0, 30 * 86_400), (2**64 - 1, 1)])
def test_init__ramp_at_its_bounds__accepted(desk: Desk, starts: int, ramp: int) -> None:
    assert deployed(desk, desk.model.address, starts, ramp).in_force_at() == starts + ramp
