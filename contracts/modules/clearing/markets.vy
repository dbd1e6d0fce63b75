# pragma version 0.4.3
"""
@title markets
@license AGPL-3.0-only
@author Prime Perps
@notice The perps: which exist, how large they may become, how far from the index price they trade.

        Word: 80 bits open interest, 80 bits its cap (both nano), 16 bits band (bps), 40 bits funding depth (whole USD),
        1 bit listed, 1 bit reduce only.
"""
from contracts.interfaces import IPerpClearinghouse
from . import funding
from . import ledger

uses: funding


struct Limits:
    listed: bool
    reduce_only: bool
    open_interest: uint256
    cap: uint256
    band: uint256
    depth: uint256


INTEREST_MASK: constant(uint256) = 2**80 - 1
# Open interest stays below what a position can hold, so that one account can hold all of it.
INTEREST_MAX: constant(uint256) = 2**79 - 1
CAP_OFFSET: constant(uint256) = 80
BAND_OFFSET: constant(uint256) = 160
DEPTH_OFFSET: constant(uint256) = 176
LISTED: constant(uint256) = 1 << 216
REDUCE_ONLY: constant(uint256) = 1 << 217

BAND_MAX: constant(uint256) = 2_000
DEPTH_MAX: constant(uint256) = 10**12


_markets: HashMap[uint256, uint256]


@internal
@view
def _load(market: uint256) -> Limits:
    word: uint256 = self._markets[market]
    return Limits(
        listed=word & LISTED != 0,
        reduce_only=word & REDUCE_ONLY != 0,
        open_interest=word & INTEREST_MASK,
        cap=(word >> CAP_OFFSET) & INTEREST_MASK,
        band=(word >> BAND_OFFSET) & (2**16 - 1),
        depth=(word >> DEPTH_OFFSET) & (2**40 - 1),
    )


@internal
def _store(market: uint256, limits: Limits):
    word: uint256 = (
        limits.open_interest
        | (limits.cap << CAP_OFFSET)
        | (limits.band << BAND_OFFSET)
        | (limits.depth << DEPTH_OFFSET)
    )
    if limits.listed:
        word |= LISTED
    if limits.reduce_only:
        word |= REDUCE_ONLY
    self._markets[market] = word


@internal
@view
def _summary(market: uint256) -> IPerpClearinghouse.Market:
    limits: Limits = self._load(market)
    state: funding.Funding = funding._load(market)
    return IPerpClearinghouse.Market(
        listed=limits.listed,
        reduce_only=limits.reduce_only,
        open_interest=limits.open_interest,
        open_interest_cap=limits.cap,
        band=limits.band,
        funding_depth=limits.depth,
        funding_rate=state.rate,
        funding_index=state.index,
        funding_time=state.time,
    )


@internal
@pure
def _long(size: int256) -> uint256:
    return convert(max(size, 0), uint256)


@internal
def _change_interest(market: uint256, limits: Limits, before: uint256, after: uint256):
    """
    @notice Replace the longs of one or two accounts, `before`, by `after` in the open interest.
    @param limits The market as loaded; only growth is held to the cap.
    """
    if after == before:
        return
    changed: Limits = limits
    changed.open_interest = limits.open_interest + after - before
    self._check_interest(changed, after > before)
    self._store(market, changed)


@internal
@pure
def _check_interest(limits: Limits, grows: bool):
    assert not grows or limits.open_interest <= limits.cap, "trade: open interest cap"


@internal
def _set(market: uint256, cap: uint256, band: uint256, depth: uint256, reduce_only: bool):
    assert market < ledger.UNDERLYINGS, "markets: bad market"
    assert (
        cap <= INTEREST_MAX and 0 < band and band <= BAND_MAX and 0 < depth and depth <= DEPTH_MAX
    ), "markets: out of range"
    open_interest: uint256 = self._load(market).open_interest
    self._store(
        market,
        Limits(
            listed=True, reduce_only=reduce_only, open_interest=open_interest, cap=cap, band=band, depth=depth
        ),
    )
    log IPerpClearinghouse.MarketSet(
        market=market, open_interest_cap=cap, band=band, funding_depth=depth, reduce_only=reduce_only
    )
