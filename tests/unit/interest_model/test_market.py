"""market and reserve: what the words say, in numbers."""

from __future__ import annotations

from dataclasses import replace

from prime_perps.cash import ONE, Market
from prime_perps.units import wad

from .conftest import Desk


def some(desk: Desk) -> Market:
    """Claims of 1,000 + 200 and loans of 900 against 2,000 of cash: 100 that nobody has."""
    return Market(
        supply_index=2 * ONE,
        debt_index=3 * ONE,
        time=desk.now,
        supply_ppb=30_600_000,
        debt_ppb=40_000_000,
        supply_shares=wad(1_000),
        debt_shares=wad(300),
        utilization_ppb=473_684_210,
        safe=wad(1_000),
        net_settled=wad(200),
        rate_at_target=wad("0.04"),
    )


def test_market__of_any_words__tells_every_field(desk: Desk) -> None:
    words = some(desk).words()
    assert desk.model.market(words)._asdict() == {
        "supply": wad(2_000),
        "debt": wad(900),
        "safe": wad(1_000),
        "net_settled": wad(200),
        "reserve": wad(100) - 1,
        "rate_at_target": wad("0.04"),
        "utilization_ppb": 473_684_210,
        "supply_ppb": 30_600_000,
        "debt_ppb": 40_000_000,
        "supply_index": 2 * ONE,
        "debt_index": 3 * ONE,
        "elapsed": 0,
    }


def test_market__losses_settled_first__net_settled_is_below_zero(desk: Desk) -> None:
    words = replace(some(desk), net_settled=-wad(200)).words()
    assert desk.model.market(words).net_settled == -wad(200)


def test_reserve__more_than_nothing_is_owed__is_nothing(desk: Desk) -> None:
    assert desk.model.reserve(some(desk).words()) == wad(100) - 1
    assert desk.model.reserve(replace(some(desk), net_settled=0).words()) == 0


def test_reserve__as_time_passes__has_the_tenth_of_interest(desk: Desk) -> None:
    words = some(desk).words()
    desk.backend.warp(365 * 86_400)
    # 4 % of 900 less 3.06 % of 2,000, in a market that pays cash more than it takes: nothing it is ever told to do
    told = desk.model.market(words)
    assert 0 <= wad("2061.2") - told.supply < 1_000
    assert 0 <= told.debt - wad(936) < 1_000
    assert told.reserve == wad(1_200) + told.debt - told.supply - 1
    assert desk.model.reserve(words) == told.reserve
