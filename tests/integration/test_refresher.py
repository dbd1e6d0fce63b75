"""The refresher against real feeds that fail, on a real anvil; and as a program."""

from __future__ import annotations

import pytest
import structlog

from prime_perps.chain import Contract
from prime_perps.chain.anvil import Anvil
from prime_perps.keepers.calendar_keeper import day
from prime_perps.keepers.refresher import GAS_A_FEED, Refresher
from prime_perps.reports import Feed, Flag, Session, Source
from prime_perps.sessions import Closing
from tests.integration.oracle_site import AAPL, BTC, CARRIER, IBM, SYMBOLS, OracleSite, Program, until

DECIMALS = 8
HEARTBEAT = 86_400
REVERTS, BURNS_GAS = 1, 2


@pytest.fixture
def node(tmp_path):
    """Comes back with its chain after a stop."""
    with Anvil(state=tmp_path / "chain.json") as running:
        yield running


@pytest.fixture
def site(node, tmp_path):
    return OracleSite(node, tmp_path)


@pytest.fixture
def feeds(site):
    """IBM and BTC have push feeds, AAPL has reports."""
    made = {}
    for underlying, price in ((IBM, 120), (BTC, 60_000)):
        feed = Contract.deploy(site.backend, "DevnetFeed", DECIMALS, SYMBOLS[underlying], sender=site.owner)
        feed.publish(price * 10**DECIMALS, sender=site.owner)
        terms = Feed(Source.AGGREGATOR, feed.address, DECIMALS, HEARTBEAT, 50, Session.ALWAYS_OPEN)
        site.oracle.set_feed(underlying, terms, sender=site.owner)
        made[underlying] = feed
    return made


def refresher(site, **options):
    return Refresher(site.backend, site.oracle, SYMBOLS, sender=site.carrier, **options)


def wait(site, seconds):
    site.backend.warp(site.backend.timestamp() + seconds)


@pytest.fixture
def told():
    with structlog.testing.capture_logs() as lines:
        yield lines


def events(told):
    return [line["event"] for line in told]


def test_tick__words_never_written__writes_those_of_push_feeds_in_one_transaction(site, feeds, told):
    outcome = refresher(site).tick()
    assert outcome.due == outcome.written == [IBM, BTC]
    assert site.word(IBM).mid == 120 * 10**8
    assert site.word(AAPL).time == 0
    assert site.transactions(site.carrier) == 1
    assert (told[0]["symbols"], told[0]["unanswered"]) == (["IBM", "BTC"], [])


def test_tick__words_fresh__does_nothing_until_the_lead_before_their_limit(site, feeds):
    worker = refresher(site, lead=15)
    worker.tick()
    wait(site, 40)
    assert worker.tick().due == []
    wait(site, 10)
    assert worker.tick().written == [IBM, BTC]
    assert site.transactions(site.carrier) == 2


@pytest.mark.parametrize("fault", [REVERTS, BURNS_GAS])
def test_tick__one_feed_down__is_told_once_and_paid_for_never(site, feeds, told, fault):
    feeds[IBM].set_fault(fault, sender=site.owner)
    worker = refresher(site)
    assert worker.tick().written == [BTC]
    assert worker.tick().written == []
    feeds[IBM].set_fault(0, sender=site.owner)
    assert worker.tick().written == [IBM]
    assert events(told) == ["feed_silent", "refreshed", "feed_back", "refreshed"]
    assert (told[0]["symbol"], told[1]["symbols"]) == ("IBM", ["BTC"])


def test_tick__nothing_would_be_written__sends_nothing(site, feeds):
    for feed in feeds.values():
        feed.set_fault(REVERTS, sender=site.owner)
    outcome = refresher(site).tick()
    assert (outcome.due, outcome.written) == ([IBM, BTC], [])
    assert site.transactions(site.carrier) == 0


def test_tick__gas_bounded__one_feed_a_transaction(site, feeds):
    assert refresher(site, max_gas=GAS_A_FEED).tick().written == [IBM, BTC]
    assert site.transactions(site.carrier) == 2


def test_tick__gas_too_dear__waits_and_tells_it_once(site, feeds, told):
    worker = refresher(site, max_gas_price=1)
    for _ in range(2):
        assert worker.tick().written == []
    assert events(told) == ["gas_too_dear"]
    assert site.transactions(site.carrier) == 0


def test_tick__dry_run__sends_nothing(site, feeds, told):
    assert refresher(site, dry_run=True).tick().written == []
    assert events(told) == ["would_refresh"]
    assert site.transactions(site.carrier) == 0


def test_tick__feed_fails_between_look_and_block__says_which_did_not_answer(site, feeds, told):
    send = site.backend.send

    def spoil(to, data, sender, value=0):
        site.backend.send = send
        feeds[IBM].set_fault(REVERTS, sender=site.owner)
        return send(to, data, sender, value)

    site.backend.send = spoil
    assert refresher(site).tick().written == [BTC]
    assert told[0]["unanswered"] == ["IBM"]


# a shut exchange


@pytest.fixture
def weekend(site, feeds):
    """From an hour and a half on, for two days; IBM keeps hours and has been refreshed, BTC does not."""
    terms = Feed(Source.AGGREGATOR, feeds[IBM].address, DECIMALS, 30 * HEARTBEAT, 50)
    site.oracle.set_feed(IBM, terms, sender=site.owner)
    start = site.backend.timestamp() + 5_400
    closing = Closing(start, start + 48 * 3_600)
    site.oracle.post_closures([closing], start + 30 * 86_400, sender=site.owner)
    return closing


def go(site, time):
    wait(site, time - site.backend.timestamp())


def test_tick__exchange_shuts__is_marked_once_then_waited_for_and_told_once(site, feeds, weekend, told):
    worker = refresher(site)
    worker.tick()
    go(site, weekend.start + 100)
    outcome = worker.tick()
    assert (outcome.written, outcome.waiting) == ([IBM, BTC], [])
    assert site.word(IBM).session == Session.CLOSED
    for _ in range(3):
        go(site, site.backend.timestamp() + 100)
        outcome = worker.tick()
        assert (outcome.due, outcome.written, outcome.waiting) == ([BTC], [BTC], [IBM])
    (line,) = [line for line in told if line["event"] == "waiting"]
    assert line["symbols"] == ["IBM"]
    assert line["why"] == f"the exchange is shut by the calendar until {day(weekend.end)}"
    assert "feed_silent" not in events(told)


def test_tick__exchange_opens_again__the_first_price_is_made_at_once_and_confirmed(site, feeds, weekend):
    """A closed word does not grow old for days: it is the calendar that says when."""
    worker = refresher(site)
    worker.tick()
    for time in (weekend.start + 100, weekend.end - 10):
        go(site, time)
        worker.tick()
    go(site, weekend.end)
    assert IBM in worker.tick().written
    assert (site.word(IBM).session, site.word(IBM).flags) == (Session.REGULAR, Flag.REOPENING)
    for _ in range(3):
        wait(site, 50)
        worker.tick()
    assert site.word(IBM).flags == 0


def test_tick__exchange_opens_again_and_the_feed_is_silent__is_told(site, feeds, weekend, told):
    worker = refresher(site)
    worker.tick()
    go(site, weekend.start + 100)
    worker.tick()
    feeds[IBM].set_fault(REVERTS, sender=site.owner)
    go(site, weekend.end - 60)
    feeds[BTC].publish(60_000 * 10**DECIMALS, sender=site.owner)
    go(site, weekend.end)
    outcome = worker.tick()
    assert (IBM in outcome.due, outcome.waiting) == (True, [])
    assert [line["symbol"] for line in told if line["event"] == "feed_silent"] == ["IBM"]


def test_tick__never_priced_before_it_shut__is_waited_for_without_an_alarm(site, feeds, weekend, told):
    go(site, weekend.start + 100)
    outcome = refresher(site).tick()
    assert (outcome.due, outcome.waiting) == ([BTC], [IBM])
    assert events(told) == ["waiting", "refreshed"]


# the program


@pytest.fixture
def program(site):
    """Starts the refresher; ends what is left of it."""
    running = []

    def start(*options):
        where = ("--url", site.node.url, "--deployment", str(site.manifest))
        log = site.folder / f"refresher {len(running)}.log"
        running.append(Program("refresher", site.node.keys[CARRIER], log, *where, *options))
        return running[-1]

    yield start
    for one in running:
        one.kill()


def test_refresher__once__refreshes_and_ends(program, site, feeds):
    keeper = program("--once")
    assert keeper.ends() == 0, keeper.told
    assert keeper.says("refreshed")["symbols"] == ["IBM", "BTC"]
    assert site.word(BTC).mid == 60_000 * 10**8


def test_refresher__once_and_a_feed_down__exit_code_1(program, site, feeds):
    feeds[IBM].set_fault(REVERTS, sender=site.owner)
    keeper = program("--once")
    assert keeper.ends() == 1
    assert "Error: 1 words that were due are not refreshed" in keeper.told


def test_refresher__node_gone_and_back__goes_on(site, node, feeds, program):
    keeper = program("--interval", "0.1")
    keeper.says("refreshed")
    node.stop()
    keeper.says("node_unreachable")
    node.start()
    keeper.says("node_back")
    before = site.word(IBM).time
    site.backend.warp(before + 60)
    until(lambda: site.word(IBM).time > before)
    assert keeper.stop() == 0, keeper.told
    assert keeper.lines[-1]["event"] == "stopped"
