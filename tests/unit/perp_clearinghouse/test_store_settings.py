"""store_settings: model, fees, insurance's share and what is paused, within bounds that no governance can pass."""

from __future__ import annotations

import pytest

from prime_perps.errors import Revert
from tests.stage import address

from .conftest import Book


@pytest.mark.parametrize("numbers", [(0, 0, 0, 0), (5_000, 5_000, 10_000, 7), (1, 2, 3, 4)])
def test_store_settings__within_range__are_set_and_told(book: Book, numbers: tuple[int, ...]) -> None:
    settings = (book.stage.system.model.address, *numbers)
    receipt = book.store(*settings)
    assert book.contract.settings() == settings
    assert list(book.contract.events(receipt)) == [("SettingsChanged", {"settings": settings})]


@pytest.mark.parametrize(
    "numbers",
    [
        *((5_001, 0, 0, 0), (0, 5_001, 0, 0), (2**16, 0, 0, 0), (0, 2**256 - 1, 0, 0)),
        *((0, 0, 10_001, 0), (0, 0, 2**16, 0)),
        *((0, 0, 0, 8), (0, 0, 0, 2**48), (0, 0, 0, 2**256 - 1)),
    ],
)
def test_store_settings__out_of_range__reverts(book: Book, numbers: tuple[int, ...]) -> None:
    with pytest.raises(Revert, match="settings: out of range"):
        book.store(book.stage.system.model.address, *numbers)


def test_store_settings__model_without_code__reverts(book: Book) -> None:
    with pytest.raises(Revert, match="settings: out of range"):
        book.store(address("attacker"), 0, 0, 0, 0)


def test_store_settings__everything_paused__leaves_deposits_and_upkeep(book: Book) -> None:
    book.novate("10")
    book.pause(7)
    book.pay("taker", 1)
    book.stage.warp(60)
    book.contract.settle(0, sender=address("keeper"))
    book.contract.distribute_fees(sender=address("keeper"))
    assert book.margin("taker").equity > 0


@pytest.mark.parametrize("sender", ["attacker", "timelock", "guardian", "vault", "exchange", "engine"])
def test_AC_1_store_settings__not_by_the_configurator__reverts(book: Book, sender: str) -> None:
    settings = book.contract.settings()
    with pytest.raises(Revert, match="clearing: not the right caller"):
        book.contract.store_settings(settings, sender=address(sender))
