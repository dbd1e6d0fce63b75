"""The deployed model under any table."""

from __future__ import annotations

from collections.abc import Sequence

import pytest
from eth_utils import keccak, to_checksum_address

from prime_perps.chain import Contract
from prime_perps.chain.revm import RevmBackend
from prime_perps.margin import Breakdown, Closure, Exposure, Table

MAKER = to_checksum_address(keccak(text="anyone")[12:])
NOBODY = "0x" + "00" * 20


class Model:
    """Asks the contract, not the reference."""

    def __init__(self) -> None:
        self.backend = RevmBackend()
        self._contract: Contract | None = None
        self._table: Table | None = None

    def made(self, table: Table, previous: str = NOBODY, starts: int = 0, ramp: int = 0) -> Contract:
        """A model of this table."""
        given = (table.globals, table.lines, previous, starts, ramp)
        return Contract.deploy(self.backend, "MarginModel", *given, sender=MAKER)

    def explain(
        self, table: Table, book: Sequence[Exposure], closure: Closure | None = None, debt: int = 0
    ) -> Breakdown:
        """All terms of a book under a table; the exchange is open unless said otherwise."""
        if self._contract is None or table != self._table:
            self._contract, self._table = self.made(table), table
        return Breakdown(*self._contract.explain(book, closure or Closure(), debt))

    def maintenance(self, table: Table, book: Sequence[Exposure], closure: Closure | None = None) -> int:
        return self.explain(table, book, closure).maintenance


@pytest.fixture(scope="module")
def model() -> Model:
    return Model()
