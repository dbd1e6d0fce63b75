"""step: the curve by its published points, and anywhere against decimals of fifty digits, to 1e-9."""

from __future__ import annotations

from decimal import Decimal

import hypothesis.strategies as st
import pytest
from hypothesis import given

from prime_perps import cash
from prime_perps.cash import YEAR
from prime_perps.chain import Contract
from prime_perps.chain.revm import RevmBackend
from prime_perps.errors import Revert
from prime_perps.units import WAD, wad
from tests.stage import address

from .conftest import FLOOR, Desk

NANO = Decimal("1e-9")
DAY = 86_400

times = st.sampled_from((0, 1, 12, 3_600, DAY, 30 * DAY, YEAR, 100 * YEAR)) | st.integers(0, 60 * DAY)
utilizations = st.sampled_from((0, wad("0.85"), wad("0.85") + 1, wad("0.85") - 1, WAD)) | st.integers(0, WAD)
targets = st.sampled_from((0, wad(FLOOR), 2 * WAD)) | st.integers(wad("0.0001"), 2 * WAD)


def alone() -> Desk:
    """One without a fixture, for many examples."""
    backend = RevmBackend()
    return Desk(backend, Contract.deploy(backend, "InterestModel", wad(FLOOR), sender=address("deployer")))


@pytest.mark.parametrize(
    ("utilization", "rate"),
    [("0", "0.01"), ("0.425", "0.025"), ("0.85", "0.04"), ("0.9", "0.08"), ("0.925", "0.1"), ("1", "0.16")],
)
def test_step__of_no_time_at_4_percent__is_the_curve(desk: Desk, utilization: str, rate: str) -> None:
    """A quarter of the rate at target with nothing lent, all of it at 85 %, four times as much with everything lent."""
    average, target = desk.step("0.04", utilization, 0)
    assert 0 <= Decimal(rate) - average < Decimal("1e-17")
    assert target == Decimal("0.04")


def test_step__not_begun__begins_at_4_percent(desk: Desk) -> None:
    assert desk.step(0, "0.85", 0) == (Decimal("0.04"), Decimal("0.04"))


@pytest.mark.parametrize(
    ("days", "after"),
    [(1, "0.045872"), (5, "0.079345"), (30, "2")],
)
def test_step__everything_lent__rate_at_target_grows_by_e_to_the_50_a_year(desk: Desk, days: int, after: str) -> None:
    _, target = desk.step("0.04", "1", days * DAY)
    assert abs(target - Decimal(after)) < Decimal("1e-6")


def test_step__nothing_lent__rate_at_target_falls_to_the_floor(desk: Desk) -> None:
    """exp(-50/365) of 4 % is 3.488 % after a day; the floor is 3 %."""
    _, target = desk.step("0.04", "0", DAY)
    assert abs(target - Decimal("0.034880")) < Decimal("1e-6")
    assert desk.step("0.04", "0", 30 * DAY) == (
        pytest.approx(Decimal("0.0078"), abs=Decimal("0.0004")),
        Decimal("0.03"),
    )


def test_step__at_target__stays_for_ever(desk: Desk) -> None:
    assert desk.step("0.07", "0.85", 100 * YEAR) == (Decimal("0.07"), Decimal("0.07"))


def test_step__everything_lent_for_a_century__is_800_percent_at_most(desk: Desk) -> None:
    average, target = desk.step("2", "1", 100 * YEAR)
    assert (average, target) == (Decimal(8), Decimal(2))


def test_step__average__is_start_end_and_twice_the_middle(desk: Desk) -> None:
    average, end = desk.step("0.04", "0.95", DAY)
    _, middle = desk.step("0.04", "0.95", DAY // 2)
    factor = 1 + 3 * (Decimal("0.1") / Decimal("0.15"))
    assert abs(average - (Decimal("0.04") + 2 * middle + end) / 4 * factor) < NANO


def test_step__utilization_over_1__reverts(desk: Desk) -> None:
    with pytest.raises(Revert, match=r"^interest: over 100%$"):
        desk.model.step(WAD, WAD + 1, 0)


DESK = alone()


@given(targets, utilizations, times)
def test_step__anywhere__is_the_reference_to_1e_9(target: int, utilization: int, elapsed: int) -> None:
    given_rates = Decimal(target) / WAD, Decimal(utilization) / WAD
    average, after = cash.step(*given_rates, elapsed, Decimal(FLOOR))
    told = DESK.step(target, utilization, elapsed)
    assert abs(told[0] - average) < NANO
    assert abs(told[1] - after) < NANO


@given(targets, utilizations, times, times)
def test_step__in_two__leads_to_the_rate_at_target_of_one(target: int, utilization: int, first: int, then: int) -> None:
    """Nobody gains by accruing often: but for the floor and the ceiling the way there does not matter."""
    _, between = DESK.model.step(target, utilization, first)
    _, after = DESK.model.step(between, utilization, then)
    _, at_once = DESK.model.step(target, utilization, first + then)
    assert abs(after - at_once) <= at_once // 10**15 + 10**3
