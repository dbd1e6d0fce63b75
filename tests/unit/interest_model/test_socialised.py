"""socialised: a loss out of everybody's cash but one account's, which gets it."""

from __future__ import annotations

from dataclasses import replace

import hypothesis.strategies as st
import pytest
from hypothesis import given

from prime_perps.cash import INDEX_MIN, ONE, Market
from prime_perps.units import wad

from .conftest import Desk
from .test_step import DESK

amounts = st.sampled_from((0, 1, 2, wad(1))) | st.integers(0, wad(10**9))


def market(supply: int, *shares: int) -> Market:
    """Somebody with `supply`, and accounts with shares."""
    begun = replace(Market.begun(DESK.now), supply_ppb=7, debt_ppb=9, utilization_ppb=5, rate_at_target=3, safe=11)
    begun = begun.held(0, supply)
    for held in shares:
        begun = begun.held(0, held)
    return begun


def socialised(before: Market, shares: int, amount: int) -> tuple[Market, int, int]:
    words, after, covered = DESK.model.socialised(before.words(), shares, amount)
    return Market.unpack(words), after, covered


def test_socialised__loss_of_a_tenth__costs_everybody_a_tenth_and_insurance_has_it__LQ_2(desk: Desk) -> None:
    after, insurance, covered = socialised(market(wad(1_000)), 0, wad(100))
    assert covered == wad(100)
    assert after.supply_index == ONE * 9 // 10
    assert after.cash(insurance) in (wad(100), wad(100) - 1)


def test_socialised__insurance_has_cash_already__it_loses_none_of_it__LQ_2(desk: Desk) -> None:
    after, insurance, covered = socialised(market(wad(1_000), wad(300)), wad(300), wad(100))
    assert (covered, after.cash(insurance)) == (wad(100), pytest.approx(wad(400), abs=1))
    assert after.supply_index == ONE * 9 // 10


def test_socialised__insurance_owes__what_it_owes_is_paid_first(desk: Desk) -> None:
    after, insurance, covered = socialised(market(wad(1_000), -wad(60)), -wad(60), wad(100))
    assert (covered, after.cash(insurance), after.debt_shares) == (wad(100), pytest.approx(wad(40), abs=1), 0)


def test_socialised__nobody_has_cash__nothing_can_be_taken(desk: Desk) -> None:
    after, insurance, covered = socialised(market(0, -wad(60)), -wad(60), wad(100))
    assert (insurance, covered, after.debt_shares) == (-wad(60), 0, wad(60))


def test_socialised__more_than_there_is__takes_all_but_1_in_1024(desk: Desk) -> None:
    after, insurance, covered = socialised(market(wad(1_000)), 0, wad(5_000))
    assert (after.supply_index, covered) == (INDEX_MIN, wad(1_000) * 1_023 // 1_024)
    assert covered - after.cash(insurance) in (0, 1)
    again, _, more = socialised(after, insurance, wad(5_000))
    assert (again.supply_index, more) == (INDEX_MIN, 0)


@given(amounts, st.integers(-wad(10**9), wad(10**9)), amounts, st.integers(INDEX_MIN, 1_000 * ONE))
def test_socialised__anything__is_the_reference_and_takes_no_less_than_it_gives__LQ_2(
    supply: int, shares: int, amount: int, index: int
) -> None:
    before = replace(market(supply, shares), supply_index=index)
    after, held, covered = socialised(before, shares, amount)
    assert (after, held, covered) == before.socialised(shares, amount)
    taken = supply * (before.supply_index - after.supply_index)
    assert taken >= covered * ONE
    assert covered <= amount
    assert before.cash(shares) + covered - after.cash(held) <= 1 + index // ONE
    # at most one unit of the index more than was asked for
    assert taken <= (covered + 1) * ONE + 2 * supply
