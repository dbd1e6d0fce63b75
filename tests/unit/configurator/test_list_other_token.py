"""list_other_token, other_token: what a further issuer's token stands for, once and for good."""

from __future__ import annotations

import pytest

from prime_perps.chain import Receipt
from prime_perps.errors import Revert
from prime_perps.units import WAD
from tests.stage import address

from .conftest import Office


def _list(office: Office, instrument: int, underlying: int = 0, units: int = WAD, sender: str = "timelock") -> Receipt:
    return office.contract.list_other_token(instrument, underlying, units, sender=address(sender))


@pytest.mark.parametrize("instrument", [128, 200, 254])
@pytest.mark.parametrize(("underlying", "units"), [(0, 1), (62, 10**24), (5, WAD // 3)])
def test_list_other_token__within_bounds__is_listed(
    office: Office, instrument: int, underlying: int, units: int
) -> None:
    assert office.book.contract.other_token(instrument) == (0, 0)
    receipt = _list(office, instrument, underlying, units)
    assert office.book.contract.other_token(instrument) == (underlying, units)
    told = {"instrument": instrument, "underlying": underlying, "units_per_token": units}
    assert office.told(receipt) == [("OtherTokenListed", told)]


def test_list_other_token__twice__reverts(office: Office) -> None:
    _list(office, 128)
    for underlying in (0, 1):
        with pytest.raises(Revert, match="clearing: listed already"):
            _list(office, 128, underlying)


@pytest.mark.parametrize(
    ("instrument", "underlying", "units"),
    [(127, 0, WAD), (255, 0, WAD), (0, 0, WAD), (2**255, 0, WAD), (128, 64, WAD), (128, 0, 0), (128, 0, 10**24 + 1)],
)
def test_list_other_token__out_of_bounds__reverts(office: Office, instrument: int, underlying: int, units: int) -> None:
    with pytest.raises(Revert, match="clearing: out of range"):
        _list(office, instrument, underlying, units)


def test_list_other_token__model_has_no_line__reverts(office: Office) -> None:
    """Whoever held it could not be margined, nor liquidated."""
    with pytest.raises(Revert, match="clearing: no risk line"):
        _list(office, 128, 63)


@pytest.mark.parametrize("sender", ["attacker", "guardian", "deployer", "governor"])
def test_AC_1_list_other_token__not_by_the_timelock__reverts(office: Office, sender: str) -> None:
    with pytest.raises(Revert, match="roles: timelock only"):
        _list(office, 128, sender=sender)
