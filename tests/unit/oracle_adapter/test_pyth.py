"""refresh of a Pyth source: price, confidence and exponent become an observation, or nothing."""

from __future__ import annotations

from typing import Any

import pytest
from eth_abi import encode

from prime_perps.chain import Contract
from prime_perps.errors import Revert
from prime_perps.reports import DEFAULT_LIMITS, Feed, Session, Source, Word
from prime_perps.units import MID

from .conftest import BTC, NVDA, PRICE_ID, PYTH_FEE, Desk

REVERTS, BURNS_GAS = 1, 2
MID_MAX = 2**56 - 1
NOBODY = "0x" + "00" * 20


@pytest.fixture
def listed(desk: Desk, pyth: Contract) -> Contract:
    """The only source of BTC, which never closes."""
    feed = Feed(Source.PYTH, session=Session.ALWAYS_OPEN, pyth=pyth.address, price_id=PRICE_ID)
    desk.oracle.set_feed(BTC, feed, sender=desk.timelock)
    return pyth


def test_refresh__pyth_price__is_written_as_of_when_it_was_published(desk: Desk, listed: Contract) -> None:
    desk.bring(listed, 60_000 * MID)
    published = desk.now
    desk.backend.warp(30)
    desk.refresh(BTC)
    assert desk.word(BTC) == Word(mid=60_000 * MID, time=published, half_width=5, session=Session.ALWAYS_OPEN)


@pytest.mark.parametrize(
    ("price", "expo", "mid"),
    [(123, 0, 123 * MID), (123_456, -3, 123_456 * 10**5), (5, -8, 5), (12_345, -10, 123), (10**18, -18, MID)],
)
def test_refresh__exponent__is_scaled_to_eight_decimals_rounded_down(
    desk: Desk, listed: Contract, price: int, expo: int, mid: int
) -> None:
    desk.bring(listed, price, conf=0, expo=expo)
    desk.refresh(BTC)
    assert desk.word(BTC).mid == mid


@pytest.mark.parametrize(("conf", "half_width"), [(0, 5), (2, 5), (3, 6), (49, 98)])
def test_refresh__confidence__half_width_is_twice_it(desk: Desk, listed: Contract, conf: int, half_width: int) -> None:
    desk.bring(listed, 10_000, conf=conf)
    desk.refresh(BTC)
    assert desk.word(BTC).half_width == half_width


def test_refresh__confidence_of_a_fraction__is_rounded_up(desk: Desk, listed: Contract) -> None:
    desk.bring(listed, 1_000_000, conf=201)
    desk.refresh(BTC)
    assert desk.word(BTC).half_width == 6


def test_refresh__confidence_beyond_the_tolerance__makes_no_price(desk: Desk, listed: Contract) -> None:
    desk.bring(listed, 10_000, conf=51)
    assert desk.refreshed(BTC) == 0
    desk.backend.warp(1)
    desk.bring(listed, 10_000, conf=50)
    assert desk.refreshed(BTC) == 1


def test_refresh__published_within_the_age_of_the_session__is_written_and_a_second_more_is_not(
    desk: Desk, listed: Contract
) -> None:
    desk.bring(listed, MID)
    desk.backend.warp(DEFAULT_LIMITS.age[Session.ALWAYS_OPEN])
    assert desk.refreshed(BTC) == 1
    desk.backend.warp(1)
    assert desk.refreshed(BTC) == 0


@pytest.mark.parametrize(
    ("price", "fields"),
    [
        (0, {}),
        (-1, {"conf": 0}),
        (MID, {"expo": 1, "conf": 0}),
        (10**18, {"expo": -19, "conf": 0}),
        (MID_MAX + 1, {"conf": 0}),
        (2**63 - 1, {"expo": 0, "conf": 0}),
        (99, {"expo": -10, "conf": 0}),
        (-(2**63), {"expo": -(2**31), "conf": 2**64 - 1}),
    ],
)
def test_refresh__price_that_is_none__is_passed_over(
    desk: Desk, listed: Contract, price: int, fields: dict[str, int]
) -> None:
    desk.bring(listed, price, **fields)
    assert desk.refreshed(BTC) == 0
    desk.refresh(BTC)
    assert desk.word(BTC) == Word()


@pytest.mark.parametrize("ahead", [1, 2**255])
def test_refresh__published_in_the_future__is_passed_over(desk: Desk, listed: Contract, ahead: int) -> None:
    desk.bring(listed, MID, publish_time=desk.now + ahead)
    assert desk.refreshed(BTC) == 0


def test_refresh__no_price_yet__is_passed_over(desk: Desk, listed: Contract) -> None:
    assert desk.refreshed(BTC) == 0


@pytest.mark.parametrize("fault", [REVERTS, BURNS_GAS])
def test_refresh__broken_pyth__leaves_the_last_price_to_grow_old__OR_1(
    desk: Desk, listed: Contract, fault: int
) -> None:
    desk.bring(listed, MID)
    desk.refresh(BTC)
    listed.set_fault(fault, sender=desk.deployer)
    desk.backend.warp(1_000)
    assert desk.refreshed(BTC) == 0
    desk.refresh(BTC)
    assert desk.read(BTC).doubt > 0


@pytest.mark.parametrize("wrong", [{"pyth": "0x" + "00" * 20}, {"pyth": "0x" + "11" * 20}, {"price_id": bytes(32)}])
def test_set_feed__pyth_without_contract_or_price__reverts(desk: Desk, pyth: Contract, wrong: dict[str, Any]) -> None:
    fields = {"pyth": pyth.address, "price_id": PRICE_ID} | wrong
    with pytest.raises(Revert, match=r"^oracle: bad feed$"):
        desk.oracle.set_feed(NVDA, Feed(Source.PYTH, **fields), sender=desk.timelock)


def test_set_feed__all_three_sources__are_stored(desk: Desk, aggregator: Contract, pyth: Contract) -> None:
    desk.list_three(aggregator, pyth)
    assert tuple(desk.oracle.feed(NVDA)) == (
        *(7, aggregator.address, 8, 3_600, 30, 0),
        *(pyth.address, PRICE_ID, False, 0, NOBODY, NOBODY),
    )


# the stand-in


def test_pyth__update_without_its_fee__is_refused(desk: Desk, pyth: Contract) -> None:
    update = encode(["bytes32", "int64", "uint64", "int32", "uint256"], [PRICE_ID, 1, 0, 0, desk.now])
    assert pyth.getUpdateFee([update, update]) == 2 * PYTH_FEE
    with pytest.raises(Revert, match=r"^pyth: insufficient fee$"):
        pyth.updatePriceFeeds([update], sender=desk.keeper)


def test_pyth__older_update__is_paid_for_and_passed_over(desk: Desk, pyth: Contract) -> None:
    desk.bring(pyth, 7)
    desk.bring(pyth, 8, publish_time=desk.now - 1)
    assert pyth.getPriceUnsafe(PRICE_ID)[0] == 7


def test_pyth__price_never_brought_or_down__reverts(desk: Desk, pyth: Contract) -> None:
    with pytest.raises(Revert, match=r"^pyth: no such price$"):
        pyth.getPriceUnsafe(PRICE_ID)
    pyth.set_fault(REVERTS, sender=desk.deployer)
    with pytest.raises(Revert, match=r"^pyth: down$"):
        pyth.getPriceUnsafe(PRICE_ID)
    with pytest.raises(Revert, match=r"^pyth: owner only$"):
        pyth.set_fault(0, sender=desk.attacker)
