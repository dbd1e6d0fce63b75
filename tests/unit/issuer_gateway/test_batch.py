"""Mints and redemptions inside a batch: the account's check is put off already, and done once, at its end."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from prime_perps.accounts import account_id
from prime_perps.chain import Contract
from prime_perps.errors import Revert
from prime_perps.issuer.quotes import Quote, Side, notional
from prime_perps.units import WAD, wad
from tests.stage import Stage, account, address, deployed_source
from tests.unit import batcher
from tests.unit.batcher.conftest import Batches, Step

from .conftest import AAPL, COIN, UNIT, Desk

ACTOR = Path(batcher.__file__).with_name("actor.vy")


@dataclass
class Floor:
    """The desk, and a contract with 3,000 USD in its account that batches."""

    desk: Desk
    batches: Batches

    @property
    def account(self) -> int:
        return self.batches.account

    def mint(self, quote: Quote, *, deferred: bool = True) -> Step:
        cash = -(-notional(quote) // UNIT)
        given = (self.account, AAPL, quote, self.desk.sign(quote), cash, deferred)
        return self.batches.step(self.desk.gateway.mint, *given)

    def redeem(self, quote: Quote, *, deferred: bool = True) -> Step:
        given = (self.account, AAPL, quote, self.desk.sign(quote), 0, deferred)
        return self.batches.step(self.desk.gateway.redeem, *given)

    def quote(self, side: Side, amount: str) -> Quote:
        return self.desk.quote(side, amount, of=self.account)


@pytest.fixture
def floor(desk: Desk) -> Floor:
    actor = deployed_source(desk.stage.backend, ACTOR, address("deployer"))
    batches = Batches(desk.stage, actor)
    batches.fund(3_000)
    return Floor(desk, batches)


def test_batch__short_perp_and_minted_hedge__needs_a_fraction_of_either__CH_4(floor: Floor) -> None:
    """60,000 USD of stock, hedged in one transaction with 3,000: neither leg would be possible by itself."""
    stage = floor.desk.stage
    with pytest.raises(Revert, match=r"^risk: below initial$"):
        floor.batches.run(floor.batches.buy("-400"))
    with pytest.raises(Revert, match=r"^risk: below initial$"):
        floor.batches.run(floor.mint(floor.quote(Side.BUY, "400")))
    floor.batches.run(floor.mint(floor.quote(Side.BUY, "400")), floor.batches.buy("-400"))
    margin = floor.batches.margin
    assert margin.equity >= margin.initial
    assert stage.system.clearinghouse.holding(floor.account, AAPL) == wad("400")
    assert not any(floor.desk.held())


def test_batch__said_not_to_be_deferred__reverts(floor: Floor) -> None:
    for step in (
        floor.mint(floor.quote(Side.BUY, "1"), deferred=False),
        floor.redeem(floor.quote(Side.SELL, "1"), deferred=False),
    ):
        with pytest.raises(Revert, match=r"^risk: checks deferred$"):
            floor.batches.run(step)


def test_batch__of_other_accounts__is_no_excuse(floor: Floor) -> None:
    """The account itself is not put off, so what is taken out of it is checked at once: CH-4."""
    sub = floor.account + 1
    with pytest.raises(Revert, match=r"^risk: below initial$"):
        floor.batches.run(floor.mint(floor.quote(Side.BUY, "60")), accounts=[sub])
    floor.batches.run(floor.mint(floor.quote(Side.BUY, "60")), accounts=[floor.account])


# outside any batch


def test_mint__said_to_be_deferred_and_is_not__must_meet_initial_without_the_money__CH_4(desk: Desk) -> None:
    """What the account could do by itself, withdraw and deposit, and no more: nothing is left unchecked."""
    with pytest.raises(Revert, match=r"^risk: below initial$"):
        desk.mint(desk.quote(Side.BUY, "1000"), deferred=True)
    desk.mint(desk.quote(Side.BUY, "1000"))
    desk.mint(desk.quote(Side.BUY), deferred=True)
    margin = desk.stage.margin("holder")
    assert margin.equity >= margin.initial


def test_redeem__said_to_be_deferred_and_is_not__must_meet_initial_without_the_tokens__CH_4(desk: Desk) -> None:
    desk.redeem(desk.quote(Side.SELL), deferred=True)
    desk.mint(desk.quote(Side.BUY, "3000"))
    with pytest.raises(Revert, match=r"^risk: below initial$"):
        desk.redeem(desk.quote(Side.SELL, "2000"), deferred=True)
    desk.redeem(desk.quote(Side.SELL, "2000"))


def test_redeem__said_to_be_deferred_of_an_unhealthy_account__reverts__CH_4(debtor: Desk) -> None:
    """Owner or not: tokens never leave an account below initial margin before their cash is in."""
    before = debtor.look("debtor")
    with pytest.raises(Revert, match=r"^risk: below initial$"):
        debtor.redeem(debtor.quote(Side.SELL, "900", of="debtor"), of="debtor", deferred=True)
    assert debtor.look("debtor") == before


# a liquidator without capital


@dataclass
class Sale:
    """A debtor for sale, and a taker that has nothing."""

    desk: Desk
    taker: Contract

    @property
    def stage(self) -> Stage:
        return self.desk.stage

    def liquidate(self, fraction: int, redemptions: list[Any], least: int = 1) -> None:
        state = self.desk.book.state_counter(account("debtor"))
        job = (account("debtor"), fraction, WAD, state, least, [], redemptions)
        self.taker.liquidate(job, sender=address("attacker"))

    def redemption(self, amount: str, **changed: Any) -> tuple[int, Quote, bytes]:
        quote = self.desk.quote(Side.SELL, amount, of=account_id(self.taker.address), **changed)
        return AAPL, quote, self.desk.sign(quote)


@pytest.fixture
def sale(debtor: Desk) -> Sale:
    """Five minutes into the auction."""
    debtor.stage.system.engine.start(account("debtor"), sender=address("keeper"))
    debtor.stage.warp(299)
    debtor.stage.publish()
    batcher = debtor.stage.system.batcher
    taker = Contract.deploy(debtor.stage.backend, "SliceTaker", batcher, sender=address("attacker"))
    return Sale(debtor, taker)


def test_liquidate__tokens_redeemed_at_the_issuer__ends_flat_with_a_profit(sale: Sale) -> None:
    """It takes a tenth: 100 tokens and a tenth of the loan. The issuer pays for the loan and for the slice."""
    price = sale.stage.index("AAPL") * 999 // 1_000
    sale.liquidate(WAD // 10, [sale.redemption("100", price=price)])
    own = account_id(sale.taker.address)
    assert sale.desk.coin.balanceOf(address("attacker")) > 100 * COIN
    assert sale.desk.book.holdings(own) == (0, 0)
    assert sale.desk.book.margin(own).equity < UNIT, "what is less than a unit of cash stays"
    assert not any(sale.desk.held())


def test_liquidate__a_quote_for_less_than_the_slice__leaves_the_rest_to_the_owner(sale: Sale) -> None:
    sale.liquidate(WAD // 10, [sale.redemption("99")])
    assert sale.desk.stock().balanceOf(address("attacker")) == wad("1")
    assert sale.desk.book.holdings(account_id(sale.taker.address)) == (0, 0)


def test_liquidate__an_issuer_that_refuses__leaves_everything_as_it_was__IG_1(sale: Sale) -> None:
    sale.desk.issuer.manager.set_paused(Side.SELL, True, sender=address("deployer"))
    before = sale.desk.look("debtor", "attacker")
    with pytest.raises(Revert, match=r"^issuer: redemptions paused$"):
        sale.liquidate(WAD // 10, [sale.redemption("100")])
    assert sale.desk.look("debtor", "attacker") == before


def test_liquidate__tokens_kept_without_a_quote__is_below_initial(sale: Sale) -> None:
    with pytest.raises(Revert, match=r"^(risk: below initial|taker: not worth it)$"):
        sale.liquidate(WAD // 10, [])
