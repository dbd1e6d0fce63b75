"""Replay four crashes on chain with two hundred accounts and live keepers, and report who lost what.

ape run stress
"""

from __future__ import annotations

import signal
from pathlib import Path
from tempfile import TemporaryFile

import click
from rich.console import Console

from scripts import _cli

OUTPUT = _cli.ROOT / "build" / "stress"
NAMES = ("1987", "2000", "2008", "2020")
QUICK_ACCOUNTS, QUICK_DAYS = 22, 1


@click.command(cls=_cli.Command, short_help="Replay four crashes on chain and report who lost what.")
@click.option(
    "--replay",
    "names",
    type=click.Choice(NAMES),
    multiple=True,
    help="Which crash; may be given several times. All of them if not given.",
)
@click.option("--seed", type=click.IntRange(min=0), default=1, show_default=True, help="Which books, and which paths.")
@click.option(
    "--accounts",
    type=click.IntRange(min=11, max=2_000),
    default=220,
    show_default=True,
    help="How many customers in each replay; makers and liquidators come on top.",
)
@click.option(
    "--insurance",
    type=click.IntRange(min=0, max=10_000),
    default=100,
    show_default=True,
    help="What insurance has before the first day, bps of the customers' gross.",
)
@click.option("--no-throttle", is_flag=True, help="What if liquidations were not throttled?")
@click.option("--isolated", is_flag=True, help="What if each position were margined by itself?")
@click.option("--thin-makers", is_flag=True, help="What if makers quoted a tenth of the size, five times as wide?")
@click.option("--gaps", is_flag=True, help="What if each day's move came at its open, in one step?")
@click.option("--explain", type=click.IntRange(min=0), help="Walk through the first liquidation of this customer.")
@click.option("--anvil", is_flag=True, help="Run on local nodes instead of in process: many times slower.")
@click.option("--gas/--no-gas", default=True, help="Replay one day on a local node too, for gas.")
@click.option("--jobs", type=click.IntRange(min=1, max=64), default=2, show_default=True, help="Replays side by side.")
@click.option("--quick", is_flag=True, help=f"A taste: {QUICK_ACCOUNTS} accounts, the first day of each, no gas.")
@click.option(
    "--out",
    "output",
    type=click.Path(file_okay=False, path_type=Path),
    default=OUTPUT,
    show_default="build/stress",
    help="Where pictures, walks, logs and report.json go.",
)
def cli(
    names: tuple[str, ...],
    seed: int,
    accounts: int,
    insurance: int,
    no_throttle: bool,
    isolated: bool,
    thin_makers: bool,
    gaps: bool,
    explain: int | None,
    anvil: bool,
    gas: bool,
    jobs: int,
    quick: bool,
    output: Path,
) -> None:
    """
    1987-10-19, 2000-09-29, autumn 2008 and spring 2020 on the deployed contracts: customers of eleven kinds, at
    leverages from comfortable to all that is allowed, two makers, three liquidators of finite capital, insurance.

    What is real and what is constructed, and what was found: docs/stress.md.
    """
    # Imported late: --help should not wait for the plotting library.
    from prime_perps.stress.run import run
    from prime_perps.stress.settings import Settings

    # Ended by SIGTERM the program would leave its children behind.
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    output.mkdir(parents=True, exist_ok=True)
    # Before the work, not after it.
    with TemporaryFile(dir=output):
        pass
    settings = Settings(
        seed=seed,
        accounts=QUICK_ACCOUNTS if quick else accounts,
        insurance_bps=insurance,
        no_throttle=no_throttle,
        isolated=isolated,
        thin_makers=thin_makers,
        gaps=gaps,
        days=QUICK_DAYS if quick else None,
        explain=explain,
    )
    if explain is not None and explain >= settings.accounts:
        raise click.BadParameter(f"there are customers 0 to {settings.accounts - 1}", param_hint="--explain")
    console = Console()
    chosen = [name for name in NAMES if name in names or not names]
    report = run(output, console, chosen, settings, jobs=jobs, anvil=anvil, gas=gas and not quick)
    console.print(report.render(), highlight=False)
    if explain is not None:
        _tell_walks(console, report.save_walks(output), explain)
    console.print(f"Pictures, walks and report.json are in {_cli.shown(output.resolve())}")
    if not report.holds:
        raise click.ClickException("a book does not add up: see checks in report.json")


def _tell_walks(console: Console, walks: list[Path], customer: int) -> None:
    for walk in walks:
        console.print(f"\n{walk.stem.removeprefix('walk-')}", style="bold")
        console.print(walk.read_text(), highlight=False, markup=False)
    if not walks:
        console.print(f"Customer {customer} was not liquidated while it had equity.")
