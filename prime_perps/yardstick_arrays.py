"""Some yardsticks over many accounts at once, in float64 USD: for back-tests and reports. Not rules of this system.

The rules and their sources are those of `prime_perps.yardsticks`; the arrays are those of `prime_perps.margin_arrays`.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from prime_perps import margin_arrays, yardsticks
from prime_perps.margin import Closure, Table
from prime_perps.margin_arrays import Array, Books, Margins, Rules
from prime_perps.units import BPS
from prime_perps.yardsticks import ProductGroup


def regulation_t(books: Books) -> Margins:
    """FINRA's maintenance and Regulation T's initial requirement of every account, USD, of shape (accounts,)."""
    held, perp = np.asarray(books.token) + books.other, np.asarray(books.perp)
    hedged = np.minimum(held, np.maximum(-perp, 0.0))
    long, short = held + np.maximum(perp, 0.0) - hedged, np.maximum(-perp, 0.0) - hedged
    boxed = yardsticks.SHORT_AGAINST_THE_BOX_BPS * hedged
    maintenance = yardsticks.MAINTENANCE_LONG_BPS * long + yardsticks.MAINTENANCE_SHORT_BPS * short + boxed
    initial = yardsticks.REGULATION_T_BPS * (long + short + hedged) + boxed
    return Margins(maintenance.sum(axis=-1) / BPS, initial.sum(axis=-1) / BPS)


def tims(books: Books, indices: Mapping[int, ProductGroup]) -> Array:
    """
    TIMS of every account, USD, of shape (accounts,): 15 % of every net, or what its group asks for where the underlying
    is a broad index.
    """
    net = np.asarray(books.token) + books.other + books.perp
    stocks = [underlying for underlying in range(net.shape[-1]) if underlying not in indices]
    total: Array = yardsticks.STOCK_MOVE_BPS / BPS * np.abs(net[..., stocks]).sum(axis=-1)
    for group in set(indices.values()):
        nets = net[..., [underlying for underlying, its_group in indices.items() if its_group == group]]
        long, short = np.maximum(nets, 0.0).sum(axis=-1), np.maximum(-nets, 0.0).sum(axis=-1)
        counted = yardsticks.OFFSET_BPS / BPS
        falls, rises = group.down * (long - counted * short), group.up * (short - counted * long)
        total = total + np.maximum(np.maximum(falls, rises), 0.0) / BPS
    return total


def position_by_position(books: Books, closure: Closure, rules: Rules) -> Margins:
    """
    The sums of our own margins of each token and each perp as if it were an account alone, USD, of shape (accounts,).
    Raises as `margin_arrays.requirements` does.
    """
    everything = np.broadcast_arrays(books.token, books.other, books.perp, books.width, books.eventful)
    token, other, perp, width, eventful = everything
    maintenance, initial = np.zeros(token.shape[:-1]), np.zeros(token.shape[:-1])
    for underlying, line in enumerate(rules.table.lines):
        alone, column = Rules.of(Table(rules.table.globals, [line])), np.s_[..., underlying : underlying + 1]
        facts = {"width": width[column], "eventful": eventful[column]}
        for leg in (
            Books(token=token[column], **facts),
            Books(other=other[column], **facts),
            Books(perp=perp[column], **facts),
        ):
            margins = margin_arrays.requirements(leg, closure, alone)
            maintenance += margins.maintenance
            initial += margins.initial
    return Margins(maintenance, initial)
