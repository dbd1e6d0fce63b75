"""Run the liquidator.

ape run keeper --account my-key --passphrase-file key.pass
"""

from __future__ import annotations

from decimal import Decimal, InvalidOperation
from pathlib import Path

import click
from eth_account.signers.local import LocalAccount

from prime_perps.accounts import account_id
from prime_perps.chain.rpc import RpcBackend
from prime_perps.deployment import Deployment
from prime_perps.errors import PrimePerpsError
from prime_perps.keepers import logs, loop
from prime_perps.keepers.decision import Policy
from prime_perps.keepers.keys import PASSPHRASE_VARIABLE, load_key
from prime_perps.keepers.liquidator import DEFAULT_POLICY, Liquidator
from prime_perps.keepers.loop import Stop
from prime_perps.units import wad
from scripts import _cli


def keeper(
    url: str,
    manifest: Path,
    key: LocalAccount,
    *,
    sub: int = 0,
    policy: Policy = DEFAULT_POLICY,
    interval: float = 1.0,
    once: bool = False,
    dry_run: bool = False,
    stop: Stop | None = None,
) -> None:
    """
    Liquidate with `key` into sub-account `sub` of its address until `stop`, or a single time. It outlives the node.
    Raises NodeError and BadManifest while starting.
    """
    backend = RpcBackend(url, [key])
    deployment = Deployment.load(backend, manifest)
    if not backend.has_code(deployment.clearinghouse.address):
        raise PrimePerpsError(
            f"{backend.url} has no contracts at the addresses of {manifest.name}: was the node reset?"
        )
    stop = stop or Stop()
    liquidator = Liquidator(
        backend,
        deployment.clearinghouse,
        deployment.engine,
        sender=key.address,
        account=account_id(key.address, sub),
        policy=policy,
        first_block=deployment.block,
        dry_run=dry_run,
    )
    with stop.on_signals():
        loop.log.info("started", node=backend.url, chain=backend.chain_id(), key=key.address, sub=sub, dry_run=dry_run)
        loop.run(lambda: liquidator.tick(stop), stop, interval, once)
    loop.log.info("stopped", accounts=liquidator.known_accounts)


class Usd(click.ParamType):
    """A plain amount of USD into wad."""

    name = "usd"

    def convert(self, value: str | int, param: click.Parameter | None, ctx: click.Context | None) -> int:
        if isinstance(value, int):
            return value
        try:
            amount = Decimal(value)
            if not amount.is_finite() or amount < 0:
                raise InvalidOperation
        except InvalidOperation:
            self.fail(f"{value} is not an amount of USD", param, ctx)
        return wad(amount)


@click.command(cls=_cli.Command, short_help="Run the liquidator.")
@_cli.url_option()
@_cli.deployment_option()
@click.option("--account", "alias", help="ape account whose key signs.")
@click.option("--keystore", type=click.Path(dir_okay=False, path_type=Path), help="Or: a keystore file (geth, ape).")
@click.option(
    "--passphrase-file",
    type=click.Path(dir_okay=False, path_type=Path),
    help=f"Passphrase of the key; else ${PASSPHRASE_VARIABLE}, else a prompt.",
)
@click.option("--sub", type=click.IntRange(0, 2**96 - 1), default=0, help="Sub-account that takes the slices.")
@click.option("--min-profit", type=Usd(), default=0, metavar="USD", help="Least profit of a slice after gas.")
@click.option(
    "--unwind-cost",
    type=click.IntRange(0, 10_000),
    default=0,
    metavar="BPS",
    help="Cost of trading a slice's risk away, in bps of its maintenance margin; counted against its profit.",
)
@click.option(
    "--gas-currency-price", type=Usd(), default=0, metavar="USD", help="Price of the gas currency; 0: ignore gas."
)
@click.option("--interval", type=click.FloatRange(0.05), default=1.0, show_default=True, help="Seconds between looks.")
@click.option("--once", is_flag=True, help="Look once, act, and end.")
@click.option("--dry-run", is_flag=True, help="Decide and simulate, send nothing.")
@click.option("--json-logs/--plain-logs", default=None, help="Default: plain on a terminal, JSON elsewhere.")
def cli(
    url: str,
    deployment: Path,
    alias: str | None,
    keystore: Path | None,
    passphrase_file: Path | None,
    sub: int,
    min_profit: int,
    unwind_cost: int,
    gas_currency_price: int,
    interval: float,
    once: bool,
    dry_run: bool,
    json_logs: bool | None,
) -> None:
    """
    Find accounts below maintenance margin, simulate, and take slices of them at the auction's price.

    The key comes from an ape account, a keystore file, or PRIME_PERPS_KEY. Each decision is one log line. Ctrl-C or
    SIGTERM ends it after the transaction under way.
    """
    logs.configure(json_logs)
    key = load_key(alias=alias, keystore=keystore, passphrase_file=passphrase_file)
    policy = Policy(min_profit=min_profit, unwind_cost=unwind_cost, gas_currency_price=gas_currency_price)
    keeper(url, deployment, key, sub=sub, policy=policy, interval=interval, once=once, dry_run=dry_run)
