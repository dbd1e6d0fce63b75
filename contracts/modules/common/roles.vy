# pragma version 0.4.3
"""
@title roles
@license AGPL-3.0-only
@author Prime Perps
@notice Who may tighten and who may loosen. GUARDIAN_ROLE acts at once and only tightens; TIMELOCK_ROLE is held by the
        timelock and may do both. CALENDAR_ROLE says when the exchange will be shut, DESK_ROLE what an issuer's payment
        was for.
"""
from snekmate.auth import access_control

uses: access_control


CALENDAR_ROLE: public(constant(bytes32)) = keccak256("CALENDAR_ROLE")
DESK_ROLE: public(constant(bytes32)) = keccak256("DESK_ROLE")
GUARDIAN_ROLE: public(constant(bytes32)) = keccak256("GUARDIAN_ROLE")
TIMELOCK_ROLE: public(constant(bytes32)) = keccak256("TIMELOCK_ROLE")


@internal
@view
def _is_timelock() -> bool:
    return access_control.hasRole[TIMELOCK_ROLE][msg.sender]


@internal
@view
def _check_timelock():
    self._check_loosening(False)


@internal
@view
def _check_guardian():
    assert self._is_timelock() or access_control.hasRole[GUARDIAN_ROLE][msg.sender], "roles: guardian only"


@internal
@view
def _check_calendar():
    assert self._is_timelock() or access_control.hasRole[CALENDAR_ROLE][msg.sender], "roles: calendar only"


@internal
@view
def _check_desk():
    assert access_control.hasRole[DESK_ROLE][msg.sender], "roles: desk only"


@internal
@view
def _check_loosening(tightens: bool):
    """
    @dev For calls that the guardian may make one way only; the guard on the caller stands before it.
    """
    assert tightens or self._is_timelock(), "roles: timelock only"
