"""credit: what the vault books as paid in. By whoever may, never blocked by price, health or pause."""

from __future__ import annotations

import pytest

from prime_perps.accounts import CASH, Permission, account_id, token
from prime_perps.errors import Revert
from prime_perps.units import WAD, wad
from tests.stage import account, address

from .conftest import Book

OTHER = 200


@pytest.fixture(autouse=True)
def _other_token(empty_book: Book) -> None:
    empty_book.list_other_token(OTHER, 1, WAD)


@pytest.mark.parametrize(
    ("instrument", "event"),
    [
        (CASH, ("MoneyChanged", {"shares": 7, "quote": 0})),
        (token(0), ("PositionChanged", {"underlying": 0, "size": 0, "token": 7, "funding_index": 0})),
        (token(63), ("PositionChanged", {"underlying": 63, "size": 0, "token": 7, "funding_index": 0})),
        (OTHER, ("OtherTokenChanged", {"instrument": OTHER, "amount": 7})),
    ],
)
def test_credit__any_instrument__adds_to_what_is_there(
    book: Book, instrument: int, event: tuple[str, dict[str, int]]
) -> None:
    holder = account("holder")
    receipt = book.credit(holder, instrument, 7, "holder")
    name, fields = event
    accrued = [("Accrued", {"indexes": book.contract.cash_words()[0]})] if instrument == CASH else []
    assert list(book.contract.events(receipt)) == [(name, {"account": holder} | fields), *accrued]
    book.credit(holder, instrument, 2, "holder")
    assert book.contract.holding(holder, instrument) == 9


def test_credit__any_instrument__is_of_that_sub_account_alone(book: Book) -> None:
    book.credit(account("holder", 3), token(0), WAD, "holder")
    assert book.contract.holding(account("holder", 3), token(0)) == WAD
    assert book.contract.holding(account("holder"), token(0)) == 0
    assert book.contract.holdings(account("holder")) == (0, 0)


def test_credit__marks_what_is_held(book: Book) -> None:
    for instrument in (token(0), token(63), OTHER, 128, 254):
        if instrument in (128, 254):
            book.list_other_token(instrument, 0, WAD)
        book.credit(account("holder"), instrument, 1, "holder")
    lines, others = book.contract.holdings(account("holder"))
    assert lines == 1 | 1 << 63
    assert others == 1 | 1 << OTHER - 128 | 1 << 126


def test_credit__nothing__marks_nothing(book: Book) -> None:
    for instrument in (token(0), OTHER):
        book.credit(account("holder"), instrument, 0, "holder")
    assert book.contract.holdings(account("holder")) == (0, 0)


def test_credit__by_an_operator_who_may_deposit__is_booked(book: Book) -> None:
    book.allow("holder", "operator", Permission.DEPOSIT)
    book.credit(account("holder"), CASH, 7, "operator")
    assert book.cash("holder") == 7


@pytest.mark.parametrize("permissions", [0, Permission.TRADE | Permission.WITHDRAW | Permission.LIQUIDATE])
@pytest.mark.parametrize("instrument", [CASH, token(0), OTHER])
def test_CH_5_credit__by_anybody_else__reverts(book: Book, instrument: int, permissions: int) -> None:
    """Nobody's dust: each token held costs the account gas, and one too many its room."""
    book.allow("holder", "attacker", permissions)
    with pytest.raises(Revert, match="accounts: not authorized"):
        book.credit(account("holder"), instrument, 7, "attacker")


def test_credit__cash_for_insurance__is_anybodys(book: Book) -> None:
    book.credit(book.contract.insurance_account(), CASH, 7, "attacker")
    assert book.insurance() == 7


@pytest.mark.parametrize("instrument", [token(0), OTHER])
def test_CH_5_credit__tokens_for_insurance__reverts(book: Book, instrument: int) -> None:
    with pytest.raises(Revert, match="accounts: not authorized"):
        book.credit(book.contract.insurance_account(), instrument, 7, "attacker")


def test_CH_5_credit__cash_for_the_fee_account__reverts(book: Book) -> None:
    with pytest.raises(Revert, match="accounts: not authorized"):
        book.credit(book.contract.fee_account(), CASH, 7, "attacker")


@pytest.mark.parametrize("sender", ["attacker", "holder", "engine", "exchange", "timelock"])
def test_CH_5_credit__not_by_the_vault__reverts(book: Book, sender: str) -> None:
    with pytest.raises(Revert, match="clearing: not the right caller"):
        book.contract.credit(account("holder"), CASH, WAD, address("holder"), sender=address(sender))


@pytest.mark.parametrize("instrument", [128, 199, 254])
def test_credit__token_without_a_listing__reverts(book: Book, instrument: int) -> None:
    with pytest.raises(Revert, match="clearing: not listed"):
        book.credit(account("holder"), instrument, 7, "holder")


@pytest.mark.parametrize(("instrument", "most"), [(token(0), 2**96 - 1), (OTHER, 2**96 - 1)])
def test_credit__more_than_a_balance_holds__reverts(book: Book, instrument: int, most: int) -> None:
    holder = account("holder")
    book.credit(holder, instrument, most - 1, "holder")
    book.credit(holder, instrument, 1, "holder")
    assert book.contract.holding(holder, instrument) == most
    for amount in (1, most, 2**127, 2**256 - 1):
        with pytest.raises(Revert, match="ledger: amount too large"):
            book.credit(holder, instrument, amount, "holder")


def test_credit__more_cash_than_the_safe_may_hold__reverts(book: Book) -> None:
    """2^95 - 1 wei for all accounts together, 39.6 billion USD; and no single amount of 2^103 and more."""
    most = 2**95 - 1 - book.cash_market().safe
    book.credit(account("holder"), CASH, most - 1, "holder")
    book.credit(account("holder"), CASH, 1, "holder")
    assert book.cash("holder") == most
    for role in ("holder", "nobody"):
        with pytest.raises(Revert, match="cash: claims out of range"):
            book.credit(account(role), CASH, 1, role)
    for amount in (2**103, 2**127, 2**256 - 1):
        with pytest.raises(Revert, match="ledger: amount too large"):
            book.credit(account("holder"), CASH, amount, "holder")


def test_credit__perp__cannot_be_paid_in(book: Book) -> None:
    with pytest.raises(Revert):
        book.credit(account("holder"), 0, 7, "holder")
    assert book.position("holder") == (0, 0, 0)


def test_OR_1_credit__insolvent_price_old_halted_and_paused__is_booked(book: Book) -> None:
    book.novate("10")
    book.leave("taker", -wad("5"))
    book.stage.oracle.set_halt(0, True, sender=address("guardian"))
    book.pause(7)
    book.stage.warp(3_600)
    for instrument in (CASH, token(0), OTHER):
        book.credit(account("taker"), instrument, WAD, "taker")
    assert book.margin("taker").token_value == 260 * WAD


def test_credit__always__keeps_the_decision_of_others_good(book: Book) -> None:
    """Nobody can dodge a liquidator by paying in a wei in front of it."""
    counter = book.contract.state_counter(account("taker"))
    for instrument in (CASH, token(0), OTHER):
        book.credit(account("taker"), instrument, 1, "taker")
    assert book.contract.state_counter(account("taker")) == counter


def test_credit__tokens_beside_a_perp__leave_the_perp_as_it_is(book: Book) -> None:
    book.novate("10", "151")
    book.stage.warp(3_600)
    position = book.position("taker")
    book.pay_stock("taker", "AAPL", "5")
    assert book.position("taker") == (position.size, 5 * WAD, position.funding_index)


def test_credit__account_of_nobody__is_nobodys(book: Book) -> None:
    with pytest.raises(Revert, match="accounts: not authorized"):
        book.credit(account_id("0x" + "00" * 20, 1), CASH, 1, "attacker")
