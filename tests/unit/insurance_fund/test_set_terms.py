"""set_terms, terms and fill_level: what insurance should have, and how long backers wait."""

from __future__ import annotations

import pytest

from prime_perps.errors import Revert
from prime_perps.units import wad
from tests.stage import address

from .conftest import COOLDOWN, DAY, WINDOW, Backing

HOUR = 3_600
TERMS = (wad(5_000_000), COOLDOWN, WINDOW)


def set_terms(backing: Backing, terms: tuple[int, int, int]) -> None:
    fund, timelock = backing.fund, address("timelock")
    backing.auctions.stage.govern(fund.grantRole, fund.TIMELOCK_ROLE(), timelock)
    fund.set_terms(terms, sender=timelock)


def test_terms__deployed__are_the_parameters(backing: Backing) -> None:
    assert backing.fund.terms() == TERMS
    assert backing.fund.clearinghouse() == backing.auctions.book.address


def test_fill_level__is_cash_over_target(backing: Backing) -> None:
    assert (backing.fund.assets(), backing.fund.fill_level()) == (0, 0)
    backing.deposit("1250000")
    assert (backing.fund.assets(), backing.fund.fill_level()) == (wad(1_250_000), 2_500)


def test_fill_level__insurance_below_zero__is_zero(backing: Backing) -> None:
    backing.auctions.without_cash("maker", "keeper", "rival")
    backing.lose("5000")
    assert backing.cash < 0
    assert (backing.fund.assets(), backing.fund.fill_level()) == (0, 0)


def test_set_terms__timelock__sets_and_earlier_requests_keep_their_times(backing: Backing) -> None:
    backing.deposit("1000")
    backing.request()
    before = backing.fund.request_of(address("backer"))
    set_terms(backing, (wad(1), 30 * DAY, HOUR))
    assert backing.fund.terms() == (wad(1), 30 * DAY, HOUR)
    assert backing.fund.request_of(address("backer")) == before


@pytest.mark.parametrize("role", ["guardian", "governor", "deployer", "attacker"])
def test_set_terms__anybody_else__reverts__AC_1(backing: Backing, role: str) -> None:
    with pytest.raises(Revert, match=r"^roles: timelock only$"):
        backing.fund.set_terms(TERMS, sender=address(role))


@pytest.mark.parametrize(
    "terms",
    [(1, DAY, HOUR), (10**33, 30 * DAY, 7 * DAY)],
)
def test_set_terms__at_a_bound__sets(backing: Backing, terms: tuple[int, int, int]) -> None:
    set_terms(backing, terms)
    assert backing.fund.terms() == terms


@pytest.mark.parametrize(
    "terms",
    [
        (0, DAY, HOUR),
        (10**33 + 1, DAY, HOUR),
        (1, DAY - 1, HOUR),
        (1, 30 * DAY + 1, HOUR),
        (1, DAY, HOUR - 1),
        (1, DAY, 7 * DAY + 1),
    ],
)
def test_set_terms__past_a_bound__reverts(backing: Backing, terms: tuple[int, int, int]) -> None:
    with pytest.raises(Revert, match=r"^fund: terms out of range$"):
        set_terms(backing, terms)
