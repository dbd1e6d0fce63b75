"""Run the issuer's broker.

ape run broker --config broker.toml --account issuer --passphrase-file issuer.pass
"""

from __future__ import annotations

import hashlib
import secrets
from pathlib import Path

import click
import structlog

from prime_perps.keepers import logs
from prime_perps.keepers.keys import PASSPHRASE_VARIABLE, load_key
from prime_perps.keepers.loop import Stop
from prime_perps.keepers.signer_wire import is_loopback
from scripts import _cli


def new_key(_context: click.Context, _option: click.Parameter, wanted: bool) -> None:
    """Make up an API key, and end."""
    if not wanted:
        return
    key = secrets.token_urlsafe(32)
    click.echo(f"API key, for the user alone:      {key}")
    click.echo(f"key_sha256, for the configuration: {hashlib.sha256(key.encode()).hexdigest()}")
    raise click.exceptions.Exit


@click.command(cls=_cli.Command, short_help="Run the issuer's broker.")
@click.option(
    "--config",
    "path",
    type=click.Path(dir_okay=False, path_type=Path),
    required=True,
    help="TOML file: see docs/broker.md and parameters/broker.toml.",
)
@click.option("--account", "alias", help="ape account whose key signs quotes.")
@click.option("--keystore", type=click.Path(dir_okay=False, path_type=Path), help="Or: a keystore file (geth, ape).")
@click.option(
    "--passphrase-file",
    type=click.Path(dir_okay=False, path_type=Path),
    help=f"Passphrase of the key; else ${PASSPHRASE_VARIABLE}, else a prompt.",
)
@click.option("--json-logs/--plain-logs", default=None, help="Default: plain on a terminal, JSON elsewhere.")
@click.option("--check", is_flag=True, help="Check the configuration, and end.")
@click.option("--new-key", is_flag=True, is_eager=True, expose_value=False, callback=new_key, help="Make an API key.")
def cli(
    path: Path,
    alias: str | None,
    keystore: Path | None,
    passphrase_file: Path | None,
    json_logs: bool | None,
    check: bool,
) -> None:
    """
    Answers requests for signed quotes until Ctrl-C or SIGTERM: the part of a token issuer that is not on chain, for
    development and test networks.
    """
    from prime_perps.issuer import config as configuration
    from prime_perps.issuer.server import serve

    config = configuration.load(path)
    if check:
        click.echo(f"{_cli.shown(path)} is in order: {', '.join(asset.symbol for asset in config.assets)}.")
        return
    logs.configure(json_logs)
    key = load_key(alias=alias, keystore=keystore, passphrase_file=passphrase_file)
    log = structlog.get_logger()

    def announce(port: int) -> None:
        log.info(
            "started",
            signer=key.address,
            chain=config.chain.id,
            manager=config.chain.manager,
            url=f"http://{config.server.host}:{port}",
            symbols=[asset.symbol for asset in config.assets],
        )
        if not is_loopback(config.server.host):
            log.warning("reachable_by_others", advice="put TLS in front: API keys travel in the clear")

    with Stop().on_signals() as stop:
        serve(config, path.resolve().parent, key, stop, announce)
    log.info("stopped")
