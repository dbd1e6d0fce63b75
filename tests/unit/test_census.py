"""Whether the accounts found are all there are, against the contracts' own sums."""

from __future__ import annotations

import pytest

from prime_perps import census
from prime_perps.accounts import token
from prime_perps.census import Census
from tests.stage import Stage, account

ROLES = ("maker", "holder", "taker", "seller")


@pytest.fixture(scope="module")
def stage():
    made = Stage.deployed()
    for role in ("maker", "taker", "seller"):
        made.fund(role, "1000000")
    made.fund_stock("holder", "NVDA", "500")
    made.fund_stock("maker", "NVDA", "1.5")
    made.trade("maker", "taker", "SPY", "100")
    made.trade("maker", "seller", "SPY", "-30")
    return made


def taken(stage: Stage, *left_out: str) -> Census:
    """A census that missed somebody."""
    book, vault, lens = stage.system.clearinghouse, stage.system.vault, stage.system.lens
    found = [account(role) for role in ROLES if role not in left_out]
    return Census(
        first_block=1,
        last_block=1,
        summaries={number: lens.account_summary(number) for number in found},
        unreadable={},
        held={
            entry.id: census.held(book.market(entry.id), vault.asset(token(entry.id)))
            for entry in stage.system.underlyings
        },
    )


def test_short_of__everybody_found__nothing(stage):
    assert taken(stage).short_of == []


@pytest.mark.parametrize(("role", "symbol"), [("holder", "NVDA"), ("taker", "SPY"), ("seller", "SPY")])
def test_short_of__somebody_missing__what_they_hold(stage, role, symbol):
    assert taken(stage, role).short_of == [stage.id(symbol)]


def test_short_of__underlying_without_a_line_yet__named(stage):
    """Listed and traded between reading the sums and reading the accounts."""
    complete = taken(stage)
    older = Census(1, 2, complete.summaries, {}, {n: sums for n, sums in complete.held.items() if n != stage.id("SPY")})
    assert older.short_of == [stage.id("SPY")]
