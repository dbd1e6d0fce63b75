"""What the pictures of a replay share: their style, the colours of an account's lines, and numbers as axes show them.

Floats are for the screen only.
"""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import matplotlib as mpl

from prime_perps.units import WAD

mpl.use("Agg")

STYLE: Any = {
    "figure.dpi": 130,
    "figure.facecolor": "white",
    "font.family": "DejaVu Sans",
    "font.size": 9,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.edgecolor": "#888888",
    "axes.grid": True,
    "grid.color": "#e6e6e6",
    "grid.linewidth": 0.6,
    "axes.axisbelow": True,
    "axes.titlesize": 10,
    "axes.titleweight": "bold",
    "axes.titlelocation": "left",
    "legend.frameon": False,
    "xtick.color": "#555555",
    "ytick.color": "#555555",
}
EQUITY, INITIAL, MAINTENANCE, SOLD, SHUT = "#1a1a1a", "#e69f00", "#c0392b", "#c0392b", "#f0f0f0"


def time_of(seconds: int) -> Any:
    return datetime.fromtimestamp(seconds, UTC)


def dollars(amount: int) -> float:
    return float(Decimal(amount) / WAD)


def thousands(value: float, _position: int | None = None) -> str:
    return f"{value / 1e6:.1f}m" if abs(value) >= 1e6 else f"{value / 1e3:.0f}k"
