"""uncovered_loss: what neither insurance nor anybody's cash has been able to pay."""

from __future__ import annotations

import pytest

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


def test_uncovered_loss__insurance_is_short_and_others_have_cash__is_zero__LQ_2(auctions: Auctions) -> None:
    auctions.insure("1000")
    auctions.distress("-5000", "10000")
    auctions.take()
    assert auctions.engine.uncovered_loss() == 0


@pytest.fixture
def cashless(auctions: Auctions) -> Auctions:
    """Everybody's margin is stock."""
    auctions.without_cash("maker", "keeper", "rival")
    return auctions


def test_uncovered_loss__nobody_has_cash__is_the_loss_and_nothing_reverts__LQ_2(cashless: Auctions) -> None:
    cashless.distress("-5000", "10000")
    receipt = cashless.take()
    assert cashless.one("LossRecorded", receipt)["socialised"] == 0
    assert cashless.engine.uncovered_loss() == pytest.approx(wad(5_000), abs=1)


def test_uncovered_loss__paid_in_by_anybody__falls(cashless: Auctions) -> None:
    cashless.distress("-5000", "10000")
    cashless.take()
    cashless.insure("3000")
    assert cashless.engine.uncovered_loss() == pytest.approx(wad(2_000), rel=1e-6)
    cashless.insure("2000.01")
    assert cashless.engine.uncovered_loss() == 0


def test_uncovered_loss__fees_collected__pay_for_it(cashless: Auctions) -> None:
    cashless.distress("-5000", "10000")
    cashless.take()
    cashless.stage.govern(cashless.stage.system.configurator.set_fees, 0, 5_000, 10_000)
    # a taker buys for 10,000 and pays half a percent
    cashless.stage.fund("taker", "10000")
    cashless.stage.trade("maker", "taker", "SPY", "100")
    owed = cashless.engine.uncovered_loss()
    cashless.book.distribute_fees(sender=address("attacker"))
    # and interest on what insurance owed came back to it: there was nobody with cash to have it
    assert wad(50) <= owed - cashless.engine.uncovered_loss() < wad("50.1")
