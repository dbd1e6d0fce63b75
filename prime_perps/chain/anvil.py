"""A local chain in a process of its own: anvil, found, started on a free port, and stopped without a trace.

    with Anvil(chain_id=31_337) as node:
        backend = RpcBackend(node.url, node.keys)

Any number of them run side by side. Steps are never traced and history is pruned: both make anvil keep gigabytes.
"""

from __future__ import annotations

import atexit
import os
import platform
import re
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from functools import cache
from pathlib import Path
from types import TracebackType
from typing import Self

from eth_account import Account
from eth_account.hdaccount import ETHEREUM_DEFAULT_PATH, key_from_seed, seed_from_mnemonic

from prime_perps.chain.node import Node
from prime_perps.errors import NodeError, PrimePerpsError

# Blocks whose state anvil keeps. With none, a read of the latest block fails when the next one is mined meanwhile; with
# all, it fills the disk.
KEPT_STATES = 64
ROOT = Path(__file__).resolve().parent.parent.parent
MAJOR_VERSION = 1
# Known to everybody: whatever these keys hold on a public chain is gone the moment it arrives.
MNEMONIC = "test test test test test test test test test test test junk"
CHAIN_ID = 31_337
START_ATTEMPTS = 5
START_PAUSE = 0.02  # seconds between two looks at a node that is starting
STOP_TIMEOUT = 10.0  # seconds until a node that does not stop is killed
SYSTEMS = {"Linux": "linux", "Darwin": "darwin"}
MACHINES = {"x86_64": "amd64", "amd64": "amd64", "aarch64": "arm64", "arm64": "arm64"}
HOW_TO_GET = "run `make setup`, or install Foundry 1.x so that `anvil --version` works (https://getfoundry.sh)"


class AnvilMissing(PrimePerpsError):
    """No anvil that fits on this machine."""


def _version(binary: Path) -> str | None:
    """The version an anvil tells, None for anything that is no anvil."""
    try:
        told = subprocess.run([binary, "--version"], capture_output=True, text=True, timeout=20, check=True).stdout
    except (OSError, subprocess.SubprocessError):
        return None
    match = re.match(r"anvil (?:Version: )?(\d+\.\d+\.\d+)", told)
    return match.group(1) if match else None


def _candidates() -> list[Path]:
    """Where an anvil may be: PATH, beside this interpreter, and the platform's own package under .tools."""
    on_path = shutil.which("anvil")
    system, machine = SYSTEMS.get(platform.system()), MACHINES.get(platform.machine().lower())
    package = ROOT / ".tools" / "node_modules" / "@foundry-rs" / f"anvil-{system}-{machine}" / "bin" / "anvil"
    return [*([Path(on_path)] if on_path else []), Path(sys.executable).parent / "anvil", package]


@cache
def find_anvil() -> Path:
    """An anvil 1.x. Raises AnvilMissing with the way to get one."""
    unfit = []
    for binary in _candidates():
        version = _version(binary)
        if version is not None and version.startswith(f"{MAJOR_VERSION}."):
            return binary
        if version is not None:
            unfit.append(f"{binary} is {version}")
    seen = f" ({', '.join(unfit)})" if unfit else ""
    raise AnvilMissing(f"no anvil {MAJOR_VERSION}.x found{seen}: {HOW_TO_GET}")


def free_port() -> int:
    """A port of this machine that nothing uses, not even a connection that is closing."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


class Anvil:
    """One anvil process. Start it with `start()` or as a context manager; `url` answers from then on."""

    def __init__(
        self,
        *,
        chain_id: int = CHAIN_ID,
        hardfork: str = "cancun",
        mnemonic: str = MNEMONIC,
        accounts: int = 10,
        balance: int = 10_000,
        timestamp: int | None = None,
        port: int | None = None,
        state: Path | None = None,
        load_state: Path | None = None,
        fork_url: str | None = None,
        fork_block: int | None = None,
        options: Sequence[str] = (),
        timeout: float = 30.0,
    ) -> None:
        """
        `balance`: ether of each of the `accounts`. `timestamp`: unix seconds of the genesis block, now if not given.
        `port`: a free one if not given. `state`: a file to start from if it exists, and to leave the chain in at the
        end. `load_state`: a file only to start from. `fork_url`: the node whose chain this one goes on from, at
        `fork_block` or its newest. `options`: more of anvil's own. `timeout`: seconds until it must answer.
        """
        self.chain_id = chain_id
        self.mnemonic = mnemonic
        self.accounts = accounts
        self.port = port
        self._fixed_port = port is not None
        self._timeout = timeout
        self._process: subprocess.Popen[bytes] | None = None
        self._scratch: tempfile.TemporaryDirectory[str] | None = None
        self._listening = Path()
        self._arguments = [
            *("--quiet", "--prune-history", str(KEPT_STATES)),
            *("--hardfork", hardfork),
            *("--mnemonic", mnemonic, "--accounts", str(accounts), "--balance", str(balance)),
        ]
        given: dict[str, object] = {
            # A fork keeps the chain id of its upstream, which is what signatures are bound to.
            "--chain-id": None if fork_url else chain_id,
            "--timestamp": timestamp,
            "--state": state,
            "--load-state": load_state,
            "--fork-url": fork_url,
            "--fork-block-number": fork_block,
        }
        for option, value in given.items():
            if value is not None:
                self._arguments += [option, str(value)]
        if fork_url:
            # What it would keep on disk, by chain id and height, outlives a local upstream.
            self._arguments.append("--no-storage-caching")
        self._arguments += options

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    @property
    def url(self) -> str:
        """Where the node listens. Raises NodeError before it was started."""
        if self.port is None:
            raise NodeError("anvil was not started yet")
        return f"http://127.0.0.1:{self.port}"

    @property
    def keys(self) -> tuple[str, ...]:
        """The private keys of the funded accounts. Public knowledge: for local chains only."""
        return _keys(self.mnemonic, self.accounts)

    @property
    def addresses(self) -> tuple[str, ...]:
        """The funded accounts, in the order of `keys`."""
        return tuple(str(Account.from_key(key).address) for key in self.keys)

    @property
    def running(self) -> bool:
        return self._process is not None and self._process.poll() is None

    @property
    def pid(self) -> int:
        """Process id. Raises NodeError when it is not running."""
        if self._process is None:
            raise NodeError("anvil is not running")
        return self._process.pid

    @property
    def log(self) -> str:
        """What the process has printed."""
        if self._scratch is None:
            return ""
        return (Path(self._scratch.name) / "anvil.log").read_text(errors="replace")

    def start(self) -> Self:
        """Start and wait until it answers. Raises AnvilMissing, NodeError with anvil's own last words."""
        if self.running:
            return self
        binary = find_anvil()
        self._scratch = self._scratch or tempfile.TemporaryDirectory(prefix="anvil-")
        atexit.register(self.stop)
        for attempt in range(1, START_ATTEMPTS + 1):
            if not self._fixed_port:
                self.port = free_port()
            self._launch(binary)
            try:
                self._wait()
                break
            except NodeError:
                # Between finding a port free and taking it, another process may have.
                taken = "address already in use" in self.log.lower()
                self.stop(keep_log=True)
                if self._fixed_port or not taken or attempt == START_ATTEMPTS:
                    raise
        # A port of one's own choosing stays the same over a restart, so that clients find the node again.
        self._fixed_port = True
        return self

    def stop(self, *, keep_log: bool = False) -> None:
        """Ask it to stop, and wait: it writes its state, if asked to. Does nothing when it is not running."""
        atexit.unregister(self.stop)
        if self._process is not None:
            self._process.terminate()
            try:
                self._process.wait(STOP_TIMEOUT)
            except subprocess.TimeoutExpired:
                self._process.kill()
                self._process.wait()
            self._process = None
        if self._scratch is not None and not keep_log:
            self._scratch.cleanup()
            self._scratch = None

    def kill(self) -> None:
        """End it as a crash would, without a last write. `start` brings up a new one on the same port."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            self._process = None

    def _launch(self, binary: Path) -> None:
        assert self._scratch is not None
        scratch = Path(self._scratch.name)
        listening = scratch / "listening.json"
        listening.unlink(missing_ok=True)
        self._listening = listening
        with (scratch / "anvil.log").open("ab") as log:
            self._process = subprocess.Popen(
                [binary, "--port", str(self.port), "--config-out", str(listening), *self._arguments],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                # What it leaves behind in its temporary files goes with the scratch folder.
                env={**os.environ, "TMPDIR": str(scratch)},
                # Ctrl-C is for the program, which stops its node when it is done with it.
                start_new_session=True,
            )

    def _wait(self) -> None:
        assert self._process is not None
        deadline = time.monotonic() + self._timeout
        while time.monotonic() < deadline:
            if self._process.poll() is not None:
                told = self._last_words()
                if "Address already in use" in told:
                    raise NodeError(
                        f"port {self.port} is already in use, by another node perhaps: end that, or choose another port"
                    )
                raise NodeError(f"anvil ended at once: {told}")
            # Written once the port is taken. An answer on the port alone could be another node's.
            if self._listening.exists():
                self._confirm()
                return
            time.sleep(START_PAUSE)
        raise NodeError(f"anvil does not listen after {self._timeout:g} seconds: {self._last_words()}")

    def _confirm(self) -> None:
        node = Node(self.url, timeout=self._timeout)
        try:
            node.read("eth_chainId")
        finally:
            node.close()

    def _last_words(self) -> str:
        lines = [line.strip() for line in self.log.splitlines() if line.strip()]
        return " / ".join(lines[-3:]) or "it printed nothing"


@cache
def _keys(mnemonic: str, count: int) -> tuple[str, ...]:
    seed = seed_from_mnemonic(mnemonic, "")
    stem = ETHEREUM_DEFAULT_PATH.rpartition("/")[0]
    return tuple("0x" + key_from_seed(seed, f"{stem}/{index}").hex() for index in range(count))
