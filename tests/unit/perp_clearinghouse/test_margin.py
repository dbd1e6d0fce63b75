"""margin: equity to the wei, and the model asked about exactly what the account has."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from prime_perps import deployment
from prime_perps.chain.revm import RevmBackend
from prime_perps.liquidation import Doubts, live_margin
from prime_perps.reports import Session, Word
from prime_perps.units import MID, NANO, WAD, nano, wad
from tests.stage import Stage, account, address, deployed_source, parameters

from .conftest import Book, configured

DAY = 86_400
SHUT = 1_000  # bps, the doubt of a price that nobody can trade at
OTHER, HALF_OTHER = 128, 254  # on AAPL, one unit a token; on IBM, half a unit


@pytest.fixture
def rich(book: Book) -> Book:
    """A maker who can take the other side of anything."""
    book.pay("maker", "100000000")
    return book


def _list_others(book: Book) -> None:
    book.list_other_token(OTHER, 0, WAD)
    book.list_other_token(HALF_OTHER, 1, WAD // 2)


def test_margin__account_never_touched__is_nothing(book: Book) -> None:
    assert book.margin("nobody") == (0,) * 11


@pytest.mark.parametrize("amount", [1, 10**28])
def test_margin__cash_only__needs_no_price(book: Book, amount: int) -> None:
    book.pay("holder", amount)
    assert book.margin("holder") == (amount, 0, 0, 0, 0, 0, amount, 0, 0, 0, 0)


def test_margin__debt_only__asks_for_interest_in_initial_margin(book: Book) -> None:
    book.move_cash(account("holder"), account("keeper"), 1_000 * WAD)
    margin = book.margin("holder")
    assert margin.equity == -1_000 * WAD
    assert (margin.maintenance, margin.initial) == book.requirements(debt=1_000 * WAD)
    assert margin.maintenance == 0 < margin.initial


def test_margin__quote_without_positions__counts_as_cash(book: Book) -> None:
    book.novate("10")
    book.novate("-10", "151")
    margin = book.margin("taker")
    gain = 10 * WAD - wad("0.60") - wad("0.604")
    assert margin.equity == margin.cash + gain
    assert (margin.quote, margin.maintenance, margin.initial) == (gain, 0, 0)


def test_margin__tokens__are_worth_their_price_rounded_down(book: Book) -> None:
    book.stage.publish(AAPL="0.00000001")
    book.pay_stock("holder", "AAPL", MID - 1)
    assert book.margin("holder").token_value == 0
    book.pay_stock("holder", "AAPL", MID + 1)
    assert book.margin("holder").token_value == book.margin("holder").equity == 2


def test_margin__a_book_of_everything__adds_up(rich: Book) -> None:
    """Tokens, perps against them, perps alone, a loan, funding both ways, at uneven prices."""
    rich.pay_stock("taker", "AAPL", "100.5")
    rich.novate("-70.000000001", "151")
    rich.novate("33.3", "141.7", symbol="NVDA")
    rich.novate("-0.05", symbol="BTC")
    rich.stage.warp(7_199)
    rich.stage.publish(AAPL="150.12345678", NVDA="139.99999999")
    rich.leave("taker", 9_000 * WAD)

    margin, money = rich.margin("taker"), rich.contract.money(account("taker"))
    exposures = [
        rich.exposure("AAPL", rich.size("taker"), wad("100.5")),
        rich.exposure("NVDA", rich.size("taker", "NVDA")),
        rich.exposure("BTC", rich.size("taker", "BTC")),
    ]
    assert margin.token_value == wad("100.5") * 15_012_345_678 // MID
    assert margin.perp_value == sum(each.perp for each in exposures)
    assert (margin.cash, margin.quote) == money
    assert margin.funding_owed != 0
    assert 0 <= 9_000 * WAD - margin.equity <= 1
    assert margin.equity == sum(money) + margin.token_value + margin.perp_value - margin.funding_owed
    assert money.cash < 0
    assert (margin.maintenance, margin.initial) == rich.requirements(*exposures, debt=-money.cash)
    assert margin.doubt == 0


@pytest.mark.parametrize("size", ["10", "-10"])
def test_margin__price_moves__perps_gain_and_lose_exactly(book: Book, size: str) -> None:
    book.novate(size)
    before = {role: book.margin(role).equity for role in ("maker", "taker")}
    book.stage.publish(AAPL="150.00000001")
    moved = int(size) * 10**10
    assert book.margin("taker").equity == before["taker"] + moved
    assert book.margin("maker").equity == before["maker"] - moved


# tokens of further issuers


def test_margin__other_tokens__count_at_their_units(book: Book) -> None:
    _list_others(book)
    book.credit(account("holder"), OTHER, 3 * WAD, "holder")
    book.credit(account("holder"), HALF_OTHER, 5 * WAD, "holder")
    margin = book.margin("holder")
    assert margin.token_value == margin.equity == (3 * 150) * WAD + wad("2.5") * 110
    exposures = book.exposure("AAPL", units=3 * WAD), book.exposure("IBM", units=wad("2.5"))
    assert (margin.maintenance, margin.initial) == book.requirements(*exposures)


def test_margin__other_tokens__are_hedged_by_the_perp_and_add_to_primary_ones(rich: Book) -> None:
    _list_others(rich)
    rich.pay("taker", "1000")
    rich.credit(account("taker"), OTHER, 30 * WAD, "taker")
    rich.pay_stock("taker", "AAPL", "20")
    rich.novate("-50")
    margin = rich.margin("taker")
    exposure = rich.exposure("AAPL", -50 * NANO, 20 * WAD, 30 * WAD)
    assert (margin.maintenance, margin.initial) == rich.requirements(exposure)
    assert margin.maintenance < rich.requirements(rich.exposure("AAPL", -50 * NANO))[0]


def test_margin__units_of_another_token__are_rounded_down_before_their_value(book: Book) -> None:
    book.list_other_token(OTHER, 0, WAD // 3)
    book.credit(account("holder"), OTHER, 5, "holder")
    assert book.margin("holder").token_value == 5 * (WAD // 3) // WAD * 150


def test_margin__several_other_tokens_of_one_underlying__sum(book: Book) -> None:
    for place in range(8):
        book.list_other_token(OTHER + 18 * place, 0, WAD)
        book.credit(account("holder"), OTHER + 18 * place, WAD, "holder")
    margin = book.margin("holder")
    assert margin.token_value == 8 * 150 * WAD
    assert (margin.maintenance, margin.initial) == book.requirements(book.exposure("AAPL", units=8 * WAD))


# what the words say


def test_margin__price_gets_old__width_and_doubt_grow_and_equity_stays(rich: Book) -> None:
    rich.novate("100")
    before = rich.margin("taker")
    rich.stage.warp(60)
    assert rich.margin("taker").maintenance == before.maintenance
    rich.stage.warp(600)
    after, word = rich.margin("taker"), rich.word("AAPL")
    assert word.doubt == 100
    assert after.equity == before.equity
    assert after.doubt == 15_000 * WAD // 100
    assert (after.maintenance, after.initial) == rich.requirements(rich.exposure("AAPL", 100 * NANO))
    assert after.maintenance == before.maintenance + after.doubt


def test_margin__doubt__is_of_the_net_exposure_and_rounded_up(rich: Book) -> None:
    """Each line rounded by itself: liquidation gives the account the benefit."""
    rich.pay_stock("taker", "AAPL", wad("2") + 1)
    rich.pay_stock("taker", "IBM", WAD)
    rich.novate("-1")
    rich.novate(-(2 * NANO + 1), symbol="IBM")
    rich.stage.warp(61)
    assert rich.word("AAPL").doubt == rich.word("IBM").doubt == 1
    long = (wad("2") + 1) * 150 - 150 * WAD
    short = (2 * NANO + 1) * 110 * NANO - 110 * WAD
    assert rich.margin("taker").doubt == -(-long // 10_000) - (-short // 10_000)


def test_margin__halted__counts_as_an_event_and_its_price_as_doubtful(rich: Book) -> None:
    rich.novate("100")
    before = rich.margin("taker")
    rich.stage.oracle.set_halt(0, True, sender=address("guardian"))
    after = rich.margin("taker")
    exposure = rich.exposure("AAPL", 100 * NANO)
    assert exposure.eventful == 1
    assert (after.maintenance, after.initial) == rich.requirements(exposure)
    # all of the event in initial margin; in maintenance a hair, and the width, which its doubt pays back twice
    assert after.initial - before.initial > 4 * after.doubt // 3
    assert after.doubt <= after.maintenance - before.maintenance < after.doubt * 101 // 100
    assert (after.equity, after.doubt) == (before.equity, 15_000 * WAD * SHUT // 10_000)


def test_OR_1_margin__another_underlying_is_old_or_closed__changes_nothing_here(rich: Book) -> None:
    rich.novate("100")
    before = rich.margin("taker")
    rich.stage.sessions["IBM"] = Session.CLOSED
    rich.stage.prices.pop("NVDA")
    rich.stage.warp(7_200)
    rich.stage.publish()
    assert rich.word("NVDA").doubt
    assert rich.margin("taker") == before


def test_margin__exchange_closed__asks_for_the_weekends_margin(rich: Book) -> None:
    rich.novate("100")
    rich.stage.close()
    rich.stage.sessions["AAPL"] = Session.CLOSED
    rich.stage.publish()
    margin = rich.margin("taker")
    exposure = rich.exposure("AAPL", 100 * NANO)
    assert (margin.maintenance, margin.initial) == rich.requirements(exposure, shut=1)
    assert margin.maintenance > rich.requirements(exposure)[0]
    assert margin.doubt == 15_000 * WAD * SHUT // 10_000


def test_margin__never_priced__is_worth_nothing() -> None:
    book = configured(Stage(deployment.deploy(RevmBackend(), address("deployer"), parameters())))
    book.pay("holder", 7)
    book.pay_stock("holder", "AAPL", "10")
    assert book.margin("holder") == (7, 0, 0, 0, 0, 0, 7, 0, 0, 0, 0)


@pytest.mark.parametrize(
    ("before_start", "come"), [(DAY + 1, 0), (DAY, 1), (7_200, 1), (3_600, 5_000), (0, 10_000), (-3_600, 10_000)]
)
def test_margin__earnings_night__comes_by_a_ramp_and_is_known_a_day_before(
    rich: Book, before_start: int, come: int
) -> None:
    rich.novate("100")
    start = rich.stage.now() + 2 * DAY
    rich.stage.oracle.post_event(0, start, start + DAY, sender=address("guardian"))
    rich.stage.warp(start - before_start - rich.stage.now() - 1)
    rich.stage.publish()
    margin, exposure = rich.margin("taker"), replace(rich.exposure("AAPL", 100 * NANO), eventful=come)
    assert (margin.maintenance, margin.initial) == rich.requirements(exposure)
    # what is told above the doubt is no doubt
    assert margin.doubt == 0


# the slow price


@pytest.mark.parametrize("size", ["100", "-100"])
def test_margin__price_moves__tells_what_the_slow_price_makes_of_equity(rich: Book, size: str) -> None:
    rich.novate(size)
    rich.stage.publish(AAPL="160")
    offset = rich.word("AAPL").slow
    assert offset == -625  # 150 over 160, less one
    margin = rich.margin("taker")
    assert margin.slow == int(size) * 160 * offset * WAD // 10_000


def test_margin__slow_prices__add_up_over_net_exposures_rounded_down(rich: Book) -> None:
    held = wad("100") + 7
    rich.pay_stock("taker", "AAPL", held)
    rich.novate("-70.000000001")
    rich.novate("20.300000007", symbol="NVDA")
    rich.stage.publish(AAPL="150.12345678", NVDA="139.87654321")
    exposures = [
        (rich.exposure("AAPL", rich.size("taker"), held), rich.word("AAPL")),
        (rich.exposure("NVDA", rich.size("taker", "NVDA")), rich.word("NVDA")),
    ]
    assert [word.slow for _, word in exposures] == [-8, 8]
    total = sum((exposure.token + exposure.perp) * word.slow for exposure, word in exposures)
    assert total % 10_000 != 0 > total
    assert rich.margin("taker").slow == total // 10_000 == Doubts.of(exposures).slow


def test_margin__hedged_stock__does_not_care_for_the_slow_price(rich: Book) -> None:
    rich.pay_stock("taker", "AAPL", "100")
    rich.novate("-100")
    rich.stage.publish(AAPL="120")
    assert rich.margin("taker").slow == 0


# what liquidation asks for


def test_margin__nothing_frozen__live_is_maintenance_less_doubt(rich: Book) -> None:
    rich.novate("100")
    margin = rich.margin("taker")
    assert margin.live == margin.maintenance
    rich.stage.warp(180)
    aged = rich.margin("taker")
    assert aged.doubt > 0
    assert aged.live == aged.maintenance - aged.doubt


@pytest.mark.parametrize("how", ["halted", "closed", "unknown"])
def test_margin__everything_frozen__live_is_nothing__OR_2(rich: Book, how: str) -> None:
    rich.novate("100")
    _freeze(rich, "AAPL", how)
    margin = rich.margin("taker")
    assert (margin.live, margin.doubt) == (0, 15_000 * WAD * SHUT // 10_000)
    assert margin.maintenance > margin.doubt


@pytest.mark.parametrize("frozen", [("AAPL",), ("NVDA",), ("BTC",), ("AAPL", "BTC"), ("NVDA", "BTC")])
def test_margin__some_lines_frozen__live_is_that_of_the_others(rich: Book, frozen: tuple[str, ...]) -> None:
    sizes = {"AAPL": "100", "NVDA": "-90.5", "BTC": "0.3"}
    for symbol, size in sizes.items():
        rich.novate(size, symbol=symbol)
    for symbol in frozen:
        _freeze(rich, symbol, "halted")
    rich.stage.warp(90)
    lines = [(rich.exposure(symbol, nano(size)), rich.word(symbol)) for symbol, size in sizes.items()]
    doubts, margin = Doubts.of(lines), rich.margin("taker")
    of_live_lines, _ = rich.requirements(*[exposure for exposure, word in lines if word.live])
    assert margin.doubt == doubts.doubt > doubts.frozen > 0
    assert margin.live == live_margin(margin.maintenance, of_live_lines, doubts) <= margin.maintenance - margin.doubt


def test_margin__frozen_line_is_the_hedge_of_a_live_one__the_whole_account_asks_for_less(rich: Book) -> None:
    """SPY short against five frozen stocks: what SPY would ask for alone is more than all, which is not asked for."""
    for symbol, size in {"AAPL": "133", "IBM": "181", "MSFT": "800", "GOOG": "47", "NVDA": "142"}.items():
        rich.novate(size, symbol=symbol)
        _freeze(rich, symbol, "halted")
    rich.novate("-880", symbol="SPY")
    margin, alone = rich.margin("taker"), rich.requirements(rich.exposure("SPY", nano("-880")))[0]
    assert margin.live == margin.maintenance - margin.doubt < alone


def test_margin__as_wide_as_its_price_and_shut__is_frozen_without_doubt__OR_2() -> None:
    """Its half-width leaves no room for doubt; nobody can trade at it all the same."""
    stage = Stage.deployed()
    oracle = deployed_source(stage.backend, Path(__file__).with_name("one_word_oracle.vy"), address("deployer"))
    book = configured(stage, oracle=oracle.address)
    open_word = Word(mid=100 * MID, time=stage.now(), half_width=10_000, session=Session.REGULAR)
    oracle.set_word(open_word.pack(), sender=address("attacker"))
    book.pay("maker", "1000000")
    book.pay("taker", "1000000")
    book.novate("10", "100")
    assert book.margin("taker").live == book.margin("taker").maintenance > 0
    oracle.set_word(replace(open_word, session=Session.CLOSED).pack(), sender=address("attacker"))
    assert (book.margin("taker").live, book.margin("taker").doubt) == (0, 0)


def _freeze(book: Book, symbol: str, how: str) -> None:
    if how == "halted":
        book.stage.oracle.set_halt(book.stage.id(symbol), True, sender=address("guardian"))
    else:
        book.stage.sessions[symbol] = Session[how.upper()]
        book.stage.publish()


def test_margin__largest_balances__do_not_overflow(book: Book) -> None:
    """All that a position can hold, at the highest price the model's bound on a notional admits."""
    book.pay_stock("holder", "AAPL", 2**96 - 1)
    book.stage.publish(AAPL="100")
    margin = book.margin("holder")
    assert margin.token_value == (2**96 - 1) * 100
    assert margin.equity == margin.token_value < 2**103


def test_margin__size_in_nano__is_valued_without_rounding(book: Book) -> None:
    book.novate(nano("0.000000001"))
    assert book.margin("taker").perp_value == 150 * NANO
    assert book.margin("maker").perp_value == -150 * NANO
