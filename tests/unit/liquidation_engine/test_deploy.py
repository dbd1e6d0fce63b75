"""Deployment: the engine is where its clearinghouse expects it, and its terms are in range."""

from __future__ import annotations

import pytest

from prime_perps.chain.contract import Contract
from prime_perps.errors import Revert
from tests.stage import address

from .conftest import Auctions


def test_deploy__clearinghouse__is_the_one_given(auctions: Auctions) -> None:
    assert auctions.engine.clearinghouse() == auctions.book.address
    assert auctions.book.engine() == auctions.engine.address
    assert auctions.engine.insurance_fund() == auctions.stage.system.insurance_fund.address


def test_deploy__clearinghouse_that_names_another_engine__reverts(auctions: Auctions) -> None:
    with pytest.raises(Revert, match=r"^engine: not the one expected$"):
        Contract.deploy(
            auctions.stage.backend,
            "LiquidationEngine",
            *(auctions.book, auctions.stage.system.insurance_fund),
            auctions.engine.terms(),
            sender=address("attacker"),
        )
