"""The broker over HTTP: who is let in, what is not a request, and how refusals look."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path
from typing import Any

import httpx
import pytest

from prime_perps.issuer.service import application
from prime_perps.issuer.wire import BODY_LIMIT
from tests.unit.issuer.desk import AAPL, SECRETS, Desk

KEY = {"x-api-key": SECRETS["gateway"]}
ASK = {"chainId": "31337", "symbol": "AAPLon", "side": "buy", "tokenAmount": "10", "duration": "short"}


class Site:
    """The service, asked without a network in between."""

    def __init__(self, desk: Desk) -> None:
        self.healthy = True
        self.app = application(desk.broker, desk.config, desk.metrics, lambda: self.healthy)

    def request(self, method: str, path: str, **options: Any) -> httpx.Response:
        async def ask() -> httpx.Response:
            transport = httpx.ASGITransport(self.app, raise_app_exceptions=False)
            async with httpx.AsyncClient(transport=transport, base_url="http://broker") as client:
                return await client.request(method, path, **options)

        return asyncio.run(ask())

    def post(self, path: str = "/v1/attestations", **options: Any) -> httpx.Response:
        return self.request("POST", path, **{"headers": KEY, **options})

    def get(self, path: str, **options: Any) -> httpx.Response:
        return self.request("GET", path, **options)


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    return Desk(tmp_path)


@pytest.fixture
def site(desk: Desk) -> Site:
    return Site(desk)


def without(*names: str, **changes: Any) -> dict[str, Any]:
    return {**{name: value for name, value in ASK.items() if name not in names}, **changes}


def test_attestations__shape__is_the_issuers(site: Site) -> None:
    response = site.post(json=ASK)
    assert response.status_code == 200
    answer = response.json()
    soft = {"chainId", "symbol", "ticker", "assetAddress", "side", "tokenAmount", "price"}
    assert set(answer) == soft | {"attestationId", "userId", "expiration", "signature", "additionalData"}
    assert answer["tokenAmount"] == "10000000000000000000"
    assert answer["price"] == "100050000000000000000"
    assert (answer["side"], answer["chainId"], answer["assetAddress"].lower()) == ("0", "31337", AAPL)


@pytest.mark.parametrize("path", ["/v1/quotes", "/v1/attestations/soft"])
def test_quotes__shape__is_the_same_without_a_promise(site: Site, path: str) -> None:
    answer = site.post(path, json=ASK).json()
    assert sorted(answer) == sorted(["chainId", "symbol", "ticker", "assetAddress", "side", "tokenAmount", "price"])


@pytest.mark.parametrize("headers", [{}, {"x-api-key": ""}, {"x-api-key": "wrong"}, {"authorization": "Bearer x"}])
@pytest.mark.parametrize("path", ["/v1/attestations", "/v1/quotes", "/v1/status", "/v1/nothing"])
def test_any__no_known_key__is_turned_away_before_the_body_is_read(site: Site, headers: Any, path: str) -> None:
    response = site.post(path, headers=headers, content=b"nonsense")
    assert (response.status_code, response.json()["code"]) == (401, "INVALID_API_KEY")


@pytest.mark.parametrize(
    ("body", "told"),
    [
        (without("tokenAmount"), "tokenAmount or notionalValue"),
        (without(notionalValue="5"), "tokenAmount or notionalValue"),
        (without(tokenAmount=None), "tokenAmount or notionalValue"),
        (without(tokenAmount="-1"), "tokenAmount"),
        (without(tokenAmount="+1"), "tokenAmount"),
        (without(tokenAmount="1e3"), "tokenAmount"),
        (without(tokenAmount="1,5"), "tokenAmount"),
        (without(tokenAmount=" 1"), "tokenAmount"),
        (without(tokenAmount="1\n"), "tokenAmount"),
        (without(tokenAmount=".5"), "tokenAmount"),
        (without(tokenAmount="NaN"), "tokenAmount"),
        (without(tokenAmount="Infinity"), "tokenAmount"),
        (without(tokenAmount="\u0661"), "tokenAmount"),
        (without(tokenAmount="1." + "0" * 19), "tokenAmount"),
        (without(tokenAmount="9" * 21), "tokenAmount"),
        (without(tokenAmount=1.5), "tokenAmount"),
        (without(tokenAmount=10), "tokenAmount"),
        (without(tokenAmount=True), "tokenAmount"),
        (without(side="BUY"), "side"),
        (without(side=0), "side"),
        (without(duration="forever"), "duration"),
        (without("chainId"), "chainId"),
        (without(chainId="ethereum"), "chainId"),
        (without(chainId="1"), "chainId"),
        (without(symbol=""), "symbol"),
        (without(symbol="A" * 17), "symbol"),
        (without(extra=1), "extra"),
        ([], "body"),
        ("text", "body"),
        (None, "body"),
    ],
)
def test_attestations__not_a_request__is_400_and_says_which_field(site: Site, body: Any, told: str) -> None:
    response = site.post(json=body)
    assert (response.status_code, response.json()["code"]) == (400, "INVALID_REQUEST")
    assert told in response.json()["message"]


@pytest.mark.parametrize(
    "raw", [b"", b"{", b"nonsense", b"\xff\xfe", b"[" * 8_000, b'{"tokenAmount": NaN}', b'{"a":' * 1_000]
)
def test_attestations__nonsense__is_400(site: Site, raw: bytes) -> None:
    response = site.post(content=raw, headers={**KEY, "content-type": "application/json"})
    assert (response.status_code, response.json()["code"]) == (400, "INVALID_REQUEST")


def test_attestations__form__is_400(site: Site) -> None:
    """A page in a browser can send one without asking first."""
    response = site.post(content=json.dumps(ASK).encode(), headers={**KEY, "content-type": "text/plain"})
    assert (response.status_code, response.json()["code"]) == (400, "INVALID_REQUEST")


def test_attestations__too_many_bytes__are_not_read_to_the_end(site: Site) -> None:
    response = site.post(content=b" " * (BODY_LIMIT + 1))
    assert (response.status_code, response.json()["code"]) == (413, "REQUEST_TOO_LARGE")


@pytest.mark.parametrize("key", ["", "x" * 129, "a b", "a\tb"])
def test_attestations__bad_idempotency_key__is_400(site: Site, key: str) -> None:
    response = site.post(json=ASK, headers={**KEY, "idempotency-key": key})
    assert response.status_code == 400
    assert "idempotency-key" in response.json()["message"]


def test_attestations__same_idempotency_key__is_the_same_answer(site: Site) -> None:
    headers = {**KEY, "idempotency-key": "k"}
    assert site.post(json=ASK, headers=headers).json() == site.post(json=ASK, headers=headers).json()
    other = site.post(json=without(tokenAmount="11"), headers=headers)
    assert (other.status_code, other.json()["code"]) == (409, "IDEMPOTENCY_KEY_REUSED")


@pytest.mark.parametrize(
    ("change", "status", "code"),
    [
        ({"symbol": "TSLAon"}, 404, "UNKNOWN_SYMBOL"),
        ({"tokenAmount": "0"}, 400, "BELOW_MINIMUM"),
        ({"tokenAmount": "99999999999999999999.999999999999999999"}, 403, "ASSET_LIMITED"),
        ({"tokenAmount": "500"}, 403, "MAX_LIMIT_REACHED"),
    ],
)
def test_attestations__refused__has_status_code_and_message(site: Site, change: Any, status: int, code: str) -> None:
    response = site.post(json=without(**change))
    assert (response.status_code, response.json()["code"]) == (status, code)
    assert response.json()["message"]


def test_attestations__node_gone__is_503(site: Site, desk: Desk) -> None:
    desk.node_answers = False
    response = site.post(json=ASK)
    assert (response.status_code, response.json()["code"]) == (503, "UNAVAILABLE")


def test_attestations__mistake_in_the_broker__tells_nothing(site: Site, desk: Desk) -> None:
    desk.prices["AAPL"] = None  # type: ignore[assignment]
    response = site.post(json=ASK)
    assert (response.status_code, response.json()["code"]) == (500, "INTERNAL")
    assert "NoneType" not in response.text


def test_status__with_a_key(site: Site) -> None:
    status = site.get("/v1/status", headers=KEY).json()
    assert status["open"] is True
    assert status["buy"] == {"notional": str(10_000 * 10**18), "attestations": 5}


def test_healthz__follows_the_watch(site: Site) -> None:
    assert site.get("/healthz").json() == {"status": "ok"}
    site.healthy = False
    assert site.get("/healthz").status_code == 503


def test_metrics__count_by_endpoint_and_outcome(site: Site) -> None:
    for _ in range(2):
        site.post(json=ASK, headers={**KEY, "idempotency-key": "k"})
    site.post(json=without(tokenAmount="500"))
    site.post(json=without("tokenAmount"))
    site.post(json=ASK, headers={})
    site.get("/made/up")
    told = site.get("/metrics").text
    for outcome, count in (("200", 2), ("MAX_LIMIT_REACHED", 1), ("INVALID_REQUEST", 1)):
        assert f'broker_requests_total{{endpoint="/v1/attestations",outcome="{outcome}"}} {count}.0' in told
    assert 'broker_requests_total{endpoint="other",outcome="401"} 1.0' in told
    assert 'broker_attested_usd_total{side="buy",symbol="AAPLon"} 1000.5' in told
    assert "made" not in told


def test_openapi__describes_what_there_is(site: Site) -> None:
    described = site.get("/openapi.json").json()
    assert {"/v1/attestations", "/v1/quotes", "/v1/status", "/healthz"} == set(described["paths"])
    assert site.get("/docs").status_code == 200


@pytest.mark.parametrize(("method", "path", "status"), [("GET", "/v1/attestations", 405), ("POST", "/v1/x", 404)])
def test_any__no_such_endpoint__is_json_too(site: Site, method: str, path: str, status: int) -> None:
    response = site.request(method, path, headers=KEY)
    assert (response.status_code, response.json()["code"]) == (status, "NO_SUCH_ENDPOINT")
