"""The week from the first price to the report: acts, prices, the liquidator, and a look at everything."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from pathlib import Path

from rich.console import Console

from prime_perps import compiler, risk
from prime_perps.chain.contract import Contract
from prime_perps.demo.checks import check_all, read_everybody
from prime_perps.demo.console import progress_bar, tell_slices
from prime_perps.demo.record import SliceTaken
from prime_perps.demo.stage import Stage, fresh_stage, local_parameters, perp_sizes
from prime_perps.deployment import Underlying
from prime_perps.history import Tick
from prime_perps.keepers.publisher import Moment
from prime_perps.reports import Feed, Report, Source
from prime_perps.sessions import NEW_YORK, session_at
from prime_perps.units import MID, WAD, scaled
from prime_perps.week import plots
from prime_perps.week.checks import check_week
from prime_perps.week.prices import Prices
from prime_perps.week.record import Journal, Look, Sale
from prime_perps.week.report import Report as WeekReport
from prime_perps.week.report import account_reports
from prime_perps.week.script import (
    ACTS,
    CAST,
    CUSTOMERS,
    JUMP,
    MINUTE,
    NIGHTS,
    RATIO,
    SPLIT,
    START,
    SYMBOLS,
    TOP_UP,
    TOPPED_UP,
    Act,
    Deed,
    looks,
    told,
)

CONFIDENCE = 2  # bps; below every floor
# A look takes some blocks, a second each: the next one must find them over.
SPARE = 20


def run(output: Path, console: Console) -> WeekReport:
    """
    Live through the week on a real node and write week.png and report.json into `output`.
    Raises AnvilMissing, HistoryMissing, Revert, NodeError. A check that fails is in the report, not raised.
    """
    journal, report = live(console)
    plots.draw(journal, CUSTOMERS, output / "week.png")
    report.save(output / "report.json")
    return report


def live(console: Console) -> tuple[Journal, WeekReport]:
    """The week, and nothing written. Raises as `run` does."""
    started = time.monotonic()
    prices, planned = Prices(), looks()
    with console.status("Compiling the contracts"):
        compiler.load_all()
    with progress_bar(console) as progress:
        bar = progress.add_task("Setting the stage", total=len(planned) + 1)
        with opening_night(prices) as week:
            progress.advance(bar)
            for instant, following in zip(planned, [*planned[1:], planned[-1] + MINUTE], strict=True):
                week.live_through(instant, following, lambda slices: tell_slices(progress, slices))
                progress.update(bar, description=told(instant)[:16], advance=1)
            return week.journal, _report(week, started)


@contextmanager
def opening_night(prices: Prices) -> Iterator[Week]:
    """The stage as it is before the first price, and ends the node after. Raises AnvilMissing, Revert, NodeError."""
    first = Tick(START, datetime.fromtimestamp(START, NEW_YORK).date(), "", _per_token(prices, START))
    parameters = local_parameters()
    for entry in parameters["underlyings"]:
        entry["feed"] = {"source": ["reports"], "jump": JUMP[entry["symbol"]]}
    with fresh_stage(first, CAST, parameters) as stage:
        issuer = Contract.deploy(stage.backend, "SValueOracle", sender=stage.deployer)
        split = stage.deployment.underlying(SPLIT)
        feed = Feed(Source.REPORTS, jump=JUMP[SPLIT], issuer=issuer.address, token=_token(split).address)
        stage.govern(stage.deployment.oracle.set_feed, split.id, feed)
        journal = Journal(stage, CAST, stage.underlyings(SYMBOLS), risk.read_table(stage.deployment.model))
        yield Week(stage, prices, journal)


@dataclass
class Week:
    """The stage, what signers see, and what has happened."""

    stage: Stage
    prices: Prices
    journal: Journal
    _deeds: dict[Deed, Callable[[Act], object]] = field(init=False)

    def __post_init__(self) -> None:
        self._deeds = {
            Deed.ANNOUNCE: self._announce,
            Deed.TRADE: self._trade,
            Deed.HALT: self._halt,
            Deed.ASK_RELEASE: self._ask_release,
            Deed.RELEASE: self._release,
            Deed.DEPOSIT: lambda _: self.stage.fund(TOPPED_UP, TOP_UP),
            Deed.PAUSE: lambda _: self._issuer.set_paused(True, sender=self.stage.deployer),
            Deed.MULTIPLY: lambda _: self._issuer.set_multiplier(RATIO * WAD, sender=self.stage.deployer),
            Deed.RESUME: lambda _: self._issuer.set_paused(False, sender=self.stage.deployer),
        }

    def live_through(self, instant: int, following: int, tell: Callable[[list[SliceTaken]], None]) -> None:
        """One look: what is done then, prices, and the liquidator by the minute until it finds nothing to do."""
        acts = tuple(act for act in ACTS if act.time == instant)
        while True:
            self.stage.backend.warp(instant)
            before = [act for act in acts if act.deed is not Deed.TRADE]
            for act in before:
                self._deeds[act.deed](act)
            self._publish(instant)
            for act in acts:
                if act not in before:
                    # at prices, so once there are some
                    self._deeds[act.deed](act)
            look = self._look(instant, acts)
            acts, instant = (), instant + MINUTE
            decisions = self.stage.liquidator.tick()
            taken = self._sold(look)
            if taken:
                tell(taken)
                self.stage.hedge(SYMBOLS)
                self._look(look.time, after=True)
            if not decisions or instant + SPARE > following:
                break

    def _publish(self, instant: int) -> None:
        reports = []
        for symbol, underlying in self.journal.symbols.items():
            stated = self.prices.stated(symbol, instant)
            price = scaled(stated.price, MID)
            reports.append(Report(underlying, price, CONFIDENCE, stated.session, instant, stated.multiplier))
        self.stage.publisher.carry(reports)

    def _look(self, instant: int, acts: tuple[Act, ...] = (), after: bool = False) -> Look:
        stated = {symbol: self.prices.stated(symbol, instant) for symbol in SYMBOLS}
        return self.journal.look(instant, session_at(instant), stated, acts, after)

    def _sold(self, look: Look) -> list[SliceTaken]:
        now = self.stage.backend.timestamp()
        tick = Tick(now, datetime.fromtimestamp(now, NEW_YORK).date(), "", {})
        slices = self.journal.slices.new_slices(self.stage, CAST, Moment(tick, now, look.session, False))
        self.journal.sales += [Sale(taken, look) for taken in slices]
        return slices

    # what people do

    @property
    def _issuer(self) -> Contract:
        """The token of the split stock, whose owner pauses it and sets its multiplier."""
        return _token(self.stage.deployment.underlying(SPLIT))

    def _announce(self, act: Act) -> None:
        night = next(night for night in NIGHTS if night.stock == act.on)
        stock = self.journal.symbols[act.on]
        self.stage.deployment.oracle.post_event(stock, night.start, night.end, sender=self.stage.deployer)

    def _trade(self, act: Act) -> None:
        for actor in CUSTOMERS:
            self.stage.trade(actor, perp_sizes(actor, self.stage, _per_token(self.prices, act.time)))

    def _halt(self, act: Act) -> None:
        self.stage.deployment.oracle.set_halt(self.journal.symbols[act.on], True, sender=self.stage.deployer)

    def _ask_release(self, act: Act) -> None:
        release = self.stage.deployment.oracle.set_halt, self.journal.symbols[act.on], False
        self.stage.deployment.schedule(*release, sender=self.stage.deployer)

    def _release(self, act: Act) -> None:
        release = self.stage.deployment.oracle.set_halt, self.journal.symbols[act.on], False
        self.stage.deployment.execute(*release, sender=self.stage.deployer)


def _per_token(prices: Prices, instant: int) -> dict[str, Decimal]:
    return {symbol: prices.per_token(symbol, instant) for symbol in SYMBOLS}


def _token(entry: Underlying) -> Contract:
    assert entry.token is not None
    return entry.token


def _report(week: Week, started: float) -> WeekReport:
    stage, journal = week.stage, week.journal
    deployment = stage.deployment
    everybody = read_everybody(stage.backend, deployment)
    return WeekReport(
        accounts=account_reports(journal, CAST),
        acts=ACTS,
        checks=[*check_all(deployment, everybody, journal.table), *check_week(journal)],
        looks=len(journal.looks),
        total_loss=deployment.engine.total_loss(),
        seconds=time.monotonic() - started,
        transactions=sum(stage.backend.nonce(address) for address in {stage.deployer, *map(stage.address, CAST)}),
    )
