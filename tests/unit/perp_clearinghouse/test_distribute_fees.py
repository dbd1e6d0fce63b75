"""distribute_fees: what the fee account has collected goes to insurance and treasury, by anybody's call."""

from __future__ import annotations

import pytest

from prime_perps.units import WAD, wad
from tests.stage import account, address

from .conftest import Book


def _collect(book: Book, amount: int) -> None:
    """Exactly this much in the fee account."""
    book.pay("holder", amount)
    book.move_cash(account("holder"), book.contract.fee_account(), amount)


def _distribute(book: Book) -> int:
    """What the call says it shared."""
    amount = book.contract.distribute_fees.call(sender=address("attacker"))
    book.contract.distribute_fees(sender=address("attacker"))
    return int(amount)


@pytest.mark.parametrize(
    ("collected", "share", "insurance", "treasury"),
    [
        (10 * WAD, 5_000, 5 * WAD, 5 * WAD),
        (10 * WAD, 10_000, 10 * WAD, 0),
        (10 * WAD, 0, 0, 10 * WAD),
        (1, 5_000, 1, 0),
        (3, 5_000, 2, 1),
        (9_999, 1, 1, 9_998),
        (10**20 + 7, 3_333, 10**20 + 7 - (10**20 + 7) * 6_667 // 10_000, (10**20 + 7) * 6_667 // 10_000),
    ],
)
def test_distribute_fees__by_any_share__gives_insurance_the_odd_unit(
    book: Book, collected: int, share: int, insurance: int, treasury: int
) -> None:
    book.set_fees(100, 400, share)
    _collect(book, collected)
    assert _distribute(book) == collected
    assert (book.fees(), book.insurance(), book.cash("treasury")) == (0, insurance, treasury)
    assert insurance + treasury == collected


def test_distribute_fees__after_trades__shares_what_they_paid(book: Book) -> None:
    book.novate("10")
    book.novate("-20", "149")
    collected = wad("0.75") + wad("1.49")
    before = book.total("maker", "taker", "treasury")
    assert book.contract.money(book.contract.fee_account()) == (0, collected)
    assert _distribute(book) == collected
    assert (book.insurance(), book.cash("treasury")) == (collected // 2, collected // 2)
    assert book.contract.money(book.contract.fee_account()) == (0, 0)
    assert book.total("maker", "taker", "treasury") == before


def test_distribute_fees__no_treasury__gives_everything_to_insurance(book: Book) -> None:
    book.set_treasury(0)
    _collect(book, 10 * WAD)
    assert _distribute(book) == 10 * WAD
    assert (book.fees(), book.insurance(), book.contract.money(0).cash) == (0, 10 * WAD, 0)


def test_distribute_fees__nothing_collected__shares_nothing(book: Book) -> None:
    assert _distribute(book) == 0
    assert (book.fees(), book.insurance(), book.cash("treasury")) == (0, 0, 0)


def test_distribute_fees__twice__shares_once(book: Book) -> None:
    _collect(book, 10 * WAD)
    assert [_distribute(book), _distribute(book)] == [10 * WAD, 0]


def test_distribute_fees__insurance_below_zero__is_paid_back(book: Book) -> None:
    book.move_cash(book.contract.insurance_account(), account("keeper"), 7 * WAD)
    _collect(book, 10 * WAD)
    _distribute(book)
    assert book.insurance() == -2 * WAD


def test_distribute_fees__fee_account_below_zero__shares_nothing(book: Book) -> None:
    book.move_cash(book.contract.fee_account(), account("keeper"), WAD)
    assert _distribute(book) == 0
    assert book.fees() == -WAD


def test_distribute_fees__always__tells_the_balances(book: Book) -> None:
    _collect(book, 10 * WAD)
    receipt = book.contract.distribute_fees(sender=address("keeper"))
    own = account("treasury"), book.contract.fee_account(), book.contract.insurance_account()
    events = list(book.contract.events(receipt))
    assert [name for name, _ in events] == ["MoneyChanged"] * 3 + ["Accrued"]
    changed = [(fields["account"], fields["shares"], fields["quote"]) for _, fields in events[:3]]
    assert changed == list(zip(own, (5 * WAD, 0, 5 * WAD), (0, 0, 0), strict=True))
