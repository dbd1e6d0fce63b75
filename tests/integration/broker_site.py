"""Stock tokens on an anvil that lives in September 2008, and the real broker as a process of its own."""

from __future__ import annotations

import hashlib
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import requests
from eth_account import Account
from vyper.compiler import compile_from_file_input
from vyper.compiler.input_bundle import FilesystemInputBundle
from vyper.compiler.settings import Settings

from prime_perps import compiler
from prime_perps.chain import Contract
from prime_perps.chain.anvil import Anvil, free_port
from prime_perps.chain.rpc import RpcBackend
from prime_perps.issuer.client import BrokerClient, Issuer
from prime_perps.issuer.quotes import Quote
from prime_perps.units import WAD
from tests.integration.oracle_site import ROOT, Program

DEPLOYER, HOLDER, SIGNER = 0, 1, 2  # of the node's keys
USERS = {"gateway": bytes(31) + b"\x01", "maker": bytes(31) + b"\x02"}
PASSPHRASE = "for tests"
MANAGER = Path(__file__).with_name("attestation_record.vy")
CONFIG = """
state = "{state}"
[chain]
id = 31337
url = "{url}"
manager = "{manager}"
shares_oracle = "{oracle}"
[server]
port = {port}
interval = 0.05
[limits]
user = {{ notional = "10000", count = 20, window = 36000 }}
everybody = {{ notional = "1000000", count = 1000, window = 36000 }}
"""
ASSET = '[[assets]]\nsymbol = "{0}on"\nticker = "{0}"\naddress = "{1}"\nin_transit = "100000"\n'
USER = '[[users]]\nname = "{}"\nid = "0x{}"\nkey_sha256 = "{}"\n'


class BrokerProgram(Program):
    """The broker, by the command of `ape run`."""

    def __init__(self, log: Path, *options: str) -> None:
        self._log = log
        with log.open("w") as output:
            self.process = subprocess.Popen(
                [sys.executable, "-c", "from scripts.broker import cli; cli()", "--json-logs", *options],
                cwd=ROOT,
                env={name: value for name, value in os.environ.items() if not name.startswith("PRIME_PERPS_")},
                stdout=subprocess.DEVNULL,
                stderr=output,
            )


class BrokerSite:
    """Tokens with a thousand outstanding each, a keystore, a configuration, and how to ask."""

    def __init__(self, node: Anvil, folder: Path) -> None:
        self.node = node
        self.folder = folder
        self.backend = RpcBackend(node.url, node.keys)
        self.deployer, self.holder = node.addresses[DEPLOYER], node.addresses[HOLDER]
        compliance = self._deploy("IssuerCompliance")
        self.oracle = self._deploy("SValueOracle")
        self.tokens = {
            name: self._deploy("StockToken", name, f"{name}on", compliance.address) for name in ("AAPL", "IBM")
        }
        for token in self.tokens.values():
            token.mint(self.holder, 1_000 * WAD, sender=self.deployer)
        self.manager = self._deploy_source(MANAGER)
        for token in self.tokens.values():
            token.set_minter(self.manager.address, True, sender=self.deployer)
        self.signer = node.addresses[SIGNER]
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self.config = folder / "broker.toml"
        self.config.write_text(self.configuration())
        self.keystore, self.passphrase = folder / "issuer.json", folder / "issuer.pass"
        self.keystore.write_text(json.dumps(Account.encrypt(node.keys[SIGNER], PASSPHRASE, "pbkdf2", 1_000)))
        self.passphrase.write_text(PASSPHRASE + "\n")
        self._started: list[BrokerProgram] = []

    def configuration(self, **changes: Any) -> str:
        fields = {
            "state": "broker.sqlite",
            "url": self.node.url,
            "manager": self.manager.address,
            "oracle": self.oracle.address,
            "port": self.port,
            **changes,
        }
        assets = [ASSET.format(name, token.address) for name, token in self.tokens.items()]
        users = [USER.format(name, user_id.hex(), _sha256(name)) for name, user_id in USERS.items()]
        return CONFIG.format(**fields) + "".join(assets + users)

    def start(self, *options: str, config: Path | None = None) -> BrokerProgram:
        log = self.folder / f"broker {len(self._started)}.log"
        key = ("--keystore", str(self.keystore), "--passphrase-file", str(self.passphrase))
        program = BrokerProgram(log, "--config", str(config or self.config), *key, *options)
        self._started.append(program)
        return program

    def started(self) -> BrokerProgram:
        program = self.start()
        program.says("started")
        return program

    def stop(self) -> None:
        for program in self._started:
            program.kill()

    def client(self, user: str = "gateway") -> BrokerClient:
        tokens = {f"{name}on": token.address for name, token in self.tokens.items()}
        issuer = Issuer(31_337, self.manager.address, self.signer, tokens)
        return BrokerClient(self.url, user, USERS[user], issuer, clock=self.backend.timestamp)

    def post(
        self, body: Any = None, *, key: str = "gateway", idempotency: str = "", raw: bytes = b""
    ) -> requests.Response:
        """The API key of a user is its name."""
        headers = {"x-api-key": key, "content-type": "application/json"}
        if idempotency:
            headers["idempotency-key"] = idempotency
        data = raw or json.dumps(body).encode()
        return requests.post(f"{self.url}/v1/attestations", data=data, headers=headers, timeout=30)

    def metric(self, line: str) -> float:
        told = requests.get(f"{self.url}/metrics", timeout=30).text
        return next((float(one.removeprefix(line)) for one in told.splitlines() if one.startswith(line + " ")), 0.0)

    def mint(self, quote: Quote) -> None:
        """What a token manager does with a quote it takes."""
        self.manager.mint(quote.attestation_id, quote.asset, self.holder, quote.quantity, sender=self.deployer)

    def _deploy_source(self, path: Path) -> Contract:
        bundle = FilesystemInputBundle([ROOT])
        built = compile_from_file_input(
            bundle.load_file(path),
            input_bundle=bundle,
            settings=Settings(evm_version=compiler.EVM_VERSION),
            output_formats=["abi", "bytecode"],
        )
        code = bytes.fromhex(built["bytecode"][2:])
        return Contract(self.backend, self.backend.create(code, self.deployer), built["abi"], path.stem)

    def _deploy(self, name: str, *args: Any) -> Contract:
        return Contract.deploy(self.backend, name, *args, sender=self.deployer)


def _sha256(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()
