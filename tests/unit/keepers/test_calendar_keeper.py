"""What the calendar keeper posts, and what it finds when it compares."""

from __future__ import annotations

from datetime import datetime

import pytest

from prime_perps import sessions
from prime_perps.keepers.calendar_keeper import QUARTER, compare, plan, told
from prime_perps.sessions import DAY, NEW_YORK, Closing, coverage

NOW = int(datetime(2026, 3, 4, 12, tzinfo=NEW_YORK).timestamp())  # a Wednesday
SATURDAY = NOW + 3 * DAY
AHEAD = 180


def test_plan__never_posted__covers_what_is_asked_and_a_quarter():
    posting = plan(NOW, 0, AHEAD)
    days = (posting.covered_until - NOW) / DAY
    assert AHEAD + QUARTER <= days <= AHEAD + QUARTER + 7
    assert posting.closures == [
        c for c in sessions.closures(NOW, posting.covered_until) if c.start < posting.covered_until
    ]


@pytest.mark.parametrize(("short_by", "posts"), [(0, False), (1, True)])
def test_plan__coverage_at_the_boundary__posts_only_below_it(short_by, posts):
    assert (plan(NOW, NOW + AHEAD * DAY - short_by, AHEAD) is not None) is posts


def test_plan__extends__from_where_coverage_ends():
    _, until = coverage(NOW, 100)
    posting = plan(NOW, until, AHEAD)
    assert posting.closures[0].start == until
    assert posting.covered_until >= NOW + (AHEAD + QUARTER) * DAY


@pytest.mark.parametrize("now", [NOW, SATURDAY])
def test_plan__most_that_can_be_asked__the_oracle_can_take(now):
    posting = plan(now, 0, 390)
    assert posting.covered_until <= now + 400 * DAY
    assert len(posting.closures) <= 64


def test_plan__ran_out_within_a_closure__leaves_out_what_began_before():
    """The adapter takes no closure that begins before coverage ran out."""
    weekend = sessions.closures(SATURDAY, SATURDAY + 1)[0]
    posting = plan(SATURDAY, weekend.start + 3_600, AHEAD)
    assert weekend not in posting.closures
    assert plan(SATURDAY, weekend.start, AHEAD).closures[0] == weekend


def test_compare__posted_as_planned__agrees():
    closures, until = coverage(NOW, 100)
    assert compare(NOW, until, closures) == ([], [])


def test_compare__one_left_out_and_one_made_up__finds_both():
    closures, until = coverage(NOW, 100)
    made_up = Closing(NOW + 10 * DAY, NOW + 10 * DAY + 7_200)
    assert compare(NOW, until, [*closures[1:], made_up]) == ([closures[0]], [made_up])


def test_compare__shorter_than_it_will_be__is_missing():
    [first, *rest], until = coverage(NOW, 100)
    short = Closing(first.start, first.end - 3_600)
    assert compare(NOW, until, [short, *rest]) == ([first], [short])


def test_compare__over_by_now__is_left_out():
    closures, until = coverage(NOW - 30 * DAY, 100)
    assert compare(NOW, until, closures) == ([], [])


def test_compare__within_a_closure__counts_it():
    closures, until = coverage(SATURDAY, 100)
    assert closures[0].start < SATURDAY
    assert compare(SATURDAY, until, closures[1:])[0] == [closures[0]]


@pytest.mark.parametrize("until", [0, NOW])
def test_compare__nothing_covered__nothing_can_be_missing(until):
    assert compare(NOW, until, []) == ([], [])


def test_told__closure__is_in_new_york_time():
    assert told(sessions.closures(SATURDAY, SATURDAY + 1)[0]) == "Fri 2026-03-06 20:00 to Sun 2026-03-08 20:00"
