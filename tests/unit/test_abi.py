"""The ABI of every deployed contract equals the committed list; `make abi` rewrites it when a change is meant."""

from __future__ import annotations

import pytest

from prime_perps import abi


def test_committed_list__covers_exactly_the_deployables__no_stray_and_no_missing_file() -> None:
    assert abi.committed_names() == sorted(abi.deployable_names())


@pytest.mark.parametrize("name", abi.deployable_names())
def test_abi__compiled_from_source__equals_the_committed_one(name: str) -> None:
    assert abi.compiled(name) == abi.committed(name), f"{name}'s ABI changed: if that is meant, run `make abi`"
