"""refresh: whatever a push feed does, it becomes a bounded word or nothing."""

from __future__ import annotations

import pytest
from eth_abi import encode

from prime_perps.chain import Contract, revm
from prime_perps.errors import Revert
from prime_perps.reports import Feed, Flag, Session, Source, Word
from prime_perps.units import MID

from .conftest import BTC, NVDA, SPY, Desk, publishing_feed

MID_MAX = 2**56 - 1
HEARTBEAT = 3_600
FEED_GAS = 100_000
REVERTS, BURNS_GAS = 1, 2


def round_data(answer: int, updated_at: int, round_id: int = 1) -> bytes:
    return encode(["uint256", "int256", "uint256", "uint256", "uint256"], [round_id, answer, 0, updated_at, 0])


# what is written


def test_refresh__healthy_feed__writes_its_answer_as_of_now(desk: Desk, aggregator: Contract) -> None:
    desk.list_feed(aggregator)
    desk.backend.warp(1_000)
    receipt = desk.refresh(BTC)
    word = Word(mid=50_000 * MID, time=desk.now, half_width=100, session=Session.ALWAYS_OPEN)
    assert desk.word(BTC) == word
    assert list(desk.oracle.events(receipt)) == [
        (
            "WordUpdated",
            {"underlying": BTC, "mid": word.mid, "half_width": 100, "session": 6, "flags": 0, "time": desk.now},
        )
    ]


def test_refresh__anyone__may_call(desk: Desk, aggregator: Contract) -> None:
    desk.list_feed(aggregator)
    desk.oracle.refresh([BTC], sender=desk.attacker)
    assert desk.word(BTC).mid == 50_000 * MID


def test_refresh__same_answer_again__is_vouched_for_until_the_heartbeat(desk: Desk, aggregator: Contract) -> None:
    desk.list_feed(aggregator)
    for _ in range(2):
        desk.backend.warp(HEARTBEAT // 2)
        desk.refresh(BTC)
        assert desk.word(BTC).time == desk.now
    desk.backend.warp(1)
    assert desk.refreshed(BTC) == 0


def test_refresh__new_answer_every_second__is_taken_every_time(desk: Desk, aggregator: Contract) -> None:
    desk.list_feed(aggregator)
    for answer in range(1, 17):
        desk.backend.warp(1)
        aggregator.publish(answer, sender=desk.deployer)
        desk.refresh(BTC)
        assert (desk.word(BTC).mid, desk.word(BTC).time) == (answer, desk.now)


@pytest.mark.parametrize("decimals", [0, 6, 8, 18])
def test_refresh__decimals__are_scaled_to_eight(desk: Desk, decimals: int) -> None:
    feed = publishing_feed(desk, decimals, 123 * 10**decimals)
    desk.list_feed(feed, decimals=decimals)
    desk.refresh(BTC)
    assert desk.word(BTC).mid == 123 * MID


def test_refresh__eighteen_decimals__rounds_down(desk: Desk) -> None:
    feed = publishing_feed(desk, 18, 10**18 + 10**10 - 1)
    desk.list_feed(feed, decimals=18)
    desk.refresh(BTC)
    assert desk.word(BTC).mid == MID


@pytest.mark.parametrize(
    ("session", "confidence", "half_width"),
    [
        (Session.UNKNOWN, 0, 30),
        (Session.UNKNOWN, 16, 32),
        (Session.ALWAYS_OPEN, 0, 5),
        (Session.ALWAYS_OPEN, 3, 6),
        (Session.ALWAYS_OPEN, 50, 100),
    ],
)
def test_refresh__deviation_threshold__half_width_is_twice_it_above_the_floor(
    desk: Desk, aggregator: Contract, session: Session, confidence: int, half_width: int
) -> None:
    desk.list_feed(aggregator, session=session, confidence=confidence)
    desk.refresh(BTC)
    assert (desk.word(BTC).half_width, desk.word(BTC).session) == (half_width, session)


def test_refresh__halted_underlying__stays_halted_with_a_new_price(desk: Desk, aggregator: Contract) -> None:
    desk.list_feed(aggregator)
    desk.oracle.set_halt(BTC, True, sender=desk.guardian)
    desk.refresh(BTC)
    assert (desk.word(BTC).mid, desk.word(BTC).flags) == (50_000 * MID, Flag.HALTED)


def test_refresh__frozen_feed__repeats_the_last_answer(desk: Desk, aggregator: Contract) -> None:
    desk.list_feed(aggregator)
    aggregator.set_frozen(True, sender=desk.deployer)
    desk.backend.warp(HEARTBEAT)
    aggregator.publish(1, sender=desk.deployer)
    desk.refresh(BTC)
    assert desk.word(BTC).mid == 50_000 * MID


# what is passed over


@pytest.mark.parametrize("underlying", [NVDA, 5, 64, 2**256 - 1])
def test_refresh__source_is_no_push_feed__is_passed_over(desk: Desk, underlying: int) -> None:
    assert desk.refreshed(underlying) == 0


@pytest.mark.parametrize("answer", [0, -1, -(2**255), MID_MAX + 1, 2**255 - 1])
def test_refresh__zero_negative_or_absurd_answer__is_passed_over(desk: Desk, aggregator: Contract, answer: int) -> None:
    desk.list_feed(aggregator)
    aggregator.publish(answer, sender=desk.deployer)
    assert desk.refreshed(BTC) == 0
    desk.refresh(BTC)
    assert desk.word(BTC) == Word()


def test_refresh__largest_answer__is_written(desk: Desk, aggregator: Contract) -> None:
    desk.list_feed(aggregator)
    aggregator.publish(MID_MAX, sender=desk.deployer)
    desk.refresh(BTC)
    assert desk.word(BTC).mid == MID_MAX


@pytest.mark.parametrize(
    ("decimals", "answer"),
    [(0, MID_MAX // MID), (6, MID_MAX // 100), (18, MID_MAX * 10**10 + 10**10 - 1)],
)
def test_refresh__largest_answer_of_other_decimals__fits_and_one_more_does_not(
    desk: Desk, decimals: int, answer: int
) -> None:
    feed = publishing_feed(desk, decimals, answer + 1)
    desk.list_feed(feed, decimals=decimals)
    assert desk.refreshed(BTC) == 0
    # The bound on the raw answer comes first and cuts off what would only be rounded away.
    feed.publish(min(answer, MID_MAX * 10**10), sender=desk.deployer)
    assert desk.refreshed(BTC) == 1


def test_refresh__answer_below_the_last_decimal__is_passed_over(desk: Desk) -> None:
    feed = publishing_feed(desk, 18, 10**10 - 1)
    desk.list_feed(feed, decimals=18)
    assert desk.refreshed(BTC) == 0


def test_refresh__age_at_the_heartbeat__is_written_and_a_second_more_is_passed_over(
    desk: Desk, aggregator: Contract
) -> None:
    desk.list_feed(aggregator)
    desk.backend.warp(HEARTBEAT)
    assert desk.refreshed(BTC) == 1
    desk.backend.warp(1)
    assert desk.refreshed(BTC) == 0


def test_refresh__updated_now_is_written_and_in_the_future_is_passed_over(desk: Desk, aggregator: Contract) -> None:
    desk.list_feed(aggregator)
    for ahead, written in ((0, 1), (1, 0), (2**256 - 1 - desk.now, 0)):
        aggregator.publish_at(MID, desk.now + ahead, sender=desk.deployer)
        assert desk.refreshed(BTC) == written


def test_refresh__feed_steps_back_in_time__is_passed_over(desk: Desk, aggregator: Contract) -> None:
    desk.list_feed(aggregator)
    desk.refresh(BTC)
    accepted = desk.now
    desk.backend.warp(10)
    aggregator.publish_at(40_000 * MID, accepted - 1, sender=desk.deployer)
    assert desk.refreshed(BTC) == 0
    aggregator.publish_at(40_000 * MID, accepted, sender=desk.deployer)
    assert desk.refreshed(BTC) == 1


def test_refresh__feed_set_again__may_step_back_in_time(desk: Desk, aggregator: Contract) -> None:
    desk.list_feed(aggregator)
    desk.refresh(BTC)
    aggregator.publish_at(40_000 * MID, desk.now - 1, sender=desk.deployer)
    assert desk.refreshed(BTC) == 0
    desk.list_feed(aggregator)
    assert desk.refreshed(BTC) == 1


def test_refresh__feed_without_a_round__is_passed_over(desk: Desk) -> None:
    feed = Contract.deploy(desk.backend, "DevnetFeed", 8, "BTC / USD", sender=desk.deployer)
    desk.list_feed(feed)
    assert desk.refreshed(BTC) == 0


def test_refresh__two_feeds_of_one_slot__keeps_both(desk: Desk, aggregator: Contract) -> None:
    neighbour = publishing_feed(desk, 8, 3_000 * MID)
    desk.list_feed(aggregator, BTC)
    desk.list_feed(neighbour, BTC + 1)
    assert desk.refreshed(BTC, BTC + 1) == 2
    desk.refresh(BTC, BTC + 1)
    assert (desk.word(BTC).mid, desk.word(BTC + 1).mid) == (50_000 * MID, 3_000 * MID)


# one broken feed among good ones: OR-1


@pytest.mark.parametrize("fault", [REVERTS, BURNS_GAS])
def test_refresh__broken_feed__does_not_stop_the_others__OR_1(desk: Desk, aggregator: Contract, fault: int) -> None:
    broken = publishing_feed(desk, 8, 1)
    desk.list_feed(broken, BTC)
    desk.list_feed(aggregator, BTC + 1)
    broken.set_fault(fault, sender=desk.deployer)
    desk.refresh(BTC, BTC + 1)
    assert (desk.word(BTC).mid, desk.word(BTC + 1).mid) == (0, 50_000 * MID)


def test_refresh__thirty_two_feeds_that_burn_all_gas__costs_bounded_gas__OR_1(desk: Desk, aggregator: Contract) -> None:
    broken = publishing_feed(desk, 8, 1)
    for underlying in range(31):
        desk.list_feed(broken, underlying)
    desk.list_feed(aggregator, 31)
    broken.set_fault(BURNS_GAS, sender=desk.deployer)
    receipt = desk.refresh(*range(32))
    assert desk.word(31).mid == 50_000 * MID
    assert receipt.gas_used < 32 * (FEED_GAS + 10_000)


@pytest.mark.parametrize("size", [0, 1, 159])
def test_refresh__short_answer__is_passed_over(desk: Desk, odd_feed: Contract, size: int) -> None:
    desk.list_feed(odd_feed)
    odd_feed.set_answer(round_data(MID, desk.now)[:size], 0, False, sender=desk.deployer)
    assert desk.refreshed(BTC) == 0


@pytest.mark.parametrize("size", [160, 192, 4_096])
def test_refresh__answer_at_least_as_long_as_asked__is_read(desk: Desk, odd_feed: Contract, size: int) -> None:
    desk.list_feed(odd_feed)
    odd_feed.set_answer(round_data(MID, desk.now).ljust(size, b"\xff"), 0, False, sender=desk.deployer)
    assert desk.refreshed(BTC) == 1


def test_refresh__fields_that_fit_no_type__are_not_fatal__OR_1(desk: Desk, odd_feed: Contract) -> None:
    desk.list_feed(odd_feed)
    odd_feed.set_answer(round_data(MID, desk.now, round_id=2**256 - 1), 0, False, sender=desk.deployer)
    assert desk.refreshed(BTC) == 1
    odd_feed.set_answer(b"\xff" * 160, 0, False, sender=desk.deployer)
    assert desk.refreshed(BTC) == 0


def test_refresh__revert_that_carries_an_answer__is_passed_over(desk: Desk, odd_feed: Contract) -> None:
    desk.list_feed(odd_feed)
    odd_feed.set_answer(round_data(MID, desk.now), 0, True, sender=desk.deployer)
    assert desk.refreshed(BTC) == 0


# gas


def heaviest_burn(desk: Desk, odd_feed: Contract) -> int:
    """The most gas the feed can burn and still be read; all it is promised but what its own code takes."""
    readable, beyond = 0, FEED_GAS
    while beyond - readable > 1:
        burn = (readable + beyond) // 2
        odd_feed.set_answer(round_data(MID, desk.now), burn, False, sender=desk.deployer)
        readable, beyond = (burn, beyond) if desk.refreshed(BTC) else (readable, burn)
    return readable


def test_refresh__heavy_feed__gets_all_it_is_promised_and_no_more(desk: Desk, odd_feed: Contract) -> None:
    desk.list_feed(odd_feed)
    assert FEED_GAS - 10_000 < heaviest_burn(desk, odd_feed) < FEED_GAS


def test_refresh__sender_chooses_the_gas__never_drops_a_healthy_feed(
    desk: Desk, odd_feed: Contract, monkeypatch: pytest.MonkeyPatch
) -> None:
    desk.list_feed(odd_feed)
    burn = heaviest_burn(desk, odd_feed)
    odd_feed.set_answer(round_data(MID, desk.now), burn, False, sender=desk.deployer)
    outcomes: set[int | str] = set()
    for gas in range(30_000, 200_000, 250):
        monkeypatch.setattr(revm, "GAS_LIMIT", gas)
        try:
            outcomes.add(desk.refreshed(BTC))
        except Revert as refusal:
            outcomes.add(refusal.reason.split(" (")[0])
    assert outcomes == {"oracle: too little gas", "no reason", 1}


# change of source


def test_refresh__source_changed_to_reports__what_the_feed_said_counts_no_more(
    desk: Desk, aggregator: Contract
) -> None:
    desk.list_feed(aggregator, SPY)
    desk.refresh(SPY)
    desk.oracle.set_feed(SPY, Feed(Source.REPORTS), sender=desk.timelock)
    assert desk.word(SPY).mid == 50_000 * MID
    assert desk.refreshed(SPY) == 0
    desk.submit(desk.report(SPY))
    assert (desk.word(SPY).mid, desk.word(SPY).half_width) == (100 * MID, 5)


def test_refresh__sources_changed_and_back__a_report_taken_before_is_not_taken_again(
    desk: Desk, aggregator: Contract
) -> None:
    signed = desk.sign(desk.report(SPY))
    desk.submit(signed)
    desk.list_feed(aggregator, SPY)
    desk.refresh(SPY)
    desk.oracle.set_feed(SPY, Feed(Source.REPORTS), sender=desk.timelock)
    desk.submit(signed)
    assert desk.word(SPY).mid == 50_000 * MID
