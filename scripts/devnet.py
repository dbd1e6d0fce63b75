"""Run a development network until Ctrl-C.

ape run devnet
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import click
from rich.console import Console
from rich.table import Table

from prime_perps.accounts import owner_of
from scripts import _cli

if TYPE_CHECKING:
    from prime_perps.demo.devnet import Devnet
    from prime_perps.history import Tick
    from prime_perps.keepers.loop import Stop

QUOTES = _cli.ROOT / "build" / "devnet" / "quotes.json"
# Prices published once a minute of chain time stay fresh; slower ones would be refused by the exchange.
SLOWEST_PACE = 50.0


def devnet(
    port: int,
    pace: float,
    manifest: Path,
    quotes: Path,
    stop: Stop,
    announce: Callable[[Devnet | Tick], None],
) -> None:
    """
    Chain, deployment, moving prices and a quoting maker until `stop`; `announce` hears of the network, then of each
    price. Raises AnvilMissing, HistoryMissing, NodeError, Revert.
    """
    from prime_perps.demo.devnet import serve

    with stop.on_signals():
        serve(port, pace, manifest, quotes, stop, announce)


@click.command(cls=_cli.Command, short_help="Run a development network.")
@click.option("--port", type=click.IntRange(1, 65_535), default=8545, show_default=True, help="Where the node listens.")
@click.option(
    "--pace",
    type=click.FloatRange(0.1, SLOWEST_PACE),
    default=10.0,
    show_default=True,
    help="Seconds between two prices; four prices are a day.",
)
@_cli.deployment_option()
@click.option(
    "--quotes",
    type=click.Path(dir_okay=False, path_type=Path),
    default=QUOTES,
    show_default="build/devnet/quotes.json",
    help="Where the maker's signed orders are offered.",
)
def cli(port: int, pace: float, deployment: Path, quotes: Path) -> None:
    """
    A local node with the whole system on it, real prices from September 2008 on that move by themselves, and a maker
    whose signed orders anybody can take. Runs until Ctrl-C.

    Its keys are known to everybody: never send anything of worth to them.
    """
    from prime_perps.history import Tick
    from prime_perps.keepers import logs
    from prime_perps.keepers.loop import Stop

    logs.configure()
    console = Console()
    status = console.status("Compiling, deploying")

    def announce(news: Devnet | Tick) -> None:
        if isinstance(news, Tick):
            told = "  ".join(f"{symbol} {price}" for symbol, price in news.prices.items())
            status.update(f"{news.day:%-d %B %Y} {news.label:<15} {told}   (Ctrl-C to stop)")
        else:
            _introduce(console, news)

    with status:
        devnet(port, pace, deployment, quotes, Stop(), announce)
    console.print("Stopped.")


def _introduce(console: Console, network: Devnet) -> None:
    contracts = Table(title="Contracts", title_justify="left", show_header=False)
    for name, address in network.addresses.items():
        contracts.add_row(name, address)
    console.print(f"[bold]{network.url}[/bold]  chain {network.chain_id}", highlight=False)
    console.print(contracts)
    console.print("Funded wallets and their private keys, known to everybody:")
    for wallet in network.wallets:
        console.print(f"  {wallet.address}  {wallet.key}", highlight=False, soft_wrap=True)
    console.print(f"The maker's account: {owner_of(network.maker)}", highlight=False)
    console.print(f"Manifest: {_cli.shown(network.manifest)}", highlight=False)
    console.print(
        f"The maker's signed orders, good until the next price: {_cli.shown(network.quotes)}", highlight=False
    )
