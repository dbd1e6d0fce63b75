"""What others would ask for: published numbers, reproduced."""

from __future__ import annotations

from functools import cache

import pytest

from prime_perps import margin, risk
from prime_perps.demo.yardsticks import position_by_position, regulation_t
from prime_perps.deployment import PARAMETERS
from prime_perps.margin import Closure, Exposure
from prime_perps.units import wad

OPEN = Closure(0, 0, 0)
HUNDRED = wad(100_000)


@cache
def table():
    loaded = risk.load(PARAMETERS / "risk.json")
    return margin.Table(loaded.globals, [loaded.line("T3"), loaded.line("T3")])


@pytest.mark.parametrize(
    ("exposures", "asked"),
    [
        ([Exposure(0, token=HUNDRED)], 50_000),
        ([Exposure(0, perp=-HUNDRED)], 50_000),
        ([Exposure(0, perp=HUNDRED)], 50_000),
        ([Exposure(0, token=HUNDRED, perp=HUNDRED)], 100_000),
        ([Exposure(0, token=HUNDRED, perp=-HUNDRED)], 55_000),  # half of the stock, 5 % of the short against it
        ([Exposure(0, token=HUNDRED, perp=-2 * HUNDRED)], 105_000),
        ([Exposure(0, other=HUNDRED, perp=-HUNDRED)], 55_000),
        ([Exposure(0, token=HUNDRED), Exposure(1, perp=-HUNDRED)], 100_000),
        ([], 0),
    ],
)
def test_regulation_t__known_books(exposures, asked):
    assert regulation_t(exposures) == wad(asked)


def test_regulation_t__one_wei__is_rounded_up():
    assert regulation_t([Exposure(0, token=1)]) == 1


def test_position_by_position__hedged_pair__asks_for_both_sides_alone():
    token, short = Exposure(0, token=HUNDRED), Exposure(0, perp=-HUNDRED)
    alone = [margin.requirements([one], OPEN, 0, table())[1] for one in (token, short)]
    pair = Exposure(0, token=HUNDRED, perp=-HUNDRED)
    assert position_by_position([pair], OPEN, table()) == sum(alone)
    assert margin.requirements([pair], OPEN, 0, table())[1] < sum(alone) // 10


def test_position_by_position__single_positions__is_the_portfolios_own_margin():
    one = Exposure(0, perp=HUNDRED)
    assert position_by_position([one], OPEN, table()) == margin.requirements([one], OPEN, 0, table())[1]


def test_position_by_position__nothing__is_nothing():
    assert position_by_position([], OPEN, table()) == 0
