"""accrue: the funding index of a market up to now, by anybody."""

from __future__ import annotations

import pytest

from prime_perps.errors import Revert
from prime_perps.units import NANO, WAD
from tests.stage import address

from .conftest import Book

HOUR = 3_600
RATE = 5_000  # 1e-8 an hour
STEP = 7_500_000_000_000  # 1e-15 USD a unit, an hour of it at 150


@pytest.fixture
def book(empty_book: Book) -> Book:
    """A market whose longs pay 0.005 % an hour."""
    for role in ("maker", "taker"):
        empty_book.pay(role, "10000000")
    empty_book.contract.set_market(0, 1_000_000 * NANO, 500, 1_501_200, False, sender=address("timelock"))
    empty_book.novate("10000", "150.12")
    assert empty_book.market().funding_rate == RATE
    return empty_book


def _accrue(book: Book, market: int = 0, sender: str = "attacker") -> list[tuple[str, dict[str, object]]]:
    return list(book.contract.events(book.contract.accrue(market, sender=address(sender))))


@pytest.mark.parametrize("seconds", [1, HOUR, 30 * 86_400])
def test_accrue__some_time_later__adds_rate_times_price_times_time(book: Book, seconds: int) -> None:
    book.stage.warp(seconds)
    index = RATE * 150 * 10**8 * seconds // 36_000
    assert _accrue(book) == [("FundingAccrued", {"market": 0, "funding_index": index})]
    market = book.market()
    assert (market.funding_index, market.funding_rate, market.funding_time) == (index, RATE, book.stage.now())


def test_accrue__in_the_same_second__does_nothing(book: Book) -> None:
    book.stage.warp(HOUR)
    assert len(_accrue(book)) == 1
    assert _accrue(book) == []
    assert book.market().funding_index == STEP


def test_accrue__in_steps__sums_to_the_same(book: Book) -> None:
    for seconds in (600, 1_200, 1_800):
        book.stage.warp(seconds)
        _accrue(book)
    assert book.market().funding_index == STEP


def test_accrue__at_the_price_of_the_moment(book: Book) -> None:
    """The price at accrual stands for the whole time since: whoever minds accrues with every price."""
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
    assert _accrue(book, market=1) == [("FundingAccrued", {"market": 1, "funding_index": 0})]
    assert book.market("IBM").funding_time == book.stage.now()
    assert book.market().funding_index == 0


def test_accrue__neighbour_in_the_same_word__is_untouched(book: Book) -> None:
    neighbour = book.market("IBM")
    book.stage.warp(HOUR)
    _accrue(book)
    assert book.market("IBM") == neighbour


def test_accrue__halted_old_or_paused__goes_on(book: Book) -> None:
    book.stage.oracle.set_halt(0, True, sender=address("guardian"))
    book.contract.set_paused(7, sender=address("guardian"))
    book.stage.warp(HOUR)
    _accrue(book)
    assert book.market().funding_index == STEP


def test_accrue__index_that_no_longer_fits__reverts(book: Book) -> None:
    """The largest price there is, at the cap, fills the 80 bits in 200 days: then the market stands, it never wraps."""
    book.stage.publish(AAPL="720000000")
    book.contract.set_market(0, 2**79 - 1, 2_000, 1, False, sender=address("timelock"))
    for role in ("maker", "taker"):
        book.pay(role, 2**110)
    book.novate("1", "864000000")
    assert book.market().funding_rate == 16_999
    book.stage.warp(200 * 86_400)
    _accrue(book)
    book.stage.warp(10 * 86_400)
    with pytest.raises(Revert, match="funding: index out of range"):
        _accrue(book)
    book.stage.publish()
    with pytest.raises(Revert, match="funding: index out of range"):
        book.novate("-1", "720000000")


@pytest.mark.xfail(
    strict=True, reason="accrue moves the clock that fading counts from: upkeep just before a fill keeps the old rate"
)
def test_accrue__before_a_fill__does_not_keep_the_past_from_fading(book: Book) -> None:
    book.stage.warp(HOUR - 1)
    book.stage.publish()
    _accrue(book)
    book.novate(1, "150")
    assert book.market().funding_rate == RATE // 2
