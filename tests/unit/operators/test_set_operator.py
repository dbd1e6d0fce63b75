"""set_operator, operator, is_authorized: who may act for an account, and until when."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from prime_perps.accounts import Permission, account_id
from prime_perps.chain import Contract
from prime_perps.errors import Revert
from tests.stage import Stage, account, address

EACH = [Permission.TRADE, Permission.DEPOSIT, Permission.WITHDRAW, Permission.LIQUIDATE]
ALL = sum(EACH)
ZERO = "0x" + "00" * 20


@pytest.fixture(scope="module")
def shared_stage() -> Stage:
    return Stage.deployed()


@pytest.fixture
def stage(shared_stage: Stage) -> Iterator[Stage]:
    with shared_stage.undone():
        yield shared_stage


@pytest.fixture
def register(stage: Stage) -> Contract:
    return stage.system.operators


def _granted(register: Contract, who: str, sub: int = 0) -> set[Permission]:
    """What `who` may do for a sub-account of the holder's."""
    return {each for each in EACH if register.is_authorized(account("holder", sub), address(who), each)}


def _set(register: Contract, permissions: int, expiry: int, sub: int = 0, who: str = "operator") -> None:
    holder = address("holder")
    register.set_operator(account("holder", sub), address(who), permissions, expiry, sender=holder)


def test_is_authorized__owner__may_do_everything_for_any_sub_account(register: Contract) -> None:
    for sub in (0, 1, 2**96 - 1):
        assert _granted(register, "holder", sub) == set(EACH)


def test_is_authorized__stranger__may_do_nothing(register: Contract) -> None:
    assert _granted(register, "attacker") == set()


@pytest.mark.parametrize("permission", EACH)
def test_set_operator__one_permission__grants_that_and_no_other(
    register: Contract, stage: Stage, permission: int
) -> None:
    _set(register, permission, stage.now() + 1)
    assert _granted(register, "operator") == {permission}
    assert register.operator(account("holder"), address("operator")) == (permission, stage.now() + 1)


def test_is_authorized__several_at_once__needs_every_one(register: Contract, stage: Stage) -> None:
    _set(register, Permission.TRADE | Permission.DEPOSIT, stage.now())
    holder, operator = account("holder"), address("operator")
    assert register.is_authorized(holder, operator, Permission.TRADE | Permission.DEPOSIT)
    assert not register.is_authorized(holder, operator, Permission.TRADE | Permission.WITHDRAW)


def test_is_authorized__no_permission_asked__is_refused_to_an_operator(register: Contract, stage: Stage) -> None:
    _set(register, ALL, stage.now())
    assert not register.is_authorized(account("holder"), address("operator"), 0)


def test_is_authorized__unknown_permission__is_refused_to_an_operator(register: Contract, stage: Stage) -> None:
    _set(register, ALL, stage.now())
    assert not register.is_authorized(account("holder"), address("operator"), 16)


def test_set_operator__expiry__is_the_last_second(register: Contract, stage: Stage) -> None:
    _set(register, ALL, stage.now() + 10)
    stage.warp(10)
    assert _granted(register, "operator") == set(EACH)
    stage.warp(1)
    assert _granted(register, "operator") == set()


def test_set_operator__revoked__may_do_nothing(register: Contract, stage: Stage) -> None:
    _set(register, ALL, stage.now() + 10)
    _set(register, 0, 0)
    assert _granted(register, "operator") == set()
    assert register.operator(account("holder"), address("operator")) == (0, 0)


def test_set_operator__again__replaces_what_was(register: Contract, stage: Stage) -> None:
    _set(register, Permission.TRADE, stage.now() + 10)
    _set(register, Permission.DEPOSIT, stage.now())
    assert register.operator(account("holder"), address("operator")) == (Permission.DEPOSIT, stage.now())


def test_set_operator__one_sub_account__is_no_operator_of_another(register: Contract, stage: Stage) -> None:
    _set(register, ALL, stage.now(), sub=1)
    assert _granted(register, "operator", sub=1) == set(EACH)
    assert _granted(register, "operator", sub=0) == set()


def test_set_operator__several__are_independent(register: Contract, stage: Stage) -> None:
    _set(register, Permission.TRADE, stage.now())
    _set(register, Permission.DEPOSIT, stage.now(), who="keeper")
    assert _granted(register, "operator") == {Permission.TRADE}
    assert _granted(register, "keeper") == {Permission.DEPOSIT}


def test_set_operator__always__says_so(register: Contract, stage: Stage) -> None:
    holder, operator = account("holder"), address("operator")
    receipt = register.set_operator(holder, operator, 5, 2**64 - 1, sender=address("holder"))
    told = {"account": holder, "operator": operator, "permissions": 5, "expiry": 2**64 - 1}
    assert list(register.events(receipt)) == [("OperatorSet", told)]
    assert register.operator(holder, operator) == (5, 2**64 - 1)


@pytest.mark.parametrize("sub", [0, 7])
def test_CH_5_set_operator__not_by_the_owner__reverts(register: Contract, stage: Stage, sub: int) -> None:
    """Not even by an operator with every permission: a session key makes no session keys."""
    _set(register, ALL, stage.now(), sub=sub)
    for sender in ("attacker", "operator"):
        with pytest.raises(Revert, match="accounts: owner only"):
            register.set_operator(account("holder", sub), address("attacker"), 1, stage.now(), sender=address(sender))


def test_set_operator__account_of_nobody__belongs_to_no_caller(register: Contract) -> None:
    with pytest.raises(Revert, match="accounts: owner only"):
        register.set_operator(account_id(ZERO, 1), address("attacker"), 1, 1, sender=address("attacker"))


def test_set_operator__nobody__reverts(register: Contract) -> None:
    with pytest.raises(Revert, match="accounts: bad operator"):
        register.set_operator(account("holder"), ZERO, 1, 1, sender=address("holder"))


@pytest.mark.parametrize(("permissions", "expiry"), [(16, 1), (2**256 - 1, 1), (1, 2**64)])
def test_set_operator__out_of_range__reverts(register: Contract, permissions: int, expiry: int) -> None:
    with pytest.raises(Revert, match="accounts: bad permissions"):
        _set(register, permissions, expiry)
