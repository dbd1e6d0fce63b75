"""What stands behind tokens, step by step."""

from __future__ import annotations

import pytest

from prime_perps.issuer.inventory import Delivery, Overdrawn, Position
from prime_perps.units import WAD


def test_opened__tokens_from_before__the_house_holds_their_shares() -> None:
    position = Position().opened(100, 3 * WAD // 2)
    assert (position.held, position.needed, position.missing) == (150, 150, 0)


def test_minted__cash__is_in_transit_until_bought_and_delivered() -> None:
    position = Position().minted(100)
    assert (position.ordered, position.in_transit, position.held) == (100, 100, 0)
    position = position.filled(60, due=10)
    assert (position.ordered, position.in_transit) == (40, 100)
    assert position.settled(9) == position
    position = position.settled(10)
    assert (position.held, position.in_transit, position.missing) == (60, 40, 0)


def test_minted__spare_shares__are_used_first() -> None:
    position = Position().opened(100, WAD).redeemed(30).minted(50)
    assert (position.held, position.ordered) == (100, 20)


def test_minted__needed_is_a_fraction__is_ordered_up() -> None:
    assert Position(multiplier=WAD // 3).minted(1).ordered == 1


def test_appeared__nobody_paid__is_missing_and_never_hidden_by_what_follows() -> None:
    position = Position().opened(100, WAD).appeared(10)
    assert position.missing == 10
    assert position.minted(5).missing == 10
    assert position.restated(2 * WAD).missing == 20
    assert position.redeemed(10).missing == 0


def test_redeemed__more_than_there_is__is_refused() -> None:
    with pytest.raises(Overdrawn):
        Position().opened(100, WAD).redeemed(101)


def test_filled__more_than_ordered__is_refused() -> None:
    with pytest.raises(Overdrawn):
        Position().minted(100).filled(101, due=1)


def test_filled__same_delivery__is_one_entry() -> None:
    position = Position().minted(100).filled(10, due=5).filled(20, due=5).filled(30, due=6)
    assert sorted(position.bought, key=lambda one: one.due) == [Delivery(30, 5), Delivery(30, 6)]


def test_sold__spare__withdraws_orders_before_it_sells_shares() -> None:
    position = Position().opened(100, WAD).minted(50).redeemed(70).sold()
    assert (position.ordered, position.held, position.spare) == (0, 80, 0)


def test_sold__shares_not_here_yet__wait_for_delivery() -> None:
    position = Position().minted(100).filled(100, due=5).redeemed(100).sold()
    assert position.spare == 100
    position = position.settled(5).sold()
    assert (position.held, position.spare) == (0, 0)


def test_restated__ten_for_one__the_new_shares_are_on_their_way() -> None:
    position = Position().opened(100, WAD).restated(10 * WAD)
    assert (position.needed, position.held, position.ordered, position.missing) == (1_000, 100, 900, 0)


def test_restated__one_for_ten__shares_shrink_and_fractions_are_bought() -> None:
    position = Position(tokens=109, held=55, ordered=54).restated(WAD // 10)
    assert (position.needed, position.held) == (11, 5)
    assert (position.ordered, position.missing) == (6, 0)


def test_restated__dividend__is_reinvested() -> None:
    position = Position().opened(1_000, WAD).restated(WAD + WAD // 100)
    assert (position.held, position.ordered) == (1_000, 10)
