"""The model alone, asked by anybody; words are made and read by the Python reference."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal

import pytest

from prime_perps.cash import Market
from prime_perps.chain import Contract
from prime_perps.chain.revm import RevmBackend
from prime_perps.units import WAD, wad
from tests.stage import address

FLOOR = "0.03"


@dataclass
class Desk:
    """The model and its clock."""

    backend: RevmBackend
    model: Contract

    def step(self, rate_at_target: str | int, utilization: str | int, elapsed: int) -> tuple[Decimal, Decimal]:
        """As rates a year; strings are decimals, whole numbers wad."""
        given = [wad(value) if isinstance(value, str) else value for value in (rate_at_target, utilization)]
        average, after = self.model.step(*given, elapsed)
        return Decimal(average) / WAD, Decimal(after) / WAD

    def accrued(self, market: Market, paid: int = 0, settled: int = 0, borrows: bool = False) -> Market:
        return Market.unpack(self.model.accrued(market.words(), paid, settled, borrows))

    def post_floor(self, floor: str) -> None:
        self.model.set_rate_floor(wad(floor), sender=address("timelock"))

    @property
    def now(self) -> int:
        return self.backend.timestamp()


@pytest.fixture(scope="session")
def _deployed() -> Desk:
    backend = RevmBackend()
    model = Contract.deploy(backend, "InterestModel", wad(FLOOR), sender=address("deployer"))
    model.grantRole(model.TIMELOCK_ROLE(), address("timelock"), sender=address("deployer"))
    model.grantRole(model.GUARDIAN_ROLE(), address("guardian"), sender=address("deployer"))
    return Desk(backend, model)


@pytest.fixture
def desk(_deployed: Desk) -> Iterator[Desk]:
    point = _deployed.backend.snapshot()
    yield _deployed
    _deployed.backend.restore(point)
