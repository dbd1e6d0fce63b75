"""What the chain's events come to."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

import pytest

from prime_perps.reports import Session
from prime_perps.stress.record import SliceTaken, socialised
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
    ("name", "fields", "amount"),
    [
        ("LossSocialised", {"amount": 7, "supply_index": 3}, 7),
        ("Socialised", {"loss": 8}, 8),
        ("LossRecorded", {"loss": 9}, 0),
        ("CashMoved", {"amount": 10}, 0),
    ],
)
def test_socialised__by_the_name_of_the_event(name, fields, amount):
    assert socialised(name, fields) == amount
