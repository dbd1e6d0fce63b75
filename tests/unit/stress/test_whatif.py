"""What the switches change, and that nothing else changes."""

from __future__ import annotations

import json

import pytest

from prime_perps import margin, risk
from prime_perps.margin import Closure, Exposure
from prime_perps.stress import whatif
from prime_perps.stress.settings import Settings
from prime_perps.units import wad

TIERS = ("T1", "T2", "T3", "ETF")
SYMBOLS = ("A", "B", "C", "INDEX")


def test_parameters__by_default__those_of_the_network(tmp_path):
    given = whatif.parameters(SYMBOLS, TIERS, Settings(), tmp_path)
    network = json.loads(whatif.NETWORK.read_text())
    assert {name: value for name, value in given.items() if name != "underlyings"} == {
        name: value for name, value in network.items() if name != "underlyings"
    }
    assert [entry["tier"] for entry in given["underlyings"]] == list(TIERS)
    assert ["token" in entry for entry in given["underlyings"]] == [True, True, True, False]
    assert [entry["feed"]["jump"] for entry in given["underlyings"]] == [500, 1_000, 1_000, 500]


def test_isolated__a_book__asks_what_its_positions_ask_alone(tmp_path):
    given = whatif.parameters(SYMBOLS, TIERS, Settings(isolated=True), tmp_path)
    table = risk.load(tmp_path / "isolated.json").table(TIERS)
    assert given["risk"] == str(tmp_path / "isolated.json")
    legs = [
        Exposure(0, token=wad(50_000)),
        Exposure(0, perp=wad(-50_000)),
        Exposure(1, perp=wad(30_000)),
        Exposure(3, perp=wad(-80_000)),
    ]
    book = [Exposure(0, token=wad(50_000), perp=wad(-50_000)), *legs[2:]]
    alone = sum(margin.requirements([leg], Closure(), 0, table)[0] for leg in legs)
    together, _ = margin.requirements(book, Closure(), 0, table)
    # A size of its own is charged on what is net.
    assert abs(together - alone) < alone // 1_000
    assert together > margin.requirements(book, Closure(), 0, whatif.table().table(TIERS))[0]


@pytest.mark.parametrize("tier", TIERS)
def test_isolated__one_long_perp__asks_what_it_asked(tier):
    position = [Exposure(0, perp=wad(10_000))]
    before, after = (
        margin.requirements(position, Closure(), 0, table.table([tier]))[0]
        for table in (whatif.table(), whatif.isolated(whatif.table()))
    )
    assert abs(before - after) < 10


def test_isolated__as_a_file__loads():
    changed = whatif.isolated(whatif.table())
    assert risk.parse(whatif.plain(changed)) == changed
