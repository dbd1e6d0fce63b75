"""The price publisher: has each report signed by m of n signers and carries the reports to the oracle adapter."""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from decimal import Decimal

import structlog

from prime_perps import reports
from prime_perps.chain.contract import Contract, Receipt
from prime_perps.chain.rpc import RpcBackend, SendUnresolved
from prime_perps.errors import NodeError, PrimePerpsError, Revert
from prime_perps.history import Tick
from prime_perps.keepers.loop import Stop
from prime_perps.keepers.report_signer import ReportSigner
from prime_perps.keepers.signer_panel import Panel
from prime_perps.keepers.signer_site import views
from prime_perps.keepers.signer_sources import CONFIDENCE, Clock, PriceSource, Unobserved
from prime_perps.reports import Flag, Limits, Report, Session, SignedReport, Source, Word
from prime_perps.units import BPS, MID, scaled

REPORTS_A_CALL = 16
WEEK = 7 * 86_400
FROM_THE_FUTURE = "oracle: report from the future"
NEXT_BLOCK = 15.0  # seconds within which a block must come whose time is that of the observation
LOOK_AGAIN = 0.5

log = structlog.get_logger()


@dataclass(frozen=True)
class PublishPolicy:
    """When a word is worth a report."""

    deviation: int = 10  # bps between the word and what is seen now
    freshness: int = 5_000  # bps of the session's age limit that a word may reach


DEFAULT_POLICY = PublishPolicy()


def due(word: Word, report: Report, now: int, limits: Limits, policy: PublishPolicy) -> str:
    """Why the report is worth publishing, empty when it is not. `now` in unix seconds."""
    if word.time == 0:
        return "first price"
    if word.session != report.status:
        return "session"
    if (now - word.time) * BPS >= limits.age[word.session] * policy.freshness:
        return "age"
    # A closed exchange makes no price.
    moved = abs(report.mid - word.mid) * BPS >= policy.deviation * word.mid and report.status != Session.CLOSED
    return "price" if moved else ""


def why_unchanged(word: Word, report: Report) -> str:
    """Why a report that was carried has changed nothing, by the word that stands."""
    if word.time >= report.observed_at:
        return "passed over: there is a newer word"
    if word.flags & Flag.PAUSED:
        return "the word is frozen: its issuer pauses, or its price and multiplier do not fit together yet"
    return "the word waits: its price is to be confirmed, or its sources do not agree"


@dataclass
class Round:
    """What one look of the aggregator came to, underlyings by number."""

    landed: list[int] = field(default_factory=list)
    missed: list[int] = field(default_factory=list)


class Aggregator:
    """
    Proposes what its source sees, collects signatures and carries them. A report is handed to the chain at most once:
    whatever becomes of it, the next one is of a later instant.
    """

    def __init__(
        self,
        backend: RpcBackend,
        oracle: Contract,
        panel: Panel,
        source: PriceSource,
        symbols: Mapping[int, str],
        *,
        sender: str,
        clock: Clock,
        policy: PublishPolicy = DEFAULT_POLICY,
        dry_run: bool = False,
    ) -> None:
        """`symbols`: by the number of the underlying. `sender`: an address whose key the backend holds."""
        self._backend = backend
        self._oracle = oracle
        self._panel = panel
        self._source = source
        self._symbols = symbols
        self._sender = sender
        self._clock = clock
        self._policy = policy
        self._dry_run = dry_run
        self._handed_over: dict[int, int] = {}  # observed_at by underlying
        self._in_flight: list[Report] = []
        self._unseen: dict[str, str] = {}

    def tick(self, stop: Stop | None = None) -> Round:
        """Publish what is due, once. Raises NodeError; then the next tick looks anew."""
        outcome = Round()
        # What became of a send with a lost answer comes first: the words then tell.
        self._backend.resolve(self._sender)
        words = self._words()
        self._settle_in_flight(words, outcome)
        proposed = self._proposals(words)
        if not proposed:
            return outcome
        threshold = int(self._oracle.threshold())
        collected = self._panel.collect(proposed, threshold, self._oracle.is_signer)
        for report, have in collected.short:
            self._miss(outcome, report, f"{have} of {threshold} signatures")
        self._carry_all(collected.signed, outcome, stop or Stop())
        return outcome

    def _words(self) -> dict[int, Word]:
        """The stored word of every underlying that takes signed reports."""
        numbers = list(self._symbols)
        feeds = views(self._backend, self._oracle.feed, numbers)
        listed = [number for number, feed in zip(numbers, feeds, strict=True) if feed.source & Source.REPORTS]
        packed = views(self._backend, self._oracle.word, listed)
        return {number: Word.unpack(word) for number, word in zip(listed, packed, strict=True)}

    def _proposals(self, words: Mapping[int, Word]) -> list[Report]:
        """What is due, as the source sees it. Only what is newer than the word and than all handed over before."""
        now, limits = self._clock(), self._oracle.limits()
        found = []
        for underlying, word in words.items():
            symbol = self._symbols[underlying]
            try:
                report = self._source.observe(symbol, now).report(underlying)
            except Unobserved as why:
                if self._unseen.get(symbol) != str(why):
                    log.warning("no_price", symbol=symbol, why=str(why))
                self._unseen[symbol] = str(why)
                continue
            self._unseen.pop(symbol, None)
            newer = report.observed_at > max(word.time, self._handed_over.get(underlying, 0))
            if newer and due(word, report, now, limits, self._policy):
                found.append(report)
        return found

    def _carry_all(self, signed: Sequence[SignedReport], outcome: Round, stop: Stop) -> None:
        waiting = list(batches(signed))
        while waiting:
            try:
                self._carry(waiting.pop(0), outcome, stop)
            except NodeError:
                for batch in waiting:
                    self._miss_all(outcome, batch, "not sent, as the one before has failed")
                raise

    def _carry(self, batch: Sequence[SignedReport], outcome: Round, stop: Stop) -> None:
        """Send once what the chain will take, and say what became of each report."""
        try:
            fit = self._fit(batch, outcome, stop)
        except NodeError as error:
            self._miss_all(outcome, batch, str(error))
            raise
        if not fit:
            return
        if self._dry_run:
            log.info("would_publish", symbols=self._names(fit), observed_at=[s.report.observed_at for s in fit])
            return
        self._handed_over |= {signed.report.underlying: signed.report.observed_at for signed in fit}
        try:
            receipt = self._oracle.submit(fit, sender=self._sender)
        except SendUnresolved:
            self._in_flight = [signed.report for signed in fit]
            raise
        except Revert as revert:
            self._miss_all(outcome, fit, revert.reason)
        except NodeError as error:
            self._miss_all(outcome, fit, str(error))
            raise
        else:
            self._account(fit, receipt, outcome)

    def _fit(self, batch: Sequence[SignedReport], outcome: Round, stop: Stop) -> list[SignedReport]:
        """The reports the chain takes: all together, or, when it refuses, those it takes one by one."""
        refusal = self._refusal(batch, stop)
        if refusal is None:
            return list(batch)
        fit = []
        for signed in batch:
            alone = refusal if len(batch) == 1 else self._refusal([signed], stop)
            if alone is None:
                fit.append(signed)
            else:
                self._miss(outcome, signed.report, alone)
        return fit

    def _refusal(self, batch: Sequence[SignedReport], stop: Stop) -> str | None:
        """
        Why a transaction with these reports would fail now. The world's clock is ahead of the newest block's by up to a
        block: that one is waited for.
        """
        deadline = time.monotonic() + NEXT_BLOCK
        data = self._oracle.submit.encode(batch)
        while True:
            try:
                self._backend.estimate_gas(self._oracle.address, data, self._sender)
            except Revert as revert:
                if revert.reason != FROM_THE_FUTURE or time.monotonic() > deadline or stop.wait(LOOK_AGAIN):
                    return revert.reason
            else:
                return None

    def _account(self, carried: Sequence[SignedReport], receipt: Receipt, outcome: Round) -> None:
        """By the events: a report that was passed over wrote no word."""
        written = {fields["underlying"] for name, fields in self._oracle.events(receipt) if name == "WordUpdated"}
        landed = [signed for signed in carried if signed.report.underlying in written]
        for signed in carried:
            if signed not in landed:
                word = Word.unpack(self._oracle.word(signed.report.underlying))
                self._miss(outcome, signed.report, why_unchanged(word, signed.report))
        outcome.landed += [signed.report.underlying for signed in landed]
        log.info(
            "published",
            symbols=self._names(landed),
            prices=[str(Decimal(signed.report.mid) / MID) for signed in landed],
            observed_at=max((signed.report.observed_at for signed in landed), default=None),
            transaction=receipt.hash,
            block=receipt.block,
            gas=receipt.gas_used,
        )

    def _settle_in_flight(self, words: Mapping[int, Word], outcome: Round) -> None:
        """The send whose answer was lost has been looked up: what it carried is in the words, or never will be."""
        for report in self._in_flight:
            if words.get(report.underlying, Word()).time >= report.observed_at:
                log.info("landed_late", symbol=self._symbols[report.underlying], observed_at=report.observed_at)
                outcome.landed.append(report.underlying)
            else:
                self._miss(outcome, report, "the node lost the transaction")
        self._in_flight = []

    def _miss_all(self, outcome: Round, batch: Iterable[SignedReport], why: str) -> None:
        for signed in batch:
            self._miss(outcome, signed.report, why)

    def _miss(self, outcome: Round, report: Report, why: str) -> None:
        outcome.missed.append(report.underlying)
        log.warning("not_landed", symbol=self._symbols[report.underlying], observed_at=report.observed_at, why=why)

    def _names(self, batch: Iterable[SignedReport]) -> list[str]:
        return [self._symbols[signed.report.underlying] for signed in batch]


def batches(signed: Sequence[SignedReport]) -> Iterator[Sequence[SignedReport]]:
    """As many as one call takes, at a time."""
    for start in range(0, len(signed), REPORTS_A_CALL):
        yield signed[start : start + REPORTS_A_CALL]


class Publisher:
    """One carrier and its signers in one process: for development chains, whose prices cannot fail to come."""

    def __init__(
        self,
        oracle: Contract,
        signers: Sequence[ReportSigner],
        threshold: int,
        sender: str,
        confidence: int = CONFIDENCE,
    ) -> None:
        """`threshold`: the signatures the adapter asks for. Raises PrimePerpsError when there are fewer signers."""
        if len(signers) < threshold:
            raise PrimePerpsError(f"the oracle asks for {threshold} signers of each report, there are {len(signers)}")
        self._oracle = oracle
        self._signers = list(signers[:threshold])
        self._sender = sender
        self._confidence = confidence

    def publish(self, prices: Mapping[int, Decimal], observed_at: int, session: Session) -> list[Receipt]:
        """
        Report USD prices by underlying, all observed at one instant. Prices are cut to 8 decimals.
        Raises SecondPrice when a signer has stated something else for that instant, Revert, NodeError.
        """
        return self.carry(
            [
                Report(underlying, scaled(price, MID), self._confidence, int(session), observed_at)
                for underlying, price in prices.items()
            ]
        )

    def carry(self, stated: Sequence[Report]) -> list[Receipt]:
        """
        Have reports signed and carry them. Raises SecondPrice when a signer has stated something else for an instant,
        Revert, NodeError.
        """
        receipts = [
            self._oracle.submit(batch, sender=self._sender) for batch in batches(list(map(self._collect, stated)))
        ]
        log.debug("published", reports=[(report.underlying, report.observed_at) for report in stated])
        return receipts

    def _collect(self, report: Report) -> SignedReport:
        return reports.assemble(report, [signer.sign(report) for signer in self._signers])


@dataclass(frozen=True)
class Moment:
    """One step of a replay, as it happened on the chain."""

    tick: Tick
    time: int  # unix seconds on the chain
    session: Session
    last_of_day: bool


class Replay:
    """Brings a development chain's clock to each instant of a price history and publishes what the prices were then."""

    def __init__(self, backend: RpcBackend, publisher: Publisher, underlyings: Mapping[str, int]) -> None:
        """`underlyings`: the number of each symbol."""
        self._backend = backend
        self._publisher = publisher
        self._underlyings = underlyings

    def run(self, ticks: Iterable[Tick]) -> Iterator[Moment]:
        """
        Publish tick by tick; what the caller does between two steps happens at that instant of the replay.

        A chain whose clock is already past the first tick sees the whole history moved by full weeks. After the last
        tick before a weekend or holiday the exchange is reported closed. On week nights nothing is reported: daily data
        knows nothing of them, and the words grow wide by themselves.
        """
        steps = list(ticks)
        shift = weeks_to_pass(steps[0].time, self._backend.timestamp()) if steps else 0
        for step, tick in enumerate(steps):
            following = steps[step + 1] if step + 1 < len(steps) else None
            last_of_day = following is None or following.day != tick.day
            yield self._at(tick, tick.time + shift, Session.REGULAR, last_of_day)
            if last_of_day and (following is None or is_long_pause(tick.day, following.day)):
                yield self._at(tick, max(tick.time + shift, self._backend.timestamp()) + 1, Session.CLOSED, True)

    def again(self, moment: Moment, seconds: int) -> Moment:
        """The same prices, observed once more `seconds` later: a quiet while between two ticks."""
        return self._at(moment.tick, self._backend.timestamp() + seconds, moment.session, moment.last_of_day)

    def _at(self, tick: Tick, time: int, session: Session, last_of_day: bool) -> Moment:
        self._backend.warp(time)
        prices = {self._underlyings[symbol]: price for symbol, price in tick.prices.items()}
        self._publisher.publish(prices, time, session)
        return Moment(tick, time, session, last_of_day)


def weeks_to_pass(first: int, now: int) -> int:
    """Seconds, in full weeks, that bring `first` past `now`: weekdays and times of day stay what they were."""
    return max(0, -(-(now + 1 - first) // WEEK)) * WEEK


def is_long_pause(day: date, following: date) -> bool:
    """Whether the exchange skips a day between two trading days."""
    return following - day > timedelta(days=1)
