"""Run a keeper.

ape run keeper --account my-key --passphrase-file key.pass        # the liquidator
ape run keeper calendar --account my-key --dry-run                # another one, by name
"""

from __future__ import annotations

import functools
import os
from collections.abc import Callable
from decimal import Decimal, InvalidOperation
from pathlib import Path
from typing import Any

import click
from eth_account.signers.local import LocalAccount
from eth_utils import is_address

from prime_perps.accounts import account_id
from prime_perps.chain.rpc import RpcBackend
from prime_perps.deployment import Deployment
from prime_perps.errors import PrimePerpsError
from prime_perps.keepers import logs, loop, signer_service, signer_wire
from prime_perps.keepers.calendar_keeper import CalendarKeeper
from prime_perps.keepers.decision import Policy
from prime_perps.keepers.keys import PASSPHRASE_VARIABLE, load_key
from prime_perps.keepers.liquidator import Liquidator
from prime_perps.keepers.loop import Stop
from prime_perps.keepers.publisher import Aggregator, PublishPolicy
from prime_perps.keepers.redemption import Redeemer
from prime_perps.keepers.refresher import FEEDS_A_CALL, GAS_A_FEED, Refresher
from prime_perps.keepers.report_signer import ReportSigner
from prime_perps.keepers.signer_panel import Panel
from prime_perps.keepers.signer_rules import Rules
from prime_perps.keepers.signer_service import SignerService
from prime_perps.keepers.signer_site import Site
from prime_perps.keepers.signer_sources import (
    Clock,
    HistoryReplay,
    Observation,
    PriceFile,
    PriceSource,
    world_clock,
)
from prime_perps.units import wad
from scripts import _cli

LIQUIDATOR = "liquidator"
BROKER_KEY = "PRIME_PERPS_BROKER_KEY"
GWEI = 10**9


class Keepers(_cli.Command, click.Group):
    """Options without the name of a keeper are the liquidator's, which is the first there was."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        own = {name for option in self.get_params(ctx) for name in option.opts}
        if not args or (args[0].startswith("-") and args[0].split("=")[0] not in own):
            args = [LIQUIDATOR, *args]
        return super().parse_args(ctx, args)


@click.group(cls=Keepers, short_help="Run a keeper.")
def cli() -> None:
    """
    Keepers are programs that act for the system or for their operator until Ctrl-C or SIGTERM.

    Each takes one key, from an ape account, a keystore file, or PRIME_PERPS_KEY, and tells each decision in one line of
    log. Without a name the liquidator runs; `ape run keeper liquidator --help` has its options.
    """


def with_key(command: Callable[..., None]) -> Callable[..., None]:
    """The options that every keeper has: where its key comes from, passed on as `key`, and how it logs."""

    @click.option("--account", "alias", help="ape account whose key signs.")
    @click.option(
        "--keystore", type=click.Path(dir_okay=False, path_type=Path), help="Or: a keystore file (geth, ape)."
    )
    @click.option(
        "--passphrase-file",
        type=click.Path(dir_okay=False, path_type=Path),
        help=f"Passphrase of the key; else ${PASSPHRASE_VARIABLE}, else a prompt.",
    )
    @click.option("--json-logs/--plain-logs", default=None, help="Default: plain on a terminal, JSON elsewhere.")
    @functools.wraps(command)
    def keeper(
        alias: str | None,
        keystore: Path | None,
        passphrase_file: Path | None,
        json_logs: bool | None,
        **options: Any,
    ) -> None:
        logs.configure(json_logs)
        command(key=load_key(alias=alias, keystore=keystore, passphrase_file=passphrase_file), **options)

    return keeper


def with_prices(command: Callable[..., None]) -> Callable[..., None]:
    """The options that say where prices and the time come from, passed on as `source` and `clock`."""

    @click.option(
        "--prices",
        type=click.Path(dir_okay=False, path_type=Path),
        help="JSON file of prices that another program keeps writing: see docs/operations.md.",
    )
    @click.option("--history", is_flag=True, help="Or: real prices of autumn 2008, over and over.")
    @click.option(
        "--chain-clock",
        is_flag=True,
        help="Time is the newest block's, not the world's: for development chains that live in another year.",
    )
    @functools.wraps(command)
    def keeper(prices: Path | None, history: bool, chain_clock: bool, url: str, **options: Any) -> None:
        if (prices is None) is not history:
            raise click.UsageError("give a file of --prices or --history, one of the two")
        source = HistoryReplay() if prices is None else PriceFile(prices)
        clock = RpcBackend(url, timeout=2.0).timestamp if chain_clock else world_clock
        command(source=source, clock=clock, url=url, **options)

    return keeper


def interval_option(seconds: float) -> Callable[..., Any]:
    """--interval, with its default."""
    return click.option(
        "--interval", type=click.FloatRange(0.05), default=seconds, show_default=True, help="Seconds between looks."
    )


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


@cli.command(LIQUIDATOR, cls=_cli.Command, short_help="Take slices of unhealthy accounts (the default).")
@_cli.url_option()
@_cli.deployment_option()
@with_key
@click.option("--sub", type=click.IntRange(0, 2**96 - 1), default=0, help="Sub-account that takes the slices.")
@click.option("--min-profit", type=Usd(), default=0, metavar="USD", help="Least profit of a slice after gas.")
@click.option(
    "--unwind-cost",
    type=click.IntRange(0, 10_000),
    default=0,
    metavar="BPS",
    help="Cost of trading a slice's risk away, in bps of the maintenance margin it adds; counted against its profit.",
)
@click.option(
    "--gas-currency-price", type=Usd(), default=0, metavar="USD", help="Price of the gas currency; 0: ignore gas."
)
@click.option("--broker", metavar="URL", help=f"Issuer's service that signs quotes; its API key is ${BROKER_KEY}.")
@click.option("--broker-signer", metavar="ADDRESS", help="Whose signature on them counts.")
@click.option("--redeem", is_flag=True, help="Redeem instead of taking a slice where that costs the account less.")
@interval_option(1.0)
@click.option("--once", is_flag=True, help="Look once, act, and end.")
@click.option("--dry-run", is_flag=True, help="Decide and simulate, send nothing.")
def liquidator_command(
    url: str,
    deployment: Path,
    key: LocalAccount,
    sub: int,
    min_profit: int,
    unwind_cost: int,
    gas_currency_price: int,
    broker: str | None,
    broker_signer: str | None,
    redeem: bool,
    interval: float,
    once: bool,
    dry_run: bool,
) -> None:
    """
    Find accounts below maintenance margin, simulate, and take slices of them at the auction's price.

    With a --broker it sells their tokens back to the issuer, for nothing, where no slice is worth taking; with --redeem
    also where that costs the account less.

    Ctrl-C or SIGTERM ends it after the transaction under way.
    """
    backend = RpcBackend(url, [key])
    system = Deployment.load(backend, deployment)
    if not backend.has_code(system.clearinghouse.address):
        raise PrimePerpsError(
            f"{backend.url} has no contracts at the addresses of {deployment.name}: was the node reset?"
        )
    redeemer = None
    if broker is not None:
        if broker_signer is None or not is_address(broker_signer) or BROKER_KEY not in os.environ:
            raise PrimePerpsError(f"--broker needs the address of its --broker-signer, and its API key in {BROKER_KEY}")
        redeemer = Redeemer.at_broker(backend, system, broker, os.environ[BROKER_KEY], broker_signer)
    elif redeem:
        raise click.UsageError("--redeem needs a --broker to ask for quotes")
    liquidator = Liquidator(
        backend,
        system.clearinghouse,
        system.engine,
        sender=key.address,
        account=account_id(key.address, sub),
        policy=Policy(
            min_profit=min_profit, unwind_cost=unwind_cost, gas_currency_price=gas_currency_price, redeem=redeem
        ),
        first_block=system.block,
        dry_run=dry_run,
        redeemer=redeemer,
        lens=system.lens,
    )
    _keep(liquidator.tick, backend, key, interval, once, sub=sub, dry_run=dry_run)
    loop.log.info("stopped", accounts=liquidator.known_accounts)


@cli.command("signer", cls=_cli.Command, short_help="Sign price reports that agree with what it sees.")
@_cli.url_option()
@_cli.deployment_option()
@with_key
@with_prices
@click.option(
    "--journal",
    type=click.Path(dir_okay=False, path_type=Path),
    required=True,
    help="File in which it remembers what it has signed. Keep it as you keep the key: without it, it might sign twice.",
)
@click.option("--host", default="127.0.0.1", show_default=True, help="Where it listens.")
@click.option("--port", type=click.IntRange(0, 65_535), default=8700, show_default=True, help="0: any free one.")
@click.option(
    "--tolerance",
    type=click.IntRange(0, 1_000),
    default=Rules.tolerance,
    show_default=True,
    metavar="BPS",
    help="How far a price may be from its own.",
)
@click.option(
    "--oldest",
    type=click.IntRange(1, 3_600),
    default=Rules.oldest,
    show_default=True,
    metavar="SECONDS",
    help="Age of a report, and of its own price, that it still signs.",
)
@click.option("--once", is_flag=True, help="Say what it sees, and end.")
def signer_command(
    url: str,  # of the clock alone
    deployment: Path,
    key: LocalAccount,
    source: PriceSource,
    clock: Clock,
    journal: Path,
    host: str,
    port: int,
    tolerance: int,
    oldest: int,
    once: bool,
) -> None:
    """
    One of the signers behind the oracle's reports, with one key. It answers POST /sign, and signs what agrees with the
    prices it sees itself. For one underlying and one instant it signs one price, over restarts too.

    Beyond this machine it answers only who knows the secret in PRIME_PERPS_SIGNER_TOKEN. It needs no node.
    """
    token = os.environ.get(signer_wire.TOKEN_VARIABLE)
    if token is None and not signer_wire.is_loopback(host):
        raise PrimePerpsError(f"others reach {host}: set {signer_wire.TOKEN_VARIABLE}, here and for the publisher")
    site = Site.load(deployment)
    # Looking leaves the journal to the process that signs.
    voice = ReportSigner(key, site.chain_id, site.adapter, None if once else journal)
    service = SignerService(voice, source, site.symbols, Rules(tolerance=tolerance, oldest=oldest), clock)
    if once:
        _show_prices(service)
        return

    def announce(taken: int) -> None:
        place = {"host": host, "port": taken, "journal": str(journal)}
        loop.log.info("started", key=key.address, chain=site.chain_id, oracle=site.adapter, **place)

    with Stop().on_signals() as stop:
        signer_service.serve(signer_service.application(service, token), host, port, stop, announce)
    loop.log.info("stopped")


@cli.command("publisher", cls=_cli.Command, short_help="Have prices signed and carry them to the oracle.")
@_cli.url_option()
@_cli.deployment_option()
@with_key
@with_prices
@click.option("--signer", "signers", multiple=True, required=True, metavar="URL", help="A signer; once for each.")
@click.option(
    "--deviation",
    type=click.IntRange(0, 1_000),
    default=PublishPolicy.deviation,
    show_default=True,
    metavar="BPS",
    help="Publish when the price is so far from the oracle's.",
)
@click.option(
    "--freshness",
    type=click.IntRange(100, 10_000),
    default=PublishPolicy.freshness,
    show_default=True,
    metavar="BPS",
    help="Or when the oracle's is so old, as a part of what its session allows.",
)
@click.option(
    "--timeout",
    "patience",
    type=click.FloatRange(0.1, 60),
    default=3.0,
    show_default=True,
    help="Seconds for a signer.",
)
@interval_option(5.0)
@click.option("--once", is_flag=True, help="Publish what is due, and end; exit code 1 if a report did not land.")
@click.option("--dry-run", is_flag=True, help="Collect signatures and simulate, send nothing.")
def publisher_command(
    url: str,
    deployment: Path,
    key: LocalAccount,
    source: PriceSource,
    clock: Clock,
    signers: tuple[str, ...],
    deviation: int,
    freshness: int,
    patience: float,
    interval: float,
    once: bool,
    dry_run: bool,
) -> None:
    """
    Propose the prices it sees, collect as many signatures as the oracle asks for, and carry the reports there.

    Its key pays for gas and has no power. A signer that is down, slow or lies is told and left out.
    """
    backend = RpcBackend(url, [key])
    site = Site.load(deployment)
    oracle = site.oracle(backend)
    panel = Panel(signers, site.chain_id, site.adapter, os.environ.get(signer_wire.TOKEN_VARIABLE), patience)
    if len(panel) < oracle.threshold():
        raise PrimePerpsError(
            f"the oracle asks for {oracle.threshold()} signers of a report, --signer names {len(panel)}"
        )
    policy = PublishPolicy(deviation=deviation, freshness=freshness)
    aggregator = Aggregator(
        backend,
        oracle,
        panel,
        source,
        site.symbols,
        sender=key.address,
        clock=clock,
        policy=policy,
        dry_run=dry_run,
    )

    def work(stop: Stop) -> None:
        outcome = aggregator.tick(stop)
        if once and outcome.missed:
            raise PrimePerpsError(f"{len(outcome.missed)} reports did not land, {len(outcome.landed)} did")

    _keep(work, backend, key, interval, once, signers=len(panel), dry_run=dry_run)
    loop.log.info("stopped")


@cli.command("refresher", cls=_cli.Command, short_help="Pull from push feeds before their prices grow old.")
@_cli.url_option()
@_cli.deployment_option()
@with_key
@click.option(
    "--lead",
    type=click.IntRange(0, 3_600),
    default=15,
    show_default=True,
    metavar="SECONDS",
    help="How long before a word is too old.",
)
@click.option(
    "--max-gas",
    type=click.IntRange(GAS_A_FEED),
    default=FEEDS_A_CALL * GAS_A_FEED,
    show_default=True,
    help=f"Most gas of one transaction; {GAS_A_FEED} are set aside for each feed.",
)
@click.option(
    "--max-gas-price", type=click.IntRange(0), default=0, metavar="GWEI", help="Send nothing above it; 0: no limit."
)
@interval_option(5.0)
@click.option("--once", is_flag=True, help="Refresh what is due, and end; exit code 1 if something stays due.")
@click.option("--dry-run", is_flag=True, help="Simulate, send nothing.")
def refresher_command(
    url: str,
    deployment: Path,
    key: LocalAccount,
    lead: int,
    max_gas: int,
    max_gas_price: int,
    interval: float,
    once: bool,
    dry_run: bool,
) -> None:
    """
    Call the oracle's refresh for underlyings with push feeds, shortly before their words are older than their session
    allows. What a simulation shows to write nothing is left out, and told.
    """
    backend = RpcBackend(url, [key])
    site = Site.load(deployment)
    worker = Refresher(
        backend,
        site.oracle(backend),
        site.symbols,
        sender=key.address,
        lead=lead,
        max_gas=max_gas,
        max_gas_price=max_gas_price * GWEI,
        dry_run=dry_run,
    )

    def work(_: Stop) -> None:
        outcome = worker.tick()
        left = len(outcome.due) - len(outcome.written)
        if once and left > 0 and not dry_run:
            raise PrimePerpsError(f"{left} words that were due are not refreshed")

    _keep(work, backend, key, interval, once, dry_run=dry_run)
    loop.log.info("stopped")


@cli.command("calendar", cls=_cli.Command, short_help="Keep the oracle's calendar posted ahead.")
@_cli.url_option()
@_cli.deployment_option()
@with_key
@click.option(
    "--ahead",
    type=click.IntRange(31, 390),
    default=180,
    show_default=True,
    metavar="DAYS",
    help="What is covered at least; it posts a quarter more at a time.",
)
@interval_option(3600.0)
@click.option("--once", is_flag=True, help="Look once, and end; exit code 1 if the calendar needs attention.")
@click.option("--dry-run", is_flag=True, help="Show what it would post, send nothing.")
def calendar_command(
    url: str, deployment: Path, key: LocalAccount, ahead: int, interval: float, once: bool, dry_run: bool
) -> None:
    """
    Post when the exchange will be shut, far ahead, and compare what the oracle holds with the exchange's calendar.

    The key needs CALENDAR_ROLE on the oracle. It alarms when the oracle lacks a closure or covers under 30 days.
    """
    backend = RpcBackend(url, [key])
    oracle = Site.load(deployment).oracle(backend)
    worker = CalendarKeeper(backend, oracle, sender=key.address, ahead=ahead, dry_run=dry_run)

    def work(_: Stop) -> None:
        alarms = worker.tick().alarms
        if once and alarms:
            raise PrimePerpsError("; ".join(alarms))

    _keep(work, backend, key, interval, once, ahead=ahead, dry_run=dry_run)
    loop.log.info("stopped")


def _show_prices(service: SignerService) -> None:
    """Raises PrimePerpsError when there is none."""
    seen = service.look()
    for symbol, one in seen.items():
        if isinstance(one, Observation):
            loop.log.info("sees", symbol=symbol, price=str(one.price), session=one.session.name, observed_at=one.time)
        else:
            loop.log.warning("no_price", symbol=symbol, why=str(one))
    if not any(isinstance(one, Observation) for one in seen.values()):
        raise PrimePerpsError("the signer sees no price at all")


def _keep(
    work: Callable[[Stop], object], backend: RpcBackend, key: LocalAccount, interval: float, once: bool, **shown: Any
) -> None:
    """Work until told to end, or a single time; it outlives the node. Raises what `work` does."""
    stop = Stop()
    with stop.on_signals():
        loop.log.info("started", node=backend.url, chain=backend.chain_id(), key=key.address, **shown)
        loop.run(lambda: work(stop), stop, interval, once)
