"""Compare risk tables account by account, and put a new one into force.

ape run risk compare parameters/risk.json --network ethereum:sepolia:https://...
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
from ape.cli import account_option, network_option
from eth_utils import is_address, to_checksum_address
from rich.console import Console

from prime_perps import census, risk
from prime_perps.chain.ape import ApeBackend
from prime_perps.chain.contract import Contract
from prime_perps.chain.rpc import RpcBackend
from prime_perps.deployment import NO_PREDECESSOR, NO_SALT, Deployment
from prime_perps.errors import PrimePerpsError
from prime_perps.margin import Table
from prime_perps.risk_change import DAY, Book, Comparison, table_of
from prime_perps.risk_report import HOUR, Report, moment
from scripts import _cli
from scripts._connected import ConnectedCommand, network_name

if TYPE_CHECKING:
    from ape.api import AccountAPI, ProviderAPI

LONGEST_WAIT = 30 * 24  # hours, of the model factory
DONE = 1  # what the timelock gives as the time of an operation it has carried out


def compare(
    backend: RpcBackend, system: Deployment, new: Table | Contract, name: str, symbols: dict[int, str]
) -> Report:
    """
    What a table, or the model that has it, would change for every account as of now. `name`: what the report calls it.
    Raises NodeError.
    """
    present, now = system.model, backend.timestamp()
    is_coming_in = present.in_force_at() > now
    taken = census.take(backend, system)
    comparison = Comparison.of(
        risk.read_table(present),
        new if isinstance(new, Table) else risk.read_table(new),
        system.models.ramp() if isinstance(new, Table) else new.ramp(),
        [Book.of(account, summary) for account, summary in taken.summaries.items()],
        taken.unreadable,
        before=[risk.read_table(model) for model in _still_left(backend, present, now)],
    )
    notes = []
    if is_coming_in:
        notes.append(
            f"the model in use is still coming in, until {moment(present.in_force_at())}: no other can begin before, "
            "and it is compared as it will be then"
        )
    if isinstance(new, Contract):
        notes += filter(None, [obstacle(system, new, now)])
    if taken.short_of:
        of = ", ".join(symbols.get(underlying, str(underlying)) for underlying in taken.short_of)
        notes.append(f"the accounts found do not hold all there is of {of}: logs are missing, or somebody traded")
    starts = new.starts() if isinstance(new, Contract) else None
    return Report(comparison, symbols, present.address, name, taken.last_block, starts, notes)


def _still_left(backend: RpcBackend, model: Contract, at: int) -> Iterator[Contract]:
    """The models before `model` of which something is left at `at`, unix seconds."""
    while model.in_force_at() > at:
        model = Contract.at(backend, "MarginModel", model.previous())
        yield model


def seconds_of(hours: float) -> int:
    """Raises PrimePerpsError for what is no length of time that a model may wait."""
    if not hours <= LONGEST_WAIT:  # nan is not
        raise PrimePerpsError(f"--begin-in {hours:g}: a model may wait {LONGEST_WAIT} hours, 30 days, at most")
    return int(hours * HOUR)


def obstacle(system: Deployment, model: Contract, at: int) -> str:
    """Why the configurator would not take a model of the factory at `at`, unix seconds; empty if it would."""
    if model.previous() != system.model.address:
        return f"{model.address} was made to follow another model than the one in use: stage it anew"
    if model.starts() < at:
        return f"{model.address} begins {moment(model.starts())}, too early to be used: stage it anew, to begin later"
    if model.starts() > at + LONGEST_WAIT * HOUR:
        return f"{model.address} begins {moment(model.starts())}, over 30 days after its use: use it later"
    return ""


def connected(url: str | None, manifest: Path) -> tuple[RpcBackend, Deployment]:
    """For reading. Raises PrimePerpsError when the deployment is not there."""
    if url is None:
        raise PrimePerpsError("not a JSON-RPC node over HTTP: choose another --network")
    backend = RpcBackend(url)
    system = Deployment.load(backend, manifest)
    if not backend.has_code(system.models.address):
        raise PrimePerpsError(
            f"{backend.url} has no contracts at the addresses of {manifest.name}: was the node reset?"
        )
    return backend, system


def model_at(backend: RpcBackend, system: Deployment, address: str) -> Contract:
    """A model of the deployment's factory. Raises PrimePerpsError for anything else: its code could do anything."""
    if not backend.has_code(address):
        raise PrimePerpsError(f"there is no code at {address}: was the model made on this network?")
    if not system.models.made(address):
        raise PrimePerpsError(f"{address} was not made by the factory of this deployment: `ape run risk stage` one")
    return Contract.at(backend, "MarginModel", address)


class TableName(click.ParamType):
    """The address of a model, or a risk file."""

    name = "table"

    def convert(self, value: str, param: click.Parameter | None, ctx: click.Context | None) -> str | Path:
        return to_checksum_address(value) if is_address(value) else Path(value)


class ModelAddress(click.ParamType):
    """The address of a model."""

    name = "model"

    def convert(self, value: str, param: click.Parameter | None, ctx: click.Context | None) -> str:
        if not is_address(value):
            self.fail(f"{value} is not the address of a model: `ape run risk stage` the file first", param, ctx)
        return to_checksum_address(value)


def _options(*, sends: bool) -> Callable[[Any], Any]:
    """What the commands share: the network, the manifest, and for those that send the account and --yes."""
    options = [
        network_option(),
        click.option(
            "--manifest",
            type=click.Path(dir_okay=False, path_type=Path),
            help="Manifest of the deployment; deployments/<network>.json if not given.",
        ),
    ]
    if sends:
        options += [
            account_option(),
            click.option("--yes", "-y", is_flag=True, help="Do not ask before sending to a live network."),
        ]

    def decorated(command: Any) -> Any:
        for option in reversed(options):
            command = option(command)
        return command

    return decorated


def _parameters_option() -> Callable[..., Any]:
    return click.option(
        "--parameters",
        type=click.Path(dir_okay=False, path_type=Path),
        help="What names the tier of each underlying; parameters/<network>.json if not given.",
    )


@click.group(short_help="Compare risk tables and put one into force.")
def cli() -> None:
    """
    Compare risk tables account by account, and put a new one into force.

    The way of a table: `compare` the file, `stage` it as a model, `compare` and `queue` the model, and `execute` it
    when the timelock's delay is over and before the model begins. One that charges no book less the guardian may `use`
    at once. Maintenance margin then moves to the new table over the ramp.
    """


@cli.command("compare", cls=ConnectedCommand, short_help="Old and new side by side, and every account that would fall.")
@click.argument("table", metavar="TABLE", type=TableName())
@_options(sends=False)
@_parameters_option()
@click.option("--json", "output", type=click.Path(dir_okay=False, path_type=Path), help="Write all of it here too.")
def compare_command(
    provider: ProviderAPI, table: str | Path, manifest: Path | None, parameters: Path | None, output: Path | None
) -> None:
    """
    Show what TABLE would change: every field, and every account that would fall below initial or maintenance margin,
    with the time after which it would be liquidatable at constant prices.

    TABLE is the address of a model, or a risk file like parameters/risk.json. A file has tiers; which tier an
    underlying is of stands in the parameters of the deployment (--parameters), whose underlyings are numbered as they
    are listed there. Give a copy of them to compare another choice of tiers, or more underlyings.
    """
    name = network_name(provider)
    backend, system = connected(_url(provider), manifest or _cli.DEPLOYMENTS / f"{name}.json")
    if isinstance(table, Path):
        new, symbols = _from_file(system, table, parameters or _cli.PARAMETERS / f"{name}.json")
        report = compare(backend, system, new, table.name, symbols)
    else:
        report = compare(backend, system, model_at(backend, system, table), table, _symbols(system))
    Console().print(report.render())
    if output is not None:
        output.write_text(json.dumps(report.as_json(), indent=2) + "\n")
        click.echo(f"Written to {_cli.shown(output)}")


@cli.command("stage", cls=ConnectedCommand, short_help="Make a model of a risk file.")
@click.argument("file", type=click.Path(dir_okay=False, path_type=Path))
@_options(sends=True)
@_parameters_option()
@click.option(
    "--begin-in",
    "hours",
    type=click.FloatRange(0),
    help="Hours until its ramp may begin; a day more than the timelock's delay if not given.",
)
def stage_command(
    provider: ProviderAPI,
    account: AccountAPI,
    file: Path,
    manifest: Path | None,
    parameters: Path | None,
    hours: float | None,
    yes: bool,
) -> None:
    """
    Make a margin model of a risk file, to follow the one in use, and print its address. Anyone may: a model has no
    effect until it is used, which it must be before it begins. Tiers as in `compare`.
    """
    name = network_name(provider)
    manifest = manifest or _cli.DEPLOYMENTS / f"{name}.json"
    backend, system = connected(_url(provider), manifest)
    table, _ = _from_file(system, file, parameters or _cli.PARAMETERS / f"{name}.json")
    present = system.model
    wait = system.timelock.get_minimum_delay() + DAY if hours is None else seconds_of(hours)
    starts = max(backend.timestamp() + wait, present.in_force_at())
    _agree(provider, account, f"Make a model of {file.name}, {len(table.lines)} lines?", yes)
    models = Deployment.load(ApeBackend([account]), manifest).models
    made = models.make(table.globals, table.lines, present, starts, sender=account.address)
    click.echo(f"Begins {moment(starts)}; must be used before. The model:")
    click.echo(next(fields["model"] for name, fields in models.events(made) if name == "ModelMade"))


@cli.command("queue", cls=ConnectedCommand, short_help="Schedule a model with the timelock.")
@click.argument("address", metavar="MODEL", type=ModelAddress())
@_options(sends=True)
def queue_command(provider: ProviderAPI, account: AccountAPI, address: str, manifest: Path | None, yes: bool) -> None:
    """Show the comparison, then schedule the model with the timelock. The account must be a proposer."""
    manifest = manifest or _cli.DEPLOYMENTS / f"{network_name(provider)}.json"
    backend, system = connected(_url(provider), manifest)
    delay = system.timelock.get_minimum_delay()
    _show(backend, system, address, backend.timestamp() + delay)
    _agree(provider, account, f"Queue {address}?", yes)
    writing = Deployment.load(ApeBackend([account]), manifest)
    writing.schedule(writing.configurator.set_model, address, sender=account.address)
    click.echo(f"Queued: can be executed from {moment(_ready_at(system, address))} on")


@cli.command("execute", cls=ConnectedCommand, short_help="Use a queued model whose delay is over.")
@click.argument("address", metavar="MODEL", type=ModelAddress())
@_options(sends=True)
def execute_command(provider: ProviderAPI, account: AccountAPI, address: str, manifest: Path | None, yes: bool) -> None:
    """Show the comparison as it is now, then use the model. The account must be an executor."""
    manifest = manifest or _cli.DEPLOYMENTS / f"{network_name(provider)}.json"
    backend, system = connected(_url(provider), manifest)
    ready = _ready_at(system, address)
    if ready == DONE:
        raise PrimePerpsError(f"{address} was carried out already")
    if ready < DONE:
        raise PrimePerpsError(f"{address} is not queued: `ape run risk queue` it first")
    if ready > backend.timestamp():
        raise PrimePerpsError(f"{address} cannot be executed before {moment(ready)}")
    _show(backend, system, address, backend.timestamp())
    _agree(provider, account, f"Use {address}?", yes)
    writing = Deployment.load(ApeBackend([account]), manifest)
    writing.execute(writing.configurator.set_model, address, sender=account.address)
    _tell_used(system)


@cli.command("use", cls=ConnectedCommand, short_help="Use a stricter model at once, as the guardian.")
@click.argument("address", metavar="MODEL", type=ModelAddress())
@_options(sends=True)
def use_command(provider: ProviderAPI, account: AccountAPI, address: str, manifest: Path | None, yes: bool) -> None:
    """Show the comparison, then use a model that charges no book less. The account must be the guardian."""
    manifest = manifest or _cli.DEPLOYMENTS / f"{network_name(provider)}.json"
    backend, system = connected(_url(provider), manifest)
    _show(backend, system, address, backend.timestamp())
    _agree(provider, account, f"Use {address}?", yes)
    configurator = Deployment.load(ApeBackend([account]), manifest).configurator
    configurator.set_model(address, sender=account.address)
    _tell_used(system)


def _url(provider: ProviderAPI) -> str | None:
    return getattr(provider, "http_uri", None)


def _from_file(system: Deployment, file: Path, parameters: Path) -> tuple[Table, dict[int, str]]:
    return table_of(risk.load(file), _cli.read_json(parameters), _symbols(system))


def _symbols(system: Deployment) -> dict[int, str]:
    return {entry.id: entry.symbol for entry in system.underlyings}


def _show(backend: RpcBackend, system: Deployment, address: str, at: int) -> None:
    """Print the comparison. Raises PrimePerpsError for a model that cannot be used at `at`, unix seconds."""
    model = model_at(backend, system, address)
    hindered = obstacle(system, model, at)
    if hindered:
        raise PrimePerpsError(hindered)
    Console().print(compare(backend, system, model, address, _symbols(system)).render())


def _ready_at(system: Deployment, address: str) -> int:
    """When the operation that uses the model can be executed; 0 when it is not scheduled, 1 when it is done."""
    configurator, timelock = system.configurator, system.timelock
    data = configurator.set_model.encode(address)
    return int(timelock.get_timestamp(timelock.hash_operation(configurator, 0, data, NO_PREDECESSOR, NO_SALT)))


def _agree(provider: ProviderAPI, account: AccountAPI, question: str, yes: bool) -> None:
    """Send to a live network only when the person agrees."""
    if provider.network.is_dev:
        return
    click.echo(f"Network     {provider.network_choice} (chain {provider.chain_id})")
    click.echo(f"Account     {account.address}")
    if not yes:
        click.confirm(question, abort=True)
    if hasattr(account, "set_autosign"):
        # The person has agreed; asking again for the signature adds a click, not safety.
        account.set_autosign(True)


def _tell_used(system: Deployment) -> None:
    model = system.model
    click.echo(f"In use: comes into force from {moment(model.starts())} to {moment(model.in_force_at())}")
