"""The issuer's dollar: what it shares with its stocks."""

from __future__ import annotations

import pytest

from prime_perps.errors import Revert
from prime_perps.units import WAD
from tests.unit.devnet.conftest import Desk


def test_metadata__always__is_a_dollar_of_18_decimals(desk: Desk) -> None:
    usdon = desk.usdon
    assert (usdon.symbol(), usdon.decimals()) == ("USDon", 18)
    assert usdon.compliance() == desk.issuer.compliance.address


def test_transfer__any_party_blocked__reverts(desk: Desk, spender: str, receiver: str) -> None:
    desk.usdon.approve(spender, 3 * WAD, sender=desk.holder)
    desk.usdon.transferFrom(desk.holder, receiver, WAD, sender=spender)
    for party in (desk.holder, spender, receiver):
        desk.issuer.compliance.set_blocked(party, True, sender=desk.operator)
        with pytest.raises(Revert, match="compliance: blocked"):
            desk.usdon.transferFrom(desk.holder, receiver, WAD, sender=spender)
        desk.issuer.compliance.set_blocked(party, False, sender=desk.operator)
    assert desk.usdon.balanceOf(receiver) == WAD


def test_pause__set__stops_transfers_mints_and_burns(desk: Desk, receiver: str) -> None:
    desk.usdon.set_burner(desk.operator, True, sender=desk.operator)
    desk.usdon.set_paused(True, sender=desk.operator)
    for refused in (
        lambda: desk.usdon.transfer(receiver, 1, sender=desk.holder),
        lambda: desk.usdon.mint(receiver, 1, sender=desk.operator),
        lambda: desk.usdon.burn(desk.holder, 1, sender=desk.operator),
    ):
        with pytest.raises(Revert, match="token: paused"):
            refused()


def test_pause__of_a_stock__leaves_the_dollar_alone(desk: Desk, receiver: str) -> None:
    desk.stock.set_paused(True, sender=desk.operator)
    desk.usdon.transfer(receiver, WAD, sender=desk.holder)


def test_roles__without_them__neither_mint_nor_burn(desk: Desk, attacker: str) -> None:
    with pytest.raises(Revert, match="token: minter only"):
        desk.usdon.mint(attacker, 1, sender=attacker)
    with pytest.raises(Revert, match="token: burner only"):
        desk.usdon.burn(desk.holder, 1, sender=attacker)


def test_burn__by_a_burner__needs_no_allowance(desk: Desk) -> None:
    before = desk.usdon.totalSupply()
    desk.usdon.set_burner(desk.operator, True, sender=desk.operator)
    desk.usdon.burn(desk.holder, WAD, sender=desk.operator)
    assert desk.usdon.totalSupply() == before - WAD
