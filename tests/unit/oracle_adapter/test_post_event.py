"""post_event: an earnings night only raises margin, comes by a ramp, and costs nobody else anything."""

from __future__ import annotations

from itertools import pairwise

import pytest

from prime_perps.errors import Revert
from prime_perps.reports import Event, Flag, Word, told_eventful
from prime_perps.sessions import DAY, RAMP

from .conftest import NVDA, SPY, Desk

HOUR = 3_600
ALL = 10_000


def posted(desk: Desk, ahead: int = 2 * DAY, length: int = 18 * HOUR, underlying: int = NVDA) -> Event:
    event = Event(desk.now + ahead, desk.now + ahead + length)
    desk.oracle.post_event(underlying, event.start, event.end, sender=desk.poster)
    return event


def told(desk: Desk, underlying: int = NVDA) -> tuple[int, bool]:
    """(eventful, whether the flag is set) as read."""
    (packed,), _ = desk.oracle.read([underlying])
    return told_eventful(packed), bool(Word.unpack(packed).flags & Flag.EVENT)


@pytest.mark.parametrize("who", ["poster", "guardian", "timelock"])
def test_post_event__by_those_who_may__is_kept_and_logged(desk: Desk, who: str) -> None:
    start, end = desk.now + DAY, desk.now + 2 * DAY
    receipt = desk.oracle.post_event(NVDA, start, end, sender=getattr(desk, who))
    assert tuple(desk.oracle.event_of(NVDA)) == (start, end)
    assert list(desk.oracle.events(receipt)) == [("EventSet", {"underlying": NVDA, "start": start, "end": end})]
    assert desk.word().flags == Flag.EVENT


@pytest.mark.parametrize("who", ["keeper", "attacker"])
def test_post_event__by_another__reverts(desk: Desk, who: str) -> None:
    with pytest.raises(Revert, match=r"^roles: guardian only$"):
        desk.oracle.post_event(NVDA, desk.now + DAY, desk.now + 2 * DAY, sender=getattr(desk, who))


def test_read__as_the_event_comes__initial_margin_a_day_ahead_and_maintenance_by_a_ramp(desk: Desk) -> None:
    desk.submit(desk.report())
    event = posted(desk)
    seen = {}
    for instant in (
        *(event.start - DAY - 1, event.start - DAY, event.start - RAMP, event.start - RAMP + 1),
        *(event.start - RAMP // 2, event.start - 1, event.start, event.end - 1, event.end),
    ):
        desk.backend.warp(instant - desk.now)
        seen[instant - event.start] = told(desk)
        assert told(desk) == (event.eventful(instant), event.eventful(instant) > 0)
        assert desk.read() == desk.word().as_of(instant, _limits(desk), event)
    assert [eventful for eventful, _ in seen.values()] == [0, 1, 1, 2, 5_000, 9_999, ALL, ALL, 0]


def _limits(desk: Desk):  # type: ignore[no-untyped-def]
    return desk.oracle.limits()


def test_read__with_the_least_notice__nothing_jumps(desk: Desk) -> None:
    event = posted(desk, ahead=RAMP)
    seen = []
    for _ in range(RAMP + 1):
        seen.append(told(desk)[0])
        desk.backend.warp(1)
    assert (seen[0], seen[-1]) == (1, ALL)
    assert all(0 <= after - before <= 2 for before, after in pairwise(seen))
    assert event.eventful(desk.now) == ALL


def test_read__event_of_one__is_nobody_elses(desk: Desk) -> None:
    for underlying in (NVDA, SPY, 2, 3, 4, 63):
        posted(desk, ahead=RAMP + underlying, underlying=underlying)
    desk.backend.warp(RAMP + 2)
    assert [told(desk, underlying)[0] for underlying in (NVDA, SPY, 2)] == [ALL, ALL, ALL]
    assert [told(desk, underlying)[0] < ALL for underlying in (3, 4, 63)] == [True, True, True]
    assert told(desk, 5) == (0, False)


def test_read__halted_or_old__says_both(desk: Desk) -> None:
    posted(desk, ahead=RAMP)
    desk.submit(desk.report())
    desk.oracle.set_halt(NVDA, True, sender=desk.guardian)
    desk.backend.warp(RAMP)
    assert (told(desk)[0], desk.read().doubt) == (ALL, 1_190)


def test_event__over__is_forgotten_with_the_next_price(desk: Desk) -> None:
    event = posted(desk)
    desk.submit(desk.report())
    assert desk.word().flags == Flag.EVENT
    desk.backend.warp(event.end - desk.now)
    assert told(desk) == (0, False)
    desk.submit(desk.report())
    assert desk.word().flags == 0


@pytest.mark.parametrize(
    ("ahead", "length"),
    [
        (RAMP - 1, HOUR),
        (0, HOUR),
        (-DAY, 2 * DAY),
        (8 * DAY + 1, HOUR),
        (DAY, 0),
        (DAY, -1),
        (DAY, 7 * DAY + 1),
        (DAY, 2**255),
    ],
)
def test_post_event__too_soon_far_short_or_long__reverts(desk: Desk, ahead: int, length: int) -> None:
    with pytest.raises(Revert, match=r"^oracle: bad event$"):
        posted(desk, ahead, length)


@pytest.mark.parametrize(("ahead", "length"), [(RAMP, 1), (8 * DAY, 7 * DAY)])
def test_post_event__at_its_bounds__is_taken(desk: Desk, ahead: int, length: int) -> None:
    event = posted(desk, ahead, length)
    assert tuple(desk.oracle.event_of(NVDA)) == (event.start, event.end)


def test_post_event__before_the_last_is_over__reverts(desk: Desk) -> None:
    event = posted(desk)
    with pytest.raises(Revert, match=r"^oracle: bad event$"):
        posted(desk, 3 * DAY)
    desk.backend.warp(event.end - 1 - desk.now)
    with pytest.raises(Revert, match=r"^oracle: bad event$"):
        posted(desk)
    desk.backend.warp(1)
    posted(desk)


def test_post_event__number_of_no_underlying__reverts(desk: Desk) -> None:
    with pytest.raises(Revert, match=r"^oracle: bad underlying$"):
        posted(desk, underlying=64)


def test_remove_event__by_the_timelock__is_no_more(desk: Desk) -> None:
    posted(desk, ahead=RAMP)
    posted(desk, ahead=RAMP, underlying=SPY)
    desk.backend.warp(RAMP)
    for who in ("guardian", "poster", "attacker"):
        with pytest.raises(Revert, match=r"^roles: timelock only$"):
            desk.oracle.remove_event(NVDA, sender=getattr(desk, who))
    desk.oracle.remove_event(NVDA, sender=desk.timelock)
    assert (told(desk), told(desk, SPY)[0]) == ((0, False), ALL)
    posted(desk)
