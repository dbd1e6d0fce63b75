"""The stand-ins for tokens that return nothing and tokens that keep a fee."""

from __future__ import annotations

import pytest

from prime_perps.chain import Contract
from prime_perps.chain.revm import RevmBackend
from prime_perps.errors import Revert
from prime_perps.units import WAD

BITCOIN = 10**8


@pytest.fixture
def silent(backend: RevmBackend, issuer: str, holder: str) -> Contract:
    token = Contract.deploy(backend, "SilentToken", sender=issuer)
    token.mint(holder, 100 * BITCOIN, sender=issuer)
    return token


@pytest.fixture
def fee(backend: RevmBackend, issuer: str, holder: str) -> Contract:
    token = Contract.deploy(backend, "FeeToken", 100, sender=issuer)
    token.mint(holder, 100 * WAD, sender=issuer)
    return token


def test_silent_transfer__enough_balance__moves_and_returns_nothing(
    backend: RevmBackend, silent: Contract, holder: str, receiver: str
) -> None:
    assert silent.decimals() == 8
    assert backend.call(silent.address, silent.transfer.encode(receiver, BITCOIN), holder) == b""
    silent.transfer(receiver, BITCOIN, sender=holder)
    assert (silent.balanceOf(holder), silent.balanceOf(receiver)) == (99 * BITCOIN, BITCOIN)


def test_silent_transfer__more_than_the_balance__reverts(silent: Contract, holder: str, receiver: str) -> None:
    with pytest.raises(Revert, match="erc20: transfer amount exceeds balance"):
        silent.transfer(receiver, 101 * BITCOIN, sender=holder)


def test_silent_transfer_from__within_the_allowance__uses_it_up(
    backend: RevmBackend, silent: Contract, holder: str, spender: str, receiver: str
) -> None:
    silent.approve(spender, 3 * BITCOIN, sender=holder)
    assert backend.call(silent.address, silent.transferFrom.encode(holder, receiver, BITCOIN), spender) == b""
    silent.transferFrom(holder, receiver, BITCOIN, sender=spender)
    assert silent.allowance(holder, spender) == 2 * BITCOIN


def test_silent_approve__from_one_amount_to_another__reverts(silent: Contract, holder: str, spender: str) -> None:
    silent.approve(spender, 1, sender=holder)
    with pytest.raises(Revert, match="silent: allowance not zero"):
        silent.approve(spender, 2, sender=holder)
    silent.approve(spender, 0, sender=holder)
    silent.approve(spender, 2, sender=holder)
    assert silent.allowance(holder, spender) == 2


def test_fee_transfer__one_percent__goes_to_the_owner(fee: Contract, issuer: str, holder: str, receiver: str) -> None:
    fee.transfer(receiver, 50 * WAD, sender=holder)
    assert fee.balanceOf(receiver) == 49 * WAD + WAD // 2
    assert fee.balanceOf(issuer) == WAD // 2
    assert fee.totalSupply() == 100 * WAD


def test_fee_transfer__fee_of_zero__moves_the_whole_amount(
    fee: Contract, issuer: str, holder: str, spender: str, receiver: str
) -> None:
    fee.set_fee(0, sender=issuer)
    fee.approve(spender, WAD, sender=holder)
    fee.transferFrom(holder, receiver, WAD, sender=spender)
    assert fee.balanceOf(receiver) == WAD


def test_fee_set_fee__everything__is_the_most_there_is(fee: Contract, issuer: str) -> None:
    receipt = fee.set_fee(10_000, sender=issuer)
    assert list(fee.events(receipt)) == [("FeeSet", {"fee_bps": 10_000})]


def test_fee_set_fee__over_everything__reverts(fee: Contract, issuer: str) -> None:
    with pytest.raises(Revert, match="fee: over 100%"):
        fee.set_fee(10_001, sender=issuer)


def test_fee_set_fee__by_anybody_else__reverts(fee: Contract, attacker: str) -> None:
    with pytest.raises(Revert, match="ownable: caller is not the owner"):
        fee.set_fee(0, sender=attacker)
