"""The timelock: nothing sooner than the delay, nobody above it, and what waits can be stopped.

The mechanics are snekmate's and tested there; these tests hold the deployable to its trust model.
"""

from __future__ import annotations

from dataclasses import dataclass

import pytest
from eth_utils import keccak, to_checksum_address

from prime_perps.chain import Contract
from prime_perps.chain.contract import Method
from prime_perps.chain.revm import RevmBackend
from prime_perps.errors import Revert

DELAY = 3_600
NOTHING = bytes(32)
ZERO = "0x" + "00" * 20
MISSING_ROLE = "access_control: account is missing role"


def address_of(role: str) -> str:
    return to_checksum_address(keccak(text=role)[12:])


@dataclass(frozen=True)
class Governance:
    """A timelock that owns a stablecoin, the thing it acts on here."""

    backend: RevmBackend
    timelock: Contract
    coin: Contract
    deployer: str = address_of("deployer")
    proposer: str = address_of("proposer")
    executor: str = address_of("executor")
    canceller: str = address_of("canceller")
    holder: str = address_of("holder")
    attacker: str = address_of("attacker")

    def schedule(self, call: bytes, target: Contract | None = None, delay: int = DELAY, sender: str = "") -> bytes:
        """Queue one call, to the coin unless said otherwise. Returns the operation's id."""
        operation = ((target or self.coin).address, 0, call, NOTHING, NOTHING)
        self.timelock.schedule(*operation, delay, sender=sender or self.proposer)
        return bytes(self.timelock.hash_operation(*operation))

    def execute(self, call: bytes, target: Contract | None = None, sender: str = "") -> None:
        self.timelock.execute((target or self.coin).address, 0, call, NOTHING, NOTHING, sender=sender or self.executor)

    def pass_through(self, method: Method, *args: object) -> None:
        """Schedule, wait, execute."""
        call = method.encode(*args)
        self.schedule(call, method.contract)
        self.backend.warp(DELAY)
        self.execute(call, method.contract)


def governance_with(executors: list[str] | None = None) -> Governance:
    backend, deployer = RevmBackend(), address_of("deployer")
    timelock = Contract.deploy(
        backend,
        "Timelock",
        DELAY,
        [address_of("proposer")],
        executors or [address_of("executor")],
        [address_of("canceller")],
        sender=deployer,
    )
    coin = Contract.deploy(backend, "Stablecoin", sender=deployer)
    coin.transfer_ownership(timelock, sender=deployer)
    return Governance(backend, timelock, coin)


@pytest.fixture
def governance() -> Governance:
    return governance_with()


@pytest.fixture
def mint(governance: Governance) -> bytes:
    return governance.coin.mint.encode(governance.holder, 100)


def test_init__always__leaves_nobody_above_the_delay(governance: Governance) -> None:
    timelock = governance.timelock
    admin = timelock.DEFAULT_ADMIN_ROLE()
    assert timelock.hasRole(admin, timelock)
    assert not timelock.hasRole(admin, governance.deployer)
    assert timelock.get_minimum_delay() == DELAY


def test_init__always__gives_every_role_to_those_named(governance: Governance) -> None:
    timelock = governance.timelock
    held = {
        who: {
            role
            for role in ("PROPOSER_ROLE", "EXECUTOR_ROLE", "CANCELLER_ROLE")
            if timelock.hasRole(getattr(timelock, role)(), getattr(governance, who))
        }
        for who in ("proposer", "executor", "canceller", "deployer", "attacker")
    }
    assert held == {
        "proposer": {"PROPOSER_ROLE", "CANCELLER_ROLE"},
        "executor": {"EXECUTOR_ROLE"},
        "canceller": {"CANCELLER_ROLE"},
        "deployer": set(),
        "attacker": set(),
    }


def test_execute__after_the_delay__acts_as_the_timelock(governance: Governance, mint: bytes) -> None:
    operation = governance.schedule(mint)
    governance.backend.warp(DELAY)
    governance.execute(mint)
    assert governance.coin.balanceOf(governance.holder) == 100
    assert governance.timelock.is_operation_done(operation)


def test_execute__a_second_too_early__reverts(governance: Governance, mint: bytes) -> None:
    governance.schedule(mint)
    governance.backend.warp(DELAY - 1)
    with pytest.raises(Revert, match="timelock_controller: operation is not ready"):
        governance.execute(mint)


def test_execute__never_scheduled__reverts(governance: Governance, mint: bytes) -> None:
    with pytest.raises(Revert, match="timelock_controller: operation is not ready"):
        governance.execute(mint)


def test_execute__twice__reverts(governance: Governance, mint: bytes) -> None:
    governance.schedule(mint)
    governance.backend.warp(DELAY)
    governance.execute(mint)
    with pytest.raises(Revert, match="timelock_controller: operation is not ready"):
        governance.execute(mint)


def test_execute__target_refuses__passes_its_reason_on(governance: Governance) -> None:
    refused = governance.coin.mint.encode(governance.coin, 1)
    governance.schedule(refused)
    governance.backend.warp(DELAY)
    with pytest.raises(Revert, match="stablecoin: blocked"):
        governance.execute(refused)


def test_schedule__shorter_than_the_delay__reverts(governance: Governance, mint: bytes) -> None:
    with pytest.raises(Revert, match="timelock_controller: insufficient delay"):
        governance.schedule(mint, delay=DELAY - 1)


@pytest.mark.parametrize("role", ["executor", "canceller", "deployer", "attacker"])
def test_schedule__by_anybody_but_a_proposer__reverts(governance: Governance, mint: bytes, role: str) -> None:
    with pytest.raises(Revert, match=MISSING_ROLE):
        governance.schedule(mint, sender=getattr(governance, role))


@pytest.mark.parametrize("role", ["proposer", "canceller", "deployer", "attacker"])
def test_execute__by_anybody_but_an_executor__reverts(governance: Governance, mint: bytes, role: str) -> None:
    governance.schedule(mint)
    governance.backend.warp(DELAY)
    with pytest.raises(Revert, match=MISSING_ROLE):
        governance.execute(mint, sender=getattr(governance, role))


def test_execute__executor_role_open__by_anybody() -> None:
    governance = governance_with(executors=[ZERO])
    mint = governance.coin.mint.encode(governance.holder, 100)
    governance.schedule(mint)
    governance.backend.warp(DELAY)
    governance.execute(mint, sender=governance.attacker)
    assert governance.coin.balanceOf(governance.holder) == 100


@pytest.mark.parametrize("role", ["proposer", "canceller"])
def test_cancel__what_waits__is_never_executed(governance: Governance, mint: bytes, role: str) -> None:
    operation = governance.schedule(mint)
    governance.timelock.cancel(operation, sender=getattr(governance, role))
    governance.backend.warp(DELAY)
    with pytest.raises(Revert, match="timelock_controller: operation is not ready"):
        governance.execute(mint)


@pytest.mark.parametrize("role", ["executor", "deployer", "attacker"])
def test_cancel__by_anybody_else__reverts(governance: Governance, mint: bytes, role: str) -> None:
    operation = governance.schedule(mint)
    with pytest.raises(Revert, match=MISSING_ROLE):
        governance.timelock.cancel(operation, sender=getattr(governance, role))


@pytest.mark.parametrize("role", ["proposer", "executor", "canceller", "deployer", "attacker"])
def test_update_delay__by_anybody_directly__reverts(governance: Governance, role: str) -> None:
    with pytest.raises(Revert, match="timelock_controller: caller must be timelock"):
        governance.timelock.update_delay(0, sender=getattr(governance, role))


def test_update_delay__through_the_timelock__holds_from_then_on(governance: Governance, mint: bytes) -> None:
    """The timelock calls itself here, so it must not be locked against re-entry."""
    governance.pass_through(governance.timelock.update_delay, 2 * DELAY)
    assert governance.timelock.get_minimum_delay() == 2 * DELAY
    with pytest.raises(Revert, match="timelock_controller: insufficient delay"):
        governance.schedule(mint)


def test_revoke_role__through_the_timelock__takes_the_veto_away(governance: Governance, mint: bytes) -> None:
    timelock = governance.timelock
    governance.pass_through(timelock.revokeRole, timelock.CANCELLER_ROLE(), governance.canceller)
    operation = governance.schedule(mint)
    with pytest.raises(Revert, match=MISSING_ROLE):
        timelock.cancel(operation, sender=governance.canceller)


@pytest.mark.parametrize("role", ["proposer", "executor", "canceller", "deployer", "attacker"])
def test_grant_role__by_anybody_directly__reverts(governance: Governance, role: str) -> None:
    timelock, sender = governance.timelock, getattr(governance, role)
    with pytest.raises(Revert, match=MISSING_ROLE):
        timelock.grantRole(timelock.PROPOSER_ROLE(), sender, sender=sender)


def test_execute_batch__one_call_fails__does_none_of_them(governance: Governance, mint: bytes) -> None:
    refused = governance.coin.mint.encode(governance.coin, 1)
    batch = ([governance.coin.address] * 2, [0, 0], [mint, refused], NOTHING, NOTHING)
    governance.timelock.schedule_batch(*batch, DELAY, sender=governance.proposer)
    governance.backend.warp(DELAY)
    with pytest.raises(Revert, match="stablecoin: blocked"):
        governance.timelock.execute_batch(*batch, sender=governance.executor)
    assert governance.coin.balanceOf(governance.holder) == 0


def test_execute__predecessor_not_done__reverts(governance: Governance, mint: bytes) -> None:
    first = governance.schedule(mint)
    second = (governance.coin.address, 0, governance.coin.pause.encode(), first, NOTHING)
    governance.timelock.schedule(*second, DELAY, sender=governance.proposer)
    governance.backend.warp(DELAY)
    with pytest.raises(Revert, match="timelock_controller: missing dependency"):
        governance.timelock.execute(*second, sender=governance.executor)
    governance.execute(mint)
    governance.timelock.execute(*second, sender=governance.executor)
    assert governance.coin.paused()
