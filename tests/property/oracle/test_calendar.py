"""The calendar, whatever is posted, added and removed, and whenever: margin never jumps up."""

from __future__ import annotations

from contextlib import suppress
from fractions import Fraction
from typing import Any

from hypothesis import example, given
from hypothesis import strategies as st

from prime_perps.errors import Revert
from prime_perps.margin import Closure
from prime_perps.sessions import DAY, RAMP, Closing, facts

from .conftest import Bench

HOUR = 3_600
MULTIPLIERS = (10_000, 12_500, 15_000)
# Of one second: a ramp of 10,000 bps over 7,200 seconds, rounded up, between the multipliers furthest apart.
STEP = Fraction((MULTIPLIERS[2] - MULTIPLIERS[0]) * 2, 10_000)


def near(*instants: int, most: int) -> st.SearchStrategy[int]:
    """Seconds around those where rules begin to hold, or any."""
    around = [instant + second for instant in instants for second in (-1, 0)]
    return st.one_of(st.sampled_from(around), st.integers(HOUR, most))


gaps = near(RAMP, 21 * HOUR, DAY - HOUR, DAY, most=5 * DAY)
lengths = near(HOUR + 1, DAY, 3 * DAY, 7 * DAY, most=7 * DAY)
schedules = st.lists(st.tuples(gaps, lengths), min_size=1, max_size=3)
posts = st.tuples(st.just("post"), schedules, near(RAMP, DAY - HOUR, 3 * DAY, most=30 * DAY))
operations = st.one_of(
    posts,
    st.tuples(st.just("wait"), near(RAMP, DAY, most=12 * DAY)),
    st.tuples(st.just("add"), near(RAMP, DAY, most=20 * DAY), lengths),
    st.tuples(st.just("remove"), st.integers(0, 3)),
)
scripts = st.lists(operations, min_size=2, max_size=10)


class Book:
    """The calendar as a plain list, beside the contract's."""

    def __init__(self, bench: Bench) -> None:
        self.bench = bench
        self.posted: list[Closing] = []
        self.until = 0

    @property
    def now(self) -> int:
        return self.bench.backend.timestamp()

    def multiplier(self) -> Fraction:
        """That of maintenance margin as of now, by the contract, which must agree with the list."""
        told = Closure(*self.bench.oracle.closure())
        assert told == facts(self.now, self.posted, self.until)
        now, ahead = MULTIPLIERS[told.now], MULTIPLIERS[told.ahead]
        return now + Fraction((ahead - now) * told.ramp, 10_000)

    def wait(self, seconds: int) -> None:
        """Past every second at which a fact may change: there, margin falls, or rises by the step of a ramp."""
        end = self.now + seconds
        edges = {end}
        for closing in (*self.posted, Closing(self.until, self.until)):
            start = closing.start
            edges |= {start - DAY, start - RAMP, start - RAMP + 1, start - RAMP // 2, start, closing.end}
        for edge in sorted(edge for edge in edges if self.now < edge <= end):
            self.bench.backend.warp(edge - 1 - self.now)
            before, shut = self.multiplier(), self.bench.oracle.closure().now
            self.bench.backend.warp(1)
            assert self.multiplier() - before <= (0 if shut else STEP)

    def post(self, schedule: list[tuple[int, int]], after: int) -> None:
        clock = max(self.until, self.now)
        closures = []
        for gap, length in schedule:
            closures.append(Closing(clock + gap, clock + gap + length))
            clock = closures[-1].end
        self.bench.oracle.post_closures(closures, clock + after, sender=self.bench.timelock)
        self.posted += closures
        self.until = clock + after

    def add(self, notice: int, length: int) -> None:
        added = Closing(self.now + notice, self.now + notice + length)
        self.bench.oracle.add_closure(added.start, added.end, sender=self.bench.timelock)
        self.posted.append(added)

    def remove(self, number: int) -> None:
        if number < len(self.posted):
            self.bench.oracle.remove_closure(self.posted[number].start, sender=self.bench.timelock)
            del self.posted[number]


def test_OR_3_calendar__whatever_is_done_to_it__margin_rises_by_ramps_alone(bench: Bench) -> None:
    @given(posts, scripts)
    # what would make margin jump: something stricter comes into sight within a ramp, or a ramp begins while shut
    @example(("post", [(DAY, HOUR), (DAY - HOUR - 1, 4 * DAY)], 3 * DAY), [])
    @example(("post", [(DAY, DAY), (HOUR, 4 * DAY)], 3 * DAY), [])
    @example(("post", [(DAY, HOUR)], DAY - HOUR - 1), [])
    @example(("post", [(DAY, DAY)], HOUR), [])
    def check(first: tuple[str, Any], script: list[tuple[str, Any]]) -> None:
        point = bench.backend.snapshot()
        book = Book(bench)
        for name, *details in (first, *script, ("wait", 60 * DAY)):
            before = book.multiplier()
            with suppress(Revert):
                getattr(book, name)(*details)
            if name != "wait":
                assert book.multiplier() <= before
        bench.backend.restore(point)

    check()


def test_OR_3_calendar__any_time_in_any_week__is_never_open_beyond_coverage(bench: Bench) -> None:
    @given(st.integers(HOUR, 30 * DAY), st.integers(0, 2**31))
    def check(covered: int, after: int) -> None:
        point = bench.backend.snapshot()
        until = bench.backend.timestamp() + covered
        bench.oracle.post_closures([], until, sender=bench.timelock)
        bench.backend.warp(covered + after)
        assert tuple(bench.oracle.closure()) == (2, 2, 0)
        bench.backend.restore(point)

    check()
