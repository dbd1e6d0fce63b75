"""The margin model alone, with the risk table of parameters/risk.json, or with none."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

import pytest
from eth_utils import keccak, to_bytes, to_checksum_address

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

# Returns the code of the account in its calldata. PUSH1 11, DUP1, PUSH1 9, PUSH0, CODECOPY, PUSH0, RETURN | PUSH0,
# CALLDATALOAD, EXTCODESIZE, DUP1, PUSH0, PUSH0, PUSH0, CALLDATALOAD, EXTCODECOPY, PUSH0, RETURN
CODE_READER = bytes.fromhex("600b8060095f395ff35f353b805f5f5f353c5ff3")


def address_of(role: str) -> str:
    return to_checksum_address(keccak(text=role)[12:])


@dataclass(frozen=True)
class Desk:
    """A model and the people around it."""

    backend: RevmBackend
    model: Contract
    admin: str
    timelock: str
    guardian: str
    attacker: str

    def stage(self, table: Table, sender: str = "") -> str:
        """Store a table as code; by the attacker, who may, unless said otherwise."""
        receipt = self.model.stage_table(table.globals, table.lines, sender=sender or self.attacker)
        return next(fields["table"] for name, fields in self.model.events(receipt) if name == "TableStaged")

    def code(self, account: str) -> bytes:
        """As the chain has it: pyrevm's own answer is padded."""
        reader = self.backend.create(CODE_READER, self.attacker)
        return self.backend.call(reader, bytes(12) + to_bytes(hexstr=account))

    def use(self, table: Table) -> None:
        """Use a table and let it come into force."""
        self.model.use_table(self.stage(table), sender=self.timelock)
        self.backend.warp(RAMP)


@pytest.fixture(scope="session")
def _deployed() -> Desk:
    backend = RevmBackend()
    admin, timelock, guardian = address_of("admin"), address_of("timelock"), address_of("guardian")
    model = Contract.deploy(backend, "MarginModel", RAMP, sender=admin)
    model.grantRole(model.TIMELOCK_ROLE(), timelock, sender=admin)
    model.grantRole(model.GUARDIAN_ROLE(), guardian, sender=admin)
    return Desk(backend, model, admin, timelock, guardian, address_of("attacker"))


@pytest.fixture
def bare(_deployed: Desk) -> Iterator[Desk]:
    """Without a table."""
    point = _deployed.backend.snapshot()
    yield _deployed
    _deployed.backend.restore(point)


@pytest.fixture
def desk(bare: Desk) -> Desk:
    """With the table of risk.json, one underlying a tier, size charges off."""
    bare.use(SIZELESS)
    return bare


@pytest.fixture
def model(desk: Desk) -> Contract:
    return desk.model
