"""stop: anyone ends the auction of an account that is healthy again."""

from __future__ import annotations

import pytest

from prime_perps.errors import Revert
from tests.stage import account, address

from .conftest import Auctions


def test_stop__healthy_again__ends(auctions: Auctions) -> None:
    auctions.distress("8000", "10000")
    auctions.start()
    auctions.stage.fund("holder", "2000")
    receipt = auctions.engine.stop(account("holder"), sender=address("attacker"))
    assert auctions.auction() == (0, 0, 0)
    assert list(auctions.engine.events(receipt)) == [("AuctionEnded", {"account": account("holder")})]


def test_stop__a_millionth_below_maintenance__reverts(auctions: Auctions) -> None:
    auctions.distress("8000", "10000")
    auctions.start()
    auctions.stage.fund("holder", "1999.999999")
    with pytest.raises(Revert, match=r"^engine: still unhealthy$"):
        auctions.engine.stop(account("holder"), sender=address("holder"))


def test_stop__no_auction__reverts(auctions: Auctions) -> None:
    with pytest.raises(Revert, match=r"^engine: not running$"):
        auctions.engine.stop(account("holder"), sender=address("holder"))


def test_stop__protected_only_by_doubt__reverts(auctions: Auctions) -> None:
    auctions.distress("9950", "10000")
    auctions.start()
    auctions.stage.warp(60 + 120)
    assert auctions.quote() == (0, 0, 0, 0, 0, False)
    with pytest.raises(Revert, match=r"^engine: still unhealthy$"):
        auctions.engine.stop(account("holder"), sender=address("holder"))


def test_stop__liquidation_paused__ends_all_the_same(auctions: Auctions) -> None:
    auctions.distress("8000", "10000")
    auctions.start()
    auctions.stage.fund("holder", "2000")
    auctions.stage.system.configurator.set_paused(4, sender=address("guardian"))
    auctions.engine.stop(account("holder"), sender=address("holder"))
    assert auctions.auction() == (0, 0, 0)


def test_stop__relapse_afterwards__begins_at_the_start_price(auctions: Auctions) -> None:
    auctions.distress("8000", "10000")
    auctions.start()
    auctions.attend(1_000)
    with auctions.stage.undone():
        auctions.stage.publish(SPY="110")
        auctions.engine.stop(account("holder"), sender=address("holder"))
        auctions.stage.publish(SPY="100")
        assert auctions.quote().price == auctions.engine.terms().start_price
    assert auctions.quote().price < auctions.engine.terms().knee_price


def test_stop__lapsed_and_healthy_again__ends(auctions: Auctions) -> None:
    auctions.distress("8000", "10000")
    auctions.start()
    auctions.wait(301)
    auctions.stage.fund("holder", "2000")
    assert auctions.names(auctions.engine.stop(account("holder"), sender=address("attacker"))) == ["AuctionEnded"]
    assert auctions.auction() == (0, 0, 0)


def test_stop__exchange_shut__a_doubt_is_no_health(auctions: Auctions) -> None:
    """A shut exchange shields an account, it does not mend it: the price goes on falling until it lapses."""
    auctions.distress("8000", "10000")
    auctions.start()
    auctions.stage.system.oracle.set_halt(auctions.stage.id("SPY"), True, sender=address("guardian"))
    assert auctions.quote() == (0, 0, 0, 0, 0, False)
    with pytest.raises(Revert, match=r"^engine: still unhealthy$"):
        auctions.engine.stop(account("holder"), sender=address("holder"))
