"""list_other_token, other_token: what a further issuer's token stands for, once and for good."""

from __future__ import annotations

import pytest

from prime_perps.chain import Receipt
from prime_perps.errors import Revert
from prime_perps.units import WAD
from tests.stage import address

from .conftest import Book


def _list(book: Book, instrument: int, underlying: int = 0, units: int = WAD, sender: str = "timelock") -> Receipt:
    return book.contract.list_other_token(instrument, underlying, units, sender=address(sender))


@pytest.mark.parametrize("instrument", [128, 200, 254])
@pytest.mark.parametrize(("underlying", "units"), [(0, 1), (62, 10**24), (5, WAD // 3)])
def test_list_other_token__within_bounds__is_listed(book: Book, instrument: int, underlying: int, units: int) -> None:
    assert book.contract.other_token(instrument) == (0, 0)
    receipt = _list(book, instrument, underlying, units)
    assert book.contract.other_token(instrument) == (underlying, units)
    told = {"instrument": instrument, "underlying": underlying, "units_per_token": units}
    assert list(book.contract.events(receipt)) == [("OtherTokenListed", told)]


def test_list_other_token__twice__reverts(book: Book) -> None:
    _list(book, 128)
    for underlying in (0, 1):
        with pytest.raises(Revert, match="clearing: listed already"):
            _list(book, 128, underlying)


@pytest.mark.parametrize(
    ("instrument", "underlying", "units"),
    [(127, 0, WAD), (255, 0, WAD), (0, 0, WAD), (2**255, 0, WAD), (128, 64, WAD), (128, 0, 0), (128, 0, 10**24 + 1)],
)
def test_list_other_token__out_of_bounds__reverts(book: Book, instrument: int, underlying: int, units: int) -> None:
    with pytest.raises(Revert, match="clearing: out of range"):
        _list(book, instrument, underlying, units)


def test_list_other_token__model_has_no_line__reverts(book: Book) -> None:
    """Whoever held it could not be margined, nor liquidated."""
    with pytest.raises(Revert, match="clearing: no risk line"):
        _list(book, 128, 63)


@pytest.mark.parametrize("sender", ["attacker", "guardian", "deployer", "vault"])
def test_AC_1_list_other_token__not_by_the_timelock__reverts(book: Book, sender: str) -> None:
    with pytest.raises(Revert, match="roles: timelock only"):
        _list(book, 128, sender=sender)
