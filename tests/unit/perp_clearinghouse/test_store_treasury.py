"""store_treasury: the account that gets what insurance does not keep."""

from __future__ import annotations

import pytest

from prime_perps.errors import Revert
from prime_perps.units import wad
from tests.stage import account, address

from .conftest import Book


def test_store_treasury__another_account__gets_the_next_fees(book: Book) -> None:
    receipt = book.set_treasury(account("holder", 7))
    assert list(book.contract.events(receipt)) == [("TreasurySet", {"treasury": account("holder", 7)})]
    assert book.contract.treasury() == account("holder", 7)
    book.novate("10")
    collected = book.fees()
    assert collected == wad("0.75")
    book.contract.distribute_fees(sender=address("keeper"))
    assert book.contract.money(account("holder", 7)).cash == collected // 2
    assert book.cash("treasury") == 0


@pytest.mark.parametrize("sender", ["attacker", "timelock", "guardian", "vault", "exchange", "engine"])
def test_AC_1_store_treasury__not_by_the_configurator__reverts(book: Book, sender: str) -> None:
    with pytest.raises(Revert, match="clearing: not the right caller"):
        book.contract.store_treasury(account("attacker"), sender=address(sender))
