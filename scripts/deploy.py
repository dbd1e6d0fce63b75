"""Deploy the whole system to the network ape is connected to, with the parameters that belong to it.

ape run deploy --network ethereum:sepolia:https://... --account my-key
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click
from ape.cli import account_option, network_option

from prime_perps import deployment
from prime_perps.chain.ape import ApeBackend
from prime_perps.deployment import Deployment
from scripts import _cli
from scripts._connected import ConnectedCommand, network_name

if TYPE_CHECKING:
    from ape.api import AccountAPI, ProviderAPI


def deploy(account: AccountAPI, parameters: Path, manifest: Path) -> Deployment:
    """
    Deploy with `account` over ape's connection and write the manifest. Every contract is created by the function that
    tests and devnet use. Raises Revert, NotSigned, NodeError.
    """
    # Each step needs the one before it only mined; that all are there to stay is asked once, at the end.
    backend = ApeBackend([account], confirmations=0)
    # Keepers read events from here on.
    first = backend.block_number()
    deployed = deployment.deploy(backend, account.address, _cli.read_json(parameters), first)
    deployed.save(manifest)
    backend.confirm()
    return deployed


@click.command(cls=ConnectedCommand, short_help="Deploy the system and write its manifest.")
@network_option()
@account_option()
@click.option(
    "--parameters",
    type=click.Path(dir_okay=False, path_type=Path),
    help="Risk and market parameters; parameters/<network>.json if not given.",
)
@click.option(
    "--manifest",
    type=click.Path(dir_okay=False, path_type=Path),
    help="Where the addresses go; deployments/<network>.json if not given.",
)
@click.option("--yes", "-y", is_flag=True, help="Do not ask before sending to a live network.")
def cli(provider: ProviderAPI, account: AccountAPI, parameters: Path | None, manifest: Path | None, yes: bool) -> None:
    """
    Deploy every contract, wire the roles, list the markets, and write the addresses to a manifest.

    Asks before it sends to a live network. The parameters are data: read the file before you deploy with it.
    """
    name = network_name(provider)
    parameters = parameters or _cli.PARAMETERS / f"{name}.json"
    manifest = manifest or _cli.DEPLOYMENTS / f"{name}.json"
    _cli.read_json(parameters)
    if not provider.network.is_dev:
        _confirm(provider, account, parameters, manifest, yes)
    deployed = deploy(account, parameters, manifest)
    for contract, address in deployed.addresses().items():
        click.echo(f"{contract:<24}{address}")
    click.echo(f"Written to {_cli.shown(manifest)}")


def _confirm(provider: ProviderAPI, account: AccountAPI, parameters: Path, manifest: Path, yes: bool) -> None:
    """Say what is about to happen on a live network, and go on only when the person agrees."""
    click.echo(f"Network     {provider.network_choice} (chain {provider.chain_id})")
    click.echo(f"Account     {account.address} with {account.balance / 10**18:.4f} of the gas currency")
    click.echo(f"Parameters  {_cli.shown(parameters)}")
    if manifest.exists():
        click.echo(f"Replaces    {_cli.shown(manifest)}")
    if not yes:
        click.confirm("Deploy?", abort=True)
    if hasattr(account, "set_autosign"):
        # The person has agreed to the whole; asking again for each of its transactions adds clicks, not safety.
        account.set_autosign(True)
