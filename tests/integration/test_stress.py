"""A made-up crash as the command replays a real one: on the deployed contracts, with the keepers' own decisions."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from functools import partial
from io import StringIO
from pathlib import Path

import pytest
from click.testing import CliRunner
from rich.console import Console

from prime_perps.stress import replay, run
from prime_perps.stress.settings import Settings
from prime_perps.units import WAD
from scripts import stress
from tests.unit.stress.conftest import made_up

ROOT = Path(__file__).resolve().parent.parent.parent
CRASH = made_up()
FEW = Settings(accounts=22)
# Fields that every replay of report.json has, as docs/stress.md says.
SHAPE = {
    *("gross", "bad_debt", "bad_debt_bps", "explanation", "borne_by"),
    *("insurance_funded", "insurance_used", "insurance_left", "socialised"),
    *("liquidations", "liquidated_accounts", "discount_paid", "worst_health", "gas", "checks", "walk"),
}


def _run(folder, settings=FEW, scenario=CRASH, jobs=1):
    told = Console(file=StringIO(), width=80)
    report = run.run_scenarios(folder, told, [scenario], settings, jobs=jobs, anvil=False, gas=False)
    told.print(report.render())
    return report, json.loads((folder / "report.json").read_text())["crash"], told.file.getvalue()


def _slices(outcome):
    return [(one.time, one.account, one.fraction, one.price, one.payment) for one in outcome.record.slices]


@pytest.fixture(scope="module")
def quick(tmp_path_factory):
    """One run for all the questions below."""
    folder = tmp_path_factory.mktemp("stress")
    return (folder, *_run(folder))


@pytest.fixture(scope="module")
def gap(tmp_path_factory):
    """The same with the whole fall at the bell: what nobody can liquidate in time."""
    return _run(tmp_path_factory.mktemp("gap"), Settings(accounts=22, gaps=True))


def test_report__shape__as_documented(quick):
    folder, _, plain, text = quick
    assert plain.keys() >= SHAPE
    assert plain["accounts"] == 22
    assert plain["settings"]["seed"] == 1
    assert isinstance(plain["throttle"], dict)
    assert all(isinstance(plain[name], int) for name in ("gross", "bad_debt", "insurance_used", "socialised"))
    assert (folder / "stress-crash.png").stat().st_size > 10_000
    assert max(map(len, text.splitlines())) <= 80


def test_report__whatever_happens__the_book_adds_up(quick, gap):
    for plain in (quick[2], gap[1]):
        assert plain["checks"] == {"CH-1": True, "CH-2": True, "CH-3": True, "MM": True}


def test_report__sums__fit_each_other(quick, gap):
    for report, plain in ((quick[1], quick[2]), (gap[0], gap[1])):
        kinds = plain["kinds"].values()
        assert plain["gross"] == pytest.approx(sum(kind["gross"] for kind in kinds))
        assert plain["liquidated_accounts"] == sum(kind["liquidated"] for kind in kinds)
        assert plain["liquidations"] == sum(plain["liquidations_by_day"].values())
        assert plain["bad_debt"] == sum(plain["borne_by"].values()) == sum(kind["bad_debt"] for kind in kinds)
        # Fees come in while rewards go out.
        assert plain["insurance_left"] >= plain["insurance_funded"] - plain["rewards_paid"]
        discounts = sum(one.discount for one in report.results[0].outcome.record.slices)
        assert plain["discount_paid"] == discounts > 0


def test_report__accounts_at_their_limit__open_at_initial_margin(quick):
    outcome = quick[1].results[0].outcome
    opened = [one for one in outcome.customers if one.gross]
    assert all(0.02 < one.equity / one.gross < 1.5 for one in opened)


def test_liquidations__in_steps__leave_accounts_healthy(quick):
    plain = quick[2]
    assert plain["liquidations"] > 0
    assert plain["below_maintenance_at_the_end"] == 0
    assert plain["worst_health"] < 1


def test_bad_debt__a_gap_through_equity__is_explained_and_borne_by_insurance_first(gap):
    _, plain, text = gap
    assert plain["bad_debt_bps"] > 1
    assert plain["explanation"]
    assert "2021-03-08" in plain["explanation"][0]
    assert plain["worst_health"] < 0
    assert plain["insurance_used"] > 0
    assert plain["borne_by"]["insurance"] > 0
    assert "Bad debt above 1 bp of gross" in text


def test_bad_debt__no_insurance__stands_until_somebody_pays_in(tmp_path):
    bare = Settings(accounts=22, gaps=True, insurance_bps=0)
    _, plain, _ = _run(tmp_path, bare, made_up(fall=-0.4, days=1))
    borne = plain["borne_by"]
    # Fees are all that insurance has. Whoever took over more would be made whole, and earn nothing: no keeper does.
    assert borne["holders_of_cash"] + borne["nobody_yet"] > borne["insurance"]
    assert plain["rewards_paid"] < plain["bad_debt"]


def test_same_settings__same_report_to_the_byte(quick, tmp_path):
    _run(tmp_path, jobs=2)
    assert (tmp_path / "report.json").read_bytes() == (quick[0] / "report.json").read_bytes()


def test_another_seed__another_report(quick, tmp_path):
    _, plain, _ = _run(tmp_path, Settings(accounts=22, seed=2))
    assert plain["gross"] != quick[2]["gross"]


def test_anvil__same_replay__same_liquidations_and_real_gas(quick):
    day = CRASH.shortened(1)
    in_process, on_anvil = (engine(day, FEW, lambda *_: None) for engine in (replay.in_process, replay.on_anvil))
    assert _slices(on_anvil) == _slices(in_process) != []
    assert on_anvil.gas["take"]
    assert all(100_000 < gas < 2_000_000 for gas in on_anvil.gas["take"])


def test_thin_makers__cost_liquidators_more(quick, tmp_path):
    _, plain, _ = _run(tmp_path, Settings(accounts=22, thin_makers=True))
    assert plain["unwinding"]["trading"] > quick[2]["unwinding"]["trading"]


def test_isolated__the_same_books__need_more_equity(quick, tmp_path):
    _, plain, _ = _run(tmp_path, Settings(accounts=22, isolated=True))
    assert plain["gross"] == quick[2]["gross"]
    asked = {kind: sums["equity"] for kind, sums in plain["kinds"].items()}
    assert asked["hedged holder"] > 2 * quick[2]["kinds"]["hedged holder"]["equity"]
    assert asked["against the index"] > 2 * quick[2]["kinds"]["against the index"]["equity"]


def test_walk__every_number__follows_from_those_before_it(tmp_path):
    report, plain, _ = _run(tmp_path, Settings(accounts=22, explain=_first_sold()))
    walk = plain["walk"]
    before, after, taken = walk["before"]["margin"], walk["after"]["margin"], walk["slice"]
    parts = before["cash"] + before["quote"] + before["token_value"] + before["perp_value"] - before["funding_owed"]
    assert before["equity"] == parts < before["maintenance"]
    terms = walk["before"]["terms"]
    assert terms["core"] == max(terms["factor"] + terms["own"], terms["jump"])
    linear = sum(terms[name] for name in ("floor", "widths", "basis", "wrapper", "size"))
    assert abs(before["maintenance"] - terms["core"] - linear) < 5
    goal = taken["target_health"] * before["maintenance"] // WAD
    equity, price = before["equity"], walk["auction"]["price"]
    largest = (goal - equity) * WAD // (goal - (WAD - price) * equity // WAD)
    assert abs(taken["largest_fraction"] - largest) < 10
    assert taken["fraction"] <= taken["largest_fraction"]
    assert abs(taken["payment"] - price * (equity * taken["fraction"] // WAD) // WAD) < 10
    assert abs(after["equity"] - (equity - taken["discount"])) < WAD // 100
    text = (tmp_path / "walk-crash.md").read_text()
    assert f"{before['equity'] / WAD:,.2f}" in text
    assert report.results[0].outcome.walk.text == text


def _first_sold():
    outcome = replay.in_process(CRASH.shortened(1), FEW, lambda *_: None)
    sold = [one.account % 2**96 for one in outcome.record.slices if one.equity > 0 and one.fraction < WAD]
    return sold[0]


@pytest.mark.parametrize(
    ("options", "complaint"),
    [
        (["--replay", "1929"], "'1929' is not one of '1987', '2000', '2008', '2020'"),
        (["--accounts", "10"], "10 is not in the range 11<=x<=2000"),
        (["--accounts", "many"], "'many' is not a valid integer range"),
        (["--seed", "-1"], "-1 is not in the range x>=0"),
        (["--insurance", "10001"], "10001 is not in the range 0<=x<=10000"),
        (["--jobs", "0"], "0 is not in the range 1<=x<=64"),
        (["--explain", "500"], "there are customers 0 to 219"),
    ],
)
def test_command__bad_input__one_clear_line(options, complaint, tmp_path):
    ended = CliRunner().invoke(stress.cli, [*options, "--out", str(tmp_path)])
    assert ended.exit_code == 2
    assert complaint in ended.output


def test_command__output_is_a_file__one_clear_line(tmp_path):
    (tmp_path / "file").write_text("")
    ended = CliRunner().invoke(stress.cli, ["--out", str(tmp_path / "file" / "folder")])
    assert ended.exit_code == 1
    assert ended.output.count("\n") == 1
    assert "Not a directory" in ended.output


def test_command__prices_not_installed__says_what_to_install(tmp_path, monkeypatch):
    monkeypatch.setattr("prime_perps.backtest.data.find_spec", lambda package: None)
    ended = CliRunner().invoke(stress.cli, ["--quick", "--out", str(tmp_path)])
    assert ended.exit_code == 1
    assert "requirements-backtest.txt" in ended.output
    assert ended.output.count("\n") == 1


LIVE = """
from pathlib import Path
import click
from rich.console import Console
from prime_perps.stress import run
from prime_perps.stress.settings import Settings
from scripts import _cli
from tests.unit.stress.conftest import made_up
@click.command(cls=_cli.Command)
def live():
    folder, many = Path(__file__).parent, Settings(accounts=220)
    run.run_scenarios(folder, Console(), [made_up()], many, jobs=2, anvil=True, gas=False)
if __name__ == "__main__":
    live()
"""


def test_interrupted__nothing_left__neither_a_report_nor_a_process(tmp_path):
    program = tmp_path / "live.py"
    program.write_text(LIVE)
    (tmp_path / "report.json").write_text("{}")
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    with subprocess.Popen(
        [sys.executable, str(program)],
        cwd=ROOT,
        env=environment,
        stderr=subprocess.PIPE,
        stdout=subprocess.DEVNULL,
        text=True,
        start_new_session=True,
    ) as running:
        _wait_for(lambda: (tmp_path / "crash.log").exists())
        os.killpg(running.pid, signal.SIGINT)
        _, complaint = running.communicate(timeout=60)
    assert complaint.strip().endswith("Stopped.")
    assert "Traceback" not in complaint
    assert not (tmp_path / "report.json").exists()
    _wait_for(partial(_is_empty, running.pid))


def _wait_for(condition):
    deadline = time.monotonic() + 60
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.1)


def _is_empty(group):
    """Whether no process of the group is left."""
    try:
        os.killpg(group, 0)
    except ProcessLookupError:
        return True
    return False
