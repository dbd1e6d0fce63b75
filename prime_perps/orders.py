"""Orders and baskets: EIP-712 typed data as the exchange hashes it, and signing."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

from eth_account import Account
from eth_account.messages import SignableMessage, encode_typed_data
from eth_utils import keccak

DOMAIN_NAME = "Prime Perps"
DOMAIN_VERSION = "1"


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
    return {
        "domain": {
            "name": DOMAIN_NAME,
            "version": DOMAIN_VERSION,
            "chainId": chain_id,
            "verifyingContract": exchange,
        },
        "primaryType": type(agreed).__name__,
        "types": ORDER_TYPES if isinstance(agreed, Order) else BASKET_TYPES,
        # lists are arrays to whoever encodes this, tuples are not
        "message": {k: list(v) if isinstance(v, tuple) else v for k, v in asdict(agreed).items()},
    }


def _signable(agreed: Order | Basket, chain_id: int, exchange: str) -> SignableMessage:
    return encode_typed_data(full_message=typed_data(agreed, chain_id, exchange))


def digest(agreed: Order | Basket, chain_id: int, exchange: str) -> bytes:
    """The 32 bytes a signer signs; equals `order_hash` or `basket_hash` on chain."""
    message = _signable(agreed, chain_id, exchange)
    return keccak(b"\x19" + message.version + message.header + message.body)


def sign(order: Order, key: str | bytes, chain_id: int, exchange: str) -> SignedOrder:
    """Sign with a private key."""
    return SignedOrder(order, *_signature(order, key, chain_id, exchange))


def sign_basket(basket: Basket, key: str | bytes, chain_id: int, exchange: str) -> SignedBasket:
    """Sign with a private key."""
    return SignedBasket(basket, *_signature(basket, key, chain_id, exchange))


def _signature(agreed: Order | Basket, key: str | bytes, chain_id: int, exchange: str) -> tuple[str, bytes]:
    """(address of the signer, signature)."""
    signer = Account.from_key(key)
    return signer.address, bytes(signer.sign_message(_signable(agreed, chain_id, exchange)).signature)
