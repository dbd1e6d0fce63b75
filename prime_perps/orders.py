"""Orders: EIP-712 typed data as the exchange hashes it, and signing."""

from __future__ import annotations

from dataclasses import dataclass, fields
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


ORDER_TYPE = [
    {"name": "account", "type": "uint256"},
    {"name": "market", "type": "uint256"},
    {"name": "size", "type": "int256"},
    {"name": "price", "type": "uint256"},
    {"name": "nonce", "type": "uint256"},
    {"name": "expiry", "type": "uint256"},
    {"name": "reduce_only", "type": "bool"},
    {"name": "post_only", "type": "bool"},
]


def typed_data(order: Order, chain_id: int, exchange: str) -> dict[str, Any]:
    """The EIP-712 message of an order, bound to one exchange on one chain."""
    return {
        "domain": {
            "name": DOMAIN_NAME,
            "version": DOMAIN_VERSION,
            "chainId": chain_id,
            "verifyingContract": exchange,
        },
        "primaryType": "Order",
        "types": {"Order": ORDER_TYPE},
        "message": {field.name: getattr(order, field.name) for field in fields(order)},
    }


def _signable(order: Order, chain_id: int, exchange: str) -> SignableMessage:
    return encode_typed_data(full_message=typed_data(order, chain_id, exchange))


def digest(order: Order, chain_id: int, exchange: str) -> bytes:
    """The 32 bytes a signer signs; equals `order_hash` on chain."""
    message = _signable(order, chain_id, exchange)
    return keccak(b"\x19" + message.version + message.header + message.body)


def sign(order: Order, key: str | bytes, chain_id: int, exchange: str) -> SignedOrder:
    """Sign with a private key."""
    signer = Account.from_key(key)
    signature = signer.sign_message(_signable(order, chain_id, exchange)).signature
    return SignedOrder(order, signer.address, bytes(signature))
