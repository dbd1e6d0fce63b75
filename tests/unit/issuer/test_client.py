"""The client believes only what was asked for and what the issuer signed, and asks again only for what was lost."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import httpx
import pytest
from eth_account import Account

from prime_perps.errors import PrimePerpsError
from prime_perps.issuer import client as client_module
from prime_perps.issuer.client import BadAnswer, BrokerClient, BrokerUnreachable, Issuer, Wanted
from prime_perps.issuer.pricing import Duration
from prime_perps.issuer.quotes import Quote, Side, digest, sign
from prime_perps.issuer.refusals import KINDS, LimitReached, Refused
from prime_perps.issuer.wire import Ask, signature_bytes, signature_text
from prime_perps.units import WAD
from tests.unit.issuer.desk import AAPL, IBM, KEY, MANAGER, NOON, USER_ID, Desk

LIMIT = 101 * WAD
WANTED = Wanted("AAPLon", Side.BUY, LIMIT, tokens=10 * WAD)
ORDER = 0xFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFEBAAEDCE6AF48A03BBFD25E8CD0364141


@pytest.fixture(autouse=True)
def _no_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(client_module, "FIRST_PAUSE", 0)


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    return Desk(tmp_path)


class Line:
    """Carries requests to the desk. `spoil` changes answers; `lose_answers` and `lose_requests` count down."""

    def __init__(self, desk: Desk) -> None:
        self.desk = desk
        self.spoil: Callable[[dict[str, Any]], Any] = dict
        self.lose_requests = self.lose_answers = 0
        self.keys: list[str | None] = []

    def __call__(self, request: httpx.Request) -> httpx.Response:
        self.keys.append(request.headers.get("idempotency-key"))
        if self.lose_requests:
            self.lose_requests -= 1
            raise httpx.ConnectError("refused")
        if request.url.path == "/v1/status":
            return httpx.Response(200, text=self.desk.broker.status(self.desk.gateway).model_dump_json(by_alias=True))
        asked = Ask.model_validate_json(request.content)
        try:
            if request.url.path == "/v1/quotes":
                answer: Any = self.desk.broker.soft_quote(asked)
            else:
                answer = self.desk.broker.attest(self.desk.gateway, asked, self.keys[-1])
        except Refused as refused:
            return httpx.Response(refused.status, json={"code": refused.code, "message": str(refused)})
        if self.lose_answers:
            self.lose_answers -= 1
            raise httpx.ReadTimeout("slow")
        return httpx.Response(200, json=self.spoil(json.loads(answer.model_dump_json(by_alias=True))))


@pytest.fixture
def line(desk: Desk) -> Line:
    return Line(desk)


@pytest.fixture
def client(line: Line) -> BrokerClient:
    issuer = Issuer(31_337, MANAGER, KEY.address, {"AAPLon": AAPL, "IBMon": IBM})
    transport = httpx.MockTransport(line)
    return BrokerClient("http://broker", "key", USER_ID, issuer, clock=lambda: NOON, transport=transport)


def test_attest__honest_broker__is_a_quote_to_use(client: BrokerClient) -> None:
    given = client.attest(WANTED)
    assert given.quote.price == 100_05 * WAD // 100
    assert (given.quote.quantity, given.quote.side, given.quote.user_id) == (10 * WAD, Side.BUY, USER_ID)
    assert Account._recover_hash(digest(given.quote, MANAGER), signature=given.signature) == KEY.address


@pytest.mark.parametrize("side", Side)
@pytest.mark.parametrize("duration", Duration)
def test_attest__by_money__is_worth_that_much(client: BrokerClient, side: Side, duration: Duration) -> None:
    limit = 34 * WAD if side is Side.BUY else 33 * WAD
    quote = client.attest(Wanted("IBMon", side, limit, usd=123 * WAD + 1, duration=duration)).quote
    assert 123 * WAD - 40 <= quote.quantity * quote.price // WAD <= 123 * WAD + 1


def test_quote__soft__is_price_and_amount(client: BrokerClient) -> None:
    assert client.quote(replace(WANTED, tokens=WAD // 3)).quantity == WAD // 3


def test_status__open(client: BrokerClient) -> None:
    assert client.status().open


def signed_anew(answer: dict[str, Any], key: str = KEY.key.hex(), manager: str = MANAGER, **changes: Any) -> Any:
    """An answer in which a field and the signature are others."""
    answer = {**answer, **changes}
    quote = Quote(
        int(answer["chainId"]),
        int(answer["attestationId"]),
        bytes.fromhex(answer["userId"][2:]),
        answer["assetAddress"],
        int(answer["price"]),
        int(answer["tokenAmount"]),
        answer["expiration"],
        Side(int(answer["side"])),
    )
    return {**answer, "signature": signature_text(sign(quote, key, manager))}


def malleable(answer: dict[str, Any]) -> dict[str, Any]:
    raw = signature_bytes(answer["signature"])
    s = ORDER - int.from_bytes(raw[32:64], "big")
    return {**answer, "signature": signature_text(raw[:32] + s.to_bytes(32, "big") + bytes([55 - raw[64]]))}


@pytest.mark.parametrize(
    ("spoil", "told"),
    [
        (lambda a: signed_anew(a, assetAddress=IBM), "asked for BUY AAPLon"),
        (lambda a: signed_anew(a, side="1"), "asked for BUY AAPLon"),
        (lambda a: signed_anew(a, chainId="1"), "asked for BUY AAPLon"),
        (lambda a: signed_anew(a, symbol="IBMon"), "asked for BUY AAPLon"),
        (lambda a: signed_anew(a, userId="0x" + "02" * 32), "for the user"),
        (lambda a: signed_anew(a, price=str(LIMIT + 1)), "the limit is"),
        (lambda a: signed_anew(a, tokenAmount=str(10 * WAD - 1)), "asked for 1"),
        (lambda a: signed_anew(a, expiration=NOON), "has expired"),
        (lambda a: {**a, "expiration": a["expiration"] + 1}, "is signed by"),
        (lambda a: {**a, "attestationId": "1"}, "is signed by"),
        (lambda a: {**a, "price": str(int(a["price"]) - 1)}, "is signed by"),
        (lambda a: signed_anew(a, key="0x" + "33" * 32), "is signed by"),
        (lambda a: signed_anew(a, manager=IBM), "is signed by"),
        (malleable, "one form"),
        (lambda a: {**a, "signature": a["signature"][:-4]}, "no signature"),
        (lambda a: {**a, "signature": "!" * 88}, "no signature"),
        (lambda a: {**a, "signature": signature_text(bytes(64) + b"\x1b")}, "no signature"),
        (lambda a: {**a, "additionalData": "AA=="}, "carries data"),
        (lambda a: {**a, "price": "-5"}, "not an answer"),
        (lambda a: {**a, "price": 1.5}, "not an answer"),
        (lambda a: {name: value for name, value in a.items() if name != "expiration"}, "not an answer"),
        (lambda a: [a], "not an answer"),
        (lambda a: {**a, "symbol": "x" * 100_000}, "bytes"),
    ],
)
def test_attest__answer_that_is_not_to_the_question__is_refused(
    client: BrokerClient, line: Line, spoil: Callable[[dict[str, Any]], Any], told: str
) -> None:
    line.spoil = spoil
    with pytest.raises(BadAnswer, match=told):
        client.attest(WANTED)


def test_attest__price_at_the_limit__is_accepted(client: BrokerClient) -> None:
    client.attest(replace(WANTED, limit=100_05 * WAD // 100))
    client.attest(replace(WANTED, side=Side.SELL, limit=99_95 * WAD // 100))
    with pytest.raises(BadAnswer, match="limit"):
        client.attest(replace(WANTED, limit=100_05 * WAD // 100 - 1))
    with pytest.raises(BadAnswer, match="limit"):
        client.attest(replace(WANTED, side=Side.SELL, limit=99_95 * WAD // 100 + 1))


@pytest.mark.parametrize(
    ("amount", "worth"), [(lambda p: 100 * WAD * WAD // p + 1, "more"), (lambda p: 99 * WAD * WAD // p, "less")]
)
def test_attest__by_money__another_worth_is_refused(
    client: BrokerClient, line: Line, amount: Callable[[int], int], worth: str
) -> None:
    line.spoil = lambda a: signed_anew(a, tokenAmount=str(amount(int(a["price"]))))
    with pytest.raises(BadAnswer, match="tokens worth"):
        client.attest(Wanted("AAPLon", Side.BUY, LIMIT, usd=100 * WAD))


def test_attest__answer_lost__is_one_attestation(client: BrokerClient, line: Line, desk: Desk) -> None:
    line.lose_answers = 2
    client.attest(WANTED)
    assert len(line.keys) == 3
    assert len(set(line.keys)) == 1
    assert desk.broker.status(desk.gateway).buy.attestations == 4


def test_attest__two_requests__have_two_keys(client: BrokerClient, line: Line) -> None:
    assert client.attest(WANTED).quote.attestation_id != client.attest(WANTED).quote.attestation_id
    assert len(set(line.keys)) == 2


def test_attest__key_of_ones_own__may_be_asked_again_later(client: BrokerClient) -> None:
    assert client.attest(WANTED, "order 5") == client.attest(WANTED, "order 5")


def test_attest__never_answered__gives_up(client: BrokerClient, line: Line) -> None:
    line.lose_requests = 100
    with pytest.raises(BrokerUnreachable, match="broker does not answer: refused"):
        client.attest(WANTED)
    assert len(line.keys) == client_module.ATTEMPTS


def test_attest__refused__is_asked_once_and_says_why(client: BrokerClient, line: Line) -> None:
    with pytest.raises(LimitReached, match="MAX_LIMIT_REACHED: your limit"):
        client.attest(replace(WANTED, tokens=900 * WAD))
    assert len(line.keys) == 1


@pytest.mark.parametrize("kind", KINDS)
def test_attest__each_code__is_its_exception(kind: type[Refused]) -> None:
    transport = httpx.MockTransport(lambda _: httpx.Response(kind.status, json={"code": kind.code, "message": "no"}))
    issuer = Issuer(31_337, MANAGER, KEY.address, {"AAPLon": AAPL})
    with pytest.raises(kind):
        BrokerClient("http://broker", "key", USER_ID, issuer, transport=transport).attest(WANTED)


@pytest.mark.parametrize(
    "response",
    [
        httpx.Response(502, text="<html>"),
        httpx.Response(200, text="[" * 10_000),
        httpx.Response(200, json={}),
        httpx.Response(403, json={"code": 5}),
        httpx.Response(302, headers={"location": "http://elsewhere"}),
    ],
)
def test_attest__not_a_broker__is_a_bad_answer(response: httpx.Response) -> None:
    issuer = Issuer(31_337, MANAGER, KEY.address, {"AAPLon": AAPL})
    transport = httpx.MockTransport(lambda _: response)
    with pytest.raises(BadAnswer):
        BrokerClient("http://broker", "key", USER_ID, issuer, transport=transport).attest(WANTED)


def test_attest__unknown_code__is_refused_in_one_short_line() -> None:
    long = httpx.Response(403, json={"code": "NEW", "message": "a\nb" * 1_000})
    issuer = Issuer(31_337, MANAGER, KEY.address, {"AAPLon": AAPL})
    with pytest.raises(Refused) as error:
        BrokerClient("http://b", "key", USER_ID, issuer, transport=httpx.MockTransport(lambda _: long)).attest(WANTED)
    assert len(str(error.value)) < 220
    assert "\n" not in str(error.value)


@pytest.mark.parametrize("wanted", [replace(WANTED, tokens=None), replace(WANTED, usd=1), replace(WANTED, symbol="X")])
def test_attest__no_clear_wish__is_not_asked(client: BrokerClient, line: Line, wanted: Wanted) -> None:
    with pytest.raises(PrimePerpsError):
        client.attest(wanted)
    assert line.keys == []
