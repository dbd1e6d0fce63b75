"""set_halt: halting tightens at once, releasing waits for the timelock."""

from __future__ import annotations

from dataclasses import replace

import pytest

from prime_perps.errors import Revert
from prime_perps.reports import Flag, Session

from .conftest import NVDA, SPY, Desk, address_of


@pytest.mark.parametrize("role", ["guardian", "timelock"])
def test_set_halt__by_role__sets_only_the_flag(desk: Desk, role: str) -> None:
    desk.submit(desk.report(NVDA), desk.report(SPY))
    before, neighbour = desk.word(NVDA), desk.word(SPY)
    receipt = desk.oracle.set_halt(NVDA, True, sender=address_of(role))
    assert desk.word(NVDA) == replace(before, flags=Flag.HALTED)
    assert desk.word(SPY) == neighbour
    assert list(desk.oracle.events(receipt)) == [("HaltSet", {"underlying": NVDA, "halted": True})]


def test_set_halt__released__is_reopening(desk: Desk) -> None:
    desk.submit(desk.report())
    before = desk.word()
    desk.oracle.set_halt(NVDA, True, sender=desk.guardian)
    receipt = desk.oracle.set_halt(NVDA, False, sender=desk.timelock)
    assert desk.word() == replace(before, flags=Flag.REOPENING)
    assert list(desk.oracle.events(receipt)) == [("HaltSet", {"underlying": NVDA, "halted": False})]


def test_set_halt__until_released__the_price_is_in_doubt(desk: Desk) -> None:
    desk.submit(desk.report())
    desk.oracle.set_halt(NVDA, True, sender=desk.guardian)
    assert desk.read() == replace(desk.word(), half_width=1_005, doubt=1_000)
    desk.oracle.set_halt(NVDA, False, sender=desk.timelock)
    assert desk.read() == replace(desk.word(), half_width=1_005, doubt=1_000)
    for wait in (1, 120):
        assert desk.read().doubt >= 1_000
        desk.backend.warp(wait)
        desk.submit(desk.report())
    assert desk.read() == replace(desk.word(), half_width=5, doubt=0)


def test_set_halt__twice__is_the_same_as_once(desk: Desk) -> None:
    for halted in (True, False):
        for _ in range(2):
            desk.oracle.set_halt(NVDA, halted, sender=desk.timelock)
            assert desk.word().flags == (Flag.HALTED if halted else Flag.REOPENING)


def test_set_halt__released_without_a_halt__changes_nothing(desk: Desk) -> None:
    desk.submit(desk.report())
    before = desk.word()
    desk.oracle.set_halt(NVDA, False, sender=desk.timelock)
    assert desk.word() == before


def test_set_halt__halted__survives_every_session_of_reports(desk: Desk) -> None:
    desk.oracle.set_halt(NVDA, True, sender=desk.guardian)
    for session in (Session.PRE, Session.REGULAR, Session.POST, Session.OVERNIGHT, Session.CLOSED, Session.PRE):
        desk.submit(desk.report(status=session))
        assert (desk.word().flags & Flag.HALTED, desk.word().session) == (Flag.HALTED, session)
        desk.backend.warp(1)


def test_set_halt__guardian_releases__reverts__AC_1(desk: Desk) -> None:
    desk.oracle.set_halt(NVDA, True, sender=desk.guardian)
    with pytest.raises(Revert, match=r"^roles: timelock only$"):
        desk.oracle.set_halt(NVDA, False, sender=desk.guardian)


@pytest.mark.parametrize("role", ["keeper", "attacker", "deployer"])
def test_set_halt__without_a_role__reverts(desk: Desk, role: str) -> None:
    with pytest.raises(Revert, match=r"^roles: guardian only$"):
        desk.oracle.set_halt(NVDA, True, sender=address_of(role))
    with pytest.raises(Revert, match=r"^roles: timelock only$"):
        desk.oracle.set_halt(NVDA, False, sender=address_of(role))


@pytest.mark.parametrize("underlying", [64, 2**256 - 1])
def test_set_halt__number_of_no_underlying__reverts(desk: Desk, underlying: int) -> None:
    with pytest.raises(Revert, match=r"^oracle: bad underlying$"):
        desk.oracle.set_halt(underlying, True, sender=desk.guardian)
