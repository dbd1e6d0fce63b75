"""The constructor, and what it leaves for everybody to see."""

from __future__ import annotations

from dataclasses import replace

import pytest

from prime_perps.chain import Contract
from prime_perps.errors import Revert
from prime_perps.reports import DEFAULT_LIMITS, Limits

from .conftest import Desk

WIDEST = Limits(
    age=(2**20 - 1,) * 7,
    floor=(2**12 - 1,) * 7,
    tolerance=(10_000,) * 7,
    growth=10_000,
    shut=10_000,
    report_age=2**16 - 1,
)
NARROWEST = Limits(age=(0,) * 7, floor=(0,) * 7, tolerance=(0,) * 7, growth=1, shut=0, report_age=1)


def deploy(desk: Desk, threshold: int, limits: Limits) -> Contract:
    return Contract.deploy(desk.backend, "OracleAdapter", threshold, limits, sender=desk.deployer)


def with_one(values: tuple[int, ...], session: int, value: int) -> tuple[int, ...]:
    return (*values[:session], value, *values[session + 1 :])


@pytest.mark.parametrize("limits", [DEFAULT_LIMITS, WIDEST, NARROWEST])
def test_deploy__limits_within_bounds__are_kept(desk: Desk, limits: Limits) -> None:
    kept = deploy(desk, 2, limits).limits()
    kept_by_session = (tuple(kept.age), tuple(kept.floor), tuple(kept.tolerance))
    assert Limits(*kept_by_session, kept.growth, kept.shut, kept.report_age) == limits


@pytest.mark.parametrize(
    "limits",
    [
        replace(DEFAULT_LIMITS, growth=0),
        replace(DEFAULT_LIMITS, growth=10_001),
        replace(DEFAULT_LIMITS, shut=10_001),
        replace(DEFAULT_LIMITS, shut=2**256 - 1),
        replace(DEFAULT_LIMITS, report_age=0),
        replace(DEFAULT_LIMITS, report_age=2**16),
        *(replace(DEFAULT_LIMITS, age=with_one(DEFAULT_LIMITS.age, s, 2**20)) for s in range(7)),
        *(replace(DEFAULT_LIMITS, tolerance=with_one(DEFAULT_LIMITS.tolerance, s, 10_001)) for s in range(7)),
        *(replace(DEFAULT_LIMITS, floor=with_one(DEFAULT_LIMITS.floor, s, 2**12)) for s in range(7)),
    ],
)
def test_deploy__limit_out_of_bounds__reverts(desk: Desk, limits: Limits) -> None:
    with pytest.raises(Revert, match=r"^oracle: bad limits$"):
        deploy(desk, 2, limits)


@pytest.mark.parametrize("threshold", [1, 8])
def test_deploy__threshold_within_bounds__is_kept(desk: Desk, threshold: int) -> None:
    assert deploy(desk, threshold, DEFAULT_LIMITS).threshold() == threshold


@pytest.mark.parametrize("threshold", [0, 9])
def test_deploy__threshold_out_of_bounds__reverts(desk: Desk, threshold: int) -> None:
    with pytest.raises(Revert, match=r"^oracle: bad threshold$"):
        deploy(desk, threshold, DEFAULT_LIMITS)


def test_deploy__deployer__hands_out_roles_and_has_no_other(desk: Desk) -> None:
    oracle = deploy(desk, 2, DEFAULT_LIMITS)
    assert oracle.hasRole(oracle.DEFAULT_ADMIN_ROLE(), desk.deployer)
    assert not oracle.hasRole(oracle.TIMELOCK_ROLE(), desk.deployer)
    assert not oracle.hasRole(oracle.GUARDIAN_ROLE(), desk.deployer)
    oracle.renounceRole(oracle.DEFAULT_ADMIN_ROLE(), desk.deployer, sender=desk.deployer)
    with pytest.raises(Revert, match=r"^access_control: account is missing role$"):
        oracle.grantRole(oracle.TIMELOCK_ROLE(), desk.deployer, sender=desk.deployer)


def test_deploy__domain__is_told(desk: Desk) -> None:
    _, name, version, chain_id, contract, _, _ = desk.oracle.eip712Domain()
    assert (name, version) == ("Prime Perps Oracle", "1")
    assert (chain_id, contract) == (desk.backend.chain_id(), desk.oracle.address)
