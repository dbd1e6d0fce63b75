"""A token that calls back in the middle of its own transfer: the safe is locked, views included (GMX, July 2025).

The hostile token is an operator of the holder's account with every permission and owns tokens itself, so each of these
calls succeeds when it is not made from inside a deposit or a withdrawal; the control test shows it.
"""

from __future__ import annotations

from collections.abc import Callable

import pytest

from prime_perps.accounts import CASH, Permission
from prime_perps.chain import Contract
from prime_perps.units import WAD

from .conftest import HOSTILE, STOCK, UNLIMITED, Safe

EVERYTHING = Permission.TRADE | Permission.DEPOSIT | Permission.WITHDRAW | Permission.LIQUIDATE

Call = Callable[[Safe], bytes]

CALLS: dict[str, Call] = {
    "deposit of another token": lambda s: s.vault.deposit.encode(s.account, CASH, 1),
    "deposit of itself": lambda s: s.vault.deposit.encode(s.account, HOSTILE, 1),
    "withdrawal of another token": lambda s: s.vault.withdraw.encode(s.account, STOCK, 1, s.attacker),
    "withdrawal of itself": lambda s: s.vault.withdraw.encode(s.account, HOSTILE, 1, s.attacker),
    "view of an asset": lambda s: s.vault.asset.encode(HOSTILE),
    "view of the cash": lambda s: s.vault.available_cash.encode(),
}


@pytest.fixture
def hostile(safe: Safe) -> Contract:
    """Everything it takes to act for the holder, but the right moment."""
    token = safe.tokens[HOSTILE]
    for instrument in (CASH, STOCK, HOSTILE):
        safe.deposit(instrument, 10 * safe.one(instrument))
    safe.allow(token.address, EVERYTHING)
    safe.tokens[CASH].mint(token, 100, sender=safe.issuer)
    token.mint(token, 100, sender=safe.attacker)
    token.arm(safe.tokens[CASH], safe.tokens[CASH].approve.encode(safe.vault, UNLIMITED), sender=safe.attacker)
    token.transfer(safe.receiver, 1, sender=safe.holder)
    assert token.reentry_succeeded()
    return token


@pytest.mark.parametrize("call", CALLS.values(), ids=CALLS)
def test_control__the_call_from_outside__succeeds(safe: Safe, hostile: Contract, call: Call) -> None:
    hostile.arm(safe.vault, call(safe), sender=safe.attacker)
    hostile.transfer(safe.receiver, 1, sender=safe.holder)
    assert hostile.reentry_succeeded()


@pytest.mark.parametrize("call", CALLS.values(), ids=CALLS)
def test_deposit__token_calls_the_safe__is_refused_and_nothing_else_moves(
    safe: Safe, hostile: Contract, call: Call
) -> None:
    hostile.arm(safe.vault, call(safe), sender=safe.attacker)
    safe.deposit(HOSTILE, WAD)
    assert not hostile.reentry_succeeded()
    assert safe.held(HOSTILE) == safe.booked(HOSTILE) == safe.balance(HOSTILE) == 11 * WAD
    assert safe.held(STOCK) == 10 * WAD
    assert safe.held(CASH) == 10 * WAD


@pytest.mark.parametrize("call", CALLS.values(), ids=CALLS)
def test_withdraw__token_calls_the_safe__is_refused_and_nothing_else_moves(
    safe: Safe, hostile: Contract, call: Call
) -> None:
    hostile.arm(safe.vault, call(safe), sender=safe.attacker)
    safe.withdraw(HOSTILE, WAD)
    assert not hostile.reentry_succeeded()
    assert safe.held(HOSTILE) == safe.booked(HOSTILE) == safe.balance(HOSTILE) == 9 * WAD
    assert safe.held(STOCK) == 10 * WAD
    assert safe.held(CASH) == 10 * WAD


def test_deposit__token_settles_the_account__changes_nothing(safe: Safe, hostile: Contract) -> None:
    hostile.arm(safe.book, safe.book.settle.encode(safe.account), sender=safe.attacker)
    safe.deposit(HOSTILE, WAD)
    assert safe.held(HOSTILE) == safe.booked(HOSTILE) == 11 * WAD
    assert safe.held(CASH) == 10 * WAD


def test_withdraw__token_settles_the_account__changes_nothing(safe: Safe, hostile: Contract) -> None:
    hostile.arm(safe.book, safe.book.settle.encode(safe.account), sender=safe.attacker)
    safe.withdraw(HOSTILE, WAD)
    assert safe.held(HOSTILE) == safe.booked(HOSTILE) == 9 * WAD
    assert safe.held(CASH) == 10 * WAD


@pytest.mark.parametrize("entry", ["credit", "debit"])
def test_deposit__token_poses_as_the_safe__is_refused(safe: Safe, hostile: Contract, entry: str) -> None:
    payload = getattr(safe.book, entry).encode(safe.account, CASH, WAD, safe.holder)
    hostile.arm(safe.book, payload, sender=safe.attacker)
    safe.deposit(HOSTILE, WAD)
    assert not hostile.reentry_succeeded()
    assert safe.held(CASH) == 10 * WAD
