"""The margin formula over many accounts at once, in float64: for estimates and back-tests, never for a balance.

The formula is that of `prime_perps.margin`, term by term, without its rounding of money; event factors and closure
multipliers are whole basis points as there. Money is in USD here, not wad. Every array has the table's underlyings
along its last axis, in the order of its lines; the axes before it are the accounts, as many axes as you like.

Both margins agree with the exact ones to 1e-9 of the margin, plus 1e-12 of the gross legs (all tokens and |perps|),
plus 1e-16 USD. The second is for hedged legs that are charged nothing, b = w = 0: a float holds a net no better than to
1e-16 of what cancelled in it. What cancels between underlyings needs no such allowance, as gamma is at least 1 bp.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from prime_perps import margin
from prime_perps.margin import INTEREST_SECONDS, YEAR_SECONDS, Closure, Exposure, Table
from prime_perps.units import BPS, WAD

Array = NDArray[np.float64]


@dataclass(frozen=True)
class Books:
    """
    What accounts have, valued at mid. All but `debt` broadcast to (accounts, underlyings): a width may be given once
    for everybody, one per underlying, or one for each account and underlying. `debt` broadcasts to (accounts,).

    Raises ValueError for what is not finite, has a sign it cannot have, or is over 10,000 bps.
    """

    token: Array | float = 0.0  # USD, primary issuer's tokens
    other: Array | float = 0.0  # USD, further issuers' tokens
    perp: Array | float = 0.0  # USD, signed
    width: Array | float = 0.0  # bps, oracle half-width over mid
    eventful: Array | float = 0.0  # bps, how much of the event factor maintenance carries; if any, initial has all
    debt: Array | float = 0.0  # USD, negative cash as a positive number

    def __post_init__(self) -> None:
        for name in ("token", "other", "perp", "debt"):
            if not np.isfinite(getattr(self, name)).all():
                raise ValueError(f"{name} has a value that is not finite")
        for name, most in (("token", np.inf), ("other", np.inf), ("debt", np.inf), ("width", BPS), ("eventful", BPS)):
            values = np.asarray(getattr(self, name))
            if not ((values >= 0) & (values <= most)).all():
                raise ValueError(f"{name} must be from 0 to {most}; only the perp has a sign")

    @classmethod
    def of(cls, accounts: Sequence[Sequence[Exposure]], debts: Sequence[int], underlyings: int) -> Books:
        """
        Exact books, and the debt of each in wad, as arrays over a table of so many lines. Raises ValueError for an
        account without its debt, an underlying without a line, and one that stands twice in a book.
        """
        entries = [(row, entry) for row, (book, _) in enumerate(zip(accounts, debts, strict=True)) for entry in book]
        places = [(row, entry.underlying) for row, entry in entries]
        if len(set(places)) < len(places) or any(not 0 <= column < underlyings for _, column in places):
            raise ValueError(f"a book holds an underlying twice, or one that is not below {underlyings}")

        def spread(field: str, scale: int) -> Array:
            array = np.zeros((len(accounts), underlyings))
            for place, (_, entry) in zip(places, entries, strict=True):
                array[place] = getattr(entry, field) / scale
            return array

        return cls(
            token=spread("token", WAD),
            other=spread("other", WAD),
            perp=spread("perp", WAD),
            width=spread("width", 1),
            eventful=spread("eventful", 1),
            debt=np.array([debt / WAD for debt in debts]),
        )


@dataclass(frozen=True)
class Rules:
    """A risk table as arrays of shape (underlyings,), fractions unless said otherwise. Build it once, with `of`."""

    table: Table
    always: Array  # (underlyings, groups), beta where the market never closes and belongs to the group, else 0
    hours: Array  # (underlyings, groups), beta where it keeps hours and belongs to the group, else 0
    keeps_hours: NDArray[np.bool_]
    phi: Array  # (groups,)
    iota: Array
    gamma: Array
    basis: Array
    wrapper: Array
    wrapper_other: Array
    slope: Array  # size charge per USD of net, 1 / USD; 0 where size is not charged

    @classmethod
    def of(cls, table: Table) -> Rules:
        """The arrays of a table."""

        def rates(field: str) -> Array:
            return np.array([getattr(line, field) for line in table.lines], dtype=np.float64) / BPS

        groups = np.arange(len(table.globals.phi))
        member = np.array([line.group for line in table.lines])[:, None] == groups
        keeps_hours = np.array([bool(line.hours) for line in table.lines])
        beta, slope = rates("beta")[:, None] * member, rates("slope")
        depth = np.array([line.depth for line in table.lines], dtype=np.float64)
        return cls(
            table=table,
            always=beta * ~keeps_hours[:, None],
            hours=beta * keeps_hours[:, None],
            keeps_hours=keeps_hours,
            phi=np.array(table.globals.phi) / BPS,
            iota=rates("iota"),
            gamma=rates("gamma"),
            basis=rates("basis"),
            wrapper=rates("wrapper"),
            wrapper_other=rates("wrapper_other"),
            slope=np.divide(slope, depth, out=np.zeros_like(slope), where=slope > 0),
        )


@dataclass(frozen=True)
class Margins:
    """Maintenance and initial margin, USD, of shape (accounts,)."""

    maintenance: Array
    initial: Array


@dataclass(frozen=True)
class Terms(Margins):
    """Every term of the two margins, USD, of shape (accounts,). `factor` to `core` are maintenance margin's."""

    factor: Array
    own: Array
    jump: Array
    core: Array
    core_ahead: Array
    floor: Array
    widths: Array
    basis: Array
    wrapper: Array
    size: Array
    interest: Array


def requirements(books: Books, closure: Closure, rules: Rules) -> Margins:
    """
    Maintenance and initial margin of every account, USD. Raises ValueError for books over other underlyings than the
    table's, and for a closure that is none.
    """
    terms = explain(books, closure, rules)
    return Margins(terms.maintenance, terms.initial)


def explain(books: Books, closure: Closure, rules: Rules) -> Terms:
    """
    `requirements` with all its terms, by the formula of docs/margin.md. With d = token + other + perp, rates as
    fractions, m the multiplier of markets that keep hours (1 for others), v of the way to the event factor e:

        factor  = sum over groups of phi max(|A + H|, |A + m H|);  A, H: sums of beta d where hours are 0, and 1
        shock   = m iota side (1 + (e - 1) v) |d|;  side = short_side if d < 0, else 1
        core    = max(factor + sqrt(sum of shock^2), jump max shock)
        rest    = sum of (gamma + width) |d| + basis min(held, max(-perp, 0)) + wrappers + min(cap, slope |d|) |d|
        MM      = core + rest, with m as of now and v = eventful
        IM      = 4/3 (core + rest) + 72 hours of interest, with m as ahead and v = 1 on any event

    Raises as `requirements` does.
    """
    token, other, perp, width, eventful = np.broadcast_arrays(
        books.token, books.other, books.perp, books.width, books.eventful
    )
    debt = np.asarray(books.debt, dtype=np.float64)
    held = token + other
    net = held + perp
    gross_net = np.abs(net)
    _check(net, closure, rules)
    now, ahead = _multipliers(closure, rules)
    shocks = gross_net * np.where(net < 0, rules.table.globals.short_side / BPS, 1.0) * rules.iota
    core = _core(net, shocks * _event_factors(eventful, rules), now, rules)
    core_ahead = _core(net, shocks * _event_factors(np.where(eventful > 0, BPS, 0), rules), ahead, rules)

    floor = gross_net @ rules.gamma
    widths = np.sum(gross_net * width, axis=-1) / BPS
    basis = np.minimum(held, np.maximum(-perp, 0.0)) @ rules.basis
    wrapper = token @ rules.wrapper + other @ rules.wrapper_other
    size = np.sum(gross_net * np.minimum(rules.table.globals.slope_cap / BPS, gross_net * rules.slope), axis=-1)
    interest = debt * (rules.table.globals.loan_rate / BPS * INTEREST_SECONDS / YEAR_SECONDS)

    rest = floor + widths + basis + wrapper + size
    return Terms(
        maintenance=core.total + rest,
        initial=4 / 3 * (core_ahead.total + rest) + interest,
        factor=core.factor,
        own=core.own,
        jump=core.jump,
        core=core.total,
        core_ahead=core_ahead.total,
        floor=floor,
        widths=widths,
        basis=basis,
        wrapper=wrapper,
        size=size,
        interest=interest,
    )


@dataclass(frozen=True)
class _Core:
    """What moves with the market, USD, of shape (accounts,)."""

    factor: Array
    own: Array
    jump: Array

    @property
    def total(self) -> Array:
        return np.maximum(self.factor + self.own, self.jump)


def _core(net: Array, shocks: Array, multiplier: float, rules: Rules) -> _Core:
    """The core when closures multiply by `multiplier`; `shocks` are the own-name ones before that."""
    always, hours = net @ rules.always, net @ rules.hours
    worst = np.maximum(np.abs(always + hours), np.abs(always + multiplier * hours))
    shocks = shocks * np.where(rules.keeps_hours, multiplier, 1.0)
    return _Core(
        factor=worst @ rules.phi,
        own=np.sqrt(np.sum(shocks**2, axis=-1)),
        jump=rules.table.globals.jump / BPS * np.max(shocks, axis=-1, initial=0.0),
    )


def _event_factors(eventful: Array, rules: Rules) -> Array:
    """What an event multiplies own-name shocks with, rounded up to basis points like the exact formula's."""
    factors: Array = 1 + np.ceil((rules.table.globals.event_factor - BPS) * eventful / BPS) / BPS
    return factors


def _multipliers(closure: Closure, rules: Rules) -> tuple[float, float]:
    """How much further markets that keep hours may move: for maintenance as of now, and for initial margin."""
    by_closure = (BPS, rules.table.globals.weekend, rules.table.globals.long_closure)
    now, ahead = by_closure[closure.now], by_closure[closure.ahead]
    return (now + margin.div_up((ahead - now) * closure.ramp, BPS)) / BPS, max(now, ahead) / BPS


def _check(net: Array, closure: Closure, rules: Rules) -> None:
    underlyings = len(rules.table.lines)
    if net.shape[-1:] != (underlyings,):
        raise ValueError(f"books of shape {net.shape}; their last axis must be the table's {underlyings} underlyings")
    if not (0 <= closure.now <= closure.ahead <= 2 and 0 <= closure.ramp <= BPS):
        raise ValueError(f"{closure} is no closure: 0 <= now <= ahead <= 2, ramp from 0 to {BPS} bps")
