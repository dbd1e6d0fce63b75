"""set_treasury: the account that gets what insurance does not keep."""

from __future__ import annotations

import pytest

from prime_perps.errors import Revert
from tests.stage import account, address

from .conftest import Office


def test_set_treasury__by_the_timelock__gets_the_next_fees(office: Office) -> None:
    receipt = office.contract.set_treasury(account("holder", 7), sender=address("timelock"))
    assert office.told(receipt) == [("TreasurySet", {"treasury": account("holder", 7)})]
    assert office.book.contract.treasury() == account("holder", 7)
    office.trade("10")
    collected = office.book.fees()
    assert collected > 0
    office.book.contract.distribute_fees(sender=address("keeper"))
    assert office.book.contract.money(account("holder", 7)).cash == collected // 2
    assert office.book.cash("treasury") == 0


@pytest.mark.parametrize("sender", ["attacker", "guardian", "deployer", "treasury"])
def test_AC_1_set_treasury__not_by_the_timelock__reverts(office: Office, sender: str) -> None:
    with pytest.raises(Revert, match="roles: timelock only"):
        office.contract.set_treasury(account("attacker"), sender=address(sender))
