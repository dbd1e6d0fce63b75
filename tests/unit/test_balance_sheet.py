"""An account as a person reads it, against the numbers of the chain."""

from __future__ import annotations

import io

import pytest
from rich.console import Console

from prime_perps import balance_sheet, margin, risk
from prime_perps.units import WAD, usd
from tests.stage import Stage, account


@pytest.fixture(scope="module")
def stage():
    made = Stage.deployed()
    made.fund("maker", "1000000")
    made.fund("holder", "1000")
    made.fund_stock("holder", "NVDA", "1000")
    made.trade("maker", "holder", "NVDA", "-400")
    made.trade("maker", "holder", "SPY", "100")
    return made


@pytest.fixture(scope="module")
def summary(stage):
    return stage.system.lens.account_summary(account("holder"))


def shown(stage, role, summary, width=80):
    symbols = {entry.id: entry.symbol for entry in stage.system.underlyings}
    output = io.StringIO()
    console = Console(file=output, width=width, color_system=None)
    console.print(balance_sheet.render(account(role), summary, symbols))
    return output.getvalue()


def test_render__holder_with_hedge__shows_every_number_behind_the_margins(stage, summary):
    told = shown(stage, "holder", summary)
    terms = summary.terms
    for amount in (
        *(summary.margin.cash, summary.margin.quote, summary.margin.token_value, summary.margin.perp_value),
        *(summary.margin.equity, summary.margin.maintenance, summary.margin.initial),
        *(terms.factor, terms.own, terms.jump, terms.core, terms.floor, terms.widths, terms.basis, terms.wrapper),
    ):
        assert usd(amount) in told
    for word in ("NVDA", "SPY", "regular", "healthy"):
        assert word in told


def test_render__narrow_terminal__cuts_nothing_short(stage, summary):
    assert "…" not in shown(stage, "holder", summary, width=60)


def test_render__empty_account__needs_no_margin(stage):
    told = shown(stage, "attacker", stage.system.lens.account_summary(account("attacker")))
    assert "no margin needed" in told
    assert "It holds nothing" in told
    assert "It holds nothing" not in shown(stage, "holder", stage.system.lens.account_summary(account("holder")))


def test_exposures__of_a_summary__are_what_the_model_was_given(stage, summary):
    """The reference model on them gives the chain's margins exactly."""
    table = risk.read_table(stage.system.model)
    debt = max(-summary.margin.cash, 0)
    computed = margin.requirements(balance_sheet.exposures(summary), margin.Closure(*summary.closure), debt, table)
    assert computed == (summary.margin.maintenance, summary.margin.initial)


@pytest.mark.parametrize(
    ("equity", "slow", "doubt", "verdict"),
    [
        (150, 0, 0, "healthy"),
        (150, 9, 0, "healthy"),
        (150, -1, 0, "may only reduce risk"),
        (149, 0, 0, "may only reduce risk"),
        (149, 9, 0, "may only reduce risk"),
        (100, 0, 0, "may only reduce risk"),
        (99, 0, 1, "below maintenance, protected by old, frozen or sudden prices"),
        (99, 1, 0, "below maintenance, protected by old, frozen or sudden prices"),
        (99, 0, 0, "liquidatable"),
        (99, -9, 0, "liquidatable"),
        (67, 99, 0, "below maintenance, protected by old, frozen or sudden prices"),
        (66, 99, 0, "liquidatable"),
        (-1, 0, 0, "liquidatable"),
    ],
)
def test_verdict__each_side_of_each_boundary(summary, equity, slow, doubt, verdict):
    level = summary.margin._replace(
        equity=equity, maintenance=100, initial=150, doubt=doubt, slow=slow, live=100 - doubt
    )
    assert balance_sheet.verdict(level) == verdict


def test_health__equity_over_maintenance(summary):
    assert balance_sheet.health(summary.margin._replace(equity=3 * WAD, maintenance=2 * WAD)) == 1.5
    assert balance_sheet.health(summary.margin._replace(maintenance=0)) is None
