"""The safe as production deploys it, with a token of every kind listed and people who own some of each."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest
from eth_account import Account
from eth_utils import keccak, to_checksum_address

from prime_perps import deployment
from prime_perps.accounts import CASH, Permission, account_id, token
from prime_perps.chain import Contract, Receipt
from prime_perps.chain.revm import RevmBackend
from prime_perps.deployment import Deployment
from prime_perps.reports import Report, Session, sign_all
from prime_perps.units import MID, WAD

STOCK = token(0)  # 18 decimals
SILENT = 128  # 8 decimals, returns nothing
HOSTILE = 129  # 18 decimals, does what it likes
FEE = 130  # 18 decimals, no fee yet
UNLISTED = 131

UNLIMITED = 2**256 - 1
CAP = 1_000_000  # whole tokens
FOREVER = 2**63
# In rising order of address.
SIGNERS = sorted((keccak(text="first"), keccak(text="second")), key=lambda key: int(Account.from_key(key).address, 16))


def address_of(role: str) -> str:
    return to_checksum_address(keccak(text=role)[12:])


@dataclass(frozen=True)
class Safe:
    """The vault, the clearinghouse behind it, its tokens by instrument, and everybody around it."""

    system: Deployment
    tokens: dict[int, Contract]
    issuer: str  # deploys the system and the devnet tokens, and owns these
    timelock: str  # stands in for the real one, which gave it its role
    guardian: str
    holder: str
    maker: str
    attacker: str
    receiver: str

    @property
    def backend(self) -> RevmBackend:
        backend = self.system.backend
        assert isinstance(backend, RevmBackend)
        return backend

    @property
    def vault(self) -> Contract:
        return self.system.vault

    @property
    def book(self) -> Contract:
        return self.system.clearinghouse

    @property
    def account(self) -> int:
        """The holder's."""
        return account_id(self.holder)

    def one(self, instrument: int) -> int:
        """One whole token in raw units."""
        decimals: int = self.vault.asset(instrument).decimals
        return int(10**decimals)

    def deposit(self, instrument: int, amount: int, sender: str = "", account: int = 0) -> Receipt:
        """`amount` raw units by the holder, for itself, unless said otherwise."""
        sender = sender or self.holder
        receipt: Receipt = self.vault.deposit(account or account_id(sender), instrument, amount, sender=sender)
        return receipt

    def withdraw(self, instrument: int, amount: int, sender: str = "", receiver: str = "", account: int = 0) -> Receipt:
        """`amount` raw units by the holder, from itself to itself, unless said otherwise."""
        sender = sender or self.holder
        account = account or account_id(sender)
        receipt: Receipt = self.vault.withdraw(account, instrument, amount, receiver or sender, sender=sender)
        return receipt

    def held(self, instrument: int, account: int = 0) -> int:
        """What the book says the account has, 18 decimals."""
        return int(self.book.holding(account or self.account, instrument))

    def balance(self, instrument: int, who: str = "") -> int:
        """What the token says somebody has, raw units; the safe, if nobody is named."""
        return int(self.tokens[instrument].balanceOf(who or self.vault.address))

    def booked(self, instrument: int) -> int:
        return int(self.vault.asset(instrument).booked)

    def allow(self, operator: str, permission: Permission) -> None:
        """Let somebody act for the holder's account."""
        self.system.operators.set_operator(self.account, operator, permission, FOREVER, sender=self.holder)

    def price_stock(self, usd: int) -> None:
        """What the stock token's underlying costs from now on."""
        report = Report(0, usd * MID, confidence=2, status=Session.REGULAR, observed_at=self.backend.timestamp())
        oracle = self.system.oracle
        signed = sign_all(report, SIGNERS, self.backend.chain_id(), oracle.address)
        oracle.submit([signed], sender=self.maker)

    def issuer_compliance(self) -> Contract:
        """The registry that the stock token asks."""
        return Contract.at(self.backend, "IssuerCompliance", self.tokens[STOCK].compliance())

    def book_expecting_next(self) -> Contract:
        """Another clearinghouse, whose vault is the next contract the attacker deploys."""
        system, attacker = self.system, self.attacker
        vault = deployment.create_address(attacker, self.backend.nonce(attacker) + 1)
        return Contract.deploy(
            self.backend,
            "PerpClearinghouse",
            *(system.oracle, system.model, system.operators, system.interest),
            *(vault, *[attacker] * 5),
            sender=attacker,
        )


def _parameters() -> dict[str, Any]:
    parameters: dict[str, Any] = json.loads((deployment.PARAMETERS / "local.json").read_text())
    signers = [Account.from_key(key).address for key in SIGNERS]
    parameters["governance"] |= {"guardian": address_of("guardian")}
    parameters["calendar"]["exchange"] = ""
    parameters["oracle"] |= {"signers": signers, "threshold": len(signers)}
    return parameters


def _name_timelock(system: Deployment, backend: RevmBackend, issuer: str, timelock: str) -> None:
    for contract in (system.vault, system.configurator):
        grant = (contract.grantRole, contract.TIMELOCK_ROLE(), timelock)
        system.schedule(*grant, sender=issuer)
        backend.warp(system.timelock.get_minimum_delay())
        system.execute(*grant, sender=issuer)


def _list_others(safe: Safe) -> None:
    decimals = {SILENT: 8, HOSTILE: 18, FEE: 18}
    for instrument, places in decimals.items():
        safe.system.configurator.list_other_token(instrument, 0, WAD, sender=safe.timelock)
        safe.vault.list_asset(instrument, safe.tokens[instrument], CAP * 10**places, sender=safe.timelock)


def deploy_safe(long_cash: bool = False) -> Safe:
    """With the devnet's stablecoin of 6 decimals as cash, or with a hostile token of 18."""
    backend, issuer = RevmBackend(), address_of("issuer")
    parameters = _parameters()
    if long_cash:
        parameters["cash"]["token"] = Contract.deploy(backend, "HostileToken", 18, sender=issuer).address
    system = deployment.deploy(backend, issuer, parameters)
    stock = system.underlyings[0].token
    assert stock is not None
    tokens = {
        CASH: system.cash,
        STOCK: stock,
        SILENT: Contract.deploy(backend, "SilentToken", sender=issuer),
        HOSTILE: Contract.deploy(backend, "HostileToken", 18, sender=issuer),
        FEE: Contract.deploy(backend, "FeeToken", 0, sender=issuer),
    }
    roles = ("timelock", "guardian", "holder", "maker", "attacker", "receiver")
    people = {role: address_of(role) for role in roles}
    _name_timelock(system, backend, issuer, people["timelock"])
    safe = Safe(system=system, tokens=tokens, issuer=issuer, **people)
    _list_others(safe)
    for instrument, listed in tokens.items():
        for owner in (safe.holder, safe.maker):
            listed.mint(owner, 1_000 * safe.one(instrument), sender=issuer)
            listed.approve(safe.vault, UNLIMITED, sender=owner)
    return safe


@pytest.fixture(scope="session")
def deployed() -> Safe:
    return deploy_safe()


@pytest.fixture
def safe(deployed: Safe) -> Iterator[Safe]:
    """Deployed once; every test starts from there."""
    point = deployed.backend.snapshot()
    yield deployed
    deployed.backend.restore(point)
