"""Prices in doubt in every way there is, each brought about on the deployed system as it would come about by itself."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from decimal import Decimal
from functools import cache

from hypothesis import strategies as st

from prime_perps import deployment, risk, sessions
from prime_perps.chain.contract import Contract
from prime_perps.chain.revm import RevmBackend
from prime_perps.margin import Table
from prime_perps.reports import Feed, Session, Source, Word
from prime_perps.units import MID, NANO, WAD
from tests.stage import UNLIMITED, Stage, account, address, parameters

from .world import OneReporter

MARKETS = ("AAPL", "NVDA", "SPY", "BTC")
STOCKS = ("AAPL", "NVDA")  # have a token that the holder has deposited
UNPRICED = "IBM"  # has a token, and never had a price
JUMP = 1_000  # bps
WAYS = ("old", "halted", "closed", "unknown", "paused", "jumped", "reopening")

ages = st.one_of(st.sampled_from((70, 600, 7_200)), st.integers(70, 30 * 86_400))
LARGEST = (200, 200, 300, Decimal("0.3"))  # units, by market
# which side each line is on: one for all, or any, with lines left out
directions = st.one_of(
    st.sampled_from(((1,) * 4, (-1,) * 4)),
    st.tuples(*[st.sampled_from((-1, 0, 1))] * 4),
)
magnitudes = st.tuples(*[st.integers(20, 100)] * 4)  # percent of the largest
books = st.tuples(directions, magnitudes).map(
    lambda drawn: tuple(
        sign * int(most * NANO) * percent // 100
        for sign, most, percent in zip(drawn[0], LARGEST, drawn[1], strict=True)
    )
)


@dataclass
class Scene:
    """A maker with money, and a holder of tokens and perps who owes as much as he was let."""

    stage: Stage
    issued: Mapping[str, Contract]  # what the issuer of each underlying pauses
    table: Table

    def word(self, symbol: str) -> Word:
        """As `read` returns it now."""
        words, _ = self.stage.oracle.read([self.stage.id(symbol)])
        return Word.unpack(words[0])

    def index(self, symbol: str) -> Decimal:
        """USD."""
        return Decimal(self.word(symbol).mid) / MID

    def fill(self, taker: str, symbol: str, size: int) -> None:
        """`size` in nano, signed for the taker, at the index price, from the maker."""
        stage = self.stage
        order = stage.order("maker", symbol, str(Decimal(-size) / NANO), str(self.index(symbol)))
        limit = 0 if size < 0 else UNLIMITED
        stage.system.exchange.fill(order, account(taker), size, limit, sender=address(taker))

    def borrow(self, part: int) -> None:
        """Take out the given part of what initial margin leaves the holder, percent."""
        margin = self.stage.margin("holder")
        # borrowing itself asks for 72 hours of interest, and all that it can round
        free = (margin.equity - margin.initial) * part // 100 * 995 // 1_000
        if free > 10**12:
            self.stage.withdraw("holder", str(Decimal(free) / WAD))

    def move(self, percents: tuple[int, ...]) -> None:
        """Fresh prices, moved within the jump guard."""
        moved = {
            symbol: Decimal(self.stage.prices[symbol]) * (100 + percent) / 100
            for symbol, percent in zip(MARKETS, percents, strict=True)
        }
        self.stage.publish(**{symbol: str(price) for symbol, price in moved.items()})

    def doubt(self, ways: Mapping[str, str], age: int) -> None:
        """Put each of these underlyings in doubt its own way, `age` seconds ago; all others are fresh in the end."""
        stage = self.stage
        those = {way: [symbol for symbol, its in ways.items() if its == way] for way in WAYS}
        stage.sessions = dict.fromkeys(those["reopening"], Session.CLOSED)
        stage.publish()
        for symbol in those["halted"]:
            stage.oracle.set_halt(stage.id(symbol), True, sender=address("guardian"))
        for symbol in those["paused"]:
            self.issued[symbol].set_paused(True, sender=address("deployer"))
        stage.warp(age)
        stage.sessions = dict.fromkeys(those["closed"], Session.CLOSED) | dict.fromkeys(
            those["unknown"], Session.UNKNOWN
        )
        for symbol in those["old"]:
            del stage.prices[symbol]
        stage.publish(**{symbol: str(Decimal(stage.prices[symbol]) * 13 / 10) for symbol in those["jumped"]})


@contextmanager
def entered(book: tuple[int, ...], part: int, percents: tuple[int, ...], start: int | None = None) -> Iterator[Scene]:
    """
    The scene with a book of perps, a part of what it leaves free taken out, and prices moved since; undone later.
    By the exchange's calendar from `start` on; without it the exchange never shuts.
    """
    built = _built(start)
    with built.stage.undone():
        scene = replace(built)
        for symbol, size in zip(MARKETS, book, strict=True):
            if size:
                scene.fill("holder", symbol, size)
        scene.borrow(part)
        scene.move(percents)
        yield scene


@cache
def _built(start: int | None) -> Scene:
    deployer = address("deployer")
    given = parameters()
    given["oracle"] |= {"threshold": 1}
    if start is not None:
        given["calendar"]["exchange"] = sessions.EXCHANGE
    backend = RevmBackend() if start is None else RevmBackend(start)
    stage = OneReporter(deployment.deploy(backend, deployer, given))
    stage.prices = {symbol: stage.prices[symbol] for symbol in MARKETS}
    compliance = Contract.deploy(stage.backend, "IssuerCompliance", sender=deployer)
    issuer = Contract.deploy(stage.backend, "SValueOracle", sender=deployer)
    issued = {}
    for symbol in MARKETS:
        token = Contract.deploy(stage.backend, "StockToken", f"{symbol} token", symbol, compliance, sender=deployer)
        feed = Feed(Source.REPORTS, jump=JUMP, issuer=issuer.address, token=token.address)
        stage.govern(stage.oracle.set_feed, stage.id(symbol), feed)
        issued[symbol] = token
    stage.fund("maker", "100000000")
    stage.fund("bystander", "100000")
    stage.fund("holder", "100000")
    stage.fund_stock("holder", "AAPL", "200")
    stage.fund_stock("holder", "NVDA", "100")
    stage.fund_stock("holder", UNPRICED, "10")
    return Scene(stage, issued, risk.read_table(stage.system.model))
