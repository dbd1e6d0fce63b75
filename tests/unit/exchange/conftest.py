"""The exchange in the whole system: people with money and keys to sign with, and a wallet that is a contract."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from enum import IntFlag
from pathlib import Path
from typing import Any

import pytest

from prime_perps import orders
from prime_perps.accounts import CASH, account_id
from prime_perps.chain import Contract, Receipt
from prime_perps.orders import Basket, Fill, Order, SignedBasket, SignedOrder
from prime_perps.units import WAD, nano, scaled
from tests.stage import UNLIMITED, Stage, account, address, deployed_source

DOLLARS = "100000"  # what everybody has
FOREVER = 2**63
WHOLE = "10"  # units, the size of most orders
PAIR = {"AAPL": "10", "IBM": "-20"}  # units, the legs of most baskets
DEAR = 2**255 - 1  # a cost that nobody minds
CURVE_ORDER = 0xFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFEBAAEDCE6AF48A03BBFD25E8CD0364141


class Answer(IntFlag):
    """ContractSigner's, in its order."""

    HONEST = 1
    NO = 2
    YES = 4
    YES_AND_MORE = 8
    DIRTY = 16
    SHORT = 32
    NOTHING = 64
    REVERT = 128
    BURN = 256


def taker_fee(notional: int) -> int:
    """What a taker pays on trades of so many USD: 4 bps of the parameters, wad."""
    return notional * WAD * 4 // 10_000


@dataclass
class Floor:
    """Where orders are signed, filled and crossed."""

    stage: Stage

    @property
    def exchange(self) -> Contract:
        return self.stage.system.exchange

    @property
    def book(self) -> Contract:
        return self.stage.system.clearinghouse

    def order(self, role: str = "maker", size: str = f"-{WHOLE}", price: str | None = None, **changed: Any) -> Order:
        """An order nobody has signed yet; the maker sells 10 AAPL at the index price unless told otherwise."""
        return self.stage.order(role, "AAPL", size, price, **changed).order

    def signed(self, role: str = "maker", size: str = f"-{WHOLE}", price: str | None = None, **any: Any) -> SignedOrder:
        """The same, signed by the role."""
        return self.stage.order(role, "AAPL", size, price, **any)

    def by(self, role: str, order: Order) -> SignedOrder:
        """Anybody's order, signed by the role."""
        return self.stage.signed(role, order)

    def fill(
        self,
        maker: SignedOrder,
        size: str | int = WHOLE,
        limit: int | None = None,
        taker: str = "taker",
        sender: str = "",
        number: int = 0,
    ) -> Receipt:
        """Take units, or nano if a whole number, at whatever price it is."""
        amount = nano(size) if isinstance(size, str) else size
        worst = limit if limit is not None else (UNLIMITED if amount > 0 else 0)
        who = address(sender or taker)
        return self.exchange.fill(maker, number or account(taker), amount, worst, sender=who)

    def fill_many(self, *fills: Fill, taker: str = "taker", sender: str = "") -> Receipt:
        return self.exchange.fill_many(list(fills), account(taker), sender=address(sender or taker))

    def take(self, symbol: str, size: str, role: str = "maker", price: str | None = None, **any: Any) -> Fill:
        """One of many: units, negative to sell, out of an order of just this size, at whatever price it is."""
        opposite = size[1:] if size.startswith("-") else f"-{size}"
        limit = 0 if size.startswith("-") else UNLIMITED
        return Fill(self.stage.order(role, symbol, opposite, price, **any), nano(size), limit)

    def basket(self, role: str = "maker", legs: dict[str, str] | None = None, **any: Any) -> SignedBasket:
        """The maker buys 10 AAPL and sells 20 IBM at the index prices unless told otherwise."""
        return self.stage.basket(role, legs or PAIR, **any)

    def fill_basket(
        self,
        maker: SignedBasket,
        fraction: int = WAD,
        max_cost: int = DEAR,
        taker: str = "taker",
        sender: str = "",
    ) -> Receipt:
        arguments = (maker, account(taker), fraction, max_cost)
        return self.exchange.fill_basket(*arguments, sender=address(sender or taker))

    def sizes(self, role: str = "taker", symbols: Sequence[str] = ("AAPL", "IBM")) -> tuple[int, ...]:
        return tuple(self.stage.position(role, symbol).size for symbol in symbols)

    def basket_filled(self, signed: SignedBasket) -> int:
        return int(self.exchange.basket_filled(signed.basket))

    def match(self, maker: SignedOrder, taker: SignedOrder, size: str | int = WHOLE, sender: str = "keeper") -> Receipt:
        amount = nano(size) if isinstance(size, str) else size
        return self.exchange.match_orders(maker, taker, amount, sender=address(sender))

    def size(self, role: str = "taker") -> int:
        return int(self.stage.position(role, "AAPL").size)

    def filled(self, signed: SignedOrder) -> int:
        return int(self.exchange.filled(signed.order))

    def allow(self, owner: str, operator: str, permissions: int, expiry: int = FOREVER) -> None:
        """Let an operator, a role or an address, act for the owner."""
        who = operator if operator.startswith("0x") else address(operator)
        self.stage.system.operators.set_operator(account(owner), who, permissions, expiry, sender=address(owner))


@dataclass
class Wallet:
    """A contract that owns an account with money, and a role whose key it signs with."""

    floor: Floor
    contract: Contract
    owner: str = "holder"

    @property
    def account(self) -> int:
        return account_id(self.contract.address)

    def call(self, target: Contract, data: bytes) -> Receipt:
        return self.contract.call(target, data, sender=address(self.owner))

    def answer(self, answer: Answer) -> None:
        self.contract.set_answer(answer, sender=address(self.owner))

    def signed(self, role: str = "", **changed: Any) -> SignedOrder:
        """An order of the wallet's account with the owner's, or somebody else's, signature."""
        order = self.floor.order(account=self.account, **changed)
        return replace(self.floor.by(role or self.owner, order), signer=self.contract.address)

    def signed_basket(self, role: str = "", **changed: Any) -> SignedBasket:
        """The same of a basket."""
        basket = self.floor.basket(account=self.account, **changed).basket
        signed = self.floor.stage.signed_basket(role or self.owner, basket)
        return replace(signed, signer=self.contract.address)


@dataclass
class Reenterer:
    """A contract that owns an account with money, and calls somewhere when asked about a signature."""

    floor: Floor
    contract: Contract

    @property
    def account(self) -> int:
        return account_id(self.contract.address)

    def on_asked(self, target: Contract, data: bytes, insist: bool) -> None:
        """Sign only if the call succeeds, or whatever becomes of it."""
        self.contract.on_asked(target, data, insist, sender=address("attacker"))

    def order(self, size: str = f"-{WHOLE}") -> SignedOrder:
        order = self.floor.order(account=self.account, size=size)
        return SignedOrder(order, self.contract.address, b"")

    def basket(self, **changed: Any) -> SignedBasket:
        basket = self.floor.basket(account=self.account, **changed).basket
        return SignedBasket(basket, self.contract.address, b"")


def deployed_reenterer(floor: Floor) -> Reenterer:
    """With as much money as everybody."""
    system, attacker = floor.stage.system, address("attacker")
    source = Path(__file__).with_name("reentering_signer.vy")
    made = Reenterer(floor, deployed_source(floor.stage.backend, source, attacker))
    amount = scaled(DOLLARS, 10**6)
    system.cash.mint(made.contract, amount, sender=address("deployer"))
    for target, data in (
        (system.cash, system.cash.approve.encode(system.vault, amount)),
        (system.vault, system.vault.deposit.encode(made.account, CASH, amount)),
    ):
        made.contract.call(target, data, sender=attacker)
    return made


def deployed_wallet(floor: Floor) -> Wallet:
    """With as much money as everybody."""
    system, owner = floor.stage.system, address("holder")
    wallet = Wallet(floor, Contract.deploy(floor.stage.backend, "ContractSigner", sender=owner))
    amount = scaled(DOLLARS, 10**6)
    system.cash.mint(wallet.contract, amount, sender=address("deployer"))
    wallet.call(system.cash, system.cash.approve.encode(system.vault, amount))
    wallet.call(system.vault, system.vault.deposit.encode(wallet.account, CASH, amount))
    return wallet


def resigned(signed: SignedOrder, signature: bytes) -> SignedOrder:
    return replace(signed, signature=signature)


def digest(floor: Floor, agreed: Order | Basket) -> bytes:
    return orders.digest(agreed, floor.stage.backend.chain_id(), floor.exchange.address)


@pytest.fixture(scope="session")
def _deployed() -> Floor:
    floor = Floor(Stage.deployed())
    for role in ("maker", "taker", "holder"):
        floor.stage.fund(role, DOLLARS)
    return floor


@pytest.fixture
def floor(_deployed: Floor) -> Iterator[Floor]:
    """Deployed once; every test starts from there."""
    with _deployed.stage.undone():
        yield _deployed


@pytest.fixture
def wallet(floor: Floor) -> Wallet:
    return deployed_wallet(floor)


@pytest.fixture
def reenterer(floor: Floor) -> Reenterer:
    return deployed_reenterer(floor)
