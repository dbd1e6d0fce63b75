"""debit: what the vault asks to take out. Equity must meet initial margin afterwards, to the wei."""

from __future__ import annotations

import pytest

from prime_perps.accounts import CASH, Permission, token
from prime_perps.errors import Revert
from prime_perps.reports import Session
from prime_perps.units import NANO, WAD, wad
from tests.stage import account, address

from .conftest import Book

OTHER = 130


@pytest.fixture
def book(empty_book: Book) -> Book:
    """A holder with 1,000 in cash, 10 AAPL and 10 IBM of another issuer; and rich traders."""
    empty_book.list_other_token(OTHER, 1, WAD)
    for role in ("maker", "taker"):
        empty_book.pay(role, "1000000")
    empty_book.pay("holder", "1000")
    empty_book.pay_stock("holder", "AAPL", "10")
    empty_book.credit(account("holder"), OTHER, 10 * WAD, "holder")
    return empty_book


def _debit(book: Book, instrument: int, amount: int, role: str = "holder") -> list[tuple[str, dict[str, object]]]:
    return list(book.contract.events(book.debit(account(role), instrument, amount, role)))


@pytest.mark.parametrize(
    ("instrument", "name", "fields"),
    [
        (CASH, "MoneyChanged", {"shares": 999 * WAD, "quote": 0}),
        (token(0), "PositionChanged", {"underlying": 0, "size": 0, "token": 9 * WAD, "funding_index": 0}),
        (OTHER, "OtherTokenChanged", {"instrument": OTHER, "amount": 9 * WAD}),
    ],
)
def test_debit__any_instrument__takes_it_away(book: Book, instrument: int, name: str, fields: dict[str, int]) -> None:
    told = _debit(book, instrument, WAD)
    accrued = [("Accrued", {"indexes": book.contract.cash_words()[0]})] if instrument == CASH else []
    assert told == [(name, {"account": account("holder")} | fields), *accrued]


def test_debit__everything__leaves_an_account_without_holdings(book: Book) -> None:
    for instrument, amount in ((CASH, 1_000), (token(0), 10), (OTHER, 10)):
        _debit(book, instrument, amount * WAD)
        assert book.contract.holding(account("holder"), instrument) == 0
    assert book.contract.holdings(account("holder")) == (0, 0)


def test_debit__any_instrument__is_refused_to_who_decided_on_the_state_before(book: Book) -> None:
    holder = account("holder")
    counter = book.contract.state_counter(holder)
    for instrument in (CASH, token(0), OTHER):
        _debit(book, instrument, 1)
    assert book.contract.state_counter(holder) == counter + 3


# margin


@pytest.mark.parametrize("size", ["100", "-100"])
def test_CH_4_debit__down_to_initial_margin__is_booked_and_a_wei_more_reverts(book: Book, size: str) -> None:
    book.novate(size)
    margin = book.margin("taker")
    free = margin.equity - margin.initial
    with pytest.raises(Revert, match="risk: below initial"):
        _debit(book, CASH, free + 1, "taker")
    _debit(book, CASH, free, "taker")
    after = book.margin("taker")
    assert after.equity == after.initial


def test_CH_4_debit__cash_against_stock__is_a_loan_up_to_initial_margin(book: Book) -> None:
    """Initial margin grows with the loan, by three days of its interest."""
    _debit(book, CASH, wad("2000"))
    assert book.cash("holder") == -wad("1000")
    margin = book.margin("holder")
    assert (
        margin.initial
        == book.requirements(
            book.exposure("AAPL", tokens=10 * WAD), book.exposure("IBM", units=10 * WAD), debt=wad("1000")
        )[1]
    )
    with pytest.raises(Revert, match="risk: below initial"):
        _debit(book, CASH, margin.equity - margin.initial)
    _debit(book, CASH, (margin.equity - margin.initial) * 998 // 1_000)


def test_CH_4_debit__tokens_that_back_a_loan__reverts(book: Book) -> None:
    _debit(book, CASH, wad("2500"))
    with pytest.raises(Revert, match="risk: below initial"):
        _debit(book, token(0), 10 * WAD)
    with pytest.raises(Revert, match="risk: below initial"):
        _debit(book, OTHER, 10 * WAD)
    _debit(book, token(0), WAD // 10)


def test_CH_4_debit__tokens_that_were_the_hedge__reverts(book: Book) -> None:
    book.pay_stock("taker", "AAPL", "100")
    book.novate("-100")
    book.leave("taker", wad("1000"))
    with pytest.raises(Revert, match="risk: below initial"):
        _debit(book, token(0), 50 * WAD, "taker")
    _debit(book, token(0), WAD, "taker")


def test_CH_4_debit__below_initial__not_even_a_wei_that_lowers_risk(book: Book) -> None:
    """A withdrawal is no reduction, although a token less is less margin: what leaves is gone."""
    _debit(book, CASH, wad("1000"))
    book.leave("holder", wad("300"))
    assert book.margin("holder").equity < book.margin("holder").initial
    for instrument in (CASH, token(0), OTHER):
        with pytest.raises(Revert, match="risk: below initial"):
            _debit(book, instrument, 1)


def test_CH_4_debit__without_anything__reverts(book: Book) -> None:
    with pytest.raises(Revert, match="risk: below initial"):
        _debit(book, CASH, 1, "nobody")


def test_debit__unrealised_profit__is_equity_too(book: Book) -> None:
    book.novate("100")
    book.stage.publish(AAPL="160")
    before = book.cash("taker")
    _debit(book, CASH, before + wad("500") - wad("4000"), "taker")
    book.stage.publish(AAPL="200")
    with pytest.raises(Revert, match="risk: below initial"):
        # it must have lasted: at the slow price there is no profit yet
        _debit(book, CASH, wad("4000"), "taker")
    book.stage.settle_slow_prices()
    _debit(book, CASH, wad("4000"), "taker")
    # no share of the debt index is worth exactly 500, and loans are rounded up
    assert book.cash("taker") in (-wad("500"), -wad("500") - 1)


# loans


@pytest.fixture
def lent(book: Book) -> Book:
    """10,000 in the safe, all of it the maker's; the holder has 200 AAPL to borrow against."""
    for role, left in (("taker", 0), ("holder", 0), ("maker", 10_000 * WAD)):
        _debit(book, CASH, book.cash(role) - left, role)
    book.pay_stock("holder", "AAPL", "190")
    return book


def test_debit__a_loan_up_to_95_percent__is_lent_and_a_unit_more_reverts(lent: Book) -> None:
    with pytest.raises(Revert, match=r"^cash: borrow limit$"):
        _debit(lent, CASH, 9_500 * WAD + 10**13)
    _debit(lent, CASH, 9_500 * WAD)
    assert lent.cash_market().utilization_ppb == 950_000_000
    with pytest.raises(Revert, match=r"^cash: borrow limit$"):
        _debit(lent, CASH, 10**13)


def test_debit__ones_own_cash__is_never_held_to_the_borrow_stop(lent: Book) -> None:
    """The maker takes out what is in the safe; 100 % is lent, and whoever owes pays four times the rate at target."""
    _debit(lent, CASH, 9_500 * WAD)
    _debit(lent, CASH, 500 * WAD, "maker")
    market = lent.cash_market()
    assert (market.utilization_ppb, market.safe) == (10**9, 0)
    assert market.debt_ppb == pytest.approx(160_000_000, rel=0.003)


def test_debit__tokens_of_a_debtor_past_the_borrow_stop__come_out(lent: Book) -> None:
    _debit(lent, CASH, 9_500 * WAD)
    _debit(lent, CASH, 500 * WAD, "maker")
    _debit(lent, token(0), WAD)


def test_debit__past_the_borrow_stop__repayment_and_deposits_go_on(lent: Book) -> None:
    _debit(lent, CASH, 9_500 * WAD)
    _debit(lent, CASH, 500 * WAD, "maker")
    lent.pay("holder", "1")
    lent.pay("taker", "1")
    lent.pay("holder", "100000")
    assert lent.cash("holder") == pytest.approx(90_501 * WAD, abs=2)
    assert lent.cash_market().utilization_ppb == 0


def test_debit__a_loan_for_a_year__is_the_lenders_gain_and_the_reserves__CH_6(lent: Book) -> None:
    _debit(lent, CASH, 8_500 * WAD)
    lent.stage.warp(365 * 86_400)
    owed, earned = -lent.cash("holder") - 8_500 * WAD, lent.cash("maker") - 10_000 * WAD
    assert owed == pytest.approx(wad("340"), rel=1e-9)
    assert earned == pytest.approx(wad("306"), rel=1e-6)
    assert lent.margin("holder").cash == lent.cash("holder")
    lent.contract.distribute_fees(sender=address("keeper"))
    assert 0 <= owed - earned - lent.insurance() <= 3


def test_debit__more_than_was_ever_paid_in__reverts(lent: Book) -> None:
    """The vault refuses this before; the book would, too."""
    lent.pay_stock("holder", "AAPL", "10000")
    with pytest.raises(Revert, match=r"^cash: claims out of range$"):
        _debit(lent, CASH, 10_000 * WAD + 1)


def test_CH_4_debit__price_gets_old__credit_for_it_fades(book: Book) -> None:
    _debit(book, CASH, wad("1500"))
    book.stage.warp(8 * 3_600)
    with pytest.raises(Revert, match="risk: below initial"):
        _debit(book, CASH, wad("400"))
    book.stage.publish()
    _debit(book, CASH, wad("400"))


def test_CH_4_debit__exchange_closed__asks_for_the_weekends_margin(book: Book) -> None:
    book.novate("100")
    book.stage.close()
    book.stage.sessions["AAPL"] = Session.CLOSED
    book.stage.publish()
    margin = book.margin("taker")
    assert margin.initial == book.requirements(book.exposure("AAPL", 100 * NANO), shut=1)[1]
    with pytest.raises(Revert, match="risk: below initial"):
        _debit(book, CASH, margin.equity - margin.initial + 1, "taker")
    _debit(book, CASH, margin.equity - margin.initial, "taker")


def test_CH_4_debit__underlying_halted__asks_for_the_doubt_of_its_price(book: Book) -> None:
    book.novate("100")
    before = book.margin("taker")
    book.stage.oracle.set_halt(0, True, sender=address("guardian"))
    margin = book.margin("taker")
    assert margin.initial == book.requirements(book.exposure("AAPL", 100 * NANO))[1]
    assert margin.initial - before.initial >= margin.doubt == 15_000 * WAD // 10
    with pytest.raises(Revert, match="risk: below initial"):
        _debit(book, CASH, margin.equity - margin.initial + 1, "taker")
    _debit(book, CASH, margin.equity - margin.initial, "taker")


def test_OR_1_debit__price_of_what_others_hold_gets_old__changes_nothing(book: Book) -> None:
    book.novate("1", symbol="NVDA")
    for symbol in ("NVDA", "GOOG"):
        book.stage.prices.pop(symbol)
    book.stage.warp(86_400)
    book.stage.publish()
    _debit(book, CASH, wad("2000"))


# amounts


@pytest.mark.parametrize("instrument", [token(0), OTHER])
def test_debit__more_tokens_than_there_are__reverts(book: Book, instrument: int) -> None:
    with pytest.raises(Revert, match="ledger: not enough"):
        _debit(book, instrument, 10 * WAD + 1)


@pytest.mark.parametrize("instrument", [token(1), 128, 254])
def test_debit__tokens_never_held__reverts(book: Book, instrument: int) -> None:
    with pytest.raises(Revert, match="ledger: not enough"):
        _debit(book, instrument, 1)


@pytest.mark.parametrize("instrument", [CASH, token(0), OTHER])
@pytest.mark.parametrize("amount", [2**111, 2**256 - 1])
def test_debit__more_than_a_balance_holds__reverts(book: Book, instrument: int, amount: int) -> None:
    with pytest.raises(Revert, match="ledger: amount too large"):
        _debit(book, instrument, amount)


# permission


def test_debit__by_an_operator_who_may_withdraw__is_booked(book: Book) -> None:
    book.allow("holder", "operator", Permission.WITHDRAW)
    book.debit(account("holder"), CASH, WAD, "operator")
    assert book.cash("holder") == 999 * WAD


@pytest.mark.parametrize("permissions", [0, Permission.TRADE | Permission.DEPOSIT | Permission.LIQUIDATE])
@pytest.mark.parametrize("instrument", [CASH, token(0), OTHER])
def test_CH_5_debit__by_anybody_else__reverts(book: Book, instrument: int, permissions: int) -> None:
    book.allow("holder", "attacker", permissions)
    with pytest.raises(Revert, match="accounts: not authorized"):
        book.debit(account("holder"), instrument, 1, "attacker")


@pytest.mark.parametrize("sender", ["attacker", "guardian", "timelock", "treasury"])
def test_CH_5_debit__from_the_books_own_accounts__reverts(book: Book, sender: str) -> None:
    book.novate("100")
    for number in (book.contract.fee_account(), book.contract.insurance_account()):
        with pytest.raises(Revert, match="accounts: not authorized"):
            book.debit(number, CASH, 1, sender)


@pytest.mark.parametrize("sender", ["attacker", "holder", "engine", "exchange", "timelock"])
def test_CH_5_debit__not_by_the_vault__reverts(book: Book, sender: str) -> None:
    with pytest.raises(Revert, match="clearing: not the right caller"):
        book.contract.debit(account("holder"), CASH, 1, address("holder"), sender=address(sender))


@pytest.mark.parametrize("paused", [2, 3, 6, 7])
def test_debit__withdrawals_paused__reverts(book: Book, paused: int) -> None:
    book.pause(paused)
    with pytest.raises(Revert, match="settings: paused"):
        _debit(book, CASH, 1)


@pytest.mark.parametrize("paused", [1, 4, 5])
def test_debit__something_else_paused__goes_on(book: Book, paused: int) -> None:
    book.pause(paused)
    _debit(book, CASH, 1)


def test_debit__tokens_beside_a_perp__leave_the_perp_as_it_is(book: Book) -> None:
    book.pay_stock("taker", "AAPL", "5")
    book.novate("10")
    _debit(book, token(0), 5 * WAD, "taker")
    assert book.position("taker")[:2] == (10 * NANO, 0)
    assert book.contract.holdings(account("taker")) == (1, 0)
