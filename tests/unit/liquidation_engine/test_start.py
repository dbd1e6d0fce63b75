"""start: anyone starts the auction of an account that fails its maintenance margin."""

from __future__ import annotations

from decimal import Decimal

import pytest

from prime_perps.errors import Revert
from prime_perps.reports import Session
from prime_perps.units import wad
from tests.stage import account, address

from .conftest import Auctions


def test_start__below_maintenance__starts_the_clock(auctions: Auctions) -> None:
    auctions.distress("8000", "10000")
    receipt = auctions.engine.start(account("holder"), sender=address("attacker"))
    assert auctions.auction() == (auctions.stage.now(), 0, auctions.stage.now())
    expected = {"account": account("holder"), "equity": wad(8_000), "maintenance": wad(10_000)}
    assert list(auctions.engine.events(receipt)) == [("AuctionStarted", expected)]


def test_start__equity_equal_to_maintenance__reverts(auctions: Auctions) -> None:
    auctions.distress("10000", "10000")
    with pytest.raises(Revert, match=r"^engine: healthy$"):
        auctions.start()


def test_start__a_millionth_below_maintenance__starts(auctions: Auctions) -> None:
    auctions.distress("9999.999999", "10000")
    auctions.start()
    assert auctions.auction().started_at == auctions.stage.now()


def test_start__no_such_account__reverts(auctions: Auctions) -> None:
    with pytest.raises(Revert, match=r"^engine: healthy$"):
        auctions.start("nobody")


# keeping it alive


def test_start__twice_in_one_block__reverts(auctions: Auctions) -> None:
    auctions.distress("8000", "10000")
    auctions.start()
    with pytest.raises(Revert, match=r"^engine: running$"):
        auctions.start()


@pytest.mark.parametrize("elapsed", [1, 149])
def test_start__seen_less_than_half_a_lapse_ago__reverts(auctions: Auctions, elapsed: int) -> None:
    auctions.distress("8000", "10000")
    auctions.start()
    auctions.wait(elapsed)
    with pytest.raises(Revert, match=r"^engine: running$"):
        auctions.start()


@pytest.mark.parametrize("elapsed", [1, 149])
def test_start__seen_by_a_take_less_than_half_a_lapse_ago__reverts(auctions: Auctions, elapsed: int) -> None:
    auctions.distress("8000", "10000")
    auctions.start()
    auctions.wait(200)
    auctions.take(wad("0.1"))
    auctions.wait(elapsed)
    with pytest.raises(Revert, match=r"^engine: running$"):
        auctions.start()


@pytest.mark.parametrize("elapsed", [150, 300])
def test_start__seen_half_a_lapse_to_a_lapse_ago__keeps_it_alive_without_an_event(
    auctions: Auctions, elapsed: int
) -> None:
    auctions.distress("8000", "10000")
    auctions.start()
    started = auctions.stage.now()
    auctions.wait(elapsed)
    assert auctions.names(auctions.start()) == []
    assert auctions.auction() == (started, 0, started + elapsed)


def test_start__seen_longer_than_a_lapse_ago__starts_anew(auctions: Auctions) -> None:
    auctions.distress("8000", "10000")
    auctions.start()
    auctions.wait(301)
    receipt = auctions.start()
    assert auctions.auction() == (auctions.stage.now(), 0, auctions.stage.now())
    expected = {"account": account("holder"), "equity": wad(8_000), "maintenance": wad(10_000)}
    assert auctions.one("AuctionStarted", receipt) == expected


def test_start__price_long_at_zero_but_attended__never_starts_anew(auctions: Auctions) -> None:
    auctions.distress("8000", "10000")
    auctions.start()
    started = auctions.stage.now()
    auctions.attend(4_500)
    assert auctions.names(auctions.start()) == []
    assert auctions.auction().started_at == started


def test_start__lapse_of_a_second__is_due_at_once(auctions: Auctions) -> None:
    """Half a lapse is rounded down."""
    auctions.distress("8000", "10000")
    auctions.engine.set_terms(auctions.engine.terms()._replace(lapse=1), sender=auctions.timelock)
    auctions.start()
    auctions.start()


# the reward's clock


def test_start__insolvent__starts_both_clocks(auctions: Auctions) -> None:
    auctions.distress("-5000", "10000")
    auctions.start()
    now = auctions.stage.now()
    assert auctions.auction() == (now, now, now)


def test_start__insolvent_since_a_second__starts_the_rewards_clock_without_an_event(auctions: Auctions) -> None:
    auctions.distress("8000", "10000")
    auctions.start()
    started = auctions.stage.now()
    auctions.stage.publish(SPY="80")
    assert auctions.names(auctions.start()) == []
    assert auctions.auction() == (started, started + 1, started + 1)
    auctions.stage.publish()
    with pytest.raises(Revert, match=r"^engine: running$"):
        auctions.start()


def test_start__equity_above_zero_again__stops_the_rewards_clock(auctions: Auctions) -> None:
    auctions.distress("-5000", "10000")
    auctions.start()
    started = auctions.stage.now()
    auctions.stage.fund("holder", "5000")
    auctions.stage.publish()
    assert auctions.names(auctions.start()) == []
    assert auctions.auction() == (started, 0, started + 1)


def test_start__insolvent_and_lapsed__starts_both_clocks_anew(auctions: Auctions) -> None:
    auctions.distress("-5000", "10000")
    auctions.start()
    auctions.wait(301)
    assert auctions.names(auctions.start()) == ["AuctionStarted"]
    now = auctions.stage.now()
    assert auctions.auction() == (now, now, now)


# prices in doubt


def test_start__stale_price_in_doubt__reverts(auctions: Auctions) -> None:
    auctions.distress("9950", "10000")
    with auctions.stage.undone():
        auctions.start()
    # ten bps a minute: after two minutes beyond the limit of 60 s the doubt is 20 bps of 100,000 USD
    auctions.stage.warp(60 + 120)
    margin = auctions.stage.margin("holder")
    assert (margin.equity, margin.doubt, margin.maintenance) == (wad(9_950), wad(200), wad(10_200))
    with pytest.raises(Revert, match=r"^engine: healthy$"):
        auctions.start()


def test_start__fails_even_at_the_favourable_bound__starts(auctions: Auctions) -> None:
    auctions.distress("9799", "10000")
    auctions.stage.warp(60 + 120)
    auctions.start()
    assert auctions.auction().started_at == auctions.stage.now()


def test_start__exactly_at_the_favourable_bound__reverts(auctions: Auctions) -> None:
    auctions.distress("9800", "10000")
    auctions.stage.warp(60 + 120)
    with pytest.raises(Revert, match=r"^engine: healthy$"):
        auctions.start()


@pytest.mark.parametrize(("equity", "sold"), [("-10000.000001", True), ("-10000", False), ("8000", False)])
@pytest.mark.parametrize("session", [Session.UNKNOWN, Session.CLOSED], ids=lambda session: session.name)
def test_start__exchange_shut__only_what_is_beyond_its_doubt__OR_2(
    auctions: Auctions, session: Session, equity: str, sold: bool
) -> None:
    """A tenth of 100,000 USD is in doubt, and nothing is asked for what nobody can trade."""
    auctions.distress(equity, "10000")
    auctions.stage.sessions["SPY"] = session
    auctions.stage.publish()
    margin = auctions.stage.margin("holder")
    assert (margin.doubt, margin.maintenance, margin.live) == (wad(10_000), wad(20_250), 0)
    _starts_if(auctions, sold)


@pytest.mark.parametrize(("equity", "sold"), [("-10000.000001", True), ("-10000", False), ("8000", False)])
def test_start__halted__only_what_is_beyond_its_doubt__OR_2(auctions: Auctions, equity: str, sold: bool) -> None:
    auctions.distress(equity, "10000")
    auctions.stage.system.oracle.set_halt(auctions.stage.id("SPY"), True, sender=address("guardian"))
    margin = auctions.stage.margin("holder")
    assert (margin.doubt, margin.maintenance, margin.live) == (wad(10_000), wad(20_000), 0)
    _starts_if(auctions, sold)


def test_start__another_underlying_shut__starts__OR_1(auctions: Auctions) -> None:
    """One wei of a stock that nobody can trade does not shelter the rest of the account."""
    auctions.distress("8000", "10000")
    auctions.stage.fund_stock("holder", "AAPL", "0.000000000000000001")
    auctions.stage.system.oracle.set_halt(auctions.stage.id("AAPL"), True, sender=address("guardian"))
    auctions.start()


@pytest.mark.parametrize(("equity", "sold"), [("9984.999999", True), ("9985", False)])
def test_start__some_of_it_shut__asks_the_rest_for_its_own_margin__OR_2(
    auctions: Auctions, equity: str, sold: bool
) -> None:
    """SPY, open, needs 10,000 by itself; one AAPL at 150 is shut, asks for nothing, and is given a tenth."""
    auctions.distress(str(Decimal(equity) - 150), "10000")
    auctions.stage.fund_stock("holder", "AAPL", "1")
    auctions.stage.sessions["AAPL"] = Session.CLOSED
    auctions.stage.publish()
    margin = auctions.stage.margin("holder")
    assert (margin.doubt, margin.live) == (wad(15), wad(10_000))
    _starts_if(auctions, sold)


# sudden prices


@pytest.mark.parametrize(("equity", "sold"), [("6666.666666", True), ("6666.666667", False), ("9999", False)])
def test_start__price_has_just_fallen__waits_for_the_slow_price_or_two_thirds(
    auctions: Auctions, equity: str, sold: bool
) -> None:
    auctions.distress(equity, "10000", settled=False)
    margin = auctions.stage.margin("holder")
    assert margin.slow == wad(25_000)
    _starts_if(auctions, sold)
    auctions.stage.settle_slow_prices()
    assert auctions.stage.margin("holder").slow == 0
    if not sold:
        _starts_if(auctions, True)


def test_start__price_has_just_recovered__the_mid_alone_protects(auctions: Auctions) -> None:
    """Both prices must fail: what the slow price still says is not enough."""
    auctions.distress("8000", "10000")
    auctions.stage.publish(SPY="103")
    assert auctions.stage.margin("holder").slow < 0
    _starts_if(auctions, False)


def _starts_if(auctions: Auctions, sold: bool) -> None:
    if sold:
        assert auctions.names(auctions.start()) == ["AuctionStarted"]
    else:
        assert auctions.quote() == (0, 0, 0, 0, 0, False)
        with pytest.raises(Revert, match=r"^engine: healthy$"):
            auctions.start()


# accounts that are not sold


def test_start__insurance_below_zero__reverts(auctions: Auctions) -> None:
    auctions.without_cash("maker", "keeper", "rival")
    auctions.distress("-5000", "10000")
    auctions.take()
    assert auctions.cash(auctions.insurance) == pytest.approx(-wad(5_000), abs=1)
    with pytest.raises(Revert, match=r"^engine: protected account$"):
        auctions.engine.start(auctions.insurance, sender=address("keeper"))


def test_start__fee_account__reverts(auctions: Auctions) -> None:
    with pytest.raises(Revert, match=r"^engine: healthy$"):
        auctions.engine.start(auctions.book.fee_account(), sender=address("keeper"))


def test_start__liquidation_paused__reverts(auctions: Auctions) -> None:
    auctions.distress("8000", "10000")
    auctions.stage.system.configurator.set_paused(4, sender=address("guardian"))
    with pytest.raises(Revert, match=r"^settings: paused$"):
        auctions.start()


@pytest.mark.parametrize("paused", [1, 2, 3])
def test_start__other_activities_paused__starts(auctions: Auctions, paused: int) -> None:
    auctions.distress("8000", "10000")
    auctions.stage.system.configurator.set_paused(paused, sender=address("guardian"))
    auctions.start()
