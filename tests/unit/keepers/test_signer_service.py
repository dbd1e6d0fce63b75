"""A signer over HTTP: it signs what it sees itself, refuses everything else, and answers strangers nothing."""

from __future__ import annotations

import errno
import threading
import time
from dataclasses import replace
from decimal import Decimal

import pytest
import requests

from prime_perps import reports
from prime_perps.errors import NodeError
from prime_perps.keepers import signer_service, signer_wire
from prime_perps.keepers.loop import Stop
from prime_perps.keepers.report_signer import ReportSigner
from prime_perps.keepers.signer_rules import Rules
from prime_perps.keepers.signer_service import SignerService
from prime_perps.keepers.signer_sources import Observation, Unobserved
from prime_perps.keepers.signer_wire import Refused
from prime_perps.reports import Session

KEY = "0x" + "11" * 32
ADAPTER = "0x" + "22" * 20
NOW = 1_000_000
SYMBOLS = {0: "AAPL", 1: "IBM", 2: "GONE"}


class Seen:
    """AAPL at 100, IBM at 200."""

    def __init__(self):
        self.asked = []

    def observe(self, symbol, instant):
        self.asked.append(instant)
        if symbol == "GONE":
            raise Unobserved("nobody trades it")
        return Observation(Decimal(100 if symbol == "AAPL" else 200), Session.REGULAR, NOW)


@pytest.fixture
def source():
    return Seen()


@pytest.fixture
def service(tmp_path, source):
    signer = ReportSigner(KEY, 1, ADAPTER, tmp_path / "journal.json")
    return SignerService(signer, source, SYMBOLS, Rules(), lambda: NOW)


AAPL = Observation(Decimal(100), Session.REGULAR, NOW).report(0)
IBM = Observation(Decimal(200), Session.REGULAR, NOW).report(1)


def test_answer__what_it_sees__is_signed(service):
    assert service.answer([AAPL, IBM]) == [reports.sign(one, KEY, 1, ADAPTER) for one in (AAPL, IBM)]


@pytest.mark.parametrize(
    ("change", "why"),
    [
        ({"price": 101 * 10**8}, "the signer sees 10000000000"),
        ({"underlying": 2}, "nobody trades it"),
        ({"underlying": 63}, "no such underlying"),
        ({"observed_at": NOW + 60}, "in the future"),
        ({"observed_at": NOW - 60}, "60 seconds ago"),
    ],
)
def test_answer__something_else__is_refused_and_the_rest_signed(service, change, why):
    refused, signed = service.answer([replace(AAPL, **change), IBM])
    assert why in refused.why
    assert signed == reports.sign(IBM, KEY, 1, ADAPTER)


def test_answer__second_price_for_the_instant__is_refused_though_it_agrees(service):
    service.answer([AAPL])
    [refused] = service.answer([replace(AAPL, price=AAPL.price + 1)])
    assert refused == Refused(f"underlying 0: another price was signed for {NOW}")


def test_answer__refused_report__is_not_in_the_way_of_another_for_the_instant(service):
    service.answer([replace(AAPL, price=1)])
    assert service.answer([AAPL]) == [reports.sign(AAPL, KEY, 1, ADAPTER)]


def test_answer__report_from_the_future__the_source_is_asked_about_now(service, source):
    service.answer([replace(AAPL, observed_at=NOW + 60)])
    assert source.asked == [NOW]


def test_look__source__says_what_it_sees_and_what_not(service):
    seen = service.look()
    assert seen["IBM"].price == 200
    assert str(seen["GONE"]) == "nobody trades it"


class Server:
    """The HTTP side in a thread."""

    def __init__(self, service, token=None):
        self._stop, up = Stop(), threading.Event()

        def announce(port):
            self.url = f"http://127.0.0.1:{port}"
            up.set()

        app = signer_service.application(service, token)
        self._thread = threading.Thread(
            target=signer_service.serve, args=(app, "127.0.0.1", 0, self._stop, announce), daemon=True
        )
        self._thread.start()
        assert up.wait(30)

    def post(self, **options):
        return requests.post(self.url + signer_wire.PATH, timeout=30, **options)

    def ask(self, *asked, **options):
        answer = self.post(json=signer_wire.request(asked), **options)
        return answer.status_code, answer.json() if answer.ok else answer.text

    def stop(self):
        self._stop.set()
        self._thread.join(30)
        assert not self._thread.is_alive()


@pytest.fixture
def server(service):
    running = Server(service)
    yield running
    running.stop()


def test_post__reports__answers_each(server, service):
    status, body = server.ask(AAPL, replace(IBM, price=1))
    signer, answers = signer_wire.read_answer(body, 2)
    assert (status, signer) == (200, service.address)
    assert answers[0] == reports.sign(AAPL, KEY, 1, ADAPTER)
    assert isinstance(answers[1], Refused)


def test_post__many_at_once_for_one_instant__one_price_is_signed(server, monkeypatch):
    """Requests race; the journal and the rule see them one after the other, however slow the disk."""
    monkeypatch.setattr("prime_perps.keepers.report_signer.os.fsync", lambda _: time.sleep(0.02))
    answers = []

    def ask(extra):
        answers.append(server.ask(replace(AAPL, price=AAPL.price + extra)))

    threads = [threading.Thread(target=ask, args=(extra,)) for extra in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [status for status, _ in answers] == [200] * 8
    assert sorted("signature" in body["answers"][0] for _, body in answers) == [False] * 7 + [True]


@pytest.mark.parametrize("body", ["", "{", "[]", '{"reports": [{}]}'])
def test_post__garbage__is_a_bad_request(server, body):
    assert server.post(data=body, headers={"Content-Type": "application/json"}).status_code == 400


def test_post__from_a_page_in_a_browser__is_not_taken(server):
    """Without a preflight a page can send text only."""
    answer = server.post(data=str(signer_wire.request([AAPL])), headers={"Content-Type": "text/plain"})
    assert answer.status_code == 415


def test_post__too_long__is_not_read(server):
    assert server.post(json={"reports": ["x" * signer_wire.MESSAGE_LIMIT]}).status_code == 413


def test_post__journal_cannot_be_written__no_signature(server, service, monkeypatch):
    def full(_):
        raise OSError(errno.ENOSPC, "no space left on device")

    monkeypatch.setattr("prime_perps.keepers.report_signer.os.fsync", full)
    status, text = server.ask(AAPL)
    assert (status, text) == (503, "cannot sign now")


def test_post__clock_of_a_node_that_is_down__no_signature(source, tmp_path):
    def down():
        raise NodeError("no answer")

    signer = ReportSigner(KEY, 1, ADAPTER, tmp_path / "journal.json")
    running = Server(SignerService(signer, source, SYMBOLS, Rules(), down))
    assert running.ask(AAPL)[0] == 503
    running.stop()


def test_get__healthz__names_the_signer(server, service):
    assert requests.get(server.url + "/healthz", timeout=30).json() == {"signer": service.address}


@pytest.mark.parametrize(
    ("given", "status"), [(None, 401), ("Bearer wrong", 401), ("secret", 401), ("Bearer secret", 200)]
)
def test_post__token_asked_for__answers_only_who_has_it(service, given, status):
    running = Server(service, token="secret")
    headers = {} if given is None else {"Authorization": given}
    assert running.ask(AAPL, headers=headers)[0] == status
    running.stop()


def test_serve__port_taken__is_told(server, service):
    port = int(server.url.rpartition(":")[2])
    with pytest.raises(Exception, match=f"cannot listen on 127.0.0.1:{port}"):
        signer_service.serve(signer_service.application(service), "127.0.0.1", port, Stop(), print)
