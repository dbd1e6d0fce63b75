"""Who bore what, and what a report says of it."""

from __future__ import annotations

import json
from datetime import date

import pytest

from prime_perps.stress.population import KINDS
from prime_perps.stress.record import Loss, Record
from prime_perps.stress.replay import Customer, Outcome
from prime_perps.stress.report import Gas, Report, Result
from prime_perps.stress.settings import Settings
from prime_perps.stress.unwinding import Costs
from prime_perps.units import wad
from tests.unit.stress.conftest import DAYS, made_up

CUSTOMERS = [
    Customer(number, kind, wad(10_000), wad(2_000), wad(1_500), wad(1_000), slices=0)
    for number, kind in enumerate(KINDS)
]


def _result(losses: list[tuple[int, int, int]] = (), **changed: object) -> Result:
    """`losses`: customer, amount and what of it insurance could not pay, whole USD, all on the first day."""
    record = Record(losses=[Loss(DAYS[0], customer, wad(loss), wad(beyond)) for customer, loss, beyond in losses])
    given = {
        "scenario": made_up(),
        "settings": Settings(accounts=11),
        "throttle": {},
        "gross": wad(100_000),
        "insurance_before": wad(1_000),
        "insurance_after": wad(900),
        "uncovered": 0,
        "record": record,
        "customers": CUSTOMERS,
        "costs": Costs(),
        "makers": (0, 0),
        "liquidators": (0, 0),
        "makers_worst": None,
        "checks": [],
        "walk": None,
        "gas": {},
        "transactions": 0,
    }
    return Result(Outcome(**(given | changed)))


def test_bad_debt__losses_and_what_stands__are_shared_out_whole():
    ruined = Customer(0, "long one", wad(10_000), wad(2_000), -wad(7), wad(1), slices=0)
    plain = _result([(1, 50, 20)], customers=[ruined, *CUSTOMERS[1:]]).plain(None)
    assert plain["bad_debt"] == wad(57)
    assert plain["borne_by"] == {"insurance": wad(30), "holders_of_cash": wad(20), "nobody_yet": wad(7)}
    assert plain["bad_debt_bps"] == 5.7


@pytest.mark.parametrize(("loss", "lines"), [(10, 0), (11, 1)])
def test_explanation__only_above_a_basis_point_of_gross(loss, lines):
    assert len(_result([(1, loss, 0)]).plain(None)["explanation"]) == lines


def test_explanation__says_the_day_the_moves_and_the_largest_loser():
    (line,) = _result([(1, 50, 0), (2, 60, 0)]).explanation
    assert line.startswith("2021-03-08: 110 USD (11.00 bps) from 2 accounts; the index moved -25.0%, S0 -50.0%.")
    assert "The largest, 60 USD, was customer 2 (one token on a loan), with a gross of 10,000 and 20.0% of it" in line


@pytest.mark.parametrize(
    ("throttle", "settings", "told"),
    [
        ({"throttle_bps": 5}, Settings(), {"throttle_bps": 5}),
        ({"throttle_bps": 5}, Settings(no_throttle=True), "off"),
    ],
)
def test_throttle__as_deployed__or_switched_off(throttle, settings, told):
    assert _result(throttle=throttle, settings=settings).throttle == told


def test_save__by_replay__with_exact_integers(tmp_path):
    path = tmp_path / "report.json"
    Report([_result([(1, 50, 0)])], Gas("one day", {"take": [3, 6], "start": []}), seconds=1).save(path)
    plain = json.loads(path.read_text())["crash"]
    assert plain["gross"] == 10**23
    assert plain["gas"] == {"measured_on": "one day", "take": {"transactions": 2, "mean": 4, "most": 6}}
    assert date.fromisoformat(plain["last_day"]) == DAYS[-1]
    assert list(tmp_path.iterdir()) == [path]
