"""novate: what a market admits: price band, open interest, only reductions, nothing."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from prime_perps.errors import Revert
from prime_perps.reports import Flag, Session, Word
from prime_perps.units import MID, NANO, WAD, wad
from tests.stage import Stage, address, deployed_source

from .conftest import Book, configured

LOW, HIGH = wad("142.5"), wad("157.5")  # 5 % around 150
DEPTH = 1_000_000

Restrict = Callable[[Book], None]


def _restrict_market(book: Book) -> None:
    book.set_market(0, 1_000_000 * NANO, 500, DEPTH, reduce_only=True)


def _halt(book: Book) -> None:
    book.stage.oracle.set_halt(0, True, sender=address("guardian"))


def _let_age(book: Book) -> None:
    book.stage.warp(61)


EITHER_SIDE = pytest.mark.parametrize("maker", [True, False], ids=["maker", "taker"])


def _shut(session: Session) -> Restrict:
    def restrict(book: Book) -> None:
        book.stage.sessions["AAPL"] = session
        book.stage.publish()

    return restrict


RESTRICTIONS = [
    pytest.param(_restrict_market, id="market"),
    pytest.param(_halt, id="halt"),
    pytest.param(_let_age, id="age"),
    pytest.param(_shut(Session.CLOSED), id="closed"),
    pytest.param(_shut(Session.UNKNOWN), id="unknown session"),
]


# band


@pytest.mark.parametrize("size", ["1", "-1"])
@pytest.mark.parametrize("price", [LOW, HIGH])
def test_novate__price_at_the_edge_of_the_band__is_booked(book: Book, price: int, size: str) -> None:
    book.novate(size, price)
    assert book.quote("taker") == (-price if size == "1" else price) - price * 400 // 10**6


@pytest.mark.parametrize("size", ["1", "-1"])
@pytest.mark.parametrize("price", [0, LOW - 1, HIGH + 1, 2**200])
def test_novate__price_past_the_edge_of_the_band__reverts(book: Book, price: int, size: str) -> None:
    with pytest.raises(Revert, match="trade: price outside band"):
        book.novate(size, price)


def test_novate__price_moved__the_band_moves_with_it(book: Book) -> None:
    book.stage.publish(AAPL="200")
    with pytest.raises(Revert, match="trade: price outside band"):
        book.novate("1", "189.99")
    book.novate("1", "190")


def test_novate__old_price__does_not_widen_the_band(book: Book) -> None:
    book.novate("10")
    book.stage.warp(3_600)  # the word is now 10 % wide
    assert book.word("AAPL").half_width > 500
    with pytest.raises(Revert, match="trade: price outside band"):
        book.novate("-1", LOW - 1)


@pytest.mark.parametrize("session", [Session.CLOSED, Session.UNKNOWN], ids=lambda session: session.name)
@pytest.mark.parametrize("size", ["1", "-1"])
def test_novate__exchange_shut__reductions_trade_in_the_band_around_its_last_price(
    book: Book, session: Session, size: str
) -> None:
    """Whatever is reported since: on either edge for either side, a wei past it for neither, and nothing is opened."""
    opposite = "-1" if size == "1" else "1"
    book.novate(f"{opposite}0")
    book.stage.sessions["AAPL"] = session
    book.stage.publish(AAPL="150" if session is Session.UNKNOWN else "190")
    for edge, past in ((LOW, LOW - 1), (HIGH, HIGH + 1)):
        with pytest.raises(Revert, match="trade: reduce only"):
            book.novate(opposite, edge)
        with pytest.raises(Revert, match="trade: price outside band"):
            book.novate(size, past)
        book.novate(size, edge)
    assert abs(book.size("taker")) == 8 * NANO


def test_novate__band_narrowed__holds_at_once(book: Book) -> None:
    book.set_market(0, 1_000_000 * NANO, 1, DEPTH)
    book.novate("1", "150.015")
    with pytest.raises(Revert, match="trade: price outside band"):
        book.novate("1", wad("150.015") + 1)


# markets


def test_novate__market_not_listed__reverts(book: Book) -> None:
    trade = (63, 1, 2, NANO, 150 * WAD, False, False)
    with pytest.raises(Revert, match="trade: market not listed"):
        book.contract.novate(trade, sender=address("exchange"))


@pytest.mark.parametrize("market", [64, 255, 2**255])
def test_novate__market_that_cannot_be__reverts(book: Book, market: int) -> None:
    with pytest.raises(Revert, match="trade: market not listed"):
        book.contract.novate((market, 1, 2, NANO, 150 * WAD, False, False), sender=address("exchange"))


def test_novate__never_priced__reverts(book: Book) -> None:
    book.set_market(7, NANO, 500, DEPTH)
    with pytest.raises(Revert, match="trade: no index price"):
        book.contract.novate((7, 1, 2, NANO, 0, False, False), sender=address("exchange"))


# open interest


def _cap(book: Book, units: int) -> None:
    book.set_market(0, units * NANO, 500, DEPTH)


def test_novate__open_interest_up_to_the_cap__is_booked(book: Book) -> None:
    _cap(book, 10)
    book.novate("9")
    book.novate("1")
    assert book.market().open_interest == book.market().open_interest_cap


@pytest.mark.parametrize("size", [1, -1])
def test_novate__open_interest_past_the_cap__reverts(book: Book, size: int) -> None:
    _cap(book, 10)
    book.novate(10 * NANO * size)
    with pytest.raises(Revert, match="trade: open interest cap"):
        book.novate(size)


def test_novate__at_the_cap__positions_still_change_hands(book: Book) -> None:
    book.pay("holder", "10000")
    _cap(book, 10)
    book.novate("10")
    book.novate("10", maker="taker", taker="holder")
    assert (book.size("taker"), book.size("holder")) == (0, 10 * NANO)


def test_novate__flip_at_the_cap__is_booked(book: Book) -> None:
    _cap(book, 10)
    book.novate("10")
    book.novate("-20")
    assert (book.size("taker"), book.market().open_interest) == (-10 * NANO, 10 * NANO)


def test_novate__cap_lowered_below_what_is_open__only_shrinks(book: Book) -> None:
    book.novate("10")
    _cap(book, 5)
    book.novate("-1")
    assert book.market().open_interest == 9 * NANO
    with pytest.raises(Revert, match="trade: open interest cap"):
        book.novate("1")
    book.novate("-9")
    assert book.market().open_interest == 0


def test_novate__cap_of_one_market__is_not_that_of_another(book: Book) -> None:
    _cap(book, 0)
    book.novate("1", symbol="IBM")
    with pytest.raises(Revert, match="trade: open interest cap"):
        book.novate("1")


# reduce-only, asked for by one side


@EITHER_SIDE
@pytest.mark.parametrize("size", ["-1", "-9", "-10"])
def test_novate__side_reduces_up_to_all__is_booked(book: Book, maker: bool, size: str) -> None:
    book.novate("10")
    book.novate(size, maker_reduces=maker, taker_reduces=not maker)
    assert book.size("taker") == (10 + int(size)) * NANO


@EITHER_SIDE
@pytest.mark.parametrize("size", [1, -10 * NANO - 1, -30 * NANO])
def test_novate__side_asks_to_reduce_and_would_add_or_flip__reverts(book: Book, maker: bool, size: int) -> None:
    book.novate("10")
    with pytest.raises(Revert, match="trade: reduce only"):
        book.novate(size, maker_reduces=maker, taker_reduces=not maker)


@EITHER_SIDE
@pytest.mark.parametrize("size", ["1", "-1"])
def test_novate__side_asks_to_reduce_and_has_nothing__reverts(book: Book, maker: bool, size: str) -> None:
    with pytest.raises(Revert, match="trade: reduce only"):
        book.novate(size, maker_reduces=maker, taker_reduces=not maker)


def test_novate__short_reduces_up_to_all__is_booked(book: Book) -> None:
    book.novate("-10")
    book.novate("4", taker_reduces=True)
    book.novate("6", taker_reduces=True)
    assert book.size("taker") == 0


def test_novate__one_side_reduces__the_other_may_open(book: Book) -> None:
    book.pay("holder", "10000")
    book.novate("10")
    book.novate("10", maker="taker", taker="holder", maker_reduces=True)
    book.novate("10", maker="maker", taker="taker", taker_reduces=False)
    assert (book.size("holder"), book.size("taker")) == (10 * NANO, 10 * NANO)


# reduce-only for everybody


@pytest.mark.parametrize("restrict", RESTRICTIONS)
def test_novate__restricted__both_sides_may_close(book: Book, restrict: Restrict) -> None:
    book.novate("10")
    restrict(book)
    book.novate("-4")
    book.novate("-6")
    assert book.size("taker") == book.size("maker") == 0


@pytest.mark.parametrize("restrict", RESTRICTIONS)
@pytest.mark.parametrize("size", ["1", "-11"])
def test_novate__restricted__nobody_may_add_or_flip(book: Book, restrict: Restrict, size: str) -> None:
    book.novate("10")
    restrict(book)
    with pytest.raises(Revert, match="trade: reduce only"):
        book.novate(size)


@pytest.mark.parametrize("restrict", RESTRICTIONS)
@pytest.mark.parametrize(("maker", "taker", "size"), [("taker", "holder", "1"), ("holder", "taker", "-1")])
def test_novate__restricted__nobody_may_take_over_what_another_closes(
    book: Book,
    restrict: Restrict,
    maker: str,
    taker: str,
    size: str,
) -> None:
    book.pay("holder", "10000")
    book.novate("10")
    restrict(book)
    with pytest.raises(Revert, match="trade: reduce only"):
        book.novate(size, maker=maker, taker=taker)


@pytest.mark.parametrize("restrict", RESTRICTIONS)
def test_OR_1_novate__one_market_restricted__another_is_not(book: Book, restrict: Restrict) -> None:
    restrict(book)
    book.stage.prices = {"IBM": "110"}
    book.stage.publish()
    book.novate("1", symbol="IBM")
    with pytest.raises(Revert, match="trade: reduce only"):
        book.novate("1", "150")


@pytest.mark.parametrize("flag", Flag)
def test_novate__any_flag_but_that_of_an_event__admits_only_reductions(stage: Stage, flag: Flag) -> None:
    """Also those that no source of today's sets."""
    oracle = deployed_source(stage.backend, Path(__file__).with_name("one_word_oracle.vy"), address("deployer"))
    oracle.set_word(Word(mid=150 * MID, session=Session.REGULAR).pack(), sender=address("keeper"))
    book = configured(stage, oracle.address)
    for role in ("maker", "taker"):
        book.pay(role, "100000")
    book.novate("10")
    oracle.set_word(Word(mid=150 * MID, session=Session.REGULAR, flags=flag).pack(), sender=address("keeper"))
    if flag == Flag.EVENT:
        book.novate("1")
    else:
        with pytest.raises(Revert, match="trade: reduce only"):
            book.novate("1")
    book.novate("-1")


def test_novate__price_at_its_age_limit__is_not_old_yet(book: Book) -> None:
    book.stage.warp(60)
    book.novate("1")
    book.stage.warp(1)
    with pytest.raises(Revert, match="trade: reduce only"):
        book.novate("1")


def test_novate__halt_released__opens_again_after_two_reports_and_two_minutes(book: Book) -> None:
    _halt(book)
    book.stage.govern(book.stage.oracle.set_halt, 0, False)
    for wait in (1, 116):
        book.stage.warp(wait)
        book.stage.publish()
        with pytest.raises(Revert, match="trade: reduce only"):
            book.novate("1")
    book.stage.publish()
    book.novate("1")


@pytest.mark.parametrize("session", [Session.PRE, Session.REGULAR, Session.POST, Session.OVERNIGHT])
def test_novate__exchange_open_at_any_hour__admits_everything(book: Book, session: Session) -> None:
    _shut(session)(book)
    book.novate("1")
    assert book.size("taker") == NANO


# pause


@pytest.mark.parametrize("paused", [1, 3, 5, 7])
def test_novate__trading_paused__reverts(book: Book, paused: int) -> None:
    book.novate("10")
    book.pause(paused)
    with pytest.raises(Revert, match="settings: paused"):
        book.novate("-1")


@pytest.mark.parametrize("paused", [2, 4, 6])
def test_novate__something_else_paused__goes_on(book: Book, paused: int) -> None:
    book.pause(paused)
    book.novate("1")


# as wide as its price, which leaves no room for doubt


@pytest.mark.parametrize("session", [Session.CLOSED, Session.UNKNOWN], ids=lambda session: session.name)
def test_novate__as_wide_as_its_price_and_shut__admits_only_reductions(session: Session) -> None:
    stage = Stage.deployed()
    oracle = deployed_source(stage.backend, Path(__file__).with_name("one_word_oracle.vy"), address("deployer"))
    book = configured(stage, oracle=oracle.address)
    open_word = Word(mid=150 * MID, time=stage.now(), half_width=10_000, session=Session.REGULAR)
    oracle.set_word(open_word.pack(), sender=address("attacker"))
    book.pay("maker", "1000000")
    book.pay("taker", "1000000")
    book.novate("10")
    oracle.set_word(replace(open_word, session=session).pack(), sender=address("attacker"))
    with pytest.raises(Revert, match="trade: reduce only"):
        book.novate("1")
    book.novate("-1")
