"""A limit at its boundary, and after what was used has drained."""

from __future__ import annotations

from prime_perps.issuer.limits import Rate, Used

RATE = Rate(limit=1_000, window=100)


def test_plus__exactly_the_limit__fits_and_one_more_does_not() -> None:
    assert Used().plus(RATE, 1_000, now=5) == Used(1_000, 5)
    assert Used().plus(RATE, 1_001, now=5) is None


def test_plus__full__nothing_fits_in_the_same_second() -> None:
    full = Used(1_000, 5)
    assert full.plus(RATE, 1, now=5) is None
    assert full.plus(RATE, 0, now=5) == full


def test_plus__after_a_second__what_has_drained_fits_and_no_more() -> None:
    full = Used(1_000, 5)
    assert full.plus(RATE, 11, now=6) is None
    assert full.plus(RATE, 10, now=6) == Used(1_000, 6)


def test_left__whole_window_later__is_the_whole_limit() -> None:
    full = Used(1_000, 5)
    assert full.left(RATE, 104) == 990
    assert full.left(RATE, 105) == 1_000
    assert full.left(RATE, 10**9) == 1_000


def test_drained__fractions__are_kept_from_the_user() -> None:
    slow = Rate(limit=10, window=100)
    assert Used(10, 0).drained(slow, 9) == Used(10, 9)
    assert Used(10, 0).left(slow, 10) == 1


def test_drained__clock_goes_back__drains_nothing_and_forgets_nothing() -> None:
    assert Used(1_000, 50).drained(RATE, 10) == Used(1_000, 50)


def test_left__limit_made_smaller_than_what_is_used__is_nothing() -> None:
    assert Used(1_000, 5).left(Rate(limit=10, window=100), 5) == 0


def test_left__used_long_ago_under_a_larger_limit__drains_by_the_new_one() -> None:
    assert Used(1_000, 0).left(Rate(limit=100, window=100), 100) == 0
    assert Used(1_000, 0).left(Rate(limit=100, window=100), 1_000) == 100
