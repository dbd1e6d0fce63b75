"""order_hash, filled, clearinghouse, eip712Domain; and deployment, which must be where the clearinghouse expects it."""

from __future__ import annotations

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from prime_perps.chain import Contract
from prime_perps.errors import Revert
from prime_perps.orders import DOMAIN, Order
from prime_perps.units import NANO
from tests.stage import account, address

from .conftest import Floor, digest

WORD = st.integers(0, 2**256 - 1)
ORDERS = st.builds(
    Order, WORD, WORD, st.integers(-(2**255), 2**255 - 1), WORD, WORD, WORD, st.booleans(), st.booleans()
)


@given(order=ORDERS)
@settings(max_examples=50, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_order_hash__any_order__equals_the_digest_in_python(floor: Floor, order: Order) -> None:
    assert floor.exchange.order_hash(order) == digest(floor, order)


def test_eip712_domain__is_the_one_python_signs_for(floor: Floor) -> None:
    fields, name, version, chain, contract, salt, extensions = floor.exchange.eip712Domain()
    assert (name, version) == DOMAIN
    assert (chain, contract) == (floor.stage.backend.chain_id(), floor.exchange.address)
    assert (fields, salt, extensions) == (b"\x0f", bytes(32), [])


def test_clearinghouse__is_the_one_given(floor: Floor) -> None:
    assert floor.exchange.clearinghouse() == floor.book.address


def test_deploy__not_where_the_clearinghouse_expects_it__reverts(floor: Floor) -> None:
    with pytest.raises(Revert, match="exchange: not the one expected"):
        Contract.deploy(floor.stage.backend, "Exchange", floor.book, sender=address("attacker"))


def test_filled__from_fresh_to_done__is_what_was_taken(floor: Floor) -> None:
    signed = floor.signed()
    assert floor.filled(signed) == 0
    floor.fill(signed, 1)
    assert floor.filled(signed) == 1
    floor.fill(signed, 10 * NANO - 1)
    assert floor.filled(signed) == 10 * NANO


def test_filled__another_order_with_a_nonce_begun__is_nothing(floor: Floor) -> None:
    floor.fill(floor.signed(nonce=7), "4")
    assert floor.filled(floor.signed(nonce=7, price="151")) == 0


def test_filled__another_order_with_a_nonce_done__is_all_of_it(floor: Floor) -> None:
    """Nothing is left of it: whoever asks learns that it cannot be filled."""
    floor.fill(floor.signed(nonce=7))
    assert floor.filled(floor.signed(nonce=7, size="-3")) == 3 * NANO


def test_filled__below_the_nonce_floor__is_all_of_it(floor: Floor) -> None:
    """A raised floor cancels, and what is cancelled has nothing left."""
    signed = floor.signed(nonce=6)
    floor.fill(signed, "4")
    floor.exchange.raise_nonce_floor(account("maker"), 7, sender=address("maker"))
    assert floor.filled(signed) == 10 * NANO


def test_filled__not_signed_by_anybody__is_still_told(floor: Floor) -> None:
    assert floor.exchange.filled(floor.order(account=account("nobody"))) == 0
