# pragma version 0.4.3
"""
@title risk_table
@license AGPL-3.0-only
@author Prime Perps
@notice The risk parameters: checked once where they enter, stored as the code of an account of their own, and read in
        one piece, so that a margin check pays for one address instead of one slot per underlying.

        Code of a table: one STOP byte, so that calling it does nothing, then 65 words, always. Word 0 holds the
        globals, word 1 + i the line of underlying i. Fields from the low bit up, 16 bits each unless said otherwise:
          globals  phi of group 0, 1, 2, 3, short_side, jump, event_factor, slope_cap, weekend, long_closure, loan_rate,
                   number of lines
          line     group, beta, iota, gamma, basis, wrapper, wrapper_other, slope, hours, depth (64 bits)
        Bounds of every field: docs/margin.md. Code is immutable, so what was checked at the entrance stays true, and
        the formula relies on it.
"""
from contracts.interfaces import IMarginModel


LINES_MAX: constant(uint256) = 64
WORDS: constant(uint256) = 1 + LINES_MAX
PREFIX_BYTES: constant(uint256) = 1
TABLE_BYTES: constant(uint256) = 32 * WORDS
# Creation code that returns everything after itself: the STOP byte and the words that `raw_create` appends.
# PUSH2 2081, DUP1, PUSH1 10, PUSH0, CODECOPY, PUSH0, RETURN | STOP
STORE_AS_CODE: constant(Bytes[11]) = x"61082180600a5f395ff300"

FIELD: constant(uint256) = 2**16 - 1

# How far each field is shifted; phi of group 0 and a line's group are not.
PHI_STEP: constant(uint256) = 16
SHORT_SIDE_AT: constant(uint256) = 64
JUMP_AT: constant(uint256) = 80
EVENT_FACTOR_AT: constant(uint256) = 96
SLOPE_CAP_AT: constant(uint256) = 112
WEEKEND_AT: constant(uint256) = 128
LONG_CLOSURE_AT: constant(uint256) = 144
LOAN_RATE_AT: constant(uint256) = 160
LINE_COUNT_AT: constant(uint256) = 176

BETA_AT: constant(uint256) = 16
IOTA_AT: constant(uint256) = 32
GAMMA_AT: constant(uint256) = 48
BASIS_AT: constant(uint256) = 64
WRAPPER_AT: constant(uint256) = 80
WRAPPER_OTHER_AT: constant(uint256) = 96
SLOPE_AT: constant(uint256) = 112
HOURS_AT: constant(uint256) = 128
DEPTH_AT: constant(uint256) = 144

# Hard bounds, bps unless said otherwise. They keep the formula inside 256 bits, and a slip of a digit out of the table.
ONE: constant(uint256) = 10_000
FIVE: constant(uint256) = 50_000
GROUP_MAX: constant(uint256) = 3
DEPTH_MAX: constant(uint256) = 10**15  # whole USD


@internal
@pure
def _check_globals(globals: IMarginModel.Globals):
    for phi: uint256 in globals.phi:
        assert phi <= ONE, "table: phi out of range"
    assert ONE <= globals.short_side and globals.short_side <= FIVE, "table: short_side out of range"
    assert ONE <= globals.jump and globals.jump <= FIVE, "table: jump out of range"
    assert ONE <= globals.event_factor and globals.event_factor <= FIVE, "table: event_factor out of range"
    assert globals.slope_cap <= ONE, "table: slope_cap out of range"
    assert ONE <= globals.weekend and globals.weekend <= FIVE, "table: weekend out of range"
    assert (
        globals.weekend <= globals.long_closure and globals.long_closure <= FIVE
    ), "table: long_closure out of range"
    assert globals.loan_rate <= ONE, "table: loan_rate out of range"


@internal
@pure
def _check_line(line: IMarginModel.Line):
    """
    @dev gamma is at least one basis point: a line left empty by mistake is refused, and no exposure is ever free.
    """
    assert line.group <= GROUP_MAX, "table: group out of range"
    assert line.beta <= FIVE, "table: beta out of range"
    assert line.iota <= ONE, "table: iota out of range"
    assert 1 <= line.gamma and line.gamma <= ONE, "table: gamma out of range"
    # Above 2 gamma the charge on a pair makes a merged book dearer than its parts: MM-4 in docs/margin.md.
    assert line.basis <= 2 * line.gamma, "table: basis over 2 gamma"
    assert line.wrapper <= ONE and line.wrapper_other <= ONE, "table: wrapper out of range"
    assert line.slope <= ONE, "table: slope out of range"
    assert line.hours <= 1, "table: hours out of range"
    assert line.depth <= DEPTH_MAX and (line.depth != 0 or line.slope == 0), "table: depth out of range"


@internal
@pure
def _pack_globals(globals: IMarginModel.Globals, line_count: uint256) -> uint256:
    """
    @dev Fields must be in range.
    """
    return (
        globals.phi[0]
        | (globals.phi[1] << PHI_STEP)
        | (globals.phi[2] << 2 * PHI_STEP)
        | (globals.phi[3] << 3 * PHI_STEP)
        | (globals.short_side << SHORT_SIDE_AT)
        | (globals.jump << JUMP_AT)
        | (globals.event_factor << EVENT_FACTOR_AT)
        | (globals.slope_cap << SLOPE_CAP_AT)
        | (globals.weekend << WEEKEND_AT)
        | (globals.long_closure << LONG_CLOSURE_AT)
        | (globals.loan_rate << LOAN_RATE_AT)
        | (line_count << LINE_COUNT_AT)
    )


@internal
@pure
def _pack_line(line: IMarginModel.Line) -> uint256:
    """
    @dev Fields must be in range.
    """
    return (
        line.group
        | (line.beta << BETA_AT)
        | (line.iota << IOTA_AT)
        | (line.gamma << GAMMA_AT)
        | (line.basis << BASIS_AT)
        | (line.wrapper << WRAPPER_AT)
        | (line.wrapper_other << WRAPPER_OTHER_AT)
        | (line.slope << SLOPE_AT)
        | (line.hours << HOURS_AT)
        | (line.depth << DEPTH_AT)
    )


@internal
@pure
def _unpack_globals(word: uint256) -> IMarginModel.Globals:
    return IMarginModel.Globals(
        phi=[
            word & FIELD,
            (word >> PHI_STEP) & FIELD,
            (word >> 2 * PHI_STEP) & FIELD,
            (word >> 3 * PHI_STEP) & FIELD,
        ],
        short_side=(word >> SHORT_SIDE_AT) & FIELD,
        jump=(word >> JUMP_AT) & FIELD,
        event_factor=(word >> EVENT_FACTOR_AT) & FIELD,
        slope_cap=(word >> SLOPE_CAP_AT) & FIELD,
        weekend=(word >> WEEKEND_AT) & FIELD,
        long_closure=(word >> LONG_CLOSURE_AT) & FIELD,
        loan_rate=(word >> LOAN_RATE_AT) & FIELD,
    )


@internal
@pure
def _unpack_line(word: uint256) -> IMarginModel.Line:
    return IMarginModel.Line(
        group=word & FIELD,
        beta=(word >> BETA_AT) & FIELD,
        iota=(word >> IOTA_AT) & FIELD,
        gamma=(word >> GAMMA_AT) & FIELD,
        basis=(word >> BASIS_AT) & FIELD,
        wrapper=(word >> WRAPPER_AT) & FIELD,
        wrapper_other=(word >> WRAPPER_OTHER_AT) & FIELD,
        slope=(word >> SLOPE_AT) & FIELD,
        hours=(word >> HOURS_AT) & FIELD,
        depth=word >> DEPTH_AT,
    )


@internal
def _store(globals: IMarginModel.Globals, lines: DynArray[IMarginModel.Line, 64]) -> address:
    """
    @dev Checks every field, then writes the table as code.
    """
    assert len(lines) != 0, "table: empty"
    self._check_globals(globals)
    words: uint256[WORDS] = empty(uint256[WORDS])
    words[0] = self._pack_globals(globals, len(lines))
    position: uint256 = 1
    for line: IMarginModel.Line in lines:
        self._check_line(line)
        words[position] = self._pack_line(line)
        position += 1
    return raw_create(STORE_AS_CODE, words)


@internal
@view
def _raises(table: address, previous: address) -> bool:
    """
    @return Whether `table` charges no book less than `previous` does: the same lines, each charge at least as high (MM-7
            in docs/margin.md). What can raise one book and lower another must be as it was: groups, beta and hours.
    """
    ours: IMarginModel.Globals = self._load_globals(table)
    theirs: IMarginModel.Globals = self._load_globals(previous)
    raised: bool = (
        self._line_count(table) == self._line_count(previous)
        and ours.short_side >= theirs.short_side
        and ours.jump >= theirs.jump
        and ours.event_factor >= theirs.event_factor
        and ours.slope_cap >= theirs.slope_cap
        and ours.weekend >= theirs.weekend
        and ours.long_closure >= theirs.long_closure
        and ours.loan_rate >= theirs.loan_rate
    )
    for group: uint256 in range(GROUP_MAX + 1):
        raised = raised and ours.phi[group] >= theirs.phi[group]
    if raised:
        for underlying: uint256 in range(self._line_count(table), bound=LINES_MAX):
            raised = raised and self._line_raises(
                self._load_line(table, underlying), self._load_line(previous, underlying)
            )
    return raised


@internal
@pure
def _line_raises(ours: IMarginModel.Line, theirs: IMarginModel.Line) -> bool:
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


@internal
@view
def _load_globals(table: address) -> IMarginModel.Globals:
    return self._unpack_globals(self._word(table, 0))


@internal
@view
def _load_line(table: address, underlying: uint256) -> IMarginModel.Line:
    return self._unpack_line(self._word(table, 1 + underlying))


@internal
@view
def _line_count(table: address) -> uint256:
    return (self._word(table, 0) >> LINE_COUNT_AT) & FIELD


@internal
@view
def _word(table: address, position: uint256) -> uint256:
    return convert(slice(table.code, PREFIX_BYTES + 32 * position, 32), uint256)
