"""What sources of prices say, and when they say that they know nothing."""

from __future__ import annotations

import json
from datetime import date, datetime
from decimal import Decimal
from zoneinfo import ZoneInfo

import pytest

from prime_perps.history import Tick
from prime_perps.keepers.signer_sources import WEEK, HistoryReplay, PriceFile, Unobserved
from prime_perps.reports import Report, Session

NOON = int(datetime(2026, 3, 4, 12, tzinfo=ZoneInfo("America/New_York")).timestamp())  # a Wednesday
SATURDAY = int(datetime(2026, 3, 7, 12, tzinfo=ZoneInfo("America/New_York")).timestamp())


@pytest.fixture
def path(tmp_path):
    return tmp_path / "prices.json"


def write(path, time=NOON, **entries):
    path.write_text(json.dumps({"time": time, "prices": entries}))


def test_price_file__price_alone__session_is_the_calendars(path):
    write(path, AAPL={"price": "189.37"})
    seen = PriceFile(path).observe("AAPL", NOON + 3)
    assert seen.report(4) == Report(4, 18_937_000_000, 5, Session.REGULAR, NOON)


def test_price_file__saturday__is_closed(path):
    write(path, SATURDAY, AAPL={"price": "189.37"})
    assert PriceFile(path).observe("AAPL", SATURDAY).session is Session.CLOSED


def test_price_file__everything_stated__is_reported(path):
    write(path, BTC={"price": "37000", "session": "ALWAYS_OPEN", "confidence": 7, "multiplier": "1.5"})
    assert PriceFile(path).observe("BTC", NOON).report(6) == Report(
        6, 37_000 * 10**8, 7, Session.ALWAYS_OPEN, NOON, 15 * 10**17
    )


def test_price_file__number_with_a_fraction__is_exact(path):
    """As a float it is 8.199999999999999..., which would be cut to 819999999."""
    path.write_text('{"time": 1, "prices": {"AAPL": {"price": 8.2, "session": "PRE"}}}')
    assert PriceFile(path).observe("AAPL", 1).report(0).price == 820_000_000


def test_price_file__replaced__says_the_new_price(path):
    source = PriceFile(path)
    for price in ("1", "2"):
        write(path, AAPL={"price": price})
        assert source.observe("AAPL", NOON).price == Decimal(price)


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ('{"time": 1, "prices": {}}', "has no price of AAPL"),
        ('{"time": 1, "prices": {"AAPL": {"price": "0"}}}', "has a void price"),
        ('{"time": 1, "prices": {"AAPL": {"price": "NaN"}}}', "has a void price"),
        ('{"time": 1, "prices": {"AAPL": {"price": "-1"}}}', "has a void price"),
        ('{"time": 1, "prices": {"AAPL": {"price": "1", "multiplier": "0"}}}', "has a void price"),
        ('{"time": 1, "prices": {"AAPL": {"price": "1", "session": "LUNCH"}}}', "is not a file of prices"),
        ('{"time": 1, "prices": {"AAPL": {"price": "one"}}}', "is not a file of prices"),
        ('{"time": 1, "prices": {"AAPL": "1"}}', "is not a file of prices"),
        ('{"time": "1", "prices": {}}', "is not a file of prices"),
        ('{"prices": {}}', "is not a file of prices"),
        ('{"time": 1, "pri', "is not a file of prices"),
        ("[]", "is not a file of prices"),
    ],
)
def test_price_file__makes_no_sense__says_what_is_wrong(path, text, why):
    path.write_text(text)
    with pytest.raises(Unobserved, match=why):
        PriceFile(path).observe("AAPL", NOON)


def test_price_file__missing__is_told(path):
    with pytest.raises(Unobserved, match=r"cannot read prices\.json"):
        PriceFile(path).observe("AAPL", NOON)


TICKS = [Tick(NOON + hour * 3_600, date(2026, 3, 4), "", {"AAPL": Decimal(100 + hour)}) for hour in range(3)]


@pytest.mark.parametrize(("later", "price"), [(0, 100), (3_599, 100), (3_600, 101), (2 * 3_600, 102), (WEEK - 1, 102)])
def test_history_replay__between_two_ticks__keeps_the_earlier(later, price):
    seen = HistoryReplay(TICKS).observe("AAPL", NOON + later)
    assert (seen.price, seen.time) == (price, NOON + later)


def test_history_replay__over__begins_anew_whole_weeks_later():
    source = HistoryReplay(TICKS)
    assert [source.observe("AAPL", NOON + 7 * WEEK + hour * 3_600).price for hour in range(3)] == [100, 101, 102]


def test_history_replay__weekend__is_closed():
    assert HistoryReplay(TICKS).observe("AAPL", SATURDAY).session is Session.CLOSED


@pytest.mark.parametrize(("symbol", "instant"), [("AAPL", NOON - 1), ("TSLA", NOON)])
def test_history_replay__not_in_the_history__is_told(symbol, instant):
    with pytest.raises(Unobserved, match="the history"):
        HistoryReplay(TICKS).observe(symbol, instant)


def test_history_replay__installed_prices__move():
    source = HistoryReplay()
    assert len({source.observe("IBM", NOON + day * 86_400).price for day in range(5)}) > 1
