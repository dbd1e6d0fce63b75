"""The refresher: pulls from push feeds before their words grow old, and pays for no call that would write nothing."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import structlog

from prime_perps.chain.contract import Contract
from prime_perps.chain.rpc import RpcBackend
from prime_perps.errors import NodeError, Revert
from prime_perps.keepers.signer_site import views
from prime_perps.reports import Limits, Source, Word

# What one feed may cost at most: the 100,000 it is given, and what the adapter does with its answer.
GAS_A_FEED = 400_000  # two push sources and an issuer, each promised 100,000, and the writing
FEEDS_A_CALL = 32

log = structlog.get_logger()


def due(word: Word, now: int, lead: int, limits: Limits) -> bool:
    """Whether a word, by `lead` seconds from `now`, is older than its session allows."""
    return now + lead > word.time + limits.age[word.session]


@dataclass
class Refreshed:
    """What one look came to, underlyings by number."""

    due: list[int] = field(default_factory=list)
    written: list[int] = field(default_factory=list)


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
        self._too_dear = False

    def tick(self) -> Refreshed:
        """Refresh what is about to be too old, once. Raises NodeError; then the next tick looks anew."""
        self._backend.resolve(self._sender)
        outcome = Refreshed(due=self._due())
        ready = self._that_would_write(outcome.due)
        if not ready or self._is_too_dear():
            return outcome
        for start in range(0, len(ready), self._feeds_a_call):
            outcome.written += self._refresh(ready[start : start + self._feeds_a_call])
        return outcome

    def _due(self) -> list[int]:
        numbers = list(self._symbols)
        feeds = views(self._backend, self._oracle.feed, numbers)
        # Whatever is not reported is pulled.
        pushed = [number for number, feed in zip(numbers, feeds, strict=True) if feed.source & ~Source.REPORTS]
        words = views(self._backend, self._oracle.word, pushed)
        now, limits = self._backend.timestamp(), self._oracle.limits()
        return [
            number
            for number, word in zip(pushed, words, strict=True)
            if due(Word.unpack(word), now, self._lead, limits)
        ]

    def _that_would_write(self, numbers: list[int]) -> list[int]:
        """By a simulation of each alone, so that one feed cannot hide another; a silent one is told once."""
        refresh = self._oracle.refresh
        asked = [(self._oracle.address, refresh.encode([number])) for number in numbers]
        ready = []
        for number, answer in zip(numbers, self._backend.call_many(asked, self._sender), strict=True):
            if not isinstance(answer, Revert) and refresh.decode(answer) == 1:
                ready.append(number)
            elif number not in self._silent:
                why = answer.reason if isinstance(answer, Revert) else "no usable answer"
                log.error("feed_silent", symbol=self._symbols[number], why=why)
                self._silent.add(number)
        for number in self._silent.intersection(ready):
            log.info("feed_back", symbol=self._symbols[number])
        self._silent -= set(ready)
        return ready

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
