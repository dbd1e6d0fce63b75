"""Several sources, one word: median, mean, one alone or none, whoever calls and in whatever order."""

from __future__ import annotations

from itertools import permutations

import pytest

from prime_perps.chain import Contract
from prime_perps.errors import Revert
from prime_perps.reports import Flag, Session, Word
from prime_perps.sessions import DAY, Closing
from prime_perps.units import MID

from .conftest import NVDA, Desk, undone

UNCONFIRMED = Flag.REDUCE_ONLY | Flag.REOPENING
HOUR = 3_600


@pytest.fixture(autouse=True)
def three(desk: Desk, aggregator: Contract, pyth: Contract) -> None:
    """All sources listed, on a day at which the exchange is open by the calendar."""
    desk.post(Closing(desk.now + 2 * DAY, desk.now + 4 * DAY))
    desk.list_three(aggregator, pyth)


def state(desk: Desk, aggregator: Contract, pyth: Contract, *prices: float | None) -> None:
    """Each source states a price in USD as of now, or nothing."""
    report, answer, price = (None if each is None else round(each * MID) for each in prices)
    if answer is not None:
        aggregator.publish(answer, sender=desk.deployer)
    if price is not None:
        desk.bring(pyth, price)
    if report is not None:
        desk.submit(desk.report(price=report))


def test_refresh__three_sources__is_the_median(desk: Desk, aggregator: Contract, pyth: Contract) -> None:
    state(desk, aggregator, pyth, 100, 100.2, 100.1)
    desk.refresh(NVDA)
    # the report came first, in the same second, and is what the slow price began with
    expected = Word(mid=round(100.1 * MID), time=desk.now, half_width=60, slow=-9, session=Session.REGULAR)
    assert desk.word() == expected


@pytest.mark.parametrize("prices", permutations((100.0, 100.2, 500.0)))
def test_sKRW_2019__one_of_three_states_a_thousand_times_the_price__changes_nothing(
    desk: Desk, aggregator: Contract, pyth: Contract, prices: tuple[float, ...]
) -> None:
    """Synthetix, June 2019: one of several sources of the won was a thousand times too high, and was believed."""
    stated = [price * 200 if price == 500 else price for price in prices]
    state(desk, aggregator, pyth, *stated)
    desk.refresh(NVDA)
    word = desk.read()
    assert (word.mid, word.flags, word.doubt) == (round(100.2 * MID), 0, 0)
    assert word.half_width <= 60


def test_refresh__three_within_the_tolerance__half_the_range_is_the_half_width(
    desk: Desk, aggregator: Contract, pyth: Contract
) -> None:
    desk.list_three(aggregator, pyth, confidence=0)
    state(desk, aggregator, pyth, 100, 99.6, 100.4)
    desk.refresh(NVDA)
    assert (desk.word().mid, desk.word().half_width, desk.word().flags) == (100 * MID, 40, 0)


def test_refresh__three_of_which_none_agrees__is_the_median_to_be_confirmed(
    desk: Desk, aggregator: Contract, pyth: Contract
) -> None:
    state(desk, aggregator, pyth, 100, 97, 104)
    desk.refresh(NVDA)
    assert (desk.word().mid, desk.word().half_width, desk.word().flags) == (100 * MID, 300, UNCONFIRMED)
    assert desk.read().doubt == 1_000


@pytest.mark.parametrize("silent", [0, 1, 2])
def test_refresh__two_sources_that_agree__is_their_mean(
    desk: Desk, aggregator: Contract, pyth: Contract, silent: int
) -> None:
    aggregator.set_fault(int(silent == 1), sender=desk.deployer)
    prices = [100.0, 100.4]
    prices.insert(silent, None)  # type: ignore[arg-type]
    state(desk, aggregator, pyth, *prices)
    desk.refresh(NVDA)
    assert (desk.word().mid, desk.word().flags) == (round(100.2 * MID), 0)


@pytest.mark.parametrize(("other", "agreed"), [(100.5, True), (100.51, False)])
def test_refresh__two_sources__agree_within_half_a_percent(
    desk: Desk, aggregator: Contract, pyth: Contract, other: float, agreed: bool
) -> None:
    state(desk, aggregator, pyth, 100, None, other)
    aggregator.set_fault(1, sender=desk.deployer)
    desk.refresh(NVDA)
    assert desk.word().flags == (0 if agreed else UNCONFIRMED)
    assert desk.word().half_width == (25 if agreed else 51)


def test_refresh__two_sources_apart__the_range_is_the_half_width_and_only_reducing_is_left(
    desk: Desk, aggregator: Contract, pyth: Contract
) -> None:
    state(desk, aggregator, pyth, 98, None, 102)
    aggregator.set_fault(1, sender=desk.deployer)
    desk.refresh(NVDA)
    assert (desk.word().mid, desk.word().half_width, desk.word().flags) == (100 * MID, 400, UNCONFIRMED)
    assert (desk.read().half_width, desk.read().doubt) == (1_400, 1_000)


def test_refresh__two_sources_too_far_apart__keep_the_last_price_in_doubt(
    desk: Desk, aggregator: Contract, pyth: Contract
) -> None:
    aggregator.set_fault(1, sender=desk.deployer)
    state(desk, aggregator, pyth, 100, None, 100)
    desk.refresh(NVDA)
    agreed = desk.word()
    desk.backend.warp(10)
    state(desk, aggregator, pyth, 100, None, 106)
    desk.refresh(NVDA)
    assert (desk.word().mid, desk.word().time, desk.word().flags) == (agreed.mid, agreed.time, UNCONFIRMED)
    assert desk.read().doubt == 1_000
    desk.backend.warp(10)
    state(desk, aggregator, pyth, 100, None, 100)
    desk.refresh(NVDA)
    assert (desk.word().flags, desk.read().doubt) == (0, 0)


@pytest.mark.parametrize(("alone", "flags"), [(True, 0), (False, Flag.REDUCE_ONLY)])
@pytest.mark.parametrize("speaks", [0, 1, 2])
def test_refresh__one_source_left__is_used_as_governance_has_set(
    desk: Desk, aggregator: Contract, pyth: Contract, speaks: int, alone: bool, flags: int
) -> None:
    desk.list_three(aggregator, pyth, alone=alone)
    aggregator.set_fault(int(speaks != 1), sender=desk.deployer)
    state(desk, aggregator, pyth, *(100 if source == speaks else None for source in range(3)))
    desk.refresh(NVDA)
    assert (desk.word().mid, desk.word().flags) == (100 * MID, flags)
    assert desk.read().doubt == 0


def test_refresh__no_source_left__the_word_stays_and_grows_old(
    desk: Desk, aggregator: Contract, pyth: Contract
) -> None:
    state(desk, aggregator, pyth, 100, 100, 100)
    desk.refresh(NVDA)
    before = desk.word()
    aggregator.set_fault(2, sender=desk.deployer)
    desk.backend.warp(61)
    assert desk.refreshed(NVDA) == 0
    assert (desk.word(), desk.read().doubt) == (before, 1)


def test_refresh__older_source__is_dropped_when_it_is_too_old(desk: Desk, aggregator: Contract, pyth: Contract) -> None:
    state(desk, aggregator, pyth, 100, 100.1, 100.3)
    desk.refresh(NVDA)
    desk.backend.warp(61)
    state(desk, aggregator, pyth, None, 100.1, None)
    desk.refresh(NVDA)
    assert (desk.word().mid, desk.word().flags) == (round(100.1 * MID), Flag.REDUCE_ONLY)


def test_refresh__time_of_the_word__is_that_of_its_oldest_price(
    desk: Desk, aggregator: Contract, pyth: Contract
) -> None:
    state(desk, aggregator, pyth, 100, 100, None)
    first = desk.now
    desk.backend.warp(40)
    desk.refresh(NVDA)
    assert desk.word().time == first


# nobody can choose


@pytest.mark.parametrize("order", permutations(("submit", "refresh", "refresh")))
def test_Perennial_flatmoney__two_valid_prices__no_order_of_calls_chooses_between_them(
    desk: Desk, aggregator: Contract, pyth: Contract, order: tuple[str, ...]
) -> None:
    """Audits of both found that whoever carried prices could open at one and liquidate at the other in one block."""
    aggregator.publish(round(100.4 * MID), sender=desk.deployer)
    signed = desk.sign(desk.report(price=100 * MID))
    older = desk.sign(desk.report(price=99 * MID, observed_at=desk.now - 30))
    for call in order:
        if call == "submit":
            desk.submit(signed, older)
        else:
            desk.refresh(NVDA)
    assert desk.word().mid == round(100.2 * MID)
    before = desk.word()
    desk.submit(older, signed)
    desk.refresh(NVDA, NVDA)
    assert desk.word() == before


# the session


def test_refresh__no_report__the_calendar_tells_whether_the_exchange_is_open(
    desk: Desk, aggregator: Contract, pyth: Contract
) -> None:
    state(desk, aggregator, pyth, None, 100, 100)
    desk.refresh(NVDA)
    assert (desk.word().session, desk.word().half_width, desk.read().doubt) == (Session.REGULAR, 60, 0)


def test_refresh__no_report_and_no_width__has_the_widest_floor(
    desk: Desk, aggregator: Contract, pyth: Contract
) -> None:
    desk.list_three(aggregator, pyth, confidence=0)
    state(desk, aggregator, pyth, None, 100, None)
    desk.refresh(NVDA)
    assert desk.word().half_width == 30


def test_refresh__in_a_posted_closure__asks_no_feed_and_keeps_the_mid__OR_2(
    desk: Desk, aggregator: Contract, pyth: Contract
) -> None:
    state(desk, aggregator, pyth, 100, 100, 100)
    desk.refresh(NVDA)
    desk.backend.warp(2 * DAY)
    state(desk, aggregator, pyth, None, 90, 90)
    desk.refresh(NVDA)
    assert desk.word() == Word(mid=100 * MID, time=desk.now, half_width=30, session=Session.CLOSED)
    assert desk.read().doubt == 1_000


def test_refresh__last_second_of_a_closure__leaves_nothing_for_the_first_of_the_day__OR_2(
    desk: Desk, aggregator: Contract, pyth: Contract
) -> None:
    state(desk, aggregator, pyth, 100, 100, 100)
    desk.refresh(NVDA)
    desk.backend.warp(4 * DAY - 1)
    state(desk, aggregator, pyth, None, 90, 90)
    desk.refresh(NVDA)
    aggregator.set_fault(1, sender=desk.deployer)
    pyth.set_fault(1, sender=desk.deployer)
    desk.backend.warp(1)
    assert desk.refreshed(NVDA) == 0
    assert (desk.word().mid, desk.word().session) == (100 * MID, Session.CLOSED)


def test_submit__open_by_the_report_and_shut_by_the_calendar__the_stricter_wins__OR_2(
    desk: Desk, aggregator: Contract, pyth: Contract
) -> None:
    desk.submit(desk.report(price=100 * MID))
    desk.backend.warp(2 * DAY)
    last = desk.sign(desk.report(price=101 * MID, observed_at=desk.now - 1))
    shut = desk.sign(desk.report(price=90 * MID))
    desk.submit(last)
    assert (desk.word().mid, desk.word().session) == (101 * MID, Session.REGULAR)
    desk.submit(shut)
    assert (desk.word().mid, desk.word().session) == (101 * MID, Session.CLOSED)


def test_refresh__shut_by_the_report_and_open_by_the_calendar__the_stricter_wins__OR_2(
    desk: Desk, aggregator: Contract, pyth: Contract
) -> None:
    state(desk, aggregator, pyth, 100, 100, 100)
    desk.backend.warp(1)
    desk.submit(desk.report(status=Session.CLOSED))
    desk.backend.warp(HOUR)
    state(desk, aggregator, pyth, None, 90, 90)
    desk.refresh(NVDA)
    assert (desk.word().mid, desk.word().session) == (100 * MID, Session.CLOSED)


def test_refresh__closed_report_of_a_closure_that_is_over__states_nothing_more(
    desk: Desk, aggregator: Contract, pyth: Contract
) -> None:
    """Reporters fall silent over a weekend: from its end on the clock says open, and the others make prices."""
    start, end = desk.now + 2 * DAY, desk.now + 4 * DAY
    state(desk, aggregator, pyth, 100, 100, 100)
    desk.refresh(NVDA)
    desk.backend.warp(end - 30 - desk.backend.timestamp())
    desk.submit(desk.report(status=Session.CLOSED))
    state(desk, aggregator, pyth, None, 90, 90)
    desk.refresh(NVDA)
    assert (desk.word().mid, desk.word().session) == (100 * MID, Session.CLOSED)
    assert start < desk.word().time < end
    desk.backend.warp(60)
    for _ in range(2):
        state(desk, aggregator, pyth, None, 90, 90)
        desk.refresh(NVDA)
        desk.backend.warp(121)
    assert (desk.word().mid, desk.word().session, desk.word().flags) == (90 * MID, Session.REGULAR, 0)


def test_XYZ100__feeds_move_while_the_exchange_is_shut__nobody_is_liquidated_on_it(
    desk: Desk, aggregator: Contract, pyth: Contract
) -> None:
    """A Sunday's push of 3.5 % on prices made inside the venue liquidated longs while the futures were shut."""
    state(desk, aggregator, pyth, 100, 100, 100)
    desk.refresh(NVDA)
    desk.backend.warp(2 * DAY)
    for price in (99, 98, 96.5):
        state(desk, aggregator, pyth, price, price, price)
        desk.refresh(NVDA)
        assert (desk.read().mid, desk.read().doubt) == (100 * MID, 1_000)
        desk.backend.warp(HOUR)


def test_refresh__calendar_says_nothing__a_feed_alone_is_of_unknown_session(
    desk: Desk, aggregator: Contract, pyth: Contract
) -> None:
    desk.backend.warp(381 * DAY)
    state(desk, aggregator, pyth, None, 100, 100)
    desk.refresh(NVDA)
    assert (desk.word().mid, desk.word().session, desk.read().doubt) == (100 * MID, Session.UNKNOWN, 1_000)
    desk.submit(desk.report())
    assert desk.word().session == Session.REGULAR


def test_refresh__always_open__knows_no_calendar(desk: Desk, aggregator: Contract, pyth: Contract) -> None:
    desk.list_three(aggregator, pyth, session=Session.ALWAYS_OPEN)
    desk.backend.warp(2 * DAY)
    state(desk, aggregator, pyth, None, 100, 100)
    desk.refresh(NVDA)
    assert (desk.word().mid, desk.word().session) == (100 * MID, Session.ALWAYS_OPEN)


# prices come from the listed sources and nowhere else


@pytest.mark.parametrize("who", ["keeper", "attacker", "guardian", "poster"])
def test_KiloEx_2025__anyone_who_calls__writes_no_price_that_no_source_states(
    desk: Desk, aggregator: Contract, pyth: Contract, who: str
) -> None:
    """KiloEx, April 2025: a forwarder that anyone could call set prices."""
    sender = getattr(desk, who)
    state(desk, aggregator, pyth, 100, 100, 100)
    desk.refresh(NVDA)
    with undone(desk):
        desk.backend.warp(1)
        desk.oracle.refresh([NVDA, NVDA], sender=sender)
        assert desk.word().mid == 100 * MID
    desk.backend.warp(1)
    for keys in ([desk.stranger_key], [desk.stranger_key, desk.keys[0]]):
        forged = desk.sign(desk.report(price=1), keys)
        with pytest.raises(Revert, match=r"^oracle: (too few signers|bad signature)$"):
            desk.oracle.submit([forged], sender=sender)
    assert desk.word().mid == 100 * MID


def test_YieldBlox__a_price_from_a_thin_pool__stands_against_two_others(
    desk: Desk, aggregator: Contract, pyth: Contract
) -> None:
    """YieldBlox, February 2026: one trade in a pool without depth made the price of collateral a hundredfold."""
    state(desk, aggregator, pyth, 100, 100, 100)
    desk.refresh(NVDA)
    desk.backend.warp(1)
    state(desk, aggregator, pyth, 100, 100, 10_000)
    desk.refresh(NVDA)
    assert (desk.word().mid, desk.word().flags) == (100 * MID, 0)
