"""Signed orders, filled on the fork. Their domain carries the chain id, which the fork shares with its upstream."""

from __future__ import annotations

import pytest

from prime_perps import orders
from prime_perps.accounts import account_id
from prime_perps.errors import Revert
from prime_perps.units import nano, wad
from tests.fork.actors import address, key
from tests.fork.market import Market

TAKER = account_id(address("taker"))
MAKER = account_id(address("maker"))


def test_fill__order_signed_by_the_maker__positions_sum_to_zero(market: Market) -> None:
    """CH-1"""
    aapl = market.system.underlying("AAPL").id
    market.deposit_cash("taker", "10000")
    market.buy("taker", "AAPL", "100")
    book = market.system.clearinghouse
    assert book.position(TAKER, aapl).size == nano("100")
    assert book.position(MAKER, aapl).size == -nano("100")
    assert book.market(aapl).open_interest == nano("100")


def test_match_orders__both_signed__anybody_may_submit(market: Market) -> None:
    aapl = market.system.underlying("AAPL").id
    market.deposit_cash("taker", "10000")
    sell = market.offer("AAPL", "-50", "150")
    wanted = orders.Order(TAKER, aapl, nano("50"), wad("151"), 1, sell.order.expiry)
    buy = orders.sign(wanted, key("taker"), market.system.backend.chain_id(), market.system.exchange.address)
    market.system.exchange.match_orders(sell, buy, nano("50"), sender=address("attacker"))
    assert market.system.clearinghouse.position(TAKER, aapl).size == nano("50")


def test_fill__order_signed_by_somebody_else__refused(market: Market) -> None:
    market.deposit_cash("taker", "10000")
    offer = market.offer("AAPL", "-10", "150")
    forged = orders.sign(offer.order, key("attacker"), market.system.backend.chain_id(), market.system.exchange.address)
    forged = orders.SignedOrder(forged.order, offer.signer, forged.signature)
    with pytest.raises(Revert, match="orders: bad signature"):
        market.system.exchange.fill(forged, TAKER, nano("10"), wad("150"), sender=address("taker"))


def test_fill__order_signed_for_another_chain__refused(market: Market) -> None:
    market.deposit_cash("taker", "10000")
    order = market.offer("AAPL", "-10", "150").order
    foreign = orders.sign(order, key("maker"), 31_337, market.system.exchange.address)
    with pytest.raises(Revert, match="orders: bad signature"):
        market.system.exchange.fill(foreign, TAKER, nano("10"), wad("150"), sender=address("taker"))
