"""The broker as it runs: a process of its own around a real anvil, and what befalls it."""

from __future__ import annotations

import signal
import socket
import threading
from concurrent.futures import ThreadPoolExecutor

import pytest
import requests

from prime_perps.chain.anvil import Anvil
from prime_perps.issuer.client import BrokerUnreachable, Wanted
from prime_perps.issuer.quotes import Side
from prime_perps.issuer.refusals import BadKey, LimitReached, MarketClosed, MarketPaused, Unavailable
from prime_perps.keepers.signer_sources import HistoryReplay
from prime_perps.units import WAD, wad
from tests.integration.broker_site import BrokerSite
from tests.integration.oracle_site import until

NOON_IN_2008 = 1_221_580_800  # Tuesday, 16 September, New York
HOUR = 3_600
ASK = {"chainId": "31337", "symbol": "AAPLon", "side": "buy", "notionalValue": "100", "duration": "short"}
BUY = Wanted("AAPLon", Side.BUY, 10**6 * WAD, usd=100 * WAD)
SELL = Wanted("AAPLon", Side.SELL, 0, tokens=1 * WAD)


@pytest.fixture
def node(tmp_path):
    """Comes back with its chain after a stop."""
    with Anvil(state=tmp_path / "chain.json", timestamp=NOON_IN_2008) as running:
        yield running


@pytest.fixture
def site(node, tmp_path):
    made = BrokerSite(node, tmp_path)
    yield made
    made.stop()


def test_broker__asked_by_its_client__signs_the_historys_price(site):
    broker = site.started()
    with site.client() as client:
        buy, sell = client.attest(BUY).quote, client.attest(SELL).quote
        soft = client.quote(SELL)
    mid = wad(HistoryReplay().observe("AAPL", NOON_IN_2008 + 60).price)
    assert buy.price == mid * 10_005 // 10_000
    assert sell.price == soft.price == mid * 9_995 // 10_000
    # the newest block may be much older than now
    site.backend.mine()
    assert buy.expiration - site.backend.timestamp() <= 60
    assert broker.says("attested", 2)["symbol"] == "AAPLon"
    assert "gateway" not in {line.get("key") for line in broker.lines}
    assert site.metric('broker_requests_total{endpoint="/v1/attestations",outcome="200"}') == 2


def test_broker__told_to_stop__ends_with_0(site):
    for number in (signal.SIGINT, signal.SIGTERM):
        broker = site.started()
        assert broker.stop(number) == 0, broker.told
        assert broker.lines[-1]["event"] == "stopped"


def test_broker__chain_warped__keeps_the_exchanges_hours(site):
    site.started()
    with site.client() as client:
        site.backend.warp(NOON_IN_2008 + 4 * HOUR - 60)
        with pytest.raises(MarketPaused):
            client.attest(BUY)
        site.backend.warp(NOON_IN_2008 + 4 * HOUR + 60)
        client.attest(BUY)
        site.backend.warp(NOON_IN_2008 + 4 * 24 * HOUR)
        with pytest.raises(MarketClosed):
            client.attest(BUY)
        assert client.status().session == "closed"


def test_broker__killed_and_started_again__forgets_neither_answers_nor_limits(site):
    broker = site.started()
    first = site.post({**ASK, "notionalValue": "9950"}, idempotency="one").json()
    broker.kill()
    site.started()
    assert site.post({**ASK, "notionalValue": "9950"}, idempotency="one").json() == first
    assert site.post(ASK, idempotency="two").json()["code"] == "MAX_LIMIT_REACHED"
    second = site.post({**ASK, "notionalValue": "20"}).json()
    assert int(second["attestationId"]) == int(first["attestationId"]) + 1


def test_broker__killed_while_many_ask__each_request_is_one_attestation(site):
    broker = site.started()
    given: dict[str, dict[str, str]] = {}
    enough = threading.Event()

    def ask(number):
        name = f"request-{number}"
        try:
            given[name] = site.post({**ASK, "notionalValue": "10"}, idempotency=name).json()
        except requests.RequestException:
            return
        if len(given) >= 5:
            enough.set()

    with ThreadPoolExecutor(8) as pool:
        asked = [pool.submit(ask, number) for number in range(20)]
        enough.wait(60)
        broker.kill()
        for one in asked:
            one.result()
    assert 5 <= len(given) < 20
    site.started()
    again = {
        name: site.post({**ASK, "notionalValue": "10"}, idempotency=name).json()
        for name in (f"request-{number}" for number in range(20))
    }
    assert {name: again[name] for name in given} == given
    # Twenty is the user's limit: none was counted twice, or given and not counted.
    assert len({answer["attestationId"] for answer in again.values()}) == 20
    assert site.post({**ASK, "notionalValue": "10"}).json()["code"] == "MAX_LIMIT_REACHED"


def test_broker__two_at_once_for_the_last_of_a_limit__one_wins(site):
    site.started()
    start = threading.Barrier(6)

    def ask(number):
        start.wait()
        return site.post({**ASK, "notionalValue": "6000"}).json().get("code", "given")

    with ThreadPoolExecutor(6) as pool:
        outcomes = sorted(pool.map(ask, range(6)))
    assert outcomes == 5 * ["MAX_LIMIT_REACHED"] + ["given"]
    with site.client("maker") as client:
        client.attest(BUY)


@pytest.mark.parametrize(
    ("raw", "status", "code"),
    [
        (b"{nonsense", 400, "INVALID_REQUEST"),
        (b"[" * 5_000, 400, "INVALID_REQUEST"),
        (b'"' + b"x" * 1_000_000 + b'"', 413, "REQUEST_TOO_LARGE"),
    ],
    ids=["not JSON", "deep", "huge"],
)
def test_broker__nonsense__is_answered_and_harms_nothing(site, raw, status, code):
    broker = site.started()
    response = site.post(raw=raw)
    assert (response.status_code, response.json()["code"]) == (status, code)
    assert site.post(ASK).status_code == 200
    assert broker.all("internal_error") == []


def test_broker__wrong_input__says_what_is_wrong(site):
    broker = site.started()
    wrong = [
        ({**ASK, "notionalValue": "-5"}, "INVALID_REQUEST"),
        ({**ASK, "notionalValue": "9" * 400}, "INVALID_REQUEST"),
        ({**ASK, "notionalValue": 100}, "INVALID_REQUEST"),
        ({**ASK, "tokenAmount": "1"}, "INVALID_REQUEST"),
        ({name: value for name, value in ASK.items() if name != "notionalValue"}, "INVALID_REQUEST"),
        ({**ASK, "symbol": "TSLAon"}, "UNKNOWN_SYMBOL"),
        ({**ASK, "notionalValue": "0.5"}, "BELOW_MINIMUM"),
        ({**ASK, "notionalValue": "9" * 20}, "ASSET_LIMITED"),
    ]
    assert [site.post(body).json()["code"] for body, _ in wrong] == [code for _, code in wrong]
    assert site.post(ASK, key="nobody").status_code == 401
    assert broker.all("attested") == []
    assert broker.all("internal_error") == []


def test_broker__not_http_and_silent_callers__do_not_keep_others_from_asking(site):
    site.started()
    silent = [socket.create_connection(("127.0.0.1", site.port)) for _ in range(5)]
    for one in silent[:2]:
        one.sendall(b"\x16\x03\x01 hello\r\n\r\n")
    silent[2].sendall(
        b"POST /v1/attestations HTTP/1.1\r\nhost: x\r\nx-api-key: gateway\r\ncontent-length: 500\r\n\r\n{"
    )
    assert site.post(ASK).status_code == 200
    for one in silent:
        one.close()


def test_broker__node_stopped_and_started_again__refuses_meanwhile(site, node):
    broker = site.started()
    node.stop()
    broker.says("node_unreachable")
    with site.client() as client:
        with pytest.raises(Unavailable):
            client.quote(BUY)
        node.start()
        broker.says("node_back")
        client.attest(BUY)


def test_broker__tokens_minted_on_chain__are_backed_only_when_attested(site):
    broker = site.started()
    token = site.tokens["AAPL"]
    with site.client() as client:
        quote = client.attest(Wanted("AAPLon", Side.BUY, 10**6 * WAD, tokens=5 * WAD)).quote
        site.mint(quote)
        until(lambda: site.metric('broker_shares{kind="in_transit",symbol="AAPLon"}') == 5)
        assert site.metric('broker_shares{kind="missing",symbol="AAPLon"}') == 0
        assert broker.all("tokens_unaccounted_for") == []
        client.attest(BUY)  # and not used
        token.mint(site.holder, 100 * WAD, sender=site.deployer)
        assert broker.says("tokens_unaccounted_for")["tokens"] == str(100 * WAD)
        until(lambda: {one.symbol: one.reason for one in client.status().assets}["AAPLon"] == "ASSET_LIMITED")


def test_broker__split_on_chain__pauses_with_the_token_and_prices_ten_shares(site):
    site.started()
    token = site.tokens["AAPL"]
    with site.client() as client:
        before = client.quote(SELL).price
        token.set_paused(True, sender=site.deployer)
        assert site.post(ASK).json()["code"] == "ASSET_PAUSED"
        token.set_multiplier(10 * WAD, sender=site.deployer)
        token.set_paused(False, sender=site.deployer)
        assert client.quote(SELL).price == 10 * before
    until(lambda: site.metric('broker_shares{kind="needed",symbol="AAPLon"}') == 10_000)
    assert site.metric('broker_shares{kind="missing",symbol="AAPLon"}') == 0


def test_broker__gone__its_client_gives_up(site):
    with site.client() as client, pytest.raises(BrokerUnreachable):
        client.attest(BUY)


def test_broker__unknown_api_key__is_the_clients_exception(site):
    site.started()
    with site.client() as client:
        client._http.headers["x-api-key"] = "nobody"
        with pytest.raises(BadKey):
            client.attest(BUY)


def test_broker__limit_reached__is_the_clients_exception(site):
    site.started()
    with site.client() as client, pytest.raises(LimitReached):
        client.attest(Wanted("AAPLon", Side.BUY, 10**6 * WAD, usd=10_001 * WAD))


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"url": "http://127.0.0.1:1"}, "127.0.0.1:1"),
        ({"manager": "0x" + "77" * 20}, "there is no contract at"),
        ({"port": 99_999}, "server.port"),
        ({"state": "no/such/folder.sqlite"}, "cannot use the state"),
    ],
)
def test_broker__cannot_start__one_clear_line_and_exit_1(site, change, told):
    path = site.folder / "wrong.toml"
    path.write_text(site.configuration(**change))
    broker = site.start(config=path)
    assert broker.ends() == 1
    assert broker.told.startswith("Error: ")
    assert told in broker.told
    assert broker.told.count("\n") == 1


def test_broker__wrong_passphrase__one_clear_line_and_exit_1(site):
    site.passphrase.write_text("another")
    broker = site.start()
    assert (broker.ends(), broker.told) == (1, "Error: wrong passphrase for issuer.json\n")


def test_broker__second_one__neither_shares_the_state_nor_the_port(site):
    site.started()
    second = site.start()
    assert second.ends() == 1
    assert "another process uses the state" in second.told
    path = site.folder / "second.toml"
    path.write_text(site.configuration(state="second.sqlite"))
    third = site.start(config=path)
    assert third.ends() == 1
    assert "cannot listen on 127.0.0.1" in third.told


def test_broker__state_of_another_chain__is_refused(site, tmp_path):
    site.started().stop()
    with Anvil(timestamp=NOON_IN_2008 + HOUR) as other:
        folder = tmp_path / "other"
        folder.mkdir()
        elsewhere = BrokerSite(other, folder)
        (folder / "broker.sqlite").write_bytes((tmp_path / "broker.sqlite").read_bytes())
        broker = elsewhere.start()
        assert broker.ends() == 1
        assert "is of another chain" in broker.told
