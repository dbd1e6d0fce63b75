"""What the broker reads from the chain: the time, and of each token its supply, its shares and whether it is paused."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from eth_abi import decode, encode
from eth_utils import function_signature_to_4byte_selector

from prime_perps.chain.node import Refusal
from prime_perps.chain.rpc import RpcBackend
from prime_perps.chain.wire import call_fields, failure, to_bytes
from prime_perps.errors import NodeError
from prime_perps.units import WAD

TOTAL_SUPPLY = function_signature_to_4byte_selector("totalSupply()")
GET_S_VALUE = function_signature_to_4byte_selector("getSValue(address)")


@dataclass(frozen=True)
class TokenState:
    """Tokens outstanding, wad; shares a token, wad; whether a corporate action is under way."""

    supply: int
    multiplier: int = WAD
    paused: bool = False


@dataclass(frozen=True)
class ChainState:
    """One block. `time` is its own, `next_time` the earliest the next one may carry, unix seconds."""

    number: int
    time: int
    next_time: int
    tokens: dict[str, TokenState]


class TokenReader:
    """Reads tokens of one chain, all of one block. Not for several threads at once."""

    def __init__(self, backend: RpcBackend, shares_oracle: str | None = None) -> None:
        self._backend = backend
        self._oracle = shares_oracle

    def read(self, addresses: Sequence[str]) -> ChainState:
        """Raises NodeError, also for a contract that does not answer as it should."""
        head, coming = self._backend.node.read_many(
            [("eth_getBlockByNumber", ("latest", False)), ("eth_getBlockByNumber", ("pending", False))]
        )
        if isinstance(head, Refusal) or head is None:
            raise NodeError(f"{self._backend.url} has no newest block")
        time = int(head["timestamp"], 16)
        # Not every node makes up a pending block. Where blocks come only with transactions, the newest may be old.
        next_time = time if isinstance(coming, Refusal) or coming is None else max(time, int(coming["timestamp"], 16))
        supplies = self._calls(head["number"], [(address, TOTAL_SUPPLY) for address in addresses], "uint256")
        shares = (
            self._calls(
                head["number"],
                [(self._oracle, GET_S_VALUE + encode(["address"], [address])) for address in addresses],
                "uint128",
                "bool",
            )
            if self._oracle
            else [(WAD, False)] * len(addresses)
        )
        tokens = {
            address: TokenState(supply, multiplier, bool(paused))
            for address, (supply,), (multiplier, paused) in zip(addresses, supplies, shares, strict=True)
        }
        return ChainState(int(head["number"], 16), time, next_time, tokens)

    def _calls(self, block: str, calls: Sequence[tuple[str, bytes]], *kinds: str) -> list[tuple[int, ...]]:
        answers = self._backend.node.read_many([("eth_call", (call_fields(to, data), block)) for to, data in calls])
        decoded = []
        for (to, _), answer in zip(calls, answers, strict=True):
            if isinstance(answer, Refusal):
                raise NodeError(f"{to} does not answer: {failure(answer)}")
            raw = to_bytes(answer)
            if len(raw) < 32 * len(kinds):
                raise NodeError(f"{self._backend.url} has no such contract at {to}: was the node reset?")
            decoded.append(decode(kinds, raw))
        return decoded
