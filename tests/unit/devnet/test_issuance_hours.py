"""The issuer's week: shut from Friday 20:00 to Sunday 20:00 in New York, if the clock is set for the season."""

from __future__ import annotations

import pytest

from prime_perps.chain import Contract
from prime_perps.errors import Revert
from prime_perps.issuer.deployment import HOUR, clock_offset
from prime_perps.issuer.quotes import Side
from tests.unit.devnet.conftest import Desk, new_york

WINTER = -HOUR  # New York is five hours behind UTC
SUMMER = 0  # four
FRIDAYS = {WINTER: "2026-01-16", SUMMER: "2026-07-17"}
SUNDAYS = {WINTER: "2026-01-18", SUMMER: "2026-07-19"}

season = pytest.mark.parametrize("offset", [WINTER, SUMMER], ids=["EST", "EDT"])


def set_clock(desk: Desk, offset: int) -> None:
    desk.issuer.hours.set_timezone_offset(offset, sender=desk.operator)


def is_open(desk: Desk, wall: str | None = None) -> bool:
    """Now, or at a wall clock in New York."""
    if wall:
        desk.at(wall)
    try:
        desk.issuer.hours.checkIsValidHours()
    except Revert:
        return False
    return True


@season
@pytest.mark.parametrize("side", list(Side))
def test_quote__last_second_of_friday__is_taken_and_the_next_is_not(desk: Desk, offset: int, side: Side) -> None:
    set_clock(desk, offset)
    desk.at(f"{FRIDAYS[offset]} 19:59:59")
    desk.post()
    desk.act(desk.quote(side))
    desk.at(f"{FRIDAYS[offset]} 20:00:00")
    with pytest.raises(Revert, match="issuer: closed"):
        desk.act(desk.quote(side, attestation_id=2))


@season
@pytest.mark.parametrize("side", list(Side))
def test_quote__first_second_of_sundays_evening__is_taken_and_the_one_before_is_not(
    desk: Desk, offset: int, side: Side
) -> None:
    set_clock(desk, offset)
    desk.at(f"{SUNDAYS[offset]} 19:59:59")
    desk.post()
    with pytest.raises(Revert, match="issuer: closed"):
        desk.act(desk.quote(side))
    desk.at(f"{SUNDAYS[offset]} 20:00:00")
    desk.act(desk.quote(side))


@season
def test_check__every_hour_of_a_week__is_shut_for_48(desk: Desk, offset: int) -> None:
    set_clock(desk, offset)
    begin = new_york(f"{FRIDAYS[offset]} 00:30:00")
    desk.backend.warp(begin - desk.backend.timestamp())
    states = []
    for _ in range(7 * 24):
        states.append(is_open(desk))
        desk.backend.warp(HOUR)
    assert states == [True] * 20 + [False] * 48 + [True] * 100


def test_check__clock_left_in_winter__shuts_and_opens_an_hour_late_in_summer(desk: Desk) -> None:
    set_clock(desk, WINTER)
    assert is_open(desk, f"{FRIDAYS[SUMMER]} 20:59:59")
    assert not is_open(desk, f"{FRIDAYS[SUMMER]} 21:00:00")
    assert not is_open(desk, f"{SUNDAYS[SUMMER]} 20:59:59")
    assert is_open(desk, f"{SUNDAYS[SUMMER]} 21:00:00")


def test_check__clock_left_in_summer__shuts_and_opens_an_hour_early_in_winter(desk: Desk) -> None:
    set_clock(desk, SUMMER)
    assert is_open(desk, f"{FRIDAYS[WINTER]} 18:59:59")
    assert not is_open(desk, f"{FRIDAYS[WINTER]} 19:00:00")
    assert not is_open(desk, f"{SUNDAYS[WINTER]} 18:59:59")
    assert is_open(desk, f"{SUNDAYS[WINTER]} 19:00:00")


def test_check__a_holiday__is_a_day_like_any_other(desk: Desk) -> None:
    assert is_open(desk, "2026-01-19 12:00:00")  # Martin Luther King's day
    set_clock(desk, SUMMER)
    assert is_open(desk, "2026-07-03 12:00:00")  # the fourth of July is a Saturday


def test_set_timezone_offset__within_bounds__says_so_and_beyond_reverts(desk: Desk) -> None:
    hours = desk.issuer.hours
    assert hours.timezoneOffset() == WINTER
    for offset in (-12 * HOUR, 14 * HOUR):
        before = hours.timezoneOffset()
        receipt = hours.set_timezone_offset(offset, sender=desk.operator)
        moved = {"prevTimezoneOffset": before, "newTimezoneOffset": offset}
        assert list(hours.events(receipt)) == [("SetTimezoneOffset", moved)]
    for offset in (-12 * HOUR - 1, 14 * HOUR + 1):
        with pytest.raises(Revert, match="issuer: bad offset"):
            hours.set_timezone_offset(offset, sender=desk.operator)


def test_deploy__an_offset_beyond_bounds__reverts(desk: Desk) -> None:
    with pytest.raises(Revert, match="issuer: bad offset"):
        Contract.deploy(desk.backend, "IssuanceHours", 14 * HOUR + 1, sender=desk.operator)


def test_set_timezone_offset__by_anybody_else__reverts(desk: Desk, attacker: str) -> None:
    with pytest.raises(Revert, match="ownable: caller is not the owner"):
        desk.issuer.hours.set_timezone_offset(0, sender=attacker)


@pytest.mark.parametrize(
    ("wall", "offset"),
    [
        ("2026-01-16 12:00:00", WINTER),
        ("2026-07-17 12:00:00", SUMMER),
        ("2026-03-08 01:59:59", WINTER),
        ("2026-03-08 03:00:00", SUMMER),
    ],
)
def test_clock_offset__either_season__follows_new_york(wall: str, offset: int) -> None:
    assert clock_offset(new_york(wall)) == offset
