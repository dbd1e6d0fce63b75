"""set_model: another margin model, by the timelock, or by the guardian if it charges no book less."""

from __future__ import annotations

from dataclasses import replace

import pytest

from prime_perps import risk
from prime_perps.chain import Contract
from prime_perps.errors import Revert
from prime_perps.margin import Line, Table
from tests.stage import RISK_RAMP, address

from .conftest import UNDERLYINGS, Office

ZERO = "0x" + "00" * 20


def _line(line: Line, iota: int = 0) -> Line:
    return replace(line, iota=max(line.iota + iota, 0))


def _next(office: Office, iota: int = 0, lines: int = UNDERLYINGS) -> Contract:
    """A model of the factory that follows the present one at once, with `iota` more own-name shock everywhere."""
    system = office.stage.system
    used = risk.read_table(system.model)
    table = [_line(used.lines[min(number, UNDERLYINGS - 1)], iota) for number in range(lines)]
    given = (used.globals, table, system.model, office.stage.now())
    receipt = system.models.make(*given, sender=address("anyone"))
    ((_, fields),) = system.models.events(receipt)
    return Contract.at(office.stage.backend, "MarginModel", fields["model"])


def _foreign(office: Office, lines: int = UNDERLYINGS) -> Contract:
    """A model that the factory has not made, in force at once."""
    used = risk.read_table(office.stage.system.model)
    table = Table(used.globals, [_line(line, 100) for line in used.lines[:lines]])
    given = (table.globals, table.lines, ZERO, 0, 0)
    return Contract.deploy(office.stage.backend, "MarginModel", *given, sender=address("anyone"))


@pytest.mark.parametrize(
    ("sender", "iota"), [("timelock", 100), ("timelock", -100), ("guardian", 100), ("guardian", 0)]
)
def test_set_model__that_follows__is_asked_from_now_on(office: Office, sender: str, iota: int) -> None:
    office.trade("100")
    before = office.book.margin("taker")
    model = _next(office, iota)
    receipt = office.contract.set_model(model, sender=address(sender))
    settings = office.book.contract.settings()
    assert settings == (model.address, 100, 400, 5_000, 0)
    assert office.told(receipt) == [("SettingsChanged", {"settings": settings})]
    assert office.book.margin("taker").maintenance == before.maintenance
    office.stage.warp(RISK_RAMP)
    after = office.book.margin("taker")
    exposure = office.book.exposure("AAPL", office.book.size("taker"))
    assert (after.maintenance, after.initial) == model.requirements([exposure], (0, 0, 0), 0)
    assert after.equity == before.equity


@pytest.mark.parametrize("sender", ["attacker", "deployer"])
def test_AC_1_set_model__by_neither_timelock_nor_guardian__reverts(office: Office, sender: str) -> None:
    with pytest.raises(Revert, match="roles: guardian only"):
        office.contract.set_model(_next(office), sender=address(sender))


def test_AC_1_set_model__a_charge_lowered_by_the_guardian__reverts(office: Office) -> None:
    with pytest.raises(Revert, match="roles: timelock only"):
        office.contract.set_model(_next(office, -1), sender=address("guardian"))


def test_AC_1_set_model__from_elsewhere_by_the_guardian__reverts(office: Office) -> None:
    with pytest.raises(Revert, match="roles: timelock only"):
        office.contract.set_model(_foreign(office), sender=address("guardian"))


def test_set_model__from_elsewhere_by_the_timelock__in_force_as_it_says(office: Office) -> None:
    office.trade("100")
    before, model = office.book.margin("taker"), _foreign(office)
    office.contract.set_model(model, sender=address("timelock"))
    assert office.book.contract.settings().model == model.address
    assert office.book.margin("taker").maintenance > before.maintenance


@pytest.mark.parametrize("sender", ["timelock", "guardian"])
def test_set_model__that_has_begun__reverts(office: Office, sender: str) -> None:
    """Its first part would come as a step."""
    model = _next(office, 100)
    office.stage.warp(1)
    with pytest.raises(Revert, match="factory: not the next model"):
        office.contract.set_model(model, sender=address(sender))


def test_set_model__back_to_the_one_before__reverts(office: Office) -> None:
    first = office.stage.system.model
    office.contract.set_model(_next(office), sender=address("timelock"))
    with pytest.raises(Revert, match="factory: not the next model"):
        office.contract.set_model(first, sender=address("timelock"))


def test_set_model__without_code__reverts(office: Office) -> None:
    with pytest.raises(Revert, match="settings: out of range"):
        office.contract.set_model(address("attacker"), sender=address("timelock"))


def test_set_model__that_lacks_a_line_of_the_one_in_force__reverts(office: Office) -> None:
    """Whoever holds it could no longer be margined, nor liquidated."""
    with pytest.raises(Revert, match="clearing: no risk line"):
        office.contract.set_model(_foreign(office, UNDERLYINGS - 1), sender=address("timelock"))


def test_set_model__more_lines__admits_what_had_none_once_in_force(office: Office) -> None:
    office.contract.set_model(_next(office, lines=UNDERLYINGS + 1), sender=address("timelock"))
    office.stage.warp(RISK_RAMP - 1)
    with pytest.raises(Revert, match="clearing: no risk line"):
        office.contract.list_market(UNDERLYINGS, 1, 1, 1, sender=address("timelock"))
    office.stage.warp(1)
    office.contract.list_market(UNDERLYINGS, 1, 1, 1, sender=address("timelock"))
    assert office.book.contract.market(UNDERLYINGS).listed
