# pragma version 0.4.3
# pragma nonreentrancy on
"""
@title MarginModel
@license AGPL-3.0-only
@author Prime Perps
@notice The margin formula with one risk table: exposures in, maintenance and initial margin out. It knows no accounts,
        holds no money, has no roles and never changes: other parameters are another model, which the clearinghouse is
        pointed at in one step.

        Trust. Whatever the caller passes is checked, and the table has passed the bounds of risk_table. Whoever chooses
        a model can choose a bad table within these bounds, nobody can go past them.

        A model that follows another comes into force by and by, `ramp` seconds from `starts`: maintenance margin goes
        from what the previous one asks for to what its own table does in a straight line, so that nobody becomes
        liquidatable from one block to the next; initial margin is its own at once if that is more. Both are means or
        maxima of what the formula asks for, so every property of it still holds.
@custom:kill There is nothing to stop: views only.
"""
from contracts.interfaces import IMarginModel

from .modules.margin import formula
from .modules.margin import risk_table

implements: IMarginModel

initializes: risk_table
initializes: formula[risk_table := risk_table]


RAMP_MAX: constant(uint256) = 30 * 86_400

previous: public(immutable(address))
starts: public(immutable(uint256))
ramp: public(immutable(uint256))
in_force_at: public(immutable(uint256))


@deploy
def __init__(
    globals_: IMarginModel.Globals,
    lines_: DynArray[IMarginModel.Line, 64],
    previous_: address,
    starts_: uint256,
    ramp_: uint256,
):
    """
    @param lines_ Line i belongs to underlying i; an underlying past the end of the list is unknown. Every line needs a
           gamma, so an empty one is refused. Bounds of every field: docs/margin.md.
    @param previous_ The model this one follows; zero for the first, which is in force at once.
    @param starts_ unix seconds from which it comes into force: not before the previous one is wholly in force, so that
           maintenance margin never has more than two tables to weigh.
    @param ramp_ seconds it takes, up to 30 days; 0 for the first.
    @dev Reverts: "table: empty", "table: basis over 2 gamma", one reason per field of the table that is out of its
         range, "model: bad ramp", "model: table loses lines".
    """
    risk_table.__init__(globals_, lines_)
    self._check_ramp(previous_, starts_, ramp_)
    self._check_keeps_lines(previous_, len(lines_))
    previous = previous_
    starts = starts_
    ramp = ramp_
    in_force_at = starts_ + ramp_


# The views are open during a call: there is no state that could be half done, and every margin check saves the price of
# the lock.


@view
@external
@reentrant
def requirements(
    exposures: DynArray[IMarginModel.Exposure, 32], closure: IMarginModel.Closure, debt: uint256
) -> (uint256, uint256):
    totals: formula.Totals = formula._totals(formula._sum(exposures), closure, debt)
    if block.timestamp < in_force_at:
        maintenance: uint256 = 0
        initial: uint256 = 0
        maintenance, initial = staticcall IMarginModel(previous).requirements(exposures, closure, debt)
        return self._mean_up(maintenance, totals.maintenance), self._initial(initial, totals.initial)
    return totals.maintenance, totals.initial


@view
@external
@reentrant
def explain(
    exposures: DynArray[IMarginModel.Exposure, 32], closure: IMarginModel.Closure, debt: uint256
) -> IMarginModel.Breakdown:
    sums: formula.Sums = formula._sum(exposures)
    terms: IMarginModel.Breakdown = formula._itemised(sums, formula._totals(sums, closure, debt))
    if block.timestamp < in_force_at:
        before: IMarginModel.Breakdown = staticcall IMarginModel(previous).explain(exposures, closure, debt)
        return IMarginModel.Breakdown(
            factor=self._mean_up(before.factor, terms.factor),
            own=self._mean_up(before.own, terms.own),
            jump=self._mean_up(before.jump, terms.jump),
            core=self._mean_up(before.core, terms.core),
            core_ahead=self._mean_up(before.core_ahead, terms.core_ahead),
            floor=self._mean_up(before.floor, terms.floor),
            widths=self._mean_up(before.widths, terms.widths),
            basis=self._mean_up(before.basis, terms.basis),
            wrapper=self._mean_up(before.wrapper, terms.wrapper),
            size=self._mean_up(before.size, terms.size),
            interest=self._mean_up(before.interest, terms.interest),
            maintenance=self._mean_up(before.maintenance, terms.maintenance),
            initial=self._initial(before.initial, terms.initial),
        )
    return terms


@view
@external
@reentrant
def line_count() -> uint256:
    own: uint256 = risk_table._line_count()
    if block.timestamp < in_force_at:
        return min(own, staticcall IMarginModel(previous).line_count())
    return own


@view
@external
@reentrant
def line(underlying: uint256) -> IMarginModel.Line:
    formula._check_known(underlying, risk_table._line_count())
    return risk_table._line(underlying)


@view
@external
@reentrant
def lines() -> DynArray[IMarginModel.Line, 64]:
    found: DynArray[IMarginModel.Line, 64] = []
    for underlying: uint256 in range(risk_table._line_count(), bound=risk_table.LINES_MAX):
        found.append(risk_table._line(underlying))
    return found


@view
@external
@reentrant
def globals() -> IMarginModel.Globals:
    return risk_table._globals()


@internal
@view
def _mean_up(before: uint256, after: uint256) -> uint256:
    """
    @notice What two tables ask for together, weighted with time, rounded up.
    """
    left: uint256 = min(in_force_at - block.timestamp, ramp)
    return (before * left + after * (ramp - left) + ramp - 1) // ramp


@internal
@view
def _initial(before: uint256, after: uint256) -> uint256:
    return max(self._mean_up(before, after), after)


@internal
@view
def _check_ramp(previous_: address, starts_: uint256, ramp_: uint256):
    sound: bool = starts_ == 0 and ramp_ == 0
    if previous_ != empty(address):
        sound = (
            0 < ramp_ and ramp_ <= RAMP_MAX
            and starts_ < 2**64
            and staticcall IMarginModel(previous_).in_force_at() <= starts_
        )
    assert sound, "model: bad ramp"


@internal
@view
def _check_keeps_lines(previous_: address, count: uint256):
    """
    @dev An underlying without a line would make every check of every account that holds it revert.
    """
    if previous_ != empty(address):
        kept: bool = count >= len(staticcall IMarginModel(previous_).lines())
        assert kept, "model: table loses lines"
