"""Deposits into the system on the fork."""

from __future__ import annotations

from prime_perps.accounts import CASH, account_id
from prime_perps.units import wad
from tests.fork.actors import address
from tests.fork.conftest import MAKER_CASH
from tests.fork.market import Market


def test_deposit__cash__booked_in_18_decimals(market: Market) -> None:
    market.deposit_cash("holder", "1234.56")
    assert market.system.clearinghouse.money(account_id(address("holder"))).cash == wad("1234.56")


def test_deposit__stock_token__booked_and_held_by_the_safe(market: Market) -> None:
    aapl = market.system.underlying("AAPL")
    assert aapl.token is not None
    market.deposit_stock("holder", "AAPL", "100")
    assert market.system.clearinghouse.position(account_id(address("holder")), aapl.id).token == wad("100")
    assert aapl.token.balanceOf(market.system.vault.address) == wad("100")


def test_fork__before_anything_is_done__has_what_upstream_has(market: Market) -> None:
    assert market.system.clearinghouse.money(account_id(address("maker"))).cash == wad(MAKER_CASH)
    assert market.system.vault.asset(CASH).booked == int(MAKER_CASH) * 10 ** market.system.cash.decimals()
