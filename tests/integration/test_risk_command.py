"""`ape run risk`: a table from a file to the margin of every account, and one clear line for whatever is wrong."""

from __future__ import annotations

import json
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from prime_perps import risk
from prime_perps.accounts import account_id
from prime_perps.chain.anvil import Anvil
from prime_perps.chain.rpc import RpcBackend
from prime_perps.compiler import ROOT
from prime_perps.demo.cast import HOLDER, MAKER
from prime_perps.demo.stage import SETTING_UP, Stage, perp_sizes, set_up
from prime_perps.history import Tick
from prime_perps.reports import Session
from scripts import risk as command
from tests.ape_nodes import start_well

START = 1_220_362_200  # a Tuesday at the opening of the exchange
PRICES = {"AAPL": Decimal(170), "IBM": Decimal(120), "MSFT": Decimal(27), "GOOG": Decimal(470)}
SHIPPED = ROOT / "parameters" / "risk.json"
PARAMETERS = ("--parameters", str(ROOT / "parameters" / "local.json"))


@pytest.fixture(autouse=True)
def _lean() -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        start_well(patch)
        yield


@pytest.fixture(scope="module")
def shared_stage() -> Iterator[Stage]:
    """A node with the system, a maker, and a holder who has hedged."""
    with Anvil(timestamp=START - SETTING_UP) as node:
        stage = set_up(RpcBackend(node.url, node.keys), node, Tick(START, None, "open", PRICES), (HOLDER, MAKER))
        stage.backend.warp(START)
        publish(stage)
        stage.trade(HOLDER, perp_sizes(HOLDER, stage, PRICES))
        yield stage


@pytest.fixture
def stage(shared_stage: Stage) -> Iterator[Stage]:
    node = shared_stage.backend.node
    snapshot = node.request("evm_snapshot")
    yield shared_stage
    node.request("evm_revert", snapshot)


@pytest.fixture
def manifest(stage: Stage, tmp_path: Path) -> Path:
    path = tmp_path / "manifest.json"
    stage.deployment.save(path)
    return path


@pytest.fixture
def stricter(tmp_path: Path) -> Path:
    """The shipped risk file with twice the factor of equities."""
    content: dict[str, Any] = json.loads(SHIPPED.read_text())
    content["globals"]["phi"]["equities"] *= 2
    path = tmp_path / "stricter.json"
    path.write_text(json.dumps(content))
    return path


def publish(stage: Stage) -> None:
    ids = stage.underlyings(PRICES)
    prices = {ids[symbol]: price for symbol, price in PRICES.items()}
    stage.publisher.publish(prices, stage.backend.timestamp(), Session.REGULAR)


def network(stage: Stage) -> tuple[str, str]:
    port = stage.backend.url.rpartition(":")[2]
    return "--network", f"ethereum:local:http://127.0.0.1:{port}"


def run(*arguments: str) -> Result:
    return CliRunner().invoke(command.cli, list(arguments))


def told(result: Result) -> str:
    """The last line, which must be the only one that says what went wrong."""
    assert "Traceback" not in result.output
    return result.output.strip().splitlines()[-1]


def compared(stage: Stage, manifest: Path, table: str) -> dict[str, Any]:
    """What --json writes."""
    path = manifest.with_name("report.json")
    result = run("compare", table, *network(stage), "--manifest", str(manifest), *PARAMETERS, "--json", str(path))
    assert result.exit_code == 0, result.output
    return dict(json.loads(path.read_text()))


def sent(stage: Stage, manifest: Path, *arguments: str) -> Result:
    return run(*arguments, *network(stage), "--manifest", str(manifest), "--account", "TEST::0")


def made(stage: Stage, manifest: Path, file: Path, hours: str = "2") -> str:
    """The address of a model of a risk file, by the command."""
    result = sent(stage, manifest, "stage", str(file), *PARAMETERS, "--begin-in", hours)
    assert result.exit_code == 0, result.output
    return told(result)


@pytest.mark.parametrize("hours", ["nan", "inf", "721"])
def test_stage__no_length_of_time__one_clear_line(stage: Stage, manifest: Path, stricter: Path, hours: str) -> None:
    result = sent(stage, manifest, "stage", str(stricter), *PARAMETERS, "--begin-in", hours)
    assert result.exit_code == 1
    assert "a model may wait 720 hours, 30 days, at most" in result.output


def test_compare__stricter_file__every_account_as_the_chain_has_it(
    stage: Stage, manifest: Path, stricter: Path
) -> None:
    report = compared(stage, manifest, str(stricter))
    assert report["warnings"] == []
    assert [(change["field"], change["old"], change["new"]) for change in report["changes"]] == [
        ("phi.equities", 600, 1_200)
    ]
    accounts = {int(entry["account"]): entry for entry in report["accounts"]}
    assert set(accounts) == {stage.account(HOLDER), stage.account(MAKER)}
    margin = stage.deployment.clearinghouse.margin(stage.account(HOLDER))
    old = accounts[stage.account(HOLDER)]["old"]
    assert (int(old["maintenance"]), int(old["initial"])) == (margin.maintenance, margin.initial)


def test_compare__account_that_falls__shown_with_its_numbers(stage: Stage, manifest: Path, stricter: Path) -> None:
    """The maker carries the hedge's other side; most of its money is taken away first."""
    house, vault = stage.deployment.clearinghouse, stage.deployment.vault
    maker, margin = stage.account(MAKER), house.margin(stage.account(MAKER))
    spare = (margin.equity - margin.initial - 10**18) // 10**12
    vault.withdraw(maker, 255, spare, stage.address(MAKER), sender=stage.address(MAKER))
    result = run("compare", str(stricter), *network(stage), "--manifest", str(manifest), *PARAMETERS)
    assert result.exit_code == 0, result.output
    for shown in (stage.address(MAKER), "phi.equities", "1,200", "liquidatable after", "The guardian may use it alone"):
        assert shown in result.output
    report = compared(stage, manifest, str(stricter))
    (falling,) = [entry for entry in report["accounts"] if entry["falls"]]
    assert int(falling["account"]) == maker
    assert 0 < falling["liquidatable_after"] < report["ramp"]


def test_compare__logs_missing__warned_of(stage: Stage, manifest: Path, stricter: Path) -> None:
    """A manifest that names too late a first block, as a node that prunes its logs would tell too little."""
    late = json.loads(manifest.read_text())
    late["block"] = stage.backend.block_number() + 1
    manifest.write_text(json.dumps(late))
    (warning,) = compared(stage, manifest, str(stricter))["warnings"]
    assert warning.startswith("the accounts found do not hold all there is of AAPL")


def test_compare__shipped_file__nothing_changes(stage: Stage, manifest: Path) -> None:
    assert compared(stage, manifest, str(SHIPPED))["warnings"] == ["nothing changes: the two tables are the same"]


def test_queue_and_execute__stricter_file__in_use_and_coming_in(stage: Stage, manifest: Path, stricter: Path) -> None:
    model = made(stage, manifest, stricter)
    assert "is not queued" in told(sent(stage, manifest, "execute", model))
    queued = sent(stage, manifest, "queue", model)
    assert queued.exit_code == 0, queued.output
    assert "phi.equities" in queued.output
    assert "cannot be executed before" in told(sent(stage, manifest, "execute", model))
    stage.backend.warp(stage.backend.timestamp() + int(stage.deployment.timelock.get_minimum_delay()))
    executed = sent(stage, manifest, "execute", model)
    assert executed.exit_code == 0, executed.output
    assert stage.deployment.clearinghouse.settings().model == model
    assert risk.read_table(stage.deployment.model).globals.phi[0] == 1_200
    report = compared(stage, manifest, str(SHIPPED))
    assert report["warnings"][0].startswith("the model in use is still coming in")
    assert report["unreadable"] == {}


def test_use__guardian_and_a_stricter_model__in_use(stage: Stage, manifest: Path, stricter: Path) -> None:
    model = made(stage, manifest, stricter)
    result = sent(stage, manifest, "use", model)
    assert result.exit_code == 0, result.output
    assert stage.deployment.clearinghouse.settings().model == model


def test_use__guardian_and_a_milder_model__refused(stage: Stage, manifest: Path, tmp_path: Path) -> None:
    milder = json.loads(SHIPPED.read_text())
    milder["globals"]["jump"] -= 1
    path = tmp_path / "milder.json"
    path.write_text(json.dumps(milder))
    result = sent(stage, manifest, "use", made(stage, manifest, path))
    assert (result.exit_code, told(result)) == (1, "Error: roles: timelock only")


def test_queue__begins_before_the_delay_is_over__told(stage: Stage, manifest: Path, stricter: Path) -> None:
    result = sent(stage, manifest, "queue", made(stage, manifest, stricter, hours="0.01"))
    assert result.exit_code == 1
    assert "too early to be used: stage it anew" in told(result)


def test_compare__model_made_to_follow_another__warned_of(stage: Stage, manifest: Path, stricter: Path) -> None:
    first, second = made(stage, manifest, stricter), made(stage, manifest, stricter)
    assert sent(stage, manifest, "use", first).exit_code == 0
    warnings = compared(stage, manifest, second)["warnings"]
    assert any("was made to follow another model" in warning for warning in warnings)
    assert "was made to follow another model" in told(sent(stage, manifest, "use", second))


@pytest.mark.parametrize(
    ("table", "line"),
    [
        ("none.json", "Error: none.json: cannot be read"),
        ("0x" + "11" * 20, "Error: there is no code at 0x1111111111111111111111111111111111111111"),
        ("cash", "was not made by the factory of this deployment"),
        ("parameters/local.json", "Error: local.json: the file: no globals"),
    ],
)
def test_compare__no_table__told(stage: Stage, manifest: Path, table: str, line: str) -> None:
    given = stage.deployment.cash.address if table == "cash" else table
    result = run("compare", given, *network(stage), "--manifest", str(manifest), *PARAMETERS)
    assert result.exit_code == 1
    assert line in told(result)


def test_compare__parameters_of_another_deployment__told(stage: Stage, manifest: Path, tmp_path: Path) -> None:
    other = tmp_path / "other.json"
    other.write_text(json.dumps({"underlyings": [{"symbol": "TSLA", "tier": "T4"}]}))
    result = run("compare", str(SHIPPED), *network(stage), "--manifest", str(manifest), "--parameters", str(other))
    assert (result.exit_code, told(result)) == (
        1,
        "Error: underlying 0 is AAPL in the deployment, TSLA in the parameters",
    )


def test_compare__no_manifest__told(stage: Stage, tmp_path: Path) -> None:
    result = run("compare", str(SHIPPED), *network(stage), "--manifest", str(tmp_path / "none.json"), *PARAMETERS)
    assert (result.exit_code, told(result)[:27]) == (1, "Error: no manifest none.jso")


def test_compare__manifest_of_another_chain__told(stage: Stage, manifest: Path) -> None:
    other = json.loads(manifest.read_text()) | {"chain_id": 1}
    manifest.write_text(json.dumps(other))
    result = run("compare", str(SHIPPED), *network(stage), "--manifest", str(manifest), *PARAMETERS)
    assert (result.exit_code, told(result)) == (
        1,
        "Error: manifest.json is a deployment on chain 1, the node is on chain 31337",
    )


def test_compare__node_was_reset__told(stage: Stage, manifest: Path) -> None:
    with Anvil() as other:
        result = run(
            "compare",
            str(SHIPPED),
            "--network",
            f"ethereum:local:{other.url}",
            "--manifest",
            str(manifest),
            *PARAMETERS,
        )
    assert result.exit_code == 1
    assert "was the node reset?" in told(result)


def test_queue__not_an_address__told(stage: Stage, manifest: Path) -> None:
    result = sent(stage, manifest, "queue", "parameters/risk.json")
    assert result.exit_code == 2
    assert "parameters/risk.json is not the address of a model" in told(result)


def test_queue__not_a_proposer__told(stage: Stage, manifest: Path, stricter: Path) -> None:
    model = made(stage, manifest, stricter)
    result = run("queue", model, *network(stage), "--manifest", str(manifest), "--account", "TEST::5")
    assert (result.exit_code, told(result)) == (1, "Error: access_control: account is missing role")


def test_account_id__of_the_json__is_the_owners(stage: Stage, manifest: Path, stricter: Path) -> None:
    for entry in compared(stage, manifest, str(stricter))["accounts"]:
        assert account_id(entry["owner"]) == int(entry["account"])


def test_stage__live_network__sends_only_when_told_to(manifest: Path, stricter: Path, tmp_path: Path) -> None:
    with Anvil(chain_id=11_155_111, timestamp=START - SETTING_UP) as node:
        backend = RpcBackend(node.url, node.keys)
        live = set_up(backend, node, Tick(START, None, "open", PRICES), (MAKER,))
        live.deployment.save(manifest)
        nonce = backend.nonce(live.deployer)
        arguments = ("--network", f"ethereum:sepolia:{node.url}", "--manifest", str(manifest), "--account", "TEST::0")
        result = CliRunner().invoke(command.cli, ["stage", str(stricter), *arguments, *PARAMETERS], input="n\n")
        assert (result.exit_code, told(result)) == (130, "Stopped.")
        assert "ethereum:sepolia" in result.output
        assert backend.nonce(live.deployer) == nonce
        # Confirmations ask for blocks that come by themselves.
        backend.node.request("evm_setIntervalMining", 1)
        agreed = CliRunner().invoke(command.cli, ["stage", str(stricter), *arguments, *PARAMETERS, "--yes"])
        assert agreed.exit_code == 0, agreed.output
        assert live.deployment.models.made(told(agreed))
