"""What happened to the books: next-day losses against requirements, and requirements against what others ask."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import date

import numpy as np

from prime_perps import margin, margin_arrays, yardstick_arrays
from prime_perps.backtest.books import Draw, Kind, strike
from prime_perps.backtest.data import Array, Universe
from prime_perps.backtest.tiers import Era
from prime_perps.risk import RiskTable
from prime_perps.units import BPS
from prime_perps.yardsticks import HIGH_CAP

TARGET = 0.998  # of days, what maintenance margin is to cover
# Small beside every depth of the table, so that no book is charged for its size.
GROSS = 100_000.0  # USD
# The exchange is open and stays so: what a weekend adds would only cover more.
OPEN = margin.Closure()


@dataclass(frozen=True)
class Outcome:
    """Books of one kind over days, all held at constant notional. Amounts are shares of a book's gross."""

    days: int
    failed: Array  # (days,), share of books that lost more than MM
    failed_by_book: Array  # (books,), share of days
    bankrupt: float  # share of book-days with a loss over IM: what an account with exactly IM could not pay
    called: float  # share of book-days after which an account with exactly IM has less than MM
    maintenance: Array  # (books,), mean of days
    rare_loss: Array  # (books,), the loss exceeded on 1 - TARGET of days
    ratio_isolated: float  # IM to that of each position alone
    ratio_tims: float  # MM to TIMS
    ratio_reg_t: float  # IM to Regulation T

    @property
    def coverage(self) -> float:
        """Share of book-days on which MM was at least the loss."""
        return 1 - float(self.failed.mean())

    @property
    def books_covered(self) -> float:
        """Share of books that are covered on at least TARGET of days each by itself: the mean hides the weakest."""
        return float(np.mean(self.failed_by_book <= 1 - TARGET))


@dataclass(frozen=True)
class Replay:
    """One terrible day, for books of one kind. Amounts are shares of gross."""

    day: date
    index_return: float
    failed: float  # share of books that lost more than MM
    bankrupt: float  # share that lost more than IM
    worst: float  # the largest loss over MM
    beyond_initial: float  # what insurance would have borne if all had held exactly IM
    beyond_maintenance: float  # and if all had held exactly MM


def follow(universe: Universe, eras: Sequence[Era], kind: Kind, drawn: Draw, table: RiskTable) -> Outcome:
    """Hold the books through the eras, struck anew in each."""
    spans = [_held(universe, era, kind, drawn, table) for era in eras]
    losses = np.hstack([span.losses for span in spans])
    failed = np.hstack([span.losses > span.maintenance[:, None] for span in spans])
    weights = [span.losses.shape[1] / losses.shape[1] for span in spans]

    def mean(part: str) -> Array:
        means: Array = np.average([getattr(span, part) for span in spans], axis=0, weights=weights)
        return means

    def over(limit: Callable[[_Span], Array]) -> float:
        shares = [np.mean(span.losses > limit(span)[:, None]) for span in spans]
        return float(np.average(shares, weights=weights))

    maintenance, initial = mean("maintenance"), mean("initial")
    return Outcome(
        days=losses.shape[1],
        failed=failed.mean(axis=0),
        failed_by_book=failed.mean(axis=1),
        bankrupt=over(lambda span: span.initial),
        called=over(lambda span: span.initial - span.maintenance),
        maintenance=maintenance,
        rare_loss=np.quantile(losses, TARGET, axis=1),
        ratio_isolated=float(initial.sum() / mean("isolated").sum()),
        ratio_tims=float(maintenance.sum() / mean("tims").sum()),
        ratio_reg_t=float(initial.sum() / mean("reg_t").sum()),
    )


def replay(
    universe: Universe, eras: Sequence[Era], kind: Kind, drawn: Draw, table: RiskTable, day: date
) -> Replay | None:
    """The books on one day, with the tiers in force on it. None when no era holds that day."""
    row = universe.row(day)
    for era in eras:
        if row is not None and era.rows.start <= row < era.rows.stop:
            span = _held(universe, replace(era, rows=slice(row, row + 1)), kind, drawn, table)
            loss = span.losses[:, 0]
            return Replay(
                day=day,
                index_return=float(universe.returns[row, -1]),
                failed=float(np.mean(loss > span.maintenance)),
                bankrupt=float(np.mean(loss > span.initial)),
                worst=float(np.max(loss / span.maintenance)),
                beyond_initial=float(np.mean(np.maximum(loss - span.initial, 0))),
                beyond_maintenance=float(np.mean(np.maximum(loss - span.maintenance, 0))),
            )
    return None


@dataclass(frozen=True)
class _Span:
    """Books in one era, shares of gross: requirements (books,), losses (books, days)."""

    maintenance: Array
    initial: Array
    isolated: Array
    tims: Array
    reg_t: Array
    losses: Array


def _held(universe: Universe, era: Era, kind: Kind, drawn: Draw, table: RiskTable) -> _Span:
    lines = table.table(era.tiers)
    rules = margin_arrays.Rules.of(lines)
    struck = strike(kind, drawn, np.array([line.beta for line in lines.lines]) / BPS)
    books = margin_arrays.Books(token=struck.token * GROSS, perp=struck.perp * GROSS)
    margins = margin_arrays.requirements(books, OPEN, rules)
    index = {len(era.tiers) - 1: HIGH_CAP}
    return _Span(
        maintenance=margins.maintenance / GROSS,
        initial=margins.initial / GROSS,
        isolated=yardstick_arrays.position_by_position(books, OPEN, rules).initial / GROSS,
        tims=yardstick_arrays.tims(books, index) / GROSS,
        reg_t=yardstick_arrays.regulation_t(books).initial / GROSS,
        losses=-(struck.token + struck.perp) @ universe.returns[era.rows].T,
    )
