"""What signers and publishers say to each other comes through whole, and nothing else is taken for it."""

from __future__ import annotations

import json

import pytest

from prime_perps.keepers import signer_wire
from prime_perps.keepers.signer_wire import Garbled, Refused
from prime_perps.reports import Report, Session, Signature

REPORT = Report(3, 2**56 - 1, 5, Session.REGULAR, 1_700_000_000, 10**24)
SIGNER = "0x" + "aB" * 20


def passed(body):
    return json.loads(json.dumps(body))


def test_request__read_back__is_the_same():
    assert signer_wire.read_request(passed(signer_wire.request([REPORT]))) == [REPORT]


def test_answer__read_back__is_the_same():
    answers = [Signature(SIGNER, bytes(range(65))), Refused("no")]
    assert signer_wire.read_answer(passed(signer_wire.answer(SIGNER, answers)), 2) == (SIGNER, answers)


ROW = signer_wire.request([REPORT])["reports"][0]


@pytest.mark.parametrize(
    "body",
    [
        None,
        [],
        {},
        {"reports": {}},
        {"reports": []},
        {"reports": [ROW] * 65},
        {"reports": [{}]},
        {"reports": [None]},
        {"reports": [{**ROW, "price": 5}]},
        {"reports": [{**ROW, "price": "-5"}]},
        {"reports": [{**ROW, "price": "5e3"}]},
        {"reports": [{**ROW, "price": "9" * 79}]},
        {"reports": [{**ROW, "colour": "1"}]},
    ],
)
def test_read_request__something_else__is_garbled(body):
    with pytest.raises(Garbled):
        signer_wire.read_request(body)


@pytest.mark.parametrize(
    "body",
    [
        None,
        [],
        {"answers": []},
        {"signer": SIGNER, "answers": []},
        {"signer": SIGNER, "answers": [{}]},
        {"signer": SIGNER, "answers": [None]},
        {"signer": SIGNER, "answers": [{"signature": "0x00"}]},
        {"signer": SIGNER, "answers": [{"signature": 5}]},
        {"signer": SIGNER, "answers": [{"refused": "no"}] * 2},
        {"signer": "somebody", "answers": [{"refused": "no"}]},
        {"signer": 7, "answers": [{"refused": "no"}]},
    ],
)
def test_read_answer__something_else__is_garbled(body):
    with pytest.raises(Garbled):
        signer_wire.read_answer(body, 1)


def test_read_answer__refusal_of_many_lines__is_a_short_one():
    _, [refused] = signer_wire.read_answer({"signer": SIGNER, "answers": [{"refused": "a\n\tb" * 200}]}, 1)
    assert refused.why.startswith("a ba b")
    assert len(refused.why) == 200


@pytest.mark.parametrize(
    ("host", "alone"), [("127.0.0.1", True), ("::1", True), ("localhost", True), ("0.0.0.0", False), ("me", False)]
)
def test_is_loopback__address__is_told(host, alone):
    assert signer_wire.is_loopback(host) is alone
