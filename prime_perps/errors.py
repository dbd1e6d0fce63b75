"""What can go wrong, as one list: every revert reason of the contracts, and the exceptions scripts and keepers raise."""

from __future__ import annotations


class PrimePerpsError(Exception):
    """Anything this library refuses or reports; its text says what was wrong and, where it can, what to do."""


class Revert(PrimePerpsError):
    """A transaction or call the chain refused. `reason` is the contract's own text, for example `risk: below initial`."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


class NodeError(PrimePerpsError):
    """The node cannot be reached, or answered something that is not an answer."""
