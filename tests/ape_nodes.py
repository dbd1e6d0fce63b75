"""Nodes that ape starts for tests."""

from __future__ import annotations

import ape_foundry.provider
import pytest
from ape_foundry.provider import FoundryForkProvider, FoundryProvider

from prime_perps.chain.anvil import KEPT_STATES, free_port


class _FreePorts:
    """Stands in for `random` where ape-foundry draws a port. Drawn blindly, one in dozens is still held by a client's
    closing connection: anvil ends at once, and ape waits 20 seconds for it.
    """

    @staticmethod
    def randint(_least: int, _most: int) -> int:
        return free_port()


def start_well(patch: pytest.MonkeyPatch) -> None:
    """Have ape-foundry start anvil on a free port, and without a record of every step, which costs gigabytes and most
    of the time.
    """
    usual = FoundryProvider.build_command

    def without_traces(provider: FoundryProvider) -> list[str]:
        command = [part for part in usual(provider) if part != "--steps-tracing"]
        if "--prune-history" in command:
            return command  # a fixture of wider scope has been here already, and anvil takes each option once
        # What a fork keeps on disk, by chain id and height, would outlive a local upstream.
        cached = ["--no-storage-caching"] if isinstance(provider, FoundryForkProvider) else []
        return [*command, "--prune-history", str(KEPT_STATES), *cached]

    patch.setattr(FoundryProvider, "build_command", without_traces)
    patch.setattr(ape_foundry.provider, "random", _FreePorts)
