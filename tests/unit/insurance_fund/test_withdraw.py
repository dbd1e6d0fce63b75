"""withdraw: a backer goes with what his shares are worth, after the cooldown, when no loss is under way."""

from __future__ import annotations

import pytest

from prime_perps.errors import Revert
from prime_perps.units import wad
from tests.stage import address

from .conftest import COOLDOWN, WINDOW, Backing


def test_withdraw__alone_and_nothing_happened__gets_it_back_but_for_dust(backing: Backing) -> None:
    backing.deposit("1000")
    backing.request()
    backing.warp(COOLDOWN)
    receipt = backing.fund.withdraw(address("rival"), sender=address("backer"))
    assert backing.stablecoin.balanceOf(address("rival")) == 1_000 * 10**6 - 1
    assert backing.one("Withdrawn", receipt) == {
        "backer": address("backer"),
        "receiver": address("rival"),
        "shares": wad(1_000),
        "amount": 1_000 * 10**6 - 1,
    }
    assert backing.fund.total_shares() == 0
    assert 0 <= backing.cash < 10**12


def test_withdraw__after_gains__gets_its_part(backing: Backing) -> None:
    backing.deposit("1000")
    backing.deposit("3000", "rival")
    backing.give("400")
    assert backing.leave() == pytest.approx(1_100 * 10**6, rel=1e-3)
    assert backing.worth("rival") == pytest.approx(wad(3_300), rel=1e-3)


def test_withdraw__loss_while_it_waits__bears_its_part__LQ_2(backing: Backing) -> None:
    backing.deposit("1000")
    backing.deposit("3000", "rival")
    backing.request()
    backing.lose("2000")
    backing.warp(COOLDOWN)
    assert backing.withdraw() == pytest.approx(500 * 10**6, rel=2e-3)
    assert backing.worth("rival") == pytest.approx(wad(1_500), rel=2e-3)


def test_withdraw__loss_of_all__gets_nothing(backing: Backing) -> None:
    backing.deposit("1000")
    backing.request()
    backing.lose("2000")
    backing.warp(COOLDOWN)
    with pytest.raises(Revert, match=r"^fund: nothing to send$"):
        backing.withdraw()


def test_withdraw__part__keeps_the_rest(backing: Backing) -> None:
    backing.deposit("1000")
    backing.request(wad(400))
    backing.warp(COOLDOWN)
    assert backing.withdraw() == 400 * 10**6 - 1
    assert backing.shares() == wad(600)


def test_withdraw__fees_not_distributed_yet__are_counted(backing: Backing) -> None:
    backing.deposit("1000")
    stage = backing.auctions.stage
    stage.govern(stage.system.configurator.set_fees, 0, 1_000, 10_000)
    stage.fund("taker", "1000000")
    stage.trade("maker", "taker", "SPY", "1000")
    assert backing.leave() == pytest.approx(1_125 * 10**6, rel=1e-3)


def test_withdraw__not_asked_for__reverts(backing: Backing) -> None:
    backing.deposit("1000")
    with pytest.raises(Revert, match=r"^fund: not ready$"):
        backing.withdraw()


def test_withdraw__a_second_early__reverts(backing: Backing) -> None:
    backing.deposit("1000")
    backing.request()
    backing.warp(COOLDOWN - 1)
    with pytest.raises(Revert, match=r"^fund: not ready$"):
        backing.withdraw()
    backing.warp(1)
    backing.withdraw()


def test_withdraw__twice__reverts(backing: Backing) -> None:
    backing.deposit("1000")
    backing.deposit("1000", "rival")
    backing.leave()
    with pytest.raises(Revert, match=r"^fund: not ready$"):
        backing.withdraw()


def test_withdraw__window_over__reverts_until_asked_again(backing: Backing) -> None:
    backing.deposit("1000")
    backing.request()
    backing.warp(COOLDOWN + WINDOW - 1)
    with backing.auctions.stage.undone():
        backing.withdraw()
    backing.warp(1)
    with pytest.raises(Revert, match=r"^fund: request lapsed$"):
        backing.withdraw()
    backing.leave()


def test_withdraw__account_without_equity_seen__waits_until_its_loss_is_taken__LQ_2(backing: Backing) -> None:
    auctions = backing.auctions
    backing.deposit("20000")
    backing.request()
    backing.warp(COOLDOWN)
    auctions.stage.publish()
    auctions.distress("-5000", "10000")
    auctions.start()
    assert auctions.engine.loss_seen_at() == auctions.stage.now()
    with pytest.raises(Revert, match=r"^engine: loss under way$"):
        backing.withdraw()
    auctions.take()
    backing.warp(300)
    with pytest.raises(Revert, match=r"^engine: loss under way$"):
        backing.withdraw()
    backing.warp(1)
    assert backing.withdraw() == pytest.approx(15_000 * 10**6, rel=1e-3)


def test_withdraw__account_with_equity_seen__is_no_loss(backing: Backing) -> None:
    backing.deposit("1000")
    backing.request()
    backing.warp(COOLDOWN)
    backing.auctions.stage.publish()
    backing.auctions.distress("1", "10000")
    backing.auctions.start()
    assert backing.auctions.engine.loss_seen_at() == 0
    backing.withdraw()


def test_withdraw__withdrawals_paused__reverts_and_keeps_the_request(backing: Backing) -> None:
    backing.deposit("1000")
    backing.request()
    backing.warp(COOLDOWN)
    backing.auctions.stage.system.configurator.set_paused(2, sender=address("guardian"))
    with pytest.raises(Revert, match=r"^settings: paused$"):
        backing.withdraw()
    assert backing.fund.request_of(address("backer")).shares == wad(1_000)
