# pragma version 0.4.3
"""
@title formula
@license AGPL-3.0-only
@author Prime Perps
@notice The margin formula of docs/margin.md in exact integers: `_sum` adds the exposures up in one pass, `_totals`
        turns the sums into margins.

        Why `_sum` may go without overflow checks. VALUE_MAX is v = 2^119 - 1 and bounds token, other and |perp|, the
        table bounds the rest (risk_table):
          |d|           <= token + other + |perp| <= 3 v
          own shock     |d| x iota x side x event <= 3 v x 1e4 x 5e4 x 5e4 < 2^166; over 1e12 it is <= 75 v
          its squares   32 x (75 v)^2 = 180,000 v^2 < 2^256, the tightest of all
          size charge   |d| x slope x |d| <= 90,000 v^2 < 2^255, and its divisor is below 2^124
          the others    at most 32 x 5e4 x 3 v < 2^143
        `_totals` runs once, so it is checked.
"""
from contracts.interfaces import IMarginModel

from . import risk_table


# What an account's exposures add up to, before the session and the groups' shocks are known.
struct Sums:
    globals: uint256  # packed, as the table holds them
    longs: uint256[4]  # wad bps by group, sum of beta d over d > 0
    shorts: uint256[4]  # wad bps by group, sum of beta |d| over d < 0
    squares: uint256  # wad squared, sum of squared own-name shocks
    largest: uint256  # wad, largest own-name shock
    floor: uint256  # wad bps, sum of gamma |d|
    widths: uint256  # wad bps, sum of c |d|
    basis: uint256  # wad bps, sum of b min(t, short)
    wrapper: uint256  # wad bps, sum of w t
    size: uint256  # wad, sum of size charges, each rounded up


WAD: constant(uint256) = 10**18
BPS: constant(uint256) = 10**4
BPS_SQUARED: constant(uint256) = 10**8
BPS_CUBED: constant(uint256) = 10**12
INTEREST_DAYS: constant(uint256) = 3
YEAR_DAYS: constant(uint256) = 365

# 6.6e17 USD, a thousand times the wealth of the world: a bound for the arithmetic, not a limit of risk. All ones in
# binary, so that several values can be compared with it at once.
VALUE_MAX: constant(uint256) = 2**119 - 1


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
def _sum(exposures: DynArray[IMarginModel.Exposure, 32], table: address) -> Sums:
    """
    @dev Sums over a book, exact but for own-name shocks and size charges, which are rounded up one by one. Every read
         of a field is spelt out and nothing is checked twice, because this is the inner loop of every margin check.
    """
    words: Bytes[risk_table.TABLE_BYTES] = slice(table.code, risk_table.PREFIX_BYTES, risk_table.TABLE_BYTES)
    globals: uint256 = extract32(words, 0, output_type=uint256)
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
        line: uint256 = extract32(words, unsafe_mul(32, unsafe_add(1, e.underlying)), output_type=uint256)
        group: uint256 = line & risk_table.FIELD
        beta: uint256 = (line >> risk_table.BETA_AT) & risk_table.FIELD
        shock: uint256 = (line >> risk_table.IOTA_AT) & risk_table.FIELD

        tokens: uint256 = unsafe_add(e.token, e.other)
        bought = unsafe_add(bought, tokens)
        size: uint256 = 0
        if sold > bought:
            size = unsafe_sub(sold, bought)
            shock = unsafe_mul(shock, short_side)
            sums.shorts[group] += unsafe_mul(beta, size)
        else:
            size = unsafe_sub(bought, sold)
            shock = unsafe_mul(shock, BPS)
            sums.longs[group] += unsafe_mul(beta, size)

        if e.eventful != 0:
            shock = unsafe_mul(shock, event_factor)
        else:
            shock = unsafe_mul(shock, BPS)
        own: uint256 = unsafe_div(unsafe_add(unsafe_mul(shock, size), BPS_CUBED - 1), BPS_CUBED)
        sums.squares = unsafe_add(sums.squares, unsafe_mul(own, own))
        if own > sums.largest:
            sums.largest = own

        sums.floor = unsafe_add(sums.floor, unsafe_mul((line >> risk_table.GAMMA_AT) & risk_table.FIELD, size))
        sums.widths = unsafe_add(sums.widths, unsafe_mul(e.width, size))
        if tokens != 0:
            sums.wrapper = unsafe_add(
                unsafe_add(sums.wrapper, unsafe_mul((line >> risk_table.WRAPPER_AT) & risk_table.FIELD, e.token)),
                unsafe_mul((line >> risk_table.WRAPPER_OTHER_AT) & risk_table.FIELD, e.other),
            )
            hedged: uint256 = min(tokens, sold)
            sums.basis = unsafe_add(sums.basis, unsafe_mul((line >> risk_table.BASIS_AT) & risk_table.FIELD, hedged))

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
def _totals(sums: Sums, closure: IMarginModel.Closure, debt: uint256) -> IMarginModel.Breakdown:
    """
    @dev Everything is rounded up. The four linear terms are added before they are scaled, so that both margins round
         once where the breakdown rounds four times; they are left to `_itemise`, which only `explain` pays for.
    """
    self._check_closure(closure)
    self._check_debt(debt)
    globals: IMarginModel.Globals = risk_table._unpack_globals(sums.globals)
    factor: uint256 = 0
    for group: uint256 in range(4):
        long: uint256 = sums.longs[group]
        short: uint256 = sums.shorts[group]
        if long != short:
            factor += self._div_up(globals.phi[group] * (max(long, short) - min(long, short)), BPS_SQUARED)
    own: uint256 = self._sqrt_up(sums.squares)
    jump: uint256 = self._div_up(globals.jump * sums.largest, BPS)
    core: uint256 = max(factor + own, jump)

    multipliers: uint256[3] = [BPS, globals.weekend, globals.long_closure]
    now: uint256 = multipliers[closure.now]
    ahead: uint256 = multipliers[closure.ahead]
    ramped: uint256 = now + self._div_up((ahead - now) * closure.ramp, BPS)

    rest: uint256 = self._div_up(sums.floor + sums.widths + sums.basis + sums.wrapper, BPS) + sums.size
    interest: uint256 = self._div_up(debt * globals.loan_rate * INTEREST_DAYS, BPS * YEAR_DAYS)
    return IMarginModel.Breakdown(
        factor=factor,
        own=own,
        jump=jump,
        core=core,
        floor=0,
        widths=0,
        basis=0,
        wrapper=0,
        size=sums.size,
        interest=interest,
        maintenance=self._div_up(ramped * core, BPS) + rest,
        # `ahead` is the larger multiplier: the table's never fall from one closure to the next.
        initial=self._div_up(4 * (self._div_up(ahead * core, BPS) + rest), 3) + interest,
    )


@internal
@pure
def _itemise(sums: Sums, totals: IMarginModel.Breakdown) -> IMarginModel.Breakdown:
    terms: IMarginModel.Breakdown = totals
    terms.floor = self._div_up(sums.floor, BPS)
    terms.widths = self._div_up(sums.widths, BPS)
    terms.basis = self._div_up(sums.basis, BPS)
    terms.wrapper = self._div_up(sums.wrapper, BPS)
    return terms


@internal
@pure
def _div_up(amount: uint256, divisor: uint256) -> uint256:
    """
    @dev Nothing that is divided here comes near 2^256: see the doc string of this file.
    """
    return unsafe_div(unsafe_add(amount, unsafe_sub(divisor, 1)), divisor)


@internal
@pure
def _sqrt_up(square: uint256) -> uint256:
    root: uint256 = isqrt(square)
    return root if root * root == square else root + 1
