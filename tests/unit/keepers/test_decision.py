"""What a liquidator does with what it sees."""

from __future__ import annotations

from dataclasses import replace

import pytest

from prime_perps.keepers.decision import Action, Candidate, Policy, Redemption, choose, decide, without
from prime_perps.units import WAD, wad

# 28.30 % of an account with equity 8,000 and maintenance 10,000 at a price of 0.95: the worked vector of the slice.
SLICE = Candidate(
    account=1,
    equity=wad(8_000),
    maintenance=wad(10_000),
    doubt=0,
    state=7,
    startable=True,
    fraction=wad("0.2830"),
    price=wad("0.95"),
    payment=wad("2150.80"),
    reward=0,
)
PROFIT = wad("113.20")


def test_profit__slice_with_equity__is_the_discount():
    assert SLICE.profit() == PROFIT


def test_profit__fee_to_insurance__is_the_takers_to_pay():
    assert replace(SLICE, fee=wad(11)).profit() == PROFIT - wad(11)


def test_profit__insolvent_slice__is_the_reward_less_the_hole():
    hole = replace(SLICE, equity=wad(-1_000), fraction=WAD, payment=0, reward=wad(1_250))
    assert hole.profit() == wad(250)
    assert replace(hole, reward=wad(999)).profit() == wad(-1)


def test_decide__profitable__takes_all_on_offer():
    decision = decide(SLICE, Policy(min_profit=wad(100)), 0)
    assert (decision.action, decision.fraction, decision.profit) == (Action.TAKE, SLICE.fraction, PROFIT)


def test_decide__gas_eats_the_profit__does_not_take():
    assert decide(SLICE, Policy(), 0, gas_cost=PROFIT + 1).action is Action.START
    assert decide(SLICE, Policy(), 0, gas_cost=PROFIT).action is Action.TAKE


def test_decide__part_of_the_slice__has_its_part_of_the_profit_and_all_of_the_gas():
    decision = decide(SLICE, Policy(), 0, part=WAD // 4, gas_cost=wad(10))
    assert decision.fraction == SLICE.fraction // 4
    assert decision.profit == PROFIT // 4 - wad(10)
    assert decision.reason == "profitable, sized to own capital"


def test_decide__a_slice_that_nets_with_own_risk__costs_only_what_it_adds_to_unwind():
    half, policy = replace(SLICE, added=wad(1_415)), Policy(unwind_cost=401)
    assert decide(half, policy, 0).profit == PROFIT - wad("56.7415")
    assert decide(half, policy, 0).reason == "profitable, nets with own risk"
    assert decide(replace(SLICE, added=-1), policy, 0).profit == PROFIT
    assert decide(replace(SLICE, added=wad(2_830)), policy, 0).action is Action.START


def test_decide__unwinding_costs__are_counted_on_the_slices_margin():
    """28.30 % of a maintenance margin of 10,000, at 4 %: exactly the profit."""
    assert decide(SLICE, Policy(unwind_cost=400), 0).profit == 0
    assert decide(SLICE, Policy(unwind_cost=400), 0).action is Action.TAKE
    assert decide(SLICE, Policy(unwind_cost=401), 0).action is Action.START


def test_decide__too_little_and_start_goes_through__starts_or_keeps_alive():
    assert decide(SLICE, Policy(min_profit=wad(200)), 0).action is Action.START


def test_decide__too_little_and_auction_seen_of_late__waits():
    running = replace(SLICE, startable=False)
    decision = decide(running, Policy(min_profit=wad(200)), 0)
    assert (decision.action, decision.reason) == (Action.WAIT, "profit too small")


def test_decide__nothing_on_offer__waits():
    decision = decide(replace(SLICE, fraction=0, payment=0), Policy(), 0)
    assert (decision.action, decision.reason) == (Action.WAIT, "nothing on offer")


def test_decide__throttled__waits_and_says_so():
    decision = decide(replace(SLICE, fraction=0, payment=0, throttled=True), Policy(), 0)
    assert (decision.action, decision.reason) == (Action.WAIT, "throttled")


def test_decide__throttled_in_part__takes_the_rest():
    decision = decide(replace(SLICE, throttled=True), Policy(), 0)
    assert (decision.action, decision.fraction) == (Action.TAKE, SLICE.fraction)


@pytest.mark.parametrize(("failures", "action"), [(0, Action.TAKE), (2, Action.TAKE), (3, Action.WAIT)])
def test_decide__failed_before_in_this_state__tries_a_bounded_number_of_times(failures, action):
    assert decide(SLICE, Policy(attempts=3), failures).action is action


# with an issuer

# 1,000 tokens at 100 USD, at 11 bps below: 110 USD for the account, against the slice's 113.20
SALE = Redemption(instrument=64, symbol="AAPLon", tokens=wad(1_000), mid=wad(100), price=wad("99.89"), limit=wad(99))


def test_cost__is_the_spread_on_what_is_sold_rounded_up():
    assert SALE.cost() == wad(110)
    assert replace(SALE, price=wad(101)).cost() == -wad(1_000)
    assert replace(SALE, tokens=1, price=SALE.mid - 1).cost() == 1


def test_choose__redeeming_costs_the_account_less__redeems_if_that_is_the_policy():
    plain = decide(SLICE, Policy(), 0)
    decision = choose(plain, SALE, Policy(redeem=True))
    assert (decision.action, decision.otherwise, decision.profit) == (Action.REDEEM, plain, 0)
    assert decision.reason == "cheaper for the account: redeeming costs it 110.00, a slice 113.20"
    assert choose(plain, SALE, Policy()).action is Action.TAKE
    assert choose(plain, SALE, Policy()).reason == "profitable; redeeming costs it 110.00, a slice 113.20"


def test_choose__redeeming_costs_as_much__takes_the_slice():
    plain = decide(SLICE, Policy(), 0)
    decision = choose(plain, replace(SALE, price=wad("99.8868")), Policy(redeem=True))
    assert (decision.action, decision.fraction) == (Action.TAKE, plain.fraction)
    assert "no dearer for the account" in decision.reason
    a_wei_less = replace(SALE, price=wad("99.8868") + 1)
    assert choose(plain, a_wei_less, Policy(redeem=True)).action is Action.REDEEM


def test_choose__a_signed_quote__may_be_no_worse_than_the_slice():
    chosen = choose(decide(SLICE, Policy(), 0), SALE, Policy(redeem=True)).redemption
    assert chosen is not None
    assert chosen.limit == wad("99.8868")


@pytest.mark.parametrize("redeem", [False, True])
def test_choose__no_slice_worth_taking__redeems_whatever_it_costs(redeem):
    policy = Policy(min_profit=PROFIT + 1, redeem=redeem)
    decision = choose(decide(SLICE, policy, 0), replace(SALE, price=wad(99)), policy)
    assert decision.action is Action.REDEEM
    assert decision.redemption is not None
    assert decision.redemption.limit == SALE.limit
    assert decision.otherwise is not None
    assert decision.otherwise.action is Action.START


@pytest.mark.parametrize("failures", [0, 3])
def test_without__is_the_plain_decision_with_the_reason(failures):
    plain = decide(SLICE, Policy(), failures)
    told = without(plain, "MARKET_CLOSED")
    assert told == replace(plain, reason=f"{plain.reason}; no redemption: MARKET_CLOSED")
