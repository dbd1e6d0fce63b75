"""release: the fund, and nobody else, takes a backer's part out of insurance. While a loss is under way it does not:
tests/unit/insurance_fund/test_withdraw.py."""

from __future__ import annotations

from typing import NamedTuple

import pytest

from prime_perps.accounts import CASH
from prime_perps.chain.contract import Contract
from prime_perps.deployment import create_address
from prime_perps.errors import Revert
from prime_perps.units import wad
from tests.stage import account, address

from .conftest import Auctions


class Insured(NamedTuple):
    """A book whose insurance has 1,000, and whose fund is somebody with a key."""

    book: Contract
    engine: Contract

    @property
    def cash(self) -> int:
        return int(self.book.money(self.book.insurance_account()).cash)

    def release(self, amount: int, role: str = "fund") -> None:
        self.engine.release(amount, sender=address(role))


@pytest.fixture
def insured(auctions: Auctions) -> Insured:
    system, deployer, backend = auctions.stage.system, address("deployer"), auctions.stage.backend
    engine = create_address(deployer, backend.nonce(deployer) + 1)
    parts = system.oracle, system.model, system.operators, system.interest
    partners = address("vault"), address("exchange"), engine, *[address("nobody")] * 3
    book = Contract.deploy(backend, "PerpClearinghouse", *parts, *partners, sender=deployer)
    terms = auctions.engine.terms()
    made = Contract.deploy(backend, "LiquidationEngine", book, address("fund"), terms, sender=deployer)
    book.credit(book.insurance_account(), CASH, wad(1_000), address("donor"), sender=address("vault"))
    return Insured(book, made)


def test_release__the_fund__moves_cash_to_the_funds_account(insured: Insured) -> None:
    insured.release(wad(400))
    assert insured.cash == wad(600)
    assert insured.book.money(account("fund")).cash == wad(400)


def test_release__all_that_there_is__leaves_nothing(insured: Insured) -> None:
    insured.release(wad(1_000))
    assert insured.cash == 0


def test_release__more_than_insurance_has__reverts(insured: Insured) -> None:
    with pytest.raises(Revert, match=r"^engine: insurance too small$"):
        insured.release(wad(1_000) + 1)


@pytest.mark.parametrize("role", ["vault", "deployer", "guardian", "attacker"])
def test_release__not_the_fund__reverts__CH_5(insured: Insured, role: str) -> None:
    with pytest.raises(Revert, match=r"^engine: fund only$"):
        insured.release(1, role)
