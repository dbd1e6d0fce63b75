"""Why only reductions are traded, in words: whatever the book refuses has a reason, and what it takes has none."""

from __future__ import annotations

import io
from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime
from decimal import Decimal
from zoneinfo import ZoneInfo

import pytest
from rich.console import Console

from prime_perps import balance_sheet, reports, restrictions
from prime_perps.chain import Contract
from prime_perps.errors import Revert
from prime_perps.margin import Closure
from prime_perps.reports import DEFAULT_LIMITS, Feed, Session, Source, Word
from prime_perps.units import MID, nano
from tests.stage import Stage, account, address

FRIDAY = int(datetime(2026, 3, 6, 19, 50, tzinfo=ZoneInfo("America/New_York")).timestamp())
CLOSE = FRIDAY + 600


@pytest.fixture(scope="module")
def opened() -> Stage:
    """A holder of AAPL and BTC, shortly before a weekend."""
    stage = Stage.opened(FRIDAY)
    stage.prices = {symbol: stage.prices[symbol] for symbol in ("AAPL", "BTC")}
    stage.fund("maker", "10000000")
    stage.fund("holder", "1000000")
    stage.trade("maker", "holder", "AAPL", "10")
    stage.trade("maker", "holder", "BTC", "1")
    stage.publish()
    return stage


@pytest.fixture
def stage(opened: Stage) -> Iterator[Stage]:
    with opened.undone():
        yield opened


def told(stage: Stage, symbol: str = "AAPL") -> tuple[str, ...]:
    """The reasons, which are there exactly when the book refuses to open more."""
    summary = stage.system.lens.account_summary(account("holder"))
    found = restrictions.of_account(stage.system, summary)[stage.id(symbol)]
    word = Word.unpack(stage.oracle.word(stage.id(symbol)))
    trade = ("maker", "holder", symbol, "0.01", str(Decimal(word.mid) / MID))
    if found:
        with pytest.raises(Revert, match=r"^trade: reduce only$"):
            stage.trade(*trade)
    else:
        stage.trade(*trade)
    return found


def issued(stage: Stage) -> Contract:
    """AAPL with an issuer who can pause it, and with a jump guard."""
    deployer = address("deployer")
    compliance = Contract.deploy(stage.backend, "IssuerCompliance", sender=deployer)
    token = Contract.deploy(stage.backend, "StockToken", "Apple", "AAPL", compliance, sender=deployer)
    source = Contract.deploy(stage.backend, "SValueOracle", sender=deployer)
    feed = Feed(Source.REPORTS, jump=500, issuer=source.address, token=token.address)
    stage.govern(stage.oracle.set_feed, stage.id("AAPL"), feed)
    return token


def test_reasons__nothing_in_the_way__none(stage: Stage) -> None:
    assert told(stage) == told(stage, "BTC") == ()


def test_reasons__halted__and_then_reopening(stage: Stage) -> None:
    stage.oracle.set_halt(stage.id("AAPL"), True, sender=address("guardian"))
    assert told(stage) == (restrictions.HALTED,)
    stage.govern(stage.oracle.set_halt, stage.id("AAPL"), False)
    assert told(stage) == (restrictions.REOPENING,)
    stage.warp(120)
    stage.publish()
    assert told(stage) == ()


def test_reasons__issuer_has_paused__is_told(stage: Stage) -> None:
    issued(stage).set_paused(True, sender=address("deployer"))
    stage.publish()
    assert told(stage) == (restrictions.PAUSED,)


def test_reasons__shut_by_its_reports_alone__is_told(stage: Stage) -> None:
    for session, reason in ((Session.UNKNOWN, restrictions.UNKNOWN), (Session.CLOSED, restrictions.SHUT_BY_REPORTS)):
        stage.sessions["AAPL"] = session
        stage.publish()
        assert told(stage) == (reason,)
    assert told(stage, "BTC") == ()


def test_reasons__shut_and_as_wide_as_its_price__is_told(stage: Stage) -> None:
    """A report of a closed exchange that is sure of nothing leaves the word no room for doubt."""
    stage.warp(1)
    unsure = replace(stage.report("AAPL"), confidence=5_000, status=Session.CLOSED)
    stage.oracle.submit(
        [reports.sign_all(unsure, stage.reporters(), 1, stage.oracle.address)], sender=address("keeper")
    )
    assert stage.system.lens.account_summary(account("holder")).lines[0].doubt == 0
    assert told(stage) == (restrictions.SHUT_BY_REPORTS,)


def test_reasons__shut_by_the_calendar__is_told_before_and_after_somebody_refreshes(stage: Stage) -> None:
    stage.warp(CLOSE + 100 - stage.now())
    assert told(stage) == (restrictions.SHUT_BY_CALENDAR,)
    stage.publish()
    assert told(stage) == (restrictions.SHUT_BY_CALENDAR,)
    assert told(stage, "BTC") == ()


def test_reasons__jumped__is_told_until_it_is_confirmed(stage: Stage) -> None:
    issued(stage)
    stage.publish(AAPL="170")
    assert told(stage) == (restrictions.UNCONFIRMED,)
    stage.warp(15)
    stage.publish()
    assert told(stage) == ()


def test_reasons__one_of_two_sources__is_not_enough(stage: Stage) -> None:
    feed = Contract.deploy(stage.backend, "DevnetFeed", 8, "AAPL / USD", sender=address("deployer"))
    both = Feed(Source.REPORTS | Source.AGGREGATOR, feed.address, 8, 3_600, 10, alone=False)
    stage.govern(stage.oracle.set_feed, stage.id("AAPL"), both)
    assert told(stage) == (restrictions.ALONE,)


def test_reasons__too_old__by_how_much(stage: Stage) -> None:
    stage.warp(60)
    assert told(stage) == ()
    stage.warp(7)
    assert told(stage) == ("its price is 7 s older than its session allows",)


def test_reasons__several__are_all_told(stage: Stage) -> None:
    market = stage.system.clearinghouse.market(stage.id("AAPL"))
    stage.govern(
        stage.system.configurator.set_market,
        stage.id("AAPL"),
        nano("1000"),
        market.band,
        market.funding_depth,
        True,
    )
    assert told(stage) == (restrictions.BY_GOVERNANCE,)
    stage.oracle.set_halt(stage.id("AAPL"), True, sender=address("guardian"))
    stage.warp(61)
    assert told(stage) == (
        restrictions.BY_GOVERNANCE,
        restrictions.HALTED,
        "its price is 1 s older than its session allows",
    )


def test_reasons__never_priced__is_told(stage: Stage) -> None:
    line = stage.system.lens.account_summary(account("holder")).lines[0]._replace(mid=0, session=0, age=stage.now())
    assert restrictions.reasons(line, Closure(), DEFAULT_LIMITS, reduce_only=False) == (restrictions.NEVER_PRICED,)


def test_render__reasons__stand_beside_the_prices(stage: Stage) -> None:
    stage.oracle.set_halt(stage.id("AAPL"), True, sender=address("guardian"))
    summary = stage.system.lens.account_summary(account("holder"))
    symbols = {entry.id: entry.symbol for entry in stage.system.underlyings}
    output = io.StringIO()
    found = restrictions.of_account(stage.system, summary)
    sheet = balance_sheet.render(account("holder"), summary, symbols, found)
    Console(file=output, width=120, color_system=None).print(sheet)
    assert f"only reductions: {restrictions.HALTED}" in output.getvalue()
    assert "anything" in output.getvalue()
