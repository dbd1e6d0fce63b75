"""The configurator in the whole system, with people in both of its roles."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest

from prime_perps.chain import Contract, Receipt
from tests.stage import Stage, address
from tests.unit.perp_clearinghouse.conftest import UNDERLYINGS, Book, many_underlyings

__all__ = ["UNDERLYINGS"]


@dataclass
class Office:
    """Where the book is administered: `timelock` stands in for the real one, which gave it its role."""

    stage: Stage

    @property
    def contract(self) -> Contract:
        return self.stage.system.configurator

    @property
    def book(self) -> Book:
        """To look at; its partners are contracts here."""
        return Book(self.stage, self.stage.system.clearinghouse)

    def told(self, receipt: Receipt) -> list[tuple[str, Any]]:
        """What the book says about a change."""
        return list(self.stage.system.clearinghouse.events(receipt))

    def trade(self, size: str, price: str | None = None) -> Receipt:
        """The taker buys AAPL of the maker."""
        return self.stage.trade("maker", "taker", "AAPL", size, price)


@pytest.fixture(scope="session")
def shared_office() -> Office:
    stage = Stage.deployed(many_underlyings())
    configurator = stage.system.configurator
    stage.govern(configurator.grantRole, configurator.TIMELOCK_ROLE(), address("timelock"))
    for role in ("maker", "taker"):
        stage.fund(role, "100000")
    return Office(stage)


@pytest.fixture
def office(shared_office: Office) -> Iterator[Office]:
    """The same deployed state for every test."""
    with shared_office.stage.undone():
        yield shared_office
