"""set_rate_floor: the T-bill rate, by the timelock, within bounds."""

from __future__ import annotations

from decimal import Decimal

import pytest

from prime_perps.chain import Contract
from prime_perps.errors import Revert
from prime_perps.units import wad
from tests.stage import address

from .conftest import FLOOR, Desk

OUT_OF_RANGE = r"^interest: floor out of range$"


def test_set_rate_floor__by_the_timelock__holds_from_then_on(desk: Desk) -> None:
    receipt = desk.model.set_rate_floor(wad("0.055"), sender=address("timelock"))
    assert list(desk.model.events(receipt)) == [("RateFloorSet", {"rate_floor": wad("0.055")})]
    assert desk.model.rate_floor() == wad("0.055")
    # below it no rate at target begins or stays, above it none is touched
    assert desk.step("0.04", "0.85", 0) == (Decimal("0.055"), Decimal("0.055"))
    assert desk.step("0.06", "0.85", 0) == (Decimal("0.06"), Decimal("0.06"))


@pytest.mark.parametrize("role", ["guardian", "attacker", "deployer"])
def test_set_rate_floor__anybody_else__reverts__AC_1(desk: Desk, role: str) -> None:
    with pytest.raises(Revert, match=r"^roles: timelock only$"):
        desk.model.set_rate_floor(wad("0.02"), sender=address(role))
    assert desk.model.rate_floor() == wad(FLOOR)


@pytest.mark.parametrize("floor", [wad("0.0001"), wad("0.2")])
def test_set_rate_floor__at_the_bounds__is_taken(desk: Desk, floor: int) -> None:
    desk.model.set_rate_floor(floor, sender=address("timelock"))
    assert desk.model.rate_floor() == floor


@pytest.mark.parametrize("floor", [0, wad("0.0001") - 1, wad("0.2") + 1, 2**256 - 1])
def test_set_rate_floor__out_of_bounds__reverts(desk: Desk, floor: int) -> None:
    with pytest.raises(Revert, match=OUT_OF_RANGE):
        desk.model.set_rate_floor(floor, sender=address("timelock"))
    with pytest.raises(Revert, match=OUT_OF_RANGE):
        Contract.deploy(desk.backend, "InterestModel", floor, sender=address("deployer"))
