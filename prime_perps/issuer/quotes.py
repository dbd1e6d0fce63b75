"""Quotes: what an issuer signs so that one registered address may mint or redeem at one price, once.

The typed data is the issuer's, not ours: names, order and kinds of its fields are those its contract hashes.
"""

from __future__ import annotations

from dataclasses import dataclass, fields
from enum import IntEnum
from typing import Any

from prime_perps import eip712
from prime_perps.units import WAD

DOMAIN = ("OndoGMTokenManager", "1")


class Side(IntEnum):
    """What the holder of a quote does: buys tokens, which mints them, or sells them, which burns them."""

    BUY = 0
    SELL = 1


@dataclass(frozen=True)
class Quote:
    """
    The fields in the order in which the token manager takes them.

    `price` is USD per token and `quantity` tokens, both wad; `expiration` the last second it is good for; `user_id` and
    `additional_data` have 32 bytes.
    """

    chain_id: int
    attestation_id: int
    user_id: bytes
    asset: str
    price: int
    quantity: int
    expiration: int
    side: Side
    additional_data: bytes = bytes(32)


QUOTE_TYPE = [
    {"name": "chainId", "type": "uint256"},
    {"name": "attestationId", "type": "uint256"},
    {"name": "userId", "type": "bytes32"},
    {"name": "asset", "type": "address"},
    {"name": "price", "type": "uint256"},
    {"name": "quantity", "type": "uint256"},
    {"name": "expiration", "type": "uint256"},
    {"name": "side", "type": "uint8"},
    {"name": "additionalData", "type": "bytes32"},
]


def typed_data(quote: Quote, verifying_contract: str) -> dict[str, Any]:
    """The EIP-712 message of a quote, bound to one token manager on the quote's own chain."""
    given = (getattr(quote, field.name) for field in fields(quote))
    values = {entry["name"]: value for entry, value in zip(QUOTE_TYPE, given, strict=True)}
    return eip712.message(DOMAIN, quote.chain_id, verifying_contract, "Quote", {"Quote": QUOTE_TYPE}, values)


def digest(quote: Quote, verifying_contract: str) -> bytes:
    """The 32 bytes the issuer signs; equals `hash_quote` of the stand-in."""
    return eip712.digest(typed_data(quote, verifying_contract))


def sign(quote: Quote, key: str | bytes, verifying_contract: str) -> bytes:
    """Sign with the issuer's private key: 65 bytes r, s, v."""
    return eip712.sign(typed_data(quote, verifying_contract), key)[1]


def notional(quote: Quote) -> int:
    """What the tokens cost or bring, wad USD, rounded down."""
    return quote.quantity * quote.price // WAD
