"""A settlement coin that says no instead of reverting: nothing is minted for what has not come."""

from __future__ import annotations

import pytest

from prime_perps.chain import Contract
from prime_perps.chain.revm import RevmBackend
from prime_perps.deployment import deploy
from prime_perps.errors import Revert
from prime_perps.liquidity import deploy_liquidity
from tests.stage import address, parameters

NO = 2


def test_deposit__a_coin_that_answers_no__reverts() -> None:
    backend = RevmBackend()
    coin = Contract.deploy(backend, "HostileToken", 6, sender=address("attacker"))
    given = parameters()
    given["cash"]["token"] = coin.address
    system = deploy(backend, address("deployer"), given)
    vault = deploy_liquidity(system, address("deployer"), address("guardian"), {})
    coin.mint(address("provider"), 1_000, sender=address("attacker"))
    vault.request_deposit(500, sender=address("provider"))
    coin.set_answer(NO, sender=address("attacker"))
    with pytest.raises(Revert, match=r"^liquidity: transfer failed$"):
        vault.deposit(500, address("provider"), sender=address("provider"))
    with pytest.raises(Revert, match=r"^liquidity: transfer failed$"):
        vault.cancel(0, sender=address("provider"))
    assert vault.totalSupply() == 0
