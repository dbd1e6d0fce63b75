"""The whole back-test on made-up stocks: the report, its honesty, and that a seed means the same books."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest
from click.testing import CliRunner
from rich.console import Console

from prime_perps.backtest import run as backtest
from prime_perps.backtest.books import KINDS
from prime_perps.backtest.run import Settings
from scripts.backtest import cli
from tests.unit.backtest.conftest import CRASH, TABLE


def _run(output, seed=1, books=6, table=TABLE):
    console = Console(width=80, file=(output / "console.txt").open("w"))
    report = backtest.run(output, console, Settings(table, seed, books))
    with console.capture() as printed:
        console.print(report.render())
    return json.loads((output / "report.json").read_text()), printed.get()


@pytest.fixture(scope="module")
def folder(universes, tmp_path_factory) -> Path:
    return tmp_path_factory.mktemp("backtest")


@pytest.fixture(scope="module")
def ran(folder):
    """The report and what is printed, of the shipped parameters."""
    return _run(folder)


def test_run__report__has_every_kind_in_every_universe_and_pictures(ran, folder):
    report, _ = ran
    assert set(report) == {"sp500", "nyse"}
    for kinds in report.values():
        assert list(kinds) == [kind.name for kind in KINDS]
        for kind in kinds.values():
            assert kind.keys() >= {"coverage", "bankrupt_at_im", "ratio_isolated", "ratio_reg_t", "kupiec_days_p"}
            assert kind["covered"] is (kind["coverage"] >= 0.998)
            assert kind["coverage_at_least"] <= kind["coverage"]
            assert kind["first_day"] == "2004-01-01"
            assert kind["reviewed"]["first_day"] == "2003-01-01"
    for name in ("coverage.png", "losses.png", "capital.png"):
        assert (folder / name).read_bytes().startswith(b"\x89PNG")


def test_run__crash_of_thirty_percent__is_the_worst_day_and_its_replay_costs_insurance(ran):
    report, _ = ran
    for kinds in report.values():
        wide = kinds["twenty_long"]
        assert next(iter(wide["worst_days"])) == CRASH.isoformat()
        replayed = wide["stress"][CRASH.isoformat()]
        assert replayed["index_return"] == -0.3
        assert (replayed["over_mm"], replayed["over_im"]) == (1, 1)
        assert 0.1 < replayed["insurance_at_im"] < replayed["insurance_at_mm"] < 0.3
        assert kinds["ten_short"]["stress"][CRASH.isoformat()]["over_mm"] == 0


def test_run__same_seed__same_report_and_another_seed_other_books(ran, folder, tmp_path):
    first = (folder / "report.json").read_text()
    _run(tmp_path)
    assert (tmp_path / "report.json").read_text() == first
    other, _ = _run(tmp_path, seed=2)
    assert other["sp500"]["twenty_long"]["mm_of_gross"] != ran[0]["sp500"]["twenty_long"]["mm_of_gross"]


def test_run__all_covered__says_so_and_nothing_else(ran):
    report, printed = ran
    assert all(kind["covered"] for kinds in report.values() for kind in kinds.values())
    assert "Every kind of book is covered on 99.8% of days" in printed
    assert "FALLS SHORT" not in printed


def test_run__parameters_that_ask_too_little__says_plainly_which_books_fall_short(universes, tmp_path):
    report, printed = _run(tmp_path, table=_weak())
    short = {(name, kind) for name, kinds in report.items() for kind, one in kinds.items() if not one["covered"]}
    assert ("nyse", "one_long") in short
    assert "FALLS SHORT of 99.8%" in printed
    titles = {kind.name: kind.title for kind in KINDS}
    assert all(f"- {name}, {titles[kind]}: " in printed for name, kind in short)
    assert all(one["kupiec_days_p"] < 0.05 for one in (report[name][kind] for name, kind in short))


def test_bare__least_floor_and_no_charge_on_tokens():
    assert {
        (line.gamma, line.basis, line.wrapper, line.wrapper_other) for line in backtest.bare(TABLE).tiers.values()
    } == {(50, 0, 0, 0)}
    assert backtest.bare(TABLE).line("T3").iota == TABLE.line("T3").iota


def _weak():
    """A table that holds a tenth of the shocks."""
    lines = {name: replace(line, iota=line.iota // 10, gamma=1) for name, line in TABLE.tiers.items()}
    return replace(TABLE, globals=replace(TABLE.globals, phi=(60, 60, 60, 0)), tiers=lines)


def test_command__made_up_stocks__prints_tables_and_where_the_report_is(universes, tmp_path):
    result = CliRunner().invoke(cli, ["--books", "3", "--seed", "2", "--output", str(tmp_path / "out")])
    assert result.exit_code == 0, result.output
    assert "Was the next day's loss within MM?" in result.output
    assert json.loads((tmp_path / "out" / "report.json").read_text())["nyse"]["pair"]["seed"] == 2


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        (["--books", "0"], "0 is not in the range 1<=x<=5000"),
        (["--books", "many"], "'many' is not a valid integer"),
        (["--seed", "-1"], "-1 is not in the range x>=0"),
        (["--colour"], "No such option"),
        (["--parameters", "none.json"], "none.json: cannot be read"),
    ],
)
def test_command__bad_input__one_line_and_no_run(arguments, complaint, tmp_path):
    result = CliRunner().invoke(cli, [*arguments, "--output", str(tmp_path / "out")])
    assert result.exit_code in (1, 2)
    assert complaint in result.output
    assert not (tmp_path / "out" / "report.json").exists()


def test_command__output_in_a_file__one_line_before_any_work(tmp_path):
    (tmp_path / "taken").write_text("")
    result = CliRunner().invoke(cli, ["--output", str(tmp_path / "taken" / "out")])
    assert (result.exit_code, result.output.count("\n")) == (1, 1)
    assert "Not a directory" in result.output
