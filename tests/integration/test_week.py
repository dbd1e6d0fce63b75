"""The week as a person starts it: files, checks, who was liquidated, and the same again in another run."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from dataclasses import replace
from decimal import Decimal
from pathlib import Path

import pytest
from click.testing import CliRunner
from rich.console import Console

from prime_perps.demo.checks import Check
from prime_perps.margin import Closure
from prime_perps.units import BPS
from prime_perps.week.checks import check_week
from prime_perps.week.report import Report
from prime_perps.week.run import live
from prime_perps.week.script import at

ROOT = Path(__file__).resolve().parent.parent.parent
PROGRAM = [sys.executable, "-c", "from scripts.week import cli; cli()"]


def lived_through(output):
    environment = {**os.environ, "COLUMNS": "150"}
    return subprocess.run(
        [*PROGRAM, "--output", str(output)], cwd=ROOT, env=environment, capture_output=True, text=True, timeout=400
    )


@pytest.fixture(scope="module")
def week(tmp_path_factory):
    """One run for all the questions below: it takes half a minute."""
    output = tmp_path_factory.mktemp("week")
    ended = lived_through(output)
    assert ended.returncode == 0, ended.stdout + ended.stderr
    return output, ended.stdout, json.loads((output / "report.json").read_text())


@pytest.fixture(scope="module")
def accounts(week):
    return {account["name"]: account for account in week[2]["accounts"]}


def test_week__every_check__holds(week):
    _, _, report = week
    rules = {"calendar", "clock", "event", "OR-2", "reopening", "jump", "split", "story"}
    assert set(report["checks"]) == {"CH-1", "CH-2", "CH-3", "MM"} | rules
    assert all(report["checks"].values())
    assert report["bad_debt"] == "0.00"


def test_week__eight_customers__three_are_liquidated(accounts):
    liquidated = {name for name, account in accounts.items() if account["liquidated"]}
    assert liquidated == {"earnings_long", "btc_long", "mixed"}
    for name in liquidated:
        for entry in accounts[name]["slices"]:
            assert Decimal(entry["equity_before"]) < Decimal(entry["mm_before"])
    assert {entry["session"] for entry in accounts["btc_long"]["slices"]} == {"closed"}


def test_week__twin_who_deposits_on_sunday__is_not_liquidated(accounts):
    mixed, twin = accounts["mixed"]["moments"], accounts["topped_up"]["moments"]
    assert abs(Decimal(mixed["before shut"]["equity"]) - Decimal(twin["before shut"]["equity"])) < 1_000
    assert mixed["reopened"]["liquidatable"] or accounts["mixed"]["liquidated"]
    assert Decimal(accounts["topped_up"]["lowest_health"]["health"]) < 1


def test_week__long_of_the_halted_stock__is_sheltered_while_below_maintenance(accounts):
    halted = accounts["halted_long"]
    moment = halted["moments"]["in the halt"]
    assert Decimal(moment["equity"]) < Decimal(moment["mm_without_doubt"])
    assert not moment["liquidatable"]
    assert not halted["liquidated"]


def test_week__picture_log_and_progress__are_there(week):
    output, told, _ = week
    assert (output / "week.png").stat().st_size > 100_000
    events = {json.loads(line)["event"] for line in (output / "liquidator.log").read_text().splitlines()}
    assert "slice_taken" in events
    assert "mixed is below maintenance margin" in told


@pytest.fixture(scope="module")
def again():
    """A second run, in this process: its journal, to be spoiled, and its report."""
    return live(Console(quiet=True))


def test_week__same_script__gives_the_same_report_again(week, again, tmp_path):
    """No number depends on the machine: prices are seeded, blocks are a second apart."""
    again[1].save(tmp_path / "report.json")
    repeated = json.loads((tmp_path / "report.json").read_text())
    assert repeated | {"seconds": 0} == week[2] | {"seconds": 0}


# a check that cannot fail checks nothing


def at_look(journal, when, change):
    """The journal with one look changed: the last one at a time."""
    place = max(index for index, look in enumerate(journal.looks) if look.time == at(when))
    looks = list(journal.looks)
    looks[place] = change(looks[place])
    return replace(journal, looks=looks)


def with_book(name, **changed):
    return lambda look: replace(look, books={**look.books, name: replace(look.books[name], **changed)})


def with_price(symbol, change):
    return lambda look: replace(look, prices={**look.prices, symbol: change(look.prices[symbol])})


def with_word(symbol, **changed):
    return with_price(symbol, lambda price: replace(price, word=replace(price.word, **changed)))


def believed(symbol):
    return with_price(symbol, lambda price: replace(price, word=replace(price.word, mid=price.stated.mid)))


def richer(name, bps):
    def change(look):
        margin = look.books[name].margin
        return with_book(name, margin=margin._replace(equity=margin.equity * (BPS + bps) // BPS))(look)

    return change


SPOILED = {
    "closure of another day": ("calendar", "Fri 19:00", lambda look: replace(look, closure=Closure(0, 2, 1))),
    "closure counts on Thursday": ("clock", "Thu 12:00", with_book("hedged", by_the_clock=1)),
    "event in no time": ("event", "Thu 15:00", with_price("NVDA", lambda price: replace(price, eventful=0))),
    "sold in a halt": ("OR-2", "Fri 11:20", with_book("halted_long", liquidatable=True)),
    "sold while shut": ("OR-2", "Sun 12:00", with_book("split_long", liquidatable=True)),
    "gossip believed": ("OR-2", "Sun 12:00", with_word("AAPL", mid=1)),
    "no doubt while shut": ("OR-2", "Sun 12:00", with_word("SPY", doubt=0)),
    "halt over too soon": ("reopening", "Fri 11:51", with_word("MSFT", flags=0)),
    "reopened too late": ("reopening", "Mon 20:03", with_word("IBM", flags=16)),
    "jump believed": ("jump", "Thu 16:20:10", believed("NVDA")),
    "traded while paused": ("split", "Tue 01:10", with_word("GOOG", flags=0)),
    "paused for good": ("split", "Tue 01:40", with_word("GOOG", flags=2)),
    "richer by the split": ("split", "Tue 01:40", richer("split_long", 2)),
    "poorer by the split": ("split", "Tue 01:40", richer("hedged", -2)),
}


@pytest.mark.parametrize("spoiled", SPOILED)
def test_check_week__one_look_spoiled__fails(again, spoiled):
    name, when, change = SPOILED[spoiled]
    checks = check_week(at_look(again[0], when, change))
    assert {check.id for check in checks if not check.holds} == {name}


def test_check_week__liquidated_before_the_reopening_rule__fails(again):
    journal = again[0]
    early = next(look for look in journal.looks if look.time == at("Mon 20:01"))
    sales = [replace(sale, look=early) if sale.taken.actor == "mixed" else sale for sale in journal.sales]
    failed = {check.id for check in check_week(replace(journal, sales=sales)) if not check.holds}
    assert "reopening" in failed


def test_check_week__nobody_liquidated__fails(again):
    failed = {check.id for check in check_week(replace(again[0], sales=[])) if not check.holds}
    assert failed == {"reopening", "story"}


def test_week__check_fails__ends_with_an_error(monkeypatch):
    from scripts import week as script

    broken = Report([], [], [Check("OR-2", "nobody is sold while shut", False, "somebody was")], 0, 0, 0.0, 0)
    monkeypatch.setattr(script, "week", lambda *_: broken)
    ended = CliRunner().invoke(script.cli, [])
    assert ended.exit_code == 1
    assert "a check failed" in ended.output
