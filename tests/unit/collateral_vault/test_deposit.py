"""deposit: exactly the amount arrives and is booked, or nothing happens."""

from __future__ import annotations

import pytest
from eth_abi import encode

from prime_perps.accounts import CASH, Permission, account_id
from prime_perps.errors import Revert
from prime_perps.units import WAD

from .conftest import FEE, HOSTILE, SILENT, STOCK, UNLISTED, Safe, deploy_safe

HONEST = [
    pytest.param(CASH, id="6 decimals"),
    pytest.param(SILENT, id="8 decimals"),
    pytest.param(STOCK, id="18 decimals"),
]
MORE_THAN_ALL = 2**256 - 1
CAP_MAX = 2**91 - 1

# HostileToken.Answer
NO, NOTHING, FLOOD, REVERT_SILENTLY, REVERT_WITH_FLOOD = 2, 4, 8, 16, 32


@pytest.mark.parametrize("instrument", HONEST)
def test_deposit__any_decimals__books_eighteen_decimals_exactly(safe: Safe, instrument: int) -> None:
    one = safe.one(instrument)
    safe.deposit(instrument, 3 * one + 1)
    assert safe.held(instrument) == 3 * WAD + WAD // one
    assert safe.balance(instrument) == safe.booked(instrument) == 3 * one + 1
    assert safe.balance(instrument, safe.holder) == 997 * one - 1


@pytest.mark.parametrize("instrument", HONEST)
def test_deposit__twice__adds_up(safe: Safe, instrument: int) -> None:
    safe.deposit(instrument, 2)
    safe.deposit(instrument, 3, sender=safe.maker)
    safe.deposit(instrument, 5)
    unit = WAD // safe.one(instrument)
    assert safe.held(instrument) == 7 * unit
    assert safe.held(instrument, account_id(safe.maker)) == 3 * unit
    assert safe.balance(instrument) == safe.booked(instrument) == 10


def test_deposit__always__says_who_and_what(safe: Safe) -> None:
    receipt = safe.deposit(CASH, 7)
    expected = {"account": safe.account, "instrument": CASH, "sender": safe.holder, "amount": 7}
    assert list(safe.vault.events(receipt)) == [("Deposit", expected)]


def test_deposit__by_an_operator__takes_the_operators_tokens(safe: Safe) -> None:
    safe.allow(safe.maker, Permission.DEPOSIT)
    safe.deposit(CASH, 10, sender=safe.maker, account=safe.account)
    assert safe.held(CASH) == 10 * 10**12
    assert safe.balance(CASH, safe.maker) == 1_000 * 10**6 - 10
    assert safe.balance(CASH, safe.holder) == 1_000 * 10**6


def test_deposit__into_somebody_elses_account__reverts(safe: Safe) -> None:
    with pytest.raises(Revert, match="accounts: not authorized"):
        safe.deposit(CASH, 10, sender=safe.maker, account=safe.account)


def test_deposit__withdrawals_paused__goes_on(safe: Safe) -> None:
    safe.vault.set_paused(True, sender=safe.guardian)
    safe.deposit(STOCK, WAD)
    assert safe.held(STOCK) == WAD


def test_deposit__nothing__reverts(safe: Safe) -> None:
    with pytest.raises(Revert, match="vault: zero amount"):
        safe.deposit(CASH, 0)


@pytest.mark.parametrize("instrument", [0, 63, UNLISTED, 254, 256, 2**256 - 1])
def test_deposit__of_what_is_not_listed__reverts(safe: Safe, instrument: int) -> None:
    with pytest.raises(Revert, match="vault: not listed"):
        safe.deposit(instrument, 1)


def test_deposit__up_to_the_cap__is_taken(safe: Safe) -> None:
    safe.vault.set_cap(CASH, 100, sender=safe.guardian)
    safe.deposit(CASH, 60)
    safe.deposit(CASH, 40)
    assert safe.booked(CASH) == 100


@pytest.mark.parametrize("amount", [41, MORE_THAN_ALL])
def test_deposit__beyond_the_cap__reverts(safe: Safe, amount: int) -> None:
    safe.vault.set_cap(CASH, 100, sender=safe.guardian)
    safe.deposit(CASH, 60)
    with pytest.raises(Revert, match="vault: cap reached"):
        safe.deposit(CASH, amount)


def test_deposit__cap_lowered_below_what_is_booked__reverts(safe: Safe) -> None:
    safe.deposit(CASH, 60)
    safe.vault.set_cap(CASH, 59, sender=safe.guardian)
    with pytest.raises(Revert, match="vault: cap reached"):
        safe.deposit(CASH, 1)


LOAN = 400 * 10**6


def lend(safe: Safe) -> None:
    """The holder owes 400 USD against stock, and 100 of the maker's are left in the safe."""
    safe.price_stock(100)
    safe.deposit(STOCK, 100 * WAD)
    safe.deposit(CASH, 500 * safe.one(CASH), sender=safe.maker)
    safe.withdraw(CASH, 400 * safe.one(CASH))


@pytest.fixture
def lent(safe: Safe) -> Safe:
    """A loan, and a cap of zero on cash."""
    lend(safe)
    safe.vault.set_cap(CASH, 0, sender=safe.guardian)
    return safe


@pytest.mark.parametrize("amount", [1, LOAN - 1, LOAN])
def test_deposit__cash_that_only_lowers_a_loan__passes_the_cap(lent: Safe, amount: int) -> None:
    lent.deposit(CASH, amount)
    assert lent.held(CASH) == (amount - LOAN) * 10**12
    assert lent.booked(CASH) == lent.balance(CASH) == 100 * 10**6 + amount


@pytest.mark.parametrize("amount", [LOAN + 1, CAP_MAX, MORE_THAN_ALL])
def test_deposit__cash_beyond_the_loan__reverts_at_the_cap(lent: Safe, amount: int) -> None:
    with pytest.raises(Revert, match="vault: cap reached"):
        lent.deposit(CASH, amount)


def test_deposit__loan_repaid_in_parts__the_cap_stands_again_after_the_last(lent: Safe) -> None:
    lent.deposit(CASH, LOAN - 7)
    with pytest.raises(Revert, match="vault: cap reached"):
        lent.deposit(CASH, 8)
    lent.deposit(CASH, 7)
    assert lent.held(CASH) == 0
    with pytest.raises(Revert, match="vault: cap reached"):
        lent.deposit(CASH, 1)


def test_deposit__cash_of_who_owes_nothing__reverts_at_the_cap(lent: Safe) -> None:
    with pytest.raises(Revert, match="vault: cap reached"):
        lent.deposit(CASH, 1, sender=lent.maker)


def test_deposit__token_of_a_debtor__reverts_at_the_cap(lent: Safe) -> None:
    lent.vault.set_cap(STOCK, 0, sender=lent.guardian)
    with pytest.raises(Revert, match="vault: cap reached"):
        lent.deposit(STOCK, 1)


def test_deposit__loan_repaid_by_an_operator__counts_the_accounts_loan_not_the_senders(lent: Safe) -> None:
    lent.allow(lent.maker, Permission.DEPOSIT)
    lent.deposit(CASH, LOAN, sender=lent.maker, account=lent.account)
    assert lent.held(CASH) == 0
    assert lent.balance(CASH, lent.maker) == 100 * 10**6


def test_deposit__loan_repaid_by_a_stranger__reverts(lent: Safe) -> None:
    with pytest.raises(Revert, match="accounts: not authorized"):
        lent.deposit(CASH, LOAN, sender=lent.maker, account=lent.account)


def test_deposit__room_below_the_cap_and_a_loan__are_not_added_up(lent: Safe) -> None:
    lent.vault.set_cap(CASH, 100 * 10**6 + 5, sender=lent.timelock)
    with pytest.raises(Revert, match="vault: cap reached"):
        lent.deposit(CASH, LOAN + 1)
    lent.deposit(CASH, 5)
    lent.deposit(CASH, LOAN - 5)
    assert lent.held(CASH) == 0


def test_deposit__repayment_beyond_what_fits_the_book__reverts() -> None:
    """Cash of 18 decimals: with 6 it would take the most that a million accounts can hold."""
    safe = deploy_safe(long_cash=True)
    lend(safe)
    safe.vault.set_cap(CASH, CAP_MAX, sender=safe.timelock)
    safe.tokens[CASH].mint(safe.maker, CAP_MAX, sender=safe.issuer)
    safe.deposit(CASH, CAP_MAX - safe.booked(CASH) - 5, sender=safe.maker)
    safe.vault.set_cap(CASH, 0, sender=safe.guardian)
    with pytest.raises(Revert, match="vault: cap reached"):
        safe.deposit(CASH, 6)
    safe.deposit(CASH, 5)
    assert safe.held(CASH) == 5 - 400 * WAD
    assert safe.booked(CASH) == safe.balance(CASH) == CAP_MAX


def test_deposit__repayment_past_the_cap__can_be_withdrawn_by_whom_it_belongs_to(lent: Safe) -> None:
    lent.deposit(CASH, LOAN)
    lent.withdraw(CASH, 500 * 10**6, sender=lent.maker)
    assert lent.booked(CASH) == lent.balance(CASH) == 0


def test_deposit__safe_holds_a_gift__is_no_part_of_it(safe: Safe) -> None:
    safe.tokens[CASH].transfer(safe.vault, 500, sender=safe.maker)
    safe.deposit(CASH, 10)
    assert safe.booked(CASH) == 10
    assert safe.balance(CASH) == 510


def test_deposit__after_a_seizure__reverts_until_made_good(safe: Safe) -> None:
    safe.deposit(STOCK, 10 * WAD)
    stock = safe.tokens[STOCK]
    stock.set_burner(safe.issuer, True, sender=safe.issuer)
    stock.burn(safe.vault, 1, sender=safe.issuer)
    with pytest.raises(Revert, match="vault: balance below book"):
        safe.deposit(STOCK, WAD, sender=safe.maker)
    stock.transfer(safe.vault, 1, sender=safe.maker)
    safe.deposit(STOCK, WAD, sender=safe.maker)
    assert safe.balance(STOCK) == safe.booked(STOCK) == 11 * WAD


def test_deposit__token_starts_to_keep_a_fee__reverts(safe: Safe) -> None:
    safe.deposit(FEE, WAD)
    safe.tokens[FEE].set_fee(1, sender=safe.issuer)
    with pytest.raises(Revert, match="vault: fee on transfer"):
        safe.deposit(FEE, WAD)


def test_deposit__token_delivers_a_unit_less__reverts(safe: Safe) -> None:
    safe.tokens[HOSTILE].set_shares(10_000, 9_999, sender=safe.attacker)
    with pytest.raises(Revert, match="vault: fee on transfer"):
        safe.deposit(HOSTILE, 10_000)


def test_deposit__token_delivers_more__reverts(safe: Safe) -> None:
    safe.tokens[HOSTILE].set_shares(10_000, 10_001, sender=safe.attacker)
    with pytest.raises(Revert, match="vault: rebasing token"):
        safe.deposit(HOSTILE, 10_000)


def test_deposit__token_says_yes_and_moves_nothing__reverts(safe: Safe) -> None:
    safe.tokens[HOSTILE].set_shares(0, 0, sender=safe.attacker)
    with pytest.raises(Revert, match="vault: fee on transfer"):
        safe.deposit(HOSTILE, WAD)


def test_deposit__token_lies_about_every_balance__is_measured_all_the_same(safe: Safe) -> None:
    safe.tokens[HOSTILE].set_lie(1_000, sender=safe.attacker)
    safe.deposit(HOSTILE, WAD)
    assert safe.booked(HOSTILE) == WAD


def test_deposit__token_says_no__reverts(safe: Safe) -> None:
    safe.tokens[HOSTILE].set_answer(NO, sender=safe.attacker)
    with pytest.raises(Revert, match="vault: transfer failed"):
        safe.deposit(HOSTILE, WAD)


@pytest.mark.parametrize("answer", [pytest.param(NOTHING, id="nothing"), pytest.param(FLOOD, id="8 kB")])
def test_deposit__token_answers_too_little_or_too_much__is_taken(safe: Safe, answer: int) -> None:
    safe.tokens[HOSTILE].set_answer(answer, sender=safe.attacker)
    safe.deposit(HOSTILE, WAD)
    assert safe.held(HOSTILE) == safe.balance(HOSTILE) == WAD


def test_deposit__token_reverts_without_a_reason__reverts(safe: Safe) -> None:
    safe.tokens[HOSTILE].set_answer(REVERT_SILENTLY, sender=safe.attacker)
    with pytest.raises(Revert, match=r"no reason \(empty\)"):
        safe.deposit(HOSTILE, WAD)


def test_deposit__token_reverts_with_a_flood__reverts(safe: Safe) -> None:
    safe.tokens[HOSTILE].set_answer(REVERT_WITH_FLOOD, sender=safe.attacker)
    with pytest.raises(Revert):
        safe.deposit(HOSTILE, WAD)


def test_deposit__token_refuses__passes_its_reason_on(safe: Safe) -> None:
    safe.tokens[CASH].approve(safe.vault, 9, sender=safe.holder)
    with pytest.raises(Revert, match="stablecoin: allowance too small"):
        safe.deposit(CASH, 10)
    safe.tokens[STOCK].set_paused(True, sender=safe.issuer)
    with pytest.raises(Revert, match="token: paused"):
        safe.deposit(STOCK, WAD)


def test_deposit__refused_by_the_book__leaves_everything_as_it_was(safe: Safe) -> None:
    with pytest.raises(Revert):
        safe.deposit(CASH, 10, sender=safe.maker, account=safe.account)
    assert safe.booked(CASH) == safe.balance(CASH) == 0
    assert safe.balance(CASH, safe.maker) == 1_000 * 10**6


def test_deposit__as_much_as_a_cap_can_be__fits_the_book(safe: Safe) -> None:
    safe.vault.set_cap(HOSTILE, CAP_MAX, sender=safe.timelock)
    safe.tokens[HOSTILE].mint(safe.holder, CAP_MAX, sender=safe.attacker)
    safe.deposit(HOSTILE, CAP_MAX)
    assert safe.held(HOSTILE) == CAP_MAX
    assert safe.vault.asset(HOSTILE) == (safe.tokens[HOSTILE].address, 18, CAP_MAX, CAP_MAX)


def test_deposit__token_reenters_the_book_to_read__sees_it_not_credited_yet(safe: Safe) -> None:
    hostile = safe.tokens[HOSTILE]
    hostile.arm(safe.book, safe.book.holding.encode(safe.account, HOSTILE), sender=safe.attacker)
    safe.deposit(HOSTILE, WAD)
    assert hostile.reentry_succeeded()
    assert hostile.reentry_answer() == encode(["int256"], [0])
