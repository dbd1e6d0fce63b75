"""What the publisher makes of signatures and of a chain that refuses, loses and comes late; against the real oracle."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal

import pytest
import structlog

from prime_perps.chain.rpc import RpcBackend, SendUnresolved
from prime_perps.errors import NodeError, Revert
from prime_perps.keepers import publisher
from prime_perps.keepers.publisher import Aggregator
from prime_perps.keepers.report_signer import ReportSigner
from prime_perps.keepers.signer_panel import Collected
from prime_perps.keepers.signer_sources import Observation, Unobserved
from prime_perps.reports import Feed, Session, Source, assemble
from tests.integration.oracle_site import AAPL, BTC, CARRIER, IBM, SIGNERS, SYMBOLS, OracleSite


@pytest.fixture
def site(node, tmp_path):
    """On a chain that other tests have used; the adapter is this one's own."""
    return OracleSite(node, tmp_path)


@pytest.fixture(autouse=True)
def _quick(monkeypatch):
    monkeypatch.setattr(publisher, "LOOK_AGAIN", 0.01)


class Seen:
    """Prices by symbol, seen at `at`; open exchange."""

    def __init__(self, at, **prices):
        self.prices = prices
        self.at = at
        self.session = Session.REGULAR

    def observe(self, symbol, instant):
        if symbol not in self.prices:
            raise Unobserved(f"no price of {symbol}")
        return Observation(Decimal(self.prices[symbol]), self.session, self.at)


class Signers:
    """The signers in this process, in place of the panel that asks them over HTTP."""

    def __init__(self, site):
        keys = [site.node.keys[signer] for signer in SIGNERS]
        self._signers = [ReportSigner(key, site.backend.chain_id(), site.oracle.address) for key in keys]
        self.absent = 0
        self.spoil = {}

    def collect(self, proposed, threshold, allowed):
        signers = self._signers[self.absent :][:threshold]
        signed = [assemble(self.spoil.get(r.underlying, r), [s.sign(r) for s in signers]) for r in proposed]
        if len(signers) < threshold:
            return Collected([], [(report, len(signers)) for report in proposed])
        return Collected(signed, [])


@pytest.fixture
def seen(site):
    return Seen(site.backend.timestamp(), AAPL="170", IBM="120", BTC="60000")


@pytest.fixture
def signers(site):
    return Signers(site)


def aggregator(site, signers, seen, backend=None, **options):
    backend = backend or site.backend
    oracle = type(site.oracle)(backend, site.oracle.address, site.oracle.abi)
    return Aggregator(backend, oracle, signers, seen, SYMBOLS, sender=site.carrier, clock=lambda: seen.at, **options)


@pytest.fixture
def told():
    with structlog.testing.capture_logs() as lines:
        yield lines


def reasons(told):
    return {line["symbol"]: line["why"] for line in told if line["event"] == "not_landed"}


def test_tick__everything_due__lands_in_one_transaction(site, signers, seen, told):
    before = site.transactions(site.carrier)
    outcome = aggregator(site, signers, seen).tick()
    assert (outcome.landed, outcome.missed) == ([AAPL, IBM, BTC], [])
    assert site.transactions(site.carrier) == before + 1
    word = site.word(AAPL)
    assert (word.mid, word.time, word.session) == (170 * 10**8, seen.at, Session.REGULAR)
    [line] = [line for line in told if line["event"] == "published"]
    assert (line["symbols"], line["prices"]) == (["AAPL", "IBM", "BTC"], ["170", "120", "60000"])


def test_tick__same_instant_again__sends_nothing(site, signers, seen):
    for _ in range(2):
        aggregator(site, signers, seen).tick()
    assert site.words_written() == [(AAPL, seen.at), (IBM, seen.at), (BTC, seen.at)]


def test_tick__one_price_moved__only_that_one_is_published(site, signers, seen):
    worker = aggregator(site, signers, seen)
    worker.tick()
    seen.at += 1
    seen.prices["IBM"] = "121"
    assert worker.tick().landed == [IBM]


def test_tick__over_sixteen_reports__sixteen_a_transaction(site, signers, seen):
    symbols = {number: f"S{number}" for number in range(18)}
    for number in range(3, 18):
        site.oracle.set_feed(number, Feed(Source.REPORTS), sender=site.owner)
    seen.prices = dict.fromkeys(symbols.values(), "5")
    before = site.transactions(site.carrier)
    worker = aggregator(site, signers, seen)
    worker._symbols = symbols
    assert worker.tick().landed == list(symbols)
    assert site.transactions(site.carrier) == before + 2


def test_tick__symbol_the_source_does_not_know__is_told_once_and_the_others_land(site, signers, seen, told):
    del seen.prices["BTC"]
    worker = aggregator(site, signers, seen)
    assert worker.tick().landed == [AAPL, IBM]
    worker.tick()
    assert [line["symbol"] for line in told if line["event"] == "no_price"] == ["BTC"]


def test_tick__underlying_with_a_push_feed_or_none__is_not_proposed(site, signers, seen):
    site.oracle.set_feed(BTC, Feed(Source.UNLISTED), sender=site.owner)
    assert aggregator(site, signers, seen).tick().landed == [AAPL, IBM]


def test_tick__too_few_signers__nothing_lands_and_it_says_how_many_there_were(site, signers, seen, told):
    signers.absent = 2
    outcome = aggregator(site, signers, seen).tick()
    assert (outcome.landed, outcome.missed) == ([], [AAPL, IBM, BTC])
    assert set(reasons(told).values()) == {"1 of 2 signatures"}


def test_tick__one_report_the_chain_refuses__the_others_land(site, signers, seen, told):
    """Its signatures are on something else."""
    signers.spoil[IBM] = replace(Observation(Decimal(1), Session.REGULAR, seen.at).report(IBM))
    before = site.transactions(site.carrier)
    outcome = aggregator(site, signers, seen).tick()
    assert (outcome.landed, outcome.missed) == ([AAPL, BTC], [IBM])
    assert reasons(told) == {"IBM": "oracle: bad signature"}
    assert site.transactions(site.carrier) == before + 1


def test_tick__carried_by_somebody_else_meanwhile__is_told_as_passed_over(site, signers, seen, told):
    worker = aggregator(site, signers, seen)
    send = site.backend.send

    def outrun(to, data, sender, value=0):
        site.backend.send = send
        send(to, data, site.owner, value)
        return send(to, data, sender, value)

    site.backend.send = outrun
    outcome = worker.tick()
    site.backend.send = send
    assert (outcome.landed, outcome.missed) == ([], [AAPL, IBM, BTC])
    assert set(reasons(told).values()) == {"passed over: there is a newer word"}


def test_tick__transaction_fails__the_same_report_is_never_sent_again(site, signers, seen, told):
    worker = aggregator(site, signers, seen)
    send, sent = site.backend.send, []

    def fail(to, data, sender, value=0):
        sent.append(data)
        raise Revert("oracle: report too old")

    site.backend.send = fail
    assert worker.tick().missed == [AAPL, IBM, BTC]
    site.backend.send = send
    assert worker.tick().landed == []
    assert len(sent) == 1
    seen.at += 1
    assert worker.tick().landed == [AAPL, IBM, BTC]


def test_tick__clock_ahead_of_the_chain__waits_for_the_block(site, signers, seen):
    seen.at = site.backend.timestamp() + 10_000
    estimate, asked = site.backend.estimate_gas, []

    def later(to, data, sender):
        asked.append(data)
        if len(asked) == 3:
            site.backend.warp(seen.at)
        return estimate(to, data, sender)

    site.backend.estimate_gas = later
    outcome = aggregator(site, signers, seen).tick()
    site.backend.estimate_gas = estimate
    assert outcome.landed == [AAPL, IBM, BTC]
    assert len(asked) == 3


def test_tick__block_never_comes__is_given_up(site, signers, seen, told, monkeypatch):
    monkeypatch.setattr(publisher, "NEXT_BLOCK", 0.05)
    seen.at = site.backend.timestamp() + 10_000
    assert aggregator(site, signers, seen).tick().landed == []
    assert set(reasons(told).values()) == {"oracle: report from the future"}


def test_tick__dry_run__collects_and_sends_nothing(site, signers, seen, told):
    before = site.transactions(site.carrier)
    assert aggregator(site, signers, seen, dry_run=True).tick().landed == []
    assert site.transactions(site.carrier) == before
    assert [line["symbols"] for line in told if line["event"] == "would_publish"] == [["AAPL", "IBM", "BTC"]]


@pytest.fixture
def lossy(site, signers, seen, proxy):
    backend = RpcBackend(proxy.url, [site.node.keys[CARRIER]])
    return aggregator(site, signers, seen, backend)


def test_tick__answer_to_the_send_lost__is_looked_up_and_not_sent_again(site, lossy, seen, proxy, told):
    proxy.lose_answer.append("eth_sendRawTransactionSync")
    proxy.lose_request += ["eth_getTransactionByHash"] * 4
    with pytest.raises(SendUnresolved):
        lossy.tick()
    outcome = lossy.tick()
    assert outcome.landed == [AAPL, IBM, BTC]
    assert site.words_written() == [(AAPL, seen.at), (IBM, seen.at), (BTC, seen.at)]
    assert [line["symbol"] for line in told if line["event"] == "landed_late"] == ["AAPL", "IBM", "BTC"]


def test_tick__send_lost_on_its_way__is_told_and_the_next_price_goes_through(site, lossy, seen, proxy, told):
    proxy.lose_request += ["eth_sendRawTransactionSync"]
    proxy.lose_request += ["eth_getTransactionByHash"] * 4
    with pytest.raises(SendUnresolved):
        lossy.tick()
    seen.at += 1
    outcome = lossy.tick()
    assert set(reasons(told).values()) == {"the node lost the transaction"}
    assert outcome.landed == [AAPL, IBM, BTC]
    assert {written for _, written in site.words_written()} == {seen.at}


def test_tick__node_down_after_signing__says_what_did_not_land(site, signers, seen, told):
    def down(*_):
        raise NodeError("no answer")

    worker = aggregator(site, signers, seen)
    estimate, site.backend.estimate_gas = site.backend.estimate_gas, down
    with pytest.raises(NodeError):
        worker.tick()
    site.backend.estimate_gas = estimate
    assert reasons(told) == {"AAPL": "no answer", "IBM": "no answer", "BTC": "no answer"}
