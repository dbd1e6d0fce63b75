"""What is not a property, each with a book that shows it. docs/margin.md says so where the properties stand."""

from __future__ import annotations

from dataclasses import replace

from prime_perps import risk
from prime_perps.compiler import ROOT
from prime_perps.margin import Closure, Exposure, Table
from prime_perps.units import wad
from tests.property.margin.conftest import Model

SHIPPED = risk.load(ROOT / "parameters" / "risk.json").table(("T3", "ETF", "BTC", "BTC"))
STOCK, INDEX, COIN, FUND = range(4)
SIZELESS = Table(SHIPPED.globals, [replace(line, slope=0) for line in SHIPPED.lines])
LONG = wad(100_000)


def with_line(at: int, **changed: int) -> Table:
    return Table(
        SIZELESS.globals,
        [replace(line, **changed) if number == at else line for number, line in enumerate(SIZELESS.lines)],
    )


def test_MM_6_hedging_a_name_in_a_group_that_is_net_short__raises_maintenance(model: Model) -> None:
    """The name was the hedge of the group."""
    index = Exposure(INDEX, perp=-2 * LONG)
    unhedged = model.maintenance(SIZELESS, [Exposure(STOCK, token=LONG), index])
    hedged = model.maintenance(SIZELESS, [Exposure(STOCK, token=LONG, perp=-LONG), index])
    assert hedged > unhedged


def test_MM_7_beta_raised__a_margin_may_fall(model: Model) -> None:
    """It makes the stock the better hedge of the index."""
    book = [Exposure(STOCK, perp=LONG), Exposure(INDEX, perp=-4 * LONG)]
    assert model.maintenance(with_line(STOCK, beta=20_000), book) < model.maintenance(SIZELESS, book)


def test_MM_7_a_market_that_begins_to_keep_hours__a_margin_may_fall(model: Model) -> None:
    """Coin and fund of the coin, of which the fund alone moves further over a weekend, and the worse of both counts."""
    apart = with_line(FUND, hours=1)
    together = Table(apart.globals, [*apart.lines[:COIN], replace(apart.lines[COIN], hours=1), apart.lines[FUND]])
    book, shut = [Exposure(COIN, perp=LONG), Exposure(FUND, perp=-LONG)], Closure(2, 2, 0)
    assert model.maintenance(together, book, shut) < model.maintenance(apart, book, shut)


def test_less_position__more_margin(model: Model) -> None:
    """Closing the hedge of a position."""
    hedged = model.maintenance(SIZELESS, [Exposure(STOCK, token=LONG, perp=-LONG)])
    assert model.maintenance(SIZELESS, [Exposure(STOCK, token=LONG)]) > hedged


def test_MM_4_size_charged__two_books_in_one_are_dearer_on_purpose(model: Model) -> None:
    book, twice = [Exposure(STOCK, perp=100 * LONG)], [Exposure(STOCK, perp=200 * LONG)]
    assert model.maintenance(SHIPPED, twice) > 2 * model.maintenance(SHIPPED, book)
