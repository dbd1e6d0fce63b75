"""The configuration: the example is in order, and every wrong entry is named."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path

import pytest
from click.testing import CliRunner

from prime_perps.compiler import ROOT
from prime_perps.issuer import config
from prime_perps.issuer.config import BadConfig
from prime_perps.issuer.hours import new_york
from scripts.broker import cli

EXAMPLE = ROOT / "parameters" / "broker.toml"


@pytest.fixture
def changed(tmp_path: Path):
    """Loads the example with a text replaced."""

    def load(old: str, new: str) -> config.BrokerConfig:
        text = EXAMPLE.read_text()
        assert old in text
        path = tmp_path / "broker.toml"
        path.write_text(text.replace(old, new))
        return config.load(path)

    return load


def test_load__example__is_in_order() -> None:
    loaded = config.load(EXAMPLE)
    assert loaded.limits.minimum == 10**18
    assert loaded.assets[0].halts[0].start == new_york(datetime(2008, 9, 29, 13))
    assert len(loaded.assets[0].pauses) == 2


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        ("id = 31337", 'id = "31337"', "chain.id: Input should be a valid integer"),
        ("id = 31337", "id = 0", "chain.id: Input should be greater than 0"),
        ("port = 8710", "port = 70000", "server.port: Input should be less than or equal to 65535"),
        ('clock = "chain"', 'clock = "moon"', "chain.clock: Input should be 'chain' or 'world'"),
        ('manager = "0x5FbD', 'manager = "0x5fbD', "chain.manager: is an address with a typing error"),
        ('manager = "0x5FbD', 'manager = "0x', "chain.manager: must be an address"),
        ("short = 30", "short = 300", "validity: short must be shorter than long"),
        ("regular = 5,", "regular = 10,", "spreads: short must be less than long in every session"),
        ("regular = 5,", "regular = -1,", "spreads.short.regular: Input should be greater than or equal to 0"),
        ('minimum = "1"', "minimum = 1.5", "limits.minimum: must be an amount as text"),
        ('minimum = "1"', 'minimum = "-1"', "limits.minimum: must be an amount as text"),
        ('notional = "1000000"', 'notional = "0"', "limits.user.notional: must be more than 0"),
        ("count = 100,", "count = 0,", "limits.user.count: Input should be greater than 0"),
        ("window = 3600 }\nevery", "window = 0 }\nevery", "limits.user.window: Input should be greater than 0"),
        ("end = 2008-09-29T13:15:00", "end = 2008-09-29T12:15:00", "assets.1.halts.1: end must come after start"),
        ("start = 2008-09-29T13:00:00", "start = 2008-09-29", "assets.1.halts.1.start: must be a date with a time"),
        ("ex_dates = [2008-11-06]", 'ex_dates = ["soon"]', "assets.1.ex_dates.1: Input should be a valid date"),
        ('id = "0x474d', 'id = "0x', "users.1.id: must be 0x and 64 hex digits"),
        ('key_sha256 = "00', 'key_sha256 = "', "users.1.key_sha256: String should match pattern"),
        ('source = "history"', 'source = "file"', 'prices: file goes with source = "file"'),
        ("[prices]", "[prises]", "prises: Extra inputs are not permitted"),
        ('state = "../build/broker.sqlite"', "", "state: Field required"),
    ],
)
def test_load__wrong_entry__is_named(changed, old: str, new: str, told: str) -> None:
    with pytest.raises(BadConfig) as error:
        changed(old, new)
    assert told in str(error.value)


def test_load__several_wrong_entries__are_all_named(changed) -> None:
    with pytest.raises(BadConfig, match=r"chain\.x: .*; server\.port: "):
        changed('host = "127.0.0.1"\nport = 8710', "port = -1\n[chain.x]")


@pytest.mark.parametrize("table", ["assets", "users"])
def test_load__twice_the_same__is_named(tmp_path: Path, table: str) -> None:
    text = EXAMPLE.read_text()
    begin = text.index(f"[[{table}]]")
    end = text.find("[[", begin + 2)
    path = tmp_path / "broker.toml"
    path.write_text(text + "\n" + text[begin : None if end < 0 else end])
    with pytest.raises(BadConfig, match=f"{table}: the same (symbol|name) stands twice"):
        config.load(path)


def test_load__not_toml_or_not_there__one_clear_line(tmp_path: Path) -> None:
    path = tmp_path / "broker.toml"
    with pytest.raises(BadConfig, match=r"cannot read .*No such file"):
        config.load(path)
    path.write_text("chain = ")
    with pytest.raises(BadConfig, match="is not TOML"):
        config.load(path)
    path.write_bytes(b"\xff\xfe")
    with pytest.raises(BadConfig, match="is not TOML"):
        config.load(path)


def test_command__check__says_what_is_in_order() -> None:
    result = CliRunner().invoke(cli, ["--config", str(EXAMPLE), "--check"])
    assert (result.exit_code, result.output.strip().endswith("is in order: AAPLon.")) == (0, True)


def test_command__new_key__is_another_one_each_time() -> None:
    told = {CliRunner().invoke(cli, ["--new-key"]).output for _ in range(2)}
    assert len(told) == 2


def test_command__wrong_configuration__one_line_and_exit_1(tmp_path: Path) -> None:
    result = CliRunner().invoke(cli, ["--config", str(tmp_path / "none.toml"), "--check"])
    assert result.exit_code == 1
    assert result.output.startswith("Error: cannot read")
    assert result.output.count("\n") == 1
