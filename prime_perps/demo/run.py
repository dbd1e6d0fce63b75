"""The demo from the first price to the report."""

from __future__ import annotations

import time
from collections.abc import Sequence
from pathlib import Path

from rich.console import Console

from prime_perps import compiler, history, margin, risk
from prime_perps.balance_sheet import exposures
from prime_perps.demo import plots
from prime_perps.demo.cast import ACTORS, CUSTOMERS, HEDGED, HOLDER
from prime_perps.demo.checks import Check, check_all, read_everybody
from prime_perps.demo.console import progress_bar, tell_slices
from prime_perps.demo.record import Record, SliceTaken
from prime_perps.demo.report import AccountReport, Asked, Report
from prime_perps.demo.stage import Stage, fresh_stage, perp_sizes
from prime_perps.keepers.publisher import Moment, Replay
from prime_perps.reports import Session
from prime_perps.units import usd
from prime_perps.yardsticks import position_by_position, regulation_t

# An auction's price falls with time: after a tick the liquidator has this many more minutes at the same prices.
MINUTES = 12
MINUTE = 60


def run(output: Path, console: Console) -> Report:
    """
    Replay September to November 2008 on a real node and write the pictures and report.json into `output`.
    Raises AnvilMissing, HistoryMissing, Revert, NodeError. A check that fails is in the report, not raised.
    """
    started = time.monotonic()
    ticks = list(history.ticks(history.daily_bars()))
    with console.status("Compiling the contracts"):
        compiler.load_all()
    with progress_bar(console) as progress:
        bar = progress.add_task("Setting the stage", total=len(ticks) + 1)
        with fresh_stage(ticks[0]) as stage:
            record = Record()
            openings: dict[str, Asked] = {}
            progress.advance(bar)
            replay = Replay(stage.backend, stage.publisher, stage.underlyings(history.SYMBOLS))
            for moment in replay.run(ticks):
                if not openings:
                    openings = _open(stage, moment)
                tell_slices(progress, _liquidate(stage, replay, record, moment))
                if moment.session is Session.CLOSED:
                    _settle(stage)
                record.sample(stage, ACTORS, moment)
                progress.update(bar, description=f"{moment.tick.day:%-d %B %Y}", advance=_weight(moment))
            report = _report(stage, record, openings, started)
    plots.draw(record, CUSTOMERS, report.accounts, output)
    report.save(output / "report.json")
    return report


def _open(stage: Stage, moment: Moment) -> dict[str, Asked]:
    """Everybody's first trades, and what each method asks of the books they make."""
    for actor in ACTORS:
        if actor.perps:
            stage.trade(actor, perp_sizes(actor, stage, moment.tick.prices))
    table = risk_table(stage)
    return {actor.name: _asked(stage, stage.account(actor), table) for actor in CUSTOMERS}


def _asked(stage: Stage, account: int, table: margin.Table) -> Asked:
    summary = stage.deployment.lens.account_summary(account)
    held, closure = exposures(summary), margin.Closure(*summary.closure)
    return Asked(
        ours=summary.margin.initial,
        position_by_position=position_by_position(held, closure, table),
        regulation_t=regulation_t(held),
    )


def _liquidate(stage: Stage, replay: Replay, record: Record, moment: Moment) -> list[SliceTaken]:
    """Let the liquidator work, and wait for its price, until it finds nothing to do; then hedge what it has taken."""
    found: list[SliceTaken] = []
    for _ in range(MINUTES):
        decisions = stage.liquidator.tick()
        found += record.new_slices(stage, ACTORS, moment)
        if not decisions or moment.session is Session.CLOSED:
            break
        moment = replay.again(moment, MINUTE)
    if record.slices and moment.session is not Session.CLOSED:
        stage.hedge(history.SYMBOLS)
    return found


def _settle(stage: Stage) -> None:
    """What anyone may do, and here the deployer does every weekend: variation margin into cash, fees to insurance."""
    house = stage.deployment.clearinghouse
    for actor in ACTORS:
        house.settle(stage.account(actor), sender=stage.deployer)
    house.distribute_fees(sender=stage.deployer)


def risk_table(stage: Stage) -> margin.Table:
    """The risk table in force, read from the chain."""
    return risk.read_table(stage.deployment.model)


def _report(stage: Stage, record: Record, openings: dict[str, Asked], started: float) -> Report:
    deployment = stage.deployment
    accounts = read_everybody(stage.backend, deployment)
    by_number = {account.number: account for account in accounts}
    reports = [
        AccountReport(
            name=actor.name,
            story=actor.story,
            account=stage.account(actor),
            margin=by_number[stage.account(actor)].margin,
            slices=[entry for entry in record.slices if entry.actor == actor.name],
            opening=openings.get(actor.name),
        )
        for actor in ACTORS
    ]
    return Report(
        first_day=record.samples[0].day.isoformat(),
        last_day=record.samples[-1].day.isoformat(),
        accounts=reports,
        checks=[*check_all(deployment, accounts, risk_table(stage)), *_story(reports)],
        insurance=deployment.clearinghouse.money(deployment.clearinghouse.insurance_account()).cash,
        total_loss=deployment.engine.total_loss(),
        uncovered_loss=deployment.engine.uncovered_loss(),
        seconds=time.monotonic() - started,
        transactions=sum(stage.backend.nonce(address) for address in {stage.deployer, *map(stage.address, ACTORS)}),
    )


def _story(reports: Sequence[AccountReport]) -> list[Check]:
    """What the demo is there to show."""
    holder, hedged = (next(r for r in reports if r.name == actor.name) for actor in (HOLDER, HEDGED))
    return [
        Check("story", "the leveraged holder was liquidated", holder.liquidated, f"{len(holder.slices)} slices"),
        Check("story", "its hedged twin was not", not hedged.liquidated, f"equity {usd(hedged.margin.equity)}"),
    ]


def _weight(moment: Moment) -> int:
    """The extra moment at which the exchange is reported closed is no tick of its own."""
    return 0 if moment.session is Session.CLOSED else 1
