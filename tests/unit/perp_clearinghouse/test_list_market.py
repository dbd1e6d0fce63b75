"""list_market: a perp on an underlying, once, by the timelock."""

from __future__ import annotations

from pathlib import Path

import pytest

from prime_perps.chain import Receipt
from prime_perps.errors import Revert
from prime_perps.units import NANO
from tests.stage import address, deployed_source

from .conftest import Book


def _list(book: Book, number: int, cap: int = NANO, band: int = 500, depth: int = 1, who: str = "timelock") -> Receipt:
    return book.contract.list_market(number, cap, band, depth, sender=address(who))


@pytest.mark.parametrize("number", [7, 62])
@pytest.mark.parametrize(("cap", "band", "depth"), [(0, 1, 1), (2**79 - 1, 2_000, 10**12), (5, 500, 10**6)])
def test_list_market__within_bounds__is_listed(book: Book, number: int, cap: int, band: int, depth: int) -> None:
    assert not book.contract.market(number).listed
    receipt = _list(book, number, cap, band, depth)
    assert book.contract.market(number) == (True, False, 0, cap, band, depth, 0, 0, 0)
    told = {"market": number, "open_interest_cap": cap, "band": band, "funding_depth": depth, "reduce_only": False}
    assert list(book.contract.events(receipt)) == [("MarketSet", told)]


def test_list_market__twice__reverts(book: Book) -> None:
    _list(book, 7)
    with pytest.raises(Revert, match="clearing: listed already"):
        _list(book, 7)


@pytest.mark.parametrize("number", [63, 64, 255, 2**256 - 1])
def test_list_market__model_has_no_line__reverts(book: Book, number: int) -> None:
    """Whoever held it could not be margined, nor liquidated."""
    with pytest.raises(Revert, match="clearing: no risk line"):
        _list(book, number)


@pytest.mark.parametrize("number", [64, 255, 2**256 - 2])
def test_list_market__no_such_underlying__reverts(book: Book, number: int) -> None:
    """Whatever the model says it knows."""
    model = deployed_source(book.stage.backend, Path(__file__).with_name("boundless_model.vy"), address("deployer"))
    book.contract.set_model(model, sender=address("timelock"))
    _list(book, 63)
    with pytest.raises(Revert, match="markets: bad market"):
        _list(book, number)


@pytest.mark.parametrize(
    ("cap", "band", "depth"),
    [(2**79, 500, 1), (2**256 - 1, 500, 1), (1, 0, 1), (1, 2_001, 1), (1, 500, 0), (1, 500, 10**12 + 1)],
)
def test_list_market__out_of_bounds__reverts(book: Book, cap: int, band: int, depth: int) -> None:
    with pytest.raises(Revert, match="markets: out of range"):
        _list(book, 7, cap, band, depth)


@pytest.mark.parametrize("sender", ["attacker", "guardian", "deployer", "vault"])
def test_AC_1_list_market__not_by_the_timelock__reverts(book: Book, sender: str) -> None:
    with pytest.raises(Revert, match="roles: timelock only"):
        _list(book, 7, who=sender)
