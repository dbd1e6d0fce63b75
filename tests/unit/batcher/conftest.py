"""The whole system, and a contract that batches whatever it is told to."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from prime_perps.accounts import CASH, account_id
from prime_perps.chain import Contract, Receipt
from prime_perps.chain.contract import Method
from prime_perps.orders import SignedOrder
from prime_perps.units import nano
from tests.stage import UNLIMITED, Stage, address, deployed_source

Step = tuple[Any, bytes]


@dataclass
class Batches:
    """The stage, and the actor: a contract that owns an account."""

    stage: Stage
    actor: Contract

    @property
    def account(self) -> int:
        return account_id(self.actor.address)

    @property
    def margin(self) -> Any:
        return self.stage.system.clearinghouse.margin(self.account)

    def step(self, method: Method, *args: Any) -> Step:
        return method.contract.address, method.encode(*args)

    def run(self, *steps: Step, accounts: list[int] | None = None) -> Receipt:
        """Everything in one batch, with the checks of the actor's account put off unless told otherwise."""
        named = [self.account] if accounts is None else accounts
        batcher = self.stage.system.batcher
        receipt: Receipt = self.actor.run(batcher, named, list(steps), sender=address("anybody"))
        return receipt

    def call(self, method: Method, *args: Any) -> Receipt:
        """One call of the actor's, outside any batch."""
        receipt: Receipt = self.actor.call(*self.step(method, *args), sender=address("anybody"))
        return receipt

    def fund(self, dollars: int) -> None:
        """Cash in the actor's account."""
        self.deliver(dollars)
        self.call(self.stage.system.vault.deposit, self.account, CASH, dollars * 10**6)

    def deliver(self, dollars: int) -> None:
        """Cash in the actor's hands, which the vault may take."""
        self.stage.system.cash.mint(self.actor.address, dollars * 10**6, sender=address("deployer"))
        self.call(self.stage.system.cash.approve, self.stage.system.vault, UNLIMITED)

    def deposit(self, dollars: int) -> Step:
        return self.step(self.stage.system.vault.deposit, self.account, CASH, dollars * 10**6)

    def withdraw(self, dollars: int) -> Step:
        vault = self.stage.system.vault
        return self.step(vault.withdraw, self.account, CASH, dollars * 10**6, self.actor.address)

    def buy(self, size: str, symbol: str = "AAPL", price: str | None = None) -> Step:
        """Units, negative to sell, out of an order of the maker's."""
        opposite = size[1:] if size.startswith("-") else f"-{size}"
        order: SignedOrder = self.stage.order("maker", symbol, opposite, price)
        limit = 0 if size.startswith("-") else UNLIMITED
        return self.step(self.stage.system.exchange.fill, order, self.account, nano(size), limit)


@pytest.fixture(scope="session")
def shared_batches() -> Batches:
    stage = Stage.deployed()
    stage.fund("maker", "10000000")
    actor = deployed_source(stage.backend, Path(__file__).with_name("actor.vy"), address("deployer"))
    return Batches(stage, actor)


@pytest.fixture
def batches(shared_batches: Batches) -> Iterator[Batches]:
    """The same deployed state for every test."""
    with shared_batches.stage.undone():
        yield shared_batches
