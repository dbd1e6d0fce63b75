"""set_signer: allowing loosens and waits for the timelock, disallowing tightens at once."""

from __future__ import annotations

import pytest

from prime_perps.errors import Revert

from .conftest import Desk, address_of, signer_of

NOBODY = "0x" + "00" * 20


def test_set_signer__timelock__allows_and_disallows(desk: Desk) -> None:
    signer = signer_of(desk.stranger_key)
    assert not desk.oracle.is_signer(signer)
    for allowed in (True, False):
        receipt = desk.oracle.set_signer(signer, allowed, sender=desk.timelock)
        assert desk.oracle.is_signer(signer) == allowed
        assert list(desk.oracle.events(receipt)) == [("SignerSet", {"signer": signer, "allowed": allowed})]


def test_set_signer__guardian__disallows_but_does_not_allow__AC_1(desk: Desk) -> None:
    signer = signer_of(desk.keys[0])
    desk.oracle.set_signer(signer, False, sender=desk.guardian)
    assert not desk.oracle.is_signer(signer)
    with pytest.raises(Revert, match=r"^roles: timelock only$"):
        desk.oracle.set_signer(signer, True, sender=desk.guardian)


@pytest.mark.parametrize("role", ["keeper", "attacker", "deployer"])
def test_set_signer__without_a_role__reverts(desk: Desk, role: str) -> None:
    signer = signer_of(desk.keys[0])
    with pytest.raises(Revert, match=r"^roles: timelock only$"):
        desk.oracle.set_signer(signer, True, sender=address_of(role))
    with pytest.raises(Revert, match=r"^roles: guardian only$"):
        desk.oracle.set_signer(signer, False, sender=address_of(role))


@pytest.mark.parametrize("allowed", [True, False])
def test_set_signer__zero_address__reverts(desk: Desk, allowed: bool) -> None:
    with pytest.raises(Revert, match=r"^oracle: bad signer$"):
        desk.oracle.set_signer(NOBODY, allowed, sender=desk.timelock)
