"""Two chains a replay can run on, alike to keepers: the EVM in this process, for speed, and anvil, for gas.

On both, time moves only when `warp` says so, and every transaction is a block of its own. So the same replay has the
same blocks, prices and liquidations on either.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from typing import Any, Protocol, cast

from pyrevm import BlockEnv

from prime_perps.chain.anvil import Anvil
from prime_perps.chain.contract import Backend, Log, Receipt
from prime_perps.chain.revm import RevmBackend
from prime_perps.chain.rpc import RpcBackend
from prime_perps.errors import Revert

GasBook = dict[tuple[str, bytes], list[int]]  # gas of each transaction by (contract, selector)


class Chain(Backend, Protocol):
    """What the replay asks of a chain beside what proxies do."""

    gas: GasBook

    def warp(self, timestamp: int) -> None: ...
    def call_many(self, calls: Sequence[tuple[str, bytes]]) -> list[bytes | Revert]: ...
    def block_number(self) -> int: ...
    def get_logs(self, first: int, last: int, addresses: Sequence[str], topics: Sequence[Any] = ()) -> list[Log]: ...


class InProcess(RevmBackend):
    """
    The in-process EVM with the reading half of an RpcBackend, as keepers use it. Gas is not real here (`RevmBackend`).
    """

    def __init__(self, start: int) -> None:
        super().__init__(start)
        self.gas: GasBook = {}
        self._logs: dict[int, tuple[Log, ...]] = {}
        self._known: dict[tuple[str, bytes], bytes | Revert] = {}

    def create(self, code: bytes, sender: str) -> str:
        address = super().create(code, sender)
        self._next_block(())
        return address

    def send(self, to: str, data: bytes, sender: str, value: int = 0) -> Receipt:
        receipt = super().send(to, data, sender, value)
        self._next_block(receipt.logs)
        return receipt

    def warp(self, timestamp: int) -> None:
        """One block at exactly `timestamp`, unix seconds."""
        self._now = timestamp
        self._next_block(())

    def _next_block(self, logs: tuple[Log, ...]) -> None:
        """What was sent stands in the block that ends here; the next one has the same time until `warp`."""
        self._logs[self._number] = logs
        self._known.clear()
        self._number += 1
        self._evm.set_block_env(BlockEnv(number=self._number, timestamp=self._now, basefee=0))

    # what keepers ask of an RpcBackend

    def call_many(self, calls: Sequence[tuple[str, bytes]], sender: str | None = None) -> list[bytes | Revert]:
        """As RpcBackend's. Until the next block an answer is the same, whoever asks, and is kept."""
        return [self._call(to, data, sender) for to, data in calls]

    def _call(self, to: str, data: bytes, sender: str | None) -> bytes | Revert:
        if sender is not None:
            return self._answer(to, data, sender)
        if (to, data) not in self._known:
            self._known[to, data] = self._answer(to, data, None)
        return self._known[to, data]

    def _answer(self, to: str, data: bytes, sender: str | None) -> bytes | Revert:
        try:
            return self.call(to, data, sender)
        except Revert as revert:
            return revert

    def block(self, number: int | str = "latest") -> dict[str, Any]:
        """The header as a node gives it, as far as keepers look at it."""
        at = number if isinstance(number, int) else self.block_number()
        return {"number": hex(at), "hash": hex(at), "timestamp": hex(self._now)}

    def block_number(self) -> int:
        """The last block that is complete."""
        return self._number - 1

    def get_logs(self, first: int, last: int, addresses: Sequence[str], topics: Sequence[Any] = ()) -> list[Log]:
        """As RpcBackend's; of topics only the first position, a list of alternatives, is understood."""
        wanted = {bytes.fromhex(topic[2:]) for topic in topics[0]} if topics else None
        return [
            log
            for number in range(first, last + 1)
            for log in self._logs.get(number, ())
            if log.address in addresses and (wanted is None or log.topics[0] in wanted)
        ]

    def resolve(self, sender: str) -> None:
        """Nothing is ever on its way here."""


class OnAnvil(RpcBackend):
    """An anvil whose clock stands still between two prices, and the gas of all that was sent to it."""

    def __init__(self, node: Anvil) -> None:
        super().__init__(node.url, node.keys)
        self.gas: GasBook = defaultdict(list)
        self.set_block_interval(0)

    def send(self, to: str, data: bytes, sender: str, value: int = 0) -> Receipt:
        receipt = super().send(to, data, sender, value)
        self.gas[to, data[:4]].append(receipt.gas_used)
        return receipt


def as_node(chain: Chain) -> RpcBackend:
    """A chain where a keeper's signature asks for a node: either kind answers all that keepers ask."""
    return cast(RpcBackend, chain)
