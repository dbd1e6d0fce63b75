"""total_loss: every negative equity that insurance has taken over, whatever was paid in since."""

from __future__ import annotations

import pytest

from prime_perps.units import WAD, wad

from .conftest import Auctions

DUST = 10**11  # wad; a slice cuts sizes at 1e-9 units, of 100 USD each


def test_total_loss__nothing_lost__is_zero(auctions: Auctions) -> None:
    auctions.distress("8000", "10000")
    auctions.take()
    assert auctions.engine.total_loss() == 0


def test_total_loss__several_slices_and_accounts__is_their_sum__LQ_2(auctions: Auctions) -> None:
    auctions.insure("9000")
    auctions.distress("-5000", "10000")
    auctions.distress("-4000", "10000", role="taker")
    auctions.take(WAD // 2)
    assert auctions.engine.total_loss() == wad(2_500)
    auctions.take(WAD // 2)
    assert auctions.engine.total_loss() == pytest.approx(wad(3_750), abs=DUST)
    auctions.take()
    assert auctions.engine.total_loss() == pytest.approx(wad(5_000), abs=DUST)
    auctions.take(role="taker")
    assert auctions.engine.total_loss() == pytest.approx(wad(9_000), abs=DUST)


def test_total_loss__reward__is_not_part_of_it(auctions: Auctions) -> None:
    auctions.insure("50000")
    auctions.distress("-5000", "10000")
    auctions.take(WAD // 2)
    auctions.attend(1_800)
    auctions.take()
    assert auctions.engine.total_loss() == pytest.approx(wad(5_000), abs=DUST)
    assert auctions.cash(auctions.insurance) == pytest.approx(wad(50_000 - 5_000 - 5_000), abs=DUST)


def test_total_loss__money_paid_in__does_not_lower_it(auctions: Auctions) -> None:
    auctions.distress("-5000", "10000")
    auctions.take()
    auctions.insure("10000")
    assert auctions.engine.total_loss() == wad(5_000)
