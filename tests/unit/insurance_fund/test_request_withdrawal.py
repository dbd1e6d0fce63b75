"""request_withdrawal: who wants to leave says so, and waits."""

from __future__ import annotations

import pytest

from prime_perps.errors import Revert
from prime_perps.units import wad
from tests.stage import address

from .conftest import COOLDOWN, WINDOW, Backing


def test_request_withdrawal__some_shares__notes_when_he_may_go(backing: Backing) -> None:
    backing.deposit("1000")
    receipt = backing.request(wad(10))
    ready, lapses = backing.now() + COOLDOWN, backing.now() + COOLDOWN + WINDOW
    assert backing.fund.request_of(address("backer")) == (wad(10), ready, lapses)
    assert backing.one("WithdrawalRequested", receipt) == {
        "backer": address("backer"),
        "shares": wad(10),
        "ready_at": ready,
        "lapses_at": lapses,
    }
    assert backing.shares() == wad(1_000)


def test_request_withdrawal__again__waits_anew(backing: Backing) -> None:
    backing.deposit("1000")
    backing.request(wad(10))
    backing.warp(COOLDOWN)
    backing.request(wad(20))
    with pytest.raises(Revert, match=r"^fund: not ready$"):
        backing.withdraw()
    assert backing.fund.request_of(address("backer")).shares == wad(20)


def test_request_withdrawal__of_nothing__takes_it_back(backing: Backing) -> None:
    backing.deposit("1000")
    backing.request()
    backing.request(0)
    assert backing.fund.request_of(address("backer")) == (0, 0, 0)


def test_request_withdrawal__more_than_he_has__reverts(backing: Backing) -> None:
    backing.deposit("1000")
    with pytest.raises(Revert, match=r"^fund: not enough shares$"):
        backing.request(wad(1_000) + 1)
