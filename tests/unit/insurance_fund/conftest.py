"""The auctions' system, whose insurance begins with nothing, and people who back it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest

from prime_perps.chain import Receipt
from prime_perps.chain.contract import Contract
from prime_perps.units import scaled
from tests.stage import UNLIMITED, address
from tests.unit.liquidation_engine.conftest import BOUGHT_AT, FALLEN_TO, Auctions, shared_auctions

__all__ = ["shared_auctions"]

DAY = 86_400
COOLDOWN, WINDOW = 7 * DAY, 2 * DAY


@dataclass
class Backing:
    """The fund, and what backers do."""

    auctions: Auctions

    @property
    def fund(self) -> Contract:
        return self.auctions.stage.system.insurance_fund

    @property
    def stablecoin(self) -> Contract:
        return self.auctions.stage.system.cash

    @property
    def cash(self) -> int:
        """Of insurance, wad."""
        return self.auctions.cash(self.auctions.insurance)

    def now(self) -> int:
        return self.auctions.stage.now()

    def warp(self, seconds: int) -> None:
        self.auctions.stage.warp(seconds)

    def deposit(self, dollars: str, role: str = "backer") -> Receipt:
        amount = scaled(dollars, 10**6)
        self.stablecoin.mint(address(role), amount, sender=address("deployer"))
        self.stablecoin.approve(self.fund, UNLIMITED, sender=address(role))
        return self.fund.deposit(amount, address(role), sender=address(role))

    def give(self, dollars: str) -> None:
        """Pay insurance, for no shares."""
        self.auctions.insure(dollars)

    def shares(self, role: str = "backer") -> int:
        return int(self.fund.shares_of(address(role)))

    def worth(self, role: str = "backer") -> int:
        return int(self.fund.worth(self.shares(role)))

    def request(self, shares: int | None = None, role: str = "backer") -> Receipt:
        wanted = self.shares(role) if shares is None else shares
        return self.fund.request_withdrawal(wanted, sender=address(role))

    def withdraw(self, role: str = "backer") -> int:
        """Raw units of stablecoin that the role has got."""
        before = self.stablecoin.balanceOf(address(role))
        self.fund.withdraw(address(role), sender=address(role))
        return int(self.stablecoin.balanceOf(address(role)) - before)

    def leave(self, role: str = "backer") -> int:
        """Ask, wait, go."""
        self.request(role=role)
        self.warp(COOLDOWN)
        return self.withdraw(role)

    def lose(self, dollars: str, role: str = "holder") -> None:
        """Have insurance take a loss of this many dollars, and a few wei, and nothing more."""
        stage, lost = self.auctions.stage, int(dollars)
        stage.publish(SPY=str(BOUGHT_AT))
        stage.settle_slow_prices()
        size = lost // 5
        stage.fund(role, str(size * (BOUGHT_AT - FALLEN_TO) - lost))
        stage.trade("maker", role, "SPY", str(size))
        stage.publish(SPY=str(FALLEN_TO))
        stage.settle_slow_prices()
        self.auctions.take(role=role)
        self.warp(301)

    def one(self, name: str, receipt: Receipt) -> dict[str, Any]:
        (found,) = [fields for event, fields in self.fund.events(receipt) if event == name]
        return found


@pytest.fixture
def backing(shared_auctions: Auctions) -> Iterator[Backing]:
    """The same deployed state for every test."""
    with shared_auctions.stage.undone():
        made = Backing(shared_auctions)
        assert made.cash == 0
        yield made
