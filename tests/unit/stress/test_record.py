"""What the chain's events come to."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

import pytest

from prime_perps.reports import Session
from prime_perps.stress.record import SliceTaken, beyond_insurance
from prime_perps.units import WAD, wad

# The worked example of docs/liquidation.md.
TAKEN = SliceTaken(
    time=0,
    day=date(2008, 10, 9),
    session=Session.REGULAR,
    account=1,
    liquidator=2,
    fraction=wad("0.25"),
    price=wad("0.95"),
    payment=wad(1_900),
    reward=0,
    equity=wad(8_000),
    maintenance=wad(10_000),
)


def test_discount__with_equity__what_went_less_what_was_paid():
    assert TAKEN.discount == wad(100)


def test_discount__without_equity__nothing_was_given_away():
    assert replace(TAKEN, equity=-wad(5), payment=0, reward=wad(9)).discount == 0


def test_discount__payment_rounded_up_beyond_what_went__is_not_below_zero():
    assert replace(TAKEN, price=WAD, payment=wad(2_000) + 1).discount == 0


@pytest.mark.parametrize(
    ("socialised", "insurance_after", "beyond"),
    [
        (0, 5, 0),
        (7, 0, 7),
        # an older debt is shared with the loss
        (12, 0, 9),
        (4, -2, 6),
        (0, -20, 9),
    ],
)
def test_beyond_insurance__what_was_shared_and_what_nobody_had(socialised, insurance_after, beyond):
    assert beyond_insurance({"loss": 9, "socialised": socialised, "insurance_after": insurance_after}) == beyond
