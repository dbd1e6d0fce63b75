"""Coins into the issuer's dollar and back, one to one, out of what lies there."""

from __future__ import annotations

import pytest

from prime_perps.chain import Contract
from prime_perps.errors import Revert
from prime_perps.units import WAD
from tests.unit.devnet.conftest import COIN, UNLIMITED, USER, Desk

MILLION = 1_000_000


@pytest.fixture
def swapper(desk: Desk) -> Contract:
    for token in (desk.usdon, desk.coin):
        token.approve(desk.issuer.swapper, UNLIMITED, sender=desk.holder)
    return desk.issuer.swapper


def test_subscribe__coin__gives_as_many_dollars(desk: Desk, swapper: Contract) -> None:
    receipt = swapper.subscribe(desk.coin, 5 * COIN, 5 * WAD, sender=desk.holder)
    assert desk.balances()[1:] == (MILLION * WAD + 5 * WAD, (MILLION - 5) * COIN)
    told = {"user": desk.holder, "userId": USER, "rwaAmount": 5 * WAD}
    told |= {"depositToken": desk.coin.address, "depositAmount": 5 * COIN}
    assert list(swapper.events(receipt)) == [("Subscription", told)]


def test_redeem__dollars__gives_as_much_coin(desk: Desk, swapper: Contract) -> None:
    receipt = swapper.redeem(5 * WAD, desk.coin, 5 * COIN, sender=desk.holder)
    assert desk.balances()[1:] == ((MILLION - 5) * WAD, MILLION * COIN + 5 * COIN)
    told = {"user": desk.holder, "userId": USER, "rwaAmount": 5 * WAD}
    told |= {"receivingToken": desk.coin.address, "receiveTokenAmount": 5 * COIN}
    assert list(swapper.events(receipt)) == [("Redemption", told)]


def test_redeem__less_than_a_unit_of_coin__is_kept(desk: Desk, swapper: Contract) -> None:
    swapper.redeem(2 * 10**12 - 1, desk.coin, 0, sender=desk.holder)
    assert desk.balances()[1:] == (MILLION * WAD - 2 * 10**12 + 1, MILLION * COIN + 1)


def test_answer__of_both__is_what_is_paid(desk: Desk, swapper: Contract) -> None:
    assert swapper.subscribe.call(desk.coin, COIN, 0, sender=desk.holder) == WAD
    assert swapper.redeem.call(WAD, desk.coin, 0, sender=desk.holder) == COIN


def test_inventory__all_of_it__is_paid_and_a_unit_more_reverts(desk: Desk, swapper: Contract) -> None:
    for token in (desk.coin, desk.usdon):
        held = token.balanceOf(swapper)
        swapper.withdraw(token, desk.operator, held - held // MILLION, sender=desk.operator)
    with pytest.raises(Revert, match="issuer: swapper empty"):
        swapper.redeem(WAD + 10**12, desk.coin, 0, sender=desk.holder)
    with pytest.raises(Revert, match="issuer: swapper empty"):
        swapper.subscribe(desk.coin, COIN + 1, 0, sender=desk.holder)
    swapper.redeem(WAD, desk.coin, 0, sender=desk.holder)
    assert (desk.coin.balanceOf(swapper), desk.usdon.balanceOf(swapper)) == (0, 2 * WAD)


def test_minimum__a_unit_too_high__reverts(desk: Desk, swapper: Contract) -> None:
    with pytest.raises(Revert, match="issuer: below minimum"):
        swapper.subscribe(desk.coin, COIN, WAD + 1, sender=desk.holder)
    with pytest.raises(Revert, match="issuer: below minimum"):
        swapper.redeem(WAD, desk.coin, COIN + 1, sender=desk.holder)


def test_coin__any_other__reverts(desk: Desk, swapper: Contract) -> None:
    for token in (desk.stock, desk.usdon):
        with pytest.raises(Revert, match="issuer: coin not accepted"):
            swapper.subscribe(token, COIN, 0, sender=desk.holder)
        with pytest.raises(Revert, match="issuer: coin not accepted"):
            swapper.redeem(WAD, token, 0, sender=desk.holder)
    assert (swapper.coin(), swapper.usdon()) == (desk.coin.address, desk.usdon.address)


def test_caller__registered_for_stocks_only__reverts(desk: Desk, swapper: Contract) -> None:
    """To change a refund back into coin one must be known for the dollar, too."""
    desk.issuer.registry.remove(desk.usdon, desk.holder, sender=desk.operator)
    desk.mint(desk.quote())
    with pytest.raises(Revert, match="issuer: not registered"):
        swapper.redeem(WAD, desk.coin, 0, sender=desk.holder)
    with pytest.raises(Revert, match="issuer: not registered"):
        swapper.subscribe(desk.coin, COIN, 0, sender=desk.holder)


def test_withdraw__by_anybody_else__reverts(desk: Desk, swapper: Contract, attacker: str) -> None:
    with pytest.raises(Revert, match="ownable: caller is not the owner"):
        swapper.withdraw(desk.coin, attacker, 1, sender=attacker)


def test_coin__of_18_decimals__is_changed_wei_for_wei(desk: Desk) -> None:
    swapper = Contract.deploy(
        desk.backend, "IssuerSwapper", desk.usdon, desk.stock, desk.issuer.registry, sender=desk.operator
    )
    desk.usdon.mint(swapper, WAD, sender=desk.operator)
    desk.stock.approve(swapper, 7, sender=desk.holder)
    assert swapper.subscribe.call(desk.stock, 7, 7, sender=desk.holder) == 7
