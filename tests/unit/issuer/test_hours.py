"""When the issuer deals, to the second, in winter time and in summer time."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from prime_perps.issuer import hours
from prime_perps.issuer.hours import Window, dividend_window, new_york, open_session
from prime_perps.issuer.refusals import MarketClosed, MarketPaused, Refused
from prime_perps.reports import Session

WINTER = date(2026, 1, 6)  # Tuesdays
SUMMER = date(2026, 7, 14)
SEASONS = pytest.mark.parametrize("day", [WINTER, SUMMER], ids=["EST", "EDT"])


def at(day: date, wall: str) -> int:
    return int(datetime.fromisoformat(f"{day}T{wall}").replace(tzinfo=ZoneInfo("America/New_York")).timestamp())


def state(instant: int) -> str:
    try:
        return open_session(instant).name
    except Refused as refused:
        return refused.code


BOUNDARIES = [
    ("03:54:59", "OVERNIGHT"),
    ("03:55:00", "MARKET_PAUSED"),
    ("03:59:59", "MARKET_PAUSED"),
    ("04:00:00", "MARKET_PAUSED"),
    ("04:00:59", "MARKET_PAUSED"),
    ("04:01:00", "PRE"),
    ("09:28:59", "PRE"),
    ("09:29:00", "MARKET_PAUSED"),
    ("09:30:59", "MARKET_PAUSED"),
    ("09:31:00", "REGULAR"),
    ("15:58:59", "REGULAR"),
    ("15:59:00", "MARKET_PAUSED"),
    ("16:00:59", "MARKET_PAUSED"),
    ("16:01:00", "POST"),
    ("19:58:59", "POST"),
    ("19:59:00", "MARKET_PAUSED"),
    ("20:00:00", "MARKET_PAUSED"),
    ("20:04:59", "MARKET_PAUSED"),
    ("20:05:00", "OVERNIGHT"),
    ("23:59:59", "OVERNIGHT"),
]


@SEASONS
@pytest.mark.parametrize(("wall", "expected"), BOUNDARIES)
def test_open_session__each_boundary__to_the_second(day: date, wall: str, expected: str) -> None:
    assert state(at(day, wall)) == expected


def test_open_session__the_same_wall_time__is_an_hour_apart_in_utc() -> None:
    utc = [datetime.fromtimestamp(at(day, "09:29:00"), UTC).hour for day in (WINTER, SUMMER)]
    assert utc == [14, 13]


@SEASONS
@pytest.mark.parametrize(
    ("days", "wall", "expected"),
    [
        (3, "19:58:59", "POST"),  # Friday
        (3, "19:59:00", "MARKET_PAUSED"),
        (3, "19:59:59", "MARKET_PAUSED"),
        (3, "20:00:00", "MARKET_CLOSED"),
        (4, "12:00:00", "MARKET_CLOSED"),
        (5, "19:59:59", "MARKET_CLOSED"),  # Sunday
        (5, "20:00:00", "MARKET_PAUSED"),
        (5, "20:04:59", "MARKET_PAUSED"),
        (5, "20:05:00", "OVERNIGHT"),
    ],
)
def test_open_session__weekend__closes_and_opens_in_new_york(day: date, days: int, wall: str, expected: str) -> None:
    assert state(at(day + timedelta(days=days), wall)) == expected


@pytest.mark.parametrize(
    ("wall", "expected"),
    [
        ("12:58:59", "REGULAR"),
        ("12:59:00", "MARKET_PAUSED"),
        ("13:01:00", "POST"),
        ("15:59:30", "POST"),
        ("16:58:59", "POST"),
        ("16:59:00", "MARKET_PAUSED"),
        ("17:00:00", "MARKET_CLOSED"),
    ],
)
def test_open_session__half_day__its_pauses_come_earlier(wall: str, expected: str) -> None:
    assert state(at(date(2026, 11, 27), wall)) == expected


def test_open_session__holiday__is_closed_until_its_evening() -> None:
    thanksgiving = date(2026, 11, 26)
    assert state(at(thanksgiving - timedelta(days=1), "20:00:00")) == "MARKET_CLOSED"
    assert state(at(thanksgiving, "12:00:00")) == "MARKET_CLOSED"
    assert state(at(thanksgiving, "20:05:00")) == "OVERNIGHT"


@pytest.mark.parametrize("sunday", [date(2026, 3, 8), date(2026, 11, 1)], ids=["to summer", "to winter"])
def test_open_session__weekend_in_which_the_clock_changes__opens_at_the_new_times_eight(sunday: date) -> None:
    assert state(at(sunday, "19:59:59")) == "MARKET_CLOSED"
    assert state(at(sunday, "20:05:00")) == "OVERNIGHT"


def test_open_session__closed_and_paused__are_told_apart() -> None:
    with pytest.raises(MarketClosed):
        open_session(at(date(2026, 1, 17), "12:00:00"))
    with pytest.raises(MarketPaused):
        open_session(at(WINTER, "16:00:00"))
    assert open_session(at(WINTER, "12:00:00")) is Session.REGULAR


@SEASONS
def test_dividend_window__evening_before__to_the_second(day: date) -> None:
    window = dividend_window(day)
    evening = day - timedelta(days=1)
    assert window == Window(at(evening, "19:50:00"), at(evening, "20:10:00"))
    assert window.start in window
    assert window.end - 1 in window
    assert window.end not in window
    assert window.start - 1 not in window


def test_dividend_window__first_of_a_month__is_the_last_evening_of_the_one_before() -> None:
    assert dividend_window(date(2026, 3, 1)).start == at(date(2026, 2, 28), "19:50:00")


def test_new_york__with_an_offset__is_that_instant() -> None:
    assert new_york(datetime.fromisoformat("2026-01-06T12:00:00+00:00")) == at(WINTER, "07:00:00")
    assert new_york(datetime.fromisoformat("2026-01-06T12:00:00")) == at(WINTER, "12:00:00")


def test_covers__any_of_them() -> None:
    windows = [Window(0, 10), Window(20, 30)]
    assert [hours.covers(windows, instant) for instant in (0, 9, 10, 19, 20, 29, 30)] == [
        True,
        True,
        False,
        False,
        True,
        True,
        False,
    ]
