"""Splits and dividends: what a token is worth does not change by them, and nothing is traded before that is sure."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import pytest

from prime_perps.chain import Contract
from prime_perps.errors import Revert
from prime_perps.reports import Feed, Flag, Report, Source
from prime_perps.units import MID, WAD

from .conftest import NVDA, Desk, address_of

PRICE = 140 * MID
BAND = 500


@dataclass
class Issuance:
    """A tokenized stock of 140 USD a share, and what its issuer does."""

    desk: Desk
    token: Contract
    source: Contract
    price: int = PRICE
    multiplier: int = WAD

    def list(self, **fields: Any) -> None:
        feed = Feed(Source.REPORTS, jump=BAND, issuer=self.source.address, token=self.token.address)
        self.desk.oracle.set_feed(NVDA, Feed(**(feed.__dict__ | fields)), sender=self.desk.timelock)

    def pause(self, paused: bool = True) -> None:
        self.token.set_paused(paused, sender=self.desk.deployer)

    def stage(self, multiplier: int) -> None:
        self.token.set_multiplier(multiplier, sender=self.desk.deployer)

    def report(self, price: int, multiplier: int) -> Report:
        return self.desk.report(price=price, multiplier=multiplier)

    def state(self, price: int, multiplier: int = WAD, wait: int = 10) -> None:
        self.desk.backend.warp(wait)
        self.desk.submit(self.report(price, multiplier))

    @property
    def is_paused(self) -> bool:
        return bool(self.desk.word().flags & Flag.PAUSED)


@pytest.fixture
def issuance(desk: Desk) -> Issuance:
    compliance = Contract.deploy(desk.backend, "IssuerCompliance", sender=desk.deployer)
    token = Contract.deploy(desk.backend, "StockToken", "NVIDIA token", "NVDAon", compliance, sender=desk.deployer)
    issuance = Issuance(desk, token, Contract.deploy(desk.backend, "SValueOracle", sender=desk.deployer))
    issuance.list()
    issuance.state(PRICE)
    return issuance


@pytest.mark.parametrize(
    ("name", "price", "multiplier"),
    [
        ("split 10:1", PRICE // 10, 10 * WAD),
        ("reverse split 1:10", PRICE * 10, WAD // 10),
        ("dividend of 0.01 USD, 30 % withheld", PRICE - MID // 100, WAD + 7 * WAD // 1_000 // 140),
        ("dividend of 0.30 USD, nothing withheld", PRICE - 3 * MID // 10, WAD * 1_400 // 1_397),
    ],
)
def test_SPACEX_split__price_and_multiplier_change_together__no_token_changes_its_worth(
    issuance: Issuance, name: str, price: int, multiplier: int
) -> None:
    """A venue lost 1,393 accounts in May 2026 to a split of SPACEX that its oracle took for a crash."""
    desk = issuance.desk
    before = desk.word()
    issuance.pause()
    desk.refresh(NVDA)
    assert issuance.is_paused
    assert desk.read().doubt == 1_000
    # the exchange trades at the new price before the issuer has set the new multiplier
    issuance.state(price)
    assert (desk.word().mid, desk.word().flags) == (before.mid, Flag.PAUSED)
    issuance.stage(multiplier)
    issuance.state(price, multiplier)
    assert (desk.word().mid, desk.word().flags) == (before.mid, Flag.PAUSED)
    issuance.pause(paused=False)
    issuance.state(price, multiplier)
    assert not desk.word().flags
    assert abs(desk.word().mid - before.mid) * 10_000 <= before.mid
    assert desk.read().doubt == 0


def test_pause__ended_with_nothing_changed__resumes(issuance: Issuance) -> None:
    issuance.pause()
    issuance.state(PRICE)
    assert issuance.is_paused
    issuance.pause(paused=False)
    issuance.state(PRICE + MID)
    assert (issuance.desk.word().mid, issuance.desk.word().flags) == (PRICE + MID, 0)


@pytest.mark.parametrize(
    ("price", "stated", "multiplier"),
    [
        (PRICE // 10, WAD, WAD),  # the price has split, the multiplier has not
        (PRICE, 10 * WAD, 10 * WAD),  # the multiplier has split, the price has not
        (PRICE // 10, WAD, 10 * WAD),  # the signers count with the old one
        (PRICE, WAD, 10 * WAD),
        (PRICE // 10, 10 * WAD, WAD),  # the signers count with one that the issuer has not set
        (PRICE, WAD * 1_400 // 1_397, WAD * 1_400 // 1_397),  # a dividend that the price does not know
        (PRICE - 3 * MID // 10, WAD, WAD * 1_400 // 1_397),
    ],
)
def test_pause__ended_with_one_changed_alone__does_not_resume(
    issuance: Issuance, price: int, stated: int, multiplier: int
) -> None:
    issuance.pause()
    issuance.desk.refresh(NVDA)
    issuance.stage(multiplier)
    issuance.pause(paused=False)
    for _ in range(3):
        issuance.state(price, stated, wait=30)
        assert (issuance.desk.word().mid, issuance.desk.word().flags) == (PRICE, Flag.PAUSED)
        assert issuance.desk.read().doubt == 1_000


@pytest.mark.parametrize(("price", "stated"), [(PRICE, WAD), (PRICE, 10 * WAD), (PRICE // 10, WAD)])
def test_multiplier__changed_without_a_pause__is_one_all_the_same(issuance: Issuance, price: int, stated: int) -> None:
    issuance.stage(10 * WAD)
    issuance.state(price, stated)
    assert (issuance.desk.word().mid, issuance.desk.word().flags) == (PRICE, Flag.PAUSED)
    issuance.state(PRICE // 10, 10 * WAD)
    assert (issuance.desk.word().mid, issuance.desk.word().flags) == (PRICE, 0)


def test_pause__ended_far_from_the_price_before__stays_until_the_timelock_lists_it_anew(issuance: Issuance) -> None:
    issuance.pause()
    issuance.desk.refresh(NVDA)
    issuance.stage(10 * WAD)
    issuance.pause(paused=False)
    issuance.state(PRICE // 9, 10 * WAD)
    assert issuance.is_paused
    issuance.list()
    issuance.state(PRICE // 9, 10 * WAD)
    assert (issuance.desk.word().mid, issuance.desk.word().flags) == (PRICE // 9 * 10, 0)


def test_pause__no_price_comes__freezes_and_grows_old(issuance: Issuance) -> None:
    desk = issuance.desk
    desk.backend.warp(100)
    issuance.pause()
    assert desk.refreshed(NVDA) == 1
    desk.refresh(NVDA)
    assert (desk.word().mid, desk.word().flags, desk.refreshed(NVDA)) == (PRICE, Flag.PAUSED, 0)
    desk.backend.warp(7_000)
    assert desk.read().doubt > 1_000
    issuance.pause(paused=False)
    desk.refresh(NVDA)
    assert issuance.is_paused


def test_issuer__does_not_answer__is_a_pause(issuance: Issuance) -> None:
    desk = issuance.desk
    silent = Contract.deploy(desk.backend, "DevnetFeed", 8, "no issuer", sender=desk.deployer)
    issuance.list(issuer=silent.address)
    issuance.state(PRICE)
    assert (desk.word().mid, desk.word().flags) == (PRICE, Flag.PAUSED)


@pytest.mark.parametrize("multiplier", [10**24 + 1, 2**127])
def test_issuer__absurd_multiplier__is_a_pause(issuance: Issuance, multiplier: int) -> None:
    issuance.stage(multiplier)
    issuance.state(PRICE)
    assert issuance.is_paused


def test_issuer__one_underlying_paused__leaves_the_others__OR_1(issuance: Issuance) -> None:
    desk = issuance.desk
    issuance.pause()
    desk.backend.warp(1)
    desk.submit(desk.report(1, 600 * MID), issuance.report(PRICE, WAD))
    assert (desk.word(1).mid, desk.word(1).flags, issuance.is_paused) == (600 * MID, 0, True)


def test_push_feeds__that_state_price_times_multiplier__are_frozen_and_resume(
    issuance: Issuance, aggregator: Contract
) -> None:
    desk = issuance.desk
    issuance.list(
        source=Source.AGGREGATOR, aggregator=aggregator.address, decimals=8, heartbeat=3_600, confidence=30, session=6
    )
    desk.backend.warp(61)
    aggregator.publish(PRICE, sender=desk.deployer)
    desk.refresh(NVDA)
    issuance.stage(10 * WAD)
    aggregator.publish(PRICE * 10, sender=desk.deployer)
    desk.refresh(NVDA)
    assert (desk.word().mid, issuance.is_paused) == (PRICE, True)
    aggregator.publish(PRICE + 1, sender=desk.deployer)
    desk.refresh(NVDA)
    assert (desk.word().mid, issuance.is_paused) == (PRICE + 1, False)


@pytest.mark.parametrize("wrong", [{"jump": 0}, {"token": "0x" + "00" * 20}, {"issuer": address_of("no code")}])
def test_set_feed__issuer_without_band_token_or_code__reverts(issuance: Issuance, wrong: dict[str, Any]) -> None:
    with pytest.raises(Revert, match=r"^oracle: bad feed$"):
        issuance.list(**wrong)


def test_set_feed__issuer_and_token__are_stored(issuance: Issuance) -> None:
    feed = issuance.desk.oracle.feed(NVDA)
    assert (feed.issuer, feed.token, feed.jump) == (issuance.source.address, issuance.token.address, BAND)
