"""fill: a caller takes a signed order, all of it or some; what ends an order, and what it holds the caller to."""

from __future__ import annotations

from dataclasses import replace

import pytest

from prime_perps.accounts import Permission
from prime_perps.errors import Revert
from prime_perps.units import NANO, WAD, wad
from tests.stage import account, address

from .conftest import Floor, digest

NONCES = [0, 1, 127, 128, 2**32 - 1]


def test_fill__all_of_an_order__books_both_sides_at_its_price(floor: Floor) -> None:
    signed = floor.signed(price="151")
    receipt = floor.fill(signed)
    assert (floor.size("maker"), floor.size("taker")) == (-10 * NANO, 10 * NANO)
    assert floor.stage.money("taker").quote == -1_510 * WAD - wad("0.604")
    assert floor.filled(signed) == 10 * NANO
    told = {"order_hash": digest(floor, signed.order), "amount": 10 * NANO}
    assert list(floor.exchange.events(receipt)) == [("OrderFilled", told)]


def test_fill__a_buy_order__is_sold_to(floor: Floor) -> None:
    floor.fill(floor.signed(size="10", price="149"), "-10")
    assert (floor.size("maker"), floor.size("taker")) == (10 * NANO, -10 * NANO)
    assert floor.stage.money("taker").quote == 1_490 * WAD - wad("0.596")


def test_fill__the_one_who_calls__pays_the_takers_fee(floor: Floor) -> None:
    floor.fill(floor.signed())
    assert floor.stage.money("maker").quote == 1_500 * WAD - wad("0.15")
    assert floor.stage.money("taker").quote == -1_500 * WAD - wad("0.60")


# parts


def test_fill__by_several_takers__until_it_is_done(floor: Floor) -> None:
    signed = floor.signed()
    for taker, size, filled in (("taker", "3", 3), ("holder", "0.000000001", 3), ("taker", "6.999999999", 10)):
        floor.fill(signed, size, taker=taker)
        assert floor.filled(signed) // NANO == filled
    assert (floor.size("taker"), floor.size("holder"), floor.size("maker")) == (9_999_999_999, 1, -10 * NANO)
    with pytest.raises(Revert, match="orders: nonce used"):
        floor.fill(signed, 1)


@pytest.mark.parametrize("before", [0, 1, 4 * NANO, 10 * NANO - 1])
def test_fill__more_than_is_left__reverts(floor: Floor, before: int) -> None:
    signed = floor.signed()
    if before:
        floor.fill(signed, before)
    with pytest.raises(Revert, match="orders: overfilled"):
        floor.fill(signed, 10 * NANO - before + 1)
    floor.fill(signed, 10 * NANO - before)
    assert floor.filled(signed) == 10 * NANO


def test_fill__refused_by_the_clearinghouse__spends_nothing_of_the_order(floor: Floor) -> None:
    signed = floor.signed()
    floor.fill(signed, "3")
    with pytest.raises(Revert, match="risk: below initial"):
        floor.fill(signed, "3", taker="attacker")
    assert floor.filled(signed) == 3 * NANO
    floor.fill(signed, "7")


# nonces


@pytest.mark.parametrize("nonce", NONCES)
def test_fill__nonce__is_of_one_order_and_leaves_the_others_free(floor: Floor, nonce: int) -> None:
    floor.fill(floor.signed(nonce=nonce), "4")
    for other in set(NONCES) - {nonce}:
        signed = floor.signed(nonce=other)
        assert floor.filled(signed) == 0
        floor.fill(signed, "0.1")


@pytest.mark.parametrize("nonces", [[0, 1, 127], [128, 129, 255, 130], [2**32 - 1, 2**32 - 2]])
def test_fill__nonces_that_share_a_word__stay_used_whatever_happens_to_the_others(
    floor: Floor, nonces: list[int]
) -> None:
    spent = [floor.signed(nonce=nonce) for nonce in nonces]
    for signed in spent:
        floor.fill(signed, "1")
    for signed in spent:
        floor.fill(signed, "9")
    for signed in spent:
        assert floor.filled(signed) == 10 * NANO
        with pytest.raises(Revert, match="orders: nonce used"):
            floor.fill(signed, "1")


@pytest.mark.parametrize("first", ["4", "10"])
def test_fill__nonce_that_another_order_has_begun_or_ended__reverts(floor: Floor, first: str) -> None:
    begun = floor.signed(nonce=7)
    floor.fill(begun, first)
    for other in (floor.signed(nonce=7, size="-11"), floor.signed(nonce=7, price="150.01")):
        with pytest.raises(Revert, match="orders: nonce used"):
            floor.fill(other, "1")


def test_fill__same_nonce_of_another_account__is_free(floor: Floor) -> None:
    floor.stage.fund("maker", "100000", sub=1)
    floor.fill(floor.signed(nonce=7))
    floor.fill(floor.signed(nonce=7, account=account("maker", 1)))
    floor.fill(floor.signed("holder", nonce=7))
    assert floor.size("taker") == 30 * NANO


def test_fill__nonce_too_large__reverts(floor: Floor) -> None:
    for nonce in (2**32, 2**256 - 1):
        with pytest.raises(Revert, match="orders: nonce too large"):
            floor.fill(floor.signed(nonce=nonce))


def test_fill__below_the_nonce_floor__reverts(floor: Floor) -> None:
    below, at = floor.signed(nonce=6), floor.signed(nonce=7)
    floor.fill(below, "1")
    floor.exchange.raise_nonce_floor(account("maker"), 7, sender=address("maker"))
    with pytest.raises(Revert, match="orders: nonce below floor"):
        floor.fill(below, "1")
    floor.fill(at, "1")


# time


def test_fill__in_the_last_second__is_booked(floor: Floor) -> None:
    signed = floor.signed(expiry=floor.stage.now() + 60)
    floor.stage.warp(60)
    floor.fill(signed)
    assert floor.size() == 10 * NANO


def test_fill__a_second_later__reverts(floor: Floor) -> None:
    signed = floor.signed(expiry=floor.stage.now() + 60)
    floor.fill(signed, "1")
    floor.stage.warp(61)
    with pytest.raises(Revert, match="orders: expired"):
        floor.fill(signed, "1")


def test_fill__without_an_end__never_expires(floor: Floor) -> None:
    signed = floor.signed(expiry=2**256 - 1)
    floor.stage.warp(400 * 86_400)
    floor.stage.publish()
    floor.fill(signed)
    assert floor.size() == 10 * NANO


# limits


@pytest.mark.parametrize(("size", "worse"), [("10", -1), ("-10", 1)])
def test_fill__price_at_the_callers_limit__is_booked_and_a_wei_worse_reverts(
    floor: Floor, size: str, worse: int
) -> None:
    signed = floor.signed(size=str(-int(size)), price="151")
    with pytest.raises(Revert, match="orders: price over limit"):
        floor.fill(signed, size, limit=151 * WAD + worse)
    floor.fill(signed, size, limit=151 * WAD)
    assert floor.stage.money("taker").quote == (-1_510 if size == "10" else 1_510) * WAD - wad("0.604")


def test_fill__price_outside_the_band__is_the_clearinghouses_to_refuse(floor: Floor) -> None:
    with pytest.raises(Revert, match="trade: price outside band"):
        floor.fill(floor.signed(price="157.51"))


# size


@pytest.mark.parametrize("size", ["10", "-10"])
def test_fill__on_the_same_side__reverts(floor: Floor, size: str) -> None:
    with pytest.raises(Revert, match="orders: same side"):
        floor.fill(floor.signed(size=size), size)


def test_fill__order_of_nothing__reverts(floor: Floor) -> None:
    for size in (1, -1):
        with pytest.raises(Revert, match="orders: same side"):
            floor.fill(floor.signed(size="0"), size)


@pytest.mark.parametrize("size", [0, 2**79, -(2**79), 2**255 - 1])
def test_fill__size_that_cannot_be__reverts(floor: Floor, size: int) -> None:
    for order in (floor.signed(), floor.signed(size="10")):
        with pytest.raises(Revert, match="orders: bad size"):
            floor.fill(order, size)


@pytest.mark.parametrize("size", [2**79, -(2**79), 2**255 - 1])
def test_fill__order_of_a_size_that_cannot_be__reverts(floor: Floor, size: int) -> None:
    order = replace(floor.order(), size=size)
    with pytest.raises(Revert, match="orders: bad size"):
        floor.fill(floor.by("maker", order), -1 if size > 0 else 1)


@pytest.mark.parametrize("size", [2**79 - 1, 1 - 2**79])
def test_fill__order_as_large_as_a_position__is_taken_from(floor: Floor, size: int) -> None:
    signed = floor.by("maker", replace(floor.order(), size=size))
    floor.fill(signed, "-1" if size > 0 else "1")
    assert floor.filled(signed) == NANO


@pytest.mark.parametrize("taken", [True, False])
def test_fill__the_least_integer__reverts(floor: Floor, taken: bool) -> None:
    least = replace(floor.order(), size=-(2**255))
    with pytest.raises(Revert):
        floor.fill(floor.signed(size="10"), -(2**255)) if taken else floor.fill(floor.by("maker", least), 1)


# reduce only


@pytest.mark.parametrize("size", ["1", "9", "10"])
def test_fill__maker_asked_to_reduce__reduces_up_to_all(floor: Floor, size: str) -> None:
    floor.fill(floor.signed(size="10"), "-10")
    floor.fill(floor.signed(reduce_only=True), size, taker="holder")
    assert floor.size("maker") == (10 - int(size)) * NANO


def test_fill__maker_asked_to_reduce_and_would_flip__reverts(floor: Floor) -> None:
    floor.fill(floor.signed(size="9"), "-9")
    signed = floor.signed(reduce_only=True)
    with pytest.raises(Revert, match="trade: reduce only"):
        floor.fill(signed, taker="holder")
    floor.fill(signed, "9", taker="holder")
    with pytest.raises(Revert, match="trade: reduce only"):
        floor.fill(signed, 1, taker="holder")


def test_fill__maker_asked_to_reduce__the_caller_may_open(floor: Floor) -> None:
    floor.fill(floor.signed(size="10"), "-10")
    floor.fill(floor.signed(reduce_only=True), taker="holder")
    assert floor.size("holder") == 10 * NANO


def test_fill__maker_never_wants_to_take__is_taken_from(floor: Floor) -> None:
    floor.fill(floor.signed(post_only=True))
    assert floor.size() == 10 * NANO


# who


def test_fill__by_an_operator_who_may_trade__is_booked(floor: Floor) -> None:
    floor.allow("taker", "operator", Permission.TRADE)
    floor.fill(floor.signed(), sender="operator")
    assert floor.size("taker") == 10 * NANO


@pytest.mark.parametrize("permissions", [0, Permission.DEPOSIT | Permission.WITHDRAW | Permission.LIQUIDATE])
def test_CH_5_fill__by_anybody_else__reverts(floor: Floor, permissions: int) -> None:
    floor.allow("taker", "attacker", permissions)
    with pytest.raises(Revert, match="accounts: not authorized"):
        floor.fill(floor.signed(), sender="attacker")


def test_CH_5_fill__by_an_operator_of_yesterday__reverts(floor: Floor) -> None:
    floor.allow("taker", "operator", Permission.TRADE, expiry=floor.stage.now())
    signed = floor.signed()
    floor.fill(signed, "1", sender="operator")
    floor.stage.warp(1)
    with pytest.raises(Revert, match="accounts: not authorized"):
        floor.fill(signed, "1", sender="operator")


def test_fill__for_any_sub_account__is_its_owners(floor: Floor) -> None:
    floor.stage.fund("taker", "1000", sub=2**96 - 1)
    sub = account("taker", 2**96 - 1)
    floor.fill(floor.signed(), "1", number=sub)
    assert floor.book.position(sub, 0).size == NANO


def test_fill__ones_own_order_into_another_sub_account__is_booked(floor: Floor) -> None:
    floor.stage.fund("maker", "1000", sub=1)
    floor.fill(floor.signed(), "1", taker="maker", number=account("maker", 1))
    assert floor.book.position(account("maker", 1), 0).size == NANO


def test_fill__ones_own_order__reverts(floor: Floor) -> None:
    with pytest.raises(Revert, match="trade: same account"):
        floor.fill(floor.signed(), taker="maker")


def test_fill__trading_paused__reverts(floor: Floor) -> None:
    floor.stage.system.configurator.set_paused(1, sender=address("guardian"))
    with pytest.raises(Revert, match="settings: paused"):
        floor.fill(floor.signed())


def test_fill__market_not_listed__reverts(floor: Floor) -> None:
    with pytest.raises(Revert, match="trade: market not listed"):
        floor.fill(floor.signed(market=63))
