"""One replay from the first price to the last: prices come, keepers work, everything is written down."""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path as Folder

import numpy as np

from prime_perps import risk
from prime_perps.chain.anvil import Anvil
from prime_perps.demo.checks import Check, check_all, read_accounts
from prime_perps.keepers.liquidator import Liquidator
from prime_perps.reports import SHUT_SESSIONS, Word
from prime_perps.sessions import session_at
from prime_perps.stress import whatif
from prime_perps.stress.chain import Chain, InProcess, OnAnvil, as_node
from prime_perps.stress.path import Instant, Path
from prime_perps.stress.population import population
from prime_perps.stress.record import Record, Recorder, read_margins
from prime_perps.stress.scenarios import Scenario
from prime_perps.stress.settings import Settings
from prime_perps.stress.stage import Stage, liquidator_account, maker_account, set_up
from prime_perps.stress.unwinding import Costs, Unwinding
from prime_perps.stress.walk import Watcher
from prime_perps.units import BPS

# While accounts are under water, or a price awaits its confirmation, the world is looked at so often, in seconds.
ATTENTION = 120
DEPLOYED_BEFORE = 60  # seconds before the close at which accounts are opened
LOOKS = 15  # at most, between two instants of the path: half an hour

Progress = Callable[[int, str], None]  # instants done, and what day it is


@dataclass(frozen=True)
class Customer:
    """How one customer fared. Wad USD."""

    number: int
    kind: str
    gross: int  # at the opening
    equity: int  # at the opening
    equity_after: int
    maintenance_after: int
    slices: int


@dataclass(frozen=True)
class Told:
    """A walk, as numbers and as text."""

    plain: dict[str, object]
    text: str


@dataclass(frozen=True)
class Outcome:
    """All about one replay. Money in wad USD."""

    scenario: Scenario
    settings: Settings
    throttle: dict[str, object]
    gross: int
    insurance_before: int
    insurance_after: int
    uncovered: int  # insurance's negative cash at the end
    record: Record
    customers: list[Customer]
    costs: Costs
    makers: tuple[int, int]  # equity of all of them, before and after
    liquidators: tuple[int, int]
    makers_worst: float | None  # lowest equity over maintenance of a maker at the end
    checks: list[Check]
    walk: Told | None
    gas: dict[str, list[int]]  # of each call, by function; real on anvil only
    transactions: int


def on_anvil(scenario: Scenario, settings: Settings, progress: Progress) -> Outcome:
    """The replay on a node of its own, whose receipts tell gas. Raises AnvilMissing, NodeError."""
    path = Path(scenario, settings.seed, gaps=settings.gaps)
    with Anvil(timestamp=path.opened - DEPLOYED_BEFORE) as node:
        return _run(OnAnvil(node), scenario, path, settings, progress)


def in_process(scenario: Scenario, settings: Settings, progress: Progress) -> Outcome:
    """The replay on the in-process EVM."""
    path = Path(scenario, settings.seed, gaps=settings.gaps)
    return _run(InProcess(path.opened - DEPLOYED_BEFORE), scenario, path, settings, progress)


def _run(chain: Chain, scenario: Scenario, path: Path, settings: Settings, progress: Progress) -> Outcome:
    lines = whatif.table().table(scenario.tiers).lines
    customers = population(settings, scenario.name, np.array([line.beta / BPS for line in lines]))
    with tempfile.TemporaryDirectory(prefix="stress-") as scratch:
        # A second before the bell, so that the opening's prices are of regular hours and no instant is told twice.
        stage = set_up(chain, scenario, customers, settings, path.opened - 1, Folder(scratch))
    opening = {account: margin.equity for account, margin in read_margins(stage, list(stage.customers)).items()}
    before = _equity(stage)
    watcher = Watcher(stage, scenario.symbols, scenario.tiers, settings.explain)
    keepers = _Keepers(stage, path, watcher, np.random.default_rng([settings.seed, *scenario.name.encode(), 7]))
    for done, instant in enumerate(path.instants):
        following = path.instants[done + 1].time if done + 1 < len(path.instants) else instant.time + 4 * 3_600
        keepers.live(instant, following)
        progress(done + 1, f"{instant.day:%-d %b %Y}")
    return _outcome(scenario, settings, keepers, opening, before)


class _Keepers:
    """Publisher, liquidators, makers and settler of one replay."""

    def __init__(self, stage: Stage, path: Path, watcher: Watcher, rng: np.random.Generator) -> None:
        """`rng` draws which liquidator comes first at a look."""
        self.stage = stage
        self.recorder = Recorder(stage)
        self.watcher = watcher
        self.unwinding = Unwinding(stage)
        self._path = path
        self._rng = rng

    def live(self, instant: Instant, following: int) -> None:
        """One instant of the path, and as many looks as it takes until nobody is under water, or the next instant."""
        for _ in range(LOOKS):
            restless = self._look(instant)
            if instant.session in SHUT_SESSIONS:
                self._settle()
                return
            later = instant.time + ATTENTION
            if not restless or later >= following:
                return
            instant = Instant(later, instant.day, session_at(later))
            if instant.session in SHUT_SESSIONS:
                return

    def _look(self, instant: Instant) -> bool:
        """Publish, liquidate, unwind. Returns whether it is worth to look again soon."""
        prices = self._path.prices(instant.time)
        self.stage.publish(prices, instant.time, instant.session)
        self.unwinding.look()
        failing = self.recorder.look(instant, prices)
        for place in self._rng.permutation(len(self.stage.liquidators)).tolist():
            if failing:
                self._liquidate(self.stage.liquidators[place], failing, instant)
            if instant.session not in SHUT_SESSIONS:
                self.unwinding.unwind(place, instant.session)
        return bool(failing) or self._unconfirmed()

    def _liquidate(self, liquidator: Liquidator, failing: list[int], instant: Instant) -> None:
        self.watcher.before(failing)
        liquidator.tick()
        self.watcher.after(self.recorder.gather(instant))

    def _unconfirmed(self) -> bool:
        """Whether a price is in doubt: a jump or a reopening that the next report may confirm."""
        packed, _ = self.stage.deployment.oracle.read(self.stage.underlyings)
        return any(Word.unpack(word).doubt for word in packed)

    def _settle(self) -> None:
        """What anyone may do, and here the deployer does at every closure: variation margin into cash, fees on."""
        book = self.stage.deployment.clearinghouse
        for account in everybody(self.stage):
            book.settle(account, sender=self.stage.deployer)
        book.distribute_fees(sender=self.stage.deployer)


def everybody(stage: Stage) -> list[int]:
    """Every account but those of insurance and fees."""
    return [
        *stage.customers,
        *(maker_account(place) for place in range(len(stage.makers))),
        *(liquidator_account(place) for place in range(len(stage.liquidators))),
    ]


def _equity(stage: Stage) -> tuple[int, int]:
    """Of all makers, and of all liquidators."""
    margins = read_margins(stage, everybody(stage))
    makers = sum(margins[maker_account(place)].equity for place in range(len(stage.makers)))
    return makers, sum(margins[liquidator_account(place)].equity for place in range(len(stage.liquidators)))


def _outcome(
    scenario: Scenario, settings: Settings, keepers: _Keepers, opening: dict[int, int], before: tuple[int, int]
) -> Outcome:
    stage, record = keepers.stage, keepers.recorder.record
    deployment, book = stage.deployment, stage.deployment.clearinghouse
    margins = read_margins(stage, everybody(stage))
    after = _equity(stage)
    insurance = int(book.insurance_account())
    accounts = read_accounts(as_node(stage.chain), deployment, [*everybody(stage), insurance, int(book.fee_account())])
    table = risk.read_table(deployment.model)
    makers = [margins[maker_account(place)] for place in range(len(stage.makers))]
    walk = keepers.watcher.walk
    sold = [taken.account for taken in record.slices]
    return Outcome(
        scenario=scenario,
        settings=settings,
        throttle=stage.throttle,
        gross=stage.gross,
        insurance_before=stage.insurance,
        insurance_after=int(book.money(insurance).cash),
        uncovered=int(deployment.engine.uncovered_loss()),
        record=record,
        customers=[
            Customer(
                number=customer.number,
                kind=customer.kind,
                gross=int(customer.gross * 10**6) * 10**12,
                equity=opening[account],
                equity_after=margins[account].equity,
                maintenance_after=margins[account].maintenance,
                slices=sold.count(account),
            )
            for account, customer in stage.customers.items()
        ],
        costs=keepers.unwinding.costs,
        makers=(before[0], after[0]),
        liquidators=(before[1], after[1]),
        makers_worst=min((m.equity / m.maintenance for m in makers if m.maintenance), default=None),
        checks=check_all(deployment, accounts, table),
        walk=None if walk is None else Told(walk.plain(), walk.text()),
        gas=_gas(stage),
        transactions=stage.chain.block_number(),
    )


def _gas(stage: Stage) -> dict[str, list[int]]:
    """Of the calls that keepers pay for."""
    engine, book, oracle = stage.deployment.engine, stage.deployment.clearinghouse, stage.deployment.oracle
    calls = {
        "start": (engine, engine.start.encode(0)),
        "take": (engine, engine.take.encode(0, 0, 0, 0, 0)),
        "settle": (book, book.settle.encode(0)),
        "submit": (oracle, oracle.submit.encode([])),
    }
    return {name: list(stage.chain.gas.get((to.address, data[:4]), [])) for name, (to, data) in calls.items()}
