"""The margin formula over arrays against the exact one, account by account and term by term.

The seed is printed with every failure and can be given back: PRIME_PERPS_SEED=... pytest ...
"""

from __future__ import annotations

import os
import time
from collections.abc import Sequence
from dataclasses import fields, replace
from random import Random
from typing import Any

import numpy as np
import pytest

from prime_perps import margin, margin_arrays
from prime_perps.margin import EXPOSURES_MAX, VALUE_MAX, Closure, Exposure, Line, Table
from prime_perps.margin_arrays import Books, Rules
from prime_perps.units import BPS, WAD, wad
from tests.differential.margin_books import SHIPPED, random_question, random_table

SEED = int(os.environ.get("PRIME_PERPS_SEED") or (1 if os.environ.get("CI") else time.time_ns()))
TABLES = 40
BOOKS_A_TABLE = 50

# What margin_arrays promises: of the margin, of the gross legs, and USD.
OF_MARGIN, OF_LEGS, ABSOLUTE = 1e-9, 1e-12, 1e-16

CLOSURES = [
    Closure(now, ahead, ramp) for now in range(3) for ahead in range(now, 3) for ramp in (0, 1, 3_333, BPS - 1, BPS)
]
SHARES_OF_EVENT = (0, 0, 0, 1, 2_500, 9_999, BPS)


def assert_equal_to_exact(
    books: Sequence[Sequence[Exposure]], debts: Sequence[int], closure: Closure, table: Table
) -> None:
    """Every term of every account, within what is promised."""
    terms = margin_arrays.explain(Books.of(books, debts, len(table.lines)), closure, Rules.of(table))
    for row, (book, debt) in enumerate(zip(books, debts, strict=True)):
        exact = margin.explain(book, closure, debt, table)
        legs = sum(entry.held + abs(entry.perp) for entry in book) / WAD
        for field in fields(exact):
            expected = getattr(exact, field.name) / WAD
            # A term may be small beside the margin of which 1e-9 is allowed: its bound is the margin's.
            allowed = OF_MARGIN * max(expected, exact.maintenance / WAD) + OF_LEGS * legs + ABSOLUTE
            assert abs(getattr(terms, field.name)[row] - expected) <= allowed, (field.name, book, closure, table)


def with_events(book: Sequence[Exposure], random: Random) -> list[Exposure]:
    return [replace(entry, eventful=random.choice((*SHARES_OF_EVENT, random.randint(0, BPS)))) for entry in book]


def opposed_book(random: Random, table: Table) -> list[Exposure]:
    """Longs and shorts of like beta, so that the nets of groups nearly cancel, of sizes from dust to the largest."""
    size = random.choice((1, 10**6, WAD, 10**5 * WAD, VALUE_MAX // 2))
    held = random.sample(range(len(table.lines)), min(len(table.lines), EXPOSURES_MAX))
    signs = [1 if at % 2 else -1 for at in range(len(held))]
    return [
        Exposure(underlying, perp=sign * (size * 10_000 // max(table.lines[underlying].beta, 1)))
        for underlying, sign in zip(held, signs, strict=True)
        if size * 10_000 // max(table.lines[underlying].beta, 1) <= VALUE_MAX
    ]


def test_explain__random_books__equal_to_the_exact_formula() -> None:
    print(f"PRIME_PERPS_SEED={SEED}")
    random = Random(SEED)
    for _ in range(TABLES):
        table = random_table(random)
        questions = [random_question(random, table) for _ in range(BOOKS_A_TABLE)]
        books = [with_events(question.book, random) for question in questions]
        assert_equal_to_exact(books, [question.debt for question in questions], random.choice(CLOSURES), table)


def test_explain__nets_that_nearly_cancel__equal_to_the_exact_formula() -> None:
    print(f"PRIME_PERPS_SEED={SEED}")
    random = Random(SEED)
    for _ in range(TABLES):
        # All in one group, markets that never close among those that keep hours.
        lines = [replace(line, group=0) for line in random_table(random).lines]
        table = Table(random_table(random).globals, lines)
        books = [with_events(opposed_book(random, table), random) for _ in range(BOOKS_A_TABLE // 5)]
        assert_equal_to_exact(books, [0] * len(books), random.choice(CLOSURES), table)


@pytest.mark.parametrize("closure", CLOSURES)
def test_explain__every_tier_and_closure__equal_to_the_exact_formula(closure: Closure) -> None:
    table = SHIPPED.table(SHIPPED.tiers)
    mixed = [replace(line, group=0, hours=at % 2) for at, line in enumerate(table.lines)]
    everywhere = range(len(table.lines))
    books = [
        [Exposure(at, token, other, perp, 30, eventful)]
        for at in everywhere
        for token, other, perp in ((WAD, 0, 0), (0, 0, 10**5 * WAD), (10**9 * WAD, WAD, -(10**9) * WAD), (0, 0, -1))
        for eventful in (0, 1, 5_000, BPS)
    ]
    books.append([Exposure(at, token=10**5 * WAD, perp=(-1) ** at * 10**5 * at * WAD) for at in everywhere])
    books.append([Exposure(at, perp=VALUE_MAX if at % 2 else -VALUE_MAX) for at in everywhere])
    for each in (table, Table(table.globals, mixed)):
        assert_equal_to_exact(books, [10**4 * WAD] * len(books), closure, each)


def test_requirements__hedge_charged_a_basis__is_within_1e9_of_the_margin_alone() -> None:
    table = SHIPPED.table(SHIPPED.tiers)
    random = Random(SEED)
    print(f"PRIME_PERPS_SEED={SEED}")
    books = []
    for _ in range(200):
        token = [random.randint(1, VALUE_MAX) for _ in table.lines]
        books.append([Exposure(at, t, perp=-t + random.randint(-5, 5) * WAD) for at, t in enumerate(token)])
    margins = margin_arrays.requirements(Books.of(books, [0] * 200, len(table.lines)), Closure(), Rules.of(table))
    exact = np.array([margin.requirements(book, Closure(), 0, table) for book in books], dtype=np.float64) / WAD
    np.testing.assert_allclose(margins.maintenance, exact[:, 0], rtol=OF_MARGIN)
    np.testing.assert_allclose(margins.initial, exact[:, 1], rtol=OF_MARGIN)


def test_requirements__worked_vectors__are_those_of_the_documentation() -> None:
    lines = [replace(SHIPPED.line(tier), slope=0) for tier in ("T3", "T1", "T1", "ETF")]
    token = np.array([[1e5, 0, 0, 0], [1e5, 0, 0, 0], [0, 0, 0, 0], [0, 0, 0, 0], [0, 0, 0, 0]])
    perp = np.array([[-1e5, 0, 0, 0], [0, 0, 0, 0], [1e5, 0, 0, 0], [0, 0, 0, 1e5], [0, 5e4, 5e4, -1e5]])
    table = Table(SHIPPED.globals, lines)
    margins = margin_arrays.requirements(Books(token=token, perp=perp), Closure(), Rules.of(table))
    np.testing.assert_allclose(margins.maintenance, [2_500, 21_700, 21_200, 7_000, 6_881.99], atol=0.005)
    np.testing.assert_allclose(margins.initial, [3_333.33, 28_933.33, 28_266.67, 9_333.33, 9_175.98], atol=0.005)


def test_requirements__days_by_books__are_those_of_each_book_alone() -> None:
    random = np.random.default_rng(1)
    table = SHIPPED.table(["T3", "BTC", "ETF"])
    perp, width = random.normal(0, 1e5, (4, 5, 3)), random.uniform(0, 50, (4, 1, 3))
    together = margin_arrays.requirements(Books(perp=perp, width=width, debt=100.0), Closure(0, 2), Rules.of(table))
    assert together.initial.shape == (4, 5)
    for day in range(4):
        alone = margin_arrays.requirements(
            Books(perp=perp[day, 2], width=width[day, 0], debt=100.0), Closure(0, 2), Rules.of(table)
        )
        assert together.maintenance[day, 2] == pytest.approx(alone.maintenance, rel=1e-12)
        assert together.initial[day, 2] == pytest.approx(alone.initial, rel=1e-12)


def test_requirements__nothing_held__is_nothing() -> None:
    margins = margin_arrays.requirements(Books.of([[], []], [0, 0], 3), Closure(), Rules.of(SHIPPED.table(["T1"] * 3)))
    assert not margins.maintenance.any()
    assert not margins.initial.any()
    assert margins.initial.shape == (2,)


def test_books__accounts_in_another_order__give_the_same_margins_in_that_order() -> None:
    table = SHIPPED.table(["T1", "T3"])
    books = [[Exposure(1, wad(5))], [Exposure(0, other=wad(7)), Exposure(1, perp=-wad(7))], []]
    there = margin_arrays.requirements(Books.of(books, [0, 1, 2], 2), Closure(), Rules.of(table))
    back = margin_arrays.requirements(Books.of(books[::-1], [2, 1, 0], 2), Closure(), Rules.of(table))
    assert there.initial.tolist() == back.initial[::-1].tolist()


NOTHING = np.zeros((2, 3))


@pytest.mark.parametrize(
    ("values", "told"),
    [
        ({"token": NOTHING - 1}, "token must be from 0"),
        ({"other": -1.0}, "other must be from 0"),
        ({"width": 10_001.0}, "width must be from 0 to 10000"),
        ({"eventful": 10_001.0}, "eventful must be from 0 to 10000"),
        ({"width": np.nan}, "width must be from 0"),
        ({"debt": -1.0}, "debt must be from 0"),
        ({"token": np.nan}, "token has a value that is not finite"),
        ({"perp": NOTHING - np.inf}, "perp has a value that is not finite"),
    ],
)
def test_books__value_that_cannot_be__is_refused(values: dict[str, Any], told: str) -> None:
    with pytest.raises(ValueError, match=told):
        Books(**values)


@pytest.mark.parametrize("books", [Books(token=np.zeros((3, 2))), Books()])
def test_requirements__books_over_other_underlyings__are_refused(books: Books) -> None:
    with pytest.raises(ValueError, match="3 underlyings"):
        margin_arrays.requirements(books, Closure(), Rules.of(SHIPPED.table(["T1"] * 3)))


@pytest.mark.parametrize(
    "closure", [Closure(1, 0), Closure(-1, 0), Closure(0, 3), Closure(0, 0, -1), Closure(0, 0, 10_001)]
)
def test_requirements__bad_closure__is_refused(closure: Closure) -> None:
    with pytest.raises(ValueError, match="is no closure"):
        margin_arrays.requirements(Books(NOTHING), closure, Rules.of(SHIPPED.table(["T1"] * 3)))


@pytest.mark.parametrize("book", [[Exposure(3)], [Exposure(-1)], [Exposure(1), Exposure(1)]])
def test_books__underlying_unknown_or_twice__is_refused(book: list[Exposure]) -> None:
    with pytest.raises(ValueError, match="not below 3"):
        Books.of([book], [0], 3)


def test_books__account_without_debt__is_refused() -> None:
    with pytest.raises(ValueError, match="zip"):
        Books.of([[], []], [0], 3)


def test_rules__depth_0_without_slope__charges_no_size() -> None:
    line = Line(group=0, beta=0, iota=0, gamma=100, basis=0, wrapper=0, wrapper_other=0, slope=0, hours=1, depth=0)
    terms = margin_arrays.explain(Books(perp=np.array([[100.0]])), Closure(), Rules.of(Table(SHIPPED.globals, [line])))
    assert terms.maintenance.tolist() == pytest.approx([1.0])
    assert terms.size.tolist() == [0.0]
