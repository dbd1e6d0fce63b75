"""cancel: one order made unusable, by whoever may trade for the account."""

from __future__ import annotations

import pytest

from prime_perps.accounts import Permission
from prime_perps.chain import Receipt
from prime_perps.errors import Revert
from prime_perps.units import NANO
from tests.stage import account, address

from .conftest import Floor


def _cancel(floor: Floor, nonce: int, sender: str = "maker", sub: int = 0) -> Receipt:
    return floor.exchange.cancel(account("maker", sub), nonce, sender=address(sender))


@pytest.mark.parametrize("nonce", [0, 1, 127, 128, 2**32 - 1])
@pytest.mark.parametrize("taken", ["", "4"])
def test_cancel__fresh_or_begun__ends_the_order(floor: Floor, taken: str, nonce: int) -> None:
    signed = floor.signed(nonce=nonce)
    if taken:
        floor.fill(signed, taken)
    receipt = _cancel(floor, nonce)
    assert list(floor.exchange.events(receipt)) == [("OrderCancelled", {"account": account("maker"), "nonce": nonce})]
    with pytest.raises(Revert, match="orders: nonce used"):
        floor.fill(signed, "1")
    assert floor.filled(signed) == 10 * NANO


def test_cancel__one_nonce__leaves_its_neighbours(floor: Floor) -> None:
    _cancel(floor, 128)
    for nonce in (127, 129, 0, 256):
        floor.fill(floor.signed(nonce=nonce), "0.1")


def test_cancel__one_after_another__all_stay_cancelled(floor: Floor) -> None:
    for nonce in (128, 129, 255):
        _cancel(floor, nonce)
    for nonce in (128, 129, 255):
        with pytest.raises(Revert, match="orders: nonce used"):
            floor.fill(floor.signed(nonce=nonce), "1")


def test_cancel__before_it_was_signed__voids_it_too(floor: Floor) -> None:
    _cancel(floor, 7)
    with pytest.raises(Revert, match="orders: nonce used"):
        floor.fill(floor.signed(nonce=7))


def test_cancel__in_one_sub_account__leaves_another(floor: Floor) -> None:
    _cancel(floor, 7, sub=1)
    floor.fill(floor.signed(nonce=7))


@pytest.mark.parametrize("done", ["filled", "cancelled"])
def test_cancel__what_is_done__reverts(floor: Floor, done: str) -> None:
    signed = floor.signed(nonce=7)
    if done == "filled":
        floor.fill(signed)
    else:
        _cancel(floor, 7)
    with pytest.raises(Revert, match="orders: nonce used"):
        _cancel(floor, 7)


@pytest.mark.parametrize("nonce", [2**32, 2**256 - 1])
def test_cancel__nonce_too_large__reverts(floor: Floor, nonce: int) -> None:
    with pytest.raises(Revert, match="orders: nonce too large"):
        _cancel(floor, nonce)


def test_cancel__by_an_operator_who_may_trade__ends_the_order(floor: Floor) -> None:
    floor.allow("maker", "operator", Permission.TRADE)
    _cancel(floor, 7, sender="operator")
    with pytest.raises(Revert, match="orders: nonce used"):
        floor.fill(floor.signed(nonce=7))


@pytest.mark.parametrize("permissions", [0, Permission.DEPOSIT | Permission.WITHDRAW | Permission.LIQUIDATE])
def test_CH_5_cancel__by_anybody_else__reverts(floor: Floor, permissions: int) -> None:
    floor.allow("maker", "attacker", permissions)
    with pytest.raises(Revert, match="accounts: not authorized"):
        _cancel(floor, 7, sender="attacker")


def test_cancel__everything_paused__goes_on(floor: Floor) -> None:
    floor.stage.system.configurator.set_paused(7, sender=address("guardian"))
    signed = floor.signed(nonce=7)
    _cancel(floor, 7)
    assert floor.filled(signed) == 10 * NANO
