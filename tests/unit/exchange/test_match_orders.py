"""match_orders: two signed orders, crossed by anybody at the maker's price."""

from __future__ import annotations

from dataclasses import replace

import pytest

from prime_perps.accounts import Permission
from prime_perps.errors import Revert
from prime_perps.units import NANO, WAD, wad
from tests.stage import account, address

from .conftest import Floor, Wallet, digest


def test_match_orders__that_cross__are_booked_at_the_makers_price(floor: Floor) -> None:
    maker, taker = floor.signed(price="149"), floor.signed("taker", "10", "151")
    receipt = floor.match(maker, taker)
    assert (floor.size("maker"), floor.size("taker")) == (-10 * NANO, 10 * NANO)
    assert floor.stage.money("maker").quote == 1_490 * WAD - wad("0.149")
    assert floor.stage.money("taker").quote == -1_490 * WAD - wad("0.596")
    told = [("OrderFilled", {"order_hash": digest(floor, o.order), "amount": 10 * NANO}) for o in (taker, maker)]
    assert list(floor.exchange.events(receipt)) == told
    assert floor.filled(maker) == floor.filled(taker) == 10 * NANO


def test_match_orders__taker_sells__is_booked_the_other_way(floor: Floor) -> None:
    floor.match(floor.signed(size="10", price="151"), floor.signed("taker", "-10", "149"))
    assert (floor.size("maker"), floor.size("taker")) == (10 * NANO, -10 * NANO)
    assert floor.stage.money("taker").quote == 1_510 * WAD - wad("0.604")


@pytest.mark.parametrize(("size", "worse"), [("10", -1), ("-10", 1)])
def test_match_orders__at_the_takers_limit__is_booked_and_a_wei_worse_reverts(
    floor: Floor, size: str, worse: int
) -> None:
    maker = floor.signed(size=str(-int(size)), price="151")
    limit = floor.signed("taker", size, "151")
    order = replace(limit.order, price=limit.order.price + worse)
    with pytest.raises(Revert, match="orders: price over limit"):
        floor.match(maker, floor.by("taker", order))
    floor.match(maker, limit)
    assert floor.stage.money("taker").quote == (-1_510 if size == "10" else 1_510) * WAD - wad("0.604")


def test_match_orders__in_parts__spends_both(floor: Floor) -> None:
    maker, small, large = floor.signed(), floor.signed("taker", "4"), floor.signed("holder", "50")
    floor.match(maker, small, "4")
    floor.match(maker, large, "6")
    assert (floor.filled(maker), floor.filled(small), floor.filled(large)) == (10 * NANO, 4 * NANO, 6 * NANO)
    for spent in (small, large):
        with pytest.raises(Revert, match="orders: nonce used"):
            floor.match(maker, spent, 1)


def test_match_orders__and_filled_by_callers__spends_from_one_amount(floor: Floor) -> None:
    maker, taker = floor.signed(), floor.signed("taker", "10")
    floor.fill(maker, "3", taker="holder")
    floor.match(maker, taker, "7")
    with pytest.raises(Revert, match="orders: overfilled"):
        floor.fill(taker, -(3 * NANO + 1), taker="maker")
    floor.fill(taker, "-3", taker="maker")


@pytest.mark.parametrize(("maker_size", "taker_size"), [("-9", "10"), ("-10", "9")])
def test_match_orders__more_than_either_has_left__reverts(floor: Floor, maker_size: str, taker_size: str) -> None:
    with pytest.raises(Revert, match="orders: overfilled"):
        floor.match(floor.signed(size=maker_size), floor.signed("taker", taker_size))


@pytest.mark.parametrize("size", ["10", "-10"])
def test_match_orders__on_the_same_side__reverts(floor: Floor, size: str) -> None:
    with pytest.raises(Revert, match="orders: same side"):
        floor.match(floor.signed(size=size), floor.signed("taker", size))


def test_match_orders__in_different_markets__reverts(floor: Floor) -> None:
    with pytest.raises(Revert, match="orders: different markets"):
        floor.match(floor.signed(), floor.signed("taker", "10", market=1))


@pytest.mark.parametrize("size", [0, 2**79, 2**256 - 1])
def test_match_orders__size_that_cannot_be__reverts(floor: Floor, size: int) -> None:
    for sign in ("", "-"):
        maker = floor.signed(size="-10" if not sign else "10")
        with pytest.raises(Revert, match="orders: bad size"):
            floor.match(maker, floor.signed("taker", f"{sign}10"), size)


def test_match_orders__taker_of_nothing__reverts(floor: Floor) -> None:
    with pytest.raises(Revert, match="orders: same side"):
        floor.match(floor.signed(), floor.signed("taker", "0"), 1)


def test_match_orders__an_order_with_itself__reverts(floor: Floor) -> None:
    signed = floor.signed()
    with pytest.raises(Revert, match="orders: same side"):
        floor.match(signed, signed)


def test_match_orders__of_one_account__reverts(floor: Floor) -> None:
    with pytest.raises(Revert, match="trade: same account"):
        floor.match(floor.signed(), floor.signed(size="10"))


# each side as in fill


@pytest.mark.parametrize("late", ["maker", "taker"])
def test_match_orders__either_expired__reverts(floor: Floor, late: str) -> None:
    ends = {role: floor.stage.now() + (0 if role == late else 60) for role in ("maker", "taker")}
    maker = floor.signed(expiry=ends["maker"])
    taker = floor.signed("taker", "10", expiry=ends["taker"])
    floor.match(maker, taker, "1")
    floor.stage.warp(1)
    with pytest.raises(Revert, match="orders: expired"):
        floor.match(maker, taker, "1")


@pytest.mark.parametrize("gone", ["maker", "taker"])
def test_match_orders__either_cancelled__reverts(floor: Floor, gone: str) -> None:
    orders = {"maker": floor.signed(), "taker": floor.signed("taker", "10")}
    floor.exchange.cancel(account(gone), orders[gone].order.nonce, sender=address(gone))
    with pytest.raises(Revert, match="orders: nonce used"):
        floor.match(orders["maker"], orders["taker"])


@pytest.mark.parametrize("below", ["maker", "taker"])
def test_match_orders__either_below_its_floor__reverts(floor: Floor, below: str) -> None:
    orders = {"maker": floor.signed(), "taker": floor.signed("taker", "10")}
    floor.exchange.raise_nonce_floor(account(below), orders[below].order.nonce + 1, sender=address(below))
    with pytest.raises(Revert, match="orders: nonce below floor"):
        floor.match(orders["maker"], orders["taker"])


@pytest.mark.parametrize("forged", ["maker", "taker"])
def test_CH_5_match_orders__either_not_signed_by_whoever_may__reverts(floor: Floor, forged: str) -> None:
    orders = {"maker": floor.signed(), "taker": floor.signed("taker", "10")}
    by_attacker = floor.by("attacker", orders[forged].order)
    with pytest.raises(Revert, match="accounts: not authorized"):
        floor.match(**(orders | {forged: by_attacker}))
    with pytest.raises(Revert, match="orders: bad signature"):
        floor.match(**(orders | {forged: replace(by_attacker, signer=address(forged))}))


@pytest.mark.parametrize("side", ["maker", "taker"])
def test_match_orders__signed_by_an_operator_who_may_trade__are_booked(floor: Floor, side: str) -> None:
    floor.allow(side, "operator", Permission.TRADE)
    orders = {"maker": floor.signed(), "taker": floor.signed("taker", "10")}
    floor.match(**(orders | {side: floor.by("operator", orders[side].order)}))
    assert floor.size("taker") == 10 * NANO


def test_match_orders__signed_by_a_wallet__are_booked(floor: Floor, wallet: Wallet) -> None:
    floor.match(wallet.signed(), floor.signed("taker", "10"), "5")
    floor.match(floor.signed("taker", "10"), wallet.signed(), "5")
    assert floor.book.position(wallet.account, 0).size == -10 * NANO


@pytest.mark.parametrize("side", ["maker", "taker"])
def test_match_orders__either_asked_to_reduce_and_has_nothing__reverts(floor: Floor, side: str) -> None:
    orders = {
        "maker": floor.signed(reduce_only=side == "maker"),
        "taker": floor.signed("taker", "10", reduce_only=side == "taker"),
    }
    with pytest.raises(Revert, match="trade: reduce only"):
        floor.match(**orders)


@pytest.mark.parametrize("side", ["maker", "taker"])
def test_match_orders__either_asked_to_reduce__reduces_up_to_all(floor: Floor, side: str) -> None:
    floor.fill(floor.signed(size="4"), "-4")
    orders = {
        "maker": floor.signed(reduce_only=side == "maker"),
        "taker": floor.signed("taker", "10", reduce_only=side == "taker"),
    }
    with pytest.raises(Revert, match="trade: reduce only"):
        floor.match(**orders, size="5")
    floor.match(**orders, size="4")
    assert floor.size("taker") == floor.size("maker") == 0


@pytest.mark.parametrize("side", ["maker", "taker"])
def test_match_orders__order_that_never_wants_to_take__is_the_maker_or_nothing(floor: Floor, side: str) -> None:
    """Whoever submits chooses which order sets the price and which pays the higher fee, but not against this."""
    maker = floor.signed(post_only=side == "maker")
    taker = floor.signed("taker", "10", post_only=side == "taker")
    if side == "taker":
        with pytest.raises(Revert, match="orders: post only"):
            floor.match(maker, taker)
        maker, taker = taker, maker
    floor.match(maker, taker)
    assert floor.filled(maker) == floor.filled(taker) == 10 * NANO


def test_match_orders__neither_wants_to_take__are_not_crossed(floor: Floor) -> None:
    maker, taker = floor.signed(post_only=True), floor.signed("taker", "10", post_only=True)
    for orders in ((maker, taker), (taker, maker)):
        with pytest.raises(Revert, match="orders: post only"):
            floor.match(*orders)


@pytest.mark.parametrize("sender", ["maker", "taker", "attacker", "keeper"])
def test_match_orders__by_anybody__are_booked_the_same(floor: Floor, sender: str) -> None:
    floor.match(floor.signed(), floor.signed("taker", "10"), sender=sender)
    assert floor.size("taker") == 10 * NANO


def test_match_orders__refused_by_the_clearinghouse__spends_nothing(floor: Floor) -> None:
    maker, taker = floor.signed(), floor.signed("attacker", "10")
    with pytest.raises(Revert, match="risk: below initial"):
        floor.match(maker, taker)
    assert floor.filled(maker) == floor.filled(taker) == 0
