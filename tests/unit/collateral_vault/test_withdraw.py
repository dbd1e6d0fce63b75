"""withdraw: the account is debited first, then exactly the amount leaves, or nothing happens."""

from __future__ import annotations

import pytest
from eth_abi import encode

from prime_perps.accounts import CASH, Permission, account_id
from prime_perps.errors import Revert
from prime_perps.units import WAD

from .conftest import HOSTILE, SILENT, STOCK, UNLISTED, Safe

HONEST = [
    pytest.param(CASH, id="6 decimals"),
    pytest.param(SILENT, id="8 decimals"),
    pytest.param(STOCK, id="18 decimals"),
]
ZERO = "0x" + "00" * 20

# HostileToken.Answer
NO, NOTHING = 2, 4


@pytest.fixture
def funded(safe: Safe) -> Safe:
    """Ten of everything from the holder, ten more from the maker."""
    for instrument in safe.tokens:
        for owner in (safe.holder, safe.maker):
            safe.deposit(instrument, 10 * safe.one(instrument), sender=owner)
    return safe


@pytest.mark.parametrize("instrument", HONEST)
def test_withdraw__any_decimals__debits_eighteen_decimals_exactly(funded: Safe, instrument: int) -> None:
    one = funded.one(instrument)
    funded.withdraw(instrument, 3 * one + 1, receiver=funded.receiver)
    assert funded.held(instrument) == 7 * WAD - WAD // one
    assert funded.balance(instrument) == funded.booked(instrument) == 17 * one - 1
    assert funded.balance(instrument, funded.receiver) == 3 * one + 1


@pytest.mark.parametrize("instrument", HONEST)
def test_withdraw__everything__leaves_nothing(funded: Safe, instrument: int) -> None:
    for owner in (funded.holder, funded.maker):
        funded.withdraw(instrument, 10 * funded.one(instrument), sender=owner)
    assert funded.held(instrument) == funded.booked(instrument) == funded.balance(instrument) == 0


def test_withdraw__always__says_who_and_what(funded: Safe) -> None:
    receipt = funded.withdraw(CASH, 7, receiver=funded.receiver)
    expected = {
        "account": funded.account,
        "instrument": CASH,
        "sender": funded.holder,
        "receiver": funded.receiver,
        "amount": 7,
    }
    assert list(funded.vault.events(receipt)) == [("Withdraw", expected)]


def test_withdraw__by_an_operator__goes_where_the_operator_says(funded: Safe) -> None:
    funded.allow(funded.maker, Permission.WITHDRAW)
    funded.withdraw(CASH, 5, sender=funded.maker, account=funded.account, receiver=funded.receiver)
    assert funded.balance(CASH, funded.receiver) == 5
    assert funded.held(CASH) == (10 * 10**6 - 5) * 10**12


@pytest.mark.parametrize("permission", [None, Permission.DEPOSIT | Permission.TRADE | Permission.LIQUIDATE])
def test_CH_5_withdraw__without_the_permission__reverts(funded: Safe, permission: Permission | None) -> None:
    if permission is not None:
        funded.allow(funded.attacker, permission)
    with pytest.raises(Revert, match="accounts: not authorized"):
        funded.withdraw(CASH, 1, sender=funded.attacker, account=funded.account)


def test_withdraw__more_tokens_than_the_account_has__reverts(funded: Safe) -> None:
    with pytest.raises(Revert, match="ledger: not enough"):
        funded.withdraw(STOCK, 10 * WAD + 1)


def test_CH_4_withdraw__more_cash_than_margin_allows__reverts(funded: Safe) -> None:
    with pytest.raises(Revert, match="risk: below initial"):
        funded.withdraw(CASH, 10 * 10**6 + 1)


def test_withdraw__paused__reverts_until_resumed(funded: Safe) -> None:
    funded.vault.set_paused(True, sender=funded.guardian)
    with pytest.raises(Revert, match="vault: paused"):
        funded.withdraw(CASH, 1)
    funded.vault.set_paused(False, sender=funded.timelock)
    funded.withdraw(CASH, 1)


def test_withdraw__nothing__reverts(funded: Safe) -> None:
    with pytest.raises(Revert, match="vault: zero amount"):
        funded.withdraw(CASH, 0)


def test_withdraw__to_nobody__reverts(funded: Safe) -> None:
    with pytest.raises(Revert, match="vault: bad receiver"):
        funded.withdraw(CASH, 1, receiver=ZERO)


def test_withdraw__to_the_safe_itself__reverts(funded: Safe) -> None:
    with pytest.raises(Revert, match="vault: bad receiver"):
        funded.withdraw(CASH, 1, receiver=funded.vault.address)


@pytest.mark.parametrize("instrument", [0, 63, UNLISTED, 254, 256])
def test_withdraw__of_what_is_not_listed__reverts(funded: Safe, instrument: int) -> None:
    with pytest.raises(Revert, match="vault: not listed"):
        funded.withdraw(instrument, 1)


@pytest.mark.parametrize("amount", [20 * 10**6 + 1, 2**256 - 1])
def test_withdraw__more_than_the_book_owes_anybody__reverts(funded: Safe, amount: int) -> None:
    """Also when a gift makes the balance reach: nobody is owed it."""
    funded.tokens[CASH].transfer(funded.vault, 10**6, sender=funded.maker)
    with pytest.raises(Revert, match="vault: not enough in safe"):
        funded.withdraw(CASH, amount)


def test_withdraw__cash_is_lent_out__reverts_until_repaid(safe: Safe) -> None:
    """The maker's money is good, but somebody has borrowed it against stock and taken it away."""
    safe.price_stock(100)
    safe.deposit(STOCK, 100 * WAD)
    safe.deposit(CASH, 500 * 10**6, sender=safe.maker)
    safe.withdraw(CASH, 400 * 10**6)
    assert safe.held(CASH) == -400 * WAD
    assert safe.vault.available_cash() == 100 * 10**6
    with pytest.raises(Revert, match="vault: not enough in safe"):
        safe.withdraw(CASH, 100 * 10**6 + 1, sender=safe.maker)
    safe.deposit(CASH, 1)
    safe.withdraw(CASH, 100 * 10**6 + 1, sender=safe.maker)
    assert safe.vault.available_cash() == 0


def test_withdraw__after_a_seizure__pays_what_is_left_and_no_more(funded: Safe) -> None:
    stock = funded.tokens[STOCK]
    stock.set_burner(funded.issuer, True, sender=funded.issuer)
    stock.burn(funded.vault, 15 * WAD, sender=funded.issuer)
    with pytest.raises(Revert, match="vault: not enough in safe"):
        funded.withdraw(STOCK, 5 * WAD + 1)
    funded.withdraw(STOCK, 5 * WAD)
    assert funded.balance(STOCK) == 0
    assert funded.booked(STOCK) == 15 * WAD


def test_withdraw__token_pauses_or_blocks__passes_its_reason_on(funded: Safe) -> None:
    stock = funded.tokens[STOCK]
    compliance = funded.issuer_compliance()
    compliance.set_blocked(funded.vault, True, sender=funded.issuer)
    with pytest.raises(Revert, match="compliance: blocked"):
        funded.withdraw(STOCK, WAD)
    stock.set_paused(True, sender=funded.issuer)
    with pytest.raises(Revert, match="token: paused"):
        funded.withdraw(STOCK, WAD)
    assert funded.held(STOCK) == 10 * WAD


def test_withdraw__token_takes_more_from_the_safe__reverts(funded: Safe) -> None:
    funded.tokens[HOSTILE].set_shares(10_001, 10_000, sender=funded.attacker)
    with pytest.raises(Revert, match="vault: fee on transfer"):
        funded.withdraw(HOSTILE, WAD)


def test_withdraw__token_says_yes_and_moves_less__reverts(funded: Safe) -> None:
    funded.tokens[HOSTILE].set_shares(9_999, 9_999, sender=funded.attacker)
    with pytest.raises(Revert, match="vault: transfer failed"):
        funded.withdraw(HOSTILE, WAD)


def test_withdraw__token_says_no__reverts(funded: Safe) -> None:
    funded.tokens[HOSTILE].set_answer(NO, sender=funded.attacker)
    with pytest.raises(Revert, match="vault: transfer failed"):
        funded.withdraw(HOSTILE, WAD)


def test_withdraw__token_says_nothing__is_sent(funded: Safe) -> None:
    funded.tokens[HOSTILE].set_answer(NOTHING, sender=funded.attacker)
    funded.withdraw(HOSTILE, WAD, receiver=funded.receiver)
    assert funded.balance(HOSTILE, funded.receiver) == WAD


def test_withdraw__token_keeps_a_fee_of_the_receivers_part__is_between_the_two(funded: Safe) -> None:
    funded.tokens[HOSTILE].set_shares(10_000, 5_000, sender=funded.attacker)
    funded.withdraw(HOSTILE, WAD, receiver=funded.receiver)
    assert funded.balance(HOSTILE) == funded.booked(HOSTILE) == 19 * WAD
    assert funded.balance(HOSTILE, funded.receiver) == WAD // 2


def test_withdraw__cap_lowered_to_zero__goes_on(funded: Safe) -> None:
    funded.vault.set_cap(STOCK, 0, sender=funded.guardian)
    funded.withdraw(STOCK, 10 * WAD)
    assert funded.held(STOCK) == 0


def test_withdraw__token_reenters_the_book_to_read__sees_it_debited_already(funded: Safe) -> None:
    hostile = funded.tokens[HOSTILE]
    hostile.arm(funded.book, funded.book.holding.encode(funded.account, HOSTILE), sender=funded.attacker)
    funded.withdraw(HOSTILE, WAD)
    assert hostile.reentry_succeeded()
    assert hostile.reentry_answer() == encode(["int256"], [9 * WAD])


def test_withdraw__of_one_account__touches_no_other(funded: Safe) -> None:
    funded.withdraw(STOCK, 10 * WAD)
    assert funded.held(STOCK, account_id(funded.maker)) == 10 * WAD
