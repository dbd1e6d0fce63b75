"""Deployment: each of configurator and clearinghouse names the other for good, and nobody but the roles may change
anything."""

from __future__ import annotations

import pytest

from prime_perps.chain import Contract
from prime_perps.errors import Revert
from tests.stage import address

from .conftest import Office


def test_deploy__clearinghouse_and_factory__are_those_given(office: Office) -> None:
    system = office.stage.system
    assert office.contract.clearinghouse() == system.clearinghouse.address
    assert office.contract.models() == system.models.address
    assert system.clearinghouse.configurator() == office.contract.address


def test_deploy__clearinghouse_that_names_another_configurator__reverts(office: Office) -> None:
    system = office.stage.system
    given = system.clearinghouse, system.models
    with pytest.raises(Revert, match=r"^config: not the one expected$"):
        Contract.deploy(office.stage.backend, "Configurator", *given, sender=address("attacker"))


def test_deploy__by_the_deployment__leaves_the_deployer_nothing(office: Office) -> None:
    contract, timelock = office.contract, office.stage.system.timelock.address
    for role in (contract.DEFAULT_ADMIN_ROLE(), contract.TIMELOCK_ROLE(), contract.GUARDIAN_ROLE()):
        assert not contract.hasRole(role, address("deployer"))
    assert contract.hasRole(contract.DEFAULT_ADMIN_ROLE(), timelock)
    assert contract.hasRole(contract.TIMELOCK_ROLE(), timelock)
    assert contract.hasRole(contract.GUARDIAN_ROLE(), address("guardian"))


@pytest.mark.parametrize("role", ["attacker", "guardian", "timelock"])
def test_AC_1_grant_role__without_the_administrators_role__reverts(office: Office, role: str) -> None:
    contract = office.contract
    for given in (contract.TIMELOCK_ROLE(), contract.GUARDIAN_ROLE(), contract.DEFAULT_ADMIN_ROLE()):
        with pytest.raises(Revert, match="access_control: account is missing role"):
            contract.grantRole(given, address(role), sender=address(role))


def test_grant_role__through_the_timelock__makes_a_guardian_until_revoked(office: Office) -> None:
    contract, guardian = office.contract, address("second guardian")
    office.stage.govern(contract.grantRole, contract.GUARDIAN_ROLE(), guardian)
    contract.set_paused(1, sender=guardian)
    office.stage.govern(contract.revokeRole, contract.GUARDIAN_ROLE(), guardian)
    with pytest.raises(Revert, match="roles: guardian only"):
        contract.set_paused(3, sender=guardian)
