"""asset, available_cash, clearinghouse, and the wiring the constructor insists on."""

from __future__ import annotations

import pytest

from prime_perps.accounts import CASH
from prime_perps.chain import Contract
from prime_perps.errors import Revert

from .conftest import UNLISTED, Safe

ZERO = "0x" + "00" * 20


def test_asset__not_listed__is_zeros(safe: Safe) -> None:
    assert safe.vault.asset(UNLISTED) == (ZERO, 0, 0, 0)


def test_available_cash__after_deposits_and_withdrawals__is_what_can_leave(safe: Safe) -> None:
    safe.deposit(CASH, 100)
    safe.deposit(CASH, 50, sender=safe.maker)
    safe.withdraw(CASH, 30)
    assert safe.vault.available_cash() == 120


def test_available_cash__with_a_gift__leaves_it_out(safe: Safe) -> None:
    safe.deposit(CASH, 100)
    safe.tokens[CASH].transfer(safe.vault, 7, sender=safe.maker)
    assert safe.vault.available_cash() == 100


def test_available_cash__no_cash_listed__is_zero(safe: Safe) -> None:
    vault = Contract.deploy(safe.backend, "CollateralVault", safe.book_expecting_next(), sender=safe.attacker)
    assert vault.available_cash() == 0


def test_clearinghouse__always__is_the_one_that_names_the_vault(safe: Safe) -> None:
    assert safe.vault.clearinghouse() == safe.book.address
    assert safe.book.vault() == safe.vault.address


def test_init__clearinghouse_expects_another_vault__reverts(safe: Safe) -> None:
    with pytest.raises(Revert, match="vault: not the one expected"):
        Contract.deploy(safe.backend, "CollateralVault", safe.book, sender=safe.attacker)
