"""Signers and publisher as they run: processes of their own around a real anvil, and what befalls them."""

from __future__ import annotations

import json
import signal
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
import requests

from prime_perps import reports
from prime_perps.chain.anvil import Anvil, free_port
from prime_perps.keepers import signer_wire
from prime_perps.keepers.signer_sources import HistoryReplay
from prime_perps.reports import Report, Session
from tests.integration.oracle_site import AAPL, CARRIER, IBM, SIGNERS, STRANGER, OracleSite, Program, until

NOON_IN_2008 = 1_221_580_800  # Tuesday, 16 September, New York


@pytest.fixture
def node(request, tmp_path):
    """Comes back with its chain after a stop. Begins now, or at the instant it is given."""
    with Anvil(state=tmp_path / "chain.json", timestamp=getattr(request, "param", None)) as running:
        yield running


@pytest.fixture
def site(node, tmp_path):
    return OracleSite(node, tmp_path)


@pytest.fixture
def start(site):
    """Starts keepers by name; ends what is left of them."""
    running = []

    def launch(keeper, key, *options, **environment):
        log = site.folder / f"{len(running)} {keeper}.log"
        where = ("--deployment", str(site.manifest), "--url", site.node.url)
        running.append(Program(keeper, site.node.keys[key], log, *where, *options, **environment))
        return running[-1]

    yield launch
    for one in running:
        one.kill()


class Signer:
    """A signer at a place of its own, with a journal of its own."""

    def __init__(self, start, site, key, *options):
        self.address = site.node.addresses[key]
        self._start = lambda: start("signer", key, "--port", str(self._port), "--journal", self._journal, *self._see)
        self._port = free_port()
        self._journal = str(site.folder / f"journal {key}.json")
        self._see = options or ("--prices", str(site.prices))
        self.url = f"http://127.0.0.1:{self._port}"
        self.again()

    def again(self):
        self.program = self._start()

    def ask(self, report):
        answer = requests.post(self.url + signer_wire.PATH, json=signer_wire.request([report]), timeout=30)
        [given] = signer_wire.read_answer(answer.json(), 1)[1]
        return given


@pytest.fixture
def signers(start, site):
    site.see(AAPL="170", IBM="120")
    made = [Signer(start, site, key) for key in SIGNERS]
    for signer in made:
        signer.program.says("started")
    return made


def publisher(start, site, urls, *options):
    places = [part for url in urls for part in ("--signer", url)]
    return start("publisher", CARRIER, "--prices", str(site.prices), "--interval", "0.05", *places, *options)


def publish_once(start, site, urls, *options):
    program = publisher(start, site, urls, "--once", *options)
    return program.ends(), program


def test_publisher__three_signers__the_words_follow_the_prices(start, site, signers):
    carrier = publisher(start, site, [one.url for one in signers])
    carrier.says("published")
    assert (site.word(AAPL).mid, site.word(IBM).mid) == (170 * 10**8, 120 * 10**8)
    until(lambda: site.see(AAPL="171", IBM="120") and site.word(AAPL).mid == 171 * 10**8)
    assert carrier.stop(signal.SIGINT) == 0, carrier.told
    assert carrier.lines[-1]["event"] == "stopped"
    assert [one.program.stop() for one in signers] == [0, 0, 0]
    written = site.words_written()
    assert len(set(written)) == len(written)


def test_signer__killed_and_started_again__signs_no_second_price_for_the_same_time(start, site, signers):
    one = signers[0]
    now = site.see(AAPL="170", IBM="120")
    report = Report(AAPL, 170 * 10**8, 5, Session.REGULAR, now)
    signed = one.ask(report)
    one.program.kill()
    site.see(AAPL="170.01", IBM="120", at=now)
    one.again()
    one.program.says("started")
    # within its tolerance, and what it sees itself by now
    second = one.ask(Report(AAPL, 170_01000000, 5, Session.REGULAR, now))
    assert second == signer_wire.Refused(f"underlying 0: another price was signed for {now}")
    assert one.ask(report) == signed
    assert one.program.all("refused")[0]["symbol"] == "AAPL"


def test_publisher__signer_killed_and_back__two_are_enough_meanwhile(start, site, signers):
    signers[0].program.kill()
    # due again at once, whatever the price
    carrier = publisher(start, site, [one.url for one in signers], "--freshness", "100")
    failed = carrier.says("signer_failed")
    assert failed["url"] == signers[0].url
    carrier.says("published")
    signers[0].again()
    until(lambda: site.see(AAPL="170", IBM="120") and carrier.all("signer_back"))


def test_publisher__two_of_three_gone__nothing_lands_and_exit_code_1(start, site, signers):
    for one in signers[:2]:
        one.program.kill()
    code, carrier = publish_once(start, site, [one.url for one in signers])
    assert code == 1
    assert "Error: 2 reports did not land, 0 did" in carrier.told
    assert {line["why"] for line in carrier.all("not_landed")} == {"1 of 2 signatures"}
    assert site.words_written() == []


class Liar:
    """Signs whatever it is shown with a key the oracle does not know, in the name of a signer it knows."""

    def __init__(self, site):
        key, name = site.node.keys[STRANGER], site.node.addresses[SIGNERS[2]]
        chain_id, adapter = site.backend.chain_id(), site.oracle.address

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self):
                body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
                signed = [reports.sign(one, key, chain_id, adapter) for one in signer_wire.read_request(body)]
                raw = json.dumps(signer_wire.answer(name, signed)).encode()
                self.send_response(200)
                self.send_header("Content-Length", str(len(raw)))
                self.end_headers()
                self.wfile.write(raw)

            def log_message(self, *_):
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self._server.server_port}"
        threading.Thread(target=self._server.serve_forever, args=(0.01,), daemon=True).start()

    def stop(self):
        self._server.shutdown()
        self._server.server_close()


@pytest.fixture
def liar(site):
    running = Liar(site)
    yield running
    running.stop()


def test_publisher__one_signer_lies__is_found_out_and_the_others_are_enough(start, site, signers, liar):
    code, carrier = publish_once(start, site, [liar.url, signers[0].url, signers[1].url])
    assert code == 0, carrier.told
    assert site.word(AAPL).mid == 170 * 10**8
    signers[1].program.kill()
    until(lambda: site.see(AAPL="180", IBM="120") > site.word(AAPL).time)
    code, carrier = publish_once(start, site, [liar.url, signers[0].url, signers[1].url])
    assert code == 1
    assert f"gave a wrong signature in the name of {signers[2].address}" in {
        line["why"] for line in carrier.all("signer_failed")
    }
    assert site.word(AAPL).mid == 170 * 10**8


def test_publisher__proposes_what_signers_do_not_see__says_who_refused_and_why(start, site, signers):
    theirs, own = site.prices, site.folder / "own.json"
    site.see(own, AAPL="200", IBM="120")
    site.see(theirs, AAPL="170", IBM="120")
    site.prices = own
    code, carrier = publish_once(start, site, [one.url for one in signers])
    assert code == 1
    refusals = carrier.all("signer_refused")
    assert {line["signer"] for line in refusals} <= {one.address for one in signers}
    assert {(line["underlying"], line["why"]) for line in refusals} == {
        (AAPL, "price 20000000000, the signer sees 17000000000")
    }
    assert [entry for entry, _ in site.words_written()] == [IBM]


def test_publisher__node_stopped_and_started_again__goes_on_and_lands_nothing_twice(start, site, node, signers):
    carrier = publisher(start, site, [one.url for one in signers])
    carrier.says("published")
    node.stop()
    carrier.says("node_unreachable")
    node.start()
    carrier.says("node_back")
    before = site.word(AAPL).time
    until(lambda: site.see(AAPL="172", IBM="120") and site.word(AAPL).time > before)
    assert carrier.stop() == 0, carrier.told
    written = site.words_written()
    assert len(set(written)) == len(written)


def test_publisher__killed_and_started_again__lands_nothing_twice(start, site, signers):
    urls = [one.url for one in signers]
    first_one = publisher(start, site, urls)
    first_one.says("published")
    first_one.kill()
    first = site.words_written()
    code, carrier = publish_once(start, site, urls, "--freshness", "100")
    assert code == 0, carrier.told
    assert carrier.all("published") == []
    assert site.words_written() == first


def test_publisher__fewer_signers_than_the_oracle_asks_for__one_clear_line(start, site):
    code, carrier = publish_once(start, site, ["http://127.0.0.1:1"])
    assert (code, carrier.told) == (1, "Error: the oracle asks for 2 signers of a report, --signer names 1\n")


@pytest.mark.parametrize("node", [NOON_IN_2008], indirect=True)
def test_signer__chain_in_another_year__signs_the_history_by_the_chains_clock(start, site):
    """September 2008, replayed: everybody sees the same without a word to each other."""
    see = ("--history", "--chain-clock")
    pair = [Signer(start, site, key, *see) for key in SIGNERS[:2]]
    for one in pair:
        one.program.says("started")
    places = [part for one in pair for part in ("--signer", one.url)]
    carrier = start("publisher", CARRIER, *see, "--once", *places)
    assert carrier.ends() == 0, carrier.told
    word = site.word(IBM)
    expected = HistoryReplay().observe("IBM", word.time)
    assert (word.mid, word.session) == (int(expected.price * 10**8), Session.REGULAR)


def test_signer__journal_in_use__a_second_one_ends(start, site, signers):
    journal = site.folder / f"journal {SIGNERS[0]}.json"
    second = start("signer", SIGNERS[0], "--prices", str(site.prices), "--journal", str(journal), "--port", "0")
    assert second.ends() == 1
    assert second.told.startswith("Error: another process uses the signer's journal")


def test_signer__reachable_by_others_without_a_secret__is_refused(start, site):
    signer = start("signer", SIGNERS[0], "--prices", str(site.prices), "--journal", "x", "--host", "0.0.0.0")
    assert signer.ends() == 1
    assert "set PRIME_PERPS_SIGNER_TOKEN" in signer.told


def test_signer__once__says_what_it_sees(start, site):
    site.see(AAPL="170")
    signer = start("signer", SIGNERS[0], "--prices", str(site.prices), "--journal", "x", "--once")
    assert signer.ends() == 0, signer.told
    assert [(line["symbol"], line["price"]) for line in signer.all("sees")] == [("AAPL", "170")]
    assert {line["symbol"] for line in signer.all("no_price")} == {"IBM", "BTC"}


def test_signer__no_source_or_two__is_a_wrong_option(start, site):
    for options in ((), ("--history", "--prices", "x")):
        signer = start("signer", SIGNERS[0], "--journal", "x", *options)
        assert signer.ends() == 2
        assert "give a file of --prices or --history, one of the two" in signer.told
