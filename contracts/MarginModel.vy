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
        then uses it, in one call that names the address only, because a timelocked call has no room for a table. To
        check what a vote is about, read that account's code (prime_perps.risk.read_table). A table in use is replaced,
        never changed or removed.
@custom:kill There is nothing to stop: views only, and a table that no timelock has chosen has no effect.
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


_table: address
_staged: HashMap[address, bool]


@deploy
def __init__():
    """
    @dev The deployer gets DEFAULT_ADMIN_ROLE, hands out the roles and renounces. There is no table until the timelock
         uses one.
    """
    access_control.__init__()


# The views are open during a call: no code but this contract's own ever runs while it is being called, so there is
# nothing half done to see, and every margin check saves the price of the lock.


@view
@external
@reentrant
def requirements(
    exposures: DynArray[IMarginModel.Exposure, 32], closure: IMarginModel.Closure, debt: uint256
) -> (uint256, uint256):
    table: address = self._checked_table()
    sums: formula.Sums = formula._sum(exposures, table)
    terms: IMarginModel.Breakdown = formula._totals(sums, closure, debt)
    return terms.maintenance, terms.initial


@view
@external
@reentrant
def explain(
    exposures: DynArray[IMarginModel.Exposure, 32], closure: IMarginModel.Closure, debt: uint256
) -> IMarginModel.Breakdown:
    table: address = self._checked_table()
    sums: formula.Sums = formula._sum(exposures, table)
    totals: IMarginModel.Breakdown = formula._totals(sums, closure, debt)
    return formula._itemise(sums, totals)


@external
def stage_table(globals: IMarginModel.Globals, lines: DynArray[IMarginModel.Line, 64]) -> address:
    staged: address = risk_table._store(globals, lines)
    self._staged[staged] = True
    log IMarginModel.TableStaged(table=staged, staged_by=msg.sender)
    return staged


@external
def use_table(table: address):
    roles._check_timelock()
    self._check_staged(table)
    previous: address = self._table
    self._check_keeps_lines(table, previous)
    self._table = table
    log IMarginModel.TableUsed(table=table, previous=previous)


@view
@external
@reentrant
def table() -> address:
    return self._table


@view
@external
@reentrant
def line_count() -> uint256:
    return risk_table._line_count(self._checked_table())


@view
@external
@reentrant
def line(underlying: uint256) -> IMarginModel.Line:
    table: address = self._checked_table()
    formula._check_known(underlying, risk_table._line_count(table))
    return risk_table._load_line(table, underlying)


@view
@external
@reentrant
def globals() -> IMarginModel.Globals:
    return risk_table._load_globals(self._checked_table())


@view
@internal
def _checked_table() -> address:
    table: address = self._table
    assert table != empty(address), "model: no table"
    return table


@view
@internal
def _check_staged(table: address):
    """
    @dev The formula skips what staging has checked, so only a table this contract wrote will do.
    """
    assert self._staged[table], "model: table not staged"


@view
@internal
def _check_keeps_lines(table: address, previous: address):
    """
    @dev An underlying without a line would make every check of every account that holds it revert.
    """
    if previous != empty(address):
        assert risk_table._line_count(table) >= risk_table._line_count(previous), "model: table loses lines"
