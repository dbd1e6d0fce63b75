# pragma version 0.4.3
# pragma nonreentrancy on
"""
@title InterestModel
@license AGPL-3.0-only
@author Prime Perps
@notice What loans cost and what cash earns, and the arithmetic of the cash market, whose words the clearinghouse keeps.
        It knows no accounts and holds no money.

        Trust: none in who asks. The clearinghouse names it for good: it relies on cash never earning more than loans
        pay, and on an answer whatever its totals. TIMELOCK_ROLE posts the floor of the rate at target, within bounds.
@custom:kill There is nothing to stop: views, and a floor within bounds.
"""
from contracts.interfaces import IInterestModel
from snekmate.auth import access_control
from snekmate.auth.interfaces import IAccessControl
from .modules.cash import market as cash_market
from .modules.cash import rate
from .modules.common import roles

implements: IInterestModel
implements: IAccessControl

initializes: access_control
initializes: roles[access_control := access_control]


exports: (
    # who posts the floor
    roles.GUARDIAN_ROLE,
    roles.TIMELOCK_ROLE,
    access_control.DEFAULT_ADMIN_ROLE,
    access_control.supportsInterface,
    access_control.hasRole,
    access_control.getRoleAdmin,
    access_control.grantRole,
    access_control.revokeRole,
    access_control.renounceRole,
)


rate_floor: public(uint256)


@deploy
def __init__(rate_floor_: uint256):
    """
    @notice The deployer administers roles until it hands them over.
    """
    access_control.__init__()
    self._set_rate_floor(rate_floor_)


# The views are open during a call: nothing here can be half done, and every change of cash saves the price of the lock.


@external
@view
@reentrant
def accrued(
    words: IInterestModel.Words, paid: int256, settled: int256, borrows: bool
) -> IInterestModel.Words:
    return cash_market._accrued(words, paid, settled, borrows, self.rate_floor)


@external
@view
@reentrant
def socialised(
    words: IInterestModel.Words, shares: int256, amount: uint256
) -> (IInterestModel.Words, int256, uint256):
    return cash_market._socialised(words, shares, amount)


@external
@view
@reentrant
def reserve(words: IInterestModel.Words) -> uint256:
    return cash_market._market(words).reserve


@external
@view
@reentrant
def market(words: IInterestModel.Words) -> IInterestModel.Market:
    return cash_market._market(words)


@external
@view
@reentrant
def step(rate_at_target: uint256, utilization: uint256, elapsed: uint256) -> (uint256, uint256):
    return rate._step(rate_at_target, utilization, elapsed, self.rate_floor)


@external
def set_rate_floor(rate_floor: uint256):
    roles._check_timelock()
    self._set_rate_floor(rate_floor)


@internal
def _set_rate_floor(least: uint256):
    rate._check_floor(least)
    self.rate_floor = least
    log IInterestModel.RateFloorSet(rate_floor=least)
