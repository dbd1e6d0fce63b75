"""Nodes that ape starts for tests."""

from __future__ import annotations

import pytest
from ape_foundry.provider import FoundryForkProvider, FoundryProvider


def start_lean(patch: pytest.MonkeyPatch) -> None:
    """Have ape-foundry start anvil without a record of every step, which costs gigabytes and most of the time."""
    usual = FoundryProvider.build_command

    def without_traces(provider: FoundryProvider) -> list[str]:
        command = [part for part in usual(provider) if part != "--steps-tracing"]
        # What a fork keeps on disk, by chain id and height, would outlive a local upstream.
        wanted = ["--prune-history", *(["--no-storage-caching"] if isinstance(provider, FoundryForkProvider) else [])]
        # A fixture of wider scope may have been here already, and anvil takes each option once.
        return [*command, *(option for option in wanted if option not in command)]

    patch.setattr(FoundryProvider, "build_command", without_traces)
