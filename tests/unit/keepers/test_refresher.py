"""When a word of a push feed is about to be too old."""

from __future__ import annotations

import pytest

from prime_perps.keepers.refresher import due
from prime_perps.reports import DEFAULT_LIMITS, Session, Word


@pytest.mark.parametrize(("session", "limit"), [(Session.ALWAYS_OPEN, 60), (Session.UNKNOWN, 60), (Session.PRE, 120)])
def test_due__lead_before_the_sessions_limit__is(session, limit):
    word = Word(mid=1, time=1_000, session=session)
    assert not due(word, 1_000 + limit - 15, 15, DEFAULT_LIMITS)
    assert due(word, 1_000 + limit - 14, 15, DEFAULT_LIMITS)


def test_due__never_written__is():
    assert due(Word(), 1_000, 0, DEFAULT_LIMITS)
