"""set_fees: by the timelock, within bounds that no governance can pass."""

from __future__ import annotations

import pytest

from prime_perps.errors import Revert
from tests.stage import address

from .conftest import Office


@pytest.mark.parametrize(("maker", "taker", "share"), [(0, 0, 0), (5_000, 5_000, 10_000), (1, 2, 3)])
def test_set_fees__within_bounds__are_set_and_nothing_else(office: Office, maker: int, taker: int, share: int) -> None:
    office.contract.set_paused(5, sender=address("guardian"))
    receipt = office.contract.set_fees(maker, taker, share, sender=address("timelock"))
    settings = office.book.contract.settings()
    assert settings == (office.stage.system.model.address, maker, taker, share, 5)
    assert office.told(receipt) == [("SettingsChanged", {"settings": settings})]


@pytest.mark.parametrize(
    ("maker", "taker", "share"),
    [(5_001, 0, 0), (0, 5_001, 0), (0, 0, 10_001), (2**16, 0, 0), (0, 2**256 - 1, 0), (0, 0, 2**16)],
)
def test_set_fees__out_of_bounds__reverts(office: Office, maker: int, taker: int, share: int) -> None:
    with pytest.raises(Revert, match="settings: out of range"):
        office.contract.set_fees(maker, taker, share, sender=address("timelock"))


@pytest.mark.parametrize("sender", ["attacker", "guardian", "deployer", "treasury"])
def test_AC_1_set_fees__not_by_the_timelock__reverts(office: Office, sender: str) -> None:
    with pytest.raises(Revert, match="roles: timelock only"):
        office.contract.set_fees(0, 0, 0, sender=address(sender))
