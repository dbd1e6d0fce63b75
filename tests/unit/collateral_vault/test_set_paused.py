"""set_paused: the guardian stops withdrawals at once, only the timelock lets them resume (AC-1)."""

from __future__ import annotations

import pytest

from prime_perps.errors import Revert

from .conftest import Safe


@pytest.mark.parametrize("role", ["guardian", "timelock"])
def test_set_paused__stop__by_guardian_or_timelock(safe: Safe, role: str) -> None:
    receipt = safe.vault.set_paused(True, sender=getattr(safe, role))
    assert safe.vault.paused()
    assert list(safe.vault.events(receipt)) == [("PausedSet", {"paused": True})]


def test_set_paused__resume__by_the_timelock(safe: Safe) -> None:
    safe.vault.set_paused(True, sender=safe.guardian)
    safe.vault.set_paused(False, sender=safe.timelock)
    assert not safe.vault.paused()


def test_AC_1_set_paused__resume_by_the_guardian__reverts(safe: Safe) -> None:
    safe.vault.set_paused(True, sender=safe.guardian)
    with pytest.raises(Revert, match="roles: timelock only"):
        safe.vault.set_paused(False, sender=safe.guardian)


@pytest.mark.parametrize("paused", [True, False])
def test_set_paused__by_anybody_else__reverts(safe: Safe, paused: bool) -> None:
    with pytest.raises(Revert, match="roles: guardian only"):
        safe.vault.set_paused(paused, sender=safe.attacker)
