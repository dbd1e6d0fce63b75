"""accrue: the funding index of a market up to now and its rate fading, by anybody; a fill of nothing."""

from __future__ import annotations

import pytest

from prime_perps.errors import Revert
from prime_perps.units import NANO, WAD
from tests.stage import address

from .conftest import Book

HOUR = 3_600
RATE = 5_000  # 1e-8 an hour
STEP = 7_500_000_000_000  # 1e-15 USD a unit, an hour of it at 150
MEMORY = 5_194  # seconds a rate is charged at most, if nobody fills or accrues


@pytest.fixture
def book(empty_book: Book) -> Book:
    """A market whose longs pay 0.005 % an hour."""
    for role in ("maker", "taker"):
        empty_book.pay(role, "10000000")
    empty_book.set_market(0, 1_000_000 * NANO, 500, 1_501_200)
    empty_book.novate("10000", "150.12")
    assert empty_book.market().funding_rate == RATE
    return empty_book


def _accrue(book: Book, market: int = 0, sender: str = "attacker") -> list[tuple[str, dict[str, object]]]:
    return list(book.contract.events(book.contract.accrue(market, sender=address(sender))))


def _index(rate: int, seconds: int) -> int:
    """1e-15 USD a unit, at 150."""
    return rate * 150 * 10**8 * seconds // 36_000


@pytest.mark.parametrize("seconds", [1, HOUR, MEMORY - 1, MEMORY, MEMORY + 1, 30 * 86_400])
def test_accrue__some_time_later__charges_the_rate_and_lets_it_fade(book: Book, seconds: int) -> None:
    book.stage.warp(seconds)
    index, rate = _index(RATE, min(seconds, MEMORY)), RATE * HOUR // (HOUR + seconds)
    told = {"market": 0, "funding_index": index, "funding_rate": rate}
    assert book.margin("taker").funding_owed == 10_000 * index * 1_000
    assert _accrue(book) == [("FundingAccrued", told)]
    market = book.market()
    assert (market.funding_index, market.funding_rate, market.funding_time) == (index, rate, book.stage.now())


def test_accrue__in_the_same_second__changes_nothing(book: Book) -> None:
    book.stage.warp(HOUR)
    _accrue(book)
    market = book.market()
    for _ in range(3):
        _accrue(book)
    assert book.market() == market


def test_accrue__in_steps__charges_each_with_the_rate_it_found(book: Book) -> None:
    index, rate = 0, RATE
    for seconds in (600, 1_200, 1_800, 2 * MEMORY):
        book.stage.warp(seconds)
        _accrue(book)
        index, rate = index + _index(rate, min(seconds, MEMORY)), rate * HOUR // (HOUR + seconds)
    assert (book.market().funding_index, book.market().funding_rate) == (index, rate)


def test_accrue__below_zero__fades_towards_zero_too(book: Book) -> None:
    book.novate("-100000", "148")
    rate = book.market().funding_rate
    assert rate < -10_000
    index = book.market().funding_index
    book.stage.warp(HOUR)
    _accrue(book)
    assert book.market().funding_rate == -(-rate // 2)
    assert book.market().funding_index == index - _index(-rate, HOUR)


def test_accrue__at_the_price_of_the_moment(book: Book) -> None:
    """The price at accrual stands for the whole time since: whoever minds, accrues with every price."""
    book.stage.warp(HOUR - 1)
    book.stage.publish(AAPL="300")
    _accrue(book)
    assert book.market().funding_index == 2 * STEP


def test_accrue__before_or_not__leaves_every_account_the_same(book: Book) -> None:
    book.stage.warp(HOUR)
    before = book.margin("taker"), book.margin("maker")
    assert before[0].funding_owed == 75 * WAD
    _accrue(book)
    assert (book.margin("taker"), book.margin("maker")) == before


def test_accrue__no_rate__moves_only_time(book: Book) -> None:
    book.novate("1", symbol="IBM")
    book.stage.warp(HOUR)
    told = {"market": 1, "funding_index": 0, "funding_rate": 0}
    assert _accrue(book, market=1) == [("FundingAccrued", told)]
    assert book.market("IBM").funding_time == book.stage.now()
    assert book.market().funding_index == 0


def test_accrue__neighbour_in_the_same_word__is_untouched(book: Book) -> None:
    neighbour = book.market("IBM")
    book.stage.warp(HOUR)
    _accrue(book)
    assert book.market("IBM") == neighbour


def test_accrue__halted_old_or_paused__goes_on(book: Book) -> None:
    book.stage.oracle.set_halt(0, True, sender=address("guardian"))
    book.pause(7)
    book.stage.warp(HOUR)
    _accrue(book)
    assert book.market().funding_index == STEP


@pytest.mark.parametrize("number", [7, 63, 64, 2**256 - 1])
def test_accrue__not_listed__reverts(book: Book, number: int) -> None:
    with pytest.raises(Revert, match="trade: market not listed"):
        _accrue(book, market=number)


def test_accrue__never_priced__reverts(book: Book) -> None:
    book.set_market(7, NANO, 500, 1)
    with pytest.raises(Revert, match="trade: no index price"):
        _accrue(book, market=7)


def test_accrue__index_that_no_longer_fits__reverts(book: Book) -> None:
    """The largest price there is, at the cap by ever new fills, fills 80 bits in half a year: then it stands."""
    book.stage.publish(AAPL="720000000")
    book.set_market(0, 2**79 - 1, 2_000, 1)
    for role in ("maker", "taker"):
        book.pay(role, 2**110)
    book.novate("-10000", "864000000")
    book.novate("0.01", "864000000")
    market = book.market()
    while market.funding_index + market.funding_rate * 72 * 10**15 * MEMORY // 36_000 < 2**79:
        book.stage.warp(MEMORY)
        book.novate(-1_000, "864000000")
        market = book.market()
    book.stage.warp(MEMORY)
    for call in (lambda: book.novate(-1_000, "864000000"), lambda: _accrue(book)):
        with pytest.raises(Revert, match="funding: index out of range"):
            call()
    assert market == book.market()


@pytest.mark.parametrize("upkeep", [True, False])
def test_accrue__before_a_fill_or_not__the_past_has_faded_the_same(book: Book, upkeep: bool) -> None:
    book.stage.warp(HOUR - 1)
    book.stage.publish()
    if upkeep:
        _accrue(book)
    book.novate(1, "150")
    assert book.market().funding_rate == RATE // 2


@pytest.mark.xfail(
    strict=True,
    reason="each call fades from where the last one left the rate: called every minute, funding is 0.64 of what "
    "one call after an hour charges; every second 0.51, and 0.14 when the rate is small",
)
def test_accrue__however_often__charges_and_fades_the_same(book: Book) -> None:
    with book.stage.undone():
        book.stage.warp(HOUR)
        _accrue(book)
        once = book.market()
    for _ in range(60):
        book.stage.warp(60)
        _accrue(book)
    often = book.market()
    assert often.funding_index == pytest.approx(once.funding_index, rel=0.02)
    assert often.funding_rate == pytest.approx(once.funding_rate, rel=0.02)
