"""novate: what a fill does to the funding rate, and how both sides settle what they owe."""

from __future__ import annotations

import pytest

from prime_perps.margin import div_up
from prime_perps.units import NANO, PIPS, WAD, wad

from .conftest import Book, toward_zero

CAP = 17_000  # 1e-8 of the price per hour: 0.017 %
HOUR = 3_600
MEMORY = 5_194  # seconds a rate is charged at most, if nobody fills or accrues
# A fill of 10,000 at 150.12, a premium of 0.08 %, against this depth: half of a target of 0.01 % an hour.
SIZE, PRICE, DEPTH = "10000", "150.12", 1_501_200
HALF = 5_000


@pytest.fixture
def book(empty_book: Book) -> Book:
    """Rich traders, and a depth that makes for round numbers."""
    for role in ("maker", "taker", "holder"):
        empty_book.pay(role, "10000000")
    _set_depth(empty_book, DEPTH)
    return empty_book


def _set_depth(book: Book, depth: int) -> None:
    book.set_market(0, 1_000_000 * NANO, 500, depth)


def _rate(book: Book, symbol: str = "AAPL") -> int:
    return int(book.market(symbol).funding_rate)


def _next_price(book: Book, seconds: int, **changed: str) -> None:
    """A fresh price this much later."""
    book.stage.warp(seconds - 1)
    book.stage.publish(**changed)


# the rate


@pytest.mark.parametrize(
    ("size", "price", "depth", "rate"),
    [
        pytest.param("10000", "150.12", 1_501_200, 5_000, id="as much as the depth moves half of the way"),
        pytest.param("-10000", "150.12", 1_501_200, 5_000, id="whoever takes"),
        pytest.param("10000", "149.88", 1_498_800, -5_000, id="a discount moves it below zero"),
        pytest.param("10000", "150.12", 3 * 1_501_200, 2_500, id="a quarter of the weight"),
        pytest.param("10000", "150", 1_500_000, 0, id="no premium, no funding"),
        pytest.param("10000", "157.5", 1_575_000, CAP // 2, id="a large premium counts as the cap"),
        pytest.param("10000", "142.5", 1_425_000, -CAP // 2, id="and a large discount"),
        pytest.param("10000", "157.5", 1, CAP - 1, id="no depth at all reaches the cap, but for rounding"),
    ],
)
def test_novate__first_fill__moves_the_rate_towards_its_premium(
    book: Book, size: str, price: str, depth: int, rate: int
) -> None:
    _set_depth(book, depth)
    book.novate(size, price)
    assert _rate(book) == rate


def test_novate__second_fill__moves_it_from_where_it_was(book: Book) -> None:
    book.novate(SIZE, PRICE)
    book.novate(SIZE, PRICE)
    assert _rate(book) == HALF + HALF // 2
    book.novate("-20000", "150")
    assert _rate(book) == 7_500 - 7_500 * 3_000_000 // (3_000_000 + DEPTH)


@pytest.mark.parametrize("price", ["157.5", "142.5"])
@pytest.mark.parametrize("size", [1, NANO // 10])
def test_novate__tiny_fills__do_not_move_the_rate(book: Book, size: int, price: str) -> None:
    """15 USD against a depth of 1.5 million weigh 0.17e-8 an hour at the cap: less than the rate resolves."""
    book.novate(SIZE, PRICE)
    for _ in range(20):
        book.novate(size, price)
    assert _rate(book) == HALF


@pytest.mark.parametrize(("seconds", "faded"), [(1, 4_998), (1_200, 3_750), (HOUR, 2_500), (3 * HOUR, 1_250)])
def test_novate__time_between_fills__fades_the_past_by_half_in_an_hour(book: Book, seconds: int, faded: int) -> None:
    book.novate(SIZE, PRICE)
    _next_price(book, seconds)
    book.novate(1, "150")
    assert _rate(book) == faded


def test_novate__markets__have_a_rate_each(book: Book) -> None:
    """Two share a storage word: 0 and 1, 2 and 3."""
    book.novate(SIZE, PRICE)
    book.novate("10000", "109.912", symbol="IBM")
    book.novate("10000", "25.02", symbol="MSFT")
    assert _rate(book) == HALF
    assert _rate(book, "IBM") == toward_zero(-10_000 * 1_099_120, 1_099_120 + 1_000_000)
    assert _rate(book, "MSFT") == 10_000 * 250_200 // (250_200 + 1_000_000)
    assert _rate(book, "GOOG") == 0


# what it costs


def test_CH_6_novate__an_hour_at_the_rate__is_settled_with_the_next_fill(book: Book) -> None:
    """0.00005 of 150 USD an hour on 10,000 units: 75 USD from the long to the short."""
    book.novate(SIZE, PRICE)
    _next_price(book, HOUR)
    assert book.margin("taker").funding_owed == 75 * WAD
    assert book.margin("maker").funding_owed == -75 * WAD
    book.novate("-1", "150")
    assert book.quote("taker") == -wad("1501200") - 75 * WAD + 150 * WAD
    assert book.quote("maker") == wad("1501200") + 75 * WAD - 150 * WAD
    assert book.position("taker").funding_index == book.market().funding_index == wad("0.0075") // 1_000
    assert book.margin("taker").funding_owed == book.margin("maker").funding_owed == 0


def test_CH_6_novate__a_discount__is_paid_by_the_short(book: Book) -> None:
    book.novate(SIZE, "149.88")
    _next_price(book, HOUR)
    paid = book.margin("maker").funding_owed
    assert paid == -book.margin("taker").funding_owed == toward_zero(4_996 * 75 * WAD, 5_000) != 0


def test_novate__opened_later__owes_nothing_of_before(book: Book) -> None:
    book.novate(SIZE, PRICE)
    _next_price(book, HOUR)
    book.novate("100", maker="maker", taker="holder")
    assert book.margin("holder").funding_owed == 0
    assert book.position("holder").funding_index == book.market().funding_index


def test_novate__closed_and_opened_again__owes_nothing_of_between(book: Book) -> None:
    book.novate(SIZE, PRICE)
    book.novate(f"-{SIZE}", PRICE)
    book.novate("100", maker="maker", taker="holder")
    _next_price(book, HOUR)
    book.novate("100")
    assert book.margin("taker").funding_owed == 0


def test_novate__after_an_hour__tells_index_and_rate_from_now_on(book: Book) -> None:
    book.novate(SIZE, PRICE)
    _next_price(book, HOUR)
    receipt = book.novate(1, "150")
    _, told = next(book.contract.events(receipt))
    market = book.market()
    assert (told["funding_index"], told["funding_rate"]) == (market.funding_index, market.funding_rate)
    assert (market.funding_index, market.funding_rate) == (7_500_000_000_000, HALF // 2)
    assert market.funding_time == book.stage.now()


@pytest.mark.parametrize("seconds", [1, 7, 1_234, 86_399, 10_000_003])
@pytest.mark.parametrize("price", ["150.12", "149.87", "157.4999999"])
def test_CH_6_novate__any_time_and_rate__who_owes_pays_rounded_up(book: Book, price: str, seconds: int) -> None:
    """Three positions of odd sizes: what is owed sums to less than a wei a position, never below zero."""
    book.novate(7_654_321_987_654, price)
    book.novate(1_234_567_890_123, price, taker="holder")
    book.stage.warp(seconds)
    owed = {role: int(book.margin(role).funding_owed) for role in ("maker", "taker", "holder")}
    assert 0 <= sum(owed.values()) < 3
    _check_each(book, owed, seconds)


def _check_each(book: Book, owed: dict[str, int], seconds: int) -> None:
    rate = _rate(book)
    index = toward_zero(rate * 150 * 10**8 * min(seconds, MEMORY), 36_000)
    for role, amount in owed.items():
        exact = book.size(role) * index
        assert amount == (div_up(exact, PIPS) if exact > 0 else toward_zero(exact, PIPS))


@pytest.mark.parametrize("seconds", [HOUR, 100_003])
def test_CH_2_novate__funding_paid_and_received__loses_dust_only_and_only_to_the_book(book: Book, seconds: int) -> None:
    book.novate(7_654_321_987_654, "150.07")
    before = book.total("maker", "taker")
    _next_price(book, seconds)
    book.novate(-7_654_321_987_654, "150.01")
    assert before - 1 <= book.total("maker", "taker") <= before
