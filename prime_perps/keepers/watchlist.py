"""The set of accounts that exist, from the book's own events, read straight off the node's logs."""

from __future__ import annotations

from typing import Any

from eth_utils.abi import event_abi_to_log_topic

from prime_perps.chain.contract import Contract
from prime_perps.chain.node import Refusal
from prime_perps.chain.rpc import RpcBackend

BLOCKS_A_QUERY = 2_000
# Which topics of which events are accounts.
TOUCHES = {"Novated": (2, 3), "PositionChanged": (1,), "MoneyChanged": (1,), "OtherTokenChanged": (1,)}


class Watchlist:
    """Every account the book has ever touched. It only grows: an account that is empty today may trade tomorrow."""

    def __init__(self, backend: RpcBackend, clearinghouse: Contract, first_block: int = 0) -> None:
        """`first_block`: where the clearinghouse was created; 0 is safe and slower."""
        self._backend = backend
        self._address = clearinghouse.address
        self._places = {event_topic(clearinghouse.abi, name): places for name, places in TOUCHES.items()}
        self._first = first_block
        self._next = first_block
        self._seen: tuple[int, str] | None = None  # number and hash of the head when everything had been read
        self.accounts: set[int] = set()

    def advance(self) -> int:
        """
        Read the logs of every block since the last call. Returns the head, the number of the last block read.
        After a reorganisation, or on a node that was reset, it reads everything again. Raises NodeError; what was read
        until then is kept, and the next call goes on from there.
        """
        head = self._backend.block()
        number = int(head["number"], 16)
        if self._has_moved(number):
            self._next = self._first
        while self._next <= number:
            last = min(self._next + BLOCKS_A_QUERY - 1, number)
            self._read(self._next, last)
            self._next = last + 1
        self._seen = number, head["hash"]
        return number

    def _has_moved(self, head: int) -> bool:
        """Whether the head of the last complete reading is no longer part of the chain."""
        if self._seen is None:
            return False
        number, digest = self._seen
        return head < number or bool(self._backend.block(number)["hash"] != digest)

    def _read(self, first: int, last: int) -> None:
        """Ask for smaller ranges when the node finds one too large."""
        try:
            logs = self._backend.get_logs(
                first, last, [self._address], [["0x" + topic.hex() for topic in self._places]]
            )
        except Refusal:
            if first == last:
                raise
            middle = (first + last) // 2
            self._read(first, middle)
            self._read(middle + 1, last)
            return
        for log in logs:
            self.accounts.update(int.from_bytes(log.topics[place], "big") for place in self._places[log.topics[0]])


def event_topic(abi: list[Any], name: str) -> bytes:
    """The first topic of an event. Raises KeyError for a name the ABI does not have."""
    for entry in abi:
        if entry["type"] == "event" and entry["name"] == name:
            return bytes(event_abi_to_log_topic(entry))
    raise KeyError(f"no event {name} in the ABI")
