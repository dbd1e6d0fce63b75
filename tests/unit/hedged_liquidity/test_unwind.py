"""Winding down: a market that is disabled only shrinks, with the issuer's help or without."""

from __future__ import annotations

import pytest

from prime_perps.errors import Revert
from prime_perps.issuer.quotes import Side
from prime_perps.liquidity import LiquidityTerms
from prime_perps.units import PIPS, WAD, wad
from tests.stage import UNLIMITED, address
from tests.unit.issuer_gateway.conftest import COIN, ISSUER

from .conftest import Pool

TERMS = LiquidityTerms()


@pytest.fixture
def winding(pool: Pool) -> Pool:
    """A million of inventory, and the guardian has disabled the market; its issuer has stopped."""
    pool.fill("6700")
    pool.vault.set_enabled(0, False, sender=address("guardian"))
    for side in Side:
        pool.desk.issuer.manager.set_paused(side, True, sender=ISSUER)
    pool.fund("buyer", 2_000_000)
    pool.stage.fund("buyer", "300000")
    return pool


def unwind(pool: Pool, amount: str, price: str = "150", max_cost: int = UNLIMITED, role: str = "buyer") -> None:
    order = pool.order(f"-{amount}", wad(price), role)
    pool.vault.unwind(order, wad(amount), max_cost, sender=address("buyer"))


@pytest.mark.parametrize("price", ["143", "150", "157"])
def test_unwind__a_pair_taken_over__costs_the_vault_the_discount_at_whatever_price(winding: Pool, price: str) -> None:
    """It buys the perps back at the price it sells the tokens for: only the discount is lost, and a trade's fee."""
    before, coins = winding.margin.equity, winding.coins("buyer")
    unwind(winding, "1000", price)
    notional = wad(price) * 1_000
    lost = notional * TERMS.discount // PIPS + notional * 400 // PIPS
    assert abs(winding.margin.equity - (before - lost)) < WAD // COIN * 2
    assert (winding.tokens, winding.size) == (wad("5700"), -5_700 * 10**9)
    assert winding.desk.stock().balanceOf(address("buyer")) == wad("1000")
    paid = coins - winding.coins("buyer")
    assert paid == -(-(notional - notional * TERMS.discount // PIPS) * COIN // WAD)
    assert winding.coin.balanceOf(winding.vault) == 0


def test_unwind__to_the_end__leaves_it_flat(winding: Pool) -> None:
    unwind(winding, "6700", role="taker")
    assert (winding.tokens, winding.size, winding.margin.maintenance) == (0, 0, 0)
    held = winding.shares("provider")
    winding.vault.redeem(held, address("provider"), address("provider"), sender=address("provider"))
    assert winding.coins("provider") > 59_000 * COIN


def test_unwind__more_than_it_has__reverts(winding: Pool) -> None:
    before = winding.look()
    with pytest.raises(Revert, match=r"^(ledger: not enough|vault: not enough in safe)$"):
        unwind(winding, "6701")
    assert winding.look() == before


def test_unwind__dearer_than_the_callers_limit__reverts(winding: Pool) -> None:
    with pytest.raises(Revert, match=r"^liquidity: cost over limit$"):
        unwind(winding, "1000", max_cost=149_925 * COIN - 1)
    unwind(winding, "1000", max_cost=149_925 * COIN)


def test_unwind__an_order_that_buys__reverts(winding: Pool) -> None:
    """That would make it shorter."""
    order = winding.order("1000", wad("150"), "buyer")
    with pytest.raises(Revert, match=r"^orders: same side$"):
        winding.vault.unwind(order, wad("1000"), UNLIMITED, sender=address("buyer"))


def test_unwind__an_odd_quantity__reverts(winding: Pool) -> None:
    order = winding.order("-1", wad("150"), "buyer")
    with pytest.raises(Revert, match=r"^liquidity: odd quantity$"):
        winding.vault.unwind(order, wad("1") + 1, UNLIMITED, sender=address("buyer"))


def test_unwind__while_the_market_is_enabled__reverts(pool: Pool) -> None:
    pool.fill("100")
    with pytest.raises(Revert, match=r"^liquidity: enabled$"):
        unwind(pool, "100")


def test_unwind__while_the_price_is_in_doubt__reverts(winding: Pool) -> None:
    winding.shut()
    with pytest.raises(Revert, match=r"^liquidity: shut$"):
        unwind(winding, "100")


def test_unwind__without_coins__reverts(winding: Pool) -> None:
    order = winding.order("-100", wad("150"), "buyer")
    with pytest.raises(Revert, match=r"^stablecoin: allowance too small$"):
        winding.vault.unwind(order, wad("100"), UNLIMITED, sender=address("anybody"))


def test_fill__disabled__only_shrinks_the_inventory(pool: Pool) -> None:
    pool.fill("1000")
    pool.vault.set_enabled(0, False, sender=address("guardian"))
    before = pool.look()
    with pytest.raises(Revert, match=r"^liquidity: disabled$"):
        pool.fill("100")
    assert pool.look() == before
    pool.fill("-1000")
    assert (pool.tokens, pool.size) == (0, 0)
