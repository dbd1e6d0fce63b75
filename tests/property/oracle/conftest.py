"""A deployed adapter whose words can be set at will, and the word module by itself."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from eth_account import Account
from eth_utils import keccak, to_checksum_address
from vyper.compiler import compile_from_file_input
from vyper.compiler.input_bundle import FilesystemInputBundle
from vyper.compiler.settings import Settings

from prime_perps import compiler, reports
from prime_perps.chain import Contract
from prime_perps.chain.revm import RevmBackend
from prime_perps.reports import DEFAULT_LIMITS, Feed, Report, SignedReport, Source, Word

HARNESS = Path(__file__).with_name("word_harness.vy")
UNDERLYINGS = 4


def address_of(role: str) -> str:
    return to_checksum_address(keccak(text=role)[12:])


def compiled(path: Path, *outputs: str) -> dict[str, Any]:
    """Outputs of the compiler that an artifact does not keep, or of a source outside contracts/."""
    bundle = FilesystemInputBundle(compiler._search_paths())
    settings = Settings(evm_version=compiler.EVM_VERSION)
    built: dict[str, Any] = compile_from_file_input(
        bundle.load_file(path), input_bundle=bundle, settings=settings, output_formats=list(outputs)
    )
    return built


@dataclass
class Bench:
    backend: RevmBackend
    oracle: Contract
    words_slot: int
    timelock: str
    keeper: str = address_of("keeper")
    key: bytes = keccak(text="key of signer")

    def sign(self, report: Report) -> SignedReport:
        return reports.sign_all(report, [self.key], self.backend.chain_id(), self.oracle.address)

    def submit(self, *signed: SignedReport) -> None:
        self.oracle.submit(list(signed), sender=self.keeper)

    def word(self, underlying: int) -> Word:
        return Word.unpack(self.oracle.word(underlying))

    def store(self, low: Word, high: Word) -> None:
        """Put words under underlyings 0 and 1, as if sources had written them."""
        slot = int.from_bytes(keccak(self.words_slot.to_bytes(32, "big") + bytes(32)), "big")
        self.backend._evm.insert_account_storage(self.oracle.address, slot, low.pack() | high.pack() << 128)


@pytest.fixture(scope="module")
def deployed() -> Bench:
    """Of one module only: words put in place behind the EVM's back stay when the journal is rolled back."""
    backend = RevmBackend()
    timelock = address_of("timelock")
    oracle = Contract.deploy(backend, "OracleAdapter", 1, DEFAULT_LIMITS, sender=timelock)
    layout = compiled(compiler.CONTRACTS / "OracleAdapter.vy", "layout")["layout"]
    bench = Bench(backend, oracle, layout["storage_layout"]["_words"]["slot"], timelock)
    oracle.grantRole(oracle.TIMELOCK_ROLE(), timelock, sender=timelock)
    oracle.set_signer(Account.from_key(bench.key).address, True, sender=timelock)
    for underlying in range(UNDERLYINGS):
        oracle.set_feed(underlying, Feed(Source.REPORTS), sender=timelock)
    return bench


@pytest.fixture
def bench(deployed: Bench) -> Iterator[Bench]:
    point = deployed.backend.snapshot()
    yield deployed
    deployed.backend.restore(point)


@pytest.fixture(scope="session")
def harness() -> Contract:
    """price_word's internals, called from outside."""
    backend = RevmBackend()
    built = compiled(HARNESS, "abi", "bytecode")
    code = bytes.fromhex(built["bytecode"][2:])
    return Contract(backend, backend.create(code, address_of("deployer")), built["abi"], "word_harness")
