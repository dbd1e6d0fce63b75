"""Who takes part in the demo, and with what. Amounts are USD at the first price of the replay; shares are whole."""

from __future__ import annotations

from dataclasses import dataclass, field

STOCKS = ("AAPL", "IBM", "MSFT", "GOOG")


@dataclass(frozen=True)
class Actor:
    """One account. `perps` is what it buys, or sells when negative, from the maker after the first price."""

    name: str
    story: str
    cash: int = 0
    tokens: dict[str, int] = field(default_factory=dict)
    perps: dict[str, int] = field(default_factory=dict)
    customer: bool = True  # a customer's margin is compared between methods; the demo's own programs are not


HOLDER = Actor(
    "holder",
    "owns stock tokens and nothing else, and goes long more of the same on margin",
    tokens=dict.fromkeys(STOCKS, 250_000),
    perps=dict.fromkeys(STOCKS, 400_000),
)
HEDGED = Actor(
    "hedged",
    "owns the same tokens and sells as much of them short as perps",
    tokens=dict.fromkeys(STOCKS, 250_000),
    perps=dict.fromkeys(STOCKS, -250_000),
)
LONG_SHORT = Actor(
    "long_short",
    "is long two stocks against two others, on IBM tokens and some cash",
    cash=100_000,
    tokens={"IBM": 150_000},
    perps={"AAPL": -300_000, "IBM": 150_000, "MSFT": 300_000, "GOOG": -300_000},
)
STABLECOIN = Actor(
    "stablecoin",
    "has stablecoin alone and is long",
    cash=500_000,
    perps=dict.fromkeys(STOCKS, 150_000),
)
MAKER = Actor("maker", "quotes both sides and is everybody's counterparty", cash=5_000_000, customer=False)
LIQUIDATOR = Actor(
    "liquidator", "takes slices of failing accounts and hedges them at once", cash=2_000_000, customer=False
)

CUSTOMERS = (HOLDER, HEDGED, LONG_SHORT, STABLECOIN)
ACTORS = (*CUSTOMERS, MAKER, LIQUIDATOR)
