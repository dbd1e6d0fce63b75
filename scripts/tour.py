"""Show what an issuer beside the system is good for, step by step, on a chain of its own.

ape run tour
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click
from rich.console import Console

from scripts import _cli

if TYPE_CHECKING:
    from prime_perps.tour.report import Report

OUTPUT = _cli.ROOT / "build" / "tour"


def tour(output: Path = OUTPUT, console: Console | None = None) -> Report:
    """
    Take the tour on a fresh local node; report.json and the liquidator's log go to `output`.
    Raises AnvilMissing, Revert, NodeError.
    """
    # Imported late: --help should not wait for the libraries of a chain.
    from prime_perps.tour.run import run

    return _cli.replay(run, output, console or Console())


@click.command(cls=_cli.Command, short_help="Stock on margin, a hedge, depth and a redemption, step by step.")
@click.option(
    "--output",
    type=click.Path(file_okay=False, path_type=Path),
    default=OUTPUT,
    show_default="build/tour",
    help="Where report.json and the liquidator's log go.",
)
def cli(output: Path) -> None:
    """
    Four steps with an issuer, on a local node of its own.

    An account buys stock on margin; hedges it; a taker trades a million against a vault of 50,000 USD; a price falls
    and the liquidator sells stock back to its issuer. A table after each step; fails if a fact does not hold.
    """
    _cli.end_as_by_ctrl_c()
    console = Console()
    _cli.conclude(tour(output, console), output, console, written="report.json and the liquidator's log")
