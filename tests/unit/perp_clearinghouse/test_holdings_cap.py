"""How much one account may hold: 32 underlyings and 8 tokens of further issuers; and that a full one still works."""

from __future__ import annotations

import pytest

from prime_perps.accounts import token
from prime_perps.errors import Revert
from prime_perps.margin import Exposure
from prime_perps.units import WAD
from tests.stage import account, address

from .conftest import Book

LINES, OTHERS = 32, 8
FIRST_OTHER = 128


@pytest.fixture
def wide(book: Book) -> Book:
    """Nine tokens of further issuers, each on an underlying of its own after the first 32."""
    for place in range(OTHERS + 1):
        book.list_other_token(FIRST_OTHER + place, LINES + place, WAD)
    return book


def _hold(book: Book, first: int, last: int) -> None:
    """A tenth of a token of each underlying from `first` up to before `last`."""
    for number in range(first, last):
        book.credit(account("taker"), token(number), WAD // 10, "taker")


def test_credit__32_underlyings__fit_and_one_more_does_not(wide: Book) -> None:
    _hold(wide, 0, LINES)
    assert wide.contract.holdings(account("taker")) == (2**LINES - 1, 0)
    with pytest.raises(Revert, match="ledger: too many holdings"):
        _hold(wide, LINES, LINES + 1)


def test_credit__8_tokens_of_further_issuers__fit_and_one_more_does_not(wide: Book) -> None:
    for place in range(OTHERS):
        wide.credit(account("taker"), FIRST_OTHER + place, WAD, "taker")
    assert wide.contract.holdings(account("taker")) == (0, 2**OTHERS - 1)
    with pytest.raises(Revert, match="ledger: too many holdings"):
        wide.credit(account("taker"), FIRST_OTHER + OTHERS, WAD, "taker")


def test_credit__full__may_still_add_to_what_is_held(wide: Book) -> None:
    _hold(wide, 0, LINES)
    _hold(wide, 0, LINES)
    assert wide.contract.holding(account("taker"), token(LINES - 1)) == WAD // 5


def test_credit__full_and_one_taken_out__has_room_for_another(wide: Book) -> None:
    _hold(wide, 0, LINES)
    wide.debit(account("taker"), token(7), WAD // 10, "taker")
    _hold(wide, LINES, LINES + 1)
    assert wide.contract.holdings(account("taker")) == ((2 ** (LINES + 1) - 1) ^ 1 << 7, 0)


def test_novate__full__trades_what_is_held_and_nothing_else(wide: Book) -> None:
    _hold(wide, 1, LINES + 1)
    wide.novate("1", symbol="IBM")
    with pytest.raises(Revert, match="ledger: too many holdings"):
        wide.novate("1", symbol="AAPL")
    wide.novate("-1", symbol="IBM")
    assert wide.contract.holdings(account("taker"))[0] == 2 ** (LINES + 1) - 2


def test_move_slice__receiver_would_be_over_full__reverts(wide: Book) -> None:
    _hold(wide, 1, LINES + 1)
    wide.pay_stock("holder", "AAPL", "1")
    with pytest.raises(Revert, match="ledger: too many holdings"):
        wide.move_slice(WAD // 2, receiver="taker")


def test_margin__full__asks_the_model_about_all_of_it(wide: Book) -> None:
    _hold(wide, 0, LINES)
    margin = wide.margin("taker")
    exposures = [wide.exposure(symbol, tokens=WAD // 10) for symbol in wide.stage.prices]
    unpriced = [Exposure(number, width=10_000) for number in range(len(exposures), LINES)]
    assert (margin.maintenance, margin.initial) == wide.requirements(*exposures, *unpriced)
    assert margin.token_value == sum(exposure.token for exposure in exposures)


def test_settle__full__settles_all_of_it(wide: Book) -> None:
    _hold(wide, 0, LINES)
    wide.novate("1")
    wide.stage.publish(AAPL="160")
    equity = wide.margin("taker").equity
    wide.contract.settle(account("taker"), sender=address("keeper"))
    assert wide.margin("taker").equity == equity


def test_move_slice__full__moves_all_of_it(wide: Book) -> None:
    _hold(wide, 0, LINES)
    wide.move_slice(WAD, role="taker")
    assert wide.contract.holdings(account("taker")) == (0, 0)
    assert wide.contract.holdings(account("keeper")) == (2**LINES - 1, 0)


def _hold_others(book: Book, number: int) -> None:
    for place in range(number):
        book.credit(account("taker"), FIRST_OTHER + place, WAD, "taker")


@pytest.mark.parametrize("others", [1, OTHERS])
def test_credit__together__both_kinds_are_32_at_most(wide: Book, others: int) -> None:
    """Each may stand for an underlying of its own, whose price has to be read."""
    _hold(wide, 0, LINES - others)
    _hold_others(wide, others)
    with pytest.raises(Revert, match="ledger: too many holdings"):
        _hold(wide, LINES - others, LINES - others + 1)


def test_credit__32_underlyings__leave_no_room_for_a_token_of_a_further_issuer(wide: Book) -> None:
    _hold(wide, 0, LINES)
    with pytest.raises(Revert, match="ledger: too many holdings"):
        _hold_others(wide, 1)


def test_margin__full_of_both_kinds__can_be_computed(wide: Book) -> None:
    """Nobody can make his account one that no liquidation can look at."""
    _hold(wide, 0, LINES - OTHERS)
    _hold_others(wide, OTHERS)
    assert wide.margin("taker").equity == wide.cash("taker") + wide.margin("taker").token_value
    wide.contract.settle(account("taker"), sender=address("keeper"))
    wide.move_slice(WAD, role="taker")
    assert wide.contract.holdings(account("taker")) == (0, 0)


def test_margin__full_and_the_two_kinds_on_the_same_underlyings__can_be_computed(wide: Book) -> None:
    _hold(wide, LINES, 2 * LINES - OTHERS)
    _hold_others(wide, OTHERS)
    assert wide.margin("taker").equity == wide.cash("taker")
