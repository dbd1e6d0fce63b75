"""What happened in a replay, as the chain told it: health at every look, every slice, every loss, who bore it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Any

import numpy as np

from prime_perps.backtest.data import Array
from prime_perps.chain.contract import Contract
from prime_perps.errors import PrimePerpsError, Revert
from prime_perps.liquidation import liquidatable
from prime_perps.reports import Session
from prime_perps.stress.path import Instant
from prime_perps.stress.stage import Stage
from prime_perps.units import WAD

# Shares of accounts with less health than what is recorded, beside the worst.
SHARES = (0.05, 0.25, 0.5)


@dataclass(frozen=True)
class Sample:
    """
    One look. Health is that of the customers that need margin: equity, with twice the doubt of its prices, over
    maintenance margin. The engine waits for the slow price besides. Index in USD.
    """

    time: int
    day: date
    session: Session
    worst: float
    shares: tuple[float, ...]  # by SHARES
    liquidatable: int
    insurance: int  # wad USD
    index: float


@dataclass(frozen=True)
class SliceTaken:
    """One liquidation. Wad USD; equity and maintenance of the account before it."""

    time: int
    day: date
    session: Session
    account: int
    liquidator: int
    fraction: int
    price: int
    payment: int
    reward: int
    equity: int
    maintenance: int

    @property
    def discount(self) -> int:
        """What the account lost by it: the equity that went, less what was paid for it."""
        return max(self.equity * self.fraction // WAD - self.payment, 0) if self.equity > 0 else 0

    @property
    def health(self) -> float:
        return self.equity / self.maintenance if self.maintenance else 0.0


@dataclass(frozen=True)
class Loss:
    """Negative equity taken over, wad USD, and how much of it insurance did not have at that moment."""

    day: date
    customer: int
    amount: int
    uncovered: int


@dataclass
class Record:
    """Grows with the replay."""

    samples: list[Sample] = field(default_factory=list)
    slices: list[SliceTaken] = field(default_factory=list)
    losses: list[Loss] = field(default_factory=list)
    socialised: int = 0  # wad USD, taken from all holders of cash
    auctions: int = 0
    worst: tuple[float, int, date] | None = None  # health, customer, day


class Recorder:
    """Writes down what happens on a stage from now on."""

    def __init__(self, stage: Stage) -> None:
        self.stage = stage
        self.record = Record()
        self._next_block = stage.chain.block_number() + 1

    def look(self, instant: Instant, prices: Array) -> list[int]:
        """Read every customer's margin. Returns the accounts that can be liquidated."""
        margins, record = read_margins(self.stage, list(self.stage.customers)), self.record
        healths, found = [], []
        for account, margin in margins.items():
            if not margin.maintenance and margin.equity >= 0:
                continue
            ratio = (margin.equity + 2 * margin.doubt) / max(margin.maintenance, 1)
            healths.append(ratio)
            if liquidatable(margin):
                found.append(account)
            if record.worst is None or ratio < record.worst[0]:
                record.worst = ratio, self.stage.customers[account].number, instant.day
        book = self.stage.deployment.clearinghouse
        known = np.array(healths or [np.nan])
        record.samples.append(
            Sample(
                time=instant.time,
                day=instant.day,
                session=instant.session,
                worst=float(known.min()),
                shares=tuple(float(share) for share in np.quantile(known, SHARES)),
                liquidatable=len(found),
                insurance=int(book.money(book.insurance_account()).cash),
                index=float(prices[-1]),
            )
        )
        return found

    def gather(self, instant: Instant) -> list[SliceTaken]:
        """The liquidations since the last call, out of the contracts' own events."""
        head, stage = self.stage.chain.block_number(), self.stage
        parts: Sequence[Contract] = (stage.deployment.engine, stage.deployment.clearinghouse)
        found = []
        for log in stage.chain.get_logs(self._next_block, head, [part.address for part in parts]):
            for part in parts:
                decoded = part.decode_log(log)
                if decoded is not None:
                    found += self._hear(*decoded, instant)
        self._next_block = head + 1
        self.record.slices += found
        return found

    def _hear(self, name: str, fields: dict[str, Any], instant: Instant) -> list[SliceTaken]:
        if name == "Slice":
            known = {entry: fields[entry] for entry in SliceTaken.__dataclass_fields__ if entry in fields}
            return [SliceTaken(time=instant.time, day=instant.day, session=instant.session, **known)]
        if name == "LossRecorded":
            number = self.stage.customers[fields["account"]].number
            self.record.losses.append(Loss(instant.day, number, fields["loss"], beyond_insurance(fields)))
            self.record.socialised += fields["socialised"]
        elif name == "AuctionStarted":
            self.record.auctions += 1
        return []


def beyond_insurance(fields: Mapping[str, Any]) -> int:
    """wad USD of a LossRecorded that insurance did not have: what was shared, and what not even that has paid."""
    return int(min(fields["loss"], fields["socialised"] + max(-fields["insurance_after"], 0)))


def read_margins(stage: Stage, accounts: Sequence[int]) -> dict[int, Any]:
    """IPerpClearinghouse.Margin by account, as of now. Raises PrimePerpsError for one that cannot be read."""
    book = stage.deployment.clearinghouse
    answers = stage.chain.call_many([(book.address, book.margin.encode(account)) for account in accounts])
    found = {}
    for account, answer in zip(accounts, answers, strict=True):
        if isinstance(answer, Revert):
            raise PrimePerpsError(f"the margin of account {account:#x} cannot be read: {answer.reason}")
        found[account] = book.margin.decode(answer)
    return found
