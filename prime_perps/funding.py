"""Funding of one market in exact integers: the numbers of contracts/modules/clearing/funding.vy, to the last digit.

A rate (1e-8 of the index price per hour, signed) halves every hour. The index (1e-15 USD per unit) is what a long of
one unit has paid since listing. Both are functions of time: only a fill that moves the rate is written down.
"""

from __future__ import annotations

RATE_CAP = 17_000  # 1e-8 per hour: 0.017 %
PREMIUM_HOURS = 8
HALF_LIFE = 3_600
MEMORY = 5_194  # seconds; an hour over ln 2
WHOLE = 10**9
BOW = 191_598_000, 39_563_000
RATE_UNIT = 10**8
INDEX_DIVISOR = 3_600 * 10 * WHOLE
WAD = 10**18
MID_TO_WAD = 10**10


def left(seconds: int) -> int:
    """What `seconds` leave of a rate, in 1e-9: 2^-(seconds / 3600), to 1.5e-4 of itself."""
    first, second = BOW
    hours, rest = divmod(seconds, HALF_LIFE)
    x = rest * WHOLE // HALF_LIFE
    bow = x * (WHOLE - x) // WHOLE * (first - second * x // WHOLE) // WHOLE
    return WHOLE - x // 2 - bow >> hours


def charged(rate: int, mid: int, seconds: int) -> int:
    """How far the index goes in `seconds` after the rate was set, at the index price `mid` (8 decimals)."""
    return _toward_zero(rate * MEMORY * mid * (WHOLE - left(seconds)), INDEX_DIVISOR)


def moved(rate: int, mid: int, seconds: int, price: int, notional: int, depth: int) -> int | None:
    """
    The rate after a fill at `price` (wad) of `notional` (wad), `seconds` after it was `rate`; `depth` in whole USD.
    None for a fill too small to move it, which leaves rate and time as they were.
    """
    faded = _toward_zero(rate * left(seconds), WHOLE)
    index_price = mid * MID_TO_WAD
    premium = _toward_zero((price - index_price) * RATE_UNIT, index_price)
    target = min(max(_toward_zero(premium, PREMIUM_HOURS), -RATE_CAP), RATE_CAP)
    step = _toward_zero((target - faded) * notional, notional + depth * WAD)
    return faded + step if step else None


def _toward_zero(numerator: int, denominator: int) -> int:
    """Division as the EVM does it; the denominator is positive."""
    quotient = abs(numerator) // denominator
    return quotient if numerator >= 0 else -quotient
