"""post_closures: what extends the calendar, what is refused, and where it is kept."""

from __future__ import annotations

import pytest

from prime_perps.errors import Revert
from prime_perps.sessions import DAY, RAMP, Closing

from .conftest import Desk

HOUR = 3_600
WEEK = 7 * DAY
FOREVER = 2**32 - 1


def told(desk: Desk, instant: int) -> list[Closing]:
    """What is kept for the week of an instant, rising."""
    kept = (Closing(*entry) for entry in desk.oracle.closures(instant // WEEK))
    return sorted(kept, key=lambda closing: closing.start)


def weekends(start: int, count: int) -> list[Closing]:
    """Closures of a day, ten days apart."""
    return [Closing(start + n * 10 * DAY, start + (n * 10 + 1) * DAY) for n in range(count)]


def test_post_closures__first__is_kept_and_told(desk: Desk) -> None:
    posted = weekends(desk.now + DAY, 30)
    receipt = desk.post(*posted)
    until = desk.now + 380 * DAY
    assert desk.oracle.covered_until() == until
    (name, fields), *more = desk.oracle.events(receipt)
    assert (name, [Closing(*closing) for closing in fields["closures"]], fields["covered_until"], more) == (
        "ClosuresPosted", posted, until, [],
    )  # fmt: skip
    for closing in posted:
        assert closing in told(desk, closing.start - DAY)
        assert closing in told(desk, closing.end - 1)


def test_post_closures__four_hundred_days_and_sixty_four_closures__fit(desk: Desk) -> None:
    posted = [Closing(desk.now + n * 6 * DAY, desk.now + n * 6 * DAY + HOUR) for n in range(1, 65)]
    desk.post(*posted, days=400)
    found = {closing for n in range(60) for closing in told(desk, desk.now + n * WEEK)}
    assert found == {*posted, Closing(desk.now + 400 * DAY, FOREVER)}
    assert told(desk, desk.now + 460 * DAY) == []


def test_post_closures__four_hundred_days_from_the_end_of_a_week__fit(desk: Desk) -> None:
    desk.backend.warp(WEEK - 1 - desk.now % WEEK)
    desk.post(days=400)
    assert told(desk, desk.now + 400 * DAY) == [Closing(desk.now + 400 * DAY, FOREVER)]


def test_post_closures__of_none__covers_and_is_open(desk: Desk) -> None:
    desk.post()
    for _ in range(50):
        assert tuple(desk.oracle.closure()) == (0, 0, 0)
        desk.backend.warp(WEEK)


def test_post_closures__extended__continues_where_it_ended(desk: Desk) -> None:
    desk.post(Closing(desk.now + 3 * DAY, desk.now + 5 * DAY), days=10)
    until = desk.oracle.covered_until()
    assert told(desk, until) == [Closing(until, FOREVER)]
    desk.post(Closing(until, until + 2 * DAY), days=30)
    assert Closing(until, FOREVER) not in told(desk, until) + told(desk, until - DAY)
    assert Closing(until, until + 2 * DAY) in told(desk, until)
    assert told(desk, desk.now + 30 * DAY) == [Closing(desk.now + 30 * DAY, FOREVER)]


def test_post_closures__long_after_it_ran_out__starts_anew(desk: Desk) -> None:
    desk.post(days=10)
    desk.backend.warp(3_000 * DAY)
    assert tuple(desk.oracle.closure()) == (2, 2, 0)
    desk.post(days=400)
    for _ in range(57):
        assert tuple(desk.oracle.closure()) == (0, 0, 0)
        desk.backend.warp(WEEK)


def test_post_closures__while_shut__says_so_at_once(desk: Desk) -> None:
    desk.post(Closing(desk.now - 7 * DAY + HOUR, desk.now + HOUR))
    assert tuple(desk.oracle.closure()) == (2, 2, 0)
    desk.backend.warp(HOUR)
    assert tuple(desk.oracle.closure()) == (0, 0, 0)


@pytest.mark.parametrize("length", [HOUR, 7 * DAY])
def test_post_closures__shortest_and_longest__taken(desk: Desk, length: int) -> None:
    desk.post(Closing(desk.now + DAY, desk.now + DAY + length))


@pytest.mark.parametrize("length", [HOUR - 1, 7 * DAY + 1, 0, -1, 2**255])
def test_post_closures__too_short_or_long__refused(desk: Desk, length: int) -> None:
    with pytest.raises(Revert, match="calendar: bad length"):
        desk.post(Closing(desk.now + 8 * DAY, desk.now + 8 * DAY + length))


@pytest.mark.parametrize("until", [0, 1])
def test_post_closures__over_at_once__refused(desk: Desk, until: int) -> None:
    desk.backend.warp(1)
    with pytest.raises(Revert, match="calendar: bad coverage"):
        desk.oracle.post_closures([], (desk.now - 1) * until, sender=desk.poster)
    with pytest.raises(Revert, match="calendar: bad coverage"):
        desk.oracle.post_closures([], desk.now, sender=desk.poster)


def test_post_closures__no_longer_than_before__refused(desk: Desk) -> None:
    desk.post(days=30)
    with pytest.raises(Revert, match="calendar: bad coverage"):
        desk.post(days=30)
    desk.oracle.post_closures([], desk.oracle.covered_until() + 1, sender=desk.poster)


@pytest.mark.parametrize("until", [400 * DAY + 1, 2**200])
def test_post_closures__too_far_ahead__refused(desk: Desk, until: int) -> None:
    with pytest.raises(Revert, match="calendar: bad coverage"):
        desk.oracle.post_closures([], desk.now + until, sender=desk.poster)


def test_post_closures__before_coverage_ended__refused(desk: Desk) -> None:
    desk.post(days=10)
    until = desk.oracle.covered_until()
    with pytest.raises(Revert, match="calendar: not covered"):
        desk.post(Closing(until - 1, until + DAY))
    desk.post(Closing(until, until + DAY))


def test_post_closures__begun_a_week_ago__refused(desk: Desk) -> None:
    with pytest.raises(Revert, match="calendar: not covered"):
        desk.post(Closing(desk.now - 7 * DAY - 1, desk.now - DAY))
    desk.post(Closing(desk.now - 7 * DAY, desk.now - DAY))


@pytest.mark.parametrize(
    ("start", "end"), [(-DAY - 1, -RAMP + 1), (-DAY + 1, -DAY + HOUR + 1), (-DAY - 1, 0), (-DAY - 1, 1), (1, HOUR + 1)]
)
def test_post_closures__too_near_the_end_of_coverage__refused(desk: Desk, start: int, end: int) -> None:
    until = desk.now + 380 * DAY
    with pytest.raises(Revert, match="calendar: not covered"):
        desk.post(Closing(until + start, until + end))


@pytest.mark.parametrize(("start", "end"), [(-2 * DAY, -RAMP), (-DAY, -DAY + HOUR)])
def test_post_closures__at_the_distance_from_the_end_of_coverage__taken(desk: Desk, start: int, end: int) -> None:
    until = desk.now + 380 * DAY
    desk.post(Closing(until + start, until + end))


@pytest.mark.parametrize(("length", "distance"), [(2 * DAY, 2 * DAY + RAMP), (HOUR, DAY)])
def test_post_closures__as_close_as_may_be__taken_and_a_second_closer_refused(
    desk: Desk, length: int, distance: int
) -> None:
    first = Closing(desk.now + DAY, desk.now + DAY + length)
    second = Closing(first.start + distance, first.start + distance + HOUR)
    with pytest.raises(Revert, match="calendar: closures too close"):
        desk.post(first, Closing(second.start - 1, second.end))
    desk.post(first, second)


def test_post_closures__out_of_order_or_twice__refused(desk: Desk) -> None:
    first, second = weekends(desk.now + DAY, 2)
    for wrong in ((second, first), (first, first)):
        with pytest.raises(Revert, match="calendar: closures too close"):
            desk.post(*wrong)


def test_post_closures__five_in_one_week__refused(desk: Desk) -> None:
    thursday = (desk.now // WEEK + 1) * WEEK
    daily = [Closing(thursday + (n + 1) * DAY, thursday + (n + 1) * DAY + HOUR) for n in range(5)]
    with pytest.raises(Revert, match="calendar: week is full"):
        desk.post(*daily)
    desk.post(*daily[:4])
    assert told(desk, thursday) == daily[:4]


@pytest.mark.parametrize("who", ["guardian", "keeper", "attacker"])
def test_post_closures__by_another__refused(desk: Desk, who: str) -> None:
    with pytest.raises(Revert, match="roles: calendar only"):
        desk.oracle.post_closures([], desk.now + DAY, sender=getattr(desk, who))


def test_post_closures__by_the_timelock__taken(desk: Desk) -> None:
    desk.oracle.post_closures([], desk.now + DAY, sender=desk.timelock)
    assert desk.oracle.covered_until() == desk.now + DAY
