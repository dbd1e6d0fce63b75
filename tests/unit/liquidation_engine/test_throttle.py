"""throttle: what of an underlying may be liquidated now."""

from __future__ import annotations

from prime_perps.units import BPS, wad

from .conftest import Auctions


def test_throttle__nothing_liquidated__has_room_for_half_of_the_cap(auctions: Auctions) -> None:
    state = auctions.engine.throttle(auctions.stage.id("SPY"))
    # a tenth of a depth of 1,000,000,000 a minute
    assert state == (wad(100_000_000), 0, wad(50_000_000))


def test_throttle__open_interest__counts_if_it_is_more(auctions: Auctions) -> None:
    terms = auctions.engine.terms()._replace(throttle_interest=500, throttle_depth=0)
    auctions.engine.set_terms(terms, sender=auctions.timelock)
    auctions.stage.fund("taker", "1000000")
    auctions.stage.trade("maker", "taker", "SPY", "1000")
    assert auctions.engine.throttle(auctions.stage.id("SPY")).cap == wad(125_000) * 500 // BPS


def test_throttle__after_a_slice__is_fuller_by_what_was_moved(auctions: Auctions) -> None:
    auctions.distress("8000", "10000")
    auctions.take(10**17)
    assert auctions.engine.throttle(auctions.stage.id("SPY")).level == wad(10_000)
