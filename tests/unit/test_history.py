"""Real prices: exact, complete, in order, and a plain word when they are not there."""

from __future__ import annotations

import gzip
import sys
from dataclasses import replace
from datetime import UTC, date, datetime
from decimal import Decimal
from itertools import pairwise

import pytest

from prime_perps import history
from prime_perps.history import Bar, HistoryMissing

HEADER = "Ticker,Date,Open,High,Low,Close,Volume,Adj Close\n"


@pytest.fixture(scope="module")
def bars():
    return history.daily_bars()


@pytest.fixture
def fake_package(tmp_path, monkeypatch):
    """Installs a package of the same name with rows of the test's choosing."""

    def install(rows: str) -> None:
        data = tmp_path / history.PACKAGE / "_data"
        data.mkdir(parents=True)
        (data.parent / "__init__.py").write_text("")
        with gzip.open(data / "stocks.csv.gz", "wt") as file:
            file.write(HEADER + rows)

    monkeypatch.setattr(sys, "path", [str(tmp_path), *sys.path])
    monkeypatch.delitem(sys.modules, history.PACKAGE, raising=False)
    return install


def test_daily_bars__autumn_of_2008__sixty_three_days_of_four_stocks(bars):
    assert tuple(bars) == history.SYMBOLS
    assert all(len(rows) == 63 for rows in bars.values())
    assert bars["IBM"][0].day == date(2008, 9, 2)
    assert bars["IBM"][-1].day == date(2008, 11, 28)
    assert all(earlier.day < later.day for earlier, later in pairwise(bars["GOOG"]))


def test_daily_bars__aapl_on_29_september__is_what_was_traded_to_the_digit(bars):
    day = next(bar for bar in bars["AAPL"] if bar.day == date(2008, 9, 29))
    assert day == Bar(
        "AAPL", day.day, Decimal("119.62"), Decimal("119.68"), Decimal("100.59"), Decimal("105.26"), 93644900
    )


def test_daily_bars__price_with_more_digits_than_cents__keeps_them(bars):
    assert next(bar for bar in bars["AAPL"] if bar.day == date(2008, 9, 4)).high == Decimal("167.9125")


def test_daily_bars__unknown_symbol__is_named():
    with pytest.raises(HistoryMissing, match="no prices of NVDA"):
        history.daily_bars(("AAPL", "NVDA"))


def test_daily_bars__package_not_installed__names_it(monkeypatch):
    monkeypatch.setattr(history, "PACKAGE", "bokeh_sampledata_that_is_missing")
    with pytest.raises(HistoryMissing, match="pip install bokeh_sampledata_that_is_missing"):
        history.daily_bars()


def test_daily_bars__stocks_on_different_days__are_refused(fake_package):
    fake_package("A,2008-09-02,1,1,1,1,1,1\nB,2008-09-03,1,1,1,1,1,1\n")
    with pytest.raises(HistoryMissing, match="other days for B"):
        history.daily_bars(("A", "B"))


@pytest.mark.parametrize(
    ("row", "complaint"),
    [
        ("A,2008-09-02,1,1,1,,1,1\n", "unreadable row"),
        ("A,2008-09-02,1,1,2,1,1,1\n", "impossible day"),
        ("A,2008-09-02,3,2,1,1,1,1\n", "impossible day"),
        ("A,2008-09-02,0,0,0,0,1,1\n", "impossible day"),
    ],
)
def test_daily_bars__row_that_makes_no_sense__is_refused(fake_package, row, complaint):
    fake_package(row)
    with pytest.raises(HistoryMissing, match=complaint):
        history.daily_bars(("A",))


def test_daily_bars__package_without_the_file__says_how_to_repair(tmp_path, monkeypatch):
    (tmp_path / history.PACKAGE).mkdir()
    (tmp_path / history.PACKAGE / "__init__.py").write_text("")
    monkeypatch.setattr(sys, "path", [str(tmp_path), *sys.path])
    monkeypatch.delitem(sys.modules, history.PACKAGE, raising=False)
    with pytest.raises(HistoryMissing, match="--force-reinstall"):
        history.daily_bars()


def test_ticks__every_day__four_instants_inside_the_session_in_order(bars):
    ticks = list(history.ticks(bars))
    assert len(ticks) == 4 * 63
    assert all(earlier.time < later.time for earlier, later in pairwise(ticks))
    for tick in ticks:
        opening, closing = history.session_hours(tick.day)
        assert opening <= tick.time <= closing


def test_ticks__rising_day_low_first_falling_day_high_first():
    rising = Bar("A", date(2008, 9, 2), Decimal(10), Decimal(13), Decimal(9), Decimal(12), 1)
    falling = replace(rising, symbol="B", close=Decimal("9.5"))
    paths = [tick.prices for tick in history.ticks({"A": (rising,), "B": (falling,)})]
    assert [prices["A"] for prices in paths] == [10, 9, 13, 12]
    assert [prices["B"] for prices in paths] == [10, 13, 9, Decimal("9.5")]


@pytest.mark.parametrize(
    ("day", "opening", "closing"),
    [
        (date(2008, 9, 2), "2008-09-02T13:30", "2008-09-02T20:00"),
        (date(2008, 11, 3), "2008-11-03T14:30", "2008-11-03T21:00"),  # winter time began the day before
        (date(2008, 11, 28), "2008-11-28T14:30", "2008-11-28T18:00"),  # half-day
    ],
)
def test_session_hours__new_york_time__with_its_summer_and_half_days(day, opening, closing):
    expected = tuple(int(datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp()) for text in (opening, closing))
    assert history.session_hours(day) == expected
