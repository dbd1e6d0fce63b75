"""Whatever is done on the fork, the chain it was made from does not notice."""

from __future__ import annotations

from prime_perps.accounts import account_id
from prime_perps.chain.node import Node
from prime_perps.chain.rpc import RpcBackend
from prime_perps.deployment import Deployment
from prime_perps.units import wad
from tests.fork.actors import address
from tests.fork.conftest import MAKER_CASH, Upstream
from tests.fork.market import Market


def test_upstream__after_trades_on_the_fork__unchanged(market: Market, upstream: Upstream, upstream_node: Node) -> None:
    before = upstream_node.read("eth_getBlockByNumber", "latest", False)
    market.deposit_cash("taker", "10000")
    market.buy("taker", "AAPL", "100")
    assert upstream_node.read("eth_getBlockByNumber", "latest", False) == before

    assert upstream.manifest is not None
    there = Deployment.load(RpcBackend(upstream.url), upstream.manifest)
    assert there.clearinghouse.address == market.system.clearinghouse.address
    assert there.clearinghouse.money(account_id(address("maker"))).cash == wad(MAKER_CASH)
    assert there.clearinghouse.position(account_id(address("taker")), there.underlying("AAPL").id).size == 0
