"""Replay autumn 2008 on a chain of its own and report what happened.

ape run demo
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click
from rich.console import Console

from scripts import _cli

if TYPE_CHECKING:
    from prime_perps.demo.report import Report

OUTPUT = _cli.ROOT / "build" / "demo"


def demo(output: Path = OUTPUT, console: Console | None = None) -> Report:
    """
    Run the demo on a fresh local node; pictures, report.json and the liquidator's log go to `output`.
    Raises AnvilMissing, HistoryMissing, Revert, NodeError.
    """
    # Imported late: --help should not wait for the plotting library.
    from prime_perps.demo.run import run

    return _cli.replay(run, output, console or Console())


@click.command(cls=_cli.Command, short_help="Replay autumn 2008 and report.")
@click.option(
    "--output",
    type=click.Path(file_okay=False, path_type=Path),
    default=OUTPUT,
    show_default="build/demo",
    help="Where pictures, report.json and the liquidator's log go.",
)
def cli(output: Path) -> None:
    """
    Real daily prices of AAPL, IBM, MSFT and GOOG, September to November 2008, on a local node of its own.

    Four customers, a market maker and a liquidator live through the crash; the real programs publish prices, quote and
    liquidate. Ends with tables, pictures and report.json, and fails if the book does not add up.
    """
    _cli.end_as_by_ctrl_c()
    console = Console()
    _cli.conclude(demo(output, console), output, console)
