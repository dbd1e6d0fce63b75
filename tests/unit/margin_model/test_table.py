"""The constructor: every field of a table at its bounds and past them, and what is kept of it."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from prime_perps import risk
from prime_perps.errors import Revert
from prime_perps.margin import Globals, Line, Table
from tests.unit.margin_model.conftest import TABLE, Desk

GLOBALS = replace(TABLE.globals, weekend=20_000, long_closure=20_000)
LINE = Line(group=0, beta=1, iota=1, gamma=10_000, basis=0, wrapper=0, wrapper_other=0, slope=0, hours=1, depth=1)


def globals_with(name: str, value: int) -> Globals:
    if name.startswith("phi"):
        at = int(name[-1])
        return replace(GLOBALS, phi=(*GLOBALS.phi[:at], value, *GLOBALS.phi[at + 1 :]))
    changes: dict[str, Any] = {name: value}
    if name == "weekend":
        changes["long_closure"] = max(value, GLOBALS.long_closure)
    elif name == "long_closure":
        changes["weekend"] = 10_000
    return replace(GLOBALS, **changes)


GLOBAL_BOUNDS = {f"phi_{group}": (0, 10_000) for group in range(4)} | risk.GLOBAL_BOUNDS
# basis is bound by gamma long before its own bound, and has a test of its own.
LINE_BOUNDS = {"group": (0, 3)} | {name: bounds for name, bounds in risk.LINE_BOUNDS.items() if name != "basis"}


def past(bounds: tuple[int, int]) -> list[int]:
    """Values out of range, some of which would pass for one in range if they were cut to the field's width."""
    least, most = bounds
    candidates = (least - 1, most + 1, 2**16 + least, 2**64 + least, 2**256 - 1)
    return [value for value in candidates if value >= 0 and not least <= value <= most]


def reason_for(name: str) -> str:
    name = "phi" if name.startswith("phi") else name
    return f"table: {'wrapper' if name == 'wrapper_other' else name} out of range"


@pytest.mark.parametrize(("name", "bounds"), GLOBAL_BOUNDS.items())
def test_init__global_at_its_bounds__accepted(desk: Desk, name: str, bounds: tuple[int, int]) -> None:
    for value in bounds:
        rules = globals_with(name, value)
        assert risk.read_table(desk.made(Table(rules, [LINE]))).globals == rules


@pytest.mark.parametrize(("name", "bounds"), GLOBAL_BOUNDS.items())
def test_init__global_past_its_bounds__refused(desk: Desk, name: str, bounds: tuple[int, int]) -> None:
    for value in past(bounds):
        with pytest.raises(Revert, match=reason_for(name)):
            desk.made(Table(globals_with(name, value), [LINE]))


@pytest.mark.parametrize(("name", "bounds"), LINE_BOUNDS.items())
def test_init__line_field_at_its_bounds__accepted(desk: Desk, name: str, bounds: tuple[int, int]) -> None:
    for value in bounds:
        line = replace(LINE, **{name: value})
        assert risk.read_table(desk.made(Table(GLOBALS, [line]))).lines == [line]


@pytest.mark.parametrize(("name", "bounds"), LINE_BOUNDS.items())
def test_init__line_field_past_its_bounds__refused(desk: Desk, name: str, bounds: tuple[int, int]) -> None:
    for value in past(bounds):
        with pytest.raises(Revert, match=reason_for(name)):
            desk.made(Table(GLOBALS, [LINE, replace(LINE, **{name: value})]))


def test_init__weekend_over_long_closure__refused(desk: Desk) -> None:
    rules = replace(GLOBALS, weekend=15_000, long_closure=14_999)
    with pytest.raises(Revert, match="table: long_closure out of range"):
        desk.made(Table(rules, [LINE]))


@pytest.mark.parametrize("gamma", [1, 100, 10_000])
def test_init__basis_over_2_gamma__refused(desk: Desk, gamma: int) -> None:
    desk.made(Table(GLOBALS, [replace(LINE, gamma=gamma, basis=2 * gamma)]))
    with pytest.raises(Revert, match="table: basis over 2 gamma"):
        desk.made(Table(GLOBALS, [replace(LINE, gamma=gamma, basis=2 * gamma + 1)]))


def test_init__slope_without_depth__refused(desk: Desk) -> None:
    desk.made(Table(GLOBALS, [replace(LINE, slope=0, depth=0)]))
    with pytest.raises(Revert, match="table: depth out of range"):
        desk.made(Table(GLOBALS, [replace(LINE, slope=1, depth=0)]))


def test_init__line_left_empty__refused(desk: Desk) -> None:
    with pytest.raises(Revert, match="table: gamma out of range"):
        desk.made(Table(GLOBALS, [LINE, Line(0, 0, 0, 0, 0, 0, 0, 0, 0, 0)]))


def test_init__no_line__refused(desk: Desk) -> None:
    with pytest.raises(Revert, match="table: empty"):
        desk.made(Table(GLOBALS, []))


def test_init__64_lines__all_kept(desk: Desk) -> None:
    lines = [replace(LINE, group=number % 4, beta=number, depth=10**15 - number) for number in range(64)]
    assert risk.read_table(desk.made(Table(GLOBALS, lines))) == Table(GLOBALS, lines)


def test_init__65_lines__refused_by_its_type(desk: Desk) -> None:
    with pytest.raises(Revert):
        desk.made(Table(GLOBALS, [LINE] * 65))


def test_init__every_field_at_once__none_leaks_into_another(desk: Desk) -> None:
    rules = Globals((1, 2, 3, 4), 10_005, 10_006, 10_007, 8, 10_009, 10_010, 11)
    small = Line(3, 12, 13, 14, 15, 16, 17, 18, 1, 19)
    lines = [small, Line(2, 50_000, 10_000, 10_000, 20_000, 1, 10_000, 1, 0, 10**15)]
    assert risk.read_table(desk.made(Table(rules, lines))) == Table(rules, lines)
