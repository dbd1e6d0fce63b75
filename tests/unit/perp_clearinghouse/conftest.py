"""The book with the real oracle and the real model behind it, called by its partners.

Vault, exchange, engine and configurator are plain addresses here, so that each function is tested for everything a
partner could ask, to the wei and past what the real one lets through. The whole system together is tested in the
directories of the partners, under tests/property and tests/integration.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest

from prime_perps import cash, funding
from prime_perps.accounts import CASH, token
from prime_perps.chain import Contract, Receipt
from prime_perps.margin import Closure, Exposure
from prime_perps.reports import Word, eventful
from prime_perps.units import MID, nano, wad
from tests.stage import Stage, account, address, parameters

FOREVER = 2**63
UNDERLYINGS = 63  # as many as have a risk line; the first seven have a price and a market


@dataclass
class Book:
    """The clearinghouse, whoever may call it, and how to look at it. Amounts are in the book's own units."""

    stage: Stage
    contract: Contract

    # as its partners call it

    def pay(self, role: str, dollars: str | int, sub: int = 0) -> Receipt:
        """Cash paid in: USD, or wei if a whole number."""
        amount = wad(dollars) if isinstance(dollars, str) else dollars
        return self.credit(account(role, sub), CASH, amount, role)

    def pay_stock(self, role: str, symbol: str, amount: str | int) -> Receipt:
        """Tokens of the primary issuer paid in: whole ones, or wei if a whole number."""
        held = wad(amount) if isinstance(amount, str) else amount
        return self.credit(account(role), token(self.stage.id(symbol)), held, role)

    def credit(self, number: int, instrument: int, amount: int, sender: str) -> Receipt:
        return self.contract.credit(number, instrument, amount, address(sender), sender=address("vault"))

    def debit(self, number: int, instrument: int, amount: int, sender: str) -> Receipt:
        return self.contract.debit(number, instrument, amount, address(sender), sender=address("vault"))

    def novate(
        self,
        size: str | int,
        price: str | int | None = None,
        symbol: str = "AAPL",
        maker: str = "maker",
        taker: str = "taker",
        maker_reduces: bool = False,
        taker_reduces: bool = False,
    ) -> Receipt:
        """A trade agreed to. Strings are units and USD, whole numbers nano and wad; no price is the index price."""
        price = self.stage.prices[symbol] if price is None else price
        trade = (
            self.stage.id(symbol),
            account(maker),
            account(taker),
            nano(size) if isinstance(size, str) else size,
            wad(price) if isinstance(price, str) else price,
            maker_reduces,
            taker_reduces,
        )
        return self.contract.novate(trade, sender=address("exchange"))

    def move_slice(self, fraction: int, payment: int = 0, role: str = "holder", receiver: str = "keeper") -> Receipt:
        """A slice of the holder sold to the keeper."""
        parties = account(role), account(receiver)
        return self.contract.move_slice(*parties, fraction, payment, address(receiver), sender=address("engine"))

    def move_cash(self, payer: int, receiver: int, amount: int) -> Receipt:
        return self.contract.move_cash(payer, receiver, amount, sender=address("engine"))

    def set_market(self, number: int, cap: int, band: int, depth: int, reduce_only: bool = False) -> Receipt:
        return self.contract.store_market(number, cap, band, depth, reduce_only, sender=address("configurator"))

    def list_other_token(self, instrument: int, underlying: int, units: int) -> Receipt:
        return self.contract.store_other_token(instrument, underlying, units, sender=address("configurator"))

    def set_fees(self, maker: int, taker: int, share: int) -> Receipt:
        settings = self.contract.settings()
        return self.store(settings.model, maker, taker, share, settings.paused)

    def pause(self, paused: int) -> Receipt:
        """Bits: 1 trading, 2 withdrawals, 4 liquidation."""
        return self.store(*self.contract.settings()[:-1], paused)

    def store(self, *settings: str | int) -> Receipt:
        """Model, fees, insurance's share, what is paused."""
        return self.contract.store_settings(settings, sender=address("configurator"))

    def set_treasury(self, number: int) -> Receipt:
        return self.contract.store_treasury(number, sender=address("configurator"))

    def leave(self, role: str, equity: int) -> None:
        """Take cash away, margin or not, until this much equity is left (wad, at the prices published), to a wei."""
        self.move_cash(account(role), account("nobody"), self.margin(role).equity - equity)

    # looking

    def margin(self, role: str) -> Any:
        return self.contract.margin(account(role))

    def cash(self, role: str) -> int:
        return int(self.contract.money(account(role)).cash)

    def quote(self, role: str) -> int:
        return int(self.contract.money(account(role)).quote)

    def position(self, role: str, symbol: str = "AAPL") -> Any:
        return self.contract.position(account(role), self.stage.id(symbol))

    def size(self, role: str, symbol: str = "AAPL") -> int:
        return int(self.position(role, symbol).size)

    def cash_market(self) -> cash.Market:
        """As of now."""
        return cash.Market.unpack(self.contract.cash_words()).at(self.stage.now())

    def shares(self, role: str) -> int:
        return int(self.contract.cash_shares(account(role)))

    def market(self, symbol: str = "AAPL") -> Any:
        return self.contract.market(self.stage.id(symbol))

    def funding_index(self, symbol: str = "AAPL") -> int:
        """As of now, at the published price."""
        market = self.market(symbol)
        since = self.stage.now() - market.funding_time
        return int(market.funding_index) + funding.charged(market.funding_rate, self.word(symbol).mid, since)

    def fees(self) -> int:
        """What the fee account has: fees are quote until they are shared."""
        return sum(self.contract.money(self.contract.fee_account()))

    def insurance(self) -> int:
        """Cash of the insurance account."""
        return int(self.contract.money(self.contract.insurance_account()).cash)

    def total(self, *roles: str) -> int:
        """Cash and quote of these people and of the book's own accounts: what a trade among them may not change."""
        own = (self.contract.fee_account(), self.contract.insurance_account())
        return sum(sum(self.contract.money(number)) for number in (*map(account, roles), *own))

    def word(self, symbol: str) -> Word:
        """The price word as the book reads it now."""
        words, _ = self.stage.oracle.read([self.stage.id(symbol)])
        return Word.unpack(words[0])

    def exposure(self, symbol: str, size: int = 0, tokens: int = 0, units: int = 0) -> Exposure:
        """What the book must tell the model about a perp (nano), primary tokens (wad) and units in others (wad)."""
        word = self.word(symbol)
        return Exposure(
            underlying=self.stage.id(symbol),
            token=tokens * word.mid // MID,
            other=units * word.mid // MID,
            perp=size * word.mid * 10,
            width=word.half_width,
            eventful=eventful(word.flags),
        )

    def requirements(self, *exposures: Exposure, debt: int = 0, shut: int = 0) -> tuple[int, int]:
        """Maintenance and initial margin, straight from the model."""
        maintenance, initial = self.stage.system.model.requirements(list(exposures), Closure(shut, shut), debt)
        return maintenance, initial

    # people

    def allow(self, owner: str, operator: str, permissions: int, expiry: int = FOREVER) -> Receipt:
        register = self.stage.system.operators
        return register.set_operator(account(owner), address(operator), permissions, expiry, sender=address(owner))


def toward_zero(numerator: int, denominator: int) -> int:
    """Signed division as the EVM does it."""
    quotient = abs(numerator) // abs(denominator)
    return quotient if (numerator < 0) == (denominator < 0) else -quotient


def deploy(stage: Stage, model: str = "", oracle: str = "") -> Contract:
    """A book of the deployer's, on the stage's oracle and model."""
    partners = [address(role) for role in ("vault", "exchange", "engine", "configurator", "batcher", "gateway")]
    parts = stage.system.operators, stage.system.interest
    sources = oracle or stage.oracle.address, model or stage.system.model.address, *parts
    return Contract.deploy(stage.backend, "PerpClearinghouse", *sources, *partners, sender=address("deployer"))


def configured(stage: Stage, oracle: str = "") -> Book:
    """With the fees and markets of the stage's parameters."""
    book, given = Book(stage, deploy(stage, oracle=oracle)), parameters()
    fees = given["fees"]
    book.set_fees(fees["maker_pips"], fees["taker_pips"], fees["insurance_bps"])
    book.set_treasury(account("treasury"))
    for number, entry in enumerate(given["underlyings"]):
        limits = entry["market"]
        cap = nano(limits["open_interest_cap"])
        book.set_market(number, cap, limits["band_bps"], limits["funding_depth"])
    return book


def many_underlyings() -> dict[str, Any]:
    """The usual ones, and more that have a risk line and nothing else."""
    usual = parameters()["underlyings"]
    return {"underlyings": usual + [{"symbol": f"X{n}", "tier": "T1"} for n in range(len(usual), UNDERLYINGS)]}


@pytest.fixture(scope="session")
def _configured() -> Book:
    return configured(Stage.deployed(many_underlyings()))


@pytest.fixture
def empty_book(_configured: Book) -> Iterator[Book]:
    """Deployed once; every test starts from there."""
    with _configured.stage.undone():
        yield _configured


@pytest.fixture
def stage(empty_book: Book) -> Stage:
    return empty_book.stage


@pytest.fixture
def book(empty_book: Book) -> Book:
    """With a maker and a taker who have 100,000 each."""
    for role in ("maker", "taker"):
        empty_book.pay(role, "100000")
    return empty_book
