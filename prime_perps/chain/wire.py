"""What Ethereum's JSON-RPC says, in this library's words: call fields out, receipts and reverts in."""

from __future__ import annotations

from typing import Any

from eth_utils import to_checksum_address

from prime_perps.chain.contract import Log, Receipt, revert_from
from prime_perps.chain.node import Refusal
from prime_perps.errors import PrimePerpsError, Revert

REVERTED = 3  # the code nodes give a call that reverted


def call_fields(to: str | None, data: bytes, sender: str | None = None, value: int = 0) -> dict[str, str]:
    """The transaction object of eth_call and eth_estimateGas. `value` in wei; no `to` creates a contract."""
    fields = {"data": "0x" + data.hex()}
    if to is not None:
        fields["to"] = to
    if sender is not None:
        fields["from"] = sender
    if value:
        fields["value"] = hex(value)
    return fields


def to_bytes(text: str) -> bytes:
    """0x-prefixed hex, as nodes write bytes."""
    return bytes.fromhex(text[2:])


def failure(refusal: Refusal) -> PrimePerpsError:
    """The Revert a refusal tells of, or the refusal. Nodes tell by code 3, by return data, or by the words alone."""
    data = refusal.data.get("data") if isinstance(refusal.data, dict) else refusal.data
    if isinstance(data, str) and data.startswith("0x") and (len(data) > 2 or refusal.code == REVERTED):
        return revert_from(to_bytes(data))
    if refusal.code == REVERTED or "revert" in refusal.message.lower():
        return Revert(f"no reason ({refusal.message})")
    return refusal


def log_from(entry: dict[str, Any]) -> Log:
    """A log as eth_getLogs and receipts carry it."""
    topics = tuple(to_bytes(topic) for topic in entry["topics"])
    return Log(to_checksum_address(entry["address"]), topics, to_bytes(entry["data"]))


def receipt_from(mined: dict[str, Any]) -> Receipt:
    """The answer of eth_getTransactionReceipt for a mined transaction."""
    return Receipt(
        gas_used=int(mined["gasUsed"], 16),
        logs=tuple(log_from(entry) for entry in mined["logs"]),
        hash=mined["transactionHash"],
        block=int(mined["blockNumber"], 16),
    )
