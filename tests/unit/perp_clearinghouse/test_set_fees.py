"""set_fees: by the timelock, within bounds that no governance can pass."""

from __future__ import annotations

import pytest

from prime_perps.errors import Revert
from tests.stage import address

from .conftest import Book


@pytest.mark.parametrize(("maker", "taker", "share"), [(0, 0, 0), (5_000, 5_000, 10_000), (1, 2, 3)])
def test_set_fees__within_bounds__are_set_and_nothing_else(book: Book, maker: int, taker: int, share: int) -> None:
    book.contract.set_paused(5, sender=address("guardian"))
    receipt = book.contract.set_fees(maker, taker, share, sender=address("timelock"))
    settings = book.contract.settings()
    assert settings == (book.stage.system.model.address, maker, taker, share, 5)
    assert list(book.contract.events(receipt)) == [("SettingsChanged", {"settings": settings})]


@pytest.mark.parametrize(
    ("maker", "taker", "share"),
    [(5_001, 0, 0), (0, 5_001, 0), (0, 0, 10_001), (2**16, 0, 0), (0, 2**256 - 1, 0), (0, 0, 2**16)],
)
def test_set_fees__out_of_bounds__reverts(book: Book, maker: int, taker: int, share: int) -> None:
    with pytest.raises(Revert, match="settings: out of range"):
        book.contract.set_fees(maker, taker, share, sender=address("timelock"))


@pytest.mark.parametrize("sender", ["attacker", "guardian", "deployer", "treasury"])
def test_AC_1_set_fees__not_by_the_timelock__reverts(book: Book, sender: str) -> None:
    with pytest.raises(Revert, match="roles: timelock only"):
        book.contract.set_fees(0, 0, 0, sender=address(sender))
