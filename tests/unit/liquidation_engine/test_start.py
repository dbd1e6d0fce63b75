"""start: anyone starts the auction of an account that fails its maintenance margin."""

from __future__ import annotations

import pytest

from prime_perps.errors import Revert
from prime_perps.units import wad
from tests.stage import account, address

from .conftest import Auctions


def test_start__below_maintenance__starts_the_clock(auctions: Auctions) -> None:
    auctions.distress("8000", "10000")
    receipt = auctions.engine.start(account("holder"), sender=address("attacker"))
    assert auctions.auction() == (auctions.stage.now(), 0)
    expected = {"account": account("holder"), "equity": wad(8_000), "maintenance": wad(10_000)}
    assert list(auctions.engine.events(receipt)) == [("AuctionStarted", expected)]


def test_start__equity_equal_to_maintenance__reverts(auctions: Auctions) -> None:
    auctions.distress("10000", "10000")
    with pytest.raises(Revert, match=r"^engine: healthy$"):
        auctions.start()


def test_start__a_millionth_below_maintenance__starts(auctions: Auctions) -> None:
    auctions.distress("9999.999999", "10000")
    auctions.start()
    assert auctions.auction().started_at == auctions.stage.now()


def test_start__no_such_account__reverts(auctions: Auctions) -> None:
    with pytest.raises(Revert, match=r"^engine: healthy$"):
        auctions.start("nobody")


@pytest.mark.parametrize("elapsed", [1, 600, 4_200])
def test_start__running__reverts(auctions: Auctions, elapsed: int) -> None:
    auctions.distress("8000", "10000")
    auctions.start()
    auctions.wait(elapsed)
    with pytest.raises(Revert, match=r"^engine: running$"):
        auctions.start()


def test_start__last_auction_forgotten_at_price_zero__starts_again(auctions: Auctions) -> None:
    auctions.distress("8000", "10000")
    auctions.start()
    auctions.wait(4_201)
    auctions.start()
    assert auctions.auction().started_at == auctions.stage.now()


def test_start__stale_price_in_doubt__reverts(auctions: Auctions) -> None:
    auctions.distress("9950", "10000")
    with auctions.stage.undone():
        auctions.start()
    # ten bps a minute: after two minutes beyond the limit of 60 s the doubt is 20 bps of 100,000 USD
    auctions.stage.warp(60 + 120)
    margin = auctions.stage.margin("holder")
    assert (margin.equity, margin.doubt, margin.maintenance) == (wad(9_950), wad(200), wad(10_200))
    with pytest.raises(Revert, match=r"^engine: healthy$"):
        auctions.start()


def test_start__fails_even_at_the_favourable_bound__starts(auctions: Auctions) -> None:
    auctions.distress("9799", "10000")
    auctions.stage.warp(60 + 120)
    auctions.start()
    assert auctions.auction().started_at == auctions.stage.now()


def test_start__exactly_at_the_favourable_bound__reverts(auctions: Auctions) -> None:
    auctions.distress("9800", "10000")
    auctions.stage.warp(60 + 120)
    with pytest.raises(Revert, match=r"^engine: healthy$"):
        auctions.start()


def test_start__insurance_below_zero__reverts(auctions: Auctions) -> None:
    auctions.distress("-5000", "10000")
    auctions.take()
    assert auctions.cash(auctions.insurance) == -wad(5_000)
    with pytest.raises(Revert, match=r"^engine: protected account$"):
        auctions.engine.start(auctions.insurance, sender=address("keeper"))


def test_start__fee_account__reverts(auctions: Auctions) -> None:
    with pytest.raises(Revert, match=r"^engine: healthy$"):
        auctions.engine.start(auctions.book.fee_account(), sender=address("keeper"))


def test_start__liquidation_paused__reverts(auctions: Auctions) -> None:
    auctions.distress("8000", "10000")
    auctions.book.set_paused(4, sender=address("guardian"))
    with pytest.raises(Revert, match=r"^settings: paused$"):
        auctions.start()


@pytest.mark.parametrize("paused", [1, 2, 3])
def test_start__other_activities_paused__starts(auctions: Auctions, paused: int) -> None:
    auctions.distress("8000", "10000")
    auctions.book.set_paused(paused, sender=address("guardian"))
    auctions.start()
