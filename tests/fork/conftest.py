"""A fork to act on, made the way a user makes one: ape connects to a chain, ape-foundry forks it.

The chain is a local anvil that plays mainnet and has the system on it, deployed over JSON-RPC; or, with
$PRIME_PERPS_FORK_RPC, the live chain behind that address, on whose fork the system is then deployed through ape.
"""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from ape import networks

from prime_perps import deployment
from prime_perps.chain.anvil import Anvil
from prime_perps.chain.ape import ApeBackend
from prime_perps.chain.node import Node
from prime_perps.chain.rpc import RpcBackend
from prime_perps.deployment import Deployment
from tests.ape_nodes import start_well
from tests.fork.actors import ROLES, account, address, key
from tests.fork.market import Market

if TYPE_CHECKING:
    from ape.api import ProviderAPI

LIVE_RPC = "PRIME_PERPS_FORK_RPC"
MAINNET = 1
ETHER = 10**18
MAKER_CASH = "2000000"  # USD


@dataclass(frozen=True)
class Upstream:
    """The chain that is forked. `manifest` and `node` are None for a live chain, which nobody here may write to."""

    url: str
    manifest: Path | None = None
    node: Anvil | None = None


@pytest.fixture(scope="session")
def parameters() -> dict[str, Any]:
    """Those of a local chain, under roles whose keys these tests hold, for an exchange that never shuts."""
    chosen: dict[str, Any] = json.loads((deployment.PARAMETERS / "local.json").read_text())
    chosen["governance"] |= {"guardian": address("guardian")}
    chosen["calendar"]["exchange"] = ""
    chosen["oracle"]["signers"] = [address("reporter"), address("second_reporter")]
    return chosen


@pytest.fixture(scope="session")
def upstream(parameters: dict[str, Any], tmp_path_factory: pytest.TempPathFactory) -> Iterator[Upstream]:
    live = os.environ.get(LIVE_RPC)
    if live:
        yield Upstream(live)
        return
    with Anvil(chain_id=MAINNET) as node:
        backend = RpcBackend(node.url, [key(role) for role in ROLES], chain_id=MAINNET)
        for role in ROLES:
            backend.node.request("anvil_setBalance", address(role), hex(100 * ETHER))
        system = deployment.deploy(backend, address("deployer"), parameters)
        open_for_business(Market(system, backend.warp))
        manifest = tmp_path_factory.mktemp("upstream") / "mainnet.json"
        system.save(manifest)
        yield Upstream(node.url, manifest, node)


def open_for_business(market: Market) -> None:
    """What is already there when the chain is forked: prices, and a maker with money."""
    market.publish()
    market.deposit_cash("maker", MAKER_CASH)


@pytest.fixture(scope="session")
def fork(upstream: Upstream) -> Iterator[ProviderAPI]:
    """The forked chain, connected through ape."""
    with (
        pytest.MonkeyPatch.context() as patch,
        networks.ethereum.mainnet.use_provider(upstream.url),
    ):
        start_well(patch)
        # A free port, always: with a fixed one, a node that already listens there is adopted in silence.
        with networks.fork(provider_name="foundry", provider_settings={"host": "auto"}) as provider:
            yield provider


@pytest.fixture(scope="session")
def backend(fork: ProviderAPI) -> ApeBackend:
    """The fork as every actor of these tests uses it, each with gas."""
    for role in ROLES:
        fork.set_balance(address(role), 100 * ETHER)
    return ApeBackend([account(role) for role in ROLES], fork)


@pytest.fixture(scope="session")
def mine_at(fork: ProviderAPI) -> Callable[[int], None]:
    """Mines a block on the fork at a time in unix seconds."""

    def mine(time: int) -> None:
        fork.set_timestamp(time)
        fork.mine()

    return mine


@pytest.fixture(scope="session")
def system(
    backend: ApeBackend, upstream: Upstream, parameters: dict[str, Any], mine_at: Callable[[int], None]
) -> Deployment:
    """The system as it is on the upstream chain, or deployed on the fork when that chain is a live one."""
    if upstream.manifest is not None:
        return Deployment.load(backend, upstream.manifest)
    deployed = deployment.deploy(backend, address("deployer"), parameters)
    open_for_business(Market(deployed, mine_at))
    return deployed


@pytest.fixture
def market(system: Deployment, fork: ProviderAPI, mine_at: Callable[[int], None]) -> Iterator[Market]:
    """The system on the fork with fresh prices; whatever a test does to the chain is undone after it."""
    before = fork.snapshot()
    market = Market(system, mine_at)
    market.publish()
    yield market
    fork.restore(before)


@pytest.fixture
def upstream_node(upstream: Upstream) -> Node:
    """The upstream chain itself. Skips the test on a live one, which moves on by itself."""
    if upstream.node is None:
        pytest.skip("the upstream is a live chain")
    return Node(upstream.url)
