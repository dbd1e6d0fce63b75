"""store_market: the configurator lists markets and changes them, within ranges."""

from __future__ import annotations

import pytest

from prime_perps.errors import Revert
from prime_perps.units import NANO
from tests.stage import address

from .conftest import Book

Limits = tuple[int, int, int, bool]


@pytest.mark.parametrize("number", [0, 7, 63])
@pytest.mark.parametrize("limits", [(0, 1, 1, False), (2**79 - 1, 2_000, 10**12, True)])
def test_store_market__within_range__is_listed_or_changed(book: Book, number: int, limits: Limits) -> None:
    cap, band, depth, reduce_only = limits
    receipt = book.set_market(number, *limits)
    assert book.contract.market(number) == (True, reduce_only, 0, cap, band, depth, 0, 0, 0)
    told = {"open_interest_cap": cap, "band": band, "funding_depth": depth, "reduce_only": reduce_only}
    assert list(book.contract.events(receipt)) == [("MarketSet", {"market": number} | told)]


def test_store_market__with_positions_open__keeps_open_interest_and_funding(book: Book) -> None:
    book.novate("10", "151")
    before = book.market()
    book.set_market(0, 1, 1, 1, reduce_only=True)
    after = book.market()
    assert after.open_interest == 10 * NANO
    assert before.funding_rate != 0
    assert after[-3:] == before[-3:]


@pytest.mark.parametrize("number", [64, 255, 2**256 - 1])
def test_store_market__no_such_underlying__reverts(book: Book, number: int) -> None:
    with pytest.raises(Revert, match="markets: bad market"):
        book.set_market(number, NANO, 500, 1)


@pytest.mark.parametrize(
    ("cap", "band", "depth"),
    [(2**79, 500, 1), (2**256 - 1, 500, 1), (1, 0, 1), (1, 2_001, 1), (1, 500, 0), (1, 500, 10**12 + 1)],
)
def test_store_market__out_of_range__reverts(book: Book, cap: int, band: int, depth: int) -> None:
    with pytest.raises(Revert, match="markets: out of range"):
        book.set_market(7, cap, band, depth)


@pytest.mark.parametrize("sender", ["attacker", "timelock", "guardian", "vault", "exchange", "engine"])
def test_AC_1_store_market__not_by_the_configurator__reverts(book: Book, sender: str) -> None:
    with pytest.raises(Revert, match="clearing: not the right caller"):
        book.contract.store_market(0, 0, 1, 1, True, sender=address(sender))
