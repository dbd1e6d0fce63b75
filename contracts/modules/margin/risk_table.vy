# pragma version 0.4.3
"""
@title risk_table
@license AGPL-3.0-only
@author Prime Perps
@notice The risk parameters of one model: checked once where they enter, packed, and kept in the model's own code for
        good, where reading one costs less than a slot of storage would.

        65 words, always. Word 0 holds the globals, word 1 + i the line of underlying i. Fields from the low bit up, 16
        bits each unless said otherwise:
          globals  phi of group 0, 1, 2, 3, short_side, jump, event_factor, slope_cap, weekend, long_closure, loan_rate,
                   number of lines
          line     group and hours, beta, iota, gamma, basis, wrapper, wrapper_other, slope, depth (64 bits)
        Group and hours share a field, 2 bits and 1: together they say with which others an underlying moves.
        Bounds of every field: docs/margin.md. What was checked at the entrance stays true; the formula relies on it.
"""
from contracts.interfaces import IMarginModel


LINES_MAX: constant(uint256) = 64
WORDS: constant(uint256) = 1 + LINES_MAX
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
DEPTH_AT: constant(uint256) = 128
# Inside the first field.
HOURS_AT: constant(uint256) = 2
GROUP_MASK: constant(uint256) = 3

# Hard bounds, bps unless said otherwise. They keep the formula inside 256 bits, and a slip of a digit out of the table.
ONE: constant(uint256) = 10_000
FIVE: constant(uint256) = 50_000
GROUP_MAX: constant(uint256) = 3
DEPTH_MAX: constant(uint256) = 10**15  # whole USD

_WORDS: immutable(uint256[WORDS])


@deploy
def __init__(globals: IMarginModel.Globals, lines: DynArray[IMarginModel.Line, 64]):
    assert len(lines) != 0, "table: empty"
    self._check_globals(globals)
    words: uint256[WORDS] = empty(uint256[WORDS])
    words[0] = self._pack_globals(globals, len(lines))
    position: uint256 = 1
    for line: IMarginModel.Line in lines:
        self._check_line(line)
        words[position] = self._pack_line(line)
        position += 1
    _WORDS = words


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
        | (line.hours << HOURS_AT)
        | (line.beta << BETA_AT)
        | (line.iota << IOTA_AT)
        | (line.gamma << GAMMA_AT)
        | (line.basis << BASIS_AT)
        | (line.wrapper << WRAPPER_AT)
        | (line.wrapper_other << WRAPPER_OTHER_AT)
        | (line.slope << SLOPE_AT)
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
        group=word & GROUP_MASK,
        beta=(word >> BETA_AT) & FIELD,
        iota=(word >> IOTA_AT) & FIELD,
        gamma=(word >> GAMMA_AT) & FIELD,
        basis=(word >> BASIS_AT) & FIELD,
        wrapper=(word >> WRAPPER_AT) & FIELD,
        wrapper_other=(word >> WRAPPER_OTHER_AT) & FIELD,
        slope=(word >> SLOPE_AT) & FIELD,
        hours=(word & FIELD) >> HOURS_AT,
        depth=word >> DEPTH_AT,
    )


@internal
@view
def _globals() -> IMarginModel.Globals:
    return self._unpack_globals(_WORDS[0])


@internal
@view
def _line(underlying: uint256) -> IMarginModel.Line:
    return self._unpack_line(_WORDS[1 + underlying])


@internal
@view
def _line_count() -> uint256:
    return (_WORDS[0] >> LINE_COUNT_AT) & FIELD
