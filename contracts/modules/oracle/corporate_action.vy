# pragma version 0.4.3
"""
@title corporate_action
@license AGPL-3.0-only
@author Prime Perps
@notice Splits and dividends of an underlying whose issuer tells how many shares a token stands for. While the issuer
        pauses, or its multiplier does not fit the price, the price is frozen; what a token is worth does not change by
        either.
"""
from . import outside_call
from . import price_word


struct Issuer:
    source: address
    token: address


MULTIPLIER_ONE: constant(uint256) = 10**18
# A million shares a token: beyond any chain of splits, and small enough that price x multiplier cannot overflow.
MULTIPLIER_MAX: constant(uint256) = 10**24

# multiplier, whether paused
ANSWER_WORDS: constant(uint256) = 2

_issuers: HashMap[uint256, Issuer]
_multipliers: HashMap[uint256, uint256]  # wad, of the last price that was not frozen


@internal
def _set_issuer(underlying: uint256, source: address, token: address):
    self._issuers[underlying] = Issuer(source=source, token=token)
    self._multipliers[underlying] = 0


@internal
def _is_frozen(
    underlying: uint256, was: bool, held: uint256, mid: uint256, stated: uint256, band: uint256
) -> bool:
    """
    @notice Whether the price stays as it is. Frozen: until price and multiplier have both changed, or neither, and the
            mid, which is both, is within the band of the one that is held.
    @param mid 0 for no new price.
    @param stated wad, the multiplier that a report has counted with; 0 for no report.
    @dev An issuer that does not answer is paused.
    """
    issuer: Issuer = self._issuers[underlying]
    answered: bool = False
    said: uint256[outside_call.WORDS] = empty(uint256[outside_call.WORDS])
    answered, said = outside_call._ask(
        issuer.source, concat(method_id("getSValue(address)"), convert(issuer.token, bytes32)), ANSWER_WORDS
    )
    multiplier: uint256 = said[0]
    if not answered or said[1] != 0 or multiplier == 0 or multiplier > MULTIPLIER_MAX:
        return True
    if stated != 0 and stated != multiplier:
        return True
    last: uint256 = self._multipliers[underlying]
    changed: bool = multiplier != last
    if last != 0 and (was or changed):
        if not price_word._is_within(mid, held, band):
            return True
        if changed and self._is_same_share(mid, multiplier, held, last):
            return True
    if changed:
        self._multipliers[underlying] = multiplier
    return False


@internal
@pure
def _is_same_share(mid: uint256, multiplier: uint256, held: uint256, last: uint256) -> bool:
    """
    @notice Whether a share, which is mid / multiplier, costs what it did, but for what mids are rounded by.
    """
    now: uint256 = unsafe_mul(mid, last)
    then: uint256 = unsafe_mul(held, multiplier)
    return unsafe_sub(max(now, then), min(now, then)) <= max(last, multiplier)
