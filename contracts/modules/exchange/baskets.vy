# pragma version 0.4.3
"""
@title baskets
@license AGPL-3.0-only
@author Prime Perps
@notice Signed baskets: several markets under one signature, filled whole or by fractions of the whole. Signatures,
        nonces and floors are those of orders; what is filled is a fraction in wad instead of an amount in nano.
"""
from contracts.interfaces import IExchange
from snekmate.utils import eip712_domain_separator
from . import orders

uses: eip712_domain_separator
uses: orders


LEG_TYPEHASH: constant(bytes32) = keccak256("Leg(uint256 market,int256 size,uint256 price)")
BASKET_TYPEHASH: constant(bytes32) = keccak256(
    "Basket(uint256 account,Leg[] legs,uint256 nonce,uint256 expiry,bool partial)"
    "Leg(uint256 market,int256 size,uint256 price)"
)
LEGS_MAX: constant(uint256) = 16
# An encoded list begins with where it stands and how long it is.
LIST_HEAD: constant(uint256) = 64

WHOLE: constant(uint256) = 10**18
NANO: constant(uint256) = 10**9


@internal
@view
def _hash(basket: IExchange.Basket) -> bytes32:
    legs: DynArray[bytes32, LEGS_MAX] = []
    for leg: IExchange.Leg in basket.legs:
        legs.append(keccak256(abi_encode(LEG_TYPEHASH, leg)))
    return eip712_domain_separator._hash_typed_data_v4(
        keccak256(
            abi_encode(
                BASKET_TYPEHASH,
                basket.account,
                keccak256(slice(abi_encode(legs), LIST_HEAD, 32 * len(legs))),
                basket.nonce,
                basket.expiry,
                basket.partial,
            )
        )
    )


@internal
@pure
def _check_legs(legs: DynArray[IExchange.Leg, LEGS_MAX]):
    self._check_rising(len(legs) != 0)
    least: uint256 = 0
    for leg: IExchange.Leg in legs:
        self._check_rising(least <= leg.market and leg.market < max_value(uint256))
        least = leg.market + 1
        # a leg of nothing is refused with its part
        orders._check_size(-orders.SIZE_MAX <= leg.size and leg.size <= orders.SIZE_MAX)


@internal
@pure
def _check_rising(rising: bool):
    assert rising, "baskets: bad legs"


@internal
def _use(basket: IExchange.Basket, digest: bytes32, fraction: uint256) -> uint256:
    """
    @notice Take `fraction` (wad of the whole) from what is left of the basket.
    @return The fraction filled before.
    """
    assert basket.partial or fraction == WHOLE, "baskets: all or nothing"
    before: uint256 = orders._spend(basket.account, basket.nonce, digest, fraction, WHOLE)
    log IExchange.BasketFilled(basket_hash=digest, fraction=fraction)
    return before


@internal
@pure
def _part(size: int256, before: uint256, fraction: uint256) -> int256:
    """
    @notice nano of a leg that bring it from one filled fraction to the next. What is filled in all is rounded toward
            zero, so that parts never exceed the leg and the last makes it whole.
    @dev A part of nothing is refused: every fill trades every leg.
    """
    part: int256 = self._filled_down(size, before + fraction) - self._filled_down(size, before)
    orders._check_size(part != 0)
    return part


@internal
@pure
def _filled_down(size: int256, fraction: uint256) -> int256:
    # signed division rounds toward zero
    return size * convert(fraction, int256) // convert(WHOLE, int256)


@internal
@pure
def _cost(size: int256, price: uint256) -> int256:
    """
    @notice wad that whoever trades `size` pays, negative if he is paid; rounded toward zero, as the book does.
    """
    notional: int256 = convert(convert(abs(size), uint256) * price // NANO, int256)
    return notional if size > 0 else -notional
