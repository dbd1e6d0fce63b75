"""socialise: a loss is taken from all positive cash alike and given to insurance; the engine alone."""

from __future__ import annotations

import pytest

from prime_perps.accounts import CASH
from prime_perps.cash import INDEX_MIN, ONE
from prime_perps.errors import Revert
from prime_perps.units import WAD
from tests.stage import account, address

from .conftest import Book


def _socialise(book: Book, amount: int) -> int:
    """What the call says it took."""
    taken = book.contract.socialise.call(amount, sender=address("engine"))
    book.contract.socialise(amount, sender=address("engine"))
    return int(taken)


def test_LQ_2_socialise__a_loss__is_shared_by_all_cash_alike_and_insurance_has_it(book: Book) -> None:
    """Of 200,000, 20,000: a tenth of everybody's."""
    before = book.total("maker", "taker")
    assert _socialise(book, 20_000 * WAD) == 20_000 * WAD
    assert (book.cash("maker"), book.cash("taker")) == pytest.approx((90_000 * WAD, 90_000 * WAD), abs=10**5)
    assert book.insurance() == pytest.approx(20_000 * WAD, abs=1)
    assert before - 3 * 10**5 <= book.total("maker", "taker") <= before


def test_LQ_2_socialise__debts_quotes_and_positions__stay(book: Book) -> None:
    book.novate("10", "151")
    book.move_cash(account("holder"), account("keeper"), 500 * WAD)
    quote, debt = book.quote("taker"), book.cash("holder")
    _socialise(book, 20_000 * WAD)
    assert (book.quote("taker"), book.size("taker"), book.cash("holder")) == (quote, 10 * 10**9, debt)


def test_LQ_2_socialise__insurance_that_owes__is_cleared(book: Book) -> None:
    book.move_cash(book.contract.insurance_account(), account("keeper"), 1_000 * WAD)
    _socialise(book, 1_000 * WAD)
    assert abs(book.insurance()) <= 2


def test_LQ_2_socialise__insurance_that_has_cash__loses_none_of_it(book: Book) -> None:
    book.credit(book.contract.insurance_account(), CASH, 50_000 * WAD, "donor")
    _socialise(book, 20_000 * WAD)
    assert book.insurance() == pytest.approx(70_000 * WAD, abs=2)
    assert book.cash("maker") == pytest.approx(90_000 * WAD, abs=10**5)


def test_LQ_2_socialise__more_than_all_cash__takes_what_there_is_and_never_reverts(book: Book) -> None:
    assert _socialise(book, 10**6 * WAD) == 200_000 * WAD * 1_023 // 1_024
    assert book.cash_market().supply_index == INDEX_MIN
    assert book.cash("maker") == 100_000 * WAD // 1_024
    # what insurance has got is all that can be taken now
    assert _socialise(book, WAD) == 0


def test_LQ_2_socialise__nobody_has_cash__takes_nothing(empty_book: Book) -> None:
    assert _socialise(empty_book, WAD) == 0
    assert empty_book.insurance() == 0
    empty_book.pay("holder", "7")
    assert empty_book.cash("holder") in (7 * WAD, 7 * WAD - 1)


def test_CH_2_socialise__afterwards__cash_is_paid_in_lent_and_out_as_before(book: Book) -> None:
    _socialise(book, 50_000 * WAD)
    assert book.cash_market().supply_index == ONE * 3 // 4 - 1
    book.pay("holder", "1000")
    assert book.cash("holder") in (1_000 * WAD, 1_000 * WAD - 1)
    book.debit(account("holder"), CASH, book.cash("holder"), "holder")
    assert (book.cash("holder"), book.shares("holder")) == (0, 0)


def test_socialise__always__tells_the_index_and_what_insurance_has(book: Book) -> None:
    events = list(book.contract.events(book.contract.socialise(WAD, sender=address("engine"))))
    insurance = book.contract.insurance_account()
    shares = book.contract.cash_shares(insurance)
    assert [name for name, _ in events] == ["Accrued", "MoneyChanged", "Accrued"]
    assert events[1:] == [
        ("MoneyChanged", {"account": insurance, "shares": shares, "quote": 0}),
        ("Accrued", {"indexes": book.contract.cash_words()[0]}),
    ]


def test_socialise__after_a_while__the_rate_at_target_has_moved_for_it(book: Book) -> None:
    book.pay_stock("holder", "AAPL", "5000")
    book.debit(account("holder"), CASH, 180_000 * WAD, "holder")
    with book.stage.undone():
        book.stage.warp(86_400)
        book.contract.accrue(sender=address("keeper"))
        moved = book.cash_market().rate_at_target
    book.stage.warp(86_400)
    _socialise(book, WAD)
    assert book.cash_market().rate_at_target == moved > 4 * WAD // 100


@pytest.mark.parametrize("sender", ["attacker", "taker", "vault", "exchange", "timelock", "guardian", "configurator"])
def test_CH_5_socialise__not_by_the_engine__reverts(book: Book, sender: str) -> None:
    with pytest.raises(Revert, match="clearing: not the right caller"):
        book.contract.socialise(1, sender=address(sender))
