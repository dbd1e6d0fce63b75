"""A fresh chain for every test, actors named after what they do, and the issuer's desk."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from eth_account import Account
from eth_utils import keccak, to_checksum_address

from prime_perps.chain import Contract, Receipt
from prime_perps.chain.revm import RevmBackend
from prime_perps.issuer.deployment import Issuer, Terms, deploy_issuer
from prime_perps.issuer.quotes import Quote, Side, sign
from prime_perps.units import WAD

COIN = 10**6
UNLIMITED = 2**256 - 1
NEW_YORK = ZoneInfo("America/New_York")
PRICE = 180 * WAD
SIGNER_KEY = keccak(text="signer")
USER = keccak(text="holder's id")
STRANGER = keccak(text="attacker's id")


def actor(role: str) -> str:
    return to_checksum_address(keccak(text=role)[12:])


def new_york(wall: str) -> int:
    """Unix seconds of a wall clock in New York, as `2026-07-17 20:00:00`."""
    return int(datetime.fromisoformat(wall).replace(tzinfo=NEW_YORK).timestamp())


@dataclass
class Desk:
    """An issuer with two stocks, and a registered holder with both dollars, some stock and every approval."""

    backend: RevmBackend
    issuer: Issuer
    operator: str
    holder: str

    @property
    def manager(self) -> Contract:
        return self.issuer.manager

    @property
    def stock(self) -> Contract:
        return self.issuer.tokens[0]

    @property
    def usdon(self) -> Contract:
        return self.issuer.usdon

    @property
    def coin(self) -> Contract:
        return self.issuer.coin

    def quote(self, side: Side = Side.BUY, **changed: Any) -> Quote:
        """Ten tokens at 180 USD for a minute, for the holder."""
        quote = Quote(
            chain_id=self.backend.chain_id(),
            attestation_id=1,
            user_id=USER,
            asset=self.stock.address,
            price=PRICE,
            quantity=10 * WAD,
            expiration=self.backend.timestamp() + 60,
            side=side,
        )
        return replace(quote, **changed)

    def sign(self, quote: Quote, key: bytes = SIGNER_KEY) -> bytes:
        return sign(quote, key, self.manager.address)

    def mint(
        self,
        quote: Quote,
        signature: bytes | None = None,
        token: Contract | str | None = None,
        amount: int = 0,
        sender: str | None = None,
    ) -> Receipt:
        """Of the issuer's dollar unless a token is named."""
        signed = self.sign(quote) if signature is None else signature
        send = self.manager.mintWithAttestation.send
        return send(quote, signed, token or self.usdon, amount, sender=sender or self.holder)

    def redeem(
        self,
        quote: Quote,
        signature: bytes | None = None,
        token: Contract | str | None = None,
        minimum: int = 0,
        sender: str | None = None,
    ) -> Receipt:
        """Into the issuer's dollar unless a token is named."""
        signed = self.sign(quote) if signature is None else signature
        send = self.manager.redeemWithAttestation.send
        return send(quote, signed, token or self.usdon, minimum, sender=sender or self.holder)

    def act(self, quote: Quote, signature: bytes | None = None, **how: Any) -> Receipt:
        """What the quote's side says."""
        return (self.mint if quote.side == Side.BUY else self.redeem)(quote, signature, **how)

    def balances(self, account: str | None = None) -> tuple[int, int, int]:
        """(stock, issuer's dollar, coin) of the holder."""
        who = account or self.holder
        return self.stock.balanceOf(who), self.usdon.balanceOf(who), self.coin.balanceOf(who)

    def at(self, wall: str) -> None:
        """Go on to a wall clock in New York."""
        self.backend.warp(new_york(wall) - self.backend.timestamp())

    def post(self, price: int = PRICE) -> None:
        """The issuer's rough price, as of now."""
        self.issuer.prices.post_price(self.stock, price, sender=self.operator)


@pytest.fixture
def backend() -> RevmBackend:
    return RevmBackend()


@pytest.fixture
def issuer() -> str:
    """Deploys and owns the tokens."""
    return actor("issuer")


@pytest.fixture
def holder() -> str:
    return actor("holder")


@pytest.fixture
def receiver() -> str:
    return actor("receiver")


@pytest.fixture
def spender() -> str:
    """Moves other people's tokens by allowance, as a vault does."""
    return actor("spender")


@pytest.fixture
def attacker() -> str:
    return actor("attacker")


@pytest.fixture
def desk(backend: RevmBackend, issuer: str, holder: str) -> Desk:
    return open_desk(backend, issuer, holder)


def open_desk(backend: RevmBackend, operator: str, holder: str, terms: Terms | None = None) -> Desk:
    """Prices are posted; the holder has 1,000 tokens and a million of either dollar."""
    coin = Contract.deploy(backend, "Stablecoin", sender=operator)
    compliance = Contract.deploy(backend, "IssuerCompliance", sender=operator)
    tokens = [
        Contract.deploy(backend, "StockToken", f"{symbol} token", f"{symbol}on", compliance, sender=operator)
        for symbol in ("NVDA", "AAPL")
    ]
    signer = Account.from_key(SIGNER_KEY).address
    issuer = deploy_issuer(backend, operator, coin, tokens, [signer], terms)
    issuer.register(holder, USER, sender=operator)
    coin.mint(holder, 1_000_000 * COIN, sender=operator)
    issuer.usdon.mint(holder, 1_000_000 * WAD, sender=operator)
    for token in tokens:
        issuer.prices.post_price(token, PRICE, sender=operator)
        token.mint(holder, 1_000 * WAD, sender=operator)
        token.approve(issuer.in_kind, UNLIMITED, sender=holder)
    for approved in (coin, issuer.usdon, *tokens):
        approved.approve(issuer.manager, UNLIMITED, sender=holder)
    return Desk(backend, issuer, operator, holder)
