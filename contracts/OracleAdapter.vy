# pragma version 0.4.3
# pragma nonreentrancy on
"""
@title OracleAdapter
@license AGPL-3.0-only
@author Prime Perps
@notice One packed word per underlying: price, half-width, session, flags, time. Written from the underlying's sources,
        read by every margin check, and the calendar of the exchange, which is a fact of the clock alone.

        Trust. Each underlying has up to three sources, chosen by the timelock; a wrong price takes all of one or two,
        or two of three. Signed reports: fewer than `threshold` of the allowed signers ever sign a wrong price.
        AggregatorV3: the feed's answer lies within its deviation threshold of the price while it is younger than its
        heartbeat. Pyth: its price lies within its confidence. An issuer can freeze the price of its own stock, never
        make one. Whoever carries reports or calls `refresh` is not trusted: he can delay a price, never make or choose
        one. Whoever posts the calendar and events can leave closures and events out, or post too many, for 400 days at
        most: words are then in doubt, or margin is higher.
        Safety also needs block time within seconds of real time. Liveness needs somebody who submits and refreshes
        within the session's age limit; without him words widen. Words hold times below 2^32, until the year 2106.

        States of a word. Never written: mid 0, as wide as can be. Fresh: its stored width. Aged: wider by the minute up
        to 100 %. Closed: mid frozen at the last price of an open exchange, whatever the sources say. To be confirmed:
        its sources are too far apart, it has jumped, or the exchange has just reopened. Paused: frozen for a split or a
        dividend. Any of them may be halted: flagged until released, whatever its sources say.
@custom:kill Halt each underlying (`set_halt`), disallow the signers, or raise the threshold: guardian, at once. Words
             stay readable and widen with age.
"""
from contracts.interfaces import IMarginModel
from contracts.interfaces import IOracleAdapter
from snekmate.auth import access_control
from snekmate.utils import eip712_domain_separator

from .modules.common import roles
from .modules.oracle import calendar
from .modules.oracle import consensus
from .modules.oracle import corporate_action
from .modules.oracle import earnings
from .modules.oracle import feed_word
from .modules.oracle import observation
from .modules.oracle import price_memory
from .modules.oracle import price_word
from .modules.oracle import report_signatures
from .modules.oracle import session_limits
from .modules.oracle import sources

implements: IOracleAdapter

initializes: access_control
initializes: roles[access_control := access_control]
initializes: calendar
initializes: corporate_action
initializes: earnings
initializes: eip712_domain_separator
initializes: report_signatures[eip712_domain_separator := eip712_domain_separator]
initializes: price_memory
initializes: session_limits
initializes: sources[
    calendar := calendar, corporate_action := corporate_action, session_limits := session_limits
]

exports: (
    # roles
    access_control.DEFAULT_ADMIN_ROLE,
    access_control.getRoleAdmin,
    access_control.grantRole,
    access_control.hasRole,
    access_control.renounceRole,
    access_control.revokeRole,
    access_control.supportsInterface,
    roles.CALENDAR_ROLE,
    roles.GUARDIAN_ROLE,
    roles.TIMELOCK_ROLE,
    # calendar
    calendar.covered_until,
    # signatures
    eip712_domain_separator.eip712Domain,
    report_signatures.is_signer,
    report_signatures.threshold,
)


UNDERLYINGS: constant(uint256) = 64

# Set anew with every word; the others are not a source's to change.
BY_SOURCES: constant(uint256) = price_word.REDUCE_ONLY | price_word.REOPENING

_words: HashMap[uint256, uint256]  # two words to a slot, underlying 2k in the low half of slot k


@deploy
def __init__(threshold: uint256, limits: IOracleAdapter.Limits):
    """
    @param threshold How many signers a report needs, 1 to 8.
    @param limits What each session allows; for good, a change is a new adapter. See docs/oracle.md for the defaults.
    @dev The deployer gets DEFAULT_ADMIN_ROLE, hands out the roles and renounces.
         Reverts: "oracle: bad threshold", "oracle: bad limits".
    """
    access_control.__init__()
    eip712_domain_separator.__init__("Prime Perps Oracle", "1")
    session_limits.__init__(limits)
    report_signatures._set_threshold(threshold)


# sources


@external
def submit(reports: DynArray[IOracleAdapter.SignedReport, 16]) -> uint256:
    """
    @dev What is passed over has no effect, so it is passed over before anything about it is verified.
    """
    written: uint256 = 0
    for signed: IOracleAdapter.SignedReport in reports:
        report: IOracleAdapter.Report = signed.report
        self._check_report_feed(report.underlying)
        last: uint256 = sources._seen(report.underlying, feed_word.REPORTS)
        if report.observed_at <= observation._time(last):
            continue
        mid: uint256 = self._check_report(report)
        report_signatures._check_signatures(signed)
        status: uint256 = self._stricter(report)
        seen: uint256 = observation._pack(mid, report.confidence, report.observed_at, report.observed_at, status)
        seen |= report.multiplier << observation.MULTIPLIER_AT
        sources._see(report.underlying, feed_word.REPORTS, seen)
        written = unsafe_add(written, self._aggregate(report.underlying))
    return written


@external
def refresh(underlyings: DynArray[uint256, 32]) -> uint256:
    written: uint256 = 0
    for underlying: uint256 in underlyings:
        sources._pull(underlying)
        written = unsafe_add(written, self._aggregate(underlying))
    return written


# views


@view
@external
def read(underlyings: DynArray[uint256, 32]) -> (DynArray[uint256, 32], IMarginModel.Closure):
    """
    @dev Every margin check pays for every turn of this loop, so a fresh word is read without an internal call.
         Whether a word is shut decides its doubt, never the closure: that is the same for every account.
    """
    words: DynArray[uint256, 32] = []
    facts: IMarginModel.Closure = empty(IMarginModel.Closure)
    shut: bool = False
    facts, shut = calendar._closure()
    packed_limits: uint256 = session_limits._PACKED
    for underlying: uint256 in underlyings:
        word: uint256 = price_word.WORD_MASK & (
            self._words[underlying >> 1] >> unsafe_mul(underlying & 1, price_word.WORD_BITS)
        )
        session: uint256 = (word >> price_word.SESSION_AT) & price_word.SESSION_MASK
        if shut and session != price_word.SESSION_ALWAYS_OPEN:
            # nobody may have said so of this word yet
            word ^= (session ^ price_word.SESSION_CLOSED) << price_word.SESSION_AT
            session = price_word.SESSION_CLOSED
        age_limit: uint256 = (packed_limits >> unsafe_mul(session, session_limits.LANE_BITS)) & session_limits.AGE_MAX
        fresh_until: uint256 = unsafe_add((word >> price_word.TIME_AT) & price_word.TIME_MAX, age_limit)
        frozen: bool = (price_word.LIVE_STATES >> (word >> price_word.SESSION_AT)) & 1 == 0
        if frozen or word & earnings.FLAG != 0 or block.timestamp > fresh_until:
            word = session_limits._doubted(word, fresh_until, frozen)
            if word & earnings.FLAG != 0:
                word = earnings._told(word, underlying)
        words.append(word)
    return words, facts


@view
@external
def closure() -> IMarginModel.Closure:
    return calendar._closure()[0]


@view
@external
def closures(week: uint256) -> DynArray[IOracleAdapter.Closing, 4]:
    return calendar._closures(week)


@view
@external
def word(underlying: uint256) -> uint256:
    return self._stored(underlying)


@view
@external
def feed(underlying: uint256) -> IOracleAdapter.Feed:
    return sources._feed(underlying)


@view
@external
def event_of(underlying: uint256) -> IOracleAdapter.Closing:
    lane: uint256 = earnings._lane(underlying)
    return IOracleAdapter.Closing(start=lane & price_word.TIME_MAX, end=lane >> earnings.END_AT)


@view
@external
def limits() -> IOracleAdapter.Limits:
    return session_limits._unpack()


@view
@external
def report_hash(report: IOracleAdapter.Report) -> bytes32:
    return report_signatures._report_hash(report)


# calendar


@external
def post_closures(closures: DynArray[IOracleAdapter.Closing, 64], covered_until: uint256):
    roles._check_calendar()
    calendar._post(closures, covered_until)


@external
def add_closure(start: uint256, end: uint256):
    roles._check_guardian()
    calendar._add(IOracleAdapter.Closing(start=start, end=end))


@external
def post_event(underlying: uint256, start: uint256, end: uint256):
    if not access_control.hasRole[roles.CALENDAR_ROLE][msg.sender]:
        roles._check_guardian()
    self._check_underlying(underlying)
    earnings._check_event(underlying, start, end)
    earnings._store(underlying, start, end)
    self._words[underlying >> 1] |= earnings.FLAG << self._offset(underlying)


@external
def remove_event(underlying: uint256):
    roles._check_timelock()
    earnings._store(underlying, 0, 0)


@external
def remove_closure(start: uint256):
    roles._check_timelock()
    calendar._remove(start)


# administration


@external
def set_feed(underlying: uint256, feed: IOracleAdapter.Feed):
    roles._check_timelock()
    self._check_underlying(underlying)
    sources._set(underlying, feed)
    price_memory._forget(underlying)


@external
def set_signer(signer: address, allowed: bool):
    if allowed:
        roles._check_timelock()
    else:
        roles._check_guardian()
    report_signatures._set_signer(signer, allowed)


@external
def set_threshold(threshold: uint256):
    if threshold > report_signatures.threshold:
        roles._check_guardian()
    else:
        roles._check_timelock()
    report_signatures._set_threshold(threshold)


@external
def set_halt(underlying: uint256, halted: bool):
    if halted:
        roles._check_guardian()
    else:
        roles._check_timelock()
    self._check_underlying(underlying)
    word: price_word.Word = price_word._unpack(self._stored(underlying))
    if halted:
        word.flags |= price_word.HALTED
    elif word.flags & price_word.HALTED != 0:
        word.flags = word.flags & ~price_word.HALTED | price_word.REOPENING
        price_memory._await_reopening(underlying)
    self._store(underlying, word)
    log IOracleAdapter.HaltSet(underlying=underlying, halted=halted)


# internal


@internal
@view
def _check_underlying(underlying: uint256):
    assert underlying < UNDERLYINGS, "oracle: bad underlying"


@internal
@view
def _check_report_feed(underlying: uint256):
    source: uint256 = feed_word._source(sources._feeds[underlying])
    assert source & feed_word.REPORTS != 0, "oracle: not a report feed"


@internal
@view
def _check_report(report: IOracleAdapter.Report) -> uint256:
    """
    @return 8 decimals, rounded down by less than 1e-8 USD; a mid favours nobody.
    @dev A closed report makes no price, but one that states a void price is still one nobody could have meant.
    """
    assert report.status <= price_word.SESSION_ALWAYS_OPEN, "oracle: bad status"
    assert report.observed_at <= block.timestamp, "oracle: report from the future"
    age: uint256 = unsafe_sub(block.timestamp, report.observed_at)
    assert age <= session_limits._report_age(report.status), "oracle: report too old"
    assert report.confidence <= price_word.FULL_WIDTH, "oracle: bad confidence"
    assert 0 < report.multiplier and report.multiplier <= corporate_action.MULTIPLIER_MAX, "oracle: bad multiplier"
    mid: uint256 = 0
    if report.price <= price_word.MID_MAX:
        mid = unsafe_div(unsafe_mul(report.price, report.multiplier), corporate_action.MULTIPLIER_ONE)
    assert 0 < mid and mid <= price_word.MID_MAX, "oracle: bad price"
    return mid


@internal
@view
def _stored(underlying: uint256) -> uint256:
    return (self._words[underlying >> 1] >> self._offset(underlying)) & price_word.WORD_MASK


@internal
@pure
def _offset(underlying: uint256) -> uint256:
    return unsafe_mul(underlying & 1, price_word.WORD_BITS)


@internal
def _store(underlying: uint256, word: price_word.Word):
    offset: uint256 = self._offset(underlying)
    neighbour: uint256 = self._words[underlying >> 1] & ~(price_word.WORD_MASK << offset)
    self._words[underlying >> 1] = neighbour | (price_word._pack(word) << offset)


@internal
@view
def _stricter(report: IOracleAdapter.Report) -> uint256:
    """
    @notice The status, unless the calendar knows the exchange to have been shut.
    """
    if report.status != price_word.SESSION_ALWAYS_OPEN:
        feed: uint256 = sources._feeds[report.underlying]
        always_open: bool = feed_word._session(feed) == price_word.SESSION_ALWAYS_OPEN
        if not always_open and sources._is_shut_at(report.observed_at):
            return price_word.SESSION_CLOSED
    return report.status


@internal
def _aggregate(underlying: uint256) -> uint256:
    """
    @notice Write the word from what its sources said last.
    @return How many words have changed.
    @dev A function of stored observations and the block's time: neither who calls nor in which order has a say.
    """
    heard: sources.Heard = sources._heard(underlying)
    stored: uint256 = self._stored(underlying)
    word: price_word.Word = price_word._unpack(stored)
    if word.flags & price_word.EVENTFUL != 0 and earnings._is_over(underlying):
        word.flags &= ~price_word.EVENTFUL
    if heard.session == price_word.SESSION_CLOSED:
        if word.mid == 0:
            return 0
        word.time = max(word.time, heard.time)
        word.half_width = session_limits._half_width(heard.confidence, heard.floor_of)
        word.session = heard.session
    else:
        verdict: consensus.Verdict = consensus._of(heard.seen, session_limits._tolerance(heard.session))
        feed: uint256 = sources._feeds[underlying]
        if feed_word._issued(feed):
            paused: bool = word.flags & price_word.PAUSED != 0
            frozen: bool = corporate_action._is_frozen(
                underlying, paused, word.mid, verdict.mid, heard.multiplier, feed_word._jump(feed)
            )
            if frozen:
                word.flags |= price_word.PAUSED
                return self._write(underlying, stored, word)
        if verdict.count == 0:
            return 0
        memory: price_memory.Memory = price_memory._recalled(underlying, word.mid, verdict.mid)
        # a closure that nobody has marked is one all the same, and the first price of all reopens nothing
        was_shut: bool = (price_word.LIVE_SESSIONS >> word.session) & 1 == 0 or (
            heard.session != price_word.SESSION_ALWAYS_OPEN and calendar._is_shut(word.time, block.timestamp)[1]
        )
        was_shut = was_shut and word.mid != 0
        memory.reopened_at = price_memory._reopened_at(memory.reopened_at, verdict.time, was_shut)
        word.flags &= ~(BY_SOURCES | price_word.PAUSED)
        if memory.reopened_at != 0:
            word.flags |= price_word.REOPENING
        # Twice as far apart as doubt can make good: nobody knows the price, and the last one they agreed on grows old.
        believed: bool = verdict.agreed or unsafe_mul(2, verdict.spread) <= session_limits._shut()
        if believed:
            believed, memory = price_memory._judged(memory, verdict.mid, verdict.time, feed_word._jump(feed))
        if not (believed and verdict.agreed):
            word.flags |= BY_SOURCES
        elif verdict.count == 1 and not feed_word._alone(feed):
            word.flags |= price_word.REDUCE_ONLY
        if believed:
            word.mid = verdict.mid
            word.time = verdict.time
            word.half_width = max(verdict.spread, session_limits._half_width(verdict.confidence, heard.floor_of))
            word.session = heard.session
        word.slow = price_memory._offset(memory.slow, word.mid)
        price_memory._remember(underlying, memory)
    return self._write(underlying, stored, word)


@internal
def _write(underlying: uint256, stored: uint256, word: price_word.Word) -> uint256:
    """
    @return How many words have changed.
    """
    if price_word._pack(word) == stored:
        return 0
    self._store(underlying, word)
    log IOracleAdapter.WordUpdated(
        underlying=underlying,
        mid=word.mid,
        half_width=word.half_width,
        session=word.session,
        flags=word.flags,
        time=word.time,
    )
    return 1
