"""money, position, holding, holdings, state_counter, market: what the book says about itself and about accounts."""

from __future__ import annotations

import pytest

from prime_perps.accounts import CASH, perp, token
from prime_perps.units import NANO, WAD, wad
from tests.stage import account

from .conftest import Book

OTHER = 131


@pytest.fixture
def mixed(book: Book) -> Book:
    """The taker has cash, 3 AAPL, a short of 2 of them, a long in IBM, and 5 of another issuer's token."""
    book.list_other_token(OTHER, 1, WAD)
    book.pay_stock("taker", "AAPL", "3")
    book.credit(account("taker"), OTHER, 5 * WAD, "taker")
    book.novate("-2")
    book.novate("7", symbol="IBM")
    return book


@pytest.mark.parametrize(
    ("instrument", "amount"),
    [
        (perp(0), -2 * NANO),
        (perp(1), 7 * NANO),
        (perp(2), 0),
        (perp(63), 0),
        (token(0), 3 * WAD),
        (token(1), 0),
        (token(63), 0),
        (128, 0),
        (OTHER, 5 * WAD),
        (254, 0),
        (256, 0),
        (2**256 - 1, 0),
    ],
)
def test_holding__any_instrument__is_its_amount(mixed: Book, instrument: int, amount: int) -> None:
    assert mixed.contract.holding(account("taker"), instrument) == amount


def test_holding__cash__has_a_sign(mixed: Book) -> None:
    assert mixed.contract.holding(account("taker"), CASH) == mixed.cash("taker")
    mixed.leave("taker", -WAD)
    assert mixed.contract.holding(account("taker"), CASH) == mixed.cash("taker") < 0


def test_position__perp_and_token_of_one_underlying__are_together(mixed: Book) -> None:
    assert mixed.contract.position(account("taker"), 0) == (-2 * NANO, 3 * WAD, 0)
    assert mixed.contract.position(account("taker"), 1) == (7 * NANO, 0, 0)
    assert mixed.contract.position(account("taker"), 64) == (0, 0, 0)


def test_money__after_trades__is_cash_and_quote(mixed: Book) -> None:
    fees = wad("0.12") + wad("0.308")
    assert mixed.contract.money(account("taker")) == (100_000 * WAD, 300 * WAD - 770 * WAD - fees)


def test_holdings__perps_and_primary_tokens__share_a_bit(mixed: Book) -> None:
    assert mixed.contract.holdings(account("taker")) == (0b11, 1 << OTHER - 128)
    assert mixed.contract.holdings(account("taker", 1)) == (0, 0)


def test_market__after_a_trade__is_all_of_its_state(mixed: Book) -> None:
    mixed.novate("100", "112", symbol="IBM")
    now, rate = mixed.stage.now(), mixed.market("IBM").funding_rate
    assert mixed.market("IBM") == (True, False, 107 * NANO, 1_000_000 * NANO, 500, 1_000_000, rate, 0, now)
    assert rate > 0


@pytest.mark.parametrize("number", [7, 63, 64, 2**256 - 1])
def test_market__not_listed__is_zeros(book: Book, number: int) -> None:
    assert book.contract.market(number) == (False, False, 0, 0, 0, 0, 0, 0, 0)


@pytest.mark.parametrize("instrument", [0, 127, 128, 255, 2**256 - 1])
def test_other_token__not_listed__is_zeros(book: Book, instrument: int) -> None:
    assert book.contract.other_token(instrument) == (0, 0)


def test_state_counter__account_never_touched__is_zero(book: Book) -> None:
    assert book.contract.state_counter(account("nobody")) == 0


def test_fee_and_insurance_account__are_the_books_own(book: Book) -> None:
    own = int(book.contract.address, 16) << 96
    assert (book.contract.insurance_account(), book.contract.fee_account()) == (own, own + 1)
