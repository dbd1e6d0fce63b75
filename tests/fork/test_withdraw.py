"""Withdrawals on the fork: what margin leaves free goes out, nothing more."""

from __future__ import annotations

import pytest

from prime_perps.accounts import CASH, account_id
from prime_perps.errors import Revert
from tests.fork.actors import address
from tests.fork.market import Market

HOLDER = account_id(address("holder"))


def _withdraw(market: Market, dollars: int) -> None:
    amount = dollars * 10 ** market.system.cash.decimals()
    market.system.vault.withdraw(HOLDER, CASH, amount, address("holder"), sender=address("holder"))


def test_withdraw__no_position__all_of_it_comes_back(market: Market) -> None:
    market.deposit_cash("holder", "5000")
    _withdraw(market, 5_000)
    assert market.system.cash.balanceOf(address("holder")) == 5_000 * 10 ** market.system.cash.decimals()
    assert market.system.clearinghouse.money(HOLDER).cash == 0


def test_withdraw__more_than_margin_leaves_free__refused(market: Market) -> None:
    market.deposit_cash("holder", "5000")
    market.buy("holder", "AAPL", "50")
    with pytest.raises(Revert, match="risk: below initial"):
        _withdraw(market, 4_900)


def test_withdraw__somebody_elses_account__refused(market: Market) -> None:
    market.deposit_cash("holder", "5000")
    with pytest.raises(Revert, match="accounts: not authorized"):
        market.system.vault.withdraw(HOLDER, CASH, 1, address("attacker"), sender=address("attacker"))
