# pragma version 0.4.3
"""
@title formula
@license AGPL-3.0-only
@author Prime Perps
@notice The margin formula of docs/margin.md in exact integers: `_sum` adds the exposures up in one pass, `_totals`
        turns the sums into margins.

        Why `_sum` may go without overflow checks. VALUE_MAX is v = 2^103 - 1 and bounds token, other and |perp|, the
        table bounds the rest (risk_table):
          |d|           <= token + other + |perp| <= 3 v
          own shock     |d| x iota x side x event <= 3 v x 1e4 x 5e4 x 5e4 < 2^150; over 1e12 it is <= 75 v
          its squares   32 x (75 v)^2 = 180,000 v^2 < 2^224; times the largest m^2, 25e8, < 2^255, the tightest of all
          size charge   |d| x slope x |d| <= 90,000 v^2 < 2^223, and its divisor is below 2^124
          the others    at most 32 x 5e4 x 3 v < 2^127
        `_totals` runs once, so it is checked.
"""
from contracts.interfaces import IMarginModel

from . import risk_table

uses: risk_table


# What an account's exposures add up to, before the session and the groups' shocks are known. Underlyings whose market
# keeps hours are summed apart from those whose market never closes: only the former move further after a closure.
struct Sums:
    globals: uint256  # packed, as the table holds them
    nets: int256[8]  # wad bps by group, 4 further on what keeps hours: sum of beta d
    squares: uint256[2]  # wad squared by hours, sum of squared own-name shocks
    largest: uint256[2]  # wad by hours, largest own-name shock
    coming_squares: uint256[2]  # what `squares` lacks of events that have come only in part
    coming_largest: uint256[2]  # the largest own-name shock of such an event, had it come
    floor: uint256  # wad bps, sum of gamma |d|
    widths: uint256  # wad bps, sum of c |d|
    basis: uint256  # wad bps, sum of b min(t, short)
    wrapper: uint256  # wad bps, sum of w t
    size: uint256  # wad, sum of size charges, each rounded up


# The part of a requirement that moves with the market, wad.
struct Core:
    factor: uint256
    own: uint256
    jump: uint256
    total: uint256  # max(factor + own, jump)


struct Totals:
    core: Core  # maintenance margin's
    core_ahead: uint256  # wad, initial margin's
    interest: uint256  # wad
    maintenance: uint256  # wad
    initial: uint256  # wad


GROUPS: constant(uint256) = 4
WAD: constant(uint256) = 10**18
BPS: constant(uint256) = 10**4
BPS_SQUARED: constant(uint256) = 10**8
BPS_CUBED: constant(uint256) = 10**12
INTEREST_DAYS: constant(uint256) = 3
YEAR_DAYS: constant(uint256) = 365

# 1e13 USD, a sixth of all American stocks: a bound for the arithmetic, not a limit of risk. All ones in binary, so that
# several values can be compared with it at once.
VALUE_MAX: constant(uint256) = 2**103 - 1


@internal
@pure
def _check_known(underlying: uint256, line_count: uint256):
    assert underlying < line_count, "model: unknown underlying"


@internal
@pure
def _check_closure(closure: IMarginModel.Closure):
    assert closure.now <= closure.ahead and closure.ahead <= 2 and closure.ramp <= BPS, "model: bad closure"


@internal
@pure
def _check_debt(debt: uint256):
    assert debt <= VALUE_MAX, "model: debt too large"


@internal
@view
def _sum(exposures: DynArray[IMarginModel.Exposure, 32]) -> Sums:
    """
    @dev Sums over a book, exact but for own-name shocks and size charges, which are rounded up one by one. Every read
         of a field is spelt out and nothing is checked twice, because this is the inner loop of every margin check.
    """
    globals: uint256 = risk_table._WORDS[0]
    short_side: uint256 = (globals >> risk_table.SHORT_SIDE_AT) & risk_table.FIELD
    event_factor: uint256 = (globals >> risk_table.EVENT_FACTOR_AT) & risk_table.FIELD
    slope_cap: uint256 = (globals >> risk_table.SLOPE_CAP_AT) & risk_table.FIELD
    line_count: uint256 = (globals >> risk_table.LINE_COUNT_AT) & risk_table.FIELD

    # One bit for each underlying of the table that the book has not named yet.
    unseen: uint256 = (1 << line_count) - 1
    sums: Sums = empty(Sums)
    sums.globals = globals
    for e: IMarginModel.Exposure in exposures:
        bit: uint256 = 1 << e.underlying
        if unseen & bit == 0:
            self._check_known(e.underlying, line_count)
            raise "model: duplicate underlying"
        unseen ^= bit

        bought: uint256 = 0
        sold: uint256 = 0
        # By way of bytes32, because the direct conversion would refuse -2^255 without giving a reason.
        if e.perp < 0:
            sold = convert(convert(unsafe_sub(0, e.perp), bytes32), uint256)
        else:
            bought = convert(convert(e.perp, bytes32), uint256)
        assert (e.token | e.other | bought | sold) <= VALUE_MAX, "model: notional too large"
        assert e.width <= BPS, "model: width over 100%"
        assert e.eventful <= BPS, "model: event over 100%"
        line: uint256 = risk_table._WORDS[unsafe_add(1, e.underlying)]

        tokens: uint256 = unsafe_add(e.token, e.other)
        if tokens != 0:
            sums.wrapper = unsafe_add(
                unsafe_add(sums.wrapper, unsafe_mul((line >> risk_table.WRAPPER_AT) & risk_table.FIELD, e.token)),
                unsafe_mul((line >> risk_table.WRAPPER_OTHER_AT) & risk_table.FIELD, e.other),
            )
            hedged: uint256 = min(tokens, sold)
            sums.basis = unsafe_add(sums.basis, unsafe_mul((line >> risk_table.BASIS_AT) & risk_table.FIELD, hedged))
        bought = unsafe_add(bought, tokens)
        # A hedged stock has nothing else to pay.
        if bought == sold:
            continue

        group: uint256 = line & risk_table.FIELD
        hours: uint256 = group >> risk_table.HOURS_AT
        size: uint256 = 0
        pull: uint256 = (line >> risk_table.BETA_AT) & risk_table.FIELD
        shock: uint256 = (line >> risk_table.IOTA_AT) & risk_table.FIELD
        if sold > bought:
            size = unsafe_sub(sold, bought)
            shock = unsafe_mul(shock, unsafe_mul(short_side, size))
            pull = unsafe_sub(0, unsafe_mul(pull, size))
        else:
            size = unsafe_sub(bought, sold)
            shock = unsafe_mul(shock, unsafe_mul(BPS, size))
            pull = unsafe_mul(pull, size)
        sums.nets[group] = unsafe_add(sums.nets[group], convert(convert(pull, bytes32), int256))

        own: uint256 = 0
        if e.eventful == 0:
            own = unsafe_div(unsafe_add(shock, BPS_SQUARED - 1), BPS_SQUARED)
        else:
            own = self._eventful_shock(shock, event_factor, e.eventful)
            if e.eventful != BPS:
                come: uint256 = self._eventful_shock(shock, event_factor, BPS)
                more: uint256 = unsafe_sub(unsafe_mul(come, come), unsafe_mul(own, own))
                sums.coming_squares[hours] = unsafe_add(sums.coming_squares[hours], more)
                sums.coming_largest[hours] = max(sums.coming_largest[hours], come)
        sums.squares[hours] = unsafe_add(sums.squares[hours], unsafe_mul(own, own))
        sums.largest[hours] = max(sums.largest[hours], own)

        sums.floor = unsafe_add(sums.floor, unsafe_mul((line >> risk_table.GAMMA_AT) & risk_table.FIELD, size))
        sums.widths = unsafe_add(sums.widths, unsafe_mul(e.width, size))
        slope: uint256 = (line >> risk_table.SLOPE_AT) & risk_table.FIELD
        # Without a slope there may be no depth to divide by.
        if slope != 0:
            depth: uint256 = unsafe_mul(line >> risk_table.DEPTH_AT, WAD)
            rate: uint256 = min(unsafe_mul(slope_cap, depth), unsafe_mul(slope, size))
            divisor: uint256 = unsafe_mul(depth, BPS)
            charge: uint256 = unsafe_add(unsafe_mul(size, rate), unsafe_sub(divisor, 1))
            sums.size = unsafe_add(sums.size, unsafe_div(charge, divisor))
    return sums


@internal
@pure
def _eventful_shock(shock: uint256, event_factor: uint256, eventful: uint256) -> uint256:
    """
    @param shock |d| iota side, wad times 1e8.
    @param eventful bps of the way from no event to the whole event factor.
    """
    come: uint256 = unsafe_add(unsafe_mul(unsafe_sub(event_factor, BPS), eventful), BPS - 1)
    factor: uint256 = unsafe_add(BPS, unsafe_div(come, BPS))
    return unsafe_div(unsafe_add(unsafe_mul(shock, factor), BPS_CUBED - 1), BPS_CUBED)


@internal
@pure
def _totals(sums: Sums, closure: IMarginModel.Closure, debt: uint256) -> Totals:
    """
    @dev Everything is rounded up. The four linear terms are added before they are scaled, so that both margins round
         once where the breakdown rounds four times.
    """
    self._check_closure(closure)
    self._check_debt(debt)
    now: uint256 = self._multiplier(sums.globals, closure.now)
    ahead: uint256 = self._multiplier(sums.globals, closure.ahead)
    ramped: uint256 = now
    if closure.ramp != 0:
        ramped += self._div_up((ahead - now) * closure.ramp, BPS)

    core: Core = self._core(sums, ramped, False)
    core_ahead: uint256 = core.total
    if ahead != ramped or (sums.coming_largest[0] | sums.coming_largest[1]) != 0:
        core_ahead = self._core(sums, ahead, True).total

    rest: uint256 = self._div_up(sums.floor + sums.widths + sums.basis + sums.wrapper, BPS) + sums.size
    loan_rate: uint256 = (sums.globals >> risk_table.LOAN_RATE_AT) & risk_table.FIELD
    interest: uint256 = self._div_up(debt * loan_rate * INTEREST_DAYS, BPS * YEAR_DAYS)
    return Totals(
        core=core,
        core_ahead=core_ahead,
        interest=interest,
        maintenance=core.total + rest,
        initial=self._div_up(4 * (core_ahead + rest), 3) + interest,
    )


@internal
@pure
def _multiplier(globals: uint256, closure: uint256) -> uint256:
    """
    @return bps; the table's never fall from one closure to the next.
    """
    if closure == 0:
        return BPS
    return (globals >> (risk_table.WEEKEND_AT if closure == 1 else risk_table.LONG_CLOSURE_AT)) & risk_table.FIELD


@internal
@pure
def _core(sums: Sums, multiplier: uint256, whole: bool) -> Core:
    """
    @param multiplier bps, how much further markets that keep hours may move than on an ordinary day.
    @param whole Whether events count as if all of each had come.
    @dev In a group that has both kinds of markets, those with hours may move up to `multiplier` times as far, and need
         not: the worse end counts, so that a longer closure never lowers a requirement. Unchecked, see above.
    """
    factor: uint256 = 0
    for group: uint256 in range(GROUPS):
        always: int256 = sums.nets[group]
        hours: int256 = sums.nets[unsafe_add(GROUPS, group)]
        if (always | hours) == 0:
            continue
        worst: uint256 = unsafe_mul(BPS, self._size(unsafe_add(always, hours)))
        if multiplier != BPS:
            moved: int256 = unsafe_mul(convert(multiplier, int256), hours)
            worst = max(worst, self._size(unsafe_add(unsafe_mul(convert(BPS, int256), always), moved)))
        phi: uint256 = (sums.globals >> unsafe_mul(risk_table.PHI_STEP, group)) & risk_table.FIELD
        factor = unsafe_add(factor, self._div_up(unsafe_mul(phi, worst), BPS_CUBED))

    square: uint256 = sums.squares[0]
    square_hours: uint256 = sums.squares[1]
    largest: uint256 = sums.largest[0]
    largest_hours: uint256 = sums.largest[1]
    if whole:
        square = unsafe_add(square, sums.coming_squares[0])
        square_hours = unsafe_add(square_hours, sums.coming_squares[1])
        largest = max(largest, sums.coming_largest[0])
        largest_hours = max(largest_hours, sums.coming_largest[1])
    square = unsafe_add(
        unsafe_mul(BPS_SQUARED, square), unsafe_mul(unsafe_mul(multiplier, multiplier), square_hours)
    )
    own: uint256 = self._div_up(self._sqrt_up(square), BPS)
    largest = max(unsafe_mul(BPS, largest), unsafe_mul(multiplier, largest_hours))
    factor_of_jump: uint256 = (sums.globals >> risk_table.JUMP_AT) & risk_table.FIELD
    jump: uint256 = self._div_up(unsafe_mul(factor_of_jump, largest), BPS_SQUARED)
    return Core(factor=factor, own=own, jump=jump, total=max(unsafe_add(factor, own), jump))


@internal
@pure
def _itemised(sums: Sums, totals: Totals) -> IMarginModel.Breakdown:
    return IMarginModel.Breakdown(
        factor=totals.core.factor,
        own=totals.core.own,
        jump=totals.core.jump,
        core=totals.core.total,
        core_ahead=totals.core_ahead,
        floor=self._div_up(sums.floor, BPS),
        widths=self._div_up(sums.widths, BPS),
        basis=self._div_up(sums.basis, BPS),
        wrapper=self._div_up(sums.wrapper, BPS),
        size=sums.size,
        interest=totals.interest,
        maintenance=totals.maintenance,
        initial=totals.initial,
    )


@internal
@pure
def _div_up(amount: uint256, divisor: uint256) -> uint256:
    """
    @dev Nothing that is divided here comes near 2^256: see the doc string of this file.
    """
    return unsafe_div(unsafe_add(amount, unsafe_sub(divisor, 1)), divisor)


@internal
@pure
def _size(net: int256) -> uint256:
    return convert(abs(net), uint256)


@internal
@pure
def _sqrt_up(square: uint256) -> uint256:
    root: uint256 = isqrt(square)
    return root if root * root == square else root + 1
