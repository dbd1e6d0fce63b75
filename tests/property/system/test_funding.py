"""Funding of a market by the reference, whoever fills what and when; zero-sum (CH-6); and what it takes to move it."""

from __future__ import annotations

from decimal import Decimal
from functools import cache

from hypothesis import example, given, settings
from hypothesis import strategies as st

from prime_perps import funding
from prime_perps.units import MID, NANO, WAD
from tests.stage import Stage, account, address

SYMBOL, PRICE = "BTC", 60_000
DEPTH = 1_000_000  # USD, of parameters/local.json
OWNERS = ("maker", "taker", "holder")
# nano; below it no fill moves the rate by a unit, whatever its premium
DUST = NANO * DEPTH // (2 * funding.RATE_CAP) // PRICE

times = st.one_of(st.sampled_from((1, 60, 3_600)), st.integers(1, 20 * 3_600))
premiums = st.integers(-490, 490)  # bps, within the band of the market
sides = st.sampled_from((-1, 1))
fills = st.lists(st.tuples(times, premiums, st.integers(1, 10 * NANO), sides, st.sampled_from(OWNERS[1:])), max_size=8)


@cache
def opened() -> Stage:
    stage = Stage.deployed()
    for role in OWNERS:
        stage.fund(role, "100000000")
    stage.prices = {SYMBOL: str(PRICE)}
    return stage


def fill(stage: Stage, later: int, premium: int, size: int, side: int, taker: str = "taker") -> int:
    """A fill of `size` nano so many seconds later, at the index price and bps of premium over it; its notional, wad."""
    stage.warp(later - 1)
    stage.publish()
    price = PRICE * (10_000 + premium) // 10_000
    order = stage.order("maker", SYMBOL, str(Decimal(-side * size) / NANO), str(price))
    limit = 2**256 - 1 if side > 0 else 0
    stage.system.exchange.fill(order, account(taker), side * size, limit, sender=address(taker))
    return size * price * WAD // NANO


def market(stage: Stage) -> tuple[int, int, int]:
    """Rate, index and the time they are as of."""
    found = stage.system.clearinghouse.market(stage.id(SYMBOL))
    return found.funding_rate, found.funding_index, found.funding_time


@settings(max_examples=60)
@given(fills, times)
def test_funding__any_fills__rate_and_index_are_those_of_the_reference(
    script: list[tuple[int, int, int, int, str]], after: int
) -> None:
    with opened().undone() as stage:
        rate, index, time = market(stage)
        for later, premium, size, side, taker in script:
            price = PRICE * (10_000 + premium) // 10_000
            notional = fill(stage, later, premium, size, side, taker)
            since = stage.now() - time
            moved = funding.moved(rate, PRICE * MID, since, price * WAD, notional, DEPTH)
            if moved is not None:
                index += funding.charged(rate, PRICE * MID, since)
                rate, time = moved, stage.now()
            assert market(stage) == (rate, index, time)
        stage.warp(after)
        now = index + funding.charged(rate, PRICE * MID, stage.now() - time)
        for role in OWNERS:
            position = stage.position(role, SYMBOL)
            owed = position.size * (now - position.funding_index)
            assert 0 <= stage.margin(role).funding_owed * 10**6 - owed < 10**6


@settings(max_examples=60)
@given(fills, times)
def test_CH_6_funding__settled_and_still_owed__sums_to_nothing_but_dust(
    script: list[tuple[int, int, int, int, str]], after: int
) -> None:
    """Quotes are what was paid for perps and in fees, which sums to zero, less funding; each settlement rounds once."""
    with opened().undone() as stage:
        for step in script:
            fill(stage, *step)
        stage.warp(after)
        lost = -sum(stage.money(role).quote - stage.margin(role).funding_owed for role in OWNERS)
        book = stage.system.clearinghouse
        lost -= book.money(book.fee_account()).quote
        assert 0 <= lost <= 2 * len(script) + len(OWNERS)


@settings(max_examples=40)
@given(premiums, st.lists(st.tuples(times, premiums, st.integers(1, DUST), sides), min_size=1, max_size=12))
def test_funding__any_dust__leaves_no_trace(premium: int, script: list[tuple[int, int, int, int]]) -> None:
    with opened().undone() as stage:
        fill(stage, 1, premium, 5 * NANO, 1)
        written = market(stage)
        for step in script:
            fill(stage, *step, taker="holder")
        assert market(stage) == written


@settings(max_examples=40)
@given(premiums, st.lists(st.tuples(premiums, st.integers(1, NANO), sides), min_size=1, max_size=10))
def test_funding__fills_at_once__move_the_rate_by_their_weight_at_most(
    premium: int, script: list[tuple[int, int, int]]
) -> None:
    """However a notional is cut up: never by more than twice the cap times it, over it and the depth."""
    with opened().undone() as stage:
        fill(stage, 1, premium, 5 * NANO, 1)
        before, total = market(stage)[0], 0
        for step in script:
            total += fill(stage, 1, *step, taker="holder")
        # the rate fades too, by a five-thousandth a second, and each fill rounds it by less than a unit
        fading = abs(before) * len(script) // 5_000 + 2 * len(script)
        moved = abs(market(stage)[0] - before)
        assert moved <= 2 * funding.RATE_CAP * total // (total + DEPTH * WAD) + fading


def test_funding__trading_with_oneself__costs_more_than_it_brings_at_the_depth_of_known_limits() -> None:
    """Both sides' fees of the fills that bring the rate to any part of the cap, over what it then charges in all."""
    fees, share = Decimal("0.0005"), Decimal("0.5")  # of the notional; of the open interest
    for percent in range(1, 100):
        part = Decimal(percent) / 100
        notional = -(1 - part).ln() * share
        brought = part * funding.RATE_CAP / Decimal(10**8) * funding.MEMORY / 3_600
        assert notional * fees >= brought


@settings(max_examples=60)
@given(st.lists(st.tuples(st.integers(1, 3 * 3_600), st.integers(1, 2_000)), min_size=1, max_size=8))
# at once, a little again and again, and held up for hours
@example([(1, 2_000)])
@example([(1, 10)] * 8)
@example([(1_800, 100)] * 8)
def test_funding__trading_with_oneself_to_be_paid_by_everybody_else__loses_money(script: list[tuple[int, int]]) -> None:
    """
    The attacker is short all there is, trades with himself at a premium as often and as much as he likes (permille of
    the depth), and waits until the longs have paid it all; the depth is half of the open interest.
    """
    with opened().undone() as stage:
        size = 2 * DEPTH * NANO // PRICE
        stage.trade("maker", "taker", SYMBOL, str(Decimal(-size) / NANO))
        gang = ("taker", "holder")
        before = sum(stage.margin(role).equity for role in gang)
        for step, (later, permille) in enumerate(script):
            stage.warp(later - 1)
            stage.publish()
            bought = str(Decimal(DEPTH) * permille / 1_000 / PRICE * (-1) ** step)
            stage.trade("taker", "holder", SYMBOL, bought, str(PRICE * 104 // 100))
        assert market(stage)[0] > 0
        stage.warp(48 * 3_600)
        stage.publish()
        brought = stage.margin("maker").funding_owed
        after = sum(stage.margin(role).equity for role in gang)
        assert brought > 0
        assert after < before, f"was paid {brought / WAD} and gained {(after - before) / WAD}"
