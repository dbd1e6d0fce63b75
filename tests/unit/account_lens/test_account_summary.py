"""account_summary: every number behind an account, and none that was not charged."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from prime_perps.errors import Revert
from prime_perps.liquidation import liquidatable
from prime_perps.margin import Breakdown, Exposure
from prime_perps.reports import DEFAULT_LIMITS, Flag, Session
from prime_perps.units import NANO, WAD, nano, wad
from tests.stage import Stage, account, address, deployed_source, parameters

from .conftest import DOUBLE, HALF, Glass

SHUT = 1_000  # bps, the doubt of a price that nobody can trade at
FLOORS = DEFAULT_LIMITS.floor
# what the line of an underlying says about its price when it is fresh and its exchange is open
OPEN = {"half_width": 5, "doubt": 0, "slow": 0, "session": Session.REGULAR, "flags": 0, "eventful": 0, "age": 0}


def _line(underlying: int, **fields: int) -> dict[str, int]:
    """A line without holdings, but for `fields`."""
    nothing = {"token": 0, "size": 0, "token_value": 0, "perp_value": 0}
    return {"underlying": underlying} | nothing | OPEN | fields


def _exposure(line: Any, other: int = 0) -> Exposure:
    """The line as the model was told about it; `other` is the part of its tokens that is not the primary issuer's."""
    own = line.token_value - other
    return Exposure(line.underlying, own, other, line.perp_value, line.half_width, line.eventful)


def test_account_summary__account_never_touched__is_nothing(glass: Glass) -> None:
    summary = glass.summary("nobody")
    assert summary.margin == (0,) * 11
    assert summary.terms == (0,) * 13
    assert (summary.liquidatable, summary.closure, summary.lines) == (False, (0, 0, 0), [])


def test_account_summary__cash_only__has_no_lines(glass: Glass) -> None:
    glass.stage.fund("holder", "7")
    summary = glass.summary()
    assert (summary.margin.equity, summary.terms.maintenance, summary.lines) == (7 * WAD, 0, [])


def test_account_summary__a_book_of_everything__is_told_line_by_line(glass: Glass) -> None:
    stage = glass.stage
    stage.fund("holder", "20000")
    stage.fund_stock("holder", "AAPL", "10.5")
    stage.fund_stock("holder", "MSFT", "40")
    glass.deposit_other(HALF, 8)
    glass.deposit_other(DOUBLE, 3)
    stage.trade("maker", "holder", "AAPL", "-9")
    stage.trade("maker", "holder", "NVDA", "2.000000001")
    stage.publish(AAPL="150.12345678", BTC="61000")
    stage.trade("maker", "holder", "BTC", "-0.1")

    summary = glass.summary()
    assert summary.margin == stage.margin("holder")
    price = wad("150.12345678")
    assert [line._asdict() for line in summary.lines] == [
        _line(
            0,
            token=wad("10.5"),
            size=-9 * NANO,
            token_value=wad("10.5") * price // WAD + 4 * price,
            perp_value=-9 * price,
            mid=price,
            slow=-8,
        ),
        _line(1, token_value=6 * 110 * WAD, mid=110 * WAD),
        _line(2, token=40 * WAD, token_value=1_000 * WAD, mid=25 * WAD),
        _line(4, size=nano("2.000000001"), perp_value=wad("280.00000014"), mid=140 * WAD),
        _line(6, size=-NANO // 10, perp_value=-6_100 * WAD, mid=61_000 * WAD, slow=-163, session=Session.ALWAYS_OPEN),
    ]
    others = (4 * price, 660 * WAD, 0, 0, 0)
    exposures = [_exposure(line, other) for line, other in zip(summary.lines, others, strict=True)]
    assert Breakdown(*summary.terms) == glass.explain(*exposures)
    assert summary.closure == (0, 0, 0)
    assert not summary.liquidatable


def test_account_summary__lines__sum_to_the_margin(glass: Glass) -> None:
    stage = glass.stage
    stage.fund("holder", "5000")
    stage.fund_stock("holder", "GOOG", "1.234567")
    glass.deposit_other(HALF, 8)
    stage.trade("maker", "holder", "GOOG", "-2")
    stage.trade("maker", "holder", "SPY", "3", "124")
    stage.publish(GOOG="419.87654321", SPY="126.01")
    summary = glass.summary()
    margin = summary.margin
    assert sum(line.token_value for line in summary.lines) == margin.token_value
    assert sum(line.perp_value for line in summary.lines) == margin.perp_value
    assert (summary.terms.maintenance, summary.terms.initial) == (margin.maintenance, margin.initial)


@pytest.mark.parametrize(("instrument", "units"), [(HALF, 1), (DOUBLE, 4)])
def test_account_summary__token_of_a_further_issuer__counts_at_its_units_whatever_its_decimals(
    glass: Glass, instrument: int, units: int
) -> None:
    symbol, price = ("AAPL", 150) if instrument == HALF else ("IBM", 110)
    glass.deposit_other(instrument, 2)
    line, margin = glass.line(symbol), glass.summary().margin
    assert (line.token, line.token_value) == (0, units * price * WAD)
    assert margin.token_value == margin.equity == units * price * WAD
    assert glass.book.holding(account("holder"), instrument) == 2 * WAD
    assert margin.maintenance == glass.explain(_exposure(line, line.token_value)).maintenance


def test_account_summary__two_issuers_of_one_underlying__share_its_line(glass: Glass) -> None:
    glass.stage.fund_stock("holder", "AAPL", "1")
    glass.deposit_other(HALF, 2)
    assert len(glass.summary().lines) == 1
    assert glass.line("AAPL").token_value == 300 * WAD


def test_account_summary__a_loan__is_in_the_interest_term(glass: Glass) -> None:
    glass.stage.fund_stock("holder", "AAPL", "100")
    glass.stage.withdraw("holder", "1000")
    summary = glass.summary()
    assert summary.margin.cash == -1_000 * WAD
    assert Breakdown(*summary.terms) == glass.explain(_exposure(summary.lines[0]), debt=1_000 * WAD)
    assert summary.terms.interest > 0


# prices


def test_account_summary__old_price__tells_its_age_and_what_comes_of_it(glass: Glass) -> None:
    glass.stage.fund_stock("holder", "AAPL", "100")
    glass.stage.warp(660)
    line, margin = glass.line("AAPL"), glass.summary().margin
    assert (line.age, line.doubt, line.half_width) == (660, 100, 105)
    assert margin.doubt == 15_000 * WAD // 100
    assert glass.summary().terms.widths == 15_000 * WAD * 105 // 10_000


def test_account_summary__halted__tells_the_flag_and_the_doubt(glass: Glass) -> None:
    glass.stage.fund_stock("holder", "AAPL", "100")
    glass.stage.oracle.set_halt(0, True, sender=address("guardian"))
    summary = glass.summary()
    line = summary.lines[0]
    assert (line.flags, line.doubt, line.half_width) == (Flag.HALTED, SHUT, OPEN["half_width"] + SHUT)
    assert summary.margin.doubt == 15_000 * WAD * SHUT // 10_000
    assert summary.closure == (0, 0, 0)
    assert Breakdown(*summary.terms) == glass.explain(_exposure(line))


@pytest.mark.parametrize("session", [Session.CLOSED, Session.UNKNOWN])
def test_account_summary__exchange_shut__tells_the_closure_and_the_doubt(glass: Glass, session: Session) -> None:
    glass.stage.fund_stock("holder", "AAPL", "100")
    glass.stage.close()
    glass.stage.sessions["AAPL"] = session
    glass.stage.publish()
    summary = glass.summary()
    line = summary.lines[0]
    # whatever the reports say, the calendar's is the stricter
    assert (line.session, line.doubt, line.half_width) == (Session.CLOSED, SHUT, FLOORS[Session.CLOSED] + SHUT)
    assert summary.margin.doubt == 15_000 * WAD * SHUT // 10_000
    assert summary.closure == (1, 1, 0)
    assert Breakdown(*summary.terms) == glass.explain(_exposure(line), shut=1)


# liquidatable


@pytest.mark.parametrize(("seconds", "session"), [(0, Session.REGULAR), (600, Session.REGULAR), (0, Session.CLOSED)])
def test_account_summary__liquidatable__is_what_the_engine_goes_by(
    glass: Glass, seconds: int, session: Session
) -> None:
    """From the cent at which it is for sale, with and without doubt about the price."""
    stage = glass.stage
    stage.fund("holder", "3500")
    stage.trade("maker", "holder", "AAPL", "100")
    stage.prices = {"AAPL": "150"}

    def is_liquidatable(cents: int) -> bool:
        with stage.undone():
            stage.publish(AAPL=f"{cents / 100:.2f}")
            stage.sessions["AAPL"] = session
            stage.publish()
            stage.warp(seconds)
            summary = glass.summary()
            assert summary.liquidatable == liquidatable(summary.margin)
            assert summary.liquidatable == _can_start(glass)
            return bool(summary.liquidatable)

    low, high = 10_000, 15_000
    if session is Session.CLOSED:
        low = 9_000
    assert is_liquidatable(low)
    assert not is_liquidatable(high)
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (middle, high) if is_liquidatable(middle) else (low, middle)


def _can_start(glass: Glass) -> bool:
    """Whether the engine starts an auction of the holder."""
    try:
        glass.stage.system.engine.start(account("holder"), sender=address("keeper"))
    except Revert as error:
        assert error.reason == "engine: healthy"  # noqa: PT017  either answer will do
        return False
    return True


# the whole of it


def test_account_summary__32_lines__is_told_in_one_call() -> None:
    usual = parameters()["underlyings"]
    more = [{"symbol": f"X{n}", "tier": "T1", "token": "devnet", "deposit_cap": "1000"} for n in range(7, 34)]
    stage = Stage.deployed({"underlyings": [*usual, *more]})
    symbols = [entry.symbol for entry in stage.system.underlyings if entry.token]
    assert len(symbols) == 32
    for symbol in symbols:
        stage.fund_stock("holder", symbol, "1")
    summary = stage.system.lens.account_summary(account("holder"))
    assert [line.underlying for line in summary.lines] == [stage.id(symbol) for symbol in symbols]
    assert summary.margin == stage.margin("holder")


def test_account_summary__model_explains_what_it_does_not_charge__reverts(glass: Glass) -> None:
    glass.stage.fund_stock("holder", "AAPL", "1")
    model = deployed_source(glass.stage.backend, Path(__file__).with_name("lying_model.vy"), address("deployer"))
    glass.stage.govern(glass.stage.system.configurator.set_model, model)
    model.set_margins(7, 7, sender=address("attacker"))
    assert glass.summary().margin.maintenance == 7
    model.set_margins(7, 6, sender=address("attacker"))
    with pytest.raises(Revert, match="lens: out of step"):
        glass.summary()
