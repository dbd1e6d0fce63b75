"""How many shares a token stands for: dividends by drift, splits through a pause that stops nothing but believers."""

from __future__ import annotations

import pytest

from prime_perps.chain import Contract
from prime_perps.errors import Revert
from prime_perps.issuer.quotes import Side
from prime_perps.units import WAD
from tests.unit.devnet.conftest import Desk

DAY = 86_400
PAUSE = 600
SPLITS = pytest.mark.parametrize("value", [10 * WAD, WAD // 10], ids=["10:1", "1:10"])


@pytest.fixture
def shares(desk: Desk) -> Contract:
    return desk.issuer.shares


def told(desk: Desk) -> tuple[int, bool]:
    return tuple(desk.issuer.shares.getSValue(desk.stock))


def update(desk: Desk, value: int) -> None:
    desk.issuer.shares.submitUpdate(desk.stock, value, sender=desk.operator)


def schedule(desk: Desk, value: int, wait: int = 0) -> None:
    start = desk.backend.timestamp() + wait if wait else 0
    desk.issuer.shares.scheduleCorporateActionPause(desk.stock, value, start, sender=desk.operator)


# dividends


def test_update__dividend_within_drift__raises_the_value(desk: Desk, shares: Contract) -> None:
    desk.backend.warp(DAY)
    value = WAD * 1_400 // 1_397
    receipt = shares.submitUpdate(desk.stock, value, sender=desk.operator)
    moved = {"asset": desk.stock.address, "oldSValue": WAD, "newSValue": value}
    assert list(shares.events(receipt)) == [("SValueUpdated", moved)]
    assert told(desk) == (value, False)


def test_update__at_the_drift__passes_and_a_unit_more_does_not(desk: Desk) -> None:
    desk.backend.warp(DAY)
    with pytest.raises(Revert, match="shares: beyond drift"):
        update(desk, WAD + WAD // 100 + 1)
    update(desk, WAD + WAD // 100)


def test_update__a_second_before_the_cooldown_ends__reverts(desk: Desk) -> None:
    desk.backend.warp(DAY - 1)
    with pytest.raises(Revert, match="shares: too soon"):
        update(desk, WAD + 1)
    desk.backend.warp(1)
    update(desk, WAD + 1)
    with pytest.raises(Revert, match="shares: too soon"):
        update(desk, WAD + 2)


@pytest.mark.parametrize("value", [0, WAD - 1, WAD])
def test_update__not_higher__reverts(desk: Desk, value: int) -> None:
    desk.backend.warp(DAY)
    with pytest.raises(Revert, match="shares: not raised"):
        update(desk, value)


def test_update__split_by_drift__is_out_of_reach(desk: Desk) -> None:
    desk.backend.warp(DAY)
    with pytest.raises(Revert, match="shares: beyond drift"):
        update(desk, 10 * WAD)


def test_update__no_drift__never(desk: Desk, shares: Contract) -> None:
    shares.setDriftParameters(desk.stock, 0, DAY, sender=desk.operator)
    desk.backend.warp(DAY)
    with pytest.raises(Revert, match="shares: beyond drift"):
        update(desk, WAD + 1)


def test_update__by_anybody_but_the_setter__reverts(desk: Desk, shares: Contract, attacker: str, spender: str) -> None:
    desk.backend.warp(DAY)
    with pytest.raises(Revert, match="shares: setter only"):
        shares.submitUpdate(desk.stock, WAD + 1, sender=attacker)
    receipt = shares.set_setter(spender, sender=desk.operator)
    assert list(shares.events(receipt)) == [("SetterSet", {"setter": spender})]
    shares.submitUpdate(desk.stock, WAD + 1, sender=spender)
    with pytest.raises(Revert, match="shares: setter only"):
        update(desk, WAD + 2)


# splits


@SPLITS
def test_split__from_start_to_unpause__tells_paused_and_the_old_value(desk: Desk, shares: Contract, value: int) -> None:
    schedule(desk, value, wait=100)
    assert told(desk) == (WAD, False)
    desk.backend.warp(99)
    assert told(desk) == (WAD, False)
    desk.backend.warp(1)
    assert told(desk) == (WAD, True)
    desk.backend.warp(10 * DAY)
    assert told(desk) == (WAD, True)
    receipt = shares.unpause(desk.stock, sender=desk.operator)
    applied = {"asset": desk.stock.address, "oldSValue": WAD, "newSValue": value}
    assert list(shares.events(receipt)) == [("CorporateActionApplied", applied)]
    assert told(desk) == (value, False)
    assert shares.assetData(desk.stock)[:4] == (value, 0, desk.backend.timestamp(), 0)


def test_unpause__a_second_too_early__reverts(desk: Desk, shares: Contract) -> None:
    schedule(desk, 10 * WAD)
    desk.backend.warp(PAUSE - 1)
    with pytest.raises(Revert, match="shares: pause too young"):
        shares.unpause(desk.stock, sender=desk.operator)
    desk.backend.warp(1)
    shares.unpause(desk.stock, sender=desk.operator)


def test_pause__active__stops_updates_and_another_schedule(desk: Desk) -> None:
    desk.backend.warp(DAY)
    schedule(desk, 10 * WAD)
    with pytest.raises(Revert, match="shares: paused"):
        update(desk, WAD + 1)
    with pytest.raises(Revert, match="shares: paused"):
        schedule(desk, 20 * WAD)


def test_pause__scheduled_only__lets_a_dividend_through(desk: Desk) -> None:
    schedule(desk, 10 * WAD, wait=2 * DAY)
    desk.backend.warp(DAY)
    update(desk, WAD + 1)
    assert told(desk) == (WAD + 1, False)


def test_pause__over__begins_the_cooldown_anew(desk: Desk, shares: Contract) -> None:
    desk.backend.warp(DAY)
    schedule(desk, 10 * WAD)
    desk.backend.warp(PAUSE)
    shares.unpause(desk.stock, sender=desk.operator)
    with pytest.raises(Revert, match="shares: too soon"):
        update(desk, 10 * WAD + 1)


@SPLITS
def test_pause__active__stops_no_transfer_mint_or_redemption(desk: Desk, receiver: str, value: int) -> None:
    schedule(desk, value)
    assert told(desk) == (WAD, True)
    desk.stock.transfer(receiver, WAD, sender=desk.holder)
    desk.mint(desk.quote(attestation_id=1))
    desk.redeem(desk.quote(Side.SELL, attestation_id=2))
    desk.issuer.approve_in_kind(desk.holder, b"\1" * 32, sender=desk.operator)
    desk.issuer.in_kind.redeem(desk.stock, WAD, sender=desk.holder)
    assert desk.stock.balanceOf(desk.holder) == 998 * WAD


@SPLITS
def test_split__whatever_the_ratio__moves_no_balance(desk: Desk, shares: Contract, value: int) -> None:
    before = desk.stock.balanceOf(desk.holder), desk.stock.totalSupply()
    schedule(desk, value)
    desk.backend.warp(PAUSE)
    shares.unpause(desk.stock, sender=desk.operator)
    assert (desk.stock.balanceOf(desk.holder), desk.stock.totalSupply()) == before


def test_adjust__an_active_pause__changes_the_value_and_restarts_the_clock(desk: Desk, shares: Contract) -> None:
    schedule(desk, 10 * WAD)
    desk.backend.warp(PAUSE)
    receipt = shares.adjustPause(desk.stock, 20 * WAD, sender=desk.operator)
    now = desk.backend.timestamp()
    planned = {"asset": desk.stock.address, "sValue": 20 * WAD, "pauseStartTime": now}
    assert list(shares.events(receipt)) == [("CorporateActionScheduled", planned)]
    desk.backend.warp(PAUSE - 1)
    with pytest.raises(Revert, match="shares: pause too young"):
        shares.unpause(desk.stock, sender=desk.operator)
    desk.backend.warp(1)
    shares.unpause(desk.stock, sender=desk.operator)
    assert told(desk) == (20 * WAD, False)


def test_abort__an_active_pause__discards_the_value_at_once(desk: Desk, shares: Contract) -> None:
    schedule(desk, 10 * WAD)
    receipt = shares.abortPause(desk.stock, sender=desk.operator)
    assert list(shares.events(receipt)) == [("CorporateActionCancelled", {"asset": desk.stock.address})]
    assert told(desk) == (WAD, False)
    assert shares.assetData(desk.stock)[:2] == (WAD, 0)


def test_cancel__a_scheduled_pause__never_begins(desk: Desk, shares: Contract) -> None:
    schedule(desk, 10 * WAD, wait=100)
    receipt = shares.cancelScheduledPause(desk.stock, sender=desk.operator)
    assert list(shares.events(receipt)) == [("CorporateActionCancelled", {"asset": desk.stock.address})]
    desk.backend.warp(DAY)
    assert told(desk) == (WAD, False)


def test_cancel__nothing_or_an_active_pause__reverts(desk: Desk, shares: Contract) -> None:
    with pytest.raises(Revert, match="shares: not scheduled"):
        shares.cancelScheduledPause(desk.stock, sender=desk.operator)
    schedule(desk, 10 * WAD)
    with pytest.raises(Revert, match="shares: paused"):
        shares.cancelScheduledPause(desk.stock, sender=desk.operator)


@pytest.mark.parametrize("scheduled", [False, True])
def test_pause__not_begun__can_be_neither_ended_nor_aborted_nor_adjusted(
    desk: Desk, shares: Contract, scheduled: bool
) -> None:
    if scheduled:
        schedule(desk, 10 * WAD, wait=100)
    for refused in (
        lambda: shares.unpause(desk.stock, sender=desk.operator),
        lambda: shares.abortPause(desk.stock, sender=desk.operator),
        lambda: shares.adjustPause(desk.stock, 20 * WAD, sender=desk.operator),
    ):
        with pytest.raises(Revert, match="shares: not paused"):
            refused()


def test_schedule__before_it_begins__may_be_replaced(desk: Desk) -> None:
    schedule(desk, 10 * WAD, wait=100)
    schedule(desk, 20 * WAD, wait=200)
    desk.backend.warp(100)
    assert told(desk) == (WAD, False)
    desk.backend.warp(100)
    assert told(desk) == (WAD, True)


def test_schedule__in_the_past__reverts(desk: Desk, shares: Contract) -> None:
    with pytest.raises(Revert, match="shares: start in the past"):
        shares.scheduleCorporateActionPause(desk.stock, 10 * WAD, desk.backend.timestamp() - 1, sender=desk.operator)


# administration


def test_add_asset__known_or_worthless_or_without_cooldown__reverts(desk: Desk, shares: Contract) -> None:
    with pytest.raises(Revert, match="shares: known already"):
        shares.addAsset(desk.stock, WAD, 100, DAY, sender=desk.operator)
    with pytest.raises(Revert, match="shares: zero value"):
        shares.addAsset(desk.coin, 0, 100, DAY, sender=desk.operator)
    for drift, cooldown in ((10_001, DAY), (100, 0)):
        with pytest.raises(Revert, match="shares: bad drift"):
            shares.addAsset(desk.coin, WAD, drift, cooldown, sender=desk.operator)
        with pytest.raises(Revert, match="shares: bad drift"):
            shares.setDriftParameters(desk.stock, drift, cooldown, sender=desk.operator)


def test_add_asset__new__is_told(desk: Desk, shares: Contract) -> None:
    receipt = shares.addAsset(desk.coin, 2 * WAD, 100, DAY, sender=desk.operator)
    added = {"asset": desk.coin.address, "initialSValue": 2 * WAD, "allowedDriftBps": 100, "driftCooldown": DAY}
    assert list(shares.events(receipt)) == [("AssetAdded", added)]
    assert tuple(shares.getSValue(desk.coin)) == (2 * WAD, False)


def test_set_drift_parameters__new__are_told(desk: Desk, shares: Contract) -> None:
    receipt = shares.setDriftParameters(desk.stock, 200, 60, sender=desk.operator)
    changed = {"oldAllowedDriftBps": 100, "newAllowedDriftBps": 200, "oldDriftCooldown": DAY, "newDriftCooldown": 60}
    told_now = [("DriftParametersUpdated", {"asset": desk.stock.address} | changed)]
    assert list(shares.events(receipt)) == told_now
    assert shares.assetData(desk.stock)[4:] == (200, 60)


def test_value__zero__is_no_split(desk: Desk, shares: Contract) -> None:
    with pytest.raises(Revert, match="shares: zero value"):
        schedule(desk, 0)
    schedule(desk, 10 * WAD)
    with pytest.raises(Revert, match="shares: zero value"):
        shares.adjustPause(desk.stock, 0, sender=desk.operator)


def test_asset__unknown__reverts_everywhere(desk: Desk, shares: Contract) -> None:
    other, operator = desk.coin, desk.operator
    for refused in (
        lambda: shares.getSValue(other),
        lambda: shares.submitUpdate(other, WAD, sender=operator),
        lambda: shares.setDriftParameters(other, 1, 1, sender=operator),
        lambda: shares.scheduleCorporateActionPause(other, WAD, 0, sender=operator),
        lambda: shares.adjustPause(other, WAD, sender=operator),
        lambda: shares.unpause(other, sender=operator),
        lambda: shares.cancelScheduledPause(other, sender=operator),
        lambda: shares.abortPause(other, sender=operator),
    ):
        with pytest.raises(Revert, match="shares: no such asset"):
            refused()


def test_deploy__a_pause_of_less_than_ten_minutes__reverts(desk: Desk, shares: Contract) -> None:
    assert shares.minimumPauseDuration() == PAUSE
    with pytest.raises(Revert, match="shares: pause too short"):
        Contract.deploy(desk.backend, "SharesOracle", desk.operator, PAUSE - 1, sender=desk.operator)


def test_administration__by_anybody_else__reverts(desk: Desk, shares: Contract, attacker: str) -> None:
    for refused in (
        lambda: shares.set_setter(attacker, sender=attacker),
        lambda: shares.addAsset(desk.coin, WAD, 1, 1, sender=attacker),
        lambda: shares.setDriftParameters(desk.stock, 1, 1, sender=attacker),
        lambda: shares.scheduleCorporateActionPause(desk.stock, WAD, 0, sender=attacker),
        lambda: shares.adjustPause(desk.stock, WAD, sender=attacker),
        lambda: shares.unpause(desk.stock, sender=attacker),
        lambda: shares.cancelScheduledPause(desk.stock, sender=attacker),
        lambda: shares.abortPause(desk.stock, sender=attacker),
    ):
        with pytest.raises(Revert, match="ownable: caller is not the owner"):
            refused()
