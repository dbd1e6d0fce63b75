"""The tour as a person starts it: its tables, its facts, and what is left behind."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from decimal import Decimal
from pathlib import Path

import pytest
import structlog
from click.testing import CliRunner

from prime_perps.demo.checks import Check
from prime_perps.tour import run
from scripts.tour import cli

ROOT = Path(__file__).resolve().parent.parent.parent
PROGRAM = [sys.executable, "-c", "from scripts.tour import cli; cli()"]


@pytest.fixture(scope="module")
def tour(tmp_path_factory):
    """One run for all the questions below."""
    output = tmp_path_factory.mktemp("tour")
    environment = {**os.environ, "COLUMNS": "200"}
    ended = subprocess.run(
        [*PROGRAM, "--output", str(output)], cwd=ROOT, env=environment, capture_output=True, text=True, timeout=300
    )
    assert ended.returncode == 0, ended.stdout + ended.stderr
    return output, ended.stdout, json.loads((output / "report.json").read_text())


@pytest.fixture(scope="module")
def looks(tour):
    return {(look["account"], look["when"]): look for look in tour[2]["looks"]}


@pytest.fixture
def logging_kept():
    """A command run in process sends the log to a file that is closed at its end."""
    kept = structlog.get_config()
    yield
    structlog.configure(**kept)


def usd(text):
    return Decimal(text)


def test_tour__every_fact__holds(tour):
    _, _, report = tour
    assert set(report["checks"]) == {"1", "2", "3", "4", "CH-1", "CH-2", "CH-3", "MM"}
    assert all(statement["holds"] for statement in report["statements"])


def test_tour__on_screen__a_table_after_each_step_and_the_log_line(tour):
    output, told, report = tour
    titles = [
        "1. Stock on margin",
        "2. The same with a perp",
        "Events of the fill's",
        "3. A perp of",
        "Depth of",
        "4. The price falls",
        "What the same liquidation costs",
        "Checked on the chain's state",
    ]
    places = [told.index(title) for title in titles]
    assert places == sorted(places)
    line = json.loads(report["log"])
    assert (line["event"], line["action"]) == ("redeemed", "redeem")
    assert line["reason"].startswith("cheaper for the account: redeeming costs it ")
    assert report["log"] == (output / "liquidator.log").read_text().splitlines()[-1]


def test_tour__stock_on_margin__is_a_loan_and_its_hedge_lowers_the_margin(looks):
    bought, hedged = looks["hedged", "with stock"], looks["hedged", "with its hedge"]
    assert usd(bought["cash"]) < -300_000
    assert bought["mm_bps"] > 1_000
    assert hedged["mm_bps"] == 250


def test_tour__a_million__against_less_than_sixty_thousand_in_one_transaction(tour, looks):
    _, _, report = tour
    before, after = looks["vault", "before"], looks["vault", "after"]
    assert 0 < usd(before["equity"]) <= 60_000
    assert usd(after["tokens"]) == -usd(after["perps"])
    assert [event for _, event, detail in report["events"] if detail] == ["Minted", "Novated", "Filled"]
    worth = int(report["fill"]["shares"]) * usd(report["fill"]["price"])
    assert worth >= 1_000_000
    assert worth / usd(report["depth"]["notional"]) < Decimal("1.0015"), (
        "5 bps of the issuer's, under 10 of the vault's"
    )
    depths = [usd(report["depth"][way]["depth"]) for way in ("one portfolio", "two legs alone")]
    assert depths[0] > 20 > 3 > depths[1]


def test_tour__a_redemption__costs_less_than_half_of_a_slice(tour, looks):
    _, _, report = tour
    by_slice, redeemed = report["cures"]
    assert 0 < 2 * usd(redeemed["cost"]) < usd(by_slice["cost"])
    assert 0 < 2 * usd(redeemed["per_mm_shed"]) < usd(by_slice["per_mm_shed"])
    assert usd(looks["unhedged", "after the fall"]["health"]) < 1 < usd(looks["unhedged", "redeemed"]["health"])


@pytest.mark.usefixtures("logging_kept")
def test_tour__a_fact_that_does_not_hold__ends_in_an_error(tmp_path, monkeypatch):
    monkeypatch.setattr(run, "check_all", lambda *_: [Check("CH-1", "the book is whole", False, "it is not")])
    ended = CliRunner().invoke(cli, ["--output", str(tmp_path)])
    assert ended.exit_code == 1
    assert "Error: a check failed: see the table above" in ended.output
