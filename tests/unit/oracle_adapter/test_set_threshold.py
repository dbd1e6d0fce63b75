"""set_threshold: raising tightens at once, lowering waits for the timelock."""

from __future__ import annotations

import pytest

from prime_perps.errors import Revert

from .conftest import Desk, address_of


@pytest.mark.parametrize("threshold", [1, 2, 3, 8])
def test_set_threshold__timelock__sets_any(desk: Desk, threshold: int) -> None:
    receipt = desk.oracle.set_threshold(threshold, sender=desk.timelock)
    assert desk.oracle.threshold() == threshold
    assert list(desk.oracle.events(receipt)) == [("ThresholdSet", {"threshold": threshold})]


def test_set_threshold__guardian__raises_but_does_not_lower__AC_1(desk: Desk) -> None:
    desk.oracle.set_threshold(3, sender=desk.guardian)
    assert desk.oracle.threshold() == 3
    for threshold in (2, 3):
        with pytest.raises(Revert, match=r"^roles: timelock only$"):
            desk.oracle.set_threshold(threshold, sender=desk.guardian)


@pytest.mark.parametrize("role", ["keeper", "attacker", "deployer"])
def test_set_threshold__without_a_role__reverts(desk: Desk, role: str) -> None:
    with pytest.raises(Revert, match=r"^roles: guardian only$"):
        desk.oracle.set_threshold(3, sender=address_of(role))
    with pytest.raises(Revert, match=r"^roles: timelock only$"):
        desk.oracle.set_threshold(1, sender=address_of(role))


@pytest.mark.parametrize("threshold", [0, 9, 2**256 - 1])
def test_set_threshold__none_or_more_than_a_report_can_carry__reverts(desk: Desk, threshold: int) -> None:
    with pytest.raises(Revert, match=r"^oracle: bad threshold$"):
        desk.oracle.set_threshold(threshold, sender=desk.timelock)


def test_set_threshold__raised__asks_more_of_the_next_report(desk: Desk) -> None:
    signed = desk.sign(desk.report())
    desk.oracle.set_threshold(3, sender=desk.guardian)
    with pytest.raises(Revert, match=r"^oracle: too few signers$"):
        desk.submit(signed)
    desk.submit(desk.sign(desk.report(), desk.keys))
    assert desk.word().time == desk.now
