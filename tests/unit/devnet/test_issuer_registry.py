"""Whom the issuer knows, for what, and who says so."""

from __future__ import annotations

import pytest
from eth_utils import keccak, to_checksum_address

from prime_perps.chain import Contract
from prime_perps.errors import Revert
from tests.unit.devnet.conftest import STRANGER, USER, Desk

ZERO = "0x" + "00" * 20


@pytest.fixture
def registry(desk: Desk) -> Contract:
    return desk.issuer.registry


def test_identifiers__of_manager_and_in_kind__are_the_issuers(desk: Desk) -> None:
    stocks = to_checksum_address(keccak(text="global_markets")[12:])
    assert desk.manager.gmIdentifier() == desk.issuer.in_kind.gm_identifier() == stocks
    assert desk.issuer.in_kind.in_kind_identifier() == to_checksum_address(keccak(text="alpaca_itn")[12:])


def test_register__one_address__has_the_id_for_that_and_nothing_else(
    desk: Desk, registry: Contract, receiver: str
) -> None:
    receipt = registry.register(desk.stock, receiver, USER, sender=desk.operator)
    told = {"rwaToken": desk.stock.address, "user": receiver, "userID": USER}
    assert list(registry.events(receipt)) == [("UserIDSet", told)]
    assert registry.getRegisteredID(desk.stock, receiver) == USER
    assert registry.getRegisteredID(desk.usdon, receiver) == bytes(32)


def test_register__another_id__replaces_the_first(desk: Desk, registry: Contract) -> None:
    registry.register(desk.manager.gmIdentifier(), desk.holder, STRANGER, sender=desk.operator)
    with pytest.raises(Revert, match="issuer: other user"):
        desk.mint(desk.quote())


def test_register__the_same_id_again__reverts(desk: Desk, registry: Contract) -> None:
    with pytest.raises(Revert, match="issuer: registered already"):
        registry.register(desk.usdon, desk.holder, USER, sender=desk.operator)


def test_register__no_id_or_no_address__reverts(desk: Desk, registry: Contract, receiver: str) -> None:
    with pytest.raises(Revert, match="issuer: bad id"):
        registry.register(desk.stock, receiver, bytes(32), sender=desk.operator)
    for token, user in ((ZERO, receiver), (desk.stock, ZERO)):
        with pytest.raises(Revert, match="issuer: zero address"):
            registry.register(token, user, USER, sender=desk.operator)
        with pytest.raises(Revert, match="issuer: zero address"):
            registry.getRegisteredID(token, user)


def test_remove__a_user__ends_what_it_may_do(desk: Desk, registry: Contract) -> None:
    identifier = desk.manager.gmIdentifier()
    receipt = registry.remove(identifier, desk.holder, sender=desk.operator)
    told = {"rwaToken": identifier, "user": desk.holder, "userID": bytes(32)}
    assert list(registry.events(receipt)) == [("UserIDSet", told)]
    with pytest.raises(Revert, match="issuer: not registered"):
        desk.mint(desk.quote())
    with pytest.raises(Revert, match="issuer: not registered"):
        registry.remove(identifier, desk.holder, sender=desk.operator)


def test_registrar__named_by_the_owner__registers_and_nobody_else(
    desk: Desk, registry: Contract, spender: str, receiver: str
) -> None:
    with pytest.raises(Revert, match="issuer: registrar only"):
        registry.register(desk.stock, receiver, USER, sender=spender)
    receipt = registry.set_registrar(spender, True, sender=desk.operator)
    assert list(registry.events(receipt)) == [("RegistrarSet", {"registrar": spender, "allowed": True})]
    registry.register(desk.stock, receiver, USER, sender=spender)
    registry.set_registrar(spender, False, sender=desk.operator)
    with pytest.raises(Revert, match="issuer: registrar only"):
        registry.remove(desk.stock, receiver, sender=spender)


def test_set_registrar__by_anybody_else__reverts(registry: Contract, attacker: str) -> None:
    with pytest.raises(Revert, match="ownable: caller is not the owner"):
        registry.set_registrar(attacker, True, sender=attacker)
