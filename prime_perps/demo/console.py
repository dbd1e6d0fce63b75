"""What a person sees of a replay while it runs: how far it is, and who is liquidated."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

from prime_perps.demo.record import SliceTaken
from prime_perps.units import WAD, usd


def progress_bar(console: Console) -> Progress:
    columns: list[Any] = [
        TextColumn("{task.description:<18}"),
        BarColumn(),
        TextColumn("{task.completed}/{task.total}"),
    ]
    return Progress(*columns, TimeElapsedColumn(), console=console)


def tell_slices(progress: Progress, slices: Sequence[SliceTaken]) -> None:
    for entry in slices:
        progress.console.print(
            f"[red]{entry.day:%-d %b}[/red]  {entry.actor} is below maintenance margin "
            f"({usd(entry.equity)} against {usd(entry.maintenance)}): "
            f"{entry.fraction / WAD:.1%} sold for {usd(entry.payment)}",
            highlight=False,
        )
