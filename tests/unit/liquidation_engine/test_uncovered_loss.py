"""uncovered_loss: what insurance owes and does not have."""

from __future__ import annotations

from prime_perps.units import wad
from tests.stage import address

from .conftest import Auctions


def test_uncovered_loss__insurance_has_enough__is_zero(auctions: Auctions) -> None:
    assert auctions.engine.uncovered_loss() == 0
    auctions.insure("5000")
    auctions.distress("-5000", "10000")
    auctions.take()
    assert auctions.cash(auctions.insurance) == 0
    assert auctions.engine.uncovered_loss() == 0


def test_uncovered_loss__insurance_is_short__is_the_rest__LQ_2(auctions: Auctions) -> None:
    auctions.insure("1000")
    auctions.distress("-5000", "10000")
    auctions.take()
    assert auctions.engine.uncovered_loss() == wad(4_000)


def test_uncovered_loss__paid_in_by_anybody__falls(auctions: Auctions) -> None:
    auctions.distress("-5000", "10000")
    auctions.take()
    auctions.insure("3000")
    assert auctions.engine.uncovered_loss() == wad(2_000)
    auctions.insure("2000.000001")
    assert auctions.engine.uncovered_loss() == 0


def test_uncovered_loss__fees_collected__pay_for_it(auctions: Auctions) -> None:
    auctions.distress("-5000", "10000")
    auctions.take()
    auctions.stage.govern(auctions.stage.system.configurator.set_fees, 0, 5_000, 10_000)
    # a taker buys for 10,000 and pays half a percent
    auctions.stage.fund("taker", "10000")
    auctions.stage.trade("maker", "taker", "SPY", "100")
    auctions.book.distribute_fees(sender=address("attacker"))
    assert auctions.engine.uncovered_loss() == wad(4_950)
