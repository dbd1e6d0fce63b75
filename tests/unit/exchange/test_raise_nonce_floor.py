"""raise_nonce_floor, nonce_floor: every order with a lower nonce made unusable at once."""

from __future__ import annotations

import pytest

from prime_perps.accounts import Permission
from prime_perps.chain import Receipt
from prime_perps.errors import Revert
from tests.stage import account, address

from .conftest import Floor, Wallet

LARGEST = 2**32 - 1
ALL = Permission.TRADE | Permission.DEPOSIT | Permission.WITHDRAW | Permission.LIQUIDATE


def _raise(floor: Floor, lowest: int, sender: str = "maker", sub: int = 0) -> Receipt:
    return floor.exchange.raise_nonce_floor(account("maker", sub), lowest, sender=address(sender))


@pytest.mark.parametrize("lowest", [1, 128, LARGEST])
def test_raise_nonce_floor__higher__ends_what_is_below_and_nothing_else(floor: Floor, lowest: int) -> None:
    receipt = _raise(floor, lowest)
    assert list(floor.exchange.events(receipt)) == [
        ("NonceFloorRaised", {"account": account("maker"), "floor": lowest})
    ]
    assert floor.exchange.nonce_floor(account("maker")) == lowest
    for nonce in {0, lowest - 1}:
        with pytest.raises(Revert, match="orders: nonce below floor"):
            floor.fill(floor.signed(nonce=nonce))
    for nonce in {lowest, LARGEST}:
        floor.fill(floor.signed(nonce=nonce), "1")


@pytest.mark.parametrize("lowest", [0, 6, 7, LARGEST + 1, 2**256 - 1])
def test_raise_nonce_floor__not_higher_or_too_high__reverts(floor: Floor, lowest: int) -> None:
    _raise(floor, 7)
    with pytest.raises(Revert, match="orders: floor not raised"):
        _raise(floor, lowest)
    assert floor.exchange.nonce_floor(account("maker")) == 7


def test_raise_nonce_floor__of_one_account__is_not_that_of_another(floor: Floor) -> None:
    _raise(floor, 7, sub=1)
    assert floor.exchange.nonce_floor(account("maker", 1)) == 7
    assert floor.exchange.nonce_floor(account("maker")) == 0
    floor.fill(floor.signed(nonce=6))


def test_raise_nonce_floor__order_begun_above_it__goes_on(floor: Floor) -> None:
    signed = floor.signed(nonce=9)
    floor.fill(signed, "4")
    _raise(floor, 9)
    floor.fill(signed, "6")


@pytest.mark.parametrize("sender", ["attacker", "operator"])
def test_CH_5_raise_nonce_floor__by_anybody_but_the_owner__reverts(floor: Floor, sender: str) -> None:
    """Not by a session key either: the largest floor would outlive it, and there is no way back."""
    floor.allow("maker", "operator", ALL)
    with pytest.raises(Revert, match="accounts: owner only"):
        _raise(floor, 7, sender=sender)


def test_raise_nonce_floor__everything_paused__goes_on(floor: Floor) -> None:
    floor.stage.system.configurator.set_paused(7, sender=address("guardian"))
    _raise(floor, 7)
    assert floor.exchange.nonce_floor(account("maker")) == 7


def test_raise_nonce_floor__of_a_wallets_account__is_raised_by_the_wallet(floor: Floor, wallet: Wallet) -> None:
    wallet.call(floor.exchange, floor.exchange.raise_nonce_floor.encode(wallet.account, 7))
    assert floor.exchange.nonce_floor(wallet.account) == 7
    with pytest.raises(Revert, match="accounts: owner only"):
        floor.exchange.raise_nonce_floor(wallet.account, 8, sender=address(wallet.owner))
