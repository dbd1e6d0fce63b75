"""What a price was before: the slow price, jumps that need confirming, and reopenings."""

from __future__ import annotations

from dataclasses import replace

import pytest

from prime_perps.chain import Contract
from prime_perps.reports import Feed, Flag, Session, Source
from prime_perps.sessions import DAY, Closing
from prime_perps.units import BPS, MID

from .conftest import NVDA, Desk

UNCONFIRMED = Flag.REDUCE_ONLY | Flag.REOPENING
HALF_AN_HOUR = 1_800


def mean(before: int, held: int, seconds: int, period: int) -> int:
    """The contract's exponential mean, to the second order."""
    left = 2 * period * period
    of = left + 2 * period * seconds + seconds * seconds
    return held + abs(before - held) * left // of * (1 if before > held else -1)


def state(desk: Desk, price: float, wait: int = 0, session: Session = Session.REGULAR) -> None:
    desk.backend.warp(wait)
    desk.submit(desk.report(price=round(price * MID), status=session))


def guard(desk: Desk, bps: int) -> None:
    desk.oracle.set_feed(NVDA, Feed(Source.REPORTS, jump=bps), sender=desk.timelock)


# the slow price


def test_slow__first_price__is_the_mid(desk: Desk) -> None:
    state(desk, 100)
    assert desk.word().slow == 0


def test_slow__price_moves__follows_by_what_the_last_price_stood(desk: Desk) -> None:
    state(desk, 100)
    slow = held = 100 * MID
    for price, wait in ((101, 60), (104, 30), (102, 300), (90, 45), (90, 1_000)):
        state(desk, price, wait)
        slow, held = mean(slow, held, wait, HALF_AN_HOUR), price * MID
        assert desk.word().slow == int((slow - held) * BPS / held)


@pytest.mark.parametrize(("seconds", "left"), [(60, 0.967), (600, 0.72), (1_800, 0.4), (7_200, 0.08), (86_400, 0.0008)])
def test_slow__after_a_step__what_is_left_of_it_fades_over_half_an_hour(desk: Desk, seconds: int, left: float) -> None:
    state(desk, 100)
    state(desk, 99, 1)
    state(desk, 99, seconds)
    assert desk.word().slow / BPS == pytest.approx(left / 99, abs=1.5 / BPS)


@pytest.mark.parametrize(("price", "slow"), [(1e8, -9_999), (0.0001, 32_767)])
def test_slow__far_from_the_mid__stays_inside_its_field(desk: Desk, price: float, slow: int) -> None:
    state(desk, 100)
    state(desk, price, 1)
    assert desk.word().slow == slow


def test_slow__refreshed_often_or_seldom__is_nearly_the_same(desk: Desk) -> None:
    state(desk, 100)
    state(desk, 110, 1)
    for _ in range(30):
        state(desk, 110, 10)
    often = desk.word().slow
    seldom = (mean(100 * MID, 110 * MID, 300, HALF_AN_HOUR) - 110 * MID) * BPS / (110 * MID)
    assert often == pytest.approx(seldom, abs=3)


# the jump guard


@pytest.mark.parametrize(("bps", "inside"), [(500, 105), (1_000, 110), (2_000, 120)])
def test_jump__beyond_the_band__keeps_the_last_price_until_it_is_confirmed(desk: Desk, bps: int, inside: float) -> None:
    guard(desk, bps)
    state(desk, 100)
    before = desk.word()
    state(desk, inside + 0.01, 10)
    assert desk.word() == replace(before, flags=UNCONFIRMED)
    assert desk.read().doubt == 1_000
    state(desk, inside + 0.02, 14)
    assert (desk.word().mid, desk.word().flags) == (100 * MID, UNCONFIRMED)
    state(desk, inside + 0.02, 1)
    assert (desk.word().mid, desk.word().flags, desk.read().doubt) == (round((inside + 0.02) * MID), 0, 0)


@pytest.mark.parametrize("sign", [1, -1])
def test_jump__at_the_band__is_believed_at_once(desk: Desk, sign: int) -> None:
    guard(desk, 500)
    state(desk, 100)
    state(desk, 100 + 5 * sign, 1)
    assert (desk.word().mid, desk.word().flags) == ((100 + 5 * sign) * MID, 0)


def test_jump__second_price_elsewhere__is_another_jump(desk: Desk) -> None:
    guard(desk, 500)
    state(desk, 100)
    state(desk, 1_000, 10)
    state(desk, 120, 20)
    assert (desk.word().mid, desk.word().flags) == (100 * MID, UNCONFIRMED)
    state(desk, 121, 15)
    assert (desk.word().mid, desk.word().flags) == (121 * MID, 0)


def test_jump__price_comes_back__was_none(desk: Desk) -> None:
    guard(desk, 500)
    state(desk, 100)
    state(desk, 120, 10)
    state(desk, 100.5, 10)
    assert (desk.word().mid, desk.word().flags) == (round(100.5 * MID), 0)
    state(desk, 120, 10)
    assert desk.word().flags == UNCONFIRMED


def test_jump__same_report_again__confirms_nothing(desk: Desk) -> None:
    guard(desk, 500)
    state(desk, 100)
    desk.backend.warp(10)
    signed = desk.sign(desk.report(price=120 * MID))
    desk.submit(signed)
    desk.backend.warp(20)
    desk.submit(signed)
    desk.refresh(NVDA)
    assert (desk.word().mid, desk.word().flags) == (100 * MID, UNCONFIRMED)


@pytest.mark.parametrize("days", [1, 98, 150, 181])
def test_jump__next_price_after_a_long_silence__confirms_it(desk: Desk, days: int) -> None:
    """A stock that jumps and is suspended for months. The times of jumps come round in 194 days."""
    guard(desk, 500)
    state(desk, 100)
    state(desk, 120, 10)
    state(desk, 120, days * DAY)
    assert desk.word().mid == 120 * MID


def test_jump__older_price_of_another_source__confirms_nothing(
    desk: Desk, aggregator: Contract, pyth: Contract
) -> None:
    """The word's time is that of its oldest price, so it may go back when a source joins."""
    desk.list_three(aggregator, pyth, jump=500)
    aggregator.set_fault(1, sender=desk.deployer)
    state(desk, 100)
    desk.backend.warp(100)
    state(desk, 120)
    assert (desk.word().mid, desk.word().flags) == (100 * MID, UNCONFIRMED)
    desk.bring(pyth, 120 * MID, publish_time=desk.now - 40)
    desk.refresh(NVDA)
    assert (desk.word().mid, desk.word().flags) == (100 * MID, UNCONFIRMED)
    desk.backend.warp(15)
    desk.bring(pyth, 120 * MID)
    desk.submit(desk.report(price=120 * MID))
    desk.refresh(NVDA)
    assert (desk.word().mid, desk.word().flags) == (120 * MID, 0)


def test_jump__steps_within_the_band__are_measured_from_the_mean_of_five_minutes(desk: Desk) -> None:
    guard(desk, 500)
    state(desk, 100)
    state(desk, 104, 10)
    state(desk, 108, 10)
    assert desk.word().flags == UNCONFIRMED
    state(desk, 104, 600)
    state(desk, 108, 10)
    assert (desk.word().mid, desk.word().flags) == (108 * MID, 0)


def test_jump__confirmed__is_what_the_next_one_is_measured_from(desk: Desk) -> None:
    guard(desk, 500)
    state(desk, 100)
    state(desk, 150, 10)
    state(desk, 150, 15)
    state(desk, 156, 1)
    assert desk.word().mid == 156 * MID
    state(desk, 100, 1)
    assert (desk.word().mid, desk.word().flags) == (156 * MID, UNCONFIRMED)


def test_jump__no_band__believes_everything(desk: Desk) -> None:
    state(desk, 100)
    state(desk, 1_000, 1)
    assert (desk.word().mid, desk.word().flags) == (1_000 * MID, 0)


def test_jump__feed_set_again__begins_anew(desk: Desk) -> None:
    guard(desk, 500)
    state(desk, 100)
    guard(desk, 500)
    state(desk, 1_000, 1)
    assert (desk.word().mid, desk.word().slow, desk.word().flags) == (1_000 * MID, 0, 0)


def test_YieldBlox__the_only_source_jumps_for_one_trade__is_not_believed(desk: Desk, aggregator: Contract) -> None:
    """YieldBlox, February 2026: one trade in a pool without depth made collateral a hundredfold, and was lent on."""
    desk.list_feed(aggregator, NVDA, jump=1_000)
    desk.refresh(NVDA)
    for wait, answer in ((5, 5_000_000), (5, 5_000_000), (5, 50_000)):
        desk.backend.warp(wait)
        aggregator.publish(answer * MID, sender=desk.deployer)
        desk.refresh(NVDA)
        assert desk.word(NVDA).mid == 50_000 * MID


# reopening


@pytest.mark.parametrize("wait", [1, 119])
def test_reopening__first_report_and_any_before_two_minutes__is_in_doubt__OR_2(desk: Desk, wait: int) -> None:
    state(desk, 100)
    state(desk, 100, 1, Session.CLOSED)
    state(desk, 96, 10, Session.OVERNIGHT)
    assert (desk.word().mid, desk.word().flags, desk.read().doubt) == (96 * MID, Flag.REOPENING, 1_000)
    state(desk, 97, wait, Session.OVERNIGHT)
    assert (desk.word().flags, desk.read().doubt) == (Flag.REOPENING, 1_000)


def test_reopening__one_report_alone__never_ends_it(desk: Desk) -> None:
    state(desk, 100)
    state(desk, 100, 1, Session.CLOSED)
    state(desk, 96, 10, Session.OVERNIGHT)
    desk.backend.warp(200)
    desk.refresh(NVDA)
    assert (desk.word().flags, desk.read().doubt) == (Flag.REOPENING, 1_000)


def test_reopening__second_report_after_two_minutes__ends_it(desk: Desk) -> None:
    state(desk, 100)
    state(desk, 100, 1, Session.CLOSED)
    state(desk, 96, 10, Session.OVERNIGHT)
    state(desk, 96, 120, Session.OVERNIGHT)
    assert (desk.word().flags, desk.read().doubt) == (0, 0)


def test_reopening__shut_again_before_it_ends__begins_anew(desk: Desk) -> None:
    state(desk, 100)
    for _ in range(2):
        state(desk, 100, 10, Session.CLOSED)
        state(desk, 100, 100, Session.PRE)
        assert desk.word().flags == Flag.REOPENING
    state(desk, 100, 119, Session.PRE)
    assert desk.word().flags == Flag.REOPENING
    state(desk, 100, 1, Session.PRE)
    assert desk.word().flags == 0


def test_reopening__nobody_has_marked_the_closure__is_one_all_the_same__OR_2(desk: Desk) -> None:
    """A weekend in which nobody reports or refreshes: the first price after it is of a minute of trading, too."""
    closing = Closing(desk.now + DAY, desk.now + 3 * DAY)
    desk.post(closing)
    desk.backend.warp(DAY - 100)
    state(desk, 100)
    assert desk.word().flags == 0
    desk.backend.warp(closing.end - desk.now)
    state(desk, 96, 5, Session.OVERNIGHT)
    assert (desk.word().mid, desk.word().flags, desk.read().doubt) == (96 * MID, Flag.REOPENING, 1_000)
    state(desk, 96, 119, Session.OVERNIGHT)
    assert desk.word().flags == Flag.REOPENING
    state(desk, 96, 1, Session.OVERNIGHT)
    assert desk.word().flags == 0
    state(desk, 96, DAY, Session.OVERNIGHT)
    assert desk.word().flags == 0


def test_reopening__first_price_ever__is_none(desk: Desk) -> None:
    desk.post(Closing(desk.now + DAY, desk.now + 3 * DAY))
    state(desk, 100, 3 * DAY, Session.OVERNIGHT)
    assert (desk.word().mid, desk.word().flags) == (100 * MID, 0)


def test_reopening__prices_of_an_unknown_session__do_not_end_it__OR_2(desk: Desk) -> None:
    state(desk, 100)
    state(desk, 100, 1, Session.CLOSED)
    for wait in (10, 120, 120):
        state(desk, 96, wait, Session.UNKNOWN)
    state(desk, 95, 10, Session.REGULAR)
    assert (desk.word().mid, desk.word().flags, desk.read().doubt) == (95 * MID, Flag.REOPENING, 1_000)
    state(desk, 95, 120, Session.REGULAR)
    assert (desk.word().flags, desk.read().doubt) == (0, 0)


def test_reopening__price_has_jumped_over_the_weekend__is_confirmed_first(desk: Desk) -> None:
    guard(desk, 500)
    state(desk, 100)
    state(desk, 100, 1, Session.CLOSED)
    state(desk, 80, 200_000, Session.OVERNIGHT)
    assert (desk.word().mid, desk.word().session) == (100 * MID, Session.CLOSED)
    state(desk, 80, 15, Session.OVERNIGHT)
    assert (desk.word().mid, desk.word().flags) == (80 * MID, Flag.REOPENING)
    state(desk, 80, 120, Session.OVERNIGHT)
    assert desk.word().flags == 0
