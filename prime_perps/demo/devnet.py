"""A development network to build against: the system, real prices that move on by themselves, a maker that quotes."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from prime_perps import compiler, history
from prime_perps.accounts import account_id
from prime_perps.chain.anvil import Anvil
from prime_perps.chain.rpc import RpcBackend
from prime_perps.demo.cast import MAKER
from prime_perps.demo.stage import FIRST_ACTOR, SETTING_UP, Stage, set_up
from prime_perps.history import Tick
from prime_perps.keepers import quotes
from prime_perps.keepers.loop import Stop
from prime_perps.keepers.publisher import Replay
from prime_perps.reports import Session

# Anvil's own accounts before and after the maker's are taken; these are for whoever uses the network.
FREE = range(FIRST_ACTOR + 1, 10)
CASH_EACH = 1_000_000  # USD in the wallet of each free account
TOKENS_EACH = 1_000  # of every stock


@dataclass(frozen=True)
class Wallet:
    """A funded account that the network's user may use. Its key is public knowledge."""

    address: str
    key: str


@dataclass(frozen=True)
class Devnet:
    """What a user of the running network needs to know."""

    url: str
    chain_id: int
    manifest: Path
    quotes: Path
    addresses: dict[str, str]
    wallets: Sequence[Wallet]
    maker: int


def serve(
    port: int, pace: float, manifest: Path, quotes_file: Path, stop: Stop, announce: Callable[[Devnet | Tick], None]
) -> None:
    """
    Run until `stop`. `pace`: seconds between two prices. `announce` is told of the network once it is up, then of each
    price. The chain's clock starts in September 2008 and jumps with the prices; after the last one it runs on in real
    time and the last prices are published again and again. Raises AnvilMissing, NodeError, Revert.
    """
    ticks = list(history.ticks(history.daily_bars()))
    compiler.load_all()
    with Anvil(port=port, timestamp=ticks[0].time - SETTING_UP) as node:
        backend = RpcBackend(node.url, node.keys)
        stage = set_up(backend, node, ticks[0], [MAKER])
        wallets = [Wallet(node.addresses[index], node.keys[index]) for index in FREE]
        _fill_wallets(stage, wallets)
        stage.deployment.save(manifest)
        announce(
            Devnet(
                url=node.url,
                chain_id=node.chain_id,
                manifest=manifest,
                quotes=quotes_file,
                addresses=stage.deployment.addresses(),
                wallets=wallets,
                maker=account_id(stage.address(MAKER)),
            )
        )
        markets = sorted(stage.underlyings(history.SYMBOLS).values())
        for tick in _prices(stage, ticks):
            quotes.save(quotes_file, stage.maker.quote(markets))
            announce(tick)
            if stop.wait(pace):
                break


def _prices(stage: Stage, ticks: Sequence[Tick]) -> Iterator[Tick]:
    """The history once, then its last prices for good."""
    underlyings = stage.underlyings(history.SYMBOLS)
    for moment in Replay(stage.backend, stage.publisher, underlyings).run(ticks):
        if moment.session is not Session.CLOSED:
            yield moment.tick
    last = {underlyings[symbol]: price for symbol, price in ticks[-1].prices.items()}
    for _ in itertools.count():
        told = stage.backend.timestamp()
        stage.backend.mine()
        if stage.backend.timestamp() == told:
            # signers state one price an instant, and what was said last of this one is that the exchange shut
            stage.backend.warp(told + 1)
        stage.publisher.publish(last, stage.backend.timestamp(), Session.REGULAR)
        yield ticks[-1]


def _fill_wallets(stage: Stage, wallets: Sequence[Wallet]) -> None:
    deployment = stage.deployment
    coins = CASH_EACH * 10 ** deployment.cash.decimals()
    for wallet in wallets:
        deployment.cash.mint(wallet.address, coins, sender=stage.deployer)
        for entry in deployment.underlyings:
            if entry.token is not None:
                amount = TOKENS_EACH * 10 ** entry.token.decimals()
                entry.token.mint(wallet.address, amount, sender=stage.deployer)
