"""Which oracle adapter the keepers around it serve, by the deployment's manifest. A signer needs no node to know it."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from prime_perps.chain.contract import Contract, Method
from prime_perps.chain.rpc import RpcBackend
from prime_perps.deployment import BadManifest
from prime_perps.errors import NodeError, Revert


@dataclass(frozen=True)
class Site:
    """An adapter on a chain, and the symbol of each underlying's number."""

    chain_id: int
    adapter: str
    symbols: dict[int, str]

    @classmethod
    def load(cls, path: Path) -> Site:
        """From the file that a deployment has written. Raises BadManifest."""
        try:
            manifest = json.loads(path.read_text())
            symbols = {entry["id"]: entry["symbol"] for entry in manifest["underlyings"]}
            return cls(manifest["chain_id"], manifest["contracts"]["oracle"]["address"], symbols)
        except FileNotFoundError:
            raise BadManifest(f"no manifest {path.name}: deploy first, or name another one") from None
        except (KeyError, TypeError, ValueError) as error:
            raise BadManifest(f"{path.name} is not a deployment manifest ({error!r})") from None

    def oracle(self, backend: RpcBackend) -> Contract:
        """The adapter through a node. Raises NodeError when the node serves another chain, or has nothing there."""
        if backend.chain_id() != self.chain_id:
            raise NodeError(f"the deployment is on chain {self.chain_id}, {backend.url} serves {backend.chain_id()}")
        if not backend.has_code(self.adapter):
            raise NodeError(_gone(backend, self.adapter))
        return Contract.at(backend, "OracleAdapter", self.adapter)


def views(backend: RpcBackend, method: Method, arguments: Iterable[Any]) -> list[Any]:
    """One view of an adapter for each argument, in one round trip. Raises Revert, NodeError."""
    address = method.contract.address
    answers = backend.call_many([(address, method.encode(argument)) for argument in arguments])
    for answer in answers:
        if isinstance(answer, Revert):
            raise answer
        if not answer:
            raise NodeError(_gone(backend, address))
    return [method.decode(answer) for answer in answers if not isinstance(answer, Revert)]


def _gone(backend: RpcBackend, address: str) -> str:
    return f"{backend.url} has no oracle at {address}: was the node reset?"
