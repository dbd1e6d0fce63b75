"""Who holds what after deployment, and that it can be handed over and given up."""

from __future__ import annotations

import pytest

from prime_perps.chain import Contract
from prime_perps.errors import Revert
from tests.unit.margin_model.conftest import RAMP, TABLE, Desk, address_of


def test_init__deployer__admin_and_nothing_else(bare: Desk) -> None:
    fresh = Contract.deploy(bare.backend, "MarginModel", RAMP, sender=bare.admin)
    assert fresh.hasRole(fresh.DEFAULT_ADMIN_ROLE(), bare.admin)
    assert not fresh.hasRole(fresh.TIMELOCK_ROLE(), bare.admin)
    assert not fresh.hasRole(fresh.GUARDIAN_ROLE(), bare.admin)


def test_roles__handed_over__the_deployer_is_powerless(bare: Desk) -> None:
    model, admin, successor = bare.model, bare.admin, address_of("successor")
    model.grantRole(model.DEFAULT_ADMIN_ROLE(), successor, sender=admin)
    model.renounceRole(model.DEFAULT_ADMIN_ROLE(), admin, sender=admin)
    with pytest.raises(Revert, match="account is missing role"):
        model.grantRole(model.TIMELOCK_ROLE(), admin, sender=admin)
    model.revokeRole(model.TIMELOCK_ROLE(), bare.timelock, sender=successor)
    table = bare.stage(TABLE)
    with pytest.raises(Revert, match="roles: guardian only"):
        model.use_table(table, sender=bare.timelock)


def test_grant_role__by_attacker__refused(bare: Desk) -> None:
    with pytest.raises(Revert, match="account is missing role"):
        bare.model.grantRole(bare.model.TIMELOCK_ROLE(), bare.attacker, sender=bare.attacker)


@pytest.mark.parametrize("ramp", [0, 30 * 86_400 + 1, 2**256 - 1])
def test_init__ramp_out_of_bounds__refused(bare: Desk, ramp: int) -> None:
    with pytest.raises(Revert, match="model: bad ramp"):
        Contract.deploy(bare.backend, "MarginModel", ramp, sender=bare.admin)


@pytest.mark.parametrize("ramp", [1, RAMP, 30 * 86_400])
def test_init__ramp_at_its_bounds__kept(bare: Desk, ramp: int) -> None:
    assert Contract.deploy(bare.backend, "MarginModel", ramp, sender=bare.admin).ramp() == ramp
