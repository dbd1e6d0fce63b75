"""Signed orders survive the way through a file unchanged."""

from __future__ import annotations

import pytest

from prime_perps import orders
from prime_perps.errors import PrimePerpsError
from prime_perps.keepers import quotes
from prime_perps.orders import Order

KEY = "0x" + "11" * 32


@pytest.fixture
def signed():
    order = Order(
        account=2**255 + 5, market=3, size=-(10**12), price=10**20, nonce=2**32 - 1, expiry=2**40, reduce_only=True
    )
    return orders.sign(order, KEY, 1, "0x" + "22" * 20)


def test_load__what_was_saved__is_equal(tmp_path, signed):
    path = tmp_path / "new folder" / "quotes.json"
    quotes.save(path, [signed, signed])
    assert quotes.load(path) == [signed, signed]
    quotes.save(path, [])
    assert quotes.load(path) == []


@pytest.mark.parametrize("text", ["", "{}x", "[1]", '[{"order": {}}]', '[{"order": {"account": "x"}}]'])
def test_load__no_order_book__is_refused(tmp_path, text):
    path = tmp_path / "quotes.json"
    path.write_text(text)
    with pytest.raises(PrimePerpsError, match="cannot read quotes from"):
        quotes.load(path)


def test_load__missing_file__is_refused(tmp_path):
    with pytest.raises(PrimePerpsError, match="cannot read quotes from"):
        quotes.load(tmp_path / "gone.json")
