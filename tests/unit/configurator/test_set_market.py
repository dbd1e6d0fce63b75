"""set_market: the guardian tightens at once, whatever loosens is the timelock's."""

from __future__ import annotations

import pytest

from prime_perps.chain import Receipt
from prime_perps.errors import Revert
from prime_perps.units import NANO
from tests.stage import address

from .conftest import Office

CAP, BAND, DEPTH = 1_000_000 * NANO, 500, 1_000_000  # of AAPL, in parameters/local.json

TIGHTER = [
    pytest.param((CAP, BAND, DEPTH, False), id="as it is"),
    pytest.param((CAP - 1, BAND, DEPTH, False), id="lower cap"),
    pytest.param((0, BAND, DEPTH, False), id="no cap"),
    pytest.param((CAP, BAND - 1, DEPTH, False), id="narrower band"),
    pytest.param((CAP, BAND, DEPTH, True), id="reduce only"),
    pytest.param((0, 1, DEPTH, True), id="all"),
]
LOOSER = [
    pytest.param((CAP + 1, BAND, DEPTH, False), id="higher cap"),
    pytest.param((CAP, BAND + 1, DEPTH, False), id="wider band"),
    pytest.param((CAP, BAND, DEPTH + 1, False), id="more depth"),
    pytest.param((CAP, BAND, DEPTH - 1, False), id="less depth"),
    pytest.param((0, 1, DEPTH - 1, True), id="less depth with all else tighter"),
    pytest.param((CAP + 1, 1, DEPTH, True), id="higher cap with all else tighter"),
]
Limits = tuple[int, int, int, bool]


def _set(office: Office, limits: Limits, sender: str = "timelock") -> Receipt:
    return office.contract.set_market(0, *limits, sender=address(sender))


def _limits(office: Office) -> Limits:
    market = office.book.market()
    return market.open_interest_cap, market.band, market.funding_depth, market.reduce_only


@pytest.mark.parametrize("limits", TIGHTER)
@pytest.mark.parametrize("sender", ["guardian", "timelock"])
def test_AC_1_set_market__tighter__is_the_guardians_and_the_timelocks(
    office: Office, sender: str, limits: Limits
) -> None:
    receipt = _set(office, limits, sender)
    assert _limits(office) == limits
    cap, band, depth, reduce_only = limits
    told = {"market": 0, "open_interest_cap": cap, "band": band, "funding_depth": depth, "reduce_only": reduce_only}
    assert office.told(receipt) == [("MarketSet", told)]


@pytest.mark.parametrize("limits", LOOSER)
def test_AC_1_set_market__looser__is_the_timelocks_only(office: Office, limits: Limits) -> None:
    with pytest.raises(Revert, match="roles: timelock only"):
        _set(office, limits, "guardian")
    _set(office, limits, "timelock")
    assert _limits(office) == limits


def test_AC_1_set_market__reduce_only_off__is_the_timelocks_only(office: Office) -> None:
    _set(office, (CAP, BAND, DEPTH, True), "guardian")
    _set(office, (CAP - 1, BAND, DEPTH, True), "guardian")
    with pytest.raises(Revert, match="roles: timelock only"):
        _set(office, (CAP - 1, BAND, DEPTH, False), "guardian")
    _set(office, (CAP, BAND, DEPTH, False), "timelock")
    office.trade("1")


@pytest.mark.parametrize("sender", ["attacker", "deployer", "governor"])
@pytest.mark.parametrize("limits", [*TIGHTER, *LOOSER])
def test_AC_1_set_market__by_anybody_else__reverts(office: Office, sender: str, limits: Limits) -> None:
    with pytest.raises(Revert, match="roles: guardian only"):
        _set(office, limits, sender)


@pytest.mark.parametrize("number", [7, 63, 64, 2**256 - 1])
@pytest.mark.parametrize("sender", ["guardian", "timelock"])
def test_set_market__not_listed__reverts(office: Office, sender: str, number: int) -> None:
    with pytest.raises(Revert, match="trade: market not listed"):
        office.contract.set_market(number, 0, 1, 1, True, sender=address(sender))


@pytest.mark.parametrize(
    "limits",
    [(2**79, BAND, 1, False), (CAP, 0, 1, False), (CAP, 2_001, 1, False), (CAP, 1, 0, True), (CAP, 1, 10**13, True)],
)
def test_set_market__out_of_bounds__reverts(office: Office, limits: Limits) -> None:
    with pytest.raises(Revert, match="markets: out of range"):
        _set(office, limits)


def test_set_market__with_positions_open__keeps_open_interest_and_funding(office: Office) -> None:
    office.trade("10", "151")
    before = office.book.market()
    _set(office, (1, 1, 1, True))
    after = office.book.market()
    assert (after.open_interest, after.funding_rate, after.funding_time) == (
        10 * NANO,
        before.funding_rate,
        before.funding_time,
    )
    assert after.listed
