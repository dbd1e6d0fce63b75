# pragma version 0.4.3
"""
@title risk
@license AGPL-3.0-only
@author Prime Perps
@notice From holdings to margin: one oracle read for all words, one model call. Equity is rounded down, requirements up.
"""
from contracts.interfaces import IMarginModel
from contracts.interfaces import IOracleAdapter
from contracts.interfaces import IPerpClearinghouse
from ..common import bits
from ..oracle import price_word
from . import cash_market
from . import funding
from . import ledger
from . import settings

uses: cash_market
uses: funding
uses: ledger
uses: settings


struct Change:
    underlying: uint256
    size: int256  # nano
    value: int256  # wad of cash and quote


struct Listing:
    underlying: uint256
    units: uint256  # wad units of the underlying per token; 0 when not listed


struct Deferral:
    on: bool
    equity: int256  # wad, when the deferral began
    maintenance: uint256  # wad, then
    initial: uint256  # wad, then


WAD: constant(uint256) = 10**18
SIZE_SHIFT: constant(uint256) = 256 - ledger.SIZE_BITS
BPS: constant(uint256) = 10**4
# Added before and taken away after, so that a division rounds down on both sides of zero.
LIFT: constant(int256) = 2**200
MID: constant(uint256) = 10**8
# size (1e-9) x mid (1e-8 USD) into wad, exactly.
PERP_VALUE: constant(int256) = 10
HALTED: constant(uint256) = price_word.HALTED << price_word.FLAGS_AT
# The part of maintenance margin that an unhealthy account must at least shed with each trade: a hundredth.
LEAST_REDUCTION: constant(uint256) = 100
UNITS_MAX: constant(uint256) = 10**24


ORACLE: immutable(address)

# what tokens of further issuers stand for; never changed once listed
_listings: HashMap[uint256, Listing]
# accounts whose margin is checked once, when what they are a part of ends
_deferrals: transient(HashMap[uint256, Deferral])


@deploy
def __init__(oracle: address):
    ORACLE = oracle


# words


@internal
@view
def _read(underlyings: DynArray[uint256, 32]) -> (DynArray[uint256, 32], IMarginModel.Closure):
    return staticcall IOracleAdapter(ORACLE).read(underlyings)


@internal
@view
def _read_one(underlying: uint256) -> price_word.Word:
    words: DynArray[uint256, 32] = []
    closure: IMarginModel.Closure = empty(IMarginModel.Closure)
    words, closure = self._read([underlying])
    return price_word._unpack(words[0])


# tokens of further issuers


@internal
@view
def _listing(instrument: uint256) -> Listing:
    return self._listings[instrument]


@internal
def _list(instrument: uint256, underlying: uint256, units: uint256):
    assert (
        ledger.FIRST_OTHER <= instrument
        and instrument < ledger.CASH
        and underlying < ledger.UNDERLYINGS
        and 0 < units
        and units <= UNITS_MAX
    ), "clearing: out of range"
    self._listings[instrument] = Listing(underlying=underlying, units=units)
    log IPerpClearinghouse.OtherTokenListed(instrument=instrument, underlying=underlying, units_per_token=units)


@internal
@view
def _others_underlyings(others: uint256) -> uint256:
    """
    @return Bitmap of the underlyings that the held tokens of further issuers stand for.
    """
    bitmap: uint256 = 0
    places: DynArray[uint256, 32] = bits._members(others)
    for place: uint256 in places:
        bitmap |= 1 << self._listings[ledger.FIRST_OTHER + place].underlying
    return bitmap


@internal
@view
def _others_units(account: uint256, others: uint256, underlying: uint256) -> uint256:
    """
    @return wad units of the underlying in tokens of further issuers, rounded down.
    """
    units: uint256 = 0
    places: DynArray[uint256, 32] = bits._members(others)
    for place: uint256 in places:
        listing: Listing = self._listings[ledger.FIRST_OTHER + place]
        if listing.underlying == underlying:
            units += ledger._other(account, ledger.FIRST_OTHER + place) * listing.units // WAD
    return units


# margin


@internal
@view
def _margin(account: uint256, undo: Change, judged: bool) -> IPerpClearinghouse.Margin:
    """
    @notice The account's margin, without `undo`: the change of a trade whose risk is compared.
    @param judged Whether `live` is wanted, which asks the model once more while a line is frozen.
    """
    header: ledger.Header = ledger._header(account)
    lines: uint256 = header.lines
    if header.others != 0:
        lines |= self._others_underlyings(header.others)
    undone: uint256 = ledger.UNDERLYINGS
    if undo.size != 0:
        undone = undo.underlying
        lines |= 1 << undone
    balances: ledger.Balances = ledger._balances(account)
    margin: IPerpClearinghouse.Margin = empty(IPerpClearinghouse.Margin)
    margin.cash = cash_market._amount(balances.shares)
    margin.quote = balances.quote
    debt: uint256 = convert(unsafe_sub(0, min(margin.cash, 0)), uint256)
    if lines == 0 and debt == 0:
        margin.equity = margin.cash + margin.quote - undo.value
        return margin

    held: DynArray[uint256, 32] = bits._members(lines)
    words: DynArray[uint256, 32] = []
    closure: IMarginModel.Closure = empty(IMarginModel.Closure)
    # not through `_read`: a margin check need not copy both lists once more
    words, closure = staticcall IOracleAdapter(ORACLE).read(held)
    exposures: DynArray[IMarginModel.Exposure, 32] = []
    frozen: uint256 = 0  # a bit for each place in `held` at whose price nobody can trade
    frozen_doubt: uint256 = 0
    slow: int256 = 0  # wad bps
    k: uint256 = 0
    for underlying: uint256 in held:
        word: uint256 = words[k]
        mid: uint256 = word & price_word.MID_MAX
        # as the ledger unpacks it, in place
        position: uint256 = ledger._positions[account][underlying]
        size: int256 = convert(convert(position << SIZE_SHIFT, bytes32), int256) >> SIZE_SHIFT
        # |size| < 2^79, token < 2^96, mid < 2^56 and at most 32 lines: no product or sum below can overflow
        if size != 0:
            since: int256 = convert(convert(position, bytes32), int256) >> SIZE_SHIFT
            owed: int256 = funding._owed_up(size, funding._index(underlying, mid), since)
            margin.funding_owed = unsafe_add(margin.funding_owed, owed)
        if underlying == undone:
            size = unsafe_sub(size, undo.size)
        perp: int256 = unsafe_mul(unsafe_mul(size, convert(convert(mid, bytes32), int256)), PERP_VALUE)
        token: uint256 = (position >> ledger.SIZE_BITS) & ledger.TOKEN_MAX
        token = unsafe_div(unsafe_mul(token, mid), MID)
        other: uint256 = 0
        if header.others != 0:
            other = self._others_units(account, header.others, underlying) * mid // MID
        margin.token_value = unsafe_add(margin.token_value, unsafe_add(token, other))
        margin.perp_value = unsafe_add(margin.perp_value, perp)
        net: int256 = unsafe_add(convert(unsafe_add(token, other), int256), perp)
        # as price_word unpacks it, in place
        slow_offset: int256 = convert(convert(word << (256 - price_word.SESSION_AT), bytes32), int256) >> 240
        slow = unsafe_add(slow, unsafe_mul(net, slow_offset))
        eventful: uint256 = 0
        # one look for a live state, no doubt and no event: what stands above the state shifts everything out
        if (price_word.LIVE_STATES >> (word >> price_word.SESSION_AT)) & 1 == 0:
            live: uint256 = (price_word.LIVE_STATES >> ((word >> price_word.SESSION_AT) & price_word.STATE_MASK)) & 1
            frozen |= (live ^ 1) << k
            # up: liquidation gives the account the benefit of it
            doubt: uint256 = convert(abs(net), uint256) * ((word >> price_word.DOUBT_AT) & price_word.BPS_MASK)
            doubt = (doubt + BPS - 1) // BPS
            margin.doubt += doubt
            frozen_doubt += doubt * (live ^ 1)
            eventful = word >> price_word.EVENTFUL_AT
            if word & HALTED != 0:
                # a halt counts as an event too, but nobody could prepare for it: initial margin has all of the event
                # factor, maintenance a ten-thousandth
                eventful = max(eventful, 1)
        k = unsafe_add(k, 1)
        exposures.append(
            IMarginModel.Exposure(
                underlying=underlying,
                token=token,
                other=other,
                perp=perp,
                width=(word >> price_word.HALF_WIDTH_AT) & price_word.BPS_MASK,
                eventful=eventful,
            )
        )
    # each below 2^170
    margin.equity = unsafe_sub(
        unsafe_add(
            unsafe_add(unsafe_add(margin.cash, margin.quote), convert(convert(margin.token_value, bytes32), int256)),
            margin.perp_value,
        ),
        unsafe_add(margin.funding_owed, undo.value),
    )
    margin.slow = unsafe_sub(unsafe_div(unsafe_add(slow, LIFT * 10**4), 10**4), LIFT)
    model: IMarginModel = IMarginModel(settings._model())
    margin.maintenance, margin.initial = staticcall model.requirements(exposures, closure, debt)
    margin.live = margin.maintenance - min(margin.doubt, margin.maintenance)
    if frozen != 0 and judged:
        left: uint256 = 0
        for place: uint256 in range(k, bound=32):
            if (frozen >> place) & 1 == 0:
                exposures[left] = exposures[place]
                left += 1
        for place: uint256 in range(k - left, bound=32):
            exposures.pop()
        maintenance: uint256 = (staticcall model.requirements(exposures, closure, 0))[0]
        margin.live = min(margin.live, maintenance - min(margin.doubt - frozen_doubt, maintenance))
    return margin


@internal
@view
def _check_change(account: uint256, change: Change):
    """
    @notice CH-4: meet initial margin, also at the slow prices, or have less risk than without the change and be no
            less healthy.
    @dev An account whose equity is gone may not lose any more of it: that would be somebody else's money. One below
         maintenance must shed a hundredth of it with each trade.
    """
    if self._deferrals[account].on:
        return
    margin: IPerpClearinghouse.Margin = self._margin(account, empty(Change), False)
    if self._meets_initial(margin):
        return
    # withdrawing and receiving a slice are never a reduction: they pass no change
    self._check_allowed(change.size != 0)
    before: IPerpClearinghouse.Margin = self._margin(account, change, False)
    self._check_reduced(margin, before.equity, before.maintenance)


@internal
@pure
def _meets_initial(margin: IPerpClearinghouse.Margin) -> bool:
    return min(margin.equity, margin.equity + margin.slow) >= convert(margin.initial, int256)


@internal
@pure
def _check_reduced(margin: IPerpClearinghouse.Margin, equity: int256, maintenance: uint256):
    """
    @notice Less risk than the `maintenance` of before, and no less healthy than with the `equity` of then.
    """
    no_worse: bool = margin.equity >= equity
    if equity > 0:
        no_worse = margin.equity * convert(maintenance, int256) >= equity * convert(margin.maintenance, int256)
    least: uint256 = 1
    if equity < convert(maintenance, int256):
        # every trade changes the state that liquidators decide on: dust must not keep them off
        least = max(maintenance // LEAST_REDUCTION, 1)
    self._check_allowed(margin.maintenance + least <= maintenance and no_worse)


# checks put off


@internal
def _defer(account: uint256):
    self._check_not_deferred(account)
    margin: IPerpClearinghouse.Margin = self._margin(account, empty(Change), False)
    self._deferrals[account] = Deferral(
        on=True, equity=margin.equity, maintenance=margin.maintenance, initial=margin.initial
    )


@internal
def _end_deferral(account: uint256, may_reduce: bool):
    """
    @notice CH-4, for all that has happened to the account since `_defer`.
    @param may_reduce Whether less risk than at the beginning is enough, as for one trade: only where nobody could have
           submitted a price in between, or what it brings could be taken out until the old equity is left.
    """
    deferral: Deferral = self._deferrals[account]
    assert deferral.on, "risk: not deferred"
    self._deferrals[account].on = False
    margin: IPerpClearinghouse.Margin = self._margin(account, empty(Change), False)
    if not self._meets_initial(margin):
        # of several lines one may have taken the place of another, which one trade cannot do
        self._check_allowed(may_reduce and margin.initial <= deferral.initial)
        self._check_reduced(margin, deferral.equity, deferral.maintenance)


@internal
@view
def _check_not_deferred(account: uint256):
    assert not self._deferrals[account].on, "risk: checks deferred"


@internal
@pure
def _check_allowed(allowed: bool):
    assert allowed, "risk: below initial"
