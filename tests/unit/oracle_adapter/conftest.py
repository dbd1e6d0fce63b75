"""A deployed adapter with three signers, two of whom must sign, and one listed underlying."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest
from eth_abi import encode
from eth_account import Account
from eth_utils import keccak, to_checksum_address
from vyper.compiler import compile_code
from vyper.compiler.settings import Settings

from prime_perps import reports
from prime_perps.chain import Contract, Receipt
from prime_perps.chain.revm import START, RevmBackend
from prime_perps.compiler import EVM_VERSION
from prime_perps.reports import DEFAULT_LIMITS, Feed, Limits, Report, Session, SignedReport, Source, Word
from prime_perps.sessions import DAY, Closing
from prime_perps.units import MID

NVDA = 0
SPY = 1
BTC = 2

PRICE_ID = keccak(text="Equity.US.NVDA/USD")
PYTH_FEE = 10  # wei


def address_of(role: str) -> str:
    return to_checksum_address(keccak(text=role)[12:])


def key_of(role: str) -> bytes:
    return keccak(text=f"key of {role}")


def signer_of(key: bytes) -> str:
    return str(Account.from_key(key).address)


@dataclass
class Desk:
    """The adapter and everybody around it."""

    backend: RevmBackend
    oracle: Contract
    deployer: str = address_of("deployer")
    timelock: str = address_of("timelock")
    guardian: str = address_of("guardian")
    keeper: str = address_of("keeper")
    poster: str = address_of("poster")
    attacker: str = address_of("attacker")
    # In rising order of signer address.
    keys: tuple[bytes, ...] = tuple(
        sorted(map(key_of, ("first", "second", "third")), key=lambda k: int(signer_of(k), 16))
    )
    stranger_key: bytes = key_of("stranger")

    @property
    def now(self) -> int:
        return self.backend.timestamp()

    def post(self, *closures: Closing, days: int = 380) -> Receipt:
        """Post closures, covered for so many days from now."""
        receipt: Receipt = self.oracle.post_closures(list(closures), self.now + days * DAY, sender=self.poster)
        return receipt

    def report(self, underlying: int = NVDA, price: int = 100 * MID, **fields: Any) -> Report:
        """A report of a regular session, observed now, unless `fields` say otherwise."""
        plain = Report(underlying, price, confidence=2, status=Session.REGULAR, observed_at=self.now)
        return replace(plain, **fields)

    def sign(self, report: Report, keys: Sequence[bytes] | None = None) -> SignedReport:
        """Signed by the first two signers, or by whom `keys` says."""
        chosen = self.keys[:2] if keys is None else keys
        return reports.sign_all(report, chosen, self.backend.chain_id(), self.oracle.address)

    def submit(self, *signed: Report | SignedReport) -> Receipt:
        """Carry reports in one call, signing those that are not."""
        carried = [self.sign(item) if isinstance(item, Report) else item for item in signed]
        receipt: Receipt = self.oracle.submit(carried, sender=self.keeper)
        return receipt

    def written(self, *signed: Report | SignedReport) -> int:
        """How many words `submit` would write."""
        carried = [self.sign(item) if isinstance(item, Report) else item for item in signed]
        return int(self.oracle.submit.call(carried))

    def word(self, underlying: int = NVDA) -> Word:
        return Word.unpack(self.oracle.word(underlying))

    def read(self, underlying: int = NVDA) -> Word:
        words, _ = self.oracle.read([underlying])
        return Word.unpack(words[0])

    def list_feed(self, aggregator: Contract, underlying: int = BTC, **fields: Any) -> Feed:
        """Make a push feed the source: heartbeat an hour, deviation threshold 50 bps, always open."""
        plain = Feed(Source.AGGREGATOR, aggregator.address, 8, 3_600, 50, Session.ALWAYS_OPEN)
        feed = replace(plain, **fields)
        self.oracle.set_feed(underlying, feed, sender=self.timelock)
        return feed

    def list_three(self, aggregator: Contract, pyth: Contract, underlying: int = NVDA, **fields: Any) -> Feed:
        """All three sources for a stock: deviation threshold 30 bps, heartbeat an hour; one alone only reduces."""
        plain = Feed(
            source=Source.REPORTS | Source.AGGREGATOR | Source.PYTH,
            aggregator=aggregator.address,
            decimals=8,
            heartbeat=3_600,
            confidence=30,
            pyth=pyth.address,
            price_id=PRICE_ID,
            alone=False,
        )
        feed = replace(plain, **fields)
        self.oracle.set_feed(underlying, feed, sender=self.timelock)
        return feed

    def bring(self, pyth: Contract, price: int, **fields: int) -> None:
        """A Pyth price of 8 decimals as of now, with a confidence of a hundredth of a percent, brought and paid for."""
        plain = {"conf": price // 10_000, "expo": -8, "publish_time": self.now}
        conf, expo, publish_time = (plain | fields).values()
        update = encode(["bytes32", "int64", "uint64", "int32", "uint256"], [PRICE_ID, price, conf, expo, publish_time])
        self.backend._evm.set_balance(self.keeper, PYTH_FEE)
        pyth.updatePriceFeeds([update], sender=self.keeper, value=PYTH_FEE)

    def refresh(self, *underlyings: int) -> Receipt:
        receipt: Receipt = self.oracle.refresh(list(underlyings), sender=self.keeper)
        return receipt

    def refreshed(self, *underlyings: int) -> int:
        """How many words `refresh` would write."""
        return int(self.oracle.refresh.call(list(underlyings)))


def make_desk(limits: Limits = DEFAULT_LIMITS, start: int = START) -> Desk:
    """Without a calendar."""
    backend = RevmBackend(start)
    deployer, timelock = address_of("deployer"), address_of("timelock")
    oracle = Contract.deploy(backend, "OracleAdapter", 2, limits, sender=deployer)
    desk = Desk(backend, oracle)
    oracle.grantRole(oracle.TIMELOCK_ROLE(), timelock, sender=deployer)
    oracle.grantRole(oracle.GUARDIAN_ROLE(), desk.guardian, sender=deployer)
    oracle.grantRole(oracle.CALENDAR_ROLE(), desk.poster, sender=deployer)
    for key in desk.keys:
        oracle.set_signer(signer_of(key), True, sender=timelock)
    for underlying in (NVDA, SPY):
        oracle.set_feed(underlying, Feed(Source.REPORTS), sender=timelock)
    return desk


@pytest.fixture(scope="session")
def shared_desk() -> Desk:
    return make_desk()


@pytest.fixture
def desk(shared_desk: Desk) -> Iterator[Desk]:
    """The deployed state again for every test."""
    with undone(shared_desk):
        yield shared_desk


@contextmanager
def undone(desk: Desk) -> Iterator[None]:
    """Whatever happens inside has not happened afterwards."""
    point = desk.backend.snapshot()
    try:
        yield
    finally:
        desk.backend.restore(point)


@pytest.fixture
def aggregator(desk: Desk) -> Contract:
    """A push feed of 8 decimals that has published 50,000."""
    return publishing_feed(desk, 8, 50_000 * 10**8)


def publishing_feed(desk: Desk, decimals: int, answer: int) -> Contract:
    feed = Contract.deploy(desk.backend, "DevnetFeed", decimals, "BTC / USD", sender=desk.deployer)
    feed.publish(answer, sender=desk.deployer)
    return feed


@pytest.fixture
def pyth(desk: Desk) -> Contract:
    """A Pyth contract without a price."""
    return Contract.deploy(desk.backend, "DevnetPyth", PYTH_FEE, sender=desk.deployer)


@pytest.fixture
def odd_feed(desk: Desk) -> Contract:
    """A feed that answers any bytes after burning any gas."""
    source = Path(__file__).with_name("odd_feed.vy").read_text()
    built = compile_code(source, output_formats=["abi", "bytecode"], settings=Settings(evm_version=EVM_VERSION))
    address = desk.backend.create(bytes.fromhex(built["bytecode"][2:]), desk.deployer)
    return Contract(desk.backend, address, built["abi"], "odd_feed")
