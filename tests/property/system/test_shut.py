"""OR-2 over the whole system: while nobody can trade what an account holds, nobody who has equity at the favourable
bound of the last prices is liquidated, whatever anybody submits, refreshes, or waits for.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import event, given, settings
from hypothesis import strategies as st

from prime_perps import reports
from prime_perps.errors import Revert
from prime_perps.reports import IN_DOUBT, SHUT_SESSIONS, Report, Session
from prime_perps.units import MID, NANO, WAD, scaled
from tests.stage import CONFIDENCE, account, address

from .doubts import Scene, books, entered

NEW_YORK = ZoneInfo("America/New_York")
OPEN = int(datetime(2026, 3, 6, 18, tzinfo=NEW_YORK).timestamp())  # a Friday
CLOSE = int(datetime(2026, 3, 6, 20, tzinfo=NEW_YORK).timestamp())
REOPENING = int(datetime(2026, 3, 8, 20, tzinfo=NEW_YORK).timestamp())  # the clock has gone forward meanwhile
STOCKS = ("AAPL", "NVDA", "SPY")
LIMIT = 61  # seconds after which a regular report is old
WAYS = ("calendar", "closed", "unknown", "halted", "paused", "reopening")

# none of them always open: who sees a stock never says so
statuses = st.sampled_from([status for status in Session if status is not Session.ALWAYS_OPEN])
said = st.tuples(st.just("says"), st.sampled_from(STOCKS), statuses, st.integers(-60, 60), st.integers(0, 60))
waited = st.tuples(st.just("waits"), st.sampled_from((1, 15, 61, 119, 120, 3_600)))
refreshed = st.tuples(st.just("refreshes"))
scripts = st.lists(st.one_of(said, waited, refreshed), max_size=6)
falls = st.lists(st.integers(0, 9), max_size=4)  # percent against the book, within the jump guard each
STILL = (0, 0, 0, 0)
parts = st.one_of(st.just(100), st.integers(50, 100))


@pytest.mark.parametrize("way", WAYS)
def test_OR_2__shut_or_reopening__whatever_anybody_submits_sells_nobody_with_equity_at_the_favourable_bound(
    way: str,
) -> None:
    @settings(max_examples=max((settings.default or settings()).max_examples // 3, 1))
    @given(books, parts, falls, scripts)
    def check(book: tuple[int, ...], part: int, against: list[int], script: list[tuple[Any, ...]]) -> None:
        with entered((*book[:3], 0), part, STILL, OPEN) as scene:
            for fall in against:
                turn(scene, book, fall)
            shut(scene, way)
            frozen = mids(scene)
            assert sells_only_what_is_lost(scene), "nothing was asserted"
            for step, *details in script:
                act(scene, step, *details)
                sells_only_what_is_lost(scene)
                if way == "calendar" and scene.stage.now() < REOPENING:
                    assert mids(scene) == frozen

    check()


def test_OR_2__the_whole_weekend_by_the_calendar__no_price_is_made_and_nobody_below_maintenance_is_sold() -> None:
    """The same without chance: a holder just below maintenance, hour for hour, and at each second of the reopening."""
    book = (200 * NANO, 200 * NANO, 300 * NANO, 0)
    with entered(book, 100, STILL, OPEN) as scene:
        for fall in (8, 9, 6):
            turn(scene, book, fall)
        margin = scene.stage.margin("holder")
        assert 0 < margin.equity < margin.maintenance
        scene.stage.system.engine.start.call(account("holder"))
        shut(scene, "calendar")
        frozen = mids(scene)
        while scene.stage.now() < REOPENING - 3_600:
            act(scene, "says", "SPY", Session.REGULAR, -9, 0)
            act(scene, "refreshes")
            assert mids(scene) == frozen
            assert refused(scene)
            scene.stage.warp(3_600)
        scene.stage.warp(REOPENING - scene.stage.now() - 1)
        for _ in range(4):
            scene.stage.sessions = dict.fromkeys(STOCKS, Session.OVERNIGHT)
            scene.stage.publish()
            assert refused(scene)
            scene.stage.warp(38)
        scene.stage.publish()
        scene.stage.system.engine.start.call(account("holder"))


def turn(scene: Scene, book: tuple[int, ...], percent: int) -> None:
    """Every price goes against the holder, ten minutes later; tokens are long."""
    scene.stage.warp(600)
    percents = [percent if size < 0 else -percent for size in book[:3]]
    scene.move((*percents, 0))


def shut(scene: Scene, way: str) -> None:
    """All stocks, and have it known."""
    stage = scene.stage
    if way == "calendar":
        stage.warp(CLOSE + LIMIT - stage.now())
        act(scene, "refreshes")
    elif way == "halted":
        for symbol in STOCKS:
            stage.oracle.set_halt(stage.id(symbol), True, sender=address("guardian"))
    else:
        if way == "paused":
            for symbol in STOCKS:
                scene.issued[symbol].set_paused(True, sender=address("deployer"))
        stage.sessions = dict.fromkeys(STOCKS, Session.UNKNOWN if way == "unknown" else Session.CLOSED)
        stage.publish()
        if way == "reopening":
            stage.sessions = {}
            stage.publish()


def act(scene: Scene, step: str, *details: Any) -> None:
    """What anybody may do, with reports that signers have signed: prices up to 60 % away, up to a minute old."""
    stage = scene.stage
    if step == "waits":
        stage.warp(details[0])
    elif step == "refreshes":
        stage.oracle.refresh([stage.id(symbol) for symbol in STOCKS], sender=address("attacker"))
    else:
        symbol, status, percent, age = details
        price = scaled(stage.prices[symbol], MID) * (100 + percent) // 100
        report = Report(stage.id(symbol), price, CONFIDENCE, status, stage.now() - age)
        signed = reports.sign_all(report, stage.reporters(), 1, stage.oracle.address)
        stage.oracle.submit([signed], sender=address("attacker"))


def mids(scene: Scene) -> list[int]:
    return [scene.word(symbol).mid for symbol in STOCKS]


def all_frozen(scene: Scene) -> bool:
    """Whether nobody can trade anything that the holder has."""
    words = [scene.word(symbol) for symbol in STOCKS]
    return all(word.session in SHUT_SESSIONS or word.flags & IN_DOUBT for word in words)


def sells_only_what_is_lost(scene: Scene) -> bool:
    """Whether there was something to assert: all that the holder has is frozen."""
    if not all_frozen(scene):
        event("open again")
        return False
    margin = scene.stage.margin("holder")
    # the doubt of each line is on the account's side, once
    if margin.equity + margin.doubt >= 0:
        event("has equity at the favourable bound")
        assert refused(scene)
    else:
        event("lost")
        scene.stage.system.engine.start.call(account("holder"))
    return True


def refused(scene: Scene) -> bool:
    """Neither an auction nor a slice, and no view that promises one."""
    engine, book = scene.stage.system.engine, scene.stage.system.clearinghouse
    held, keeper = account("holder"), account("maker")
    with pytest.raises(Revert, match=r"^engine: healthy$"):
        engine.start(held, sender=address("maker"))
    with pytest.raises(Revert, match=r"^engine: healthy$"):
        engine.take(held, keeper, WAD, WAD, book.state_counter(held), sender=address("maker"))
    liquidatable = scene.stage.system.lens.account_summary(held).liquidatable
    return engine.quote(held) == (0, 0, 0, 0, 0, False) and not liquidatable
