"""Hold random books of real stocks against the margin formula, day by day since 1985, and report how it did.

ape run backtest
"""

from __future__ import annotations

from pathlib import Path
from tempfile import TemporaryFile

import click
from rich.console import Console

from scripts import _cli

OUTPUT = _cli.ROOT / "build" / "backtest"


@click.command(cls=_cli.Command, short_help="Test the margin formula on real prices since 1985.")
@click.option("--seed", type=click.IntRange(min=0), default=1, show_default=True, help="Which random books are drawn.")
@click.option(
    "--books",
    type=click.IntRange(min=1, max=5_000),
    default=1_000,
    show_default=True,
    help="How many of each kind, in each universe; all there are where these are fewer.",
)
@click.option(
    "--parameters",
    type=click.Path(dir_okay=False, path_type=Path),
    default=_cli.PARAMETERS / "risk.json",
    show_default="parameters/risk.json",
    help="The risk parameters to test.",
)
@click.option("--bare", is_flag=True, help="With a floor of 0.5 % and no charge on hedged pairs and tokens.")
@click.option(
    "--output",
    type=click.Path(file_okay=False, path_type=Path),
    default=OUTPUT,
    show_default="build/backtest",
    help="Where pictures and report.json go.",
)
def cli(seed: int, books: int, parameters: Path, bare: bool, output: Path) -> None:
    """
    Ten kinds of random books of real stocks, in two universes: how often did a day cost more than maintenance margin,
    more than initial margin, what do others ask, and what happened on the worst days?

    Stocks get their tiers from years before those that are tested. Says where less than 99.8 % of days are covered.
    What it shows and what not: docs/backtest.md.
    """
    # Imported late: --help should not wait for the plotting library.
    from prime_perps import risk
    from prime_perps.backtest.run import Settings, run
    from prime_perps.backtest.run import bare as bared

    table = risk.load(parameters)
    output.mkdir(parents=True, exist_ok=True)
    # Before the work, not after it.
    with TemporaryFile(dir=output):
        pass
    console = Console()
    report = run(output, console, Settings(bared(table) if bare else table, seed, books))
    console.print(report.render(), highlight=False)
    console.print(f"Pictures and report.json are in {_cli.shown(output.resolve())}")
