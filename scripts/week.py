"""Live through a long weekend on a chain of its own and report what happened.

ape run week
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click
from rich.console import Console

from scripts import _cli

if TYPE_CHECKING:
    from prime_perps.week.report import Report

OUTPUT = _cli.ROOT / "build" / "week"


def week(output: Path = OUTPUT, console: Console | None = None) -> Report:
    """
    Live through the week on a fresh local node; week.png, report.json and the liquidator's log go to `output`.
    Raises AnvilMissing, HistoryMissing, Revert, NodeError.
    """
    # Imported late: --help should not wait for the plotting library.
    from prime_perps.week.run import run

    return _cli.replay(run, output, console or Console())


@click.command(cls=_cli.Command, short_help="Live through a long weekend and report.")
@click.option(
    "--output",
    type=click.Path(file_okay=False, path_type=Path),
    default=OUTPUT,
    show_default="build/week",
    help="Where week.png, report.json and the liquidator's log go.",
)
def cli(output: Path) -> None:
    """
    Thursday to Tuesday over 72 hours without an exchange, on a local node of its own whose clock is moved.

    Two earnings nights, a halt, a closure, a gap at the reopening and a split befall eight customers; the real programs
    publish prices, quote and liquidate. Ends with tables, a picture and report.json, and fails if a rule was broken.
    """
    _cli.end_as_by_ctrl_c()
    console = Console()
    _cli.conclude(week(output, console), output, console)
