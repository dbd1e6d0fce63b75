"""The in-process EVM (pyrevm): thousands of transactions a second, for property, stateful and unit tests.

Gas is not real here: everything stays in one journal, so slots touched by an earlier transaction are warm.
"""

from __future__ import annotations

from typing import Any

from eth_utils import to_checksum_address
from pyrevm import EVM, BlockEnv, Env, JournalCheckpoint

from prime_perps.chain.contract import Log, Receipt, revert_from
from prime_perps.errors import Revert

GAS_LIMIT = 30_000_000
START = 1_767_279_600  # 2026-01-01 15:00 UTC
NOBODY = "0x" + "00" * 19 + "01"


class RevmBackend:
    """A chain of one's own. Any address may send; time moves only when told to."""

    def __init__(self, start: int = START) -> None:
        self._evm = EVM(env=Env(block=BlockEnv(number=1, timestamp=start, basefee=0)), spec_id="CANCUN")
        self._now = start
        self._number = 1

    def create(self, code: bytes, sender: str) -> str:
        try:
            address = self._evm.deploy(sender, code)
        except RuntimeError as error:
            raise self._revert(error) from None
        finally:
            self._evm.reset_transient_storage()
        return to_checksum_address(address)

    def call(self, to: str, data: bytes, sender: str | None = None) -> bytes:
        before = self._evm.snapshot()
        try:
            return bytes(self._evm.message_call(sender or NOBODY, to, calldata=data, gas=GAS_LIMIT))
        except RuntimeError as error:
            raise self._revert(error) from None
        finally:
            self._evm.revert(before)
            self._evm.reset_transient_storage()

    def send(self, to: str, data: bytes, sender: str, value: int = 0) -> Receipt:
        try:
            self._evm.message_call(sender, to, calldata=data, value=value, gas=GAS_LIMIT)
        except RuntimeError as error:
            raise self._revert(error) from None
        finally:
            self._evm.reset_transient_storage()
        result = self._evm.result
        assert result is not None  # there is one after every call
        logs = tuple(Log(to_checksum_address(log.address), *self._parts(log)) for log in result.logs)
        return Receipt(gas_used=result.gas_used, logs=logs, block=self._number)

    def timestamp(self) -> int:
        return self._now

    def nonce(self, sender: str) -> int:
        return self._evm.basic(sender).nonce

    def chain_id(self) -> int:
        return 1

    def warp(self, seconds: int) -> None:
        """Mine one block `seconds` later."""
        self._now += seconds
        self._number += 1
        self._evm.set_block_env(BlockEnv(number=self._number, timestamp=self._now, basefee=0))

    def snapshot(self) -> tuple[JournalCheckpoint, int, int]:
        """A point to come back to with `restore`."""
        return self._evm.snapshot(), self._now, self._number

    def restore(self, point: tuple[JournalCheckpoint, int, int]) -> None:
        checkpoint, self._now, self._number = point
        self._evm.revert(checkpoint)
        self._evm.set_block_env(BlockEnv(number=self._number, timestamp=self._now, basefee=0))

    @staticmethod
    def _parts(log: Any) -> tuple[tuple[bytes, ...], bytes]:
        topics, data = log.data
        return tuple(bytes(topic) for topic in topics), bytes(data)

    @staticmethod
    def _revert(error: RuntimeError) -> Revert:
        """pyrevm puts the return data of a revert into the text of its error."""
        text = str(error)
        _, found, rest = text.partition("output: 0x")
        if not found:
            return Revert(f"no reason ({text.splitlines()[0]})")
        digits = ""
        for char in rest:
            if char not in "0123456789abcdefABCDEF":
                break
            digits += char
        return revert_from(bytes.fromhex(digits))
