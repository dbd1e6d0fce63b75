"""A price falls on the fork: who is hedged stays, who is not is liquidated."""

from __future__ import annotations

import pytest

from prime_perps.accounts import account_id
from prime_perps.errors import Revert
from prime_perps.units import WAD, wad
from tests.fork.actors import address
from tests.fork.market import Market

HOLDER = account_id(address("holder"))
KEEPER = account_id(address("keeper"))


def _take(market: Market) -> None:
    expected = market.system.clearinghouse.state_counter(HOLDER)
    market.system.engine.take(HOLDER, KEEPER, WAD, WAD, expected, sender=address("keeper"))


def _leverage(market: Market) -> None:
    """A holder of stock who is long more of it on margin."""
    market.deposit_stock("holder", "AAPL", "100")
    market.buy("holder", "AAPL", "200")
    market.deposit_cash("keeper", "100000")


def test_take__price_fell__slice_moves_and_health_does_not_fall(market: Market) -> None:
    """LQ-1"""
    _leverage(market)
    market.publish(AAPL="118")
    market.settle_slow_prices()
    before = market.system.clearinghouse.margin(HOLDER)
    assert 0 < before.equity < before.maintenance
    _take(market)
    after = market.system.clearinghouse.margin(HOLDER)
    assert after.maintenance < before.maintenance
    assert after.equity * before.maintenance >= before.equity * after.maintenance
    assert market.system.clearinghouse.position(KEEPER, market.system.underlying("AAPL").id).size > 0


def test_take__healthy_account__refused(market: Market) -> None:
    _leverage(market)
    with pytest.raises(Revert, match="engine: healthy"):
        _take(market)


def test_take__hedged_account__refused_whatever_the_price(market: Market) -> None:
    market.deposit_stock("holder", "AAPL", "100")
    market.sell("holder", "AAPL", "100")
    market.deposit_cash("keeper", "100000")
    market.publish(AAPL="75")
    equity = market.system.clearinghouse.margin(HOLDER).equity
    assert abs(equity - wad("15000")) < wad("100")
    with pytest.raises(Revert, match="engine: healthy"):
        _take(market)
