"""Typed data as orders, reports and quotes sign it: one message, its digest, its signature."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from eth_account import Account
from eth_account.messages import encode_typed_data
from eth_utils import keccak

Types = Mapping[str, Sequence[Mapping[str, str]]]


def message(
    domain: tuple[str, str], chain_id: int, contract: str, primary: str, types: Types, values: Mapping[str, Any]
) -> dict[str, Any]:
    """The EIP-712 message of `values`; `domain` is a name and a version, bound to one contract on one chain."""
    name, version = domain
    return {
        "domain": {"name": name, "version": version, "chainId": chain_id, "verifyingContract": contract},
        "primaryType": primary,
        "types": types,
        "message": values,
    }


def digest(full_message: dict[str, Any]) -> bytes:
    """The 32 bytes that are signed."""
    encoded = encode_typed_data(full_message=full_message)
    return keccak(b"\x19" + encoded.version + encoded.header + encoded.body)


def sign(full_message: dict[str, Any], key: str | bytes) -> tuple[str, bytes]:
    """The signer's address, and r, s, v in 65 bytes."""
    signer = Account.from_key(key)
    return signer.address, bytes(signer.sign_message(encode_typed_data(full_message=full_message)).signature)
