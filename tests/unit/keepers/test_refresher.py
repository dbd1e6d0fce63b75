"""When a word of a push feed is about to be too old."""

from __future__ import annotations

import pytest

from prime_perps.keepers.refresher import Pushed, due
from prime_perps.reports import DEFAULT_LIMITS, Feed, Session, Source, Word

SUNDAY = 1_773_014_400  # 2026-03-08 20:00 in New York


@pytest.mark.parametrize(("session", "limit"), [(Session.ALWAYS_OPEN, 60), (Session.UNKNOWN, 60), (Session.PRE, 120)])
def test_due__lead_before_the_sessions_limit__is(session, limit):
    word = Word(mid=1, time=1_000, session=session)
    assert not due(word, 1_000 + limit - 15, 15, DEFAULT_LIMITS)
    assert due(word, 1_000 + limit - 14, 15, DEFAULT_LIMITS)


def test_due__never_written__is():
    assert due(Word(), 1_000, 0, DEFAULT_LIMITS)


@pytest.mark.parametrize(
    ("source", "session", "word", "shut_until", "why"),
    [
        (
            Source.AGGREGATOR,
            0,
            Session.CLOSED,
            SUNDAY,
            "the exchange is shut by the calendar until Sun 2026-03-08 20:00",
        ),
        (
            Source.AGGREGATOR,
            0,
            Session.UNKNOWN,
            SUNDAY,
            "the exchange is shut by the calendar until Sun 2026-03-08 20:00",
        ),
        (Source.AGGREGATOR, 0, Session.CLOSED, 0, ""),
        (Source.AGGREGATOR | Source.REPORTS, 0, Session.CLOSED, 0, "the exchange is shut by its reports"),
        (Source.AGGREGATOR | Source.REPORTS, 0, Session.REGULAR, 0, ""),
        (Source.AGGREGATOR, 6, Session.ALWAYS_OPEN, SUNDAY, ""),
    ],
)
def test_waits_for__what_keeps_no_feed_from_answering(source, session, word, shut_until, why):
    assert Pushed(0, Feed(source, session=session), Word(mid=1, session=word)).waits_for(shut_until) == why
