"""A broker as a program: HTTP in a thread of its own, and a look at the chain every few seconds."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Callable
from pathlib import Path

import structlog
import uvicorn
from eth_account.signers.local import LocalAccount
from fastapi import FastAPI

from prime_perps.chain.rpc import RpcBackend
from prime_perps.errors import NodeError, PrimePerpsError
from prime_perps.issuer.broker import Broker
from prime_perps.issuer.config import BrokerConfig
from prime_perps.issuer.metrics import Metrics
from prime_perps.issuer.onchain import TokenReader
from prime_perps.issuer.service import application
from prime_perps.issuer.store import StateUnusable, Store
from prime_perps.keepers import loop
from prime_perps.keepers.loop import Stop
from prime_perps.keepers.signer_sources import HistoryReplay, PriceFile, PriceSource, world_clock

NODE_TIMEOUT = 2.0  # seconds; everybody who asks waits for the node
STALE = 30.0  # seconds without a look after which the broker is not healthy
MOST_AT_ONCE = 64
LAST_REQUESTS = 5  # seconds they may take when the broker ends

log = structlog.get_logger()


class Watch:
    """Brings the broker's book up to date, and knows when it last could."""

    def __init__(self, broker: Broker, metrics: Metrics) -> None:
        self._broker = broker
        self._metrics = metrics
        self._last = -STALE

    def look(self) -> None:
        """Raises NodeError. A disk that is full is waited for, like a node that is gone."""
        try:
            positions = self._broker.look()
        except StateUnusable as error:
            log.error("state_unusable", error=str(error))
            return
        self._last = time.monotonic()
        self._metrics.looked(time.time(), positions)

    def healthy(self) -> bool:
        return time.monotonic() - self._last < STALE


def serve(config: BrokerConfig, folder: Path, key: LocalAccount, stop: Stop, announce: Callable[[int], None]) -> None:
    """
    Answer until `stop`; `announce` is told the port, which is a free one for 0. Paths of the configuration are relative
    to `folder`. Raises PrimePerpsError for what keeps it from starting, or from going on.
    """
    backend = _backend(config)
    owner = {
        "signer": str(key.address),
        "chain": f"{config.chain.id}, genesis {backend.block(0)['hash']}",
        "token manager": config.chain.manager,
    }
    store = Store(folder / config.state, owner)
    try:
        reader = TokenReader(backend, config.chain.manager, config.chain.shares_oracle)
        metrics = Metrics()
        broker = Broker(config, key, reader, _source(config, folder), store, world_clock, metrics)
        watch = Watch(broker, metrics)
        broker.look()  # what would keep it from its work is told now
        watch.look()
        app = application(broker, config, metrics, watch.healthy)
        _run(app, config, stop, announce, watch.look)
    finally:
        store.close()


def _run(
    app: FastAPI, config: BrokerConfig, stop: Stop, announce: Callable[[int], None], look: Callable[[], None]
) -> None:
    with _listening(config.server.host, config.server.port) as listener:
        server = uvicorn.Server(
            uvicorn.Config(
                app,
                # What is worth telling is told by the service, in one form.
                log_config=None,
                log_level="critical",
                access_log=False,
                lifespan="off",
                server_header=False,
                limit_concurrency=MOST_AT_ONCE,
                timeout_graceful_shutdown=LAST_REQUESTS,
            )
        )

        def answer() -> None:
            try:
                server.run(sockets=[listener])
            finally:
                stop.set()

        # Not the main thread: there uvicorn would take the signals, which are the loop's.
        answering = threading.Thread(target=answer, name="http")
        answering.start()
        try:
            while not server.started and answering.is_alive():
                time.sleep(0.01)
            announce(int(listener.getsockname()[1]))
            loop.run(look, stop, config.server.interval)
            if not answering.is_alive():
                raise PrimePerpsError("the HTTP server has ended by itself")
        finally:
            server.should_exit = True
            answering.join()


def _listening(host: str, port: int) -> socket.socket:
    try:
        return socket.create_server((host, port), backlog=MOST_AT_ONCE)
    except OSError as error:
        raise PrimePerpsError(f"cannot listen on {host}:{port}: {error.strerror or error}") from None


def _backend(config: BrokerConfig) -> RpcBackend:
    backend = RpcBackend(config.chain.url, chain_id=config.chain.id, timeout=NODE_TIMEOUT)
    needed = [config.chain.manager, *(asset.address for asset in config.assets)]
    needed += [config.chain.shares_oracle] if config.chain.shares_oracle else []
    for address in needed:
        if not backend.has_code(address):
            raise NodeError(f"there is no contract at {address} on the chain of {backend.url}")
    return backend


def _source(config: BrokerConfig, folder: Path) -> PriceSource:
    return HistoryReplay() if config.prices.file is None else PriceFile(folder / config.prices.file)
