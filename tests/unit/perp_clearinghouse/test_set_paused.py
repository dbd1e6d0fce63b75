"""set_paused: the guardian stops, only the timelock starts again."""

from __future__ import annotations

import pytest

from prime_perps.errors import Revert
from tests.stage import address

from .conftest import Book

ALL = range(8)


@pytest.mark.parametrize("before", ALL)
def test_AC_1_set_paused__by_the_guardian__only_adds(book: Book, before: int) -> None:
    book.contract.set_paused(before, sender=address("timelock"))
    for paused in ALL:
        if paused & before == before:
            with book.stage.undone():
                book.contract.set_paused(paused, sender=address("guardian"))
                assert book.contract.settings().paused == paused
        else:
            with pytest.raises(Revert, match="roles: timelock only"):
                book.contract.set_paused(paused, sender=address("guardian"))


@pytest.mark.parametrize("before", ALL)
def test_AC_1_set_paused__by_the_timelock__sets_any(book: Book, before: int) -> None:
    for paused in ALL:
        book.contract.set_paused(before, sender=address("timelock"))
        receipt = book.contract.set_paused(paused, sender=address("timelock"))
        settings = book.contract.settings()
        assert settings == (book.stage.system.model.address, 100, 400, 5_000, paused)
        assert list(book.contract.events(receipt)) == [("SettingsChanged", {"settings": settings})]


@pytest.mark.parametrize("sender", ["guardian", "timelock"])
@pytest.mark.parametrize("paused", [8, 15, 2**48, 2**256 - 1])
def test_set_paused__unknown_bits__reverts(book: Book, sender: str, paused: int) -> None:
    with pytest.raises(Revert, match="settings: out of range"):
        book.contract.set_paused(paused, sender=address(sender))


@pytest.mark.parametrize("sender", ["attacker", "deployer", "engine"])
@pytest.mark.parametrize("paused", [0, 7])
def test_AC_1_set_paused__by_anybody_else__reverts(book: Book, sender: str, paused: int) -> None:
    with pytest.raises(Revert, match="roles: guardian only"):
        book.contract.set_paused(paused, sender=address(sender))


def test_set_paused__everything__leaves_deposits_and_upkeep(book: Book) -> None:
    book.novate("10")
    book.contract.set_paused(7, sender=address("guardian"))
    book.pay("taker", 1)
    book.stage.warp(60)
    for call in (book.contract.settle, book.contract.accrue):
        call(0, sender=address("keeper"))
    book.contract.distribute_fees(sender=address("keeper"))
    assert book.margin("taker").equity > 0
