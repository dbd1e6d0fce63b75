"""settle: what perps are worth over what was paid for them, less funding, becomes cash. Equity does not change."""

from __future__ import annotations

import pytest

from prime_perps.units import WAD, nano, wad
from tests.stage import account, address

from .conftest import Book


def _settle(book: Book, role: str = "taker", sender: str = "attacker") -> list[tuple[str, dict[str, object]]]:
    return list(book.contract.events(book.contract.settle(account(role), sender=address(sender))))


@pytest.fixture
def book(empty_book: Book) -> Book:
    """The taker is long AAPL, short IBM, has 10 tokens of both, and has traded MSFT; prices and an hour have moved."""
    for role in ("maker", "taker"):
        empty_book.pay(role, "1000000")
        for symbol in ("AAPL", "IBM"):
            empty_book.pay_stock(role, symbol, "10")
    empty_book.novate("100.123456789", "151.7")
    empty_book.novate("-30.7", "108.123456789123456789", symbol="IBM")
    empty_book.novate("50", symbol="MSFT")
    empty_book.novate("-50", "25.5", symbol="MSFT")
    empty_book.stage.warp(3_600)
    return empty_book


@pytest.mark.parametrize("price", ["150", "155.55", "120.00000001"])
@pytest.mark.parametrize("role", ["maker", "taker"])
def test_settle__gain_or_loss__changes_no_equity(book: Book, role: str, price: str) -> None:
    book.stage.publish(AAPL=price, IBM="111.11")
    before = book.margin(role)
    assert before.funding_owed != 0
    _settle(book, role)
    after = book.margin(role)
    assert after.equity == before.equity
    assert after.quote == -after.perp_value == -before.perp_value
    assert after.cash == before.cash + before.quote + before.perp_value - before.funding_owed
    assert after.funding_owed == 0
    assert (after.maintenance, after.initial, after.token_value) == (
        before.maintenance,
        before.initial,
        before.token_value,
    )


def test_settle__always__tells_the_amount_and_what_changed(book: Book) -> None:
    margin = book.margin("taker")
    events = _settle(book)
    gain = margin.quote + margin.perp_value - margin.funding_owed
    assert [name for name, _ in events] == ["PositionChanged", "PositionChanged", "MoneyChanged", "Accrued", "Settled"]
    assert events[-3] == (
        "MoneyChanged",
        {"account": account("taker"), "shares": book.shares("taker"), "quote": book.quote("taker")},
    )
    assert events[-2] == ("Accrued", {"indexes": book.contract.cash_words()[0]})
    assert events[-1] == ("Settled", {"account": account("taker"), "amount": gain})


def test_settle__again__moves_nothing(book: Book) -> None:
    _settle(book)
    money = book.contract.money(account("taker"))
    events = _settle(book)
    assert events[-1] == ("Settled", {"account": account("taker"), "amount": 0})
    assert [name for name, _ in events] == ["MoneyChanged", "Accrued", "Settled"]
    assert book.contract.money(account("taker")) == money


def test_settle__positions__keep_size_and_tokens_and_start_at_the_index(book: Book) -> None:
    _settle(book)
    position = book.position("taker")
    assert position == (nano("100.123456789"), 10 * WAD, book.funding_index())
    assert book.size("taker", "IBM") == nano("-30.7")


def test_CH_6_settle__one_side__leaves_the_other_owing_or_owed_the_same(book: Book) -> None:
    maker = book.margin("maker")
    _settle(book, "taker")
    assert book.margin("maker") == maker


def test_CH_2_settle__both_sides__loses_dust_only_and_only_to_the_book(book: Book) -> None:
    before = book.total("maker", "taker")
    _settle(book, "maker")
    _settle(book, "taker")
    assert before - 2 <= book.total("maker", "taker") <= before


def test_settle__after_closing_everything__turns_profit_into_cash(book: Book) -> None:
    book.stage.publish()
    book.novate("-100.123456789", "152")
    book.novate("30.7", "108", symbol="IBM")
    money = book.contract.money(account("taker"))
    assert money.quote != 0
    _settle(book)
    assert book.contract.money(account("taker")) == (money.cash + money.quote, 0)


def test_settle__a_loss_beyond_cash__becomes_a_loan_with_interest_in_initial_margin(book: Book) -> None:
    book.stage.publish(AAPL="120")
    book.leave("taker", wad("1000"))
    _settle(book)
    margin = book.margin("taker")
    # cash becomes a loan, and loans are rounded up
    assert 0 <= wad("1000") - margin.equity <= 2
    debt = -margin.cash
    assert debt > 0
    exposures = [
        book.exposure("AAPL", book.size("taker"), 10 * WAD),
        book.exposure("IBM", book.size("taker", "IBM"), 10 * WAD),
    ]
    assert (margin.maintenance, margin.initial) == book.requirements(*exposures, debt=debt)
    assert margin.initial > book.requirements(*exposures)[1]


def test_settle__account_of_tokens_only__changes_nothing(book: Book) -> None:
    book.pay_stock("holder", "AAPL", "10")
    events = _settle(book, "holder")
    assert [name for name, _ in events] == ["MoneyChanged", "Accrued", "Settled"]
    assert book.position("holder") == (0, 10 * WAD, 0)
    assert book.contract.money(account("holder")) == (0, 0)


def test_settle__account_never_touched__changes_nothing(book: Book) -> None:
    assert _settle(book, "nobody")[-1] == ("Settled", {"account": account("nobody"), "amount": 0})
    assert book.contract.money(account("nobody")) == (0, 0)
    assert book.contract.holdings(account("nobody")) == (0, 0)


def test_settle__price_old_exchange_halted_and_everything_paused__goes_on(book: Book) -> None:
    book.stage.oracle.set_halt(0, True, sender=address("guardian"))
    book.pause(7)
    equity = book.margin("taker").equity
    assert book.word("AAPL").doubt
    _settle(book)
    assert book.margin("taker").equity == equity


def test_settle__by_anybody__keeps_the_decision_of_others_good(book: Book) -> None:
    """The state counter stays: nobody can void another's expected state by settling in front of it."""
    counter = book.contract.state_counter(account("taker"))
    _settle(book)
    assert book.contract.state_counter(account("taker")) == counter
