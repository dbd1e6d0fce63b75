"""What the chain told at every look: words, session facts, and every account's margins."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from prime_perps import margin
from prime_perps.balance_sheet import exposures
from prime_perps.demo.cast import Actor
from prime_perps.demo.record import Record, SliceTaken
from prime_perps.demo.stage import Stage
from prime_perps.errors import PrimePerpsError, Revert
from prime_perps.margin import Closure, Table
from prime_perps.reports import Session, Word, told_eventful
from prime_perps.week.prices import Stated
from prime_perps.week.script import Act


@dataclass(frozen=True)
class Price:
    """One underlying: what was stated of it, and the word that `read` returns."""

    stated: Stated
    word: Word
    eventful: int  # bps

    @property
    def frozen(self) -> bool:
        """Whether nobody can trade at this price, or nobody knows it."""
        return not self.word.live


@dataclass(frozen=True)
class Book:
    """One account. USD in wad."""

    margin: Any  # IPerpClearinghouse.Margin
    liquidatable: bool  # as the engine says: it quotes a slice
    held: frozenset[str]  # symbols
    calm: int  # maintenance margin by the reference model, without the doubt of old or frozen prices
    initial: int  # likewise
    by_the_clock: int  # the part of it that closures add


@dataclass(frozen=True)
class Look:
    """One instant. `after`: whether the liquidator has already dealt with it."""

    time: int  # unix seconds, of the prices
    block_time: int  # of the newest block: what is done at a look takes a second each
    session: Session
    closure: Closure
    prices: Mapping[str, Price]
    books: Mapping[str, Book]
    acts: tuple[Act, ...] = ()
    after: bool = False


@dataclass(frozen=True)
class Sale:
    """A slice, and the look it was taken at."""

    taken: SliceTaken
    look: Look


@dataclass
class Journal:
    """Grows with the week."""

    stage: Stage
    cast: tuple[Actor, ...]
    symbols: dict[str, int]
    table: Table
    slices: Record = field(default_factory=Record)  # finds them in the engine's events
    looks: list[Look] = field(default_factory=list)
    sales: list[Sale] = field(default_factory=list)

    def look(
        self, time: int, session: Session, stated: Mapping[str, Stated], acts: tuple[Act, ...] = (), after: bool = False
    ) -> Look:
        """Read everything, as of the newest block. Raises Revert, NodeError."""
        deployment = self.stage.deployment
        oracle, lens, engine = deployment.oracle, deployment.lens, deployment.engine
        accounts = [self.stage.account(actor) for actor in self.cast]
        calls: list[tuple[str, bytes]] = [(oracle.address, oracle.read.encode(list(self.symbols.values())))]
        calls += [(lens.address, lens.account_summary.encode(account)) for account in accounts]
        calls += [(engine.address, engine.quote.encode(account)) for account in accounts]
        told, *answers = self._answers(calls)
        packed, closure = oracle.read.decode(told)
        words = zip(self.symbols, packed, strict=True)
        prices = {symbol: Price(stated[symbol], Word.unpack(word), told_eventful(word)) for symbol, word in words}
        summaries, quotes = answers[: len(accounts)], answers[len(accounts) :]
        books = {
            actor.name: self._book(lens.account_summary.decode(summary), engine.quote.decode(quote).fraction > 0)
            for actor, summary, quote in zip(self.cast, summaries, quotes, strict=True)
        }
        look = Look(time, self.stage.backend.timestamp(), session, Closure(*closure), prices, books, acts, after)
        self.looks.append(look)
        return look

    def _book(self, summary: Any, liquidatable: bool) -> Book:
        symbols = {number: symbol for symbol, number in self.symbols.items()}
        doubts = {line.underlying: line.doubt for line in summary.lines}
        sure = [replace(one, width=one.width - doubts[one.underlying]) for one in exposures(summary)]
        debt = max(-summary.margin.cash, 0)
        calm, initial = margin.requirements(sure, Closure(*summary.closure), debt, self.table)
        open_all_year, _ = margin.requirements(sure, Closure(), debt, self.table)
        held = frozenset(symbols[line.underlying] for line in summary.lines if line.token or line.size)
        return Book(summary.margin, liquidatable, held, calm, initial, calm - open_all_year)

    def _answers(self, calls: list[tuple[str, bytes]]) -> list[bytes]:
        answers = []
        for answer in self.stage.backend.call_many(calls):
            if isinstance(answer, Revert):
                raise PrimePerpsError(f"the chain refused a view that the week needs: {answer.reason}")
            answers.append(answer)
        return answers
