"""Units of the protocol. Money on chain is an integer; these are its scales."""

from __future__ import annotations

from decimal import ROUND_DOWN, Decimal

WAD = 10**18  # USD, tokens and cash inside the book
NANO = 10**9  # perp sizes
BPS = 10**4
PIPS = 10**6  # fees
MID = 10**8  # prices inside an oracle word


def scaled(value: str | int | float | Decimal, scale: int) -> int:
    """`value` in units of 1/scale, exactly; digits past the scale are cut off towards zero."""
    exact = value if isinstance(value, Decimal) else Decimal(str(value))
    return int((exact * scale).to_integral_value(rounding=ROUND_DOWN))


def wad(value: str | int | float | Decimal) -> int:
    """USD, or tokens, in 1e-18."""
    return scaled(value, WAD)


def nano(value: str | int | float | Decimal) -> int:
    """Units of an underlying in 1e-9, the size of a perp."""
    return scaled(value, NANO)


def usd(amount: int) -> str:
    """A wad amount as a person reads it: 1,234.56."""
    return f"{Decimal(amount) / WAD:,.2f}"
