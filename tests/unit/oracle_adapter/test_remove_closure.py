"""remove_closure: the timelock takes a closure back, wherever it is kept."""

from __future__ import annotations

import pytest

from prime_perps.errors import Revert
from prime_perps.sessions import DAY, RAMP, Closing

from .conftest import Desk, undone
from .test_post_closures import HOUR, WEEK, told


def test_remove_closure__posted__is_gone_from_every_week_and_told(desk: Desk) -> None:
    thursday = (desk.now // WEEK + 2) * WEEK
    kept = Closing(thursday - 5 * DAY, thursday - 4 * DAY)
    long = Closing(thursday - HOUR, thursday + 7 * DAY - HOUR)
    after = Closing(thursday + 7 * DAY + RAMP, thursday + 9 * DAY)
    desk.post(kept, long, after)
    receipt = desk.oracle.remove_closure(long.start, sender=desk.timelock)
    assert list(desk.oracle.events(receipt)) == [("ClosureRemoved", {"start": long.start, "end": long.end})]
    assert told(desk, thursday - 1) == [kept]
    assert told(desk, thursday) == [after]
    assert told(desk, thursday + WEEK) == [after]


def test_remove_closure__the_only_one_of_its_weeks__they_stay_covered(desk: Desk) -> None:
    desk.post(Closing(desk.now + DAY, desk.now + 8 * DAY))
    desk.oracle.remove_closure(desk.now + DAY, sender=desk.timelock)
    for _ in range(10):
        assert tuple(desk.oracle.closure()) == (0, 0, 0)
        desk.backend.warp(DAY)


def test_remove_closure__in_its_ramp_and_while_shut__lowers_at_once(desk: Desk) -> None:
    closing = Closing(desk.now + DAY, desk.now + 2 * DAY)
    desk.post(closing)
    for instant, before in ((closing.start - RAMP // 2, (0, 1, 5_000)), (closing.start, (1, 1, 0))):
        desk.backend.warp(instant - desk.now)
        assert tuple(desk.oracle.closure()) == before
        with undone(desk):
            desk.oracle.remove_closure(closing.start, sender=desk.timelock)
            assert tuple(desk.oracle.closure()) == (0, 0, 0)


def test_remove_closure__and_added_again__fits(desk: Desk) -> None:
    desk.post()
    for _ in range(6):
        desk.oracle.add_closure(desk.now + DAY, desk.now + 2 * DAY, sender=desk.guardian)
        desk.oracle.remove_closure(desk.now + DAY, sender=desk.timelock)


def test_remove_closure__none_that_begins_then__refused(desk: Desk) -> None:
    with pytest.raises(Revert, match="calendar: no such closure"):
        desk.oracle.remove_closure(0, sender=desk.timelock)
    closing = Closing(desk.now + DAY, desk.now + 2 * DAY)
    desk.post(closing)
    for start in (closing.start + 1, closing.end, 1, 2**256 - 1):
        with pytest.raises(Revert, match="calendar: no such closure"):
            desk.oracle.remove_closure(start, sender=desk.timelock)


def test_remove_closure__the_end_of_coverage__refused(desk: Desk) -> None:
    desk.post()
    with pytest.raises(Revert, match="calendar: no such closure"):
        desk.oracle.remove_closure(desk.oracle.covered_until(), sender=desk.timelock)


@pytest.mark.parametrize("who", ["guardian", "poster", "attacker"])
def test_remove_closure__by_another__refused(desk: Desk, who: str) -> None:
    desk.post(Closing(desk.now + DAY, desk.now + 2 * DAY))
    with pytest.raises(Revert, match="roles: timelock only"):
        desk.oracle.remove_closure(desk.now + DAY, sender=getattr(desk, who))
