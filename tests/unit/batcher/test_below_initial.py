"""with_deferred_checks for who begins below initial margin: no price that comes in between is lent out."""

from __future__ import annotations

import pytest

from prime_perps import reports
from prime_perps.errors import Revert

from .conftest import Batches, Step

NEVER = r"^risk: below initial$"


def report(batches: Batches, symbol: str, price: str) -> Step:
    """A report that whoever batches has kept to himself."""
    stage = batches.stage
    stage.prices[symbol] = price
    signed = reports.sign_all(stage.report(symbol), stage.reporters(), 1, stage.oracle.address)
    return batches.step(stage.oracle.submit, [signed])


@pytest.fixture
def insolvent(batches: Batches) -> Batches:
    """Insolvent at a price of an hour ago, in whose doubt nobody sells him."""
    batches.fund(5_000)
    batches.run(batches.buy("100"))
    batches.stage.publish(AAPL="99.5")
    batches.stage.warp(3_600)
    assert batches.margin.equity < 0
    return batches


def test_with_deferred_checks__price_that_comes_in_between__lends_nothing__CH_4(insolvent: Batches) -> None:
    """At the new price he has 944 USD, and might take 1,000 until he has as little as at the old one."""
    renewed = report(insolvent, "AAPL", "109.5")
    with pytest.raises(Revert, match=NEVER):
        insolvent.run(renewed, insolvent.withdraw(1_000))
    with pytest.raises(Revert, match=NEVER):
        insolvent.run(renewed, insolvent.withdraw(1))
