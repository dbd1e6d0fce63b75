# pragma version 0.4.3
"""
@title calendar
@license AGPL-3.0-only
@author Prime Perps
@notice When the exchange is shut. The posted closures, kept by week so that a margin check reads one slot.

        A closure stands in the slot of every week in which it matters at some instant: from a day before its start,
        when initial margin begins to see it, to its end. A slot has up to four lanes of 64 bits, from the low bit up:
        start 32 bits, end 32 bits; lanes above the last closure are zero. A week that is covered and has none holds
        QUIET. A slot of zero was never posted and is strict: a long closure.

        Where coverage ends a closure without end begins, so that margin ramps up to it as to any other.
        Closures begin a day apart and leave the time of a ramp between them. Hence maintenance margin never jumps up
        by the clock: while it ramps, the closure it ramps to is the only one ahead, and what it rises to while the
        exchange is shut it had risen to before.
"""
from contracts.interfaces import IMarginModel
from contracts.interfaces import IOracleAdapter


DAY: constant(uint256) = 86_400
WEEK: constant(uint256) = 7 * DAY

SHORT: constant(uint256) = 1
LONG: constant(uint256) = 2
LONG_FROM: constant(uint256) = 3 * DAY
LOOK_AHEAD: constant(uint256) = DAY
RAMP: constant(uint256) = 7_200
FULL: constant(uint256) = 10_000

SHORTEST: constant(uint256) = 3_600
LONGEST: constant(uint256) = 7 * DAY
COVERAGE_MAX: constant(uint256) = 400 * DAY

TIME_BITS: constant(uint256) = 32
TIME_MAX: constant(uint256) = 2**32 - 1
LANE_BITS: constant(uint256) = 64
LANE_MASK: constant(uint256) = 2**64 - 1
LANES: constant(uint256) = 4
LAST_LANE_AT: constant(uint256) = 192
# A closure that was over before it began.
QUIET: constant(uint256) = 1
# The day before it included, the longest closure meets three weeks.
WEEKS_OF_ONE: constant(uint256) = 3
# Both ends included: 400 days are 57.1 weeks.
WEEKS_COVERED: constant(uint256) = 59

covered_until: public(uint256)

_weeks: HashMap[uint256, uint256]


@internal
@view
def _closure() -> (IMarginModel.Closure, bool):
    """
    @notice The session facts as of now, and whether a posted closure has begun and not ended.
    @dev Unchecked, as every margin check pays for it: times are of 32 bits, and a closure ends after its start.
         A ramp needs no look at `now`: closures are a ramp apart, so whoever is in one is not in the ramp of another.
    """
    lanes: uint256 = self._weeks[block.timestamp // WEEK]
    if lanes == 0:
        return IMarginModel.Closure(now=LONG, ahead=LONG, ramp=0), False

    shut: bool = False
    facts: IMarginModel.Closure = empty(IMarginModel.Closure)
    for i: uint256 in range(LANES):
        if lanes == 0:
            break
        start: uint256 = lanes & TIME_MAX
        end: uint256 = (lanes >> TIME_BITS) & TIME_MAX
        lanes >>= LANE_BITS
        if end <= block.timestamp or unsafe_add(block.timestamp, LOOK_AHEAD) < start:
            continue
        severity: uint256 = LONG if unsafe_sub(end, start) >= LONG_FROM else SHORT
        facts.ahead = max(facts.ahead, severity)
        if start <= block.timestamp:
            facts.now = severity
            shut = end != TIME_MAX
            continue
        left: uint256 = unsafe_sub(start, block.timestamp)
        if left < RAMP:
            facts.ramp = unsafe_sub(FULL, unsafe_mul(left, FULL) // RAMP)
    return facts, shut


@internal
@view
def _is_shut(since: uint256, time: uint256) -> (bool, bool):
    """
    @notice What is posted for an instant that has come, and for what has passed of its week since another.
    @param since at most `time`; the same for the instant alone.
    @return (whether it is covered, whether a part of a posted closure lies in between)
    """
    lanes: uint256 = self._weeks[time // WEEK]
    for i: uint256 in range(LANES):
        if lanes <= QUIET:
            break
        closing: IOracleAdapter.Closing = self._unpacked(lanes)
        if closing.start <= time and since < closing.end:
            covered: bool = closing.end != TIME_MAX
            return covered, covered
        lanes >>= LANE_BITS
    return self._weeks[time // WEEK] != 0, False


@internal
@view
def _closures(week: uint256) -> DynArray[IOracleAdapter.Closing, LANES]:
    """
    @param week Unix time in weeks.
    """
    found: DynArray[IOracleAdapter.Closing, LANES] = []
    lanes: uint256 = self._weeks[week]
    for i: uint256 in range(LANES):
        if lanes <= QUIET:
            break
        found.append(self._unpacked(lanes))
        lanes >>= LANE_BITS
    return found


@internal
def _post(closures: DynArray[IOracleAdapter.Closing, 64], until: uint256):
    previous: uint256 = self.covered_until
    self._check_coverage(previous, until)
    if previous != 0:
        self._drop(previous, previous // WEEK)
    # A closure that has begun may be posted, or nothing could be posted while shut.
    earliest: uint256 = max(previous, block.timestamp - LONGEST)
    last: IOracleAdapter.Closing = empty(IOracleAdapter.Closing)
    for closing: IOracleAdapter.Closing in closures:
        self._check_length(closing)
        self._check_covered(closing, earliest, until)
        self._check_apart(last, closing)
        self._hold(closing, (closing.end - 1) // WEEK)
        last = closing
    for week: uint256 in range(block.timestamp // WEEK, until // WEEK + 1, bound=WEEKS_COVERED):
        if self._weeks[week] == 0:
            self._weeks[week] = QUIET
    self._hold(IOracleAdapter.Closing(start=until, end=TIME_MAX), until // WEEK)
    self.covered_until = until
    log IOracleAdapter.ClosuresPosted(closures=closures, covered_until=until)


@internal
def _add(closing: IOracleAdapter.Closing):
    """
    @dev Whatever is too close to the closure shares one of its weeks, so these are all there is to look at.
    """
    self._check_length(closing)
    self._check_notice(closing.start)
    self._check_covered(closing, 0, self.covered_until)
    last_week: uint256 = (closing.end - 1) // WEEK
    for week: uint256 in range((closing.start - LOOK_AHEAD) // WEEK, last_week + 1, bound=WEEKS_OF_ONE):
        others: DynArray[IOracleAdapter.Closing, LANES] = self._closures(week)
        for other: IOracleAdapter.Closing in others:
            if other.start <= closing.start:
                self._check_apart(other, closing)
            else:
                self._check_apart(closing, other)
    self._hold(closing, last_week)
    log IOracleAdapter.ClosureAdded(start=closing.start, end=closing.end)


@internal
def _remove(start: uint256):
    end: uint256 = 0
    # The end of coverage is nobody's to remove.
    if start != self.covered_until:
        posted: DynArray[IOracleAdapter.Closing, LANES] = self._closures(start // WEEK)
        for closing: IOracleAdapter.Closing in posted:
            if closing.start == start:
                end = closing.end
    self._check_found(end)
    self._drop(start, (end - 1) // WEEK)
    log IOracleAdapter.ClosureRemoved(start=start, end=end)


@internal
def _hold(closing: IOracleAdapter.Closing, last_week: uint256):
    """
    @notice Put a closure into the weeks from a day before its start to `last_week`.
    """
    for week: uint256 in range((closing.start - LOOK_AHEAD) // WEEK, last_week + 1, bound=WEEKS_OF_ONE):
        lanes: uint256 = self._weeks[week]
        if lanes == QUIET:
            lanes = 0
        self._check_room(lanes)
        self._weeks[week] = (lanes << LANE_BITS) | (closing.end << TIME_BITS) | closing.start


@internal
def _drop(start: uint256, last_week: uint256):
    """
    @notice Take the closure that begins at `start` out of the weeks that `_hold` has put it into.
    """
    for week: uint256 in range((start - LOOK_AHEAD) // WEEK, last_week + 1, bound=WEEKS_OF_ONE):
        lanes: uint256 = self._weeks[week]
        kept: uint256 = 0
        for i: uint256 in range(LANES):
            if lanes & TIME_MAX != start:
                kept = (kept << LANE_BITS) | (lanes & LANE_MASK)
            lanes >>= LANE_BITS
            if lanes == 0:
                break
        self._weeks[week] = max(kept, QUIET)


@internal
@pure
def _unpacked(lanes: uint256) -> IOracleAdapter.Closing:
    """
    @notice The closure in the lowest lane.
    """
    return IOracleAdapter.Closing(start=lanes & TIME_MAX, end=(lanes >> TIME_BITS) & TIME_MAX)


@internal
@view
def _check_coverage(previous: uint256, until: uint256):
    """
    @dev Coverage is bounded so that a mistake in it ends.
    """
    assert (
        until > max(previous, block.timestamp) and until <= block.timestamp + COVERAGE_MAX
    ), "calendar: bad coverage"


@internal
@pure
def _check_length(closing: IOracleAdapter.Closing):
    assert (
        closing.start < closing.end
        and unsafe_sub(closing.end, closing.start) >= SHORTEST
        and unsafe_sub(closing.end, closing.start) <= LONGEST
    ), "calendar: bad length"


@internal
@view
def _check_notice(start: uint256):
    """
    @dev A ramp that had to begin in its middle would be a jump.
    """
    assert start >= block.timestamp + RAMP, "calendar: too soon"


@internal
@pure
def _check_covered(closing: IOracleAdapter.Closing, earliest: uint256, until: uint256):
    """
    @dev As far from the end of coverage as from another closure. The closure ends after its start.
    """
    assert (
        closing.start >= earliest
        and closing.end < until
        and unsafe_sub(until, closing.end) >= RAMP
        and unsafe_sub(until, closing.start) >= LOOK_AHEAD
    ), "calendar: not covered"


@internal
@pure
def _check_apart(former: IOracleAdapter.Closing, latter: IOracleAdapter.Closing):
    assert (
        latter.start >= former.end + RAMP and latter.start >= former.start + LOOK_AHEAD
    ), "calendar: closures too close"


@internal
@pure
def _check_room(lanes: uint256):
    assert lanes >> LAST_LANE_AT == 0, "calendar: week is full"


@internal
@pure
def _check_found(end: uint256):
    assert end != 0, "calendar: no such closure"
