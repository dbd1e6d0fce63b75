"""What signers see: real prices where there are some, scripted ones where it is said, the same in every run."""

from __future__ import annotations

from decimal import Decimal

import pytest

from prime_perps.reports import Session
from prime_perps.units import BPS, MID, WAD
from prime_perps.week.prices import NOISE, Prices
from prime_perps.week.script import (
    FIRST_STOCKS,
    MINUTE,
    MULTIPLIED_AT,
    NIGHTS,
    OPEN,
    RATIO,
    RESUMED_AT,
    SHUT,
    SPLIT,
    SPLIT_AT,
    STILL_FROM,
    STOCKS,
    SYMBOLS,
    at,
    looks,
)

# Opening, and close, of 17, 18 and 22 January 2008 as the exchange printed them.
PRINTED = {
    ("AAPL", "Thu 09:30"): "161.51",
    ("AAPL", "Fri 16:00"): "161.36",
    ("AAPL", "Mon 20:00"): "148.06",
    ("AAPL", "Tue 16:00"): "155.64",
    ("IBM", "Thu 16:00"): "101.1",
    ("IBM", "Fri 09:30"): "106.51",
    ("MSFT", "Fri 16:00"): "33.01",
    ("GOOG", "Mon 20:00"): "562.03",
}


@pytest.fixture(scope="module")
def prices():
    return Prices()


@pytest.mark.parametrize(("symbol", "when"), PRINTED)
def test_per_token__at_a_real_price__is_within_the_noise_of_it(prices, symbol, when):
    printed = Decimal(PRINTED[symbol, when])
    assert abs(prices.per_token(symbol, at(when)) - printed) * BPS <= NOISE * printed


def test_stated__again__is_the_same(prices):
    again = Prices()
    for instant in looks()[::20]:
        for symbol in SYMBOLS:
            assert again.stated(symbol, instant) == prices.stated(symbol, instant)


def test_stated__earnings_night__jumps_with_the_news(prices):
    for night, least in zip(NIGHTS, (500, 2_000), strict=True):
        before, after = (prices.stated(night.stock, night.news - ago).mid for ago in (1, 0))
        assert abs(after - before) * BPS > least * before


def test_stated__while_shut__is_gossip_of_a_shut_exchange(prices):
    last = {symbol: prices.stated(symbol, SHUT - MINUTE).mid for symbol in STOCKS}
    for symbol in STOCKS:
        stated = prices.stated(symbol, at("Sun 12:00"))
        assert stated.session is Session.CLOSED
        assert stated.mid < last[symbol] * 87 // 100
    assert prices.stated("BTC", at("Sun 12:00")).session is Session.ALWAYS_OPEN


def test_stated__reopening__gaps_down(prices):
    for symbol in (*FIRST_STOCKS, "NVDA", "SPY"):
        assert prices.stated(symbol, OPEN).mid < prices.stated(symbol, SHUT - MINUTE).mid * 98 // 100


def test_stated__split__price_and_multiplier_change_apart_and_their_product_stays(prices):
    before = prices.stated(SPLIT, STILL_FROM)
    between = prices.stated(SPLIT, MULTIPLIED_AT)
    after = prices.stated(SPLIT, SPLIT_AT)
    assert (before.multiplier, between.multiplier, after.multiplier) == (WAD, RATIO * WAD, RATIO * WAD)
    assert between.mid == RATIO * before.mid
    assert before.price / after.price == RATIO
    assert 0 <= before.mid - after.mid < RATIO
    assert prices.stated(SPLIT, at("Tue 12:00")).multiplier == RATIO * WAD


def test_per_token__while_the_split_is_on__stands_still(prices):
    for symbol in SYMBOLS:
        assert len({prices.per_token(symbol, instant) for instant in range(STILL_FROM, RESUMED_AT + 1, MINUTE)}) == 1


def test_per_token__any__has_eight_decimals(prices):
    for instant in looks()[::10]:
        for symbol in SYMBOLS:
            assert (prices.stated(symbol, instant).price * MID) % 1 == 0
