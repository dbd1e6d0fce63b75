"""Margin on the fork: what the deployed contracts answer is what the reference model computes from the same facts."""

from __future__ import annotations

from typing import Any

import pytest

from prime_perps import margin, risk
from prime_perps.accounts import account_id
from prime_perps.margin import Closure, Exposure, Table
from tests.fork.actors import address
from tests.fork.market import Market

HOLDER = account_id(address("holder"))


@pytest.fixture
def table(market: Market) -> Table:
    """The risk table in force, as the fork has it."""
    return risk.read_table(market.system.model)


def _reference(summary: Any, table: Table) -> tuple[int, int]:
    """(maintenance, initial) of an account with tokens of the primary issuer only, by exact integers in Python."""
    exposures = [
        Exposure(at.underlying, at.token_value, 0, at.perp_value, at.half_width, at.eventful) for at in summary.lines
    ]
    return margin.requirements(exposures, Closure(*summary.closure), max(0, -summary.margin.cash), table)


@pytest.mark.parametrize("size", ["-100", "-40", "60", "200"])
def test_margin__stock_and_a_perp_on_it__equals_the_reference(market: Market, table: Table, size: str) -> None:
    market.deposit_stock("holder", "AAPL", "100")
    market.deposit_stock("holder", "IBM", "50")
    trade = market.sell if size.startswith("-") else market.buy
    trade("holder", "AAPL", size.removeprefix("-"))
    summary = market.system.lens.account_summary(HOLDER)
    assert (summary.margin.maintenance, summary.margin.initial) == _reference(summary, table)


def test_margin__hedged_stock__asks_for_a_fraction_of_the_unhedged(market: Market) -> None:
    market.deposit_stock("holder", "AAPL", "100")
    alone = market.system.clearinghouse.margin(HOLDER).maintenance
    market.sell("holder", "AAPL", "100")
    hedged = market.system.clearinghouse.margin(HOLDER).maintenance
    assert 0 < hedged < alone // 2
