"""The margin formula in exact integers: the same numbers as contracts/MarginModel.vy, to the last digit.

Written from the formula of docs/margin.md, not from the contract, so that each checks the other. Amounts are wad USD,
rates are basis points; fields are those of IMarginModel.vyi, in its order, so an instance can be passed to the contract
and the contract's answer unpacked into one.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import isqrt

from prime_perps.errors import Revert
from prime_perps.units import BPS, WAD

EXPOSURES_MAX = 32
HOURS = 2  # markets that never close, markets that keep hours
VALUE_MAX = 2**103 - 1  # wad; 1e13 USD
INTEREST_SECONDS = 72 * 3600
YEAR_SECONDS = 365 * 24 * 3600


@dataclass(frozen=True)
class Exposure:
    """What an account has on one underlying, valued at mid."""

    underlying: int
    token: int = 0  # wad, primary issuer's tokens
    other: int = 0  # wad, further issuers' tokens
    perp: int = 0  # wad, signed
    width: int = 0  # bps, oracle half-width over mid
    eventful: int = 0  # bps, how much of the event factor maintenance carries; not 0: initial carries all of it

    @property
    def held(self) -> int:
        """All tokens, wad."""
        return self.token + self.other

    @property
    def net(self) -> int:
        """Tokens and perp together, wad, signed."""
        return self.held + self.perp

    @property
    def hedged(self) -> int:
        """What tokens and a short perp have in common, wad."""
        return min(self.held, max(-self.perp, 0))


@dataclass(frozen=True)
class Closure:
    """How shut the exchange is, and will be within a day: 0 open, 1 for less than 72 hours, 2 for 72 or more."""

    now: int = 0
    ahead: int = 0
    ramp: int = 0  # bps of the way from `now` to `ahead`


@dataclass(frozen=True)
class Line:
    """Risk of one underlying, bps unless said otherwise."""

    group: int
    beta: int
    iota: int
    gamma: int
    basis: int
    wrapper: int
    wrapper_other: int
    slope: int
    hours: int  # 1 if its market keeps hours, 0 if it never closes
    depth: int  # whole USD


@dataclass(frozen=True)
class Globals:
    """Risk of everything, bps."""

    phi: tuple[int, int, int, int]
    short_side: int
    jump: int
    event_factor: int
    slope_cap: int
    weekend: int
    long_closure: int
    loan_rate: int


@dataclass(frozen=True)
class Table:
    """A risk table; line i belongs to underlying i."""

    globals: Globals
    lines: Sequence[Line]


@dataclass(frozen=True)
class Breakdown:
    """Every term of the two margins, wad, each rounded up by itself. `factor` to `core` are maintenance margin's."""

    factor: int
    own: int
    jump: int
    core: int
    core_ahead: int
    floor: int
    widths: int
    basis: int
    wrapper: int
    size: int
    interest: int
    maintenance: int
    initial: int


_Book = Sequence[tuple[Exposure, Line]]


def requirements(exposures: Sequence[Exposure], closure: Closure, debt: int, table: Table) -> tuple[int, int]:
    """
    Maintenance and initial margin of a book, wad, rounded up; `debt` is negative cash as a positive number, wad.

    Raises Revert with the contract's reason, ValueError for what the contract's types cannot hold.
    """
    terms = explain(exposures, closure, debt, table)
    return terms.maintenance, terms.initial


def explain(exposures: Sequence[Exposure], closure: Closure, debt: int, table: Table) -> Breakdown:
    """`requirements` with all its terms. Raises as it does."""
    _check_signs(exposures, debt)
    _check_exposures(exposures, len(table.lines))
    _check_closure(closure)
    _check(debt <= VALUE_MAX, "model: debt too large")
    rules = table.globals
    book = [(entry, table.lines[entry.underlying]) for entry in exposures]
    now, ahead = _multipliers(closure, rules)
    core = _core(book, now, [entry.eventful for entry in exposures], rules)
    core_ahead = _core(book, ahead, [BPS if entry.eventful else 0 for entry in exposures], rules)

    floor = sum(line.gamma * abs(entry.net) for entry, line in book)
    widths = sum(entry.width * abs(entry.net) for entry, _ in book)
    basis = sum(line.basis * entry.hedged for entry, line in book)
    wrapper = sum(line.wrapper * entry.token + line.wrapper_other * entry.other for entry, line in book)
    size = sum(_size_charge(entry, line, rules) for entry, line in book)
    interest = div_up(debt * rules.loan_rate * INTEREST_SECONDS, BPS * YEAR_SECONDS)

    # Before the division: the margins round the linear terms once, together.
    rest = div_up(floor + widths + basis + wrapper, BPS) + size
    return Breakdown(
        factor=core.factor,
        own=core.own,
        jump=core.jump,
        core=core.total,
        core_ahead=core_ahead.total,
        floor=div_up(floor, BPS),
        widths=div_up(widths, BPS),
        basis=div_up(basis, BPS),
        wrapper=div_up(wrapper, BPS),
        size=size,
        interest=interest,
        maintenance=core.total + rest,
        initial=div_up(4 * (core_ahead.total + rest), 3) + interest,
    )


def div_up(amount: int, divisor: int) -> int:
    """The quotient rounded towards plus infinity."""
    return -(-amount // divisor)


def sqrt_up(square: int) -> int:
    """The least integer whose square is not below `square`."""
    return isqrt(square - 1) + 1 if square else 0


@dataclass(frozen=True)
class _Core:
    """What moves with the market, wad, each term rounded up by itself."""

    factor: int
    own: int
    jump: int

    @property
    def total(self) -> int:
        return max(self.factor + self.own, self.jump)


def _core(book: _Book, multiplier: int, events: Sequence[int], rules: Globals) -> _Core:
    """The core when closures multiply by `multiplier`, and each name has as much of the event factor as `events` says,
    in bps.
    """
    shocks: list[list[int]] = [[] for _ in range(HOURS)]
    for (entry, line), event in zip(book, events, strict=True):
        shocks[line.hours].append(_own_shock(entry, line, event, rules))
    always, hours = (sum(shock**2 for shock in some) for some in shocks)
    largest = max(BPS * max(shocks[0], default=0), multiplier * max(shocks[1], default=0))
    return _Core(
        factor=sum(_factor(book, group, multiplier, phi) for group, phi in enumerate(rules.phi)),
        own=div_up(sqrt_up(BPS**2 * always + multiplier**2 * hours), BPS),
        jump=div_up(rules.jump * largest, BPS**2),
    )


def _factor(book: _Book, group: int, multiplier: int, phi: int) -> int:
    """
    What a group loses when all of it moves, wad, rounded up. Markets that keep hours may move up to `multiplier` times
    as far as those that never close, and need not: the worse end counts, so that a longer closure never lowers it.
    """
    nets = [0] * HOURS
    for entry, line in book:
        if line.group == group:
            nets[line.hours] += line.beta * entry.net
    always, hours = nets
    worst = max(BPS * abs(always + hours), abs(BPS * always + multiplier * hours))
    return div_up(phi * worst, BPS**3)


def _own_shock(entry: Exposure, line: Line, event: int, rules: Globals) -> int:
    """What the name alone can lose, wad, rounded up. `event`: bps of the way to the whole event factor."""
    side = rules.short_side if entry.net < 0 else BPS
    factor = BPS + div_up((rules.event_factor - BPS) * event, BPS)
    return div_up(abs(entry.net) * line.iota * side * factor, BPS**3)


def _size_charge(entry: Exposure, line: Line, rules: Globals) -> int:
    """What it costs that the position is large beside its exchange, wad, rounded up."""
    if not line.slope:
        return 0
    depth = line.depth * WAD
    size = abs(entry.net)
    return div_up(size * min(rules.slope_cap * depth, line.slope * size), depth * BPS)


def _multipliers(closure: Closure, rules: Globals) -> tuple[int, int]:
    """How much further markets that keep hours may move: for maintenance as of now, and for initial margin; bps."""
    by_closure = (BPS, rules.weekend, rules.long_closure)
    now, ahead = by_closure[closure.now], by_closure[closure.ahead]
    return now + div_up((ahead - now) * closure.ramp, BPS), max(now, ahead)


def _check(holds: bool, reason: str) -> None:
    if not holds:
        raise Revert(reason)


def _check_signs(exposures: Sequence[Exposure], debt: int) -> None:
    """What the contract's types make impossible. Raises ValueError."""
    if len(exposures) > EXPOSURES_MAX:
        raise ValueError(f"{len(exposures)} exposures, at most {EXPOSURES_MAX}")
    if debt < 0 or any(min(e.underlying, e.token, e.other, e.width, e.eventful) < 0 for e in exposures):
        raise ValueError("only the perp has a sign")


def _check_exposures(exposures: Sequence[Exposure], lines: int) -> None:
    seen: set[int] = set()
    for entry in exposures:
        _check(entry.underlying < lines, "model: unknown underlying")
        _check(entry.underlying not in seen, "model: duplicate underlying")
        seen.add(entry.underlying)
        _check(max(entry.token, entry.other, abs(entry.perp)) <= VALUE_MAX, "model: notional too large")
        _check(entry.width <= BPS, "model: width over 100%")
        _check(entry.eventful <= BPS, "model: event over 100%")


def _check_closure(closure: Closure) -> None:
    in_order = 0 <= closure.now <= closure.ahead <= 2
    _check(in_order and 0 <= closure.ramp <= BPS, "model: bad closure")
