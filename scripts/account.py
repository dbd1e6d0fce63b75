"""Show one account as a balance sheet.

ape run account 0xf39F...2266
"""

from __future__ import annotations

from pathlib import Path

import click
from eth_utils import is_address
from rich.console import Console, Group

from prime_perps import balance_sheet, restrictions
from prime_perps.accounts import account_id
from prime_perps.chain.rpc import RpcBackend
from prime_perps.deployment import Deployment
from prime_perps.errors import PrimePerpsError
from scripts import _cli


def account(url: str, manifest: Path, number: int) -> Group:
    """The balance sheet of an account as of the latest block. Raises BadManifest, NodeError."""
    backend = RpcBackend(url)
    deployment = Deployment.load(backend, manifest)
    if not backend.has_code(deployment.lens.address):
        raise PrimePerpsError(
            f"{backend.url} has no contracts at the addresses of {manifest.name}: was the node reset?"
        )
    symbols = {entry.id: entry.symbol for entry in deployment.underlyings}
    summary = deployment.lens.account_summary(number)
    return balance_sheet.render(number, summary, symbols, restrictions.of_account(deployment, summary))


class AccountNumber(click.ParamType):
    """`0xOwner`, `0xOwner/sub`, or the number itself, in decimals: what begins with 0x is an address, or mistyped."""

    name = "account"

    def convert(self, value: str | int, param: click.Parameter | None, ctx: click.Context | None) -> int:
        if isinstance(value, int):
            return value
        owner, _, sub = value.partition("/")
        try:
            if is_address(owner):
                return account_id(owner, int(sub or 0))
            number = int(value)
        except ValueError:
            self.fail(f"{value} is neither an address, nor address/sub-account, nor an account number", param, ctx)
        if not 0 <= number < 2**256:
            self.fail(f"{value} is not an account number", param, ctx)
        return number


@click.command(cls=_cli.Command, short_help="Show an account as a balance sheet.")
@click.argument("number", metavar="ACCOUNT", type=AccountNumber())
@_cli.url_option()
@_cli.deployment_option()
def cli(number: int, url: str, deployment: Path) -> None:
    """
    Everything behind one account's equity, maintenance and initial margin.

    ACCOUNT is the owner's address, or address/sub-account, or the account's number.
    """
    Console().print(account(url, deployment, number))
