"""When a word is worth a report."""

from __future__ import annotations

from dataclasses import replace

import pytest

from prime_perps.keepers.publisher import PublishPolicy, due, why_unchanged
from prime_perps.reports import DEFAULT_LIMITS, Flag, Report, Session, Word

POLICY = PublishPolicy(deviation=10, freshness=5_000)
WORD = Word(mid=100 * 10**8, time=1_000, session=Session.REGULAR)
SAME = Report(0, 100 * 10**8, 5, Session.REGULAR, 1_001)


def why(word, report, now=1_001):
    return due(word, report, now, DEFAULT_LIMITS, POLICY)


def test_due__fresh_and_unmoved__is_not():
    assert why(WORD, SAME) == ""


def test_due__never_written__is():
    assert why(Word(), SAME) == "first price"


@pytest.mark.parametrize(("session", "limit"), [(Session.REGULAR, 60), (Session.OVERNIGHT, 300)])
def test_due__half_of_what_the_session_allows__is(session, limit):
    word, report = replace(WORD, session=session), replace(SAME, status=session)
    assert why(word, report, 1_000 + limit // 2 - 1) == ""
    assert why(word, report, 1_000 + limit // 2) == "age"


@pytest.mark.parametrize(
    ("price", "reason"), [(10_009_999_999, ""), (10_010_000_000, "price"), (9_990_000_000, "price")]
)
def test_due__price_moved_by_the_deviation__is(price, reason):
    assert why(WORD, replace(SAME, price=price)) == reason


def test_due__session_changed__is():
    assert why(WORD, replace(SAME, status=Session.CLOSED)) == "session"


def test_due__price_moved_while_closed__is_not():
    """Such a report would make no price."""
    assert why(replace(WORD, session=Session.CLOSED), replace(SAME, status=Session.CLOSED, price=1)) == ""


def test_due__multiplier_moved__is():
    assert why(WORD, replace(SAME, multiplier=2 * 10**18)) == "price"


@pytest.mark.parametrize(
    ("time", "flags", "why"),
    [(100, 0, "newer"), (101, Flag.PAUSED, "newer"), (99, Flag.PAUSED, "frozen"), (99, Flag.REOPENING, "waits")],
)
def test_why_unchanged__by_the_word_that_stands(time, flags, why):
    assert why in why_unchanged(Word(mid=1, time=time, flags=flags), Report(0, 1, 2, Session.REGULAR, 100))
