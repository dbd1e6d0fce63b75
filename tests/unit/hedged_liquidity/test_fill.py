"""fill: a perp with a taker and its hedge at the issuer, both or neither."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from prime_perps.cash import Market
from prime_perps.errors import Revert
from prime_perps.issuer.quotes import Side, notional
from prime_perps.liquidity import LiquidityTerms
from prime_perps.reports import Session
from prime_perps.units import PIPS, WAD, wad
from tests.stage import address
from tests.unit.issuer_gateway.conftest import COIN, USER
from tests.unit.issuer_gateway.test_refusals import PAUSED, REFUSALS, Refusal

from .conftest import EQUITY, Pool

TERMS = LiquidityTerms()
MILLION = "6700"  # AAPL at 150: 1,005,000 USD


def refused(pool: Pool, reason: str, amount: str, **how: Any) -> None:
    before = pool.look()
    with pytest.raises(Revert, match=f"^{reason}$"):
        pool.fill(amount, **how)
    assert pool.look() == before


def test_fill__a_million_against_sixty_thousand_of_equity__is_hedged_in_the_same_transaction(pool: Pool) -> None:
    """At the price of the exchange where the stock trades, plus what was stated; healthy before and after."""
    assert (pool.margin.equity, pool.vault.totalAssets()) == (EQUITY * WAD, EQUITY * COIN)
    assert pool.margin.equity >= pool.margin.initial
    quote = pool.quote(Side.BUY, MILLION)
    assert notional(quote) >= 1_000_000 * WAD
    price, fee = pool.vault.price_of(0, 6_700 * 10**9, quote.price)
    order = pool.order(MILLION, price)
    receipt = pool.vault.fill(order, quote, pool.desk.sign(quote), sender=address("anybody"))

    ((_, minted),) = pool.desk.gateway.events(receipt)
    novated = next(fields for name, fields in pool.desk.book.events(receipt) if name == "Novated")
    ((name, filled),) = pool.vault.events(receipt)
    assert minted["tokens"] == wad(MILLION)
    assert (novated["taker"], novated["size"], novated["price"]) == (pool.account, -6_700 * 10**9, price)
    assert (name, filled["hedge_price"], filled["fee"]) == ("Filled", pool.stage.index("AAPL"), fee)

    assert price <= quote.price * (PIPS + fee) // PIPS + 1
    assert fee <= TERMS.base + TERMS.size + TERMS.skew, "stated: under 15 bps"
    assert (pool.tokens, pool.size) == (wad(MILLION), -6_700 * 10**9)
    margin = pool.margin
    assert margin.equity > EQUITY * WAD, "its fee pays more than the exchange's"
    assert margin.equity * 10_000 >= margin.initial * pool.vault.buffer()
    assert pool.stage.position("taker", "AAPL").size == 6_700 * 10**9
    assert pool.stage.margin("taker").equity >= pool.stage.margin("taker").initial
    assert not any(pool.desk.held())


def test_fill__price__moves_its_equity_by_nothing(pool: Pool) -> None:
    """It is as long as it is short. The seconds cost interest on its loan, to the wei as the market says."""
    pool.fill(MILLION)
    before = pool.margin
    market, shares = Market.unpack(pool.desk.book.cash_words()), pool.desk.book.cash_shares(pool.account)
    pool.stage.publish(AAPL="120")
    after = pool.margin
    assert before.cash - WAD < after.cash == market.at(pool.stage.now()).cash(shares) < before.cash
    told = (margin.equity + margin.funding_owed - margin.cash for margin in (before, after))
    assert next(told) == next(told)


def test_fill__there_and_back__leaves_it_flat_and_richer(pool: Pool) -> None:
    pool.fill(MILLION)
    pool.fill(f"-{MILLION}")
    assert (pool.tokens, pool.size, pool.margin.maintenance) == (0, 0, 0)
    assert pool.margin.equity > EQUITY * WAD


# the price


def test_fill__a_wei_worse_than_its_price__reverts(pool: Pool) -> None:
    refused(pool, "orders: price over limit", "100", worse=1)
    pool.fill("100")
    refused(pool, "orders: price over limit", "-100", worse=1)
    pool.fill("-100", worse=-1)


@pytest.mark.parametrize(("amount", "share"), [("1", 0), ("2000", 15), ("10000", 75)])
def test_price_of__a_larger_fill__costs_more(pool: Pool, amount: str, share: int) -> None:
    """Shares of `largest` in percent; the inventory adds two fifths of that share of its own."""
    price, fee = pool.vault.price_of(0, int(amount) * 10**9, wad("150"))
    expected = TERMS.base + TERMS.size * share // 100 + TERMS.skew * share * 2 // 500
    assert expected <= fee <= expected + 2
    assert price == -(-wad("150") * (PIPS + fee) // PIPS)


def test_price_of__the_same_fill_on_more_inventory__costs_more(pool: Pool) -> None:
    first = pool.vault.price_of(0, 1_000 * 10**9, wad("150"))[1]
    pool.fill("5000")
    assert pool.vault.price_of(0, 1_000 * 10**9, wad("150"))[1] > first


def test_price_of__outside_the_regular_session__costs_more(pool: Pool) -> None:
    before = pool.vault.price_of(0, 10**9, wad("150"))[1]
    pool.stage.sessions["AAPL"] = Session.POST
    pool.stage.publish()
    assert pool.vault.price_of(0, 10**9, wad("150"))[1] == before + TERMS.off_hours


def test_price_of__a_sale__is_below_the_quote_and_pays_no_skew(pool: Pool) -> None:
    pool.fill("5000")
    price, fee = pool.vault.price_of(0, -2_000 * 10**9, wad("150"))
    assert fee == TERMS.base + TERMS.size * 15 // 100
    assert price == wad("150") * (PIPS - fee) // PIPS


# what it refuses


@pytest.mark.parametrize(
    ("changed", "reason"),
    [
        ({"expiration": 1}, "issuer: quote expired"),
        ({"user_id": bytes(32)}, "issuer: other user"),
        ({"additional_data": bytes(32)}, "gateway: quote for another"),
        ({"asset": "0x" + "11" * 20}, "gateway: wrong asset"),
        ({"side": Side.SELL}, "issuer: wrong side"),
        ({"price": wad("152")}, "gateway: price out of band"),
        ({"quantity": wad("100") + 1}, "liquidity: odd quantity"),
        ({"quantity": 0}, "liquidity: odd quantity"),
    ],
)
def test_fill__a_quote_that_is_stale_or_foreign_or_far_off__reverts(
    pool: Pool, changed: dict[str, Any], reason: str
) -> None:
    refused(pool, reason, "100", **changed)


def test_fill__a_quote_for_another_quantity_than_the_order__takes_what_the_quote_says(pool: Pool) -> None:
    """The order is filled in part; for more than the order there is no fill."""
    pool.fill("100", quantity=wad("40"))
    assert (pool.tokens, pool.stage.position("taker", "AAPL").size) == (wad("40"), 40 * 10**9)
    refused(pool, "orders: overfilled", "100", quantity=wad("140"), worse=-(10**17))


def test_fill__too_large__reverts(pool: Pool) -> None:
    with pytest.raises(Revert, match=r"^liquidity: fill too large$"):
        pool.fill("13334")


def test_fill__beyond_the_inventory__reverts(pool: Pool) -> None:
    changed = replace(TERMS, largest=600_000 * WAD, inventory=1_000_000 * WAD)
    pool.stage.govern(pool.vault.set_terms, 0, changed)
    pool.fill("3000")
    with pytest.raises(Revert, match=r"^liquidity: inventory full$"):
        pool.fill("3700")
    pool.fill("3600")


def test_fill__below_its_buffer__reverts(pool: Pool) -> None:
    refused(pool, "liquidity: below buffer", "9500")
    pool.fill("8500")


def test_fill__beyond_its_initial_margin__reverts__CH_4(pool: Pool) -> None:
    refused(pool, "risk: below initial", "13000")


def test_fill__a_sale_without_inventory__reverts(pool: Pool) -> None:
    pool.stage.fund_stock("maker", "AAPL", "1000")
    refused(pool, "ledger: not enough", "-100")


@pytest.mark.parametrize("refusal", REFUSALS, ids=lambda refusal: refusal.name)
def test_fill__what_the_issuer_refuses__leaves_everything_as_it_was__IG_1(pool: Pool, refusal: Refusal) -> None:
    refusal.befalls(pool.desk, Side.BUY)
    late = {"expiration": pool.stage.now() - 1} if refusal.late else {}
    refused(pool, refusal.reason or PAUSED[Side.BUY], "100", **refusal.quote, **late)


def test_fill__what_the_taker_cannot_afford__leaves_no_hedge_behind(pool: Pool) -> None:
    pool.stage.fund("poor", "100")
    refused(pool, "risk: below initial", "100", role="poor")


def test_fill__a_forged_order__reverts(pool: Pool) -> None:
    quote = pool.quote(Side.BUY, "100")
    order = pool.order("100", pool.price("100", quote), "attacker")
    forged = replace(order, order=replace(order.order, account=pool.order("1", 1).order.account))
    with pytest.raises(Revert, match=r"^accounts: not authorized$"):
        pool.vault.fill(forged, quote, pool.desk.sign(quote), sender=address("attacker"))
    assert (pool.tokens, pool.size) == (0, 0)


def test_fill__while_a_price_is_in_doubt__reverts(pool: Pool) -> None:
    pool.shut()
    refused(pool, "liquidity: shut", "100")


def test_fill__a_market_not_listed__reverts(pool: Pool) -> None:
    quote = pool.quote(Side.BUY, "10")
    order = pool.stage.order("taker", "IBM", "10")
    with pytest.raises(Revert, match=r"^liquidity: not listed$"):
        pool.vault.fill(order, quote, pool.desk.sign(quote), sender=address("taker"))
    assert quote.user_id == USER


def test_on_deferred_checks__by_anybody_but_the_batcher__reverts(pool: Pool) -> None:
    with pytest.raises(Revert, match=r"^liquidity: batcher only$"):
        pool.vault.on_deferred_checks(b"", sender=address("attacker"))
