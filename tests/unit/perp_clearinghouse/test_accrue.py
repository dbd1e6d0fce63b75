"""accrue: the rates follow utilization. Nobody's cash changes by it, whoever calls it and however often."""

from __future__ import annotations

import pytest

from prime_perps.cash import ONE, PPB, YEAR
from prime_perps.units import WAD, wad
from tests.stage import account, address

from .conftest import Book

DAY = 86_400


@pytest.fixture
def lent(book: Book) -> Book:
    """Maker and taker have 100,000 each; of that 180,000 are lent: 100 USD more than 90 % of all."""
    book.pay_stock("holder", "AAPL", "5000")
    book.debit(account("holder"), 255, 180_000 * WAD, "holder")
    return book


def _accrue(book: Book) -> list[tuple[str, dict[str, object]]]:
    return list(book.contract.events(book.contract.accrue(sender=address("attacker"))))


def test_accrue__always__tells_the_indexes(lent: Book) -> None:
    lent.stage.warp(DAY)
    assert _accrue(lent) == [("Accrued", {"indexes": lent.contract.cash_words()[0]})]


@pytest.mark.parametrize("looks", [1, 7, 60])
def test_accrue__however_often__changes_nobodys_cash_in_that_moment(lent: Book, looks: int) -> None:
    for _ in range(looks):
        lent.stage.warp(DAY // looks)
        before = [lent.margin(role) for role in ("maker", "taker", "holder")]
        _accrue(lent)
        assert [lent.margin(role) for role in ("maker", "taker", "holder")] == before


def test_accrue__twice_in_a_block__changes_nothing(lent: Book) -> None:
    lent.stage.warp(DAY)
    _accrue(lent)
    words = lent.contract.cash_words()
    _accrue(lent)
    assert lent.contract.cash_words() == words


def test_accrue__above_the_target__loans_become_dearer_by_the_day(lent: Book) -> None:
    rates = []
    for _ in range(3):
        rates.append(lent.cash_market().debt_ppb)
        lent.stage.warp(DAY)
        _accrue(lent)
    # at 90 % err is 1/3: exp(50/365/3) is 1.0467 a day, and interest adds to what is lent
    assert rates[0] == pytest.approx(80_000_000, rel=1e-3)
    assert [rates[1] / rates[0], rates[2] / rates[1]] == pytest.approx([1.0467, 1.0467], rel=2e-3)


def test_accrue__never_called__charges_the_rate_that_was_left(lent: Book) -> None:
    """The other end of the same: who is paid too little, or pays too much, by that can call it."""
    rate = lent.cash_market().debt_ppb
    lent.stage.warp(DAY)
    owed = 180_000 * WAD * (PPB * YEAR + rate * DAY) // (PPB * YEAR)
    assert 0 <= -lent.cash("holder") - owed <= 180_000 * WAD // ONE + 2


def test_accrue__after_an_hour__charged_the_mean_of_the_adaptive_curve(lent: Book) -> None:
    """A rate is the mean over the hour to come: accrued by the hour, a day costs what an adaptive rate does."""
    rates = []
    for _ in range(24):
        rates.append(lent.cash_market().debt_ppb)
        lent.stage.warp(3_600)
        _accrue(lent)
    market = lent.cash_market()
    average, _ = lent.stage.system.interest.step(wad("0.04"), market.utilization_ppb * 10**9, DAY)
    assert sum(rates) / 24 == pytest.approx(average / 10**9, rel=2e-3)


def test_accrue__years_without_a_call__goes_on(lent: Book) -> None:
    lent.stage.warp(50 * YEAR)
    _accrue(lent)
    assert lent.cash("holder") < -180_000 * WAD


def test_accrue__everything_paused__goes_on(lent: Book) -> None:
    lent.pause(7)
    lent.stage.warp(DAY)
    _accrue(lent)
    assert lent.cash_market().time == lent.stage.now()
