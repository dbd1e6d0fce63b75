"""set_terms: the timelock changes what the auctions go by, within bounds."""

from __future__ import annotations

from typing import Any

import pytest

from prime_perps.errors import Revert
from prime_perps.units import WAD, wad
from tests.stage import address

from .conftest import Auctions

WEEK = 7 * 86_400


def changed(auctions: Auctions, **fields: int) -> Any:
    return auctions.engine.terms()._replace(**fields)


def test_set_terms__timelock__sets_and_tells(auctions: Auctions) -> None:
    terms = changed(auctions, start_price=wad("0.9"), reward_phase=60)
    receipt = auctions.engine.set_terms(terms, sender=auctions.timelock)
    assert auctions.engine.terms() == terms
    assert auctions.one("TermsSet", receipt) == {"terms": terms}


def test_set_terms__through_the_timelock__takes_its_delay(auctions: Auctions) -> None:
    terms = changed(auctions, target_health=wad("1.2"))
    auctions.stage.system.schedule(auctions.engine.set_terms, terms, sender=address("governor"))
    with pytest.raises(Revert):
        auctions.stage.system.execute(auctions.engine.set_terms, terms, sender=address("governor"))
    auctions.stage.warp(int(auctions.stage.system.timelock.get_minimum_delay()))
    auctions.stage.system.execute(auctions.engine.set_terms, terms, sender=address("governor"))
    assert auctions.engine.terms() == terms


@pytest.mark.parametrize("role", ["guardian", "governor", "deployer", "attacker"])
def test_set_terms__anybody_else__reverts__AC_1(auctions: Auctions, role: str) -> None:
    with pytest.raises(Revert, match=r"^roles: timelock only$"):
        auctions.engine.set_terms(auctions.engine.terms(), sender=address(role))


@pytest.mark.parametrize(
    "fields",
    [
        {"start_price": WAD},
        {"knee_price": 0},
        {"knee_price": wad("0.98")},
        {"first_phase": 1},
        {"first_phase": WEEK},
        {"second_phase": 1},
        {"second_phase": WEEK},
        {"reward_phase": 1},
        {"reward_phase": WEEK},
        {"lapse": 1},
        {"lapse": WEEK},
        {"target_health": WAD + 1},
        {"target_health": 2 * WAD},
        {"whole_below": 0},
        {"whole_below": wad(100_000)},
        {"smallest_slice": 0},
        {"smallest_slice": wad(100_000)},
        {"throttle_interest": 0},
        {"throttle_interest": 100_000},
        {"throttle_depth": 0},
        {"throttle_depth": 1_000_000},
        {"throttle_window": 1},
        {"throttle_window": 1_800},
        {"insurance_share": 0},
        {"insurance_share": 10_000},
    ],
    ids=str,
)
def test_set_terms__at_a_bound__sets(auctions: Auctions, fields: dict[str, int]) -> None:
    auctions.engine.set_terms(changed(auctions, **fields), sender=auctions.timelock)
    assert auctions.engine.terms() == changed(auctions, **fields)


@pytest.mark.parametrize(
    "fields",
    [
        {"start_price": WAD + 1},
        {"knee_price": wad("0.98") + 1},
        {"first_phase": 0},
        {"first_phase": WEEK + 1},
        {"second_phase": 0},
        {"second_phase": WEEK + 1},
        {"reward_phase": 0},
        {"reward_phase": WEEK + 1},
        {"lapse": 0},
        {"lapse": WEEK + 1},
        {"target_health": WAD},
        {"target_health": 2 * WAD + 1},
        {"whole_below": wad(100_000) + 1},
        {"smallest_slice": wad(100_000) + 1},
        {"throttle_interest": 100_001},
        {"throttle_depth": 1_000_001},
        {"throttle_window": 0},
        {"throttle_window": 1_801},
        {"insurance_share": 10_001},
    ],
    ids=str,
)
def test_set_terms__past_a_bound__reverts(auctions: Auctions, fields: dict[str, int]) -> None:
    with pytest.raises(Revert, match=r"^engine: terms out of range$"):
        auctions.engine.set_terms(changed(auctions, **fields), sender=auctions.timelock)


def test_set_terms__while_an_auction_runs__its_price_follows(auctions: Auctions) -> None:
    auctions.distress("8000", "10000")
    auctions.start()
    auctions.wait(300)
    terms = changed(auctions, start_price=wad("0.9"), knee_price=wad("0.6"))
    auctions.engine.set_terms(terms, sender=auctions.timelock)
    assert auctions.quote().price == wad("0.75")


def test_set_terms__another_lapse__counts_from_when_the_account_was_last_seen(auctions: Auctions) -> None:
    auctions.distress("8000", "10000")
    auctions.start()
    auctions.wait(201)
    with auctions.stage.undone():
        auctions.engine.set_terms(changed(auctions, lapse=201), sender=auctions.timelock)
        assert auctions.quote().price == wad("0.9197")
    auctions.engine.set_terms(changed(auctions, lapse=200), sender=auctions.timelock)
    assert auctions.quote().price == wad("0.98")


def test_set_terms__another_target__changes_the_slice(auctions: Auctions) -> None:
    auctions.distress("8000", "10000")
    auctions.engine.set_terms(changed(auctions, target_health=wad("1.5")), sender=auctions.timelock)
    # (15,000 - 8,000) / (15,000 - .02 x 8,000)
    assert auctions.quote().fraction == WAD * 7_000 // 14_840
