# pragma version 0.4.3
# pragma nonreentrancy on
"""
@title MarginModel
@license AGPL-3.0-only
@author Prime Perps
@notice The margin formula and its risk table: exposures in, maintenance and initial margin out. It knows no accounts
        and holds no money; the clearinghouse can be pointed at another one.

        Trust. Nobody: whatever the caller passes is checked, and whatever the timelock chooses has passed the bounds of
        risk_table. The timelock can choose a bad table within these bounds, nobody can go past them.

        A table. Anyone stages one: it is checked and becomes the code of an account of its own, for good. The timelock
        then uses it, in one call that names the address only, because a timelocked call has no room for a table; so
        does the guardian if it charges no book less. To check what a vote is about, read that account's code
        (prime_perps.risk.read_table). A table in use is replaced, never changed or removed.

        States. No table: every call reverts. In force: one table counts. Coming in, for `ramp` seconds after each
        change: maintenance margin moves from the previous table's to the new one's in a straight line, so nobody
        becomes liquidatable from one block to the next; initial margin is the new one's at once if that is more. Both
        are means or maxima of what the formula asks for, so every property of it still holds.
@custom:kill There is nothing to stop: views only, and a table that nobody has chosen has no effect.
"""
from contracts.interfaces import IMarginModel
from snekmate.auth import access_control

from .modules.common import roles
from .modules.margin import formula
from .modules.margin import risk_table

implements: IMarginModel

initializes: access_control
initializes: roles[access_control := access_control]

exports: (
    # roles
    access_control.DEFAULT_ADMIN_ROLE,
    access_control.getRoleAdmin,
    access_control.grantRole,
    access_control.hasRole,
    access_control.renounceRole,
    access_control.revokeRole,
    access_control.supportsInterface,
    roles.GUARDIAN_ROLE,
    roles.TIMELOCK_ROLE,
)


DAY: constant(uint256) = 86_400
RAMP_MAX: constant(uint256) = 30 * DAY

ADDRESS_BITS: constant(uint256) = 160
ADDRESS_MASK: constant(uint256) = 2**160 - 1

ramp: public(immutable(uint256))

_in_use: uint256  # 160 bits the newest table, then the time at which it is wholly in force
_staged: HashMap[address, bool]

previous_table: public(address)


@deploy
def __init__(ramp_: uint256):
    """
    @param ramp_ seconds over which a new table comes into force, one second to 30 days; days where money is at stake.
    @dev The deployer gets DEFAULT_ADMIN_ROLE, hands out the roles and renounces. There is no table until the timelock
         uses one.
         Reverts: "model: bad ramp".
    """
    access_control.__init__()
    self._check_ramp(ramp_)
    ramp = ramp_


# The views are open during a call: no code but this contract's own ever runs while it is being called, so there is
# nothing half done to see, and every margin check saves the price of the lock.


@view
@external
@reentrant
def requirements(
    exposures: DynArray[IMarginModel.Exposure, 32], closure: IMarginModel.Closure, debt: uint256
) -> (uint256, uint256):
    in_use: uint256 = self._checked_in_use()
    sums: formula.Sums = formula._sum(exposures, self._table(in_use))
    terms: IMarginModel.Breakdown = formula._totals(sums, closure, debt)
    left: uint256 = self._left(in_use)
    if left != 0:
        sums = formula._sum(exposures, self.previous_table)
        terms = self._mixed(formula._totals(sums, closure, debt), terms, left)
    return terms.maintenance, terms.initial


@view
@external
@reentrant
def explain(
    exposures: DynArray[IMarginModel.Exposure, 32], closure: IMarginModel.Closure, debt: uint256
) -> IMarginModel.Breakdown:
    in_use: uint256 = self._checked_in_use()
    sums: formula.Sums = formula._sum(exposures, self._table(in_use))
    terms: IMarginModel.Breakdown = formula._itemise(sums, formula._totals(sums, closure, debt))
    left: uint256 = self._left(in_use)
    if left != 0:
        sums = formula._sum(exposures, self.previous_table)
        terms = self._mixed(formula._itemise(sums, formula._totals(sums, closure, debt)), terms, left)
    return terms


@external
def stage_table(globals: IMarginModel.Globals, lines: DynArray[IMarginModel.Line, 64]) -> address:
    staged: address = risk_table._store(globals, lines)
    self._staged[staged] = True
    log IMarginModel.TableStaged(table=staged, staged_by=msg.sender)
    return staged


@external
def use_table(table: address):
    roles._check_guardian()
    self._check_staged(table)
    previous: address = self._table(self._in_use)
    self._check_in_force(self._left(self._in_use))
    in_force_at: uint256 = 0
    if previous == empty(address):
        roles._check_timelock()
    else:
        self._check_keeps_lines(table, previous)
        roles._check_loosening(risk_table._raises(table, previous))
        in_force_at = block.timestamp + ramp
    self._in_use = convert(table, uint256) | (in_force_at << ADDRESS_BITS)
    self.previous_table = previous
    log IMarginModel.TableUsed(table=table, previous=previous, in_force_at=in_force_at)


@view
@external
@reentrant
def table() -> address:
    return self._table(self._in_use)


@view
@external
@reentrant
def in_force_at() -> uint256:
    return self._in_use >> ADDRESS_BITS


@view
@external
@reentrant
def line_count() -> uint256:
    in_use: uint256 = self._checked_in_use()
    return risk_table._line_count(self._table(in_use) if self._left(in_use) == 0 else self.previous_table)


@view
@external
@reentrant
def line(underlying: uint256) -> IMarginModel.Line:
    table: address = self._table(self._checked_in_use())
    formula._check_known(underlying, risk_table._line_count(table))
    return risk_table._load_line(table, underlying)


@view
@external
@reentrant
def globals() -> IMarginModel.Globals:
    return risk_table._load_globals(self._table(self._checked_in_use()))


@internal
@pure
def _table(in_use: uint256) -> address:
    return convert(in_use & ADDRESS_MASK, address)


@internal
@view
def _left(in_use: uint256) -> uint256:
    """
    @return seconds until the newest table is wholly in force.
    """
    in_force_at: uint256 = in_use >> ADDRESS_BITS
    return in_force_at - block.timestamp if in_force_at > block.timestamp else 0


@internal
@view
def _mixed(
    previous: IMarginModel.Breakdown, newest: IMarginModel.Breakdown, left: uint256
) -> IMarginModel.Breakdown:
    """
    @notice What two tables ask for together while `left` seconds of the ramp are left, each term rounded up.
    """
    return IMarginModel.Breakdown(
        factor=self._mean_up(previous.factor, newest.factor, left),
        own=self._mean_up(previous.own, newest.own, left),
        jump=self._mean_up(previous.jump, newest.jump, left),
        core=self._mean_up(previous.core, newest.core, left),
        core_ahead=self._mean_up(previous.core_ahead, newest.core_ahead, left),
        floor=self._mean_up(previous.floor, newest.floor, left),
        widths=self._mean_up(previous.widths, newest.widths, left),
        basis=self._mean_up(previous.basis, newest.basis, left),
        wrapper=self._mean_up(previous.wrapper, newest.wrapper, left),
        size=self._mean_up(previous.size, newest.size, left),
        interest=self._mean_up(previous.interest, newest.interest, left),
        maintenance=self._mean_up(previous.maintenance, newest.maintenance, left),
        initial=max(self._mean_up(previous.initial, newest.initial, left), newest.initial),
    )


@internal
@view
def _mean_up(previous: uint256, newest: uint256, left: uint256) -> uint256:
    return (previous * left + newest * (ramp - left) + ramp - 1) // ramp


@internal
@pure
def _check_ramp(duration: uint256):
    assert 0 < duration and duration <= RAMP_MAX, "model: bad ramp"


@view
@internal
def _checked_in_use() -> uint256:
    in_use: uint256 = self._in_use
    assert in_use != 0, "model: no table"
    return in_use


@view
@internal
def _check_staged(table: address):
    """
    @dev The formula skips what staging has checked, so only a table this contract wrote will do.
    """
    assert self._staged[table], "model: table not staged"


@pure
@internal
def _check_in_force(left: uint256):
    """
    @dev A third table would have to start from where two others have got to.
    """
    assert left == 0, "model: table still coming in"


@view
@internal
def _check_keeps_lines(table: address, previous: address):
    """
    @dev An underlying without a line would make every check of every account that holds it revert.
    """
    assert risk_table._line_count(table) >= risk_table._line_count(previous), "model: table loses lines"
