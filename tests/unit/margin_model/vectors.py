"""The worked vectors of docs/margin.md: name, exposures, maintenance and initial margin in USD to the cent."""

from __future__ import annotations

from prime_perps.margin import Exposure
from prime_perps.units import wad
from tests.unit.margin_model.conftest import ETF, T1, T2, T3

# T1 stands for AAPL, T2, taken with T1's line, for MSFT: both are of tier 1 and an underlying is named once.
MICROSOFT = T2

VECTORS = [
    ("token hedged with its perp", [Exposure(T3, token=wad(100_000), perp=-wad(100_000))], "2,500.00", "3,333.33"),
    ("token alone", [Exposure(T3, token=wad(100_000))], "21,700.00", "28,933.33"),
    ("perp alone", [Exposure(T3, perp=wad(100_000))], "21,200.00", "28,266.67"),
    ("index alone", [Exposure(ETF, perp=wad(100_000))], "7,000.00", "9,333.33"),
    (
        "two stocks against the index",
        [
            Exposure(T1, perp=wad(50_000)),
            Exposure(MICROSOFT, perp=wad(50_000)),
            Exposure(ETF, perp=-wad(100_000)),
        ],
        "6,881.99",
        "9,175.98",
    ),
]
