"""The refresher: pulls from push feeds before their words grow old, and pays for no call that would write nothing."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

import structlog

from prime_perps.chain.contract import Contract
from prime_perps.chain.rpc import RpcBackend
from prime_perps.errors import NodeError, Revert
from prime_perps.keepers.calendar_keeper import WEEK, WITHOUT_END, day
from prime_perps.keepers.signer_site import views
from prime_perps.reports import Limits, Session, Source, Word

# What one feed may cost at most: the 100,000 it is given, and what the adapter does with its answer.
GAS_A_FEED = 400_000  # two push sources and an issuer, each promised 100,000, and the writing
FEEDS_A_CALL = 32

log = structlog.get_logger()


def due(word: Word, now: int, lead: int, limits: Limits) -> bool:
    """Whether a word, by `lead` seconds from `now`, is older than its session allows."""
    return now + lead > word.time + limits.age[word.session]


@dataclass(frozen=True)
class Pushed:
    """An underlying with push feeds as one look finds it."""

    number: int
    feed: Any  # as IOracleAdapter.Feed
    word: Word

    @property
    def keeps_hours(self) -> bool:
        return bool(self.feed.session != Session.ALWAYS_OPEN)

    @property
    def is_closed(self) -> bool:
        """As its word has it: then it does not grow old for days, and somebody must make the first price."""
        return self.keeps_hours and self.word.session == Session.CLOSED

    def waits_for(self, shut_until: int) -> str:
        """Why no price can be made of it; empty if its feeds ought to answer. `shut_until` by the calendar, or 0."""
        if self.keeps_hours and shut_until:
            return f"the exchange is shut by the calendar until {day(shut_until)}"
        reported = self.is_closed and self.feed.source & Source.REPORTS
        return "the exchange is shut by its reports" if reported else ""


@dataclass
class Refreshed:
    """What one look came to, underlyings by number."""

    due: list[int] = field(default_factory=list)
    written: list[int] = field(default_factory=list)
    waiting: list[int] = field(default_factory=list)  # of a shut exchange, with nothing to write


class Refresher:
    """One key that calls `refresh`. It decides from the chain alone, so any number of them may run."""

    def __init__(
        self,
        backend: RpcBackend,
        oracle: Contract,
        symbols: Mapping[int, str],
        *,
        sender: str,
        lead: int = 15,
        max_gas: int = FEEDS_A_CALL * GAS_A_FEED,
        max_gas_price: int = 0,
        dry_run: bool = False,
    ) -> None:
        """
        `symbols`: by the number of the underlying. `lead`: seconds before a word is too old. `max_gas`: of one
        transaction. `max_gas_price`: wei above which nothing is sent; 0: whatever it costs.
        """
        self._backend = backend
        self._oracle = oracle
        self._symbols = symbols
        self._sender = sender
        self._lead = lead
        self._feeds_a_call = max(1, min(FEEDS_A_CALL, max_gas // GAS_A_FEED))
        self._max_gas_price = max_gas_price
        self._dry_run = dry_run
        self._silent: set[int] = set()
        self._waiting: dict[int, str] = {}
        self._too_dear = False

    def tick(self) -> Refreshed:
        """Refresh what is about to be too old, once. Raises NodeError; then the next tick looks anew."""
        self._backend.resolve(self._sender)
        now = self._backend.timestamp()
        shut_until = self._shut_until(now)
        pushed = self._pushed()
        looked = self._due(pushed, now, shut_until)
        ready = self._that_would_write(looked)
        waiting = self._that_wait(pushed, ready, shut_until)
        outcome = Refreshed(due=[one.number for one in looked if one.number not in waiting], waiting=sorted(waiting))
        self._tell_silent([one for one in looked if one.number not in waiting], ready)
        self._tell_waiting(waiting)
        numbers = [number for number, why in ready.items() if not why]
        if not numbers or self._is_too_dear():
            return outcome
        for start in range(0, len(numbers), self._feeds_a_call):
            outcome.written += self._refresh(numbers[start : start + self._feeds_a_call])
        return outcome

    def _pushed(self) -> list[Pushed]:
        """Whatever is not reported is pulled."""
        numbers = list(self._symbols)
        feeds = zip(numbers, views(self._backend, self._oracle.feed, numbers), strict=True)
        pushed = [(number, feed) for number, feed in feeds if feed.source & ~Source.REPORTS]
        words = views(self._backend, self._oracle.word, [number for number, _ in pushed])
        return [Pushed(*one, Word.unpack(word)) for one, word in zip(pushed, words, strict=True)]

    def _shut_until(self, now: int) -> int:
        """The end of the posted closure that it is; 0 for none. The end of coverage is none: feeds are asked then."""
        posted = [closing for closing in self._oracle.closures(now // WEEK) if closing.end != WITHOUT_END]
        return next((int(closing.end) for closing in posted if closing.start <= now < closing.end), 0)

    def _due(self, pushed: Iterable[Pushed], now: int, shut_until: int) -> list[Pushed]:
        limits = self._oracle.limits()
        return [one for one in pushed if due(one.word, now, self._lead, limits) or (one.is_closed and not shut_until)]

    def _that_would_write(self, looked: Iterable[Pushed]) -> dict[int, str]:
        """Why each would write nothing, empty if it would: by a simulation of it alone, so that none hides another."""
        numbers = [one.number for one in looked]
        refresh = self._oracle.refresh
        asked = [(self._oracle.address, refresh.encode([number])) for number in numbers]
        found = {}
        for number, answer in zip(numbers, self._backend.call_many(asked, self._sender), strict=True):
            if isinstance(answer, Revert):
                found[number] = answer.reason
            else:
                found[number] = "" if refresh.decode(answer) == 1 else "no usable answer"
        return found

    def _that_wait(self, pushed: Iterable[Pushed], ready: Mapping[int, str], shut_until: int) -> dict[int, str]:
        """Those of a shut exchange of which there is nothing to write, and why."""
        idle = [one for one in pushed if ready.get(one.number, one.is_closed)]
        whys = {one.number: one.waits_for(shut_until) for one in idle}
        return {number: why for number, why in whys.items() if why}

    def _tell_silent(self, looked: Iterable[Pushed], ready: Mapping[int, str]) -> None:
        """A feed that ought to answer and does not is told once, and when it is back."""
        silent = {one.number: ready[one.number] for one in looked if ready[one.number]}
        for number, why in silent.items():
            if number not in self._silent:
                log.error("feed_silent", symbol=self._symbols[number], why=why)
        for number in sorted(number for number in self._silent if not ready.get(number, "not due")):
            log.info("feed_back", symbol=self._symbols[number])
            self._silent.discard(number)
        self._silent |= set(silent)

    def _tell_waiting(self, waiting: Mapping[int, str]) -> None:
        """Once, for as long as it is for the same reason."""
        news = {number: why for number, why in waiting.items() if self._waiting.get(number) != why}
        for why in dict.fromkeys(news.values()):
            log.info("waiting", symbols=[self._symbols[number] for number in news if news[number] == why], why=why)
        self._waiting = dict(waiting)

    def _is_too_dear(self) -> bool:
        if not self._max_gas_price:
            return False
        price = self._backend.gas_price()
        too_dear = price > self._max_gas_price
        if too_dear and not self._too_dear:
            log.warning("gas_too_dear", price=price, most=self._max_gas_price)
        self._too_dear = too_dear
        return too_dear

    def _refresh(self, numbers: list[int]) -> list[int]:
        names = [self._symbols[number] for number in numbers]
        if self._dry_run:
            log.info("would_refresh", symbols=names)
            return []
        try:
            receipt = self._oracle.refresh(numbers, sender=self._sender)
        except Revert as revert:
            log.warning("refused", symbols=names, why=revert.reason)
            return []
        except NodeError as error:
            log.warning("not_refreshed", symbols=names, why=str(error))
            raise
        events = self._oracle.events(receipt)
        written = [fields["underlying"] for name, fields in events if name == "WordUpdated"]
        log.info(
            "refreshed",
            symbols=[self._symbols[number] for number in written],
            unanswered=[self._symbols[number] for number in numbers if number not in written],
            transaction=receipt.hash,
            block=receipt.block,
            gas=receipt.gas_used,
        )
        return written
