# pragma version 0.4.3
"""
@title throttle
@license AGPL-3.0-only
@author Prime Perps
@notice How much of an underlying may be liquidated in a window of time: a bucket that fills with the net exposure that
        slices move and leaks as time passes. It takes half of the cap at once and leaks the other half in a window, so
        that no window sees more than the cap. Time counts while the exchange of the underlying is open, by the
        calendar; what nobody can trade (`frozen`) neither fills a bucket nor is held up by one.

        Bucket: 192 bits level (wad USD), 64 bits time.
"""
from contracts.interfaces import ILiquidationEngine
from contracts.interfaces import IMarginModel
from contracts.interfaces import IOracleAdapter
from contracts.interfaces import IPerpClearinghouse
from ..common import bits
from ..oracle import price_memory
from ..oracle import price_word
from ..vault import assets


struct Token:
    underlying: uint256
    units: uint256  # wad units of the underlying


struct Line:
    underlying: uint256
    net: uint256  # wad USD, |token + other + perp| of the whole account
    level: uint256  # wad USD, in the bucket as of now


WAD: constant(uint256) = 10**18
BPS: constant(uint256) = 10**4
HOUR: constant(uint256) = 3_600
# seconds in which nobody can trade at the prices of an exchange that has reopened, at least
REOPENING: constant(uint256) = price_memory.REOPENING
WEEK: constant(uint256) = 7 * 86_400
LEVEL_BITS: constant(uint256) = 192
LEVEL_MASK: constant(uint256) = 2**192 - 1
MID: constant(uint256) = 10**8
# sizes are in 1e-9 units
NANO: constant(int256) = 10**9

BOOK: immutable(IPerpClearinghouse)
ORACLE: immutable(IOracleAdapter)

_buckets: HashMap[uint256, uint256]


@deploy
def __init__(book: address):
    BOOK = IPerpClearinghouse(book)
    ORACLE = IOracleAdapter(staticcall BOOK.oracle())


@internal
@view
def _allowed_down(
    account: uint256, wanted: uint256, least: uint256, terms: ILiquidationEngine.Terms
) -> (uint256, DynArray[Line, 32]):
    """
    @notice How much of a slice all its buckets have room for.
    @param wanted wad of the account.
    @param least wad of the account: what an empty bucket always has room for, or an account that is large against the
           cap would wait for ever.
    @return (wad of the account, at most `wanted`, rounded down; what `_fill` needs).
    """
    bitmap: uint256 = 0
    others: uint256 = 0
    bitmap, others = staticcall BOOK.holdings(account)
    tokens: DynArray[Token, 32] = self._others(account, others)
    for token: Token in tokens:
        bitmap |= 1 << token.underlying
    held: DynArray[uint256, 32] = bits._members(bitmap)
    open: DynArray[uint256, 32] = []
    nets: DynArray[uint256, 32] = []
    for underlying: uint256 in held:
        units: uint256 = self._net(account, underlying, tokens)
        if units != 0:
            open.append(underlying)
            nets.append(units)
    lines: DynArray[Line, 32] = []
    if len(open) == 0:
        return wanted, lines
    words: DynArray[uint256, 32] = []
    closure: IMarginModel.Closure = empty(IMarginModel.Closure)
    words, closure = staticcall ORACLE.read(open)
    model: address = (staticcall BOOK.settings()).model
    fraction: uint256 = wanted
    k: uint256 = 0
    for underlying: uint256 in open:
        word: uint256 = words[k]
        net: uint256 = nets[k] * (word & price_word.MID_MAX) // MID
        k = unsafe_add(k, 1)
        if net == 0 or self._is_frozen(word):
            continue
        cap: uint256 = self._cap(underlying, word, model, terms)
        if cap == 0:
            # nothing is known of it that could be a measure
            continue
        level: uint256 = self._level(underlying, word, cap, terms.throttle_window)
        room: uint256 = cap // 2 - min(level, cap // 2)
        part: uint256 = room * WAD // net
        if level == 0:
            part = max(part, least)
        fraction = min(fraction, part)
        lines.append(Line(underlying=underlying, net=net, level=level))
    return fraction, lines


@internal
def _fill(lines: DynArray[Line, 32], fraction: uint256):
    for line: Line in lines:
        level: uint256 = line.level + (line.net * fraction + WAD - 1) // WAD
        self._buckets[line.underlying] = level | (block.timestamp << LEVEL_BITS)


@internal
@view
def _state(underlying: uint256, terms: ILiquidationEngine.Terms) -> ILiquidationEngine.Throttle:
    """
    @notice One bucket as of now.
    """
    model: address = (staticcall BOOK.settings()).model
    word: uint256 = (staticcall ORACLE.read([underlying]))[0][0]
    cap: uint256 = self._cap(underlying, word, model, terms)
    level: uint256 = self._level(underlying, word, cap, terms.throttle_window)
    room: uint256 = cap // 2 - min(level, cap // 2)
    if cap == 0 or self._is_frozen(word):
        room = max_value(uint256)
    return ILiquidationEngine.Throttle(cap=cap, level=level, room=room)


@internal
@view
def _cap(
    underlying: uint256, word: uint256, model: address, terms: ILiquidationEngine.Terms
) -> uint256:
    """
    @return wad USD a window: a part of the open interest, or of what the exchange trades, whichever is more.
    """
    depth: uint256 = (staticcall IMarginModel(model).line(underlying)).depth * WAD
    interest: uint256 = (staticcall BOOK.market(underlying)).open_interest
    value: uint256 = interest * (word & price_word.MID_MAX) * convert(NANO, uint256) // MID
    return max(value * terms.throttle_interest, depth * terms.throttle_depth) // BPS


@internal
@view
def _level(underlying: uint256, word: uint256, cap: uint256, window: uint256) -> uint256:
    """
    @notice What is in a bucket now, wad USD, rounded up: it leaks half of the cap in each window of open time.
    """
    bucket: uint256 = self._buckets[underlying]
    level: uint256 = bucket & LEVEL_MASK
    if level == 0:
        return 0
    leaked: uint256 = cap // 2 * self._open_time(bucket >> LEVEL_BITS, word, window) // window
    return level - min(level, leaked)


@internal
@view
def _open_time(since: uint256, word: uint256, window: uint256) -> uint256:
    """
    @notice Seconds since a time at which the exchange was open, to now, when it is again, without the closure it has
            reopened from. That takes an hour at least, more than a window and the doubt of a reopening together, and
            between two the exchange is open for longer than a window: only one that has ended of late can matter.
    """
    elapsed: uint256 = block.timestamp - since
    if elapsed < HOUR or (word >> price_word.SESSION_AT) & price_word.SESSION_MASK == price_word.SESSION_ALWAYS_OPEN:
        return elapsed
    recent: uint256 = block.timestamp - window - REOPENING
    closures: DynArray[IOracleAdapter.Closing, 4] = staticcall ORACLE.closures(recent // WEEK)
    for closure: IOracleAdapter.Closing in closures:
        if closure.start <= recent and recent < closure.end and closure.end <= block.timestamp:
            reopened: uint256 = min(closure.end + REOPENING, block.timestamp)
            return block.timestamp - max(reopened, since) + closure.start - min(closure.start, since)
    return elapsed


@internal
@view
def _others(account: uint256, bitmap: uint256) -> DynArray[Token, 32]:
    """
    @notice The tokens of further issuers that an account holds.
    """
    found: DynArray[Token, 32] = []
    if bitmap != 0:
        places: DynArray[uint256, 32] = bits._members(bitmap)
        for place: uint256 in places:
            instrument: uint256 = assets.FIRST_OTHER + place
            underlying: uint256 = 0
            units: uint256 = 0
            underlying, units = staticcall BOOK.other_token(instrument)
            amount: uint256 = convert(staticcall BOOK.holding(account, instrument), uint256)
            found.append(Token(underlying=underlying, units=amount * units // WAD))
    return found


@internal
@view
def _net(account: uint256, underlying: uint256, tokens: DynArray[Token, 32]) -> uint256:
    """
    @notice What of an underlying would have to be traded away, wad units, whichever way.
    """
    position: IPerpClearinghouse.Position = staticcall BOOK.position(account, underlying)
    units: uint256 = position.token
    for token: Token in tokens:
        if token.underlying == underlying:
            units += token.units
    return convert(abs(convert(units, int256) + position.size * NANO), uint256)


@internal
@pure
def _is_frozen(word: uint256) -> bool:
    state: uint256 = (word >> price_word.SESSION_AT) & price_word.STATE_MASK
    return (price_word.LIVE_STATES >> state) & 1 == 0
