"""The whole system with people in it, and a look at everything that the invariants are about.

A look reads every account once; what is asserted about a step compares the look before it with the look after it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from functools import cache
from typing import Any

from prime_perps import deployment, risk
from prime_perps.accounts import CASH, token
from prime_perps.cash import Market
from prime_perps.chain.contract import Contract, Method, Receipt
from prime_perps.liquidation import liquidatable
from prime_perps.margin import Closure, Table
from prime_perps.reports import Word
from prime_perps.units import wad
from tests.stage import UNLIMITED, Stage, account, address, parameters

SYMBOLS = ("AAPL", "NVDA", "SPY")
STOCKS = ("AAPL", "NVDA")  # have a token
OTHER = 128  # a further issuer's token on NVDA
OTHER_ON = "NVDA"
OTHER_UNITS = wad("1.25")
OTHER_DECIMALS = 8
CASH_DECIMALS = 6
BOOK_DECIMALS = 18
CASH_UNIT = 10 ** (BOOK_DECIMALS - CASH_DECIMALS)

TRADERS = ("maker", "taker", "holder", "keeper", "rival")
KEEPERS = ("keeper", "rival")
# Who has cash at stake and never trades.
SAVER = "saver"
# Who may have holdings; the protocol's own accounts have nothing but cash.
OWNERS = (*TRADERS, SAVER, "attacker", "treasury")
INSURANCE, FEES = "insurance", "fees"

OPENING_CASH = {
    "maker": "5000000",
    "taker": "50000",
    "holder": "20000",
    "keeper": "1000000",
    "rival": "5000",  # a keeper who cannot bear much
    SAVER: "200000",
    "attacker": "10000",
}


class OneReporter(Stage):
    """Signatures are most of what a change of prices costs, and are not what this is about."""

    def reporters(self) -> list[bytes]:
        return super().reporters()[:1]


@dataclass(frozen=True)
class Sheet:
    """One account: its margin as the book tells it, and its holdings."""

    margin: Any
    shares: int  # of the cash market
    sizes: Mapping[str, int]  # nano
    tokens: Mapping[str, int]  # wad
    other: int  # wad
    cash_market: Market = field(compare=False)  # as of the look

    @property
    def liquidatable(self) -> bool:
        return liquidatable(self.margin)

    @property
    def holdings(self) -> tuple[Mapping[str, int], Mapping[str, int], int]:
        return self.sizes, self.tokens, self.other


@dataclass(frozen=True)
class Look:
    """Everything at one moment: accounts by role, markets and price words by symbol, and what the safe has."""

    time: int
    sheets: Mapping[str, Sheet]
    markets: Mapping[str, Any]
    words: Mapping[str, Word]
    closure: Closure
    settings: Any
    cash_market: Market
    booked: Mapping[int, int]  # raw units by instrument
    in_safe: Mapping[int, int]


@dataclass
class World:
    """The stage and its cast, and what has to be counted as it goes along."""

    stage: Stage
    other: Contract
    tables: tuple[Table, ...]
    table: int = 0
    settled: int = 0  # how often a position's funding was settled, each time rounded by less than a unit
    gifts: dict[int, int] = field(default_factory=dict)  # raw units sent to the safe past the book
    losses: int = 0  # wad, as told by events
    shared: int = 0  # wad of losses, taken from everybody's cash, as told by events

    @property
    def system(self) -> deployment.Deployment:
        return self.stage.system

    @property
    def book(self) -> Contract:
        return self.stage.system.clearinghouse

    @property
    def engine(self) -> Contract:
        return self.stage.system.engine

    def account(self, role: str) -> int:
        if role == INSURANCE:
            return int(self.book.insurance_account())
        if role == FEES:
            return int(self.book.fee_account())
        return account(role)

    def asset(self, instrument: int) -> Contract:
        """The token of an instrument."""
        if instrument == CASH:
            return self.system.cash
        if instrument == OTHER:
            return self.other
        held = self.system.underlyings[instrument - token(0)].token
        assert held is not None
        return held

    # acting

    def send(self, method: Method, *args: Any, role: str) -> Receipt:
        """Send as a role, and count what its events tell."""
        receipt: Receipt = method(*args, sender=address(role))
        self.count(receipt)
        return receipt

    def count(self, receipt: Receipt) -> None:
        for name, fields in self.book.events(receipt):
            if name == "Novated":
                self.settled += 2
            elif name == "SliceMoved":
                self.settled += 2 * len(fields["moved"])
            elif name == "PositionChanged":
                self.settled += 1
        told = [fields for name, fields in self.engine.events(receipt) if name == "LossRecorded"]
        self.losses += sum(fields["loss"] for fields in told)
        self.shared += sum(fields["socialised"] for fields in told)

    # looking

    def look(self) -> Look:
        words, closure = self.system.oracle.read([self.stage.id(symbol) for symbol in SYMBOLS])
        instruments = (CASH, OTHER, *(token(self.stage.id(symbol)) for symbol in STOCKS))
        vault, cash_market = self.system.vault, Market.unpack(self.book.cash_words()).at(self.stage.now())
        return Look(
            time=self.stage.now(),
            sheets={role: self.sheet(role, cash_market) for role in (*OWNERS, INSURANCE, FEES)},
            markets={symbol: self.book.market(self.stage.id(symbol)) for symbol in SYMBOLS},
            words={symbol: Word.unpack(word) for symbol, word in zip(SYMBOLS, words, strict=True)},
            closure=Closure(*closure),
            settings=self.book.settings(),
            cash_market=cash_market,
            booked={instrument: vault.asset(instrument).booked for instrument in instruments},
            in_safe={instrument: self.asset(instrument).balanceOf(vault) for instrument in instruments},
        )

    def sheet(self, role: str, cash_market: Market) -> Sheet:
        who = self.account(role)
        margin, shares = self.book.margin(who), self.book.cash_shares(who)
        if role not in OWNERS:
            return Sheet(margin, shares, dict.fromkeys(SYMBOLS, 0), dict.fromkeys(SYMBOLS, 0), 0, cash_market)
        lines = {symbol: self.book.position(who, self.stage.id(symbol)) for symbol in SYMBOLS}
        return Sheet(
            margin=margin,
            shares=shares,
            sizes={symbol: line.size for symbol, line in lines.items()},
            tokens={symbol: line.token for symbol, line in lines.items()},
            other=self.book.holding(who, OTHER),
            cash_market=cash_market,
        )


@contextmanager
def entered() -> Iterator[World]:
    """The world as it was in the beginning; whatever happens in it has not happened afterwards."""
    first = _built()
    with first.stage.undone():
        yield replace(first, gifts={})


@cache
def _built() -> World:
    given = parameters()
    # LQ-3 and LQ-4 have properties of their own: here takers keep all they gain, and nothing holds them up
    free = {"throttle_depth_bps": 1_000_000, "insurance_share_bps": 0}
    changed = {"oracle": given["oracle"] | {"threshold": 1}, "liquidation": given["liquidation"] | free}
    stage = OneReporter.deployed(changed)
    stage.prices = {symbol: stage.prices[symbol] for symbol in SYMBOLS}
    other = Contract.deploy(stage.backend, "SilentToken", sender=address("deployer"))
    stage.govern(stage.system.configurator.list_other_token, OTHER, stage.id(OTHER_ON), OTHER_UNITS)
    stage.govern(stage.system.vault.list_asset, OTHER, other, 10**6 * 10**OTHER_DECIMALS)
    built = World(stage, other, _tables())
    for role in OWNERS:
        _outfit(built, role)
    for role, dollars in OPENING_CASH.items():
        stage.fund(role, dollars)
    stage.fund_stock("holder", "AAPL", "300")
    stage.fund_stock("holder", "NVDA", "100")
    stage.fund_stock("attacker", "AAPL", "10")
    return built


def _tables() -> tuple[Table, ...]:
    """The table in force, and one in which every name alone can lose half as much again."""
    given = parameters()
    tiers = [entry["tier"] for entry in given["underlyings"]]
    calm = risk.load(deployment.PARAMETERS / given["risk"]).table(tiers)
    return calm, Table(calm.globals, [replace(line, iota=line.iota * 3 // 2) for line in calm.lines])


def _outfit(built: World, role: str) -> None:
    """Tokens of every kind in a role's own hands, and the vault allowed to take them."""
    for instrument in (CASH, OTHER, *(token(built.stage.id(symbol)) for symbol in STOCKS)):
        asset = built.asset(instrument)
        asset.mint(address(role), 10**6 * 10 ** asset.decimals(), sender=address("deployer"))
        asset.approve(built.system.vault, UNLIMITED, sender=address(role))
