"""Deployment: the partners are named for good, and nothing costs anything yet."""

from __future__ import annotations

import pytest

from prime_perps.accounts import account_id
from prime_perps.errors import Revert
from tests.stage import Stage, address

from .conftest import deploy


def test_deploy__with_its_partners__names_each(stage: Stage) -> None:
    contract = deploy(stage)
    assert contract.oracle() == stage.oracle.address
    assert contract.vault() == address("vault")
    assert contract.exchange() == address("exchange")
    assert contract.engine() == address("engine")
    assert contract.configurator() == address("configurator")
    assert contract.insurance_account() == account_id(contract.address, 0)
    assert contract.fee_account() == account_id(contract.address, 1)


def test_deploy__settings__no_fees_nothing_paused_everything_to_insurance(stage: Stage) -> None:
    contract = deploy(stage)
    assert contract.settings() == (stage.system.model.address, 0, 0, 10_000, 0)
    assert contract.treasury() == 0


def test_deploy__model_without_code__reverts(stage: Stage) -> None:
    with pytest.raises(Revert, match="settings: out of range"):
        deploy(stage, model=address("attacker"))
