"""The weekend as the whole system sees it: with prices constant, nobody who is healthy when the exchange shuts becomes
liquidatable before it opens again, and initial margin has known of it for a day.
"""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from functools import cache
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from prime_perps.accounts import CASH
from prime_perps.errors import Revert
from prime_perps.reports import Session
from prime_perps.sessions import DAY, RAMP
from prime_perps.units import NANO, nano
from tests.stage import Stage, account, address

NEW_YORK = ZoneInfo("America/New_York")
CLOSE = int(datetime(2026, 3, 6, 20, tzinfo=NEW_YORK).timestamp())
REOPENING = int(datetime(2026, 3, 8, 20, tzinfo=NEW_YORK).timestamp())
STOCKS = ("AAPL", "NVDA", "SPY")
MARKETS = (*STOCKS, "BTC")

sizes = st.tuples(
    st.integers(-nano(200), nano(200)),
    st.integers(-nano(200), nano(200)),
    st.integers(-nano(300), nano(300)),
    st.integers(-nano("0.3"), nano("0.3")),
).filter(any)


@cache
def opened() -> Stage:
    """Wednesday before the weekend, with a maker and a trader that has cash."""
    stage = Stage.opened(CLOSE - 2 * DAY - 5 * 3_600)
    stage.fund("maker", "100000000")
    stage.fund("holder", "200000")
    stage.fund_stock("holder", "AAPL", "100")
    return stage


def trade(stage: Stage, book: tuple[int, ...]) -> None:
    for symbol, size in zip(MARKETS, book, strict=True):
        if size:
            order = stage.order("maker", symbol, str(Decimal(-size) / NANO))
            limit = 0 if size < 0 else 2**256 - 1
            stage.system.exchange.fill(order, account("holder"), size, limit, sender=address("holder"))


def borrow(stage: Stage, part: int) -> None:
    """Take out the given part of what initial margin leaves free, percent; what insurance of rounding needs stays."""
    margin = stage.margin("holder")
    # borrowing itself adds 72 hours of interest, to 4/3 of which nothing else comes
    free = (margin.equity - margin.initial) * part // 100 * 995 // 1_000 // 10**12
    if free > 0:
        stage.system.vault.withdraw(account("holder"), CASH, free, address("holder"), sender=address("holder"))


def at(stage: Stage, time: int, session: Session, *, tell: bool = True) -> None:
    """Go there, and have the prices reported once more, if they are."""
    stage.sessions = {symbol: session for symbol in stage.prices if symbol != "BTC"}
    if tell:
        stage.warp(time - 1 - stage.now())
        stage.publish()
    else:
        stage.warp(time - stage.now())


def summary(stage: Stage) -> Any:
    return stage.system.lens.account_summary(account("holder"))


closed_moments = st.lists(st.tuples(st.integers(0, REOPENING - CLOSE - 1), st.booleans()), min_size=1, max_size=6)


@settings(max_examples=60)
@given(sizes, st.integers(0, 100), closed_moments, st.sampled_from((Session.CLOSED, Session.UNKNOWN)))
def test_closure__healthy_when_it_begins__not_liquidatable_before_it_ends(
    book: tuple[int, ...], part: int, moments: list[tuple[int, bool]], session: Session
) -> None:
    with opened().undone() as stage:
        trade(stage, book)
        borrow(stage, part)
        at(stage, CLOSE, Session.POST)
        begun = summary(stage)
        assume(not begun.liquidatable)
        # the second it shuts, a minute and a half later when an old price begins to age, and any others
        for later, told in [(1, False), (90, False), *sorted(moments), (REOPENING - CLOSE - 1, False)]:
            if CLOSE + later > stage.now():
                at(stage, CLOSE + later, session, tell=told)
                shut = summary(stage)
                assert not shut.liquidatable, f"{later} seconds after the close"
                # nor is it the doubt of frozen prices alone that keeps it so
                assert shut.terms.core == begun.terms.core


@settings(max_examples=60)
@given(sizes, st.integers(0, RAMP - 1))
def test_ramp__from_one_second_to_the_next__as_little_as_its_slope(book: tuple[int, ...], second: int) -> None:
    """Maintenance margin of the same prices: half of the core at most, over two hours, in whole basis points."""
    with opened().undone() as stage:
        trade(stage, book)
        at(stage, CLOSE - RAMP, Session.POST)
        start = stage.margin("holder").maintenance
        at(stage, CLOSE - RAMP + second, Session.POST)
        before = stage.margin("holder").maintenance
        stage.warp(1)
        after = stage.margin("holder").maintenance
        assert start <= before <= after
        assert after - before <= start // 2 // 5_000 + 64


@settings(max_examples=30)
@given(sizes)
def test_look_ahead__opened_a_day_before__initial_margin_is_that_of_the_weekend(book: tuple[int, ...]) -> None:
    with opened().undone() as stage:
        at(stage, CLOSE - DAY - 1, Session.POST)
        trade(stage, book)
        early = stage.margin("holder")
        at(stage, CLOSE - DAY, Session.POST)
        known = stage.margin("holder")
        at(stage, CLOSE - 1, Session.POST)
        stage.warp(1)
        shut = stage.margin("holder")
        # from the second on at which it shuts, its prices are in doubt besides
        of_doubt = -(-4 * shut.doubt // 3)
        assert early.initial <= known.initial
        assert abs(shut.initial - of_doubt - known.initial) <= 4
        assert early.maintenance == known.maintenance <= shut.maintenance - shut.doubt
        assert shut.maintenance <= shut.initial


def test_reopening__maintenance_falls_by_the_multiplier_at_once_and_by_the_doubt_after_two_minutes() -> None:
    with opened().undone() as stage:
        trade(stage, (nano(100), 0, 0, 0))
        at(stage, CLOSE - 2 * DAY, Session.OVERNIGHT)
        ordinary = stage.margin("holder").maintenance
        at(stage, REOPENING - 1, Session.OVERNIGHT)
        shut = stage.margin("holder").maintenance
        at(stage, REOPENING, Session.OVERNIGHT)
        reopening = stage.margin("holder")
        assert reopening.maintenance - reopening.doubt == ordinary < reopening.maintenance < shut
        at(stage, REOPENING + 120, Session.OVERNIGHT)
        assert stage.margin("holder").maintenance == ordinary


def test_look_ahead__after_the_day_before__what_the_weekend_asks_for_cannot_be_taken_out() -> None:
    with opened().undone() as stage:
        trade(stage, (nano(200), nano(200), 0, 0))
        at(stage, CLOSE - DAY - 1, Session.POST)
        margin = stage.margin("holder")
        free = (margin.equity - margin.initial) // 10**12
        at(stage, CLOSE - DAY, Session.POST)
        with pytest.raises(Revert, match="risk: below initial"):
            stage.system.vault.withdraw(account("holder"), CASH, free, address("holder"), sender=address("holder"))
