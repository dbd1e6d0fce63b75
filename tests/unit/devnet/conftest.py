"""A fresh chain for every test, and actors named after what they do."""

from __future__ import annotations

import pytest
from eth_utils import keccak, to_checksum_address

from prime_perps.chain.revm import RevmBackend


def actor(role: str) -> str:
    return to_checksum_address(keccak(text=role)[12:])


@pytest.fixture
def backend() -> RevmBackend:
    return RevmBackend()


@pytest.fixture
def issuer() -> str:
    """Deploys and owns the tokens."""
    return actor("issuer")


@pytest.fixture
def holder() -> str:
    return actor("holder")


@pytest.fixture
def receiver() -> str:
    return actor("receiver")


@pytest.fixture
def spender() -> str:
    """Moves other people's tokens by allowance, as a vault does."""
    return actor("spender")


@pytest.fixture
def attacker() -> str:
    return actor("attacker")
