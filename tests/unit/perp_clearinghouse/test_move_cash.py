"""move_cash: what insurance pays. No margin check, no floor; the engine alone."""

from __future__ import annotations

import pytest

from prime_perps.errors import Revert
from prime_perps.units import WAD
from tests.stage import account, address

from .conftest import Book


def test_CH_2_move_cash__from_insurance__only_changes_hands(book: Book) -> None:
    insurance = book.contract.insurance_account()
    book.credit(insurance, 255, 10 * WAD, "attacker")
    before = book.total("keeper")
    receipt = book.move_cash(insurance, account("keeper"), 4 * WAD)
    assert (book.insurance(), book.cash("keeper")) == (6 * WAD, 4 * WAD)
    assert book.total("keeper") == before
    assert list(book.contract.events(receipt))[:2] == [
        ("MoneyChanged", {"account": insurance, "shares": 6 * WAD, "quote": 0}),
        ("MoneyChanged", {"account": account("keeper"), "shares": 4 * WAD, "quote": 0}),
    ]


def test_LQ_2_move_cash__insurance_has_nothing__ends_below_zero(book: Book) -> None:
    book.move_cash(book.contract.insurance_account(), account("keeper"), 7)
    assert (book.insurance(), book.cash("keeper")) == (-7, 7)


def test_move_cash__payer_with_positions__is_not_held_to_margin(book: Book) -> None:
    book.novate("100")
    book.move_cash(account("taker"), account("keeper"), 100_000 * WAD)
    assert book.margin("taker").equity < 0


def test_move_cash__everything_paused__goes_on(book: Book) -> None:
    book.pause(7)
    book.move_cash(account("taker"), account("keeper"), 1)
    assert book.cash("keeper") == 1


def test_move_cash__to_oneself__changes_nothing(book: Book) -> None:
    before = book.cash("taker")
    book.move_cash(account("taker"), account("taker"), WAD)
    assert book.cash("taker") == before


def test_move_cash__nothing__changes_nothing(book: Book) -> None:
    book.move_cash(account("nobody"), account("taker"), 0)
    assert book.cash("nobody") == 0


@pytest.mark.parametrize("amount", [2**103, 2**111, 2**127, 2**256 - 1])
def test_move_cash__more_than_a_balance_holds__reverts(book: Book, amount: int) -> None:
    with pytest.raises(Revert, match="ledger: amount too large"):
        book.move_cash(account("maker"), account("taker"), amount)


def test_move_cash__debt_or_wealth_beyond_a_balance__reverts(book: Book) -> None:
    """2^103 - 1 shares, so that the sum over all accounts fits its field: ten trillion USD."""
    book.move_cash(account("nobody"), account("keeper"), 2**103 - 1)
    for payer, receiver in (("nobody", "maker"), ("maker", "keeper")):
        with pytest.raises(Revert, match="ledger: amount too large"):
            book.move_cash(account(payer), account(receiver), 1)


@pytest.mark.parametrize("sender", ["attacker", "taker", "vault", "exchange", "timelock", "guardian"])
def test_CH_5_move_cash__not_by_the_engine__reverts(book: Book, sender: str) -> None:
    with pytest.raises(Revert, match="clearing: not the right caller"):
        book.contract.move_cash(account("taker"), account("maker"), 1, sender=address(sender))
