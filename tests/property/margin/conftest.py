"""The deployed model under any table."""

from __future__ import annotations

from collections.abc import Sequence

import pytest
from eth_utils import keccak, to_checksum_address

from prime_perps.chain import Contract
from prime_perps.chain.revm import RevmBackend
from prime_perps.margin import Breakdown, Closure, Exposure, Table

RAMP = 1
TIMELOCK = to_checksum_address(keccak(text="timelock")[12:])


class Model:
    """Asks the contract, not the reference."""

    def __init__(self) -> None:
        self._backend = RevmBackend()
        self._contract = Contract.deploy(self._backend, "MarginModel", RAMP, sender=TIMELOCK)
        self._contract.grantRole(self._contract.TIMELOCK_ROLE(), TIMELOCK, sender=TIMELOCK)
        self._table: Table | None = None

    def explain(
        self, table: Table, book: Sequence[Exposure], closure: Closure | None = None, debt: int = 0
    ) -> Breakdown:
        """All terms of a book under a table; the exchange is open unless said otherwise."""
        if table != self._table:
            staged = self._contract.stage_table(table.globals, table.lines, sender=TIMELOCK)
            ((_, fields),) = self._contract.events(staged)
            self._contract.use_table(fields["table"], sender=TIMELOCK)
            self._backend.warp(RAMP)
            self._table = table
        return Breakdown(*self._contract.explain(book, closure or Closure(), debt))

    def maintenance(self, table: Table, book: Sequence[Exposure], closure: Closure | None = None) -> int:
        return self.explain(table, book, closure).maintenance


@pytest.fixture(scope="module")
def model() -> Model:
    return Model()
