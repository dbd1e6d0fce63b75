"""set_cap: the guardian lowers at once, only the timelock raises (AC-1)."""

from __future__ import annotations

import pytest

from prime_perps.accounts import CASH
from prime_perps.errors import Revert

from .conftest import STOCK, UNLISTED, Safe

CAP_MAX = 2**91 - 1


@pytest.mark.parametrize("role", ["guardian", "timelock"])
def test_set_cap__lower__by_guardian_or_timelock(safe: Safe, role: str) -> None:
    receipt = safe.vault.set_cap(CASH, 5, sender=getattr(safe, role))
    assert safe.vault.asset(CASH).cap == 5
    assert list(safe.vault.events(receipt)) == [("CapSet", {"instrument": CASH, "cap": 5})]


def test_set_cap__raise__by_the_timelock(safe: Safe) -> None:
    safe.vault.set_cap(CASH, CAP_MAX, sender=safe.timelock)
    assert safe.vault.asset(CASH).cap == CAP_MAX


def test_AC_1_set_cap__raise_by_the_guardian__reverts(safe: Safe) -> None:
    cap = safe.vault.asset(CASH).cap
    with pytest.raises(Revert, match="roles: timelock only"):
        safe.vault.set_cap(CASH, cap + 1, sender=safe.guardian)
    safe.vault.set_cap(CASH, cap, sender=safe.guardian)


def test_set_cap__by_anybody_else__reverts(safe: Safe) -> None:
    with pytest.raises(Revert, match="roles: guardian only"):
        safe.vault.set_cap(CASH, 0, sender=safe.attacker)


def test_set_cap__too_large__reverts(safe: Safe) -> None:
    with pytest.raises(Revert, match="vault: cap too large"):
        safe.vault.set_cap(CASH, CAP_MAX + 1, sender=safe.timelock)


@pytest.mark.parametrize("instrument", [0, UNLISTED, 256])
def test_set_cap__not_listed__reverts(safe: Safe, instrument: int) -> None:
    with pytest.raises(Revert, match="vault: not listed"):
        safe.vault.set_cap(instrument, 1, sender=safe.timelock)


def test_set_cap__below_what_is_booked__keeps_the_book(safe: Safe) -> None:
    safe.deposit(STOCK, 100)
    safe.vault.set_cap(STOCK, 1, sender=safe.guardian)
    assert safe.vault.asset(STOCK) == (safe.tokens[STOCK].address, 18, 1, 100)
