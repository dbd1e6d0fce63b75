"""Outside contracts as their makers publish them: the stand-ins are the same, and so what is asked of real ones."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from prime_perps import compiler

PUBLISHED = json.loads(Path(__file__).with_name("published_interfaces.json").read_text())


def kind(parameter: dict[str, Any]) -> str:
    """A type as a signature spells it."""
    if not parameter["type"].startswith("tuple"):
        return str(parameter["type"])
    return f"({','.join(map(kind, parameter['components']))})" + parameter["type"].removeprefix("tuple")


def signature(entry: dict[str, Any]) -> str:
    ins, outs = (",".join(map(kind, entry[side])) for side in ("inputs", "outputs"))
    return f"{entry['name']}({ins})({outs}) {entry['stateMutability']}"


@pytest.mark.parametrize(("interface", "stand_in"), [("IAggregatorV3", "DevnetFeed"), ("IPyth", "DevnetPyth")])
def test_interface__of_the_stand_in__is_the_published_one(interface: str, stand_in: str) -> None:
    ours = {signature(entry) for entry in compiler.load(stand_in).abi if entry["type"] == "function"}
    assert set(PUBLISHED[interface]["functions"]) <= ours
