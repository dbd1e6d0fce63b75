"""The issuer's check on its own quotes: a band around a price that grows old."""

from __future__ import annotations

import pytest

from prime_perps.chain import Contract
from prime_perps.errors import Revert
from prime_perps.issuer.quotes import Side
from prime_perps.units import WAD
from tests.unit.devnet.conftest import PRICE, Desk

DAY = 86_400
BAND = 1_000  # bps
EDGE = PRICE // 10

both_sides = pytest.mark.parametrize("side", list(Side), ids=lambda side: side.name.lower())


@both_sides
@pytest.mark.parametrize("price", [PRICE - EDGE, PRICE + EDGE])
def test_quote__at_the_edge_of_the_band__is_taken(desk: Desk, side: Side, price: int) -> None:
    desk.act(desk.quote(side, price=price))


@both_sides
@pytest.mark.parametrize("price", [0, PRICE - EDGE - 1, PRICE + EDGE + 1, 10 * PRICE])
def test_quote__beyond_the_band__reverts(desk: Desk, side: Side, price: int) -> None:
    with pytest.raises(Revert, match="issuer: price out of band"):
        desk.act(desk.quote(side, price=price))


def test_validate__a_band_between_units__is_rounded_down(desk: Desk) -> None:
    prices = desk.issuer.prices
    prices.post_price(desk.stock, 19, sender=desk.operator)
    prices.validatePrice(desk.stock, 20)
    for price in (17, 21):
        with pytest.raises(Revert, match="issuer: price out of band"):
            prices.validatePrice(desk.stock, price)


@both_sides
def test_quote__as_old_as_allowed__is_taken_and_a_second_older_is_not(desk: Desk, side: Side) -> None:
    desk.backend.warp(3 * DAY)  # from Thursday over the weekend
    desk.backend.warp(DAY)
    desk.post()
    desk.backend.warp(2 * DAY)
    desk.act(desk.quote(side))
    desk.backend.warp(1)
    with pytest.raises(Revert, match="issuer: stale price"):
        desk.act(desk.quote(side, attestation_id=2))


@both_sides
def test_quote__of_a_token_without_a_price__reverts(desk: Desk, side: Side) -> None:
    with pytest.raises(Revert, match="issuer: no price"):
        desk.act(desk.quote(side, asset=desk.coin.address))


def test_post_price__first__takes_the_defaults(desk: Desk) -> None:
    prices = desk.issuer.prices
    token = desk.coin.address
    receipt = prices.post_price(token, WAD, sender=desk.operator)
    now = desk.backend.timestamp()
    posted = {"token": token, "lastPricePosted": 0, "lastUpdated": 0, "newPrice": WAD, "updateAt": now}
    assert list(prices.events(receipt)) == [("PricePosted", posted)]
    assert prices.prices(token) == (WAD, now, 2 * DAY, BAND)


def test_set_band__for_one_token__outlives_its_next_price(desk: Desk) -> None:
    prices = desk.issuer.prices
    receipt = prices.set_band(desk.stock, 60, 1, sender=desk.operator)
    band = {"token": desk.stock.address, "maxTimeDelay": 60, "allowedDeviationBps": 1}
    assert list(prices.events(receipt)) == [("BandSet", band)]
    desk.post()
    assert prices.prices(desk.stock)[2:] == (60, 1)
    with pytest.raises(Revert, match="issuer: price out of band"):
        desk.mint(desk.quote(price=PRICE + PRICE // 10_000 + 1))
    desk.backend.warp(61)
    with pytest.raises(Revert, match="issuer: stale price"):
        desk.mint(desk.quote())


def test_set_band__no_time_or_no_band__reverts(desk: Desk) -> None:
    for age, bps in ((0, 100), (60, 0), (60, 10_000)):
        with pytest.raises(Revert, match="issuer: bad band"):
            desk.issuer.prices.set_band(desk.stock, age, bps, sender=desk.operator)
        with pytest.raises(Revert, match="issuer: bad band"):
            Contract.deploy(desk.backend, "SanityOracle", age, bps, sender=desk.operator)


def test_post_price__zero__reverts(desk: Desk) -> None:
    with pytest.raises(Revert, match="issuer: no price"):
        desk.post(0)


def test_administration__by_anybody_else__reverts(desk: Desk, attacker: str) -> None:
    for refused in (
        lambda: desk.issuer.prices.post_price(desk.stock, PRICE, sender=attacker),
        lambda: desk.issuer.prices.set_band(desk.stock, 60, 1, sender=attacker),
    ):
        with pytest.raises(Revert, match="ownable: caller is not the owner"):
            refused()
