"""Orders and baskets: EIP-712 typed data as the exchange hashes it, and signing."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

from prime_perps import eip712

DOMAIN = ("Prime Perps", "1")


@dataclass(frozen=True)
class Order:
    """What a signer agrees to.

    `size` in nano, its sign is the side; `price` in wad, the worst accepted; `nonce` has 32 bits; a `post_only` order
    is never the taker.
    """

    account: int
    market: int
    size: int
    price: int
    nonce: int
    expiry: int
    reduce_only: bool = False
    post_only: bool = False


@dataclass(frozen=True)
class SignedOrder:
    """An order with its signer's signature, as the exchange takes it."""

    order: Order
    signer: str
    signature: bytes


@dataclass(frozen=True)
class Fill:
    """One order out of many that a caller takes: `size` in nano, signed for him; `limit` in wad, the worst accepted."""

    maker: SignedOrder
    size: int
    limit: int


@dataclass(frozen=True)
class Leg:
    """One market of a basket: `size` in nano, signed for the basket's account; `price` in wad, at which it trades."""

    market: int
    size: int
    price: int


@dataclass(frozen=True)
class Basket:
    """Up to 16 legs under one signature, in rising order of market; whole, or if `partial` by fractions of all alike.

    Its nonce is of the same numbers as those of orders.
    """

    account: int
    legs: tuple[Leg, ...]
    nonce: int
    expiry: int
    partial: bool = False


@dataclass(frozen=True)
class SignedBasket:
    """A basket with its signer's signature, as the exchange takes it."""

    basket: Basket
    signer: str
    signature: bytes


ORDER_TYPES = {
    "Order": [
        {"name": "account", "type": "uint256"},
        {"name": "market", "type": "uint256"},
        {"name": "size", "type": "int256"},
        {"name": "price", "type": "uint256"},
        {"name": "nonce", "type": "uint256"},
        {"name": "expiry", "type": "uint256"},
        {"name": "reduce_only", "type": "bool"},
        {"name": "post_only", "type": "bool"},
    ]
}
BASKET_TYPES = {
    "Basket": [
        {"name": "account", "type": "uint256"},
        {"name": "legs", "type": "Leg[]"},
        {"name": "nonce", "type": "uint256"},
        {"name": "expiry", "type": "uint256"},
        {"name": "partial", "type": "bool"},
    ],
    "Leg": [
        {"name": "market", "type": "uint256"},
        {"name": "size", "type": "int256"},
        {"name": "price", "type": "uint256"},
    ],
}


def typed_data(agreed: Order | Basket, chain_id: int, exchange: str) -> dict[str, Any]:
    """The EIP-712 message of an order or a basket, bound to one exchange on one chain."""
    types = ORDER_TYPES if isinstance(agreed, Order) else BASKET_TYPES
    # lists are arrays to whoever encodes this, tuples are not
    values = {k: list(v) if isinstance(v, tuple) else v for k, v in asdict(agreed).items()}
    return eip712.message(DOMAIN, chain_id, exchange, type(agreed).__name__, types, values)


def digest(agreed: Order | Basket, chain_id: int, exchange: str) -> bytes:
    """The 32 bytes a signer signs; equals `order_hash` or `basket_hash` on chain."""
    return eip712.digest(typed_data(agreed, chain_id, exchange))


def sign(order: Order, key: str | bytes, chain_id: int, exchange: str) -> SignedOrder:
    """Sign with a private key."""
    return SignedOrder(order, *eip712.sign(typed_data(order, chain_id, exchange), key))


def sign_basket(basket: Basket, key: str | bytes, chain_id: int, exchange: str) -> SignedBasket:
    """Sign with a private key."""
    return SignedBasket(basket, *eip712.sign(typed_data(basket, chain_id, exchange), key))
