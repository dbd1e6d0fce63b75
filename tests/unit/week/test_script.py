"""The script of the week: real days of a real calendar, every act at a look, and looks where the rules need them."""

from __future__ import annotations

from itertools import pairwise

import pytest

from prime_perps import sessions
from prime_perps.demo.cast import LIQUIDATOR, MAKER
from prime_perps.reports import DAY, DEFAULT_LIMITS, RAMP, Session
from prime_perps.sessions import Closing, session_at
from prime_perps.week.script import (
    ACTS,
    CAST,
    CUSTOMERS,
    END,
    HALTED_AT,
    LIQUIDATED,
    MINUTE,
    NIGHTS,
    OPEN,
    PAUSED_AT,
    RELEASED_AT,
    RESUMED_AT,
    SHUT,
    START,
    STILL_FROM,
    Deed,
    at,
    looks,
    told,
)


def test_at__a_time_of_the_week__is_new_yorks():
    assert told(at("Fri 20:00")) == "Fri 16 Jan 20:00:00"
    assert told(at("Thu 16:20:10")) == "Thu 15 Jan 16:20:10"


def test_closure__by_the_exchange_calendar__is_72_hours_over_a_holiday():
    assert sessions.closures(START, END) == [Closing(SHUT, OPEN)]
    assert Closing(SHUT, OPEN).severity == 2


def test_looks__all__rise_and_cover_every_session():
    planned = looks()
    assert planned == sorted(set(planned))
    assert planned[0] == START
    assert session_at(planned[-1]) is Session.POST
    every = {Session.PRE, Session.REGULAR, Session.POST, Session.OVERNIGHT, Session.CLOSED}
    assert {session_at(instant) for instant in planned} == every


def test_looks__of_an_act__is_at_its_time():
    assert {act.time for act in ACTS} <= set(looks())
    assert [act.time for act in ACTS] == sorted(act.time for act in ACTS)


@pytest.mark.parametrize("reopened", [OPEN, RELEASED_AT])
def test_looks__at_a_reopening__are_there_to_begin_and_to_end_it(reopened):
    planned = looks()
    assert {reopened, reopened + 2 * MINUTE} <= set(planned)
    assert any(reopened < instant < reopened + 2 * MINUTE for instant in planned)


def test_looks__last_open_one__is_just_before_the_exchange_shuts():
    last = max(instant for instant in looks() if instant < SHUT)
    assert SHUT - last <= DEFAULT_LIMITS.age[Session.POST]


def test_looks__at_the_news__show_a_jump_before_and_after_it_is_confirmed():
    news = NIGHTS[1].news
    first, second, third = [instant for instant in looks() if news <= instant < news + MINUTE]
    assert (first, second - first < 15, third - first >= 15) == (news, True, True)


def test_acts__each__comes_within_the_rules():
    by_deed = {act.deed: act.time for act in ACTS}
    for night in NIGHTS:
        assert RAMP <= night.start - by_deed[Deed.ANNOUNCE] <= DAY
        assert night.start <= night.news < night.end
    assert SHUT < by_deed[Deed.DEPOSIT] < OPEN
    assert session_at(HALTED_AT) is session_at(RELEASED_AT) is Session.REGULAR
    assert by_deed[Deed.ASK_RELEASE] + MINUTE <= RELEASED_AT
    assert {session_at(instant) for instant in (PAUSED_AT, RESUMED_AT)} == {Session.OVERNIGHT}
    assert by_deed[Deed.PAUSE] < by_deed[Deed.MULTIPLY] < by_deed[Deed.RESUME]
    assert STILL_FROM in looks()


def test_looks__twenty_minutes_apart_or_an_hour_while_shut():
    for instant, following in pairwise(looks()):
        assert following - instant <= (60 if SHUT <= instant < OPEN else 20) * MINUTE


def test_cast__names__differ_and_those_liquidated_are_customers():
    assert len({actor.name for actor in CAST}) == len(CAST)
    assert [actor for actor in CAST if not actor.customer] == [MAKER, LIQUIDATOR]
    assert {actor.name for actor in LIQUIDATED} < {actor.name for actor in CUSTOMERS}
