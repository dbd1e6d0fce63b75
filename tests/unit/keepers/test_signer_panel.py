"""The panel believes signers only by what their signatures prove, and no signer can hold it up for long."""

from __future__ import annotations

import json
import threading
from contextlib import ExitStack
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
import structlog
from eth_account import Account

from prime_perps import reports
from prime_perps.errors import NodeError, PrimePerpsError
from prime_perps.keepers import signer_panel, signer_wire
from prime_perps.keepers.signer_panel import LARGEST_S, Panel, proves
from prime_perps.keepers.signer_wire import Refused
from prime_perps.reports import Report, Session, Signature

ADAPTER = "0x" + "22" * 20
KEYS = ["0x" + f"{number:02x}" * 32 for number in (1, 2, 3, 4)]
ADDRESSES = [Account.from_key(key).address for key in KEYS]
STRANGER = KEYS[3]
REPORT = Report(0, 100 * 10**8, 5, Session.REGULAR, 1_000)
OTHER = replace(REPORT, underlying=1)
ORDER = 0xFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFEBAAEDCE6AF48A03BBFD25E8CD0364141


def sign(report, key):
    return reports.sign(report, key, 1, ADAPTER)


def honest(key):
    def speak(proposed):
        return signer_wire.answer(Account.from_key(key).address, [sign(report, key) for report in proposed])

    return speak


class Voice:
    """An HTTP server that says what it is told to say: a body, raw bytes, a status, or nothing."""

    def __init__(self, speak):
        self.asked = 0
        self.token = None
        voice = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self):
                voice.asked += 1
                voice.token = self.headers.get("Authorization")
                body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
                said = speak(signer_wire.read_request(body))
                if isinstance(said, int):
                    self.send_error(said)
                    return
                raw = said if isinstance(said, bytes) else json.dumps(said).encode()
                self.send_response(200)
                self.send_header("Content-Length", str(len(raw)))
                self.end_headers()
                self.wfile.write(raw)

            def log_message(self, *_):
                pass

        class Server(ThreadingHTTPServer):
            daemon_threads = True

            def handle_error(self, *_):
                pass  # who asked has gone

        self._server = Server(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self._server.server_port}"
        threading.Thread(target=self._server.serve_forever, args=(0.01,), daemon=True).start()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self._server.shutdown()
        self._server.server_close()


@pytest.fixture
def voices():
    """Starts voices; ends them."""
    with ExitStack() as running:
        yield lambda *speakers: [running.enter_context(Voice(speak)) for speak in speakers]


@pytest.fixture
def told():
    with structlog.testing.capture_logs() as lines:
        yield lines


@pytest.fixture(autouse=True)
def _quick(monkeypatch):
    monkeypatch.setattr(signer_panel, "FIRST_PAUSE", 0.001)


def allowed(address):
    return address in ADDRESSES[:3]


def panel(running, **options):
    return Panel([voice.url for voice in running], 1, ADAPTER, **options)


def why(told):
    return [line["why"] for line in told if line["event"] == "signer_failed"]


def test_collect__all_honest__gives_the_threshold_of_signatures_in_order(voices):
    collected = panel(voices(*map(honest, KEYS[:3]))).collect([REPORT, OTHER], 2, allowed)
    assert collected.short == []
    assert [signed.report for signed in collected.signed] == [REPORT, OTHER]
    for signed in collected.signed:
        assert len(signed.signatures) == 2
        signers = [
            a
            for s in signed.signatures
            for a, k in zip(ADDRESSES, KEYS, strict=True)
            if sign(signed.report, k).data == s
        ]
        assert signers == sorted(signers, key=lambda address: int(address, 16))


def high_s(proposed):
    """The same signature as the curve sees it, which the contract's library does not take."""
    answers = []
    for report in proposed:
        data = sign(report, KEYS[2]).data
        s = ORDER - int.from_bytes(data[32:64])
        answers.append(Signature(ADDRESSES[2], data[:32] + s.to_bytes(32) + bytes([55 - data[64]])))
    return signer_wire.answer(ADDRESSES[2], answers)


def in_anothers_name(proposed):
    return signer_wire.answer(ADDRESSES[0], [sign(report, KEYS[2]) for report in proposed])


def on_something_else(proposed):
    return signer_wire.answer(ADDRESSES[2], [sign(replace(r, price=1), KEYS[2]) for r in proposed])


@pytest.mark.parametrize(
    ("lie", "reason", "asked"),
    [
        (high_s, "gave a wrong signature in the name of " + ADDRESSES[2], 1),
        (in_anothers_name, "gave a wrong signature in the name of " + ADDRESSES[0], 1),
        (on_something_else, "gave a wrong signature in the name of " + ADDRESSES[2], 1),
        (honest(STRANGER), f"{ADDRESSES[3]} is not a signer of the oracle", 1),
        (lambda _: b"\xff{", "answers garbage", 3),
        (lambda _: {"signer": ADDRESSES[2], "answers": []}, "answers garbage (not an answer to 1 reports)", 3),
        (lambda _: b"[" * 60_000, "answers garbage", 3),
        (lambda _: b" " * 100_000, "answers garbage (too long)", 3),
        (lambda _: 503, "HTTP 503", 3),
        (lambda _: 401, "HTTP 401", 1),
    ],
)
def test_collect__one_lies_or_fails__is_told_and_left_out(voices, told, lie, reason, asked):
    running = voices(honest(KEYS[0]), lie)
    collected = panel(running).collect([REPORT], 2, allowed)
    assert (collected.signed, collected.short) == ([], [(REPORT, 1)])
    assert running[1].asked == asked
    assert [reason in one for one in why(told)] == [True]


@pytest.mark.parametrize("lie", [high_s, in_anothers_name, honest(STRANGER), lambda _: b"{", lambda _: 500])
def test_collect__one_lies_or_fails_of_three__two_are_enough(voices, lie):
    collected = panel(voices(honest(KEYS[0]), lie, honest(KEYS[1]))).collect([REPORT], 2, allowed)
    expected = reports.sign_all(REPORT, KEYS[:2], 1, ADAPTER)
    assert collected.signed == [expected]


def test_collect__nobody_listens__is_asked_a_bounded_number_of_times(told):
    unheard = Panel(["http://127.0.0.1:1"], 1, ADAPTER)
    assert unheard.collect([REPORT], 1, allowed).short == [(REPORT, 0)]
    assert why(told) == ["cannot be reached (ClientConnectorError)"]


def test_collect__one_slow__the_others_are_not_held_up(voices):
    let_go = threading.Event()
    running = voices(lambda _: let_go.wait(60) and 500, honest(KEYS[0]), honest(KEYS[1]))
    collected = panel(running, patience=20).collect([REPORT], 2, allowed)
    let_go.set()
    assert len(collected.signed) == 1
    assert running[0].asked <= 1


def test_collect__the_slow_one_is_needed__its_time_is_bounded(voices, told):
    let_go = threading.Event()
    slow = voices(lambda _: let_go.wait(60) and 500, honest(KEYS[0]))
    collected = panel(slow, patience=0.1).collect([REPORT], 2, allowed)
    let_go.set()
    assert collected.short == [(REPORT, 1)]
    assert why(told) == ["no answer within 0.1 seconds"]


def test_collect__fails_once__is_asked_again(voices):
    turns = iter([500, None])

    def speak(proposed):
        return next(turns) or honest(KEYS[0])(proposed)

    assert len(panel(voices(speak)).collect([REPORT], 1, allowed).signed) == 1


def test_collect__same_signer_at_two_places__counts_once(voices):
    collected = panel(voices(honest(KEYS[0]), honest(KEYS[0]))).collect([REPORT], 2, allowed)
    assert collected.short == [(REPORT, 1)]


def test_collect__one_report_refused__is_told_with_the_reason_and_the_other_signed(voices, told):
    def speak(proposed):
        return signer_wire.answer(ADDRESSES[0], [Refused("too dear"), sign(proposed[1], KEYS[0])])

    collected = panel(voices(speak)).collect([REPORT, OTHER], 1, allowed)
    assert ([s.report for s in collected.signed], collected.short) == ([OTHER], [(REPORT, 0)])
    [line] = [line for line in told if line["event"] == "signer_refused"]
    assert (line["signer"], line["underlying"], line["why"]) == (ADDRESSES[0], 0, "too dear")


def test_collect__trouble_goes_on_and_ends__is_told_once_and_its_end(voices, told):
    turns = iter([401, 401, None])

    def speak(proposed):
        return next(turns) or honest(KEYS[0])(proposed)

    asker = panel(voices(speak))
    for _ in range(3):
        asker.collect([REPORT], 1, allowed)
    assert [line["event"] for line in told] == ["signer_failed", "signer_back"]


def test_collect__node_fails_to_say_who_is_allowed__is_raised(voices):
    def down(_):
        raise NodeError("no answer")

    with pytest.raises(NodeError, match="no answer"):
        panel(voices(honest(KEYS[0]))).collect([REPORT], 1, down)


def test_collect__token__is_sent(voices):
    running = voices(honest(KEYS[0]))
    panel(running, token="secret").collect([REPORT], 1, allowed)
    assert running[0].token == "Bearer secret"


@pytest.mark.parametrize("url", ["127.0.0.1:8700", "ftp://host", "http://"])
def test_panel__no_address__is_refused(url):
    with pytest.raises(PrimePerpsError, match="not the address of a signer"):
        Panel([url], 1, ADAPTER)


def test_panel__address_twice__is_one():
    assert len(Panel(["http://a:1", "http://a:1"], 1, ADAPTER)) == 1


def test_proves__v_beyond_27_and_28__does_not():
    good = sign(REPORT, KEYS[0])
    assert proves(good, REPORT, 1, ADAPTER)
    assert not proves(Signature(good.signer, good.data[:64] + bytes([good.data[64] - 27])), REPORT, 1, ADAPTER)
    assert not proves(Signature(good.signer, bytes(64) + b"\x1b"), REPORT, 1, ADAPTER)
    assert not proves(Signature(good.signer, b"\xff" * 32 + LARGEST_S.to_bytes(32) + b"\x1b"), REPORT, 1, ADAPTER)
