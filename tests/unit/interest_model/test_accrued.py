"""accrued: indexes in straight lines, the rates of now, and who shares what loans pay."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal

import hypothesis.strategies as st
import pytest
from hypothesis import given

from prime_perps import cash
from prime_perps.cash import BORROW_STOP, INDEX_LAST, INDEX_MAX, ONE, PPB, YEAR, Market
from prime_perps.errors import Revert
from prime_perps.units import WAD, wad

from .conftest import FLOOR, Desk
from .test_step import DESK

MILLION = wad(1_000_000)
DAY = 86_400


def lent(desk: Desk, utilization: str, **changes: int) -> Market:
    """A million supplied, of which a part is lent; 4 % at target; an accrual of a moment ago."""
    debt = int(MILLION * Decimal(utilization))
    market = replace(
        Market.begun(desk.now),
        supply_shares=MILLION,
        debt_shares=debt,
        safe=MILLION - debt,
        rate_at_target=wad("0.04"),
        utilization_ppb=int(PPB * Decimal(utilization)),
    )
    return desk.accrued(replace(market, **changes))


def test_accrued__at_once__leaves_everything_but_the_rates(desk: Desk) -> None:
    market = lent(desk, "0.85")
    assert desk.accrued(market) == market
    assert (market.supply_index, market.debt_index, market.time) == (ONE, ONE, desk.now)


@pytest.mark.parametrize(
    ("utilization", "debt", "supply"), [("0", "1", "0"), ("0.85", "4", "3.06"), ("1", "16", "14.4")]
)
def test_accrued__rates__are_the_mean_of_the_hour_to_come_and_nine_tenths_for_cash(
    desk: Desk, utilization: str, debt: str, supply: str
) -> None:
    """Percent; an hour at an error of 1 moves the rate by 0.6 % of itself, so its mean by 0.3 %."""
    market = lent(desk, utilization)
    assert market.debt_ppb / 10**7 == pytest.approx(float(debt), rel=0.003)
    assert market.supply_ppb / 10**7 == pytest.approx(float(supply), rel=0.003)


def test_accrued__at_target__costs_the_rate_at_target(desk: Desk) -> None:
    """What cash earns is rounded down, by a part per billion here."""
    market = lent(desk, "0.85")
    assert (market.debt_ppb, market.supply_ppb) == (40_000_000, 30_600_000 - 1)


def test_accrued__after_a_year__interest_is_shared_nine_to_one__CH_6(desk: Desk) -> None:
    market = lent(desk, "0.85")
    desk.backend.warp(YEAR)
    after = desk.accrued(market)
    # an index has units of 2^-60, a million of cash moves by as many wei with each
    unit = MILLION // ONE + 1
    assert 0 <= after.debt - wad(884_000) <= unit
    # a thousandth of a dollar less than nine tenths: the rate is rounded down
    assert 0 <= MILLION + wad("30599.999") - after.supply <= unit
    assert after.reserve == after.debt - after.supply + MILLION - wad(850_000) - 1
    assert 0 <= after.reserve + 1 - wad("3400.001") <= 2 * unit
    # nobody has changed the utilization, but it has grown by interest
    assert after.utilization_ppb == 884_000 * PPB // 1_034_000


def test_accrued__seen_in_between__is_what_the_straight_line_says(desk: Desk) -> None:
    market = lent(desk, "0.85")
    desk.backend.warp(1_000)
    told = desk.model.market(market.words())
    grown = [ONE * (PPB * YEAR + rate * 1_000) for rate in (market.supply_ppb, market.debt_ppb)]
    assert told.supply_index == grown[0] // (PPB * YEAR)
    assert told.debt_index == -(-grown[1] // (PPB * YEAR))
    assert told.elapsed == 1_000
    after = desk.accrued(market)
    assert (after.supply_index, after.debt_index) == (told.supply_index, told.debt_index)


def test_accrued__rate_at_target__moves_by_the_utilization_that_has_held(desk: Desk) -> None:
    """Everything has been lent for a day; that it is paid back now changes what a loan costs from now on."""
    market = lent(desk, "1")
    desk.backend.warp(DAY)
    after = desk.accrued(market, paid=market.at(desk.now).debt)
    assert after.rate_at_target == pytest.approx(wad("0.045872"), rel=2e-5)
    assert after.utilization_ppb == pytest.approx(PPB // 2, abs=1)


def test_accrued__safe_and_settled__are_kept_with_their_signs(desk: Desk) -> None:
    after = desk.accrued(lent(desk, "0.85"), paid=-wad(50_000), settled=-7)
    assert (after.safe, after.net_settled) == (wad(100_000), -7)
    assert desk.accrued(after, paid=1, settled=10).net_settled == 3


# net settled: a claim is not a loan


def test_accrued__gains_settled_first__leave_utilization_and_the_cost_of_loans(desk: Desk) -> None:
    market = lent(desk, "0.5")
    gained = desk.accrued(market.held(0, wad(400_000)), settled=wad(400_000))
    assert (gained.utilization_ppb, gained.debt_ppb) == (market.utilization_ppb, market.debt_ppb)
    # more cash shares the same interest
    assert gained.supply_ppb * 1_400_000 == pytest.approx(market.supply_ppb * 1_000_000, rel=1e-7)


def test_accrued__losses_settled_first_out_of_cash__leave_utilization_and_what_cash_earns(desk: Desk) -> None:
    market = lent(desk, "0.5")
    lost = desk.accrued(market.held(MILLION, wad(600_000)), settled=-wad(400_000))
    assert (lost.utilization_ppb, lost.debt_ppb, lost.supply_ppb) == (
        market.utilization_ppb,
        market.debt_ppb,
        market.supply_ppb,
    )


@pytest.mark.parametrize("winner_first", [True, False])
def test_accrued__a_loss_that_becomes_a_loan__comes_to_the_same_in_either_order(desk: Desk, winner_first: bool) -> None:
    """The loser has no cash and owes 200,000 more, which is a loan from then on: whenever the winner settles."""
    market = lent(desk, "0.5")
    moves = [(0, wad(200_000)), (0, -wad(200_000))]
    for _, change in moves if winner_first else reversed(moves):
        market = desk.accrued(market.held(0, change), settled=change)
        if change < 0:
            assert market.utilization_ppb == 700_000 * PPB // 1_200_000
    assert (market.net_settled, market.utilization_ppb) == (0, 700_000 * PPB // 1_200_000)


def test_accrued__losses_settled_and_no_cash_at_all__all_interest_is_the_reserves(desk: Desk) -> None:
    """Loans of 500,000 whose other side has not been settled: nobody has the cash to earn it yet."""
    market = replace(Market.begun(desk.now), debt_shares=wad(500_000), net_settled=-wad(500_000))
    market = desk.accrued(market)
    assert market.utilization_ppb == PPB
    assert market.supply_ppb < market.debt_ppb
    desk.backend.warp(DAY)
    after = desk.accrued(market)
    assert after.supply == 0
    assert after.reserve == pytest.approx(after.debt - wad(500_000), abs=1)


# the borrow stop


def test_accrued__loan_up_to_95_percent__is_allowed_and_a_unit_more_refused(desk: Desk) -> None:
    market = lent(desk, "0.95", safe=MILLION - wad(950_000))
    assert market.utilization_ppb == BORROW_STOP
    assert desk.accrued(market, borrows=True).utilization_ppb == BORROW_STOP
    more = market.held(0, -wad("0.02"))
    assert desk.accrued(more, paid=-wad("0.02")).utilization_ppb > BORROW_STOP
    with pytest.raises(Revert, match=r"^cash: borrow limit$"):
        desk.accrued(more, paid=-wad("0.02"), borrows=True)


# bounds


@pytest.mark.parametrize(
    ("paid", "settled"), [(-wad(150_000) - 1, 0), (2**95, 0), (0, 2**95), (0, -(2**95)), (2**200, 0), (0, 2**200)]
)
def test_accrued__claims_that_do_not_fit__reverts(desk: Desk, paid: int, settled: int) -> None:
    with pytest.raises(Revert, match=r"^cash: claims out of range$"):
        desk.accrued(lent(desk, "0.85"), paid=paid, settled=settled)


@pytest.mark.parametrize(("paid", "settled"), [(-wad(150_000), 0), (2**95 - 1 - wad(150_000), 0), (0, 1 - 2**95)])
def test_accrued__claims_that_just_fit__are_kept(desk: Desk, paid: int, settled: int) -> None:
    after = desk.accrued(lent(desk, "0.85"), paid=paid, settled=settled)
    assert (after.safe, after.net_settled) == (wad(150_000) + paid, settled)


def test_accrued__nobody_has_anything_for_70_years__is_an_answer(desk: Desk) -> None:
    market = desk.accrued(Market.begun(desk.now))
    desk.backend.warp(70 * YEAR)
    after = desk.accrued(market)
    assert (after.supply_index, after.rate_at_target, after.supply_ppb) == (ONE, wad(FLOOR), 0)


def test_accrued__index_past_its_last__stands_still_from_then_on(desk: Desk) -> None:
    market = lent(desk, "0.85", debt_index=INDEX_LAST - 1)
    assert market.debt_ppb > 0
    desk.backend.warp(YEAR)
    stopped = desk.accrued(market)
    assert (stopped.debt_ppb, stopped.supply_ppb) == (0, 0)
    desk.backend.warp(50 * YEAR)
    assert desk.accrued(stopped).debt_index == stopped.debt_index > INDEX_LAST


def test_accrued__rates_left_for_70_years__index_ends_at_its_field(desk: Desk) -> None:
    market = lent(desk, "1", debt_index=INDEX_LAST - 1, rate_at_target=2 * WAD)
    desk.backend.warp(70 * YEAR)
    assert desk.accrued(market).debt_index == INDEX_MAX


amounts = st.sampled_from((0, 1, 5, wad(1), MILLION)) | st.integers(0, wad(10**9))
markets = st.builds(
    lambda supply, debt, safe, target, utilization, indexes: Market(
        supply_index=min(indexes),
        debt_index=max(indexes),
        time=DESK.now,
        supply_ppb=0,
        debt_ppb=0,
        supply_shares=supply,
        debt_shares=debt,
        utilization_ppb=utilization,
        safe=safe,
        net_settled=0,
        rate_at_target=target,
    ),
    amounts,
    amounts,
    amounts,
    st.integers(wad(FLOOR), 2 * WAD),
    st.integers(0, PPB),
    st.tuples(st.integers(ONE, 1_000 * ONE), st.integers(ONE, 1_000 * ONE)),
)


@given(markets, st.integers(0, 3 * YEAR))
def test_accrued__any_market__is_the_reference_and_never_lends_for_more_than_it_pays__CH_6(
    market: Market, elapsed: int
) -> None:
    point = DESK.backend.snapshot()
    try:
        open_market = DESK.accrued(market)
        DESK.backend.warp(elapsed)
        told = DESK.accrued(open_market)
    finally:
        DESK.backend.restore(point)
    # what holds from the first call on
    cost, target = cash.rates(market, 0, market.utilization_ppb, Decimal(FLOOR))
    # reckoned in wad, rounded down by a few units of it at rates of up to 800 %, then rounded up to a part in 1e9
    assert -20 / Decimal(PPB) <= open_market.debt_ppb - cost * PPB < Decimal("1.01")
    assert abs(open_market.rate_at_target - target * WAD) < 10**9
    assert open_market.supply_ppb == market.share_of_cash(open_market.debt_ppb)
    # what has come of it
    expected = open_market.at(open_market.time + elapsed)
    _, target = cash.rates(expected, elapsed, open_market.utilization_ppb, Decimal(FLOOR))
    assert (told.supply_index, told.debt_index) == (expected.supply_index, expected.debt_index)
    assert told.utilization_ppb == expected.lent()
    assert abs(told.rate_at_target - target * WAD) < 10**9
    # what cash has gained is at most nine tenths of what loans have cost
    gained = market.supply_shares * (told.supply_index - market.supply_index)
    cost_of_loans = market.debt_shares * (told.debt_index - market.debt_index)
    assert gained * 10 <= cost_of_loans * 9
