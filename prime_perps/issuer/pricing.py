"""What a quote costs: a share's price times the shares of a token, and a spread. Rounding is the issuer's gain."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from enum import StrEnum
from fractions import Fraction
from math import ceil, floor

from prime_perps.issuer.quotes import Side
from prime_perps.reports import Session
from prime_perps.units import BPS, WAD


class Duration(StrEnum):
    """How long a quote is good for: the longer, the dearer."""

    SHORT = "short"
    LONG = "long"


# bps to either side of the exchange's price, by how long a quote lasts and by session
Spreads = Mapping[Duration, Mapping[Session, int]]


def token_price(share_price: Decimal, multiplier: int, spread_bps: int, side: Side) -> int:
    """USD per token, wad: up for a buyer, down for a seller. `multiplier`: wad shares a token."""
    middle = Fraction(share_price) * multiplier
    if side is Side.BUY:
        return ceil(middle * (BPS + spread_bps) / BPS)
    return floor(middle * (BPS - spread_bps) / BPS)


def tokens_down(notional: int, price: int) -> int:
    """Tokens, wad, for `notional` wad USD: whoever names an amount of money never pays more, nor is paid more."""
    return notional * WAD // price
