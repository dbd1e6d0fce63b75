# pragma version 0.4.3
"""
@title sources
@license AGPL-3.0-only
@author Prime Perps
@notice Which sources an underlying has, what each of them said last, and which of it still counts.
"""
from contracts.interfaces import IAggregatorV3
from contracts.interfaces import IOracleAdapter

from . import aggregator
from . import calendar
from . import corporate_action
from . import feed_word
from . import observation
from . import price_word
from . import pyth
from . import session_limits

uses: calendar
uses: corporate_action
uses: session_limits


struct PythPrice:
    pyth: address
    price_id: bytes32


struct Heard:
    session: uint256
    time: uint256  # unix seconds, as of when it is known: of the report that states it, or now
    confidence: uint256  # bps, of that report
    multiplier: uint256  # wad, of that report if its price counts
    floor_of: uint256  # the session whose floor is the narrowest half-width
    seen: DynArray[uint256, 3]  # observations that count


_feeds: HashMap[uint256, uint256]
_pyth_prices: HashMap[uint256, PythPrice]
_observations: HashMap[uint256, uint256]  # four places an underlying: source 1, 2 and 4 at 0, 1 and 2


@internal
def _set(underlying: uint256, feed: IOracleAdapter.Feed):
    """
    @dev What push feeds have said is forgotten, as it may have been another feed. What reports have said is not, or
         they could be submitted once more.
    """
    self._check_feed(feed)
    self._feeds[underlying] = feed_word._pack(feed)
    self._pyth_prices[underlying] = PythPrice(pyth=feed.pyth, price_id=feed.price_id)
    corporate_action._set_issuer(underlying, feed.issuer, feed.token)
    self._observations[self._place(underlying, feed_word.AGGREGATOR)] = 0
    self._observations[self._place(underlying, feed_word.PYTH)] = 0
    log IOracleAdapter.FeedSet(underlying=underlying, feed=feed)


@internal
@view
def _feed(underlying: uint256) -> IOracleAdapter.Feed:
    feed: IOracleAdapter.Feed = feed_word._unpack(self._feeds[underlying])
    kept: PythPrice = self._pyth_prices[underlying]
    feed.pyth = kept.pyth
    feed.price_id = kept.price_id
    issuer: corporate_action.Issuer = corporate_action._issuers[underlying]
    feed.issuer = issuer.source
    feed.token = issuer.token
    return feed


@internal
@view
def _seen(underlying: uint256, source: uint256) -> uint256:
    return self._observations[self._place(underlying, source)]


@internal
def _see(underlying: uint256, source: uint256, seen: uint256):
    self._observations[self._place(underlying, source)] = seen


@internal
def _pull(underlying: uint256):
    """
    @dev A price made while the exchange is shut is not even looked at (OR-2).
    """
    feed: IOracleAdapter.Feed = self._feed(underlying)
    if feed.session != price_word.SESSION_ALWAYS_OPEN and self._is_shut_at(block.timestamp):
        return
    for source: uint256 in [feed_word.AGGREGATOR, feed_word.PYTH]:
        if feed.source & source != 0:
            last: uint256 = observation._stated_at(self._seen(underlying, source))
            said: uint256 = 0
            if source == feed_word.PYTH:
                said = pyth._pull(feed, last)
            else:
                said = aggregator._pull(feed, last)
            if said != 0:
                self._see(underlying, source, said)


@internal
@view
def _heard(underlying: uint256) -> Heard:
    """
    @notice The session, and the observations that are young and certain enough for it.
    """
    packed: uint256 = self._feeds[underlying]
    source: uint256 = feed_word._source(packed)
    heard: Heard = empty(Heard)
    stated: bool = False
    if source & feed_word.REPORTS != 0:
        report: uint256 = self._seen(underlying, feed_word.REPORTS)
        heard.session = observation._session(report)
        stated = self._is_young(report, heard.session)
        if stated:
            heard.time = observation._time(report)
        if stated and heard.session == price_word.SESSION_CLOSED:
            # what it says of a posted closure ends with that
            stated = self._is_shut_at(block.timestamp) or not self._is_shut_at(heard.time)
        if stated:
            heard.confidence = observation._confidence(report)
            heard.floor_of = heard.session
            if self._is_certain(report, heard.session):
                heard.seen.append(report)
                heard.multiplier = observation._multiplier(report)
    if not stated:
        heard.session = self._session_by_the_clock(packed)
        heard.time = block.timestamp
        # the widest, as the clock cannot tell the sessions of a day apart
        always_open: bool = heard.session == price_word.SESSION_ALWAYS_OPEN
        heard.floor_of = price_word.SESSION_ALWAYS_OPEN if always_open else price_word.SESSION_UNKNOWN
    for push: uint256 in [feed_word.AGGREGATOR, feed_word.PYTH]:
        if source & push != 0:
            one: uint256 = self._seen(underlying, push)
            if self._is_young(one, heard.session) and self._is_certain(one, heard.session):
                heard.seen.append(one)
    return heard


@internal
@view
def _is_young(one: uint256, session: uint256) -> bool:
    """
    @dev What has never been seen is as old as time.
    """
    return unsafe_sub(block.timestamp, observation._time(one)) <= session_limits._age(session)


@internal
@view
def _is_certain(one: uint256, session: uint256) -> bool:
    return observation._confidence(one) <= session_limits._tolerance(session)


@internal
@view
def _session_by_the_clock(packed: uint256) -> uint256:
    """
    @dev The regular session has the shortest age and the least tolerance.
    """
    if feed_word._session(packed) == price_word.SESSION_ALWAYS_OPEN:
        return price_word.SESSION_ALWAYS_OPEN
    covered: bool = False
    shut: bool = False
    covered, shut = calendar._is_shut(block.timestamp, block.timestamp)
    if shut:
        return price_word.SESSION_CLOSED
    return price_word.SESSION_REGULAR if covered else price_word.SESSION_UNKNOWN


@internal
@view
def _is_shut_at(time: uint256) -> bool:
    return calendar._is_shut(time, time)[1]


@internal
@pure
def _place(underlying: uint256, source: uint256) -> uint256:
    return (underlying << 2) | (source >> 1)


@internal
@view
def _check_feed(feed: IOracleAdapter.Feed):
    """
    @dev A session other than unknown or always open would let a feed, which does not know it, state that the exchange
         is open or shut.
    """
    sound: bool = feed.source <= feed_word.ALL and feed.jump <= price_word.FULL_WIDTH and (
        feed.session == price_word.SESSION_UNKNOWN
        or (feed.session == price_word.SESSION_ALWAYS_OPEN and feed.source > feed_word.REPORTS)
    )
    if feed.source & feed_word.AGGREGATOR != 0:
        sound = (
            sound
            and feed.aggregator.is_contract
            and feed.decimals <= observation.DECIMALS_MAX
            and 0 < feed.heartbeat and feed.heartbeat <= feed_word.HEARTBEAT_MAX
            and feed.confidence <= price_word.FULL_WIDTH
        )
        if sound:
            decimals: uint8 = staticcall IAggregatorV3(feed.aggregator).decimals()
            sound = convert(decimals, uint256) == feed.decimals
    else:
        rest: uint256 = feed.decimals | feed.heartbeat | feed.confidence | convert(feed.aggregator, uint256)
        sound = sound and rest == 0
    if feed.source & feed_word.PYTH != 0:
        sound = sound and feed.pyth.is_contract and feed.price_id != empty(bytes32)
    else:
        sound = sound and feed.pyth == empty(address) and feed.price_id == empty(bytes32)
    if feed.issuer != empty(address):
        # without a band nothing would be continuous, or everything
        sound = sound and feed.issuer.is_contract and feed.token != empty(address) and feed.jump != 0
    else:
        sound = sound and feed.token == empty(address)
    assert sound, "oracle: bad feed"
