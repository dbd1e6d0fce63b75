"""store_other_token, other_token: what a further issuer's token stands for, within ranges."""

from __future__ import annotations

import pytest

from prime_perps.errors import Revert
from prime_perps.units import WAD
from tests.stage import address

from .conftest import Book


@pytest.mark.parametrize("instrument", [128, 200, 254])
@pytest.mark.parametrize(("underlying", "units"), [(0, 1), (63, 10**24), (5, WAD // 3)])
def test_store_other_token__within_range__is_listed(book: Book, instrument: int, underlying: int, units: int) -> None:
    assert book.contract.other_token(instrument) == (0, 0)
    receipt = book.list_other_token(instrument, underlying, units)
    assert book.contract.other_token(instrument) == (underlying, units)
    told = {"instrument": instrument, "underlying": underlying, "units_per_token": units}
    assert list(book.contract.events(receipt)) == [("OtherTokenListed", told)]


@pytest.mark.parametrize(
    ("instrument", "underlying", "units"),
    [(127, 0, WAD), (255, 0, WAD), (0, 0, WAD), (2**255, 0, WAD), (128, 64, WAD), (128, 0, 0), (128, 0, 10**24 + 1)],
)
def test_store_other_token__out_of_range__reverts(book: Book, instrument: int, underlying: int, units: int) -> None:
    with pytest.raises(Revert, match="clearing: out of range"):
        book.list_other_token(instrument, underlying, units)


@pytest.mark.parametrize("sender", ["attacker", "timelock", "guardian", "vault", "exchange", "engine"])
def test_AC_1_store_other_token__not_by_the_configurator__reverts(book: Book, sender: str) -> None:
    with pytest.raises(Revert, match="clearing: not the right caller"):
        book.contract.store_other_token(128, 0, WAD, sender=address(sender))
