"""set_paused: the guardian stops, only the timelock starts again."""

from __future__ import annotations

import pytest

from prime_perps.errors import Revert
from tests.stage import address

from .conftest import Office

ALL = range(8)


@pytest.mark.parametrize("before", ALL)
def test_AC_1_set_paused__by_the_guardian__only_adds(office: Office, before: int) -> None:
    office.contract.set_paused(before, sender=address("timelock"))
    for paused in ALL:
        if paused & before == before:
            with office.stage.undone():
                office.contract.set_paused(paused, sender=address("guardian"))
                assert office.book.contract.settings().paused == paused
        else:
            with pytest.raises(Revert, match="roles: timelock only"):
                office.contract.set_paused(paused, sender=address("guardian"))


@pytest.mark.parametrize("before", ALL)
def test_AC_1_set_paused__by_the_timelock__sets_any(office: Office, before: int) -> None:
    for paused in ALL:
        office.contract.set_paused(before, sender=address("timelock"))
        receipt = office.contract.set_paused(paused, sender=address("timelock"))
        settings = office.book.contract.settings()
        assert settings == (office.stage.system.model.address, 100, 400, 5_000, paused)
        assert office.told(receipt) == [("SettingsChanged", {"settings": settings})]


@pytest.mark.parametrize("sender", ["guardian", "timelock"])
@pytest.mark.parametrize("paused", [8, 15, 2**48, 2**256 - 1])
def test_set_paused__unknown_bits__reverts(office: Office, sender: str, paused: int) -> None:
    with pytest.raises(Revert, match="settings: out of range"):
        office.contract.set_paused(paused, sender=address(sender))


@pytest.mark.parametrize("sender", ["attacker", "deployer", "governor"])
@pytest.mark.parametrize("paused", [0, 7])
def test_AC_1_set_paused__by_anybody_else__reverts(office: Office, sender: str, paused: int) -> None:
    with pytest.raises(Revert, match="roles: guardian only"):
        office.contract.set_paused(paused, sender=address(sender))
