"""The liquidator against the real system on a real anvil: what it finds, what it sends, what it survives."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from decimal import Decimal
from pathlib import Path

import pytest

from prime_perps.accounts import CASH, account_id
from prime_perps.cash import Market
from prime_perps.chain.anvil import Anvil
from prime_perps.chain.rpc import RpcBackend, SendUnresolved
from prime_perps.demo.cast import LIQUIDATOR, MAKER, Actor
from prime_perps.demo.stage import SETTING_UP, perp_sizes, set_up
from prime_perps.deployment import Deployment
from prime_perps.errors import NodeError, Revert
from prime_perps.history import Tick
from prime_perps.keepers.decision import Action, Policy
from prime_perps.keepers.liquidator import Liquidator
from prime_perps.reports import Session
from prime_perps.units import NANO, wad

START = 1_220_362_200
ROOT = Path(__file__).resolve().parent.parent.parent
PRICES = {"AAPL": Decimal(170), "IBM": Decimal(120), "MSFT": Decimal(27), "GOOG": Decimal(470)}
HOLDER = Actor("holder", "leveraged", tokens={"IBM": 500_000}, perps={"IBM": 1_500_000})
HEDGED = Actor("hedged", "the same, hedged", tokens={"IBM": 500_000}, perps={"IBM": -500_000})
ACTORS = (HOLDER, HEDGED, MAKER, LIQUIDATOR)


@pytest.fixture
def node(tmp_path):
    with Anvil(timestamp=START - SETTING_UP, state=tmp_path / "chain.json") as running:
        yield running


@pytest.fixture
def stage(node):
    """Everybody has traded at the first price and is healthy."""
    backend = RpcBackend(node.url, node.keys)
    made = set_up(backend, node, Tick(START, None, "open", PRICES), ACTORS)
    publish(made, PRICES)
    for actor in (HOLDER, HEDGED):
        made.trade(actor, perp_sizes(actor, made, PRICES))
    return made


def publish(stage, prices):
    stage.backend.mine()
    ids = stage.underlyings(prices)
    values = {ids[symbol]: price for symbol, price in prices.items()}
    stage.publisher.publish(values, stage.backend.timestamp(), Session.REGULAR)


def crash(stage, price):
    """A later instant with another price of IBM."""
    stage.backend.warp(stage.backend.timestamp() + 60)
    publish(stage, {**PRICES, "IBM": Decimal(price)})


def pass_time(stage, seconds, price):
    """The same price of IBM, later."""
    stage.backend.warp(stage.backend.timestamp() + seconds)
    publish(stage, {**PRICES, "IBM": Decimal(price)})


def auction(stage):
    return stage.deployment.engine.auction(stage.account(HOLDER))


def insure(stage, dollars):
    """Money of the deployer's into the insurance account."""
    cash, vault, house = stage.deployment.cash, stage.deployment.vault, stage.deployment.clearinghouse
    cash.mint(stage.deployer, dollars * 10**6, sender=stage.deployer)
    cash.approve(vault, dollars * 10**6, sender=stage.deployer)
    vault.deposit(house.insurance_account(), CASH, dollars * 10**6, sender=stage.deployer)


def liquidator(stage, **options):
    address = stage.address(LIQUIDATOR)
    return Liquidator(
        stage.backend,
        stage.deployment.clearinghouse,
        stage.deployment.engine,
        sender=address,
        account=account_id(address),
        **options,
    )


def margin(stage, actor):
    return stage.deployment.clearinghouse.margin(stage.account(actor))


def slices(stage):
    engine = stage.deployment.engine
    logs = stage.backend.get_logs(0, stage.backend.block_number(), [engine.address])
    decoded = [engine.decode_log(log) for log in logs]
    return [fields for name, fields in filter(None, decoded) if name == "Slice"]


def transactions(stage):
    return RpcBackend(stage.backend.url).nonce(stage.address(LIQUIDATOR))


def test_tick__everybody_healthy__does_nothing(stage):
    before = transactions(stage)
    assert liquidator(stage).tick() == []
    assert transactions(stage) == before


def test_tick__holder_below_maintenance__sells_a_slice_and_restores_its_health(stage):
    crash(stage, 92)
    assert margin(stage, HOLDER).equity < margin(stage, HOLDER).maintenance
    decisions = liquidator(stage).tick()
    assert [(d.action, d.candidate.account) for d in decisions] == [(Action.TAKE, stage.account(HOLDER))]
    after = margin(stage, HOLDER)
    assert after.equity >= after.maintenance
    assert len(slices(stage)) == 1
    assert margin(stage, LIQUIDATOR).equity > wad(LIQUIDATOR.cash)


def test_tick__hedged_twin__is_left_alone(stage):
    crash(stage, 60)
    keeper = liquidator(stage)
    while keeper.tick():
        pass
    assert {fields["account"] for fields in slices(stage)} == {stage.account(HOLDER)}


def test_tick__same_block_again__decides_nothing_new(stage):
    crash(stage, 92)
    keeper = liquidator(stage, dry_run=True)
    assert len(keeper.tick()) == 1
    assert keeper.tick() == []


def test_tick__dry_run__decides_and_simulates_and_sends_nothing(stage):
    crash(stage, 92)
    before = transactions(stage)
    decisions = liquidator(stage, dry_run=True).tick()
    assert decisions[0].action is Action.TAKE
    assert transactions(stage) == before
    assert slices(stage) == []


def test_tick__price_old__account_has_the_benefit_of_the_doubt(stage):
    crash(stage, 92)
    stage.backend.warp(stage.backend.timestamp() + 86_400)
    assert margin(stage, HOLDER).equity < margin(stage, HOLDER).maintenance
    assert liquidator(stage).tick() == []


def test_tick__small_own_capital__takes_what_it_can_carry(stage):
    """A keeper whose account is nearly empty still takes a smaller slice."""
    house, vault = stage.deployment.clearinghouse, stage.deployment.vault
    owner = stage.address(LIQUIDATOR)
    vault.withdraw(account_id(owner), 255, (LIQUIDATOR.cash - 20_000) * 10**6, owner, sender=owner)
    crash(stage, 92)
    offered = stage.deployment.engine.quote(stage.account(HOLDER)).fraction
    decision = liquidator(stage).tick()[0]
    assert decision.action is Action.TAKE
    assert 0 < decision.fraction < offered
    assert house.margin(account_id(owner)).equity >= house.margin(account_id(owner)).initial


def test_tick__no_capital__waits_and_says_why(stage):
    owner = stage.address(LIQUIDATOR)
    stage.deployment.vault.withdraw(account_id(owner), 255, LIQUIDATOR.cash * 10**6, owner, sender=owner)
    crash(stage, 92)
    keeper, reason = liquidator(stage), "simulation: risk: below initial"
    # others may have the capital, and a lower price needs less of it
    assert [(d.action, d.reason) for d in keeper.tick()] == [(Action.START, reason)]
    assert [(d.action, d.reason) for d in keeper.tick()] == [(Action.WAIT, reason)]


def test_tick__throttled__takes_what_there_is_room_for_then_waits_and_says_so(stage):
    """A market whose bucket has room for a little: 2 % of its open interest at once, as much again in a minute."""
    engine = stage.deployment.engine
    tight = engine.terms()._replace(throttle_interest=400, throttle_depth=0)
    stage.govern(engine.set_terms, tight)
    crash(stage, 92)
    keeper = liquidator(stage)
    (first,) = keeper.tick()
    assert (first.action, first.candidate.throttled) == (Action.TAKE, True)
    (second,) = keeper.tick()
    assert (second.action, second.reason) == (Action.WAIT, "throttled")
    pass_time(stage, 60, 92)
    assert [(d.action, d.reason) for d in keeper.tick()] == [(Action.TAKE, "profitable")]


def test_tick__profit_below_what_is_wanted__starts_the_auction_keeps_it_alive_then_takes(stage):
    crash(stage, 92)
    keeper = liquidator(stage, policy=Policy(min_profit=wad(4_000)))
    assert [d.action for d in keeper.tick()] == [Action.START]
    begun = auction(stage)
    assert begun.started_at > 0
    assert [d.action for d in keeper.tick()] == [Action.WAIT]
    for _ in range(2):
        pass_time(stage, 180, 92)
        seen = auction(stage).seen_at
        assert [d.action for d in keeper.tick()] == [Action.START]
        assert auction(stage).started_at == begun.started_at
        assert auction(stage).seen_at >= seen + 180
        assert [d.action for d in keeper.tick()] == [Action.WAIT]
    pass_time(stage, 180, 92)
    decision = keeper.tick()[0]
    assert decision.action is Action.TAKE
    assert decision.profit >= wad(4_000)


def test_tick__away_for_longer_than_a_lapse__starts_the_auction_anew(stage):
    crash(stage, 92)
    keeper = liquidator(stage, policy=Policy(min_profit=wad(4_000)))
    keeper.tick()
    begun = auction(stage)
    pass_time(stage, 500, 92)
    assert [d.action for d in keeper.tick()] == [Action.START]
    assert auction(stage).started_at >= begun.started_at + 500


def test_tick__rival_always_first_to_keep_the_auction_alive__still_takes_when_it_pays(stage, monkeypatch):
    """Lost starts are no failures of the account's state, which they leave as it is."""
    crash(stage, 92)
    policy = Policy(min_profit=wad(4_000), attempts=2)
    slow, fast = liquidator(stage, policy=policy), liquidator(stage, policy=Policy(min_profit=wad(10**9)))
    assert [d.action for d in fast.tick()] == [Action.START]
    send, refused = stage.backend.send, []

    def outrun(to, data, sender, value=0):
        monkeypatch.setattr(stage.backend, "send", send)
        assert [d.action for d in fast.tick()] == [Action.START]
        try:
            return send(to, data, sender, value)
        except Revert as revert:
            refused.append(revert.reason)
            raise

    for _ in range(2):
        pass_time(stage, 180, 92)
        monkeypatch.setattr(stage.backend, "send", outrun)
        assert [d.action for d in slow.tick()] == [Action.START]
    assert refused == ["engine: running"] * 2
    pass_time(stage, 180, 92)
    assert [d.action for d in slow.tick()] == [Action.TAKE]
    assert len(slices(stage)) == 1


def test_tick__gas_dearer_than_the_discount__does_not_take(stage):
    crash(stage, 92)
    before = transactions(stage)
    dear = Policy(gas_currency_price=wad(10**9))
    assert liquidator(stage, policy=dear, dry_run=True).tick()[0].action is Action.START
    cheap = Policy(gas_currency_price=wad(1))
    decision = liquidator(stage, policy=cheap, dry_run=True).tick()[0]
    free = liquidator(stage, dry_run=True).tick()[0]
    assert decision.action is Action.TAKE
    assert 0 < free.profit - decision.profit < wad(1)
    assert transactions(stage) == before


def test_tick__refused_again_and_again_in_one_state__is_left_alone_until_it_changes(stage, monkeypatch):
    crash(stage, 92)
    keeper = liquidator(stage)
    send, refused = stage.backend.send, []

    def refuse(to, data, sender, value=0):
        refused.append(to)
        raise Revert("engine: state changed")

    monkeypatch.setattr(stage.backend, "send", refuse)
    for _ in range(5):
        stage.backend.mine()
        decisions = keeper.tick()
    assert len(refused) == 3
    assert decisions[0].reason == "failed 3 times in this state"
    monkeypatch.setattr(stage.backend, "send", send)
    # a hundredth of its maintenance margin is the least an unhealthy account may shed
    stage.trade(HOLDER, {stage.deployment.underlying("IBM").id: -500 * NANO})
    assert keeper.tick()[0].action is Action.TAKE


def test_tick__own_account_under_water__is_not_its_own_to_take(stage):
    ibm = stage.deployment.underlying("IBM").id
    for _ in range(5):
        stage.trade(LIQUIDATOR, {ibm: 12_000 * NANO})
    crash(stage, 94)
    house = stage.deployment.clearinghouse
    own = house.margin(stage.account(LIQUIDATOR))
    assert own.equity < own.maintenance
    assert stage.account(LIQUIDATOR) not in {d.candidate.account for d in liquidator(stage, dry_run=True).tick()}


def test_tick__gap_below_zero__waits_for_the_reward_that_pays(stage):
    """The price jumps past the account's equity: insurance pays the hole, and more the longer nobody takes it."""
    insure(stage, 1_000_000)
    crash(stage, 60)
    assert margin(stage, HOLDER).equity < 0
    keeper = liquidator(stage, policy=Policy(min_profit=wad(10_000)))
    assert [d.action for d in keeper.tick()] == [Action.START]
    assert [d.action for d in keeper.tick()] == [Action.WAIT]
    decision = None
    for _ in range(5):
        pass_time(stage, 180, 60)
        (decision,) = keeper.tick()
        if decision.action is Action.TAKE:
            break
        assert decision.action is Action.START
    assert decision.action is Action.TAKE
    taken = slices(stage)
    assert [fields["fraction"] for fields in taken] == [wad(1)]
    gained = margin(stage, LIQUIDATOR).equity - wad(LIQUIDATOR.cash)
    # the reward rises until the block that takes it
    assert gained >= decision.profit
    assert abs(gained - (taken[0]["equity"] + taken[0]["reward"])) < wad(1)
    assert stage.deployment.engine.uncovered_loss() == 0


def supply_index(stage):
    """What a share of cash was worth at the last change."""
    return Market.unpack(stage.deployment.clearinghouse.cash_words()).supply_index


def test_tick__gap_below_zero_and_nothing_insured__takes_for_the_loss_alone(stage):
    """No reward will ever rise, so a keeper that asks for no profit does not wait for one."""
    crash(stage, 60)
    before, index = margin(stage, LIQUIDATOR), supply_index(stage)
    insured = stage.deployment.clearinghouse.money(stage.deployment.clearinghouse.insurance_account()).cash
    assert 0 <= insured < -margin(stage, HOLDER).equity
    assert [d.action for d in liquidator(stage).tick()] == [Action.TAKE]
    # funding runs: what the hole is, the block that takes it knows
    (taken,) = slices(stage)
    assert (taken["fraction"], taken["reward"]) == (wad(1), -taken["equity"])
    # it is made whole for the account, and bears what insurance does not have like everybody who has cash
    borne = before.cash - before.cash * supply_index(stage) // index
    assert wad(1) < borne < before.cash
    assert abs(margin(stage, LIQUIDATOR).equity - before.equity + borne) < wad(1)
    assert stage.deployment.engine.uncovered_loss() == 0


def test_tick__race_lost__costs_one_refusal_and_no_second_slice(stage):
    """Another keeper acts between the decision and the send: the state is no longer the expected one."""
    crash(stage, 92)
    slow, fast = liquidator(stage), liquidator(stage)
    send = stage.backend.send

    def outrun(to, data, sender, value=0):
        stage.backend.send = send
        fast.tick()
        return send(to, data, sender, value)

    stage.backend.send = outrun
    slow.tick()
    assert len(slices(stage)) == 1


def test_tick__answer_to_the_send_lost__looks_the_transaction_up_and_buys_nothing_twice(stage, proxy, manifest):
    crash(stage, 92)
    backend = RpcBackend(proxy.url, [stage.keys[LIQUIDATOR.name]])
    system = Deployment.load(backend, manifest)
    owner = stage.address(LIQUIDATOR)
    keeper = Liquidator(backend, system.clearinghouse, system.engine, sender=owner, account=account_id(owner))
    proxy.lose_answer.append("eth_sendRawTransactionSync")
    proxy.lose_request += ["eth_getTransactionByHash"] * 4
    with pytest.raises(SendUnresolved):
        keeper.tick()
    proxy.seen.clear()
    assert keeper.tick() == []
    assert proxy.seen[0] == "eth_getTransactionByHash"
    assert len(slices(stage)) == 1


def test_tick__liquidation_paused__waits(stage):
    crash(stage, 92)
    stage.deployment.configurator.set_paused(4, sender=stage.deployer)
    decision = liquidator(stage).tick()[0]
    assert decision.action is Action.WAIT
    assert "paused" in decision.reason


def test_tick__node_reset_to_an_empty_chain__is_an_error_until_the_contracts_are_back(stage, node):
    keeper = liquidator(stage)
    keeper.tick()
    stage.backend.node.request("anvil_setCode", stage.deployment.clearinghouse.address, "0x")
    stage.backend.mine()
    with pytest.raises(NodeError, match="has no clearinghouse at"):
        keeper.tick()


# the program


@pytest.fixture
def manifest(stage, tmp_path):
    path = tmp_path / "manifest.json"
    stage.deployment.save(path)
    return path


class Program:
    """The keeper as a process of its own."""

    def __init__(self, node, manifest, key, log, *options):
        self._log = log
        with log.open("w") as output:
            self.process = subprocess.Popen(
                [
                    *(sys.executable, "-c", "from scripts.keeper import cli; cli()"),
                    *("--url", node.url, "--deployment", str(manifest), "--json-logs", "--interval", "0.1", *options),
                ],
                cwd=ROOT,
                env={**os.environ, "PRIME_PERPS_KEY": "0x" + bytes(key).hex()},
                stdout=subprocess.DEVNULL,
                stderr=output,
            )

    @property
    def told(self):
        return self._log.read_text()

    @property
    def events(self):
        return [line["event"] for line in self.lines]

    @property
    def lines(self):
        return [json.loads(line) for line in self.told.splitlines() if line.startswith("{") and line.endswith("}")]

    def says(self, event):
        until(lambda: event in self.events or self.process.poll() is not None)
        assert event in self.events, self.told

    def ends(self, seconds=60):
        return self.process.wait(seconds)


@pytest.fixture
def program(stage, node, manifest, tmp_path):
    """Starts the keeper; ends what is left of it."""
    running = []

    def start(*options):
        key = stage.keys[LIQUIDATOR.name].key
        running.append(Program(node, manifest, key, tmp_path / f"keeper {len(running)}.log", *options))
        return running[-1]

    yield start
    for one in running:
        one.process.kill()
        one.process.wait()


def until(condition, seconds=60):
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "did not happen in time"
        time.sleep(0.1)


def test_keeper__once__takes_a_slice_logs_it_and_ends(program, stage):
    crash(stage, 92)
    keeper = program("--once")
    assert keeper.ends() == 0, keeper.told
    taken = [line for line in keeper.lines if line["event"] == "slice_taken"]
    assert len(taken) == 1
    assert taken[0]["transaction"].startswith("0x")
    assert len(slices(stage)) == 1


def test_keeper__node_stopped_and_started_again__goes_on_by_itself(program, stage, node):
    keeper = program()
    keeper.says("started")
    node.stop()
    keeper.says("node_unreachable")
    node.start()
    crash(stage, 92)
    until(lambda: len(slices(stage)) == 1)
    keeper.says("node_back")
    keeper.process.send_signal(signal.SIGTERM)
    assert keeper.ends() == 0, keeper.told
    assert keeper.events[-1] == "stopped"


def test_keeper__killed_and_started_again__goes_on_from_the_chain_alone(program, stage):
    """Nothing is kept between two runs that could be lost: the second one finds what the first one left."""
    first = program()
    first.says("started")
    first.process.kill()
    first.ends()
    crash(stage, 92)
    second = program("--once")
    assert second.ends() == 0, second.told
    assert len(slices(stage)) == 1
    third = program("--once")
    assert third.ends() == 0, third.told
    assert len(slices(stage)) == 1


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_keeper__signal__ends_at_once_with_exit_code_zero(program, number):
    keeper = program("--interval", "600")
    keeper.says("started")
    keeper.process.send_signal(number)
    assert keeper.ends(20) == 0, keeper.told
    assert keeper.events[-1] == "stopped"


def test_keeper__node_down_at_the_start__one_clear_line(program, node):
    node.stop()
    keeper = program()
    assert keeper.ends() == 1
    assert keeper.told.startswith("Error: no answer from http://127.0.0.1:")
    assert "Traceback" not in keeper.told
