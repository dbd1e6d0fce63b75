"""Prices and amounts: the spread on the right side, every rounding in the issuer's favour."""

from __future__ import annotations

from decimal import Decimal
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from prime_perps.issuer.pricing import token_price, tokens_down
from prime_perps.issuer.quotes import Side
from prime_perps.units import BPS, WAD

PRICES = st.decimals("0.0001", "100000", places=4)
MULTIPLIERS = st.integers(1, 10**22)
SPREADS = st.integers(0, BPS - 1)


def test_token_price__spread__is_added_for_a_buyer_and_taken_off_for_a_seller() -> None:
    assert token_price(Decimal(100), WAD, 5, Side.BUY) == 100_05 * WAD // 100
    assert token_price(Decimal(100), WAD, 5, Side.SELL) == 99_95 * WAD // 100


def test_token_price__token_of_several_shares__is_dearer() -> None:
    assert token_price(Decimal("12.34"), 10 * WAD, 0, Side.BUY) == 1234 * WAD // 10


@given(price=PRICES, multiplier=MULTIPLIERS, spread=SPREADS)
def test_token_price__rounding__is_less_than_one_and_the_issuers(price: Decimal, multiplier: int, spread: int) -> None:
    dear = Fraction(price) * multiplier * (BPS + spread) / BPS
    cheap = Fraction(price) * multiplier * (BPS - spread) / BPS
    assert 0 <= token_price(price, multiplier, spread, Side.BUY) - dear < 1
    assert 0 <= cheap - token_price(price, multiplier, spread, Side.SELL) < 1


@given(price=PRICES, multiplier=MULTIPLIERS, short=SPREADS, more=st.integers(1, 1_000))
def test_token_price__larger_spread__is_never_better(price: Decimal, multiplier: int, short: int, more: int) -> None:
    buy = [token_price(price, multiplier, spread, Side.BUY) for spread in (short, short + more)]
    sell = [token_price(price, multiplier, spread, Side.SELL) for spread in (short, short + more)]
    assert buy[0] <= buy[1]
    assert sell[0] >= sell[1]


@given(notional=st.integers(0, 10**30), price=st.integers(1, 10**24))
def test_tokens_down__worth__is_never_more_than_was_named(notional: int, price: int) -> None:
    tokens = tokens_down(notional, price)
    assert tokens * price // WAD <= notional
    assert (tokens + 1) * price > notional * WAD


@pytest.mark.parametrize("spread", [0, 1])
def test_token_price__nothing_to_round__is_exact(spread: int) -> None:
    assert token_price(Decimal(10_000), WAD, spread, Side.BUY) == (10_000 + spread) * WAD
