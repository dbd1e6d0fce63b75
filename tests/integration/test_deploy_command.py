"""`ape run deploy`: the whole system from one command, and one clear line for whatever is wrong with it."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result
from eth_account import Account

from prime_perps.chain.anvil import Anvil
from prime_perps.chain.rpc import RpcBackend
from prime_perps.compiler import ROOT
from prime_perps.deployment import PARAMETERS, Deployment
from prime_perps.units import BPS
from scripts import deploy as command
from tests.ape_nodes import start_well

LOCAL = "ethereum:local:foundry"
PASSPHRASE = "correct horse battery staple"


@pytest.fixture(autouse=True)
def _lean() -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        start_well(patch)
        yield


@pytest.fixture
def manifest(tmp_path: Path) -> Path:
    return tmp_path / "manifest.json"


def _deploy(*options: str) -> Result:
    return CliRunner().invoke(command.cli, list(options))


def _told(result: Result) -> str:
    """The last line, which must be the only one that says what went wrong."""
    assert "Traceback" not in result.output
    return result.output.strip().splitlines()[-1]


def test_deploy__running_node__manifest_leads_to_the_system(manifest: Path) -> None:
    with Anvil() as node:
        result = _deploy("--network", f"ethereum:local:{node.url}", "--account", "TEST::0", "--manifest", str(manifest))
        assert result.exit_code == 0, result.output
        deployed = Deployment.load(RpcBackend(node.url), manifest)
        assert {name: address for name, address in deployed.addresses().items() if address not in result.output} == {}
        assert deployed.clearinghouse.settings().insurance_share <= BPS
        assert deployed.clearinghouse.vault() == deployed.vault.address


def test_deploy__finished__deployer_has_no_role_left(manifest: Path) -> None:
    """AC-1"""
    with Anvil() as node:
        result = _deploy("--network", f"ethereum:local:{node.url}", "--account", "TEST::0", "--manifest", str(manifest))
        assert result.exit_code == 0, result.output
        deployed = Deployment.load(RpcBackend(node.url), manifest)
        for contract in (deployed.configurator, deployed.vault, deployed.oracle, deployed.engine):
            for role in (contract.DEFAULT_ADMIN_ROLE(), contract.TIMELOCK_ROLE()):
                assert not contract.hasRole(role, node.addresses[0]), contract.name
                assert contract.hasRole(role, deployed.timelock.address), contract.name


@pytest.fixture
def sepolia() -> Iterator[Anvil]:
    """A node that plays a live network: its chain id, and blocks that come by themselves."""
    with Anvil(chain_id=11_155_111, options=["--block-time", "0.1"]) as node:
        yield node


def _deploy_live(node: Anvil, folder: Path, *options: str, answer: str = "") -> subprocess.CompletedProcess[str]:
    """As a person does it: a keystore of ape's, its pass phrase, `ape run deploy`."""
    keystore = Account.encrypt(node.keys[0], PASSPHRASE, kdf="pbkdf2", iterations=2)
    (folder / "accounts").mkdir()
    (folder / "accounts" / "operations.json").write_text(json.dumps(keystore))
    tools = Path(sys.executable).parent
    return subprocess.run(
        [
            *(str(tools / "ape"), "run", "deploy", "--account", "operations"),
            *("--network", f"ethereum:sepolia:{node.url}", "--parameters", "parameters/local.json", *options),
        ],
        cwd=ROOT,
        env={
            **os.environ,
            "PATH": os.pathsep.join([str(tools), os.environ["PATH"]]),
            "APE_DATA_FOLDER": str(folder),
            "APE_ACCOUNTS_operations_PASSPHRASE": PASSPHRASE,
        },
        input=answer,
        capture_output=True,
        text=True,
        timeout=300,
    )


def test_deploy__live_network_and_keystore__confirmed_and_written(
    sepolia: Anvil, tmp_path: Path, manifest: Path
) -> None:
    result = _deploy_live(sepolia, tmp_path, "--manifest", str(manifest), answer="y\n")
    assert result.returncode == 0, result.stdout + result.stderr
    assert "ethereum:sepolia" in result.stdout
    backend = RpcBackend(sepolia.url)
    deployed = Deployment.load(backend, manifest)
    assert deployed.engine.clearinghouse() == deployed.clearinghouse.address


def test_deploy__live_network_and_a_no__nothing_sent(sepolia: Anvil, tmp_path: Path, manifest: Path) -> None:
    result = _deploy_live(sepolia, tmp_path, "--manifest", str(manifest), answer="n\n")
    assert (result.returncode, result.stderr.strip().splitlines()[-1]) == (130, "Stopped.")
    assert RpcBackend(sepolia.url).nonce(sepolia.addresses[0]) == 0
    assert not manifest.exists()


def test_deploy__wrong_chain_behind_the_address__told(manifest: Path) -> None:
    with Anvil(chain_id=5) as node:
        result = _deploy("--network", f"ethereum:sepolia:{node.url}", "--account", "TEST::0", "--yes")
        assert result.exit_code == 1
        assert "chain" in _told(result).lower()


def test_deploy__no_such_parameters__named(manifest: Path) -> None:
    result = _deploy("--network", LOCAL, "--account", "TEST::0", "--parameters", "none.json")
    assert (result.exit_code, _told(result)) == (1, "Error: no such file: none.json")


def test_deploy__parameters_lack_an_entry__named(tmp_path: Path, manifest: Path) -> None:
    chosen: dict[str, Any] = json.loads((PARAMETERS / "local.json").read_text())
    del chosen["fees"]["maker_pips"], chosen["governance"]["delay"]
    path = tmp_path / "short.json"
    path.write_text(json.dumps(chosen))
    result = _deploy(
        *("--network", LOCAL, "--account", "TEST::0"), *("--parameters", str(path), "--manifest", str(manifest))
    )
    assert result.exit_code == 1
    assert "delay" in _told(result)
    assert not manifest.exists()


def test_deploy__unknown_account__told() -> None:
    result = _deploy("--network", LOCAL, "--account", "nobody-has-this-name")
    assert result.exit_code != 0
    assert "nobody-has-this-name" in _told(result)


def test_deploy__unknown_network__told() -> None:
    result = _deploy("--network", "ethereum:atlantis", "--account", "TEST::0")
    assert result.exit_code != 0
    assert "atlantis" in _told(result)


def test_deploy__node_does_not_answer__told() -> None:
    result = _deploy("--network", "ethereum:local:http://127.0.0.1:1", "--account", "TEST::0")
    assert (result.exit_code, _told(result)[:31]) == (1, "Error: the node does not answer")


def test_deploy__interrupted__exit_130(monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupted(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(command, "deploy", interrupted)
    result = _deploy("--network", LOCAL, "--account", "TEST::0")
    assert (result.exit_code, _told(result)) == (130, "Stopped.")
