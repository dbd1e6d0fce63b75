"""An oracle on an anvil, three signers, and the real keepers as processes of their own around it."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import astuple
from pathlib import Path
from typing import Any

from prime_perps.chain import Contract
from prime_perps.chain.anvil import Anvil
from prime_perps.chain.rpc import RpcBackend
from prime_perps.reports import DEFAULT_LIMITS, Feed, Source, Word

ROOT = Path(__file__).resolve().parent.parent.parent
OWNER, CARRIER = 0, 5  # of the node's keys
SIGNERS = (1, 2, 3)
STRANGER = 4
THRESHOLD = 2
SYMBOLS = {0: "AAPL", 1: "IBM", 2: "BTC"}
AAPL, IBM, BTC = SYMBOLS


class OracleSite:
    """The adapter, with the owner as its timelock, and the manifest that keepers read."""

    def __init__(self, node: Anvil, folder: Path) -> None:
        self.node = node
        self.folder = folder
        self.backend = RpcBackend(node.url, node.keys)
        self.owner, self.carrier = node.addresses[OWNER], node.addresses[CARRIER]
        self.oracle = Contract.deploy(
            self.backend, "OracleAdapter", THRESHOLD, astuple(DEFAULT_LIMITS), sender=self.owner
        )
        self.oracle.grantRole(self.oracle.TIMELOCK_ROLE(), self.owner, sender=self.owner)
        for signer in SIGNERS:
            self.oracle.set_signer(node.addresses[signer], True, sender=self.owner)
        for underlying in SYMBOLS:
            self.oracle.set_feed(underlying, Feed(Source.REPORTS), sender=self.owner)
        self.manifest = folder / "manifest.json"
        self.manifest.write_text(
            json.dumps(
                {
                    "chain_id": self.backend.chain_id(),
                    "contracts": {"oracle": {"name": "OracleAdapter", "address": self.oracle.address}},
                    "underlyings": [{"id": number, "symbol": symbol} for number, symbol in SYMBOLS.items()],
                }
            )
        )
        self.prices = folder / "prices.json"

    def word(self, underlying: int) -> Word:
        return Word.unpack(self.oracle.word(underlying))

    def see(self, path: Path | None = None, *, at: int | None = None, **prices: str) -> int:
        """Write what is seen now of an open exchange. Returns when that was."""
        path = path or self.prices
        now = int(time.time()) if at is None else at
        entries = {symbol: {"price": price, "session": "REGULAR"} for symbol, price in prices.items()}
        scratch = path.with_suffix(".new")
        scratch.write_text(json.dumps({"time": now, "prices": entries}))
        scratch.replace(path)
        return now

    def words_written(self) -> list[tuple[int, int]]:
        """(underlying, time) of every word ever written, in order."""
        logs = self.backend.get_logs(0, self.backend.block_number(), [self.oracle.address])
        decoded = [self.oracle.decode_log(log) for log in logs]
        return [(e["underlying"], e["time"]) for name, e in filter(None, decoded) if name == "WordUpdated"]

    def transactions(self, sender: str) -> int:
        return RpcBackend(self.node.url).nonce(sender)


class Program:
    """A keeper as a process of its own."""

    def __init__(self, keeper: str, key: str, log: Path, *options: str, **environment: str) -> None:
        self._log = log
        with log.open("w") as output:
            self.process = subprocess.Popen(
                [sys.executable, "-c", "from scripts.keeper import cli; cli()", keeper, "--json-logs", *options],
                cwd=ROOT,
                env={**os.environ, "PRIME_PERPS_KEY": key, **environment},
                stdout=subprocess.DEVNULL,
                stderr=output,
            )

    @property
    def told(self) -> str:
        return self._log.read_text()

    @property
    def lines(self) -> list[dict[str, Any]]:
        return [json.loads(line) for line in self.told.splitlines() if line.startswith("{") and line.endswith("}")]

    def all(self, event: str) -> list[dict[str, Any]]:
        return [line for line in self.lines if line["event"] == event]

    def says(self, event: str, times: int = 1) -> dict[str, Any]:
        """Wait until it has told the event so often. Returns the last line of it."""
        until(lambda: len(self.all(event)) >= times or self.process.poll() is not None)
        assert len(self.all(event)) >= times, self.told
        return self.all(event)[-1]

    def ends(self, seconds: float = 60) -> int:
        return self.process.wait(seconds)

    def stop(self, number: int = signal.SIGTERM) -> int:
        self.process.send_signal(number)
        return self.ends()

    def kill(self) -> None:
        self.process.kill()
        self.process.wait()


def until(condition: Callable[[], object], seconds: float = 60) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "did not happen in time"
        time.sleep(0.02)
