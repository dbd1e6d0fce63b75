# pragma version 0.4.3
"""
@title charges
@license AGPL-3.0-only
@author Prime Perps
@notice Whether one risk table charges no book less than another: the same lines, and every charge at least as high,
        which by MM-7 of docs/margin.md lowers no margin. What can raise one book and lower another must be as it was:
        groups, betas and hours.
"""
from contracts.interfaces import IMarginModel


@internal
@pure
def _globals_raised(ours: IMarginModel.Globals, theirs: IMarginModel.Globals) -> bool:
    raised: bool = (
        ours.short_side >= theirs.short_side
        and ours.jump >= theirs.jump
        and ours.event_factor >= theirs.event_factor
        and ours.slope_cap >= theirs.slope_cap
        and ours.weekend >= theirs.weekend
        and ours.long_closure >= theirs.long_closure
        and ours.loan_rate >= theirs.loan_rate
    )
    for group: uint256 in range(4):
        raised = raised and ours.phi[group] >= theirs.phi[group]
    return raised


@internal
@pure
def _line_raised(ours: IMarginModel.Line, theirs: IMarginModel.Line) -> bool:
    return (
        ours.group == theirs.group
        and ours.beta == theirs.beta
        and ours.hours == theirs.hours
        and ours.iota >= theirs.iota
        and ours.gamma >= theirs.gamma
        and ours.basis >= theirs.basis
        and ours.wrapper >= theirs.wrapper
        and ours.wrapper_other >= theirs.wrapper_other
        and ours.slope >= theirs.slope
        # without a slope the depth charged nothing
        and (ours.depth <= theirs.depth or theirs.slope == 0)
    )
