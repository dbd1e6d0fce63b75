"""quote: what take would do now, the largest slice at the present price."""

from __future__ import annotations

from fractions import Fraction

import pytest

from prime_perps.units import WAD, wad

from .conftest import Auctions

NOTHING = (0, 0, 0, 0, 0, False)


@pytest.mark.parametrize(
    ("elapsed", "price"),
    [
        (0, "0.98"),
        (100, "0.95"),
        (300, "0.89"),
        (599, "0.8003"),
        (600, "0.80"),
        (601, "0.799777777777777778"),
        (2_400, "0.40"),
        (4_199, "0.000222222222222223"),
        (4_200, "0"),
    ],
)
def test_quote__time_since_the_start__price_falls_in_two_straight_lines(
    auctions: Auctions, elapsed: int, price: str
) -> None:
    auctions.distress("8000", "10000")
    auctions.start()
    if elapsed:
        auctions.attend(elapsed)
    assert auctions.quote().price == wad(price)


def test_quote__no_taker_even_at_price_zero__stays_at_zero_while_attended(auctions: Auctions) -> None:
    auctions.distress("8000", "10000")
    auctions.start()
    auctions.attend(4_201)
    assert auctions.quote().price == 0


@pytest.mark.parametrize(("unseen", "price"), [(300, "0.70"), (301, "0.98")])
def test_quote__nobody_saw_it_for_a_lapse__begins_again_at_the_start_price(
    auctions: Auctions, unseen: int, price: str
) -> None:
    """750 + 300 seconds after the start, 450 after the knee, the price is .80 - .80 x 450 / 3,600."""
    auctions.distress("8000", "10000")
    auctions.start()
    auctions.attend(750)
    auctions.start()
    auctions.wait(unseen)
    assert auctions.quote().price == wad(price)


def test_quote__cured_and_fallen_again_within_a_lapse__price_goes_on(auctions: Auctions) -> None:
    """Whoever cures his account and wants the next auction to begin anew calls stop."""
    auctions.distress("8000", "10000")
    auctions.start()
    auctions.stage.publish(SPY="110")
    auctions.wait(298)
    auctions.stage.publish(SPY="100")
    assert auctions.quote().price == wad("0.89")


def test_quote__cured_and_fallen_again_after_a_lapse__begins_at_the_start_price(auctions: Auctions) -> None:
    auctions.distress("8000", "10000")
    auctions.start()
    auctions.stage.publish(SPY="110")
    auctions.wait(299)
    auctions.stage.publish(SPY="100")
    assert auctions.quote().price == wad("0.98")


def test_quote__not_started__is_what_the_first_take_does(auctions: Auctions) -> None:
    auctions.distress("8000", "10000")
    quote = auctions.quote()
    fields = auctions.one("Slice", auctions.take())
    assert quote == (*(fields[name] for name in ("fraction", "price", "payment", "fee", "reward")), False)
    assert quote.price == wad("0.98")


@pytest.mark.parametrize("elapsed", [1, 100, 600, 1_234, 4_200])
def test_quote__running__is_what_take_does(auctions: Auctions, elapsed: int) -> None:
    auctions.distress("8000", "10000")
    auctions.start()
    auctions.attend(elapsed)
    quote = auctions.quote()
    fields = auctions.one("Slice", auctions.take())
    assert quote == (*(fields[name] for name in ("fraction", "price", "payment", "fee", "reward")), False)


@pytest.mark.parametrize("insured", ["0", "7000", "50000"])
@pytest.mark.parametrize("elapsed", [1, 900, 1_800, 4_200])
def test_quote__insolvent__is_what_take_does(auctions: Auctions, elapsed: int, insured: str) -> None:
    if insured != "0":
        auctions.insure(insured)
    auctions.distress("-5000", "10000")
    auctions.take(WAD // 10)
    auctions.attend(elapsed)
    quote = auctions.quote()
    fields = auctions.one("Slice", auctions.take())
    assert quote == (*(fields[name] for name in ("fraction", "price", "payment", "fee", "reward")), False)


@pytest.mark.parametrize(
    ("equity", "price", "fraction"),
    [
        ("8000", "0.95", Fraction(3_000, 10_600)),
        ("8000", "0", Fraction(3_000, 3_000)),
        ("9999", "0.80", Fraction(1_001) / (11_000 - Fraction(2, 10) * 9_999)),
        ("1", "0.80", Fraction(10_999) / (11_000 - Fraction(2, 10))),
        ("0", "0.80", Fraction(1)),
    ],
)
def test_quote__closed_form__is_exact_to_the_last_digit(
    auctions: Auctions, equity: str, price: str, fraction: Fraction
) -> None:
    """At price zero no slice improves health, so all of the account is on offer."""
    elapsed = {"0.95": 100, "0.80": 600, "0": 4_200}[price]
    auctions.distress(equity, "10000")
    auctions.start()
    auctions.attend(elapsed)
    quote = auctions.quote()
    assert quote.fraction == WAD * fraction.numerator // fraction.denominator
    assert quote.payment == -(-wad(price) * quote.fraction * wad(equity) // WAD**2)
    assert quote.reward == 0


def test_quote__healthy__is_nothing(auctions: Auctions) -> None:
    auctions.distress("10000", "10000")
    assert auctions.quote() == NOTHING


def test_quote__healthy_again_while_the_auction_runs__is_nothing(auctions: Auctions) -> None:
    auctions.distress("8000", "10000")
    auctions.start()
    auctions.stage.fund("holder", "2000")
    assert auctions.quote() == NOTHING


def test_quote__stale_price_in_doubt__is_nothing(auctions: Auctions) -> None:
    auctions.distress("9950", "10000")
    auctions.stage.warp(60 + 120)
    assert auctions.quote() == NOTHING


def test_quote__insolvent_and_not_seen_before__is_everything_without_reward(auctions: Auctions) -> None:
    auctions.distress("-5000", "10000")
    assert auctions.quote() == (WAD, 0, 0, 0, wad(5_000), False)
