"""`follows`: whether the next model charges no book less, which is what lets the guardian use it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest

from prime_perps.chain import Contract
from prime_perps.errors import Revert
from prime_perps.margin import Globals, Line, Table
from tests.unit.margin_model.conftest import BTC, ETF, RAMP, SIZELESS, TABLE, ZERO, Desk

# Room below and above every field.
ROOMY = Table(
    replace(TABLE.globals, phi=(600, 1_500, 400, 100)),
    [replace(line, gamma=line.gamma + 1, iota=line.iota + 1, wrapper=50) for line in TABLE.lines],
)
GLOBALS = ("short_side", "jump", "event_factor", "slope_cap", "weekend", "long_closure", "loan_rate")
CHARGES = ("iota", "gamma", "basis", "wrapper", "wrapper_other", "slope")


def with_globals(change: Callable[[Globals], Globals]) -> Table:
    return Table(change(ROOMY.globals), ROOMY.lines)


def with_line(at: int, change: Callable[[Line], Line]) -> Table:
    return Table(ROOMY.globals, [change(line) if number == at else line for number, line in enumerate(ROOMY.lines)])


def raised(desk: Desk, table: Table, before: Table = ROOMY) -> bool:
    desk.use(before)
    present = desk.model
    return bool(desk.factory.follows(desk.follow(table), present))


def test_follows__same_table__no_book_is_charged_less(desk: Desk) -> None:
    assert raised(desk, ROOMY)


@pytest.mark.parametrize("name", GLOBALS)
def test_follows__one_global_moved__up_only(desk: Desk, name: str) -> None:
    def moved(by: int) -> Table:
        return with_globals(lambda rules: replace(rules, **{name: getattr(rules, name) + by}))

    assert raised(desk, moved(1))
    assert not raised(desk, moved(-1))


@pytest.mark.parametrize("group", range(4))
def test_follows__one_phi_moved__up_only(desk: Desk, group: int) -> None:
    def moved(by: int) -> Table:
        phi = ROOMY.globals.phi
        return with_globals(lambda rules: replace(rules, phi=(*phi[:group], phi[group] + by, *phi[group + 1 :])))

    assert raised(desk, moved(1))
    assert not raised(desk, moved(-1))


@pytest.mark.parametrize("name", CHARGES)
@pytest.mark.parametrize("at", [0, len(ROOMY.lines) - 1])
def test_follows__one_charge_moved__up_only(desk: Desk, name: str, at: int) -> None:
    def moved(by: int) -> Table:
        return with_line(at, lambda line: replace(line, **{name: getattr(line, name) + by}))

    assert raised(desk, moved(1))
    assert not raised(desk, moved(-1))


def test_follows__depth__down_only_unless_it_charged_nothing(desk: Desk) -> None:
    deeper = with_line(0, lambda line: replace(line, depth=line.depth + 1))
    assert not raised(desk, deeper)
    assert raised(desk, with_line(0, lambda line: replace(line, depth=line.depth - 1)))
    assert raised(desk, deeper, before=with_line(0, lambda line: replace(line, slope=0)))


@pytest.mark.parametrize(
    ("at", "name", "by"),
    [(BTC, "group", 1), (BTC, "group", -1), (BTC, "beta", 1), (BTC, "beta", -1), (BTC, "hours", 1), (ETF, "hours", -1)],
)
def test_follows__what_cuts_both_ways__must_stay(desk: Desk, at: int, name: str, by: int) -> None:
    assert not raised(desk, with_line(at, lambda line: replace(line, **{name: getattr(line, name) + by})))


def test_follows__one_line_more__not_only_raised(desk: Desk) -> None:
    assert not raised(desk, Table(ROOMY.globals, [*ROOMY.lines, ROOMY.lines[0]]))


def test_follows__last_of_64_lines_lowered__seen(desk: Desk) -> None:
    full = [ROOMY.lines[0]] * 64
    assert raised(desk, Table(ROOMY.globals, full), before=Table(ROOMY.globals, full))
    lowered = [*full[:-1], replace(full[-1], iota=full[-1].iota - 1)]
    assert not raised(desk, Table(ROOMY.globals, lowered), before=Table(ROOMY.globals, full))


def test_follows__made_elsewhere__not_known_to_be_raised(desk: Desk) -> None:
    foreign = Contract.deploy(
        desk.backend, "MarginModel", SIZELESS.globals, SIZELESS.lines, ZERO, 0, 0, sender=desk.maker
    )
    assert not desk.factory.follows(foreign, desk.model)
    assert not desk.factory.follows(desk.maker, desk.model)
    after = desk.made(SIZELESS, foreign.address, desk.backend.timestamp())
    assert not desk.factory.follows(after, foreign)


def test_follows__another_than_the_present__refused(desk: Desk) -> None:
    other = desk.made(SIZELESS)
    with pytest.raises(Revert, match="factory: not the next model"):
        desk.factory.follows(desk.follow(SIZELESS), other)
    with pytest.raises(Revert, match="factory: not the next model"):
        desk.factory.follows(other, desk.model)


def test_follows__begins_in_more_than_30_days__refused(desk: Desk) -> None:
    present = desk.model
    assert desk.factory.follows(desk.follow(SIZELESS, wait=30 * 86_400), present)
    desk.model = present
    with pytest.raises(Revert, match="factory: not the next model"):
        desk.factory.follows(desk.follow(SIZELESS, wait=30 * 86_400 + 1), present)


def test_follows__present_still_coming_in__only_by_a_vote(desk: Desk) -> None:
    """A guardian with a long line of models would make every check ask them all."""
    present = desk.follow(SIZELESS)
    model = desk.follow(SIZELESS, wait=RAMP)
    assert not desk.factory.follows(model, present)
    desk.backend.warp(RAMP)
    assert desk.factory.follows(model, present)


def test_follows__begun__refused(desk: Desk) -> None:
    present = desk.model
    model = desk.follow(SIZELESS, wait=10)
    desk.backend.warp(10)
    assert desk.factory.follows(model, present)
    desk.backend.warp(1)
    with pytest.raises(Revert, match="factory: not the next model"):
        desk.factory.follows(model, present)
