"""The system, an issuer, and a vault of 60,000 USD that makes depth of them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

import pytest

from prime_perps.chain import Contract, Receipt
from prime_perps.issuer.deployment import Terms
from prime_perps.issuer.quotes import Quote, Side
from prime_perps.liquidity import LiquidityTerms, deploy_liquidity
from prime_perps.orders import SignedOrder
from prime_perps.units import WAD, nano
from tests.stage import UNLIMITED, Stage, address
from tests.unit.issuer_gateway.conftest import AAPL, COIN, ISSUER, Desk, opened

EQUITY = 60_000


@dataclass
class Pool:
    """The desk and the vault."""

    desk: Desk
    vault: Contract

    @property
    def stage(self) -> Stage:
        return self.desk.stage

    @property
    def account(self) -> int:
        return int(self.vault.account())

    @property
    def margin(self) -> Any:
        return self.desk.book.margin(self.account)

    @property
    def coin(self) -> Contract:
        return self.desk.coin

    @property
    def tokens(self) -> int:
        return int(self.desk.book.holding(self.account, AAPL))

    @property
    def size(self) -> int:
        return int(self.desk.book.position(self.account, 0).size)

    def quote(self, side: Side, amount: str) -> Quote:
        return self.desk.quote(side, amount, of=self.account)

    def price(self, amount: str, quote: Quote) -> int:
        """wad, the worst for the vault that it fills `amount` at, signed for the taker."""
        price, _ = self.vault.price_of(0, nano(amount), quote.price)
        return int(price)

    def order(self, amount: str, price: int, role: str = "taker") -> SignedOrder:
        """Units, negative to sell, at a price in wad."""
        signed = self.stage.order(role, "AAPL", amount)
        return self.stage.signed(role, replace(signed.order, price=price))

    def fill(self, amount: str, *, worse: int = 0, by: str = "anybody", role: str = "taker", **changed: Any) -> Receipt:
        """Units, negative when the taker sells, at the vault's price; `worse` for the vault by so many wei."""
        sells = amount.startswith("-")
        quote = replace(self.quote(Side.SELL if sells else Side.BUY, amount.removeprefix("-")), **changed)
        price = self.price(amount, quote) + (worse if sells else -worse)
        order = self.order(amount, price, role)
        return self.vault.fill.send(order, quote, self.desk.sign(quote), sender=address(by))

    def fund(self, role: str, dollars: int) -> None:
        """Coins in the hands of a role, which the vault may take."""
        self.coin.mint(address(role), dollars * COIN, sender=ISSUER)
        self.coin.approve(self.vault, UNLIMITED, sender=address(role))

    def deposit(self, role: str, dollars: int) -> Receipt:
        self.fund(role, dollars)
        return self.vault.deposit.send(dollars * COIN, address(role), sender=address(role))

    def shares(self, role: str) -> int:
        return int(self.vault.balanceOf(address(role)))

    def coins(self, role: str) -> int:
        return int(self.coin.balanceOf(address(role)))

    def look(self) -> Any:
        """Everything that a failure leaves as it was."""
        people = ("taker", "provider", "anybody")
        held = [(self.coins(role), self.shares(role), self.stage.money(role)) for role in people]
        return held, self.margin, self.tokens, self.size, self.coin.balanceOf(self.vault), self.desk.look("taker")

    def shut(self) -> None:
        self.stage.oracle.set_halt(0, True, sender=address("guardian"))

    def reopen(self) -> None:
        self.stage.govern(self.stage.oracle.set_halt, 0, False)
        for _ in range(3):
            self.stage.warp(130)
            self.stage.publish()
        assert self.vault.is_open()


@pytest.fixture(scope="session")
def shared_pool() -> Pool:
    """A provider with 60,000 USD in the vault, a taker with 500,000 and a maker whose cash others may borrow."""
    stage = Stage.deployed()
    stage.fund("maker", "10000000")
    stage.fund("taker", "500000")
    desk = opened(stage, Terms(inventory=10_000_000 * WAD))
    guardian = address("guardian")
    vault = deploy_liquidity(stage.system, address("deployer"), guardian, {"AAPL": LiquidityTerms()})
    pool = Pool(desk, vault)
    pool.deposit("provider", EQUITY)
    return pool


@pytest.fixture
def pool(shared_pool: Pool) -> Iterator[Pool]:
    """The same deployed state for every test."""
    with shared_pool.stage.undone():
        yield shared_pool
