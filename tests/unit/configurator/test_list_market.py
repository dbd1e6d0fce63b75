"""list_market: a perp on an underlying, once, by the timelock."""

from __future__ import annotations

from pathlib import Path

import pytest

from prime_perps.chain import Receipt
from prime_perps.errors import Revert
from prime_perps.units import NANO
from tests.stage import address, deployed_source

from .conftest import Office


def _list(
    office: Office, number: int, cap: int = NANO, band: int = 500, depth: int = 1, who: str = "timelock"
) -> Receipt:
    return office.contract.list_market(number, cap, band, depth, sender=address(who))


@pytest.mark.parametrize("number", [7, 62])
@pytest.mark.parametrize(("cap", "band", "depth"), [(0, 1, 1), (2**79 - 1, 2_000, 10**12), (5, 500, 10**6)])
def test_list_market__within_bounds__is_listed(office: Office, number: int, cap: int, band: int, depth: int) -> None:
    assert not office.book.contract.market(number).listed
    receipt = _list(office, number, cap, band, depth)
    assert office.book.contract.market(number) == (True, False, 0, cap, band, depth, 0, 0, 0)
    told = {"market": number, "open_interest_cap": cap, "band": band, "funding_depth": depth, "reduce_only": False}
    assert office.told(receipt) == [("MarketSet", told)]


def test_list_market__twice__reverts(office: Office) -> None:
    _list(office, 7)
    with pytest.raises(Revert, match="clearing: listed already"):
        _list(office, 7)


@pytest.mark.parametrize("number", [63, 64, 255, 2**256 - 1])
def test_list_market__model_has_no_line__reverts(office: Office, number: int) -> None:
    """Whoever held it could not be margined, nor liquidated."""
    with pytest.raises(Revert, match="clearing: no risk line"):
        _list(office, number)


@pytest.mark.parametrize("number", [64, 255, 2**256 - 2])
def test_list_market__no_such_underlying__reverts(office: Office, number: int) -> None:
    """Whatever the model says it knows."""
    model = deployed_source(office.stage.backend, Path(__file__).with_name("boundless_model.vy"), address("deployer"))
    office.contract.set_model(model, sender=address("timelock"))
    _list(office, 63)
    with pytest.raises(Revert, match="markets: bad market"):
        _list(office, number)


@pytest.mark.parametrize(
    ("cap", "band", "depth"),
    [(2**79, 500, 1), (2**256 - 1, 500, 1), (1, 0, 1), (1, 2_001, 1), (1, 500, 0), (1, 500, 10**12 + 1)],
)
def test_list_market__out_of_bounds__reverts(office: Office, cap: int, band: int, depth: int) -> None:
    with pytest.raises(Revert, match="markets: out of range"):
        _list(office, 7, cap, band, depth)


@pytest.mark.parametrize("sender", ["attacker", "guardian", "deployer", "governor"])
def test_AC_1_list_market__not_by_the_timelock__reverts(office: Office, sender: str) -> None:
    with pytest.raises(Revert, match="roles: timelock only"):
        _list(office, 7, who=sender)
