# pragma version 0.4.3
# pragma nonreentrancy on
"""
@title SanityOracle
@license AGPL-3.0-only
@author Prime Perps
@notice Stands in for the issuer's check on its own quotes: a price it posts now and then for each token, good for a
        time and a deviation. Both are defaults until the first price of a token, and the token's own from then on.
"""
from contracts.interfaces import ISanityOracle
from snekmate.auth import ownable

implements: ISanityOracle

initializes: ownable


exports: (
    ownable.owner,
    ownable.transfer_ownership,
)


struct PriceData:
    price: uint256  # wad, USD per token
    lastUpdated: uint64  # unix seconds
    maxTimeDelay: uint32  # seconds
    allowedDeviationBps: uint16


event PricePosted:
    token: indexed(address)
    lastPricePosted: uint256
    lastUpdated: uint256
    newPrice: uint256
    updateAt: uint256


event BandSet:
    token: indexed(address)
    maxTimeDelay: uint32
    allowedDeviationBps: uint16


BPS: constant(uint256) = 10_000


default_max_time_delay: public(uint32)
default_deviation_bps: public(uint16)
_prices: HashMap[address, PriceData]


@deploy
def __init__(max_time_delay: uint32, deviation_bps: uint16):
    ownable.__init__()
    self._check_band(max_time_delay, deviation_bps)
    self.default_max_time_delay = max_time_delay
    self.default_deviation_bps = deviation_bps


@view
@external
def validatePrice(token: address, price: uint256):
    """
    @dev Reverts: "issuer: no price", "issuer: stale price", "issuer: price out of band".
    """
    posted: PriceData = self._prices[token]
    self._check_price(posted.price)
    last_second: uint256 = convert(posted.lastUpdated, uint256) + convert(posted.maxTimeDelay, uint256)
    assert block.timestamp <= last_second, "issuer: stale price"
    allowed: uint256 = posted.price * convert(posted.allowedDeviationBps, uint256) // BPS
    distance: uint256 = max(price, posted.price) - min(price, posted.price)
    assert distance <= allowed, "issuer: price out of band"


@view
@external
def prices(token: address) -> (uint256, uint64, uint32, uint16):
    posted: PriceData = self._prices[token]
    return posted.price, posted.lastUpdated, posted.maxTimeDelay, posted.allowedDeviationBps


@external
def post_price(token: address, price: uint256):
    """
    @notice Owner only. Reverts: "issuer: no price" for zero.
    @param price wad, USD per token.
    """
    ownable._check_owner()
    self._check_price(price)
    posted: PriceData = self._prices[token]
    if posted.maxTimeDelay == 0:
        posted.maxTimeDelay = self.default_max_time_delay
    if posted.allowedDeviationBps == 0:
        posted.allowedDeviationBps = self.default_deviation_bps
    log PricePosted(
        token=token,
        lastPricePosted=posted.price,
        lastUpdated=convert(posted.lastUpdated, uint256),
        newPrice=price,
        updateAt=block.timestamp,
    )
    posted.price = price
    posted.lastUpdated = convert(block.timestamp, uint64)
    self._prices[token] = posted


@external
def set_band(token: address, max_time_delay: uint32, deviation_bps: uint16):
    """
    @notice Owner only. How long this token's price is good, and how far a quote may be from it. Reverts:
            "issuer: bad band" for no time, or a deviation of nothing or of 100 % and more.
    """
    ownable._check_owner()
    self._check_band(max_time_delay, deviation_bps)
    self._prices[token].maxTimeDelay = max_time_delay
    self._prices[token].allowedDeviationBps = deviation_bps
    log BandSet(token=token, maxTimeDelay=max_time_delay, allowedDeviationBps=deviation_bps)


@internal
@pure
def _check_price(price: uint256):
    assert price != 0, "issuer: no price"


@internal
@pure
def _check_band(max_time_delay: uint32, deviation_bps: uint16):
    assert max_time_delay != 0 and 0 < deviation_bps and convert(deviation_bps, uint256) < BPS, "issuer: bad band"
