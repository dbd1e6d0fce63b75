"""The stand-in for rebasing stock tokens: balances follow the multiplier, amounts round to whole shares."""

from __future__ import annotations

import pytest

from prime_perps.chain import Contract
from prime_perps.chain.revm import RevmBackend
from prime_perps.errors import Revert
from prime_perps.units import WAD

ZERO = "0x" + "00" * 20


@pytest.fixture
def token(backend: RevmBackend, issuer: str, holder: str) -> Contract:
    token = Contract.deploy(backend, "RebasingToken", sender=issuer)
    token.mint(holder, 100 * WAD, sender=issuer)
    return token


def test_update_multiplier__split__changes_every_balance_and_no_share(
    token: Contract, issuer: str, holder: str
) -> None:
    token.update_multiplier(10 * WAD, sender=issuer)
    assert token.balanceOf(holder) == token.totalSupply() == 1_000 * WAD
    assert token.sharesOf(holder) == 100 * WAD


def test_update_multiplier__by_anybody_else__reverts(token: Contract, attacker: str) -> None:
    with pytest.raises(Revert, match="ownable: caller is not the owner"):
        token.update_multiplier(2 * WAD, sender=attacker)


def test_update_multiplier__zero__reverts(token: Contract, issuer: str) -> None:
    with pytest.raises(Revert, match="rebasing: zero multiplier"):
        token.update_multiplier(0, sender=issuer)


def test_transfer__multiplier_of_one__moves_the_amount(token: Contract, holder: str, receiver: str) -> None:
    token.transfer(receiver, 30 * WAD, sender=holder)
    assert (token.balanceOf(holder), token.balanceOf(receiver)) == (70 * WAD, 30 * WAD)


def test_transfer__amount_between_shares__moves_less_than_asked(
    token: Contract, issuer: str, holder: str, receiver: str
) -> None:
    token.update_multiplier(3 * WAD, sender=issuer)
    token.transfer(receiver, WAD, sender=holder)
    assert token.balanceOf(receiver) == WAD - 1


def test_transfer_from__all_there_is__leaves_nothing(token: Contract, holder: str, spender: str, receiver: str) -> None:
    token.approve(spender, 100 * WAD, sender=holder)
    token.transferFrom(holder, receiver, 100 * WAD, sender=spender)
    assert token.balanceOf(holder) == token.allowance(holder, spender) == 0


def test_transfer__more_than_the_balance__reverts(token: Contract, holder: str, receiver: str) -> None:
    with pytest.raises(Revert, match="rebasing: balance too small"):
        token.transfer(receiver, 100 * WAD + 1, sender=holder)


def test_transfer__to_nobody__reverts(token: Contract, holder: str) -> None:
    with pytest.raises(Revert, match="rebasing: zero receiver"):
        token.transfer(ZERO, 1, sender=holder)


def test_transfer_from__within_the_allowance__uses_it_up(
    token: Contract, holder: str, spender: str, receiver: str
) -> None:
    token.approve(spender, 2 * WAD, sender=holder)
    token.transferFrom(holder, receiver, WAD, sender=spender)
    assert token.balanceOf(receiver) == token.allowance(holder, spender) == WAD


def test_transfer_from__beyond_the_allowance__reverts(
    token: Contract, holder: str, spender: str, receiver: str
) -> None:
    with pytest.raises(Revert, match="rebasing: allowance too small"):
        token.transferFrom(holder, receiver, 1, sender=spender)


def test_mint__by_anybody_else__reverts(token: Contract, attacker: str) -> None:
    with pytest.raises(Revert, match="ownable: caller is not the owner"):
        token.mint(attacker, 1, sender=attacker)


def test_events__everything_that_moves__says_so(
    token: Contract, issuer: str, holder: str, spender: str, receiver: str
) -> None:
    token.update_multiplier(2 * WAD, sender=issuer)
    for receipt, sender in (
        (token.mint(receiver, 2 * WAD, sender=issuer), ZERO),
        (token.transfer(receiver, 2 * WAD, sender=holder), holder),
    ):
        assert list(token.events(receipt)) == [
            ("Transfer", {"sender": sender, "receiver": receiver, "value": 2 * WAD}),
            ("TransferShares", {"owner": sender, "to": receiver, "shares": WAD}),
        ]
    approval = {"owner": holder, "spender": spender, "value": 3}
    assert list(token.events(token.approve(spender, 3, sender=holder))) == [("Approval", approval)]
    updated = token.update_multiplier(WAD, sender=issuer)
    assert list(token.events(updated)) == [("MultiplierUpdated", {"multiplier": WAD})]
