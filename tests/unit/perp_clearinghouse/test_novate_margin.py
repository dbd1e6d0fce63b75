"""novate: the margin check (CH-4), to the wei: initial margin afterwards, or less risk and no worse health."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from prime_perps.errors import Revert
from prime_perps.margin import div_up
from prime_perps.units import NANO, PIPS, WAD, wad
from tests.stage import account, address

from .conftest import Book

MAKER_FEE, TAKER_FEE = 100, 400  # pips
UNIT = 150 * WAD  # one AAPL
SIDES = pytest.mark.parametrize(("side", "pips"), [("taker", TAKER_FEE), ("maker", MAKER_FEE)])


@pytest.fixture
def book(empty_book: Book) -> Book:
    """A rich maker; everybody else pays in what the test is about."""
    empty_book.pay("maker", "100000000")
    return empty_book


def _fee(size: int, price: int = UNIT, pips: int = TAKER_FEE) -> int:
    return div_up(abs(size) * price // NANO * pips, PIPS)


def _initial(book: Book, size: int, symbol: str = "AAPL") -> int:
    return book.requirements(book.exposure(symbol, size))[1]


def _leave(book: Book, equity: str, size: str = "100") -> None:
    """The taker has `size` AAPL, bought at 150, and this much equity, in USD."""
    book.pay("taker", "100000")
    book.novate(size)
    book.leave("taker", wad(equity))


# initial margin


@pytest.mark.parametrize("size", [100 * NANO, -100 * NANO])
def test_CH_4_novate__equity_of_exactly_initial_margin__is_booked(book: Book, size: int) -> None:
    book.pay("taker", _initial(book, size) + _fee(size))
    book.novate(size)
    margin = book.margin("taker")
    assert margin.equity == margin.initial


@pytest.mark.parametrize("size", [100 * NANO, -100 * NANO])
def test_CH_4_novate__a_wei_below_initial_margin__reverts(book: Book, size: int) -> None:
    book.pay("taker", _initial(book, size) + _fee(size) - 1)
    with pytest.raises(Revert, match="risk: below initial"):
        book.novate(size)


@pytest.mark.parametrize("size", [100 * NANO, -100 * NANO])
def test_CH_4_novate__the_maker__is_held_to_the_same(book: Book, size: int) -> None:
    needed = _initial(book, -size) + _fee(size, pips=MAKER_FEE)
    book.pay("taker", needed - 1)
    with pytest.raises(Revert, match="risk: below initial"):
        book.novate(size, maker="taker", taker="maker")
    book.pay("taker", 1)
    book.novate(size, maker="taker", taker="maker")


def test_CH_4_novate__a_price_worse_than_the_index__is_lost_at_once(book: Book) -> None:
    price, size = wad("157.5"), 100 * NANO
    needed = _initial(book, size) + _fee(size, price) + 100 * (price - UNIT)
    book.pay("taker", needed - 1)
    with pytest.raises(Revert, match="risk: below initial"):
        book.novate(size, price)
    book.pay("taker", 1)
    book.novate(size, price)


def test_CH_4_novate__without_anything__reverts(book: Book) -> None:
    with pytest.raises(Revert, match="risk: below initial"):
        book.novate(1)


def test_CH_4_novate__tokens_alone__are_margin(book: Book) -> None:
    """Nothing but stock: the perp that hedges it, and the fee on it, are lost against it."""
    book.pay_stock("taker", "AAPL", "100")
    book.novate("-100")
    assert book.cash("taker") == 0
    assert book.quote("taker") == 100 * UNIT - _fee(100 * NANO)
    # settled, it is a loan of the fee
    book.contract.settle(account("taker"), sender=address("keeper"))
    assert book.cash("taker") == -_fee(100 * NANO)
    book.novate("20", symbol="IBM")
    with pytest.raises(Revert, match="risk: below initial"):
        book.novate("2000", symbol="IBM")


# the exception: less risk, no worse health


@pytest.mark.parametrize("size", ["-1", "-50", "-100", "-150"])
def test_CH_4_novate__below_initial_and_reduces__is_booked(book: Book, size: str) -> None:
    """Through zero as well, as long as what is left is less."""
    _leave(book, "1000")
    before = book.margin("taker")
    assert 0 < before.equity < before.maintenance
    book.novate(size)
    after = book.margin("taker")
    assert after.maintenance < before.maintenance
    assert after.equity * before.maintenance >= before.equity * after.maintenance


@pytest.mark.parametrize("size", ["0.000000001", "1", "-201"])
def test_CH_4_novate__below_initial_and_adds__reverts(book: Book, size: str) -> None:
    """Also by way of zero, to a short larger than the long was."""
    _leave(book, "1000")
    with pytest.raises(Revert, match="risk: below initial"):
        book.novate(size)


def test_CH_4_novate__between_maintenance_and_initial__may_only_reduce_too(book: Book) -> None:
    _leave(book, "2500")
    margin = book.margin("taker")
    assert margin.maintenance < margin.equity < margin.initial
    with pytest.raises(Revert, match="risk: below initial"):
        book.novate(1)
    book.novate(-1)
    assert book.size("taker") == 100 * NANO - 1


@pytest.mark.parametrize("equity", ["2000", "300", "-300"])
def test_CH_4_novate__below_maintenance__must_shed_a_hundredth_of_it(book: Book, equity: str) -> None:
    """Every trade voids what liquidators have decided on: dust may not keep them off."""
    book.set_fees(0, 0, 10_000)
    _leave(book, equity)
    before, _ = book.requirements(book.exposure("AAPL", 100 * NANO))

    def is_enough(size: int) -> bool:
        after, _ = book.requirements(book.exposure("AAPL", 100 * NANO - size))
        return after + before // 100 <= before

    size = _least(0, 100 * NANO, is_enough)
    with pytest.raises(Revert, match="risk: below initial"):
        book.novate(1 - size)
    book.novate(-size)


def test_CH_4_novate__at_maintenance__any_reduction_will_do_and_a_wei_below_it_will_not(book: Book) -> None:
    book.set_fees(0, 0, 10_000)
    _leave(book, "2500")
    maintenance = book.margin("taker").maintenance
    with book.stage.undone():
        book.leave("taker", maintenance)
        book.novate(-1)
    book.leave("taker", maintenance - 1)
    with pytest.raises(Revert, match="risk: below initial"):
        book.novate(-1)
    book.novate("-2")


def test_CH_4_novate__below_maintenance__exactly_a_hundredth_will_do(book: Book) -> None:
    """At a price so low that maintenance margin can be counted in wei."""
    book.set_fees(0, 0, 10_000)
    book.stage.publish(AAPL="0.00000001")
    book.pay("taker", "1")
    book.novate(10_000)
    before = book.margin("taker").maintenance
    book.leave("taker", before - 1)
    with pytest.raises(Revert, match="risk: below initial"):
        book.novate(-99)
    book.novate(-100)
    assert before - book.margin("taker").maintenance == before // 100 == 152


def test_CH_4_novate__below_maintenance__the_hundredth_is_of_the_whole_account(book: Book) -> None:
    """Closing a small line altogether is dust too, and one trade cannot be put together from two."""
    book.set_fees(0, 0, 10_000)
    book.pay("taker", "100000")
    book.novate("100")
    book.novate("0.5", symbol="NVDA")
    book.leave("taker", wad("1000"))
    with pytest.raises(Revert, match="risk: below initial"):
        book.novate("-0.5", symbol="NVDA")
    for _ in range(2):
        with pytest.raises(Revert, match="risk: below initial"):
            book.novate("-0.5")
    book.novate("-2")


def test_CH_4_novate__below_initial_and_hedges__is_booked(book: Book) -> None:
    """A new position is no new risk when it offsets what the account has."""
    book.pay_stock("taker", "AAPL", "100")
    book.leave("taker", wad("400"))
    book.novate("-100")
    assert book.margin("taker").equity < book.margin("taker").initial
    assert book.size("taker") == -100 * NANO


def test_CH_4_novate__below_initial_and_takes_a_hedge_away__reverts(book: Book) -> None:
    """A smaller position is no less risk when it was the hedge."""
    book.pay_stock("taker", "AAPL", "100")
    book.novate("-100")
    book.leave("taker", wad("300"))
    with pytest.raises(Revert, match="risk: below initial"):
        book.novate("1")


def test_CH_4_novate__below_initial_and_reduces_another_line__is_booked(book: Book) -> None:
    book.pay("taker", "100000")
    book.novate("100")
    book.novate("10", symbol="NVDA")
    book.leave("taker", wad("1000"))
    book.novate("-10", symbol="NVDA")
    assert book.size("taker", "NVDA") == 0


def _least(low: int, high: int, allowed: Callable[[int], bool]) -> int:
    """The lowest price above `low` that is allowed; at `high` it is."""
    assert allowed(high)
    assert not allowed(low)
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (low, middle) if allowed(middle) else (middle, high)
    return high


def _sell(book: Book, size: int, price: int, side: str) -> None:
    """The poor one sells, as the taker or as the maker."""
    if side == "taker":
        book.novate(-size, price)
    else:
        book.novate(size, price, maker="taker", taker="maker")


def _steady_price(book: Book, size: int, pips: int) -> int:
    """The lowest price at which selling `size` out of the taker's position does not make its health worse."""
    position, equity = book.size("taker"), book.margin("taker").equity
    before, _ = book.requirements(book.exposure("AAPL", position))
    after, _ = book.requirements(book.exposure("AAPL", position - size))

    def is_no_worse(price: int) -> bool:
        left = equity + size * price // NANO - size * UNIT // NANO - _fee(size, price, pips)
        return bool(left * before >= equity * after)

    return _least(wad("142.5"), UNIT, is_no_worse)


@SIDES
def test_CH_4_novate__reduces_at_the_price_where_health_stays__is_booked(book: Book, side: str, pips: int) -> None:
    _leave(book, "300")
    price = _steady_price(book, 10 * NANO, pips)
    before = book.margin("taker")
    _sell(book, 10 * NANO, price, side)
    after = book.margin("taker")
    assert after.equity < before.equity
    assert after.equity * before.maintenance >= before.equity * after.maintenance


@SIDES
def test_CH_4_novate__reduces_a_wei_lower__reverts(book: Book, side: str, pips: int) -> None:
    """Less risk is not enough: the discount would go to the other side, and the account would be worse off."""
    _leave(book, "300")
    with pytest.raises(Revert, match="risk: below initial"):
        _sell(book, 10 * NANO, _steady_price(book, 10 * NANO, pips) - 1, side)


def test_CH_4_novate__closes_everything__may_lose_what_it_has_and_no_more(book: Book) -> None:
    """Without risk left, health is no question; a wei more would be somebody else's."""
    _leave(book, "300")
    size = 100 * NANO
    price = _least(wad("142.5"), UNIT, lambda price: wad("300") + size * (price - UNIT) // NANO >= _fee(size, price))
    with pytest.raises(Revert, match="risk: below initial"):
        book.novate(-size, price - 1)
    book.novate(-size, price)
    assert 0 <= book.margin("taker").equity < 100


# insolvent


def test_CH_4_novate__closes_everything_and_loses_all_it_has__is_booked(book: Book) -> None:
    book.set_fees(0, 0, 10_000)
    _leave(book, "300")
    book.novate("-100", "147")
    assert book.margin("taker")[:3] == (0, 0, 0)


def test_CH_4_novate__insolvent_and_pays_a_fee_to_reduce__reverts(book: Book) -> None:
    """What it pays is no longer its own money."""
    _leave(book, "1000")
    book.stage.publish(AAPL="130")
    assert book.margin("taker").equity < 0
    with pytest.raises(Revert, match="risk: below initial"):
        book.novate("-10")


@SIDES
def test_CH_4_novate__insolvent_and_reduces_without_loss__is_booked(book: Book, side: str, pips: int) -> None:
    """The buyer pays the fee: equity stays to the wei, risk falls."""
    _leave(book, "1000")
    book.stage.publish(AAPL="130")
    equity, size, index = book.margin("taker").equity, 10 * NANO, 130 * WAD
    price = _least(index, 131 * WAD, lambda price: size * (price - index) // NANO >= _fee(size, price, pips))
    with pytest.raises(Revert, match="risk: below initial"):
        _sell(book, size, price - 1, side)
    _sell(book, size, price, side)
    assert equity <= book.margin("taker").equity <= equity + 10


def test_CH_4_novate__insolvent_and_adds_at_a_gain__reverts(book: Book) -> None:
    _leave(book, "1000")
    book.stage.publish(AAPL="130")
    with pytest.raises(Revert, match="risk: below initial"):
        book.novate("1", "123.5")


def test_CH_4_novate__no_equity_and_reduces__may_not_lose_a_wei(book: Book) -> None:
    """Without equity there is no health to compare, so equity itself may not fall."""
    book.set_fees(0, 0, 10_000)
    _leave(book, "1000")
    book.stage.publish(AAPL="140")
    assert book.margin("taker").equity == 0
    with pytest.raises(Revert, match="risk: below initial"):
        book.novate("-10", 140 * WAD - 1)
    book.novate("-10")
    assert book.margin("taker").equity == 0


# the other side


def test_CH_4_novate__taker_is_fine_and_maker_is_not__reverts(book: Book) -> None:
    with pytest.raises(Revert, match="risk: below initial"):
        book.novate("1", maker="attacker", taker="maker")


def test_CH_4_novate__both_reduce_below_initial__is_booked(book: Book) -> None:
    for role in ("taker", "holder"):
        book.pay(role, "100000")
    book.novate("100", maker="holder")
    for role in ("taker", "holder"):
        book.leave(role, wad("1000"))
    book.novate("-100", maker="holder")
    assert book.size("taker") == book.size("holder") == 0
