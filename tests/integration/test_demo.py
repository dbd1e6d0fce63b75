"""The demo and the development network as a person starts them."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import time
from decimal import Decimal
from pathlib import Path

import pytest

from prime_perps import history
from prime_perps.accounts import CASH, account_id
from prime_perps.chain.anvil import MNEMONIC, Anvil
from prime_perps.chain.rpc import RpcBackend
from prime_perps.demo.checks import Check
from prime_perps.demo.devnet import serve
from prime_perps.deployment import Deployment
from prime_perps.keepers import quotes
from prime_perps.keepers.loop import Stop
from prime_perps.units import NANO

ROOT = Path(__file__).resolve().parent.parent.parent
PICTURES = ("prices.png", "accounts.png", "margin.png")


def command(name, *options):
    return [sys.executable, "-c", f"from scripts.{name} import cli; cli()", *options]


@pytest.fixture(scope="module")
def demo(tmp_path_factory):
    """One run for all the questions below: it takes half a minute."""
    output = tmp_path_factory.mktemp("demo")
    environment = {**os.environ, "COLUMNS": "150"}
    ended = subprocess.run(
        command("demo", "--output", str(output)), cwd=ROOT, env=environment, capture_output=True, text=True, timeout=300
    )
    assert ended.returncode == 0, ended.stdout + ended.stderr
    return output, ended.stdout, json.loads((output / "report.json").read_text())


def test_demo__holder_and_hedged_twin__one_is_liquidated(demo):
    _, _, report = demo
    accounts = {account["name"]: account for account in report["accounts"]}
    assert accounts["holder"]["liquidated"]
    assert not any(accounts[name]["liquidated"] for name in ("hedged", "long_short", "stablecoin", "maker"))
    assert all(Decimal(entry["equity_before"]) < Decimal(entry["mm_before"]) for entry in accounts["holder"]["slices"])
    assert Decimal(accounts["hedged"]["equity"]) > 990_000
    assert Decimal(accounts["liquidator"]["equity"]) >= 2_000_000


def test_demo__every_check__holds(demo):
    _, _, report = demo
    assert set(report["checks"]) == {"CH-1", "CH-2", "CH-3", "MM", "story"}
    assert all(report["checks"].values())
    assert report["bad_debt"] == {"taken_by_insurance": "0.00", "uncovered": "0.00"}


def test_demo__margin_by_method__portfolio_asks_least_and_hedges_least_of_all(demo):
    _, _, report = demo
    for account in report["accounts"]:
        asked = account["opening_margin"]
        if asked is not None:
            ours, alone, rule = (Decimal(asked[name]) for name in ("portfolio", "position_by_position", "regulation_t"))
            assert ours < alone < rule
    hedged = next(account for account in report["accounts"] if account["name"] == "hedged")["opening_margin"]
    assert Decimal(hedged["portfolio"]) * 10 < Decimal(hedged["position_by_position"])


def test_demo__pictures_and_log__are_there(demo):
    output, told, _ = demo
    assert all((output / name).stat().st_size > 10_000 for name in PICTURES)
    lines = [json.loads(line) for line in (output / "liquidator.log").read_text().splitlines()]
    assert {"slice_taken", "auction_started"} <= {line["event"] for line in lines}
    assert "holder is below maintenance margin" in told


def test_demo__same_prices_and_clock__gives_the_same_report_again(demo, tmp_path):
    """No number depends on the machine: blocks are a second apart whatever it does."""
    _, _, report = demo
    subprocess.run(command("demo", "--output", str(tmp_path)), cwd=ROOT, check=True, capture_output=True, timeout=300)
    again = json.loads((tmp_path / "report.json").read_text())
    assert again["accounts"] == report["accounts"]


def test_demo__check_fails__ends_with_an_error(demo, monkeypatch):
    from click.testing import CliRunner

    from prime_perps.demo.report import Report
    from scripts import demo as script

    broken = Report("", "", [], [Check("CH-1", "sizes sum to zero", False, "sum 1")], 0, 0, 0, 0.0, 0)
    monkeypatch.setattr(script, "demo", lambda *_: broken)
    ended = CliRunner().invoke(script.cli, [])
    assert ended.exit_code == 1
    assert "a check failed" in ended.output


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_demo__stopped_half_way__leaves_no_node_behind(tmp_path, number):
    program = (
        "import prime_perps.demo.stage as stage\n"
        "start = stage.Anvil.start\n"
        "def told(self):\n"
        "    start(self)\n"
        "    print(self.pid, flush=True)\n"
        "    return self\n"
        "stage.Anvil.start = told\n"
        "from scripts.demo import cli\n"
        f"cli(['--output', {str(tmp_path)!r}])"
    )
    process = subprocess.Popen(
        [sys.executable, "-c", program], cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    assert process.stdout is not None
    node = next(int(line) for line in process.stdout if line.strip().isdigit())
    process.send_signal(number)
    _, told = process.communicate(timeout=30)
    assert process.returncode == 130
    assert told.rstrip().endswith("Stopped.")
    with pytest.raises(ProcessLookupError):
        os.kill(node, 0)


def test_demo__no_anvil__one_clear_line(tmp_path):
    program = (
        "import prime_perps.chain.anvil as anvil\n"
        "anvil._candidates = lambda: []\n"
        "from scripts.demo import cli\n"
        f"cli(['--output', {str(tmp_path)!r}])"
    )
    ended = subprocess.run(
        [sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, timeout=120, check=False
    )
    assert ended.returncode == 1
    assert "Error: no anvil 1.x found" in ended.stderr
    assert "Traceback" not in ended.stderr


# the development network


@pytest.fixture
def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


@pytest.fixture
def devnet(tmp_path, free_port):
    manifest, offers = tmp_path / "devnet.json", tmp_path / "quotes.json"
    options = ("--port", str(free_port), "--pace", "20", "--deployment", str(manifest), "--quotes", str(offers))
    process = subprocess.Popen(
        command("devnet", *options), cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    )
    deadline = time.monotonic() + 120
    while not offers.exists():
        assert process.poll() is None, process.communicate()[0]
        assert time.monotonic() < deadline
        time.sleep(0.2)
    yield process, f"http://127.0.0.1:{free_port}", manifest, offers
    process.kill()
    process.wait()


def test_devnet__a_user__deposits_takes_a_quote_and_sees_its_balance_sheet(devnet):
    process, url, manifest, offers = devnet
    wallet = Anvil(mnemonic=MNEMONIC).keys[6]
    backend = RpcBackend(url, [wallet])
    user = backend.add_key(wallet)
    system = Deployment.load(backend, manifest)
    system.cash.approve(system.vault, 10**12, sender=user)
    system.vault.deposit(account_id(user), CASH, 10**11, sender=user)
    ask = next(quote for quote in quotes.load(offers) if quote.order.size < 0)
    system.exchange.fill(ask, account_id(user), 10 * NANO, ask.order.price, sender=user)
    shown = subprocess.run(
        command("account", user, "--url", url, "--deployment", str(manifest)),
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )
    assert "healthy" in shown.stdout
    process.send_signal(signal.SIGINT)
    told, _ = process.communicate(timeout=30)
    assert process.returncode == 0
    assert wallet in told
    assert told.rstrip().endswith("Stopped.")


class Impatient(Stop):
    """Waits for nothing, and is set after as many waits as it is told."""

    def __init__(self, waits: int) -> None:
        super().__init__()
        self._left = waits

    def wait(self, timeout: float | None = None) -> bool:
        self._left -= 1
        return self._left <= 0


def test_devnet__history_over__its_last_prices_go_on(tmp_path, free_port, monkeypatch):
    """The last day of the history ends with a weekend, so the exchange is reported shut just before."""
    bars = {symbol: days[-1:] for symbol, days in history.daily_bars().items()}
    monkeypatch.setattr(history, "daily_bars", lambda: bars)
    told = []
    serve(free_port, 0, tmp_path / "devnet.json", tmp_path / "quotes.json", Impatient(4 + 5), told.append)
    ticks = told[1:]
    assert len(ticks) == 4 + 5
    assert {tick.label for tick in ticks[3:]} == {"close"}


def test_account__manifest_of_a_node_that_was_reset__one_clear_line(tmp_path):
    with Anvil() as first:
        from prime_perps.deployment import PARAMETERS, deploy

        backend = RpcBackend(first.url, first.keys)
        deploy(backend, first.addresses[0], json.loads((PARAMETERS / "local.json").read_text())).save(
            tmp_path / "old.json"
        )
    with Anvil() as second:
        ended = subprocess.run(
            command("account", second.addresses[0], "--url", second.url, "--deployment", str(tmp_path / "old.json")),
            cwd=ROOT,
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
    assert ended.returncode == 1
    assert "was the node reset?" in ended.stderr


@pytest.mark.parametrize(
    "given", ["0x12345g", "0x1234", "nobody", "0xf39Fd6e51aad88F6F4ce6aB8827279cffFb92266/x", str(2**256)]
)
def test_account__no_account__is_refused(given):
    ended = subprocess.run(
        command("account", given, "--url", "http://127.0.0.1:1"),
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert ended.returncode == 2
    assert "Traceback" not in ended.stderr
