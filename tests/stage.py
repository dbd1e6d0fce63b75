"""The whole system on the in-process EVM, with people on it: what unit, property and stateful tests stand on.

stage = Stage.deployed()
stage.publish(AAPL="150")
stage.fund("taker", "100000")
stage.trade("maker", "taker", "AAPL", "10")         the taker buys 10 at the index price
stage.margin("taker").equity
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

from eth_account import Account
from eth_utils import keccak
from vyper.compiler import compile_code
from vyper.compiler.input_bundle import FilesystemInputBundle
from vyper.compiler.settings import Settings

from prime_perps import compiler, deployment, orders, reports, sessions
from prime_perps.accounts import CASH, account_id, token
from prime_perps.chain.contract import Contract, Method, Receipt
from prime_perps.chain.revm import RevmBackend
from prime_perps.deployment import Deployment
from prime_perps.margin import Table
from prime_perps.orders import Basket, Leg, Order, SignedBasket, SignedOrder
from prime_perps.reports import Report, Session
from prime_perps.units import MID, nano, scaled, wad

PRICES = {"AAPL": "150", "IBM": "110", "MSFT": "25", "GOOG": "420", "NVDA": "140", "SPY": "125", "BTC": "60000"}
CONFIDENCE = 2  # bps; below every floor, so that the half-width of a fresh word is the floor
AN_HOUR = 3_600
RISK_RAMP = 90  # seconds instead of days, or every price would have to be renewed
UNLIMITED = 2**256 - 1


@cache
def key(role: str) -> bytes:
    """The private key of a role."""
    return keccak(text=f"prime-perps test: {role}")


@cache
def address(role: str) -> str:
    """The address of a role."""
    return str(Account.from_key(key(role)).address)


@cache
def account(role: str, sub: int = 0) -> int:
    """A role's account."""
    return account_id(address(role), sub)


def parameters() -> dict[str, Any]:
    """parameters/local.json with the stage's people in it, and an exchange that never shuts."""
    given: dict[str, Any] = json.loads((deployment.PARAMETERS / "local.json").read_text())
    given["governance"] |= {
        "proposers": [address("governor")],
        "executors": [address("governor")],
        "guardian": address("guardian"),
        "calendar": address("calendar keeper"),
    }
    given["calendar"]["exchange"] = ""
    given["oracle"]["signers"] = [address(f"reporter {number}") for number in range(3)]
    given["treasury"] = address("treasury")
    given["risk_ramp"] = RISK_RAMP
    return given


def deployed_source(backend: RevmBackend, path: Path, sender: str) -> Contract:
    """A contract that stands beside the test it is for, without constructor arguments."""
    built = compile_code(
        path.read_text(),
        output_formats=["abi", "bytecode"],
        input_bundle=FilesystemInputBundle([compiler.ROOT]),
        settings=Settings(evm_version=compiler.EVM_VERSION),
    )
    code = bytes.fromhex(built["bytecode"].removeprefix("0x"))
    return Contract(backend, backend.create(code, sender), built["abi"], path.stem)


@dataclass
class Stage:
    """The deployed system, its clock and its people."""

    system: Deployment
    prices: dict[str, str] = field(default_factory=lambda: dict(PRICES))
    sessions: dict[str, Session] = field(default_factory=dict)
    nonce: int = 0

    @classmethod
    def deployed(cls, changed: dict[str, Any] | None = None) -> Stage:
        """A new chain with the system on it and fresh prices."""
        stage = cls(deployment.deploy(RevmBackend(), address("deployer"), parameters() | (changed or {})))
        stage.publish()
        return stage

    @classmethod
    def opened(cls, start: int, days: int = 380) -> Stage:
        """The same from a chosen time on, by the calendar of the exchange."""
        given = parameters() | {"calendar": {"exchange": sessions.EXCHANGE, "days": days}}
        stage = cls(deployment.deploy(RevmBackend(start), address("deployer"), given))
        stage.publish()
        return stage

    @property
    def backend(self) -> RevmBackend:
        assert isinstance(self.system.backend, RevmBackend)
        return self.system.backend

    @contextmanager
    def undone(self) -> Iterator[Stage]:
        """Whatever happens inside has not happened afterwards."""
        point, prices, sessions, nonce = self.backend.snapshot(), dict(self.prices), dict(self.sessions), self.nonce
        try:
            yield self
        finally:
            self.backend.restore(point)
            self.prices, self.sessions, self.nonce = prices, sessions, nonce

    def id(self, symbol: str) -> int:
        return self.system.underlying(symbol).id

    def now(self) -> int:
        return self.backend.timestamp()

    def warp(self, seconds: int) -> None:
        self.backend.warp(seconds)

    def close(self, hours: int = 48) -> None:
        """To the first second of an unscheduled closure."""
        start = self.now() + sessions.RAMP
        self.oracle.add_closure(start, start + hours * AN_HOUR, sender=address("guardian"))
        self.warp(sessions.RAMP)

    # prices

    def publish(self, **changed: str) -> Receipt:
        """Reports of every price a second later, signed by two of three reporters; `changed` in USD by symbol."""
        self.prices |= changed
        self.warp(1)
        signed = [reports.sign_all(self.report(s), self.reporters(), 1, self.oracle.address) for s in self.prices]
        return self.oracle.submit(signed, sender=address("keeper"))

    def reporters(self) -> list[bytes]:
        return [key("reporter 0"), key("reporter 1")]

    def settle_slow_prices(self) -> None:
        """Let the slow prices come down, or up, to those published: fifteen hours."""
        for _ in range(3):
            self.warp(5 * AN_HOUR)
            self.publish()

    def report(self, symbol: str) -> Report:
        """The current price of one underlying as a report."""
        usual = Session.ALWAYS_OPEN if symbol == "BTC" else Session.REGULAR
        session = self.sessions.get(symbol, usual)
        return Report(self.id(symbol), scaled(self.prices[symbol], MID), CONFIDENCE, session, self.now())

    @property
    def oracle(self) -> Contract:
        return self.system.oracle

    def index(self, symbol: str) -> int:
        """The published price, wad."""
        return wad(self.prices[symbol])

    # money

    def fund(self, role: str, dollars: str, sub: int = 0) -> Receipt:
        """Mint stablecoin for a role and deposit it."""
        amount = scaled(dollars, 10**6)
        self.system.cash.mint(address(role), amount, sender=address("deployer"))
        self.system.cash.approve(self.system.vault, UNLIMITED, sender=address(role))
        return self.system.vault.deposit(account(role, sub), CASH, amount, sender=address(role))

    def fund_stock(self, role: str, symbol: str, amount: str) -> Receipt:
        """Mint stock tokens for a role and deposit them."""
        held = self.system.underlying(symbol).token
        assert held is not None, f"{symbol} has no token"
        held.mint(address(role), wad(amount), sender=address("deployer"))
        held.approve(self.system.vault, UNLIMITED, sender=address(role))
        return self.system.vault.deposit(account(role), token(self.id(symbol)), wad(amount), sender=address(role))

    def withdraw(self, role: str, dollars: str) -> Receipt:
        """Stablecoin back to the role."""
        amount = scaled(dollars, 10**6)
        return self.system.vault.withdraw(account(role), CASH, amount, address(role), sender=address(role))

    # trading

    def order(self, role: str, symbol: str, size: str, price: str | None = None, **changed: Any) -> SignedOrder:
        """A signed order; `size` in units, negative to sell; `price` in USD, the index price if not given."""
        self.nonce += 1
        fields = {
            "account": account(role),
            "market": self.id(symbol),
            "size": nano(size),
            "price": wad(price or self.prices[symbol]),
            "nonce": self.nonce,
            "expiry": self.now() + AN_HOUR,
        }
        return self.signed(role, Order(**(fields | changed)))

    def signed(self, role: str, order: Order) -> SignedOrder:
        return orders.sign(order, key(role), self.backend.chain_id(), self.system.exchange.address)

    def basket(self, role: str, legs: dict[str, str], prices: dict[str, str] | None = None, **any: Any) -> SignedBasket:
        """A signed basket; `legs` are units by symbol, `prices` in USD, the index price where none is given."""
        self.nonce += 1
        given = self.prices | (prices or {})
        sizes = sorted((self.id(symbol), nano(size), wad(given[symbol])) for symbol, size in legs.items())
        fields = {
            "account": account(role),
            "legs": tuple(Leg(*leg) for leg in sizes),
            "nonce": self.nonce,
            "expiry": self.now() + AN_HOUR,
        }
        return self.signed_basket(role, Basket(**(fields | any)))

    def signed_basket(self, role: str, basket: Basket) -> SignedBasket:
        return orders.sign_basket(basket, key(role), self.backend.chain_id(), self.system.exchange.address)

    def trade(self, maker: str, taker: str, symbol: str, size: str, price: str | None = None) -> Receipt:
        """The taker fills an order of the maker's: `size` in units, negative when the taker sells."""
        opposite = size[1:] if size.startswith("-") else f"-{size}"
        order = self.order(maker, symbol, opposite, price)
        limit = 0 if size.startswith("-") else UNLIMITED
        return self.system.exchange.fill(order, account(taker), nano(size), limit, sender=address(taker))

    # looking

    def margin(self, role: str) -> Any:
        return self.system.clearinghouse.margin(account(role))

    def money(self, role: str) -> Any:
        return self.system.clearinghouse.money(account(role))

    def position(self, role: str, symbol: str) -> Any:
        return self.system.clearinghouse.position(account(role), self.id(symbol))

    # governance

    def use_table(self, table: Table) -> None:
        """Another risk table, through the timelock, and wait until it is wholly in force."""
        system = self.system
        starts = self.now() + int(system.timelock.get_minimum_delay())
        receipt = system.models.make(table.globals, table.lines, system.model, starts, sender=address("governor"))
        ((_, fields),) = system.models.events(receipt)
        self.govern(system.configurator.set_model, fields["model"])
        self.warp(starts + RISK_RAMP - self.now())
        self.publish()

    def govern(self, method: Method, *args: Any) -> Receipt:
        """What only the timelock may do, through the timelock; prices are renewed after its delay."""
        salt = self.now().to_bytes(32, "big")
        self.system.schedule(method, *args, sender=address("governor"), salt=salt)
        self.warp(int(self.system.timelock.get_minimum_delay()))
        receipt = self.system.execute(method, *args, sender=address("governor"), salt=salt)
        self.publish()
        return receipt
