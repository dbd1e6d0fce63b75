# pragma version 0.4.3
# pragma nonreentrancy on
"""
@title Timelock
@license AGPL-3.0-only
@author Prime Perps
@notice Everything that loosens waits here: it holds TIMELOCK_ROLE of every contract, and their role administration.

        Trust: proposers decide what is done, but not sooner than the delay; users who disagree have that long to leave.
        Executors (everybody, when the zero address is one) only decide when, after it. Cancellers, which proposers
        always are, can stop anything that waits, their own removal included: name none who must not have a veto. Nobody
        is above the delay: there is no administrator but the timelock itself, and the delay changes only through it.

        State of an operation: unset -> waiting (scheduled) -> ready (delay over) -> done; cancelled is unset again.

        It keeps no coins or tokens. An operation with a predecessor runs only after it.
@custom:kill A canceller cancels every waiting operation.
"""
from snekmate.auth import access_control
from snekmate.auth.interfaces import IAccessControl
from snekmate.governance import timelock_controller

implements: IAccessControl

initializes: access_control
initializes: timelock_controller[access_control := access_control]


exports: (
    # scheduling
    timelock_controller.schedule,
    timelock_controller.schedule_batch,
    timelock_controller.cancel,
    timelock_controller.execute,
    timelock_controller.execute_batch,
    timelock_controller.update_delay,
    # what waits
    timelock_controller.get_minimum_delay,
    timelock_controller.get_timestamp,
    timelock_controller.get_operation_state,
    timelock_controller.is_operation,
    timelock_controller.is_operation_pending,
    timelock_controller.is_operation_ready,
    timelock_controller.is_operation_done,
    timelock_controller.hash_operation,
    timelock_controller.hash_operation_batch,
    # who may
    timelock_controller.PROPOSER_ROLE,
    timelock_controller.EXECUTOR_ROLE,
    timelock_controller.CANCELLER_ROLE,
    access_control.DEFAULT_ADMIN_ROLE,
    access_control.supportsInterface,
    access_control.hasRole,
    access_control.getRoleAdmin,
    access_control.grantRole,
    access_control.revokeRole,
    access_control.renounceRole,
    access_control.set_role_admin,
)


PARTIES_MAX: constant(uint256) = 255


@deploy
def __init__(
    minimum_delay: uint256,
    proposers: DynArray[address, PARTIES_MAX],
    executors: DynArray[address, PARTIES_MAX],
    cancellers: DynArray[address, PARTIES_MAX],
):
    """
    @param minimum_delay Seconds between scheduling and execution, at least.
    @param cancellers Besides the proposers.
    """
    access_control.__init__()
    timelock_controller.__init__(minimum_delay, proposers, executors, empty(address))
    for canceller: address in cancellers:
        access_control._grant_role(timelock_controller.CANCELLER_ROLE, canceller)
