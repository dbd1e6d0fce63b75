"""Margin models alone, with the risk table of parameters/risk.json or another."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

import pytest
from eth_utils import keccak, to_checksum_address

from prime_perps import risk
from prime_perps.chain import Contract
from prime_perps.chain.revm import RevmBackend
from prime_perps.compiler import ROOT
from prime_perps.margin import Table

PARAMETERS = risk.load(ROOT / "parameters" / "risk.json")
TIERS = tuple(PARAMETERS.tiers)
TABLE = PARAMETERS.table(TIERS)
# The worked vectors and most tests of single terms leave size out.
SIZELESS = Table(TABLE.globals, [replace(line, slope=0) for line in TABLE.lines])
ETF, T1, T2, T3, T4, BILLS, NOTES, BONDS, BTC, ETH = range(len(TIERS))

RAMP = 3 * 86_400  # over which a new table comes into force

ZERO = "0x" + "00" * 20


def address_of(role: str) -> str:
    return to_checksum_address(keccak(text=role)[12:])


@dataclass
class Desk:
    """A factory of models, the model last made, and somebody who makes them."""

    backend: RevmBackend
    factory: Contract
    maker: str
    model: Contract

    def made(self, table: Table, previous: str = ZERO, starts: int = 0) -> Contract:
        """A model with this table: the first of its line, unless it follows another."""
        receipt = self.factory.make(table.globals, table.lines, previous, starts, sender=self.maker)
        ((_, fields),) = self.factory.events(receipt)
        return Contract.at(self.backend, "MarginModel", fields["model"])

    def use(self, table: Table) -> None:
        """Go on with a model of this table alone."""
        self.model = self.made(table)

    def follow(self, table: Table, wait: int = 0) -> Contract:
        """Go on with a model that comes into force after the present one, `wait` seconds from now."""
        self.model = self.made(table, self.model.address, self.backend.timestamp() + wait)
        return self.model


@pytest.fixture(scope="session")
def _deployed() -> Desk:
    backend, maker = RevmBackend(), address_of("anyone")
    blueprint = Contract.deploy_blueprint(backend, "MarginModel", sender=maker)
    factory = Contract.deploy(backend, "ModelFactory", blueprint, RAMP, sender=maker)
    desk = Desk(backend, factory, maker, factory)
    desk.use(SIZELESS)
    return desk


@pytest.fixture
def desk(_deployed: Desk) -> Iterator[Desk]:
    """With the table of risk.json, one underlying a tier, size charges off."""
    point, model = _deployed.backend.snapshot(), _deployed.model
    yield _deployed
    _deployed.backend.restore(point)
    _deployed.model = model


@pytest.fixture
def model(desk: Desk) -> Contract:
    return desk.model
