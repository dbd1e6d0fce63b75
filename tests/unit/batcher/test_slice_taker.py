"""A taker without capital takes a slice, fills signed orders and ends flat with profit, in one transaction."""

from __future__ import annotations

from dataclasses import dataclass

import pytest

from prime_perps.accounts import account_id
from prime_perps.chain import Contract
from prime_perps.errors import Revert
from prime_perps.orders import SignedOrder
from prime_perps.units import WAD
from tests.stage import Stage, account, address

from .conftest import Batches


@dataclass
class Sale:
    """A holder for sale, and a taker that has nothing."""

    stage: Stage
    taker: Contract

    def liquidate(self, orders: list[SignedOrder], least: int = 1, by: str = "attacker") -> None:
        state = self.stage.system.clearinghouse.state_counter(account("holder"))
        self.taker.liquidate((account("holder"), WAD, WAD, state, least, orders, []), sender=address(by))

    def bids(self) -> list[SignedOrder]:
        """The makers' bids for what a slice may have, a little below the index price."""
        return [
            self.stage.order("maker", symbol, "1000", price) for symbol, price in (("AAPL", "116.9"), ("IBM", "84.9"))
        ]

    def coins(self, role: str = "attacker") -> int:
        return int(self.stage.system.cash.balanceOf(address(role)))


@pytest.fixture
def sale(batches: Batches) -> Sale:
    """A holder of 100 AAPL and 100 IBM perps, whose prices have fallen; two minutes into the auction."""
    stage = batches.stage
    stage.fund("holder", "8000")
    stage.trade("maker", "holder", "AAPL", "100")
    stage.trade("maker", "holder", "IBM", "100")
    stage.publish(AAPL="117", IBM="85")
    stage.settle_slow_prices()
    assert stage.system.lens.account_summary(account("holder")).liquidatable
    stage.system.engine.start(account("holder"), sender=address("keeper"))
    stage.warp(119)
    stage.publish()
    taker = Contract.deploy(stage.backend, "SliceTaker", stage.system.batcher, sender=address("attacker"))
    return Sale(stage, taker)


def test_liquidate__nobodys_capital__ends_flat_with_a_profit(sale: Sale) -> None:
    health = sale.stage.margin("holder").equity * WAD // sale.stage.margin("holder").maintenance
    sale.liquidate(sale.bids())
    book, own = sale.stage.system.clearinghouse, account_id(sale.taker.address)
    assert sale.coins() > 0
    assert book.holdings(own) == (0, 0)
    assert book.margin(own).equity < 10**12, "what is less than a unit of cash stays"
    after = sale.stage.margin("holder")
    assert after.equity * WAD // after.maintenance > health


def test_liquidate__orders_that_leave_no_gain__leaves_everything_as_it_was(sale: Sale) -> None:
    before = sale.stage.margin("holder")
    with pytest.raises(Revert, match=r"^taker: not worth it$"):
        sale.liquidate(sale.bids(), least=10**12)
    assert (sale.stage.margin("holder"), sale.coins()) == (before, 0)


def test_liquidate__a_leg_without_an_order__is_below_initial(sale: Sale) -> None:
    """What is gained is withdrawn, and the IBM that is left has no margin behind it."""
    with pytest.raises(Revert, match=r"^risk: below initial$"):
        sale.liquidate(sale.bids()[:1])


def test_liquidate__by_anybody_else__reverts(sale: Sale) -> None:
    with pytest.raises(Revert, match=r"^taker: owner only$"):
        sale.liquidate(sale.bids(), by="taker")


def test_on_deferred_checks__by_anybody_but_the_batcher__reverts(sale: Sale) -> None:
    with pytest.raises(Revert, match=r"^taker: batcher only$"):
        sale.taker.on_deferred_checks(b"", sender=address("attacker"))
