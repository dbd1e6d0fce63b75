"""add_closure: an unscheduled closure, where margin has the time to rise."""

from __future__ import annotations

import pytest

from prime_perps.errors import Revert
from prime_perps.sessions import DAY, RAMP, Closing, facts

from .conftest import Desk, undone
from .test_post_closures import HOUR, WEEK, told


@pytest.mark.parametrize("who", ["guardian", "timelock"])
def test_add_closure__by_those_who_may__is_kept_and_told(desk: Desk, who: str) -> None:
    desk.post()
    added = Closing(desk.now + RAMP, desk.now + RAMP + 3 * DAY)
    receipt = desk.oracle.add_closure(added.start, added.end, sender=getattr(desk, who))
    assert list(desk.oracle.events(receipt)) == [("ClosureAdded", {"start": added.start, "end": added.end})]
    assert added in told(desk, added.start)
    assert added in told(desk, added.end - 1)


def test_add_closure__with_the_least_notice__nobody_needs_more_at_once_and_the_ramp_is_whole(desk: Desk) -> None:
    desk.post()
    desk.oracle.add_closure(desk.now + RAMP, desk.now + RAMP + DAY, sender=desk.guardian)
    seen = []
    for _ in range(RAMP + 1):
        seen.append(tuple(desk.oracle.closure()))
        desk.backend.warp(1)
    assert seen[0] == (0, 1, 0)
    assert [ramp for *_, ramp in seen[:-1]] == [-(-second * 10_000 // RAMP) for second in range(RAMP)]
    assert seen[-1] == (1, 1, 0)


def test_add_closure__with_less_notice__refused(desk: Desk) -> None:
    desk.post()
    for start in (desk.now + RAMP - 1, desk.now, desk.now - DAY):
        with pytest.raises(Revert, match="calendar: too soon"):
            desk.oracle.add_closure(start, start + DAY, sender=desk.guardian)


@pytest.mark.parametrize("length", [HOUR - 1, 7 * DAY + 1, 0])
def test_add_closure__too_short_or_long__refused(desk: Desk, length: int) -> None:
    desk.post()
    with pytest.raises(Revert, match="calendar: bad length"):
        desk.oracle.add_closure(desk.now + DAY, desk.now + DAY + length, sender=desk.guardian)


def test_add_closure__beyond_coverage__refused(desk: Desk) -> None:
    with pytest.raises(Revert, match="calendar: not covered"):
        desk.oracle.add_closure(desk.now + DAY, desk.now + 2 * DAY, sender=desk.guardian)
    desk.post()
    until = desk.oracle.covered_until()
    for start, end in ((until - 2 * DAY, until - RAMP + 1), (until + DAY, until + 2 * DAY), (2**256 - DAY, 2**256 - 1)):
        with pytest.raises(Revert, match="calendar: not covered"):
            desk.oracle.add_closure(start, end, sender=desk.guardian)
    desk.oracle.add_closure(until - 2 * DAY, until - RAMP, sender=desk.guardian)


@pytest.mark.parametrize(
    ("start", "end"),
    [
        (0, 2 * DAY),
        (HOUR, DAY),
        (-DAY, 3 * DAY),
        (-DAY, HOUR),
        (-DAY - HOUR, -RAMP + 1),
        (-DAY + 1, -DAY + HOUR + 1),
        (2 * DAY + RAMP - 1, 3 * DAY),
        (2 * DAY, 3 * DAY),
    ],
)
def test_add_closure__over_or_near_another__refused(desk: Desk, start: int, end: int) -> None:
    """At every place of the week, so that the other is found wherever it is kept."""
    thursday = (desk.now // WEEK + 2) * WEEK
    for shift in range(0, WEEK, DAY // 2):
        with undone(desk):
            other = Closing(thursday + shift, thursday + shift + 2 * DAY)
            desk.post(other)
            with pytest.raises(Revert, match="calendar: closures too close"):
                desk.oracle.add_closure(other.start + start, other.start + end, sender=desk.guardian)


@pytest.mark.parametrize(
    ("start", "end"), [(-DAY - HOUR, -RAMP), (-DAY, -DAY + HOUR), (2 * DAY + RAMP, 3 * DAY), (-8 * DAY, -DAY)]
)
def test_add_closure__as_close_as_may_be__taken(desk: Desk, start: int, end: int) -> None:
    thursday = (desk.now // WEEK + 2) * WEEK
    for shift in range(0, WEEK, DAY // 2):
        with undone(desk):
            other = Closing(thursday + shift, thursday + shift + 2 * DAY)
            desk.post(other)
            added = Closing(other.start + start, other.start + end)
            desk.oracle.add_closure(added.start, added.end, sender=desk.guardian)
            for closing in (other, added):
                for instant in (closing.start - DAY, closing.start, closing.end - 1):
                    assert closing in told(desk, instant)


def test_add_closure__to_a_full_week__refused(desk: Desk) -> None:
    desk.post()
    thursday = (desk.now // WEEK + 1) * WEEK
    for day in range(1, 5):
        desk.oracle.add_closure(thursday + day * DAY, thursday + day * DAY + HOUR, sender=desk.guardian)
    with pytest.raises(Revert, match="calendar: week is full"):
        desk.oracle.add_closure(thursday + 5 * DAY, thursday + 5 * DAY + HOUR, sender=desk.guardian)


def test_add_closure__within_a_closure__does_not_make_it_stricter_now(desk: Desk) -> None:
    weekend = Closing(desk.now + DAY, desk.now + 3 * DAY)
    desk.post(weekend)
    desk.backend.warp(2 * DAY + 23 * HOUR)
    added = Closing(weekend.end + RAMP, weekend.end + RAMP + 3 * DAY)
    desk.oracle.add_closure(added.start, added.end, sender=desk.guardian)
    for instant in (desk.now, weekend.end - 1, weekend.end, added.start - 1, added.start):
        desk.backend.warp(instant - desk.now)
        assert tuple(desk.oracle.closure()) == _facts(desk, weekend, added)
    assert tuple(desk.oracle.closure()) == (2, 2, 0)


@pytest.mark.parametrize("who", ["poster", "keeper", "attacker"])
def test_add_closure__by_another__refused(desk: Desk, who: str) -> None:
    desk.post()
    with pytest.raises(Revert, match="roles: guardian only"):
        desk.oracle.add_closure(desk.now + DAY, desk.now + 2 * DAY, sender=getattr(desk, who))


def _facts(desk: Desk, *posted: Closing) -> tuple[int, int, int]:
    told = facts(desk.now, posted, desk.oracle.covered_until())
    return told.now, told.ahead, told.ramp
