"""The price publisher: collects m signatures on each report and carries the reports to the oracle adapter."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal

import structlog

from prime_perps import reports
from prime_perps.chain.contract import Contract, Receipt
from prime_perps.chain.rpc import RpcBackend
from prime_perps.errors import PrimePerpsError
from prime_perps.history import Tick
from prime_perps.keepers.report_signer import ReportSigner
from prime_perps.reports import Report, Session
from prime_perps.units import MID, scaled

REPORTS_A_CALL = 16
CONFIDENCE = 5  # bps; what a feed of an exchange's own trades states on a busy day
WEEK = 7 * 86_400

log = structlog.get_logger()


class Publisher:
    """One carrier and the signers it asks."""

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
        signed = [
            self._collect(Report(underlying, scaled(price, MID), self._confidence, int(session), observed_at))
            for underlying, price in prices.items()
        ]
        receipts = []
        for start in range(0, len(signed), REPORTS_A_CALL):
            batch = signed[start : start + REPORTS_A_CALL]
            receipts.append(self._oracle.submit(batch, sender=self._sender))
        log.debug("published", observed_at=observed_at, session=session.name, underlyings=sorted(prices))
        return receipts

    def _collect(self, report: Report) -> reports.SignedReport:
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
