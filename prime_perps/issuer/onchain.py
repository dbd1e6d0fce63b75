"""What the broker reads from the chain: the time, each token's supply, shares and pause, and which quotes were used."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from eth_abi import decode, encode
from eth_utils import function_signature_to_4byte_selector

from prime_perps.chain.node import Refusal
from prime_perps.chain.rpc import RpcBackend
from prime_perps.chain.wire import call_fields, failure, to_bytes
from prime_perps.errors import NodeError
from prime_perps.units import WAD

TOTAL_SUPPLY = function_signature_to_4byte_selector("totalSupply()")
EXECUTED = function_signature_to_4byte_selector("executedAttestationIds(uint256)")
GET_S_VALUE = function_signature_to_4byte_selector("getSValue(address)")


@dataclass(frozen=True)
class TokenState:
    """Tokens outstanding, wad; shares a token, wad; whether a corporate action is under way."""

    supply: int
    multiplier: int = WAD
    paused: bool = False


@dataclass(frozen=True)
class Head:
    """A block. `time` is its own, `next_time` the earliest the next one may carry, unix seconds."""

    number: str
    hash: str
    time: int
    next_time: int


@dataclass(frozen=True)
class Tokens:
    """As of one block: each token by address, and which of the attestations asked about were used."""

    block: str
    of: Mapping[str, TokenState]
    executed: frozenset[int]


class TokenReader:
    """Reads one issuer's contracts. Not for several threads at once."""

    def __init__(self, backend: RpcBackend, manager: str, shares_oracle: str | None = None) -> None:
        self._backend = backend
        self._manager = manager
        self._oracle = shares_oracle

    def head(self) -> Head:
        """The newest block. Raises NodeError."""
        newest, coming = self._backend.node.read_many(
            [("eth_getBlockByNumber", ("latest", False)), ("eth_getBlockByNumber", ("pending", False))]
        )
        if isinstance(newest, Refusal) or newest is None:
            raise NodeError(f"{self._backend.url} has no newest block")
        time = int(newest["timestamp"], 16)
        # Not every node makes up a pending block. Where blocks come only with transactions, the newest may be old.
        next_time = time if isinstance(coming, Refusal) or coming is None else max(time, int(coming["timestamp"], 16))
        return Head(newest["number"], newest["hash"], time, next_time)

    def tokens(self, head: Head, addresses: Sequence[str], attestations: Sequence[int]) -> Tokens:
        """All as of one block. Raises NodeError, also for a contract that does not answer as it should."""
        supplies = self._calls(head, [(address, TOTAL_SUPPLY) for address in addresses], "uint256")
        used = self._calls(
            head, [(self._manager, EXECUTED + encode(["uint256"], [number])) for number in attestations], "bool"
        )
        tokens = {
            address: TokenState(supply, multiplier, bool(paused))
            for address, (supply,), (multiplier, paused) in zip(
                addresses, supplies, self._shares(head, addresses), strict=True
            )
        }
        executed = frozenset(number for number, (was_used,) in zip(attestations, used, strict=True) if was_used)
        return Tokens(head.hash, tokens, executed)

    def _shares(self, head: Head, addresses: Sequence[str]) -> list[tuple[int, ...]]:
        if self._oracle is None:
            return [(WAD, False)] * len(addresses)
        asked = [(self._oracle, GET_S_VALUE + encode(["address"], [address])) for address in addresses]
        return self._calls(head, asked, "uint128", "bool")

    def _calls(self, head: Head, calls: Sequence[tuple[str, bytes]], *kinds: str) -> list[tuple[int, ...]]:
        asked = [("eth_call", (call_fields(to, data), head.number)) for to, data in calls]
        decoded = []
        for (to, _), answer in zip(calls, self._backend.node.read_many(asked), strict=True):
            if isinstance(answer, Refusal):
                raise NodeError(f"{to} does not answer: {failure(answer)}")
            raw = to_bytes(answer)
            if len(raw) < 32 * len(kinds):
                raise NodeError(f"{self._backend.url} has no such contract at {to}: was the node reset?")
            decoded.append(decode(kinds, raw))
        return decoded
