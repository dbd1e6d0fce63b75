"""Paths pass through every price that is real, and are the same for the same seed."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, datetime

import numpy as np
import pytest

from prime_perps.reports import Session
from prime_perps.sessions import NEW_YORK
from prime_perps.stress.path import CONFIRMED_AFTER, Path
from tests.unit.stress.conftest import DAYS, OPENED, made_up


def _at(day: date, hour: int, minute: int = 0) -> int:
    return int(datetime(day.year, day.month, day.day, hour, minute, tzinfo=NEW_YORK).timestamp())


def test_path__every_close__is_the_real_one(crash):
    path = Path(crash, seed=1)
    assert path.opened == _at(OPENED, 16)
    for row, day in enumerate((OPENED, *DAYS)):
        assert path.prices(_at(day, 16)) == pytest.approx(crash.closes[row])


def test_path__same_seed__same_prices_and_another_seed_others(crash):
    first, again, other = (Path(crash, seed).prices(_at(DAYS[0], 12)) for seed in (1, 1, 2))
    assert (first == again).all()
    assert not np.array_equal(first, other)


def test_path__known_bars__open_is_real_and_neither_extreme_is_passed(crash):
    bars = np.array([[90.0, 95.0, 45.0], [52.0, 60.0, 48.0]])
    path = Path(replace(crash, bars={0: bars}), seed=1)
    for day, (opened, high, low) in zip(DAYS, bars, strict=True):
        seen = [path.prices(at)[0] for at in range(_at(day, 9, 30), _at(day, 16) + 1, 60)]
        assert seen[0] == pytest.approx(opened)
        assert min(seen) == pytest.approx(low)
        assert max(seen) == pytest.approx(high)


def test_path__weekend__half_of_the_gap_at_the_reopening(crash):
    path = Path(crash, seed=1)
    before, after = path.prices(_at(OPENED, 20)), path.prices(_at(date(2021, 3, 7), 20))
    opened = path.prices(_at(DAYS[0], 9, 30))
    assert before == pytest.approx(crash.closes[0])
    assert after == pytest.approx(np.sqrt(before * opened))
    assert path.prices(_at(DAYS[0], 9, 29)) == pytest.approx(after)


def test_path__week_night__nothing_moves_until_the_bell(crash):
    path = Path(crash, seed=1)
    assert path.prices(_at(DAYS[1], 9, 29)) == pytest.approx(crash.closes[1])


def test_path__between_two_knots__on_the_way_from_one_to_the_other(crash):
    path = Path(crash, seed=1)
    start = _at(DAYS[0], 10)
    first, middle, last = (path.prices(start + seconds) for seconds in (0, 150, 300))
    assert middle == pytest.approx(np.sqrt(first * last))


def test_path__gaps__the_whole_day_at_the_bell(crash):
    path = Path(crash, seed=1, gaps=True)
    assert path.prices(_at(DAYS[0], 9, 30)) == pytest.approx(crash.closes[1])
    assert path.prices(_at(DAYS[0], 12)) == pytest.approx(crash.closes[1])


def test_instants__over_a_weekend__shut_told_and_both_prices_of_the_reopening(crash):
    instants = Path(crash, seed=1).instants
    times = [instant.time for instant in instants]
    assert times == sorted(set(times))
    sessions = {instant.time: instant.session for instant in instants}
    reopening = _at(date(2021, 3, 7), 20)
    assert sessions[_at(OPENED, 20)] is Session.CLOSED
    assert sessions[_at(OPENED, 18)] is Session.POST
    assert sessions[reopening] is sessions[reopening + CONFIRMED_AFTER] is Session.OVERNIGHT
    assert sessions[_at(DAYS[0], 9, 30)] is Session.REGULAR
    assert sessions[_at(DAYS[0], 16)] is Session.POST


def test_shortened__one_day__no_more_of_anything():
    short = made_up(days=1)
    assert (len(short.days), len(short.closes), len(short.swings)) == (1, 2, 1)
    assert {instant.day for instant in Path(short, seed=1).instants} == {DAYS[0]}
