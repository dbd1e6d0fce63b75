"""prime_perps.risk: the file that ships, what a bad one is told, and a table read back from a model."""

from __future__ import annotations

import copy
import json
from pathlib import Path
from typing import Any

import pytest

from prime_perps import risk
from prime_perps.compiler import ROOT
from prime_perps.risk import BadRiskParameters
from tests.unit.margin_model.conftest import PARAMETERS, TABLE, TIERS, Desk

CONTENT = json.loads((ROOT / "parameters" / "risk.json").read_text())


def with_value(path: str, value: Any) -> Any:
    """The shipped content with one entry replaced; None deletes it."""
    content = copy.deepcopy(CONTENT)
    *way, last = path.split(".")
    entry = content
    for step in way:
        entry = entry[step]
    if value is None:
        del entry[last]
    else:
        entry[last] = value
    return content


def test_load__shipped_file__accepted_by_the_contract(desk: Desk) -> None:
    assert risk.read_table(desk.made(TABLE)) == TABLE


def test_load__shipped_tiers__size_is_charged_in_all() -> None:
    assert all(line.slope and line.depth for line in TABLE.lines)


def test_load__rates__one_shock_by_three_betas() -> None:
    shocks = [TABLE.globals.phi[2] * PARAMETERS.line(tier).beta // 10_000 for tier in ("BILLS", "NOTES", "BONDS")]
    assert shocks == [50, 200, 400]


def test_line__tier_the_file_does_not_have__named() -> None:
    with pytest.raises(BadRiskParameters, match="no tier 'T5'; there are ETF, T1"):
        PARAMETERS.line("T5")


def test_table__tiers_in_order__lines_in_order() -> None:
    assert PARAMETERS.table(["T3", "ETF", "T3"]).lines == [PARAMETERS.line(tier) for tier in ("T3", "ETF", "T3")]


def test_table__more_underlyings_than_a_table_holds__refused() -> None:
    assert len(PARAMETERS.table(["T1"] * 64).lines) == 64
    with pytest.raises(BadRiskParameters, match="65 underlyings, a table holds 64"):
        PARAMETERS.table(["T1"] * 65)


@pytest.mark.parametrize("name", risk.LINE_BOUNDS)
def test_parse__line_field_out_of_range__named(name: str) -> None:
    most = risk.LINE_BOUNDS[name][1]
    with pytest.raises(BadRiskParameters, match=rf"^tiers\.T3\.{name}: {most + 1} is not from"):
        risk.parse(with_value(f"tiers.T3.{name}", most + 1))


@pytest.mark.parametrize("name", risk.GLOBAL_BOUNDS)
def test_parse__global_out_of_range__named(name: str) -> None:
    most = risk.GLOBAL_BOUNDS[name][1]
    with pytest.raises(BadRiskParameters, match=rf"^globals\.{name}: {most + 1} is not from"):
        risk.parse(with_value(f"globals.{name}", most + 1))


@pytest.mark.parametrize(
    ("path", "value", "told"),
    [
        ("globals", None, "the file: no globals"),
        ("tiers", {}, "tiers: there is none"),
        ("tiers", [], "tiers: not an object"),
        ("extra", 1, "the file: unknown extra"),
        ("globals.phi.crypto", None, "globals.phi: no crypto"),
        ("globals.phi.equities", 10_001, "globals.phi.equities: 10001 is not from 0 to 10000"),
        ("globals.jump", None, "globals: no jump"),
        ("globals.jump", 9_999, "globals.jump: 9999 is not from 10000 to 50000"),
        ("globals.long_closure", 12_499, "globals.long_closure: 12499 is below weekend 12500"),
        ("tiers.T3.beta", "17000", "tiers.T3.beta: '17000' is not a whole number"),
        ("tiers.T3.beta", 1.7, "tiers.T3.beta: 1.7 is not a whole number"),
        ("tiers.T3.beta", True, "tiers.T3.beta: True is not a whole number"),
        ("tiers.T3.beta", -1, "tiers.T3.beta: -1 is not from 0 to 50000"),
        ("tiers.T3.gamma", 0, "tiers.T3.gamma: 0 is not from 1 to 10000"),
        ("tiers.T3.basis", 201, "tiers.T3.basis: 201 is over 2 gamma, 200"),
        ("tiers.T3.depth", 0, "tiers.T3.depth: 0, which needs slope 0"),
        ("tiers.T3.group", "stocks", "tiers.T3.group: 'stocks' is none of equities, crypto, rates, spare"),
        ("tiers.T3.itoa", 1, "tiers.T3: unknown itoa"),
        ("tiers.T3.iota", None, "tiers.T3: no iota"),
    ],
)
def test_parse__bad_entry__named(path: str, value: Any, told: str) -> None:
    with pytest.raises(BadRiskParameters) as raised:
        risk.parse(with_value(path, value))
    assert str(raised.value) == told


@pytest.mark.parametrize("text", [None, "", "{", "[]", "{}"])
def test_load__not_a_risk_file__the_file_is_named(tmp_path: Path, text: str | None) -> None:
    path = tmp_path / "other.json"
    if text is not None:
        path.write_text(text)
    with pytest.raises(BadRiskParameters, match=r"^other\.json: "):
        risk.load(path)


def test_tiers__names__those_of_the_documentation() -> None:
    assert TIERS == ("ETF", "T1", "T2", "T3", "T4", "BILLS", "NOTES", "BONDS", "BTC", "ETH")
