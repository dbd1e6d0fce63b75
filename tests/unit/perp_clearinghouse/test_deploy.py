"""Deployment: the partners are named for good, and nobody but the roles may change anything."""

from __future__ import annotations

import pytest

from prime_perps.accounts import account_id
from prime_perps.errors import Revert
from tests.stage import Stage, address

from .conftest import Book, deploy


def test_deploy__with_its_partners__names_each(stage: Stage) -> None:
    contract = deploy(stage)
    assert contract.oracle() == stage.oracle.address
    assert contract.models() == stage.system.models.address
    assert contract.vault() == address("vault")
    assert contract.exchange() == address("exchange")
    assert contract.engine() == address("engine")
    assert contract.insurance_account() == account_id(contract.address, 0)
    assert contract.fee_account() == account_id(contract.address, 1)


def test_deploy__settings__no_fees_nothing_paused_everything_to_insurance(stage: Stage) -> None:
    contract = deploy(stage)
    assert contract.settings() == (stage.system.model.address, 0, 0, 10_000, 0)
    assert contract.treasury() == 0


def test_deploy__model_without_code__reverts(stage: Stage) -> None:
    with pytest.raises(Revert, match="settings: out of range"):
        deploy(stage, model=address("attacker"))


def test_deploy__roles__are_the_deployers_to_give(stage: Stage) -> None:
    contract = deploy(stage)
    assert contract.hasRole(contract.DEFAULT_ADMIN_ROLE(), address("deployer"))
    assert not contract.hasRole(contract.TIMELOCK_ROLE(), address("deployer"))
    assert not contract.hasRole(contract.GUARDIAN_ROLE(), address("deployer"))


def test_deploy__by_the_deployment__leaves_the_deployer_nothing(stage: Stage) -> None:
    contract, timelock = stage.system.clearinghouse, stage.system.timelock.address
    for role in (contract.DEFAULT_ADMIN_ROLE(), contract.TIMELOCK_ROLE(), contract.GUARDIAN_ROLE()):
        assert not contract.hasRole(role, address("deployer"))
    assert contract.hasRole(contract.DEFAULT_ADMIN_ROLE(), timelock)
    assert contract.hasRole(contract.TIMELOCK_ROLE(), timelock)
    assert contract.hasRole(contract.GUARDIAN_ROLE(), address("guardian"))


@pytest.mark.parametrize("role", ["attacker", "guardian", "timelock"])
def test_AC_1_grant_role__without_the_administrators_role__reverts(empty_book: Book, role: str) -> None:
    contract = empty_book.contract
    for given in (contract.TIMELOCK_ROLE(), contract.GUARDIAN_ROLE(), contract.DEFAULT_ADMIN_ROLE()):
        with pytest.raises(Revert, match="access_control: account is missing role"):
            contract.grantRole(given, address(role), sender=address(role))


def test_grant_role__through_the_timelock__makes_a_guardian_until_revoked(stage: Stage) -> None:
    contract, guardian = stage.system.clearinghouse, address("second guardian")
    stage.govern(contract.grantRole, contract.GUARDIAN_ROLE(), guardian)
    contract.set_paused(1, sender=guardian)
    stage.govern(contract.revokeRole, contract.GUARDIAN_ROLE(), guardian)
    with pytest.raises(Revert, match="roles: guardian only"):
        contract.set_paused(3, sender=guardian)
