"""auction: when it started, since when equity is known to be negative, when the account was last seen liquidatable."""

from __future__ import annotations

from prime_perps.units import WAD
from tests.stage import account

from .conftest import Auctions


def test_auction__none__is_zeros(auctions: Auctions) -> None:
    auctions.distress("8000", "10000")
    assert auctions.auction() == (0, 0, 0)


def test_auction__running__tells_its_start(auctions: Auctions) -> None:
    auctions.distress("8000", "10000")
    auctions.start()
    started = auctions.stage.now()
    auctions.wait(1_000)
    # a view tells what is kept; that it has lapsed shows in the quote
    assert auctions.auction() == (started, 0, started)


def test_auction__seen_again_by_start_or_take__tells_when(auctions: Auctions) -> None:
    auctions.distress("8000", "10000")
    auctions.start()
    started = auctions.stage.now()
    auctions.wait(200)
    auctions.start()
    assert auctions.auction() == (started, 0, started + 200)
    auctions.wait(100)
    auctions.take(WAD // 10)
    assert auctions.auction() == (started, 0, started + 300)


def test_auction__insolvent__tells_since_when_it_is_known(auctions: Auctions) -> None:
    auctions.distress("8000", "10000")
    auctions.start()
    started = auctions.stage.now()
    auctions.attend(1_000)
    auctions.stage.publish(SPY="80")
    auctions.take(WAD // 2)
    now = auctions.stage.now()
    assert auctions.auction() == (started, now, now) == (started, started + 1_001, now)


def test_auction__insolvency_seen_again__keeps_the_first_time(auctions: Auctions) -> None:
    auctions.distress("-5000", "10000")
    auctions.take(WAD // 10)
    first = auctions.stage.now()
    auctions.attend(600)
    auctions.take(WAD // 10)
    assert auctions.auction() == (first, first, first + 600)


def test_auction__of_one_account__does_not_touch_another(auctions: Auctions) -> None:
    auctions.distress("-5000", "10000")
    auctions.distress("8000", "10000", role="taker")
    auctions.take(WAD // 10)
    assert auctions.engine.auction(account("taker")) == (0, 0, 0)
