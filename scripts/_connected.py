"""What the commands share that talk to the network ape is connected to."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ape.cli import ConnectedProviderCommand

from scripts import _cli

if TYPE_CHECKING:
    from ape.api import ProviderAPI


class ConnectedCommand(_cli.Command, ConnectedProviderCommand):
    """Connected through ape, and plain about what goes wrong while connecting."""


def network_name(provider: ProviderAPI) -> str:
    """The name under which parameters and manifests of a network are kept: `sepolia`, or `base-sepolia` elsewhere."""
    ecosystem, network = provider.network.ecosystem.name, provider.network.name
    return network if ecosystem == "ethereum" else f"{ecosystem}-{network}"
