"""set_listing and set_enabled: the timelock lists and lets resume, the guardian stops at once."""

from __future__ import annotations

from typing import Any

import pytest

from prime_perps.chain import Contract
from prime_perps.errors import Revert
from prime_perps.issuer.quotes import Side
from prime_perps.units import wad
from tests.stage import address

from .conftest import AAPL, BAND, Desk, listing

ZERO = "0x" + "00" * 20
UNLISTED = 66


def test_init__at_another_address__reverts(desk: Desk) -> None:
    with pytest.raises(Revert, match=r"^gateway: not the one expected$"):
        Contract.deploy(desk.stage.backend, "IssuerGateway", desk.book, sender=address("attacker"))


def test_gateway__and_clearinghouse__name_each_other(desk: Desk) -> None:
    assert desk.gateway.clearinghouse() == desk.book.address
    assert desk.book.gateway() == desk.gateway.address


def test_set_listing__by_the_timelock__is_what_is_told(desk: Desk) -> None:
    changed = listing(desk.issuer, band=BAND // 2, bound=False)
    desk.stage.govern(desk.gateway.set_listing, AAPL, changed)
    assert tuple(desk.gateway.listing(AAPL)) == changed
    with pytest.raises(Revert, match=r"^gateway: price out of band$"):
        desk.mint(desk.quote(Side.BUY, price=wad("151")))
    desk.mint(desk.quote(Side.BUY, additional_data=bytes(32)))


@pytest.mark.parametrize("role", ["guardian", "deployer", "desk", "attacker"])
def test_set_listing__by_anybody_else__reverts(desk: Desk, role: str) -> None:
    with pytest.raises(Revert, match=r"^roles: timelock only$"):
        desk.gateway.set_listing(AAPL, listing(desk.issuer), sender=address(role))


@pytest.mark.parametrize(
    "changed",
    [
        {"manager": ZERO},
        {"manager": address("somebody")},
        {"dollar": ZERO},
        {"swapper": ZERO},
        {"band": 0},
        {"band": 2_001},
        {"haircut": 10_001},
        {"haircut_period": 0},
        {"haircut_period": 366 * 86_400 + 1},
    ],
)
def test_set_listing__out_of_bounds__reverts(desk: Desk, changed: dict[str, Any]) -> None:
    with pytest.raises(Revert, match=r"^gateway: bad listing$"):
        desk.stage.govern(desk.gateway.set_listing, AAPL, listing(desk.issuer, **changed))


@pytest.mark.parametrize("instrument", [0, 69, 255])
def test_set_listing__what_has_no_token_of_18_decimals__reverts(desk: Desk, instrument: int) -> None:
    with pytest.raises(Revert, match=r"^gateway: bad listing$"):
        desk.stage.govern(desk.gateway.set_listing, instrument, listing(desk.issuer))


def test_AC_1_set_enabled__by_the_guardian__only_stops(desk: Desk) -> None:
    guardian = address("guardian")
    desk.gateway.set_enabled(AAPL, False, sender=guardian)
    for side in Side:
        before = desk.look()
        with pytest.raises(Revert, match=r"^gateway: disabled$"):
            desk.act(desk.quote(side))
        assert desk.look() == before
    with pytest.raises(Revert, match=r"^roles: timelock only$"):
        desk.gateway.set_enabled(AAPL, True, sender=guardian)
    desk.stage.govern(desk.gateway.set_enabled, AAPL, True)
    desk.mint(desk.quote(Side.BUY))


def test_AC_1_set_enabled__by_anybody_else__reverts(desk: Desk) -> None:
    with pytest.raises(Revert, match=r"^roles: guardian only$"):
        desk.gateway.set_enabled(AAPL, False, sender=address("attacker"))


def test_set_enabled__what_is_not_listed__reverts(desk: Desk) -> None:
    with pytest.raises(Revert, match=r"^gateway: not listed$"):
        desk.gateway.set_enabled(UNLISTED, False, sender=address("guardian"))


def test_set_listing__a_further_issuers_token__is_priced_by_its_units(desk: Desk) -> None:
    """A token that stands for half a share costs half of it."""
    stage, further = desk.stage, 130
    stock = desk.issuer.tokens[1]
    other = Contract.deploy(
        stage.backend, "StockToken", "AAPL of another", "AAPLx", desk.issuer.compliance, sender=address("deployer")
    )
    for issued in (desk.issuer.manager, desk.issuer.in_kind):
        other.set_minter(issued, True, sender=address("deployer"))
        other.set_burner(issued, True, sender=address("deployer"))
    desk.issuer.manager.set_accepted(other, True, sender=address("deployer"))
    for side in Side:
        desk.issuer.limits.set_global_limit(side, other, wad("1000000"), 86_400, sender=address("deployer"))
        desk.issuer.limits.set_default_user_limit(side, other, wad("1000000"), 86_400, sender=address("deployer"))
    stage.govern(stage.system.configurator.list_other_token, further, 0, wad("0.5"))
    stage.govern(stage.system.vault.list_asset, further, other, wad("1000000"))
    stage.govern(desk.gateway.set_listing, further, listing(desk.issuer))
    desk.issuer.prices.post_price(other, wad("75"), sender=address("deployer"))
    desk.issuer.prices.post_price(stock, wad("110"), sender=address("deployer"))
    with pytest.raises(Revert, match=r"^gateway: price out of band$"):
        desk.mint(desk.quote(Side.BUY, asset=other.address), instrument=further)
    desk.mint(desk.quote(Side.BUY, asset=other.address, price=wad("75")), instrument=further)
    assert desk.tokens(instrument=further) == wad("10")
    desk.redeem(desk.quote(Side.SELL, asset=other.address, price=wad("75")), instrument=further)
    assert (desk.tokens(instrument=further), desk.cash()) == (0, wad("100000"))
