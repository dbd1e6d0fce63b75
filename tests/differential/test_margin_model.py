"""The margin model against the Python reference, book by book, to the last digit.

The seed is printed with every failure and can be given back: PRIME_PERPS_SEED=... PRIME_PERPS_BOOKS=100000 pytest ...
"""

from __future__ import annotations

import os
import time
from collections import Counter
from dataclasses import astuple, replace
from itertools import product
from random import Random

import pytest
from eth_utils import keccak, to_checksum_address

from prime_perps import margin
from prime_perps.chain import Contract
from prime_perps.chain.revm import RevmBackend
from prime_perps.errors import Revert
from prime_perps.margin import VALUE_MAX, Closure, Exposure, Globals, Line, Table
from tests.differential.margin_books import Question, random_question, random_table

BOOKS = int(os.environ.get("PRIME_PERPS_BOOKS") or 2_000)
BOOKS_A_TABLE = 40
SEED = int(os.environ.get("PRIME_PERPS_SEED") or (1 if os.environ.get("CI") else time.time_ns()))

MAKER = to_checksum_address(keccak(text="anyone")[12:])
NOBODY = "0x" + "00" * 20


class Chain:
    """A model, alone, and another for each table."""

    def __init__(self) -> None:
        self.backend = RevmBackend()
        self.model: Contract

    def use(self, table: Table) -> None:
        """Ask a model of this table from now on."""
        given = (table.globals, table.lines, NOBODY, 0, 0)
        self.model = Contract.deploy(self.backend, "MarginModel", *given, sender=MAKER)

    def explain(self, question: Question) -> tuple[int, ...] | str:
        """All terms, or the reason for none."""
        try:
            return tuple(self.model.explain(question.book, question.closure, question.debt))
        except Revert as refusal:
            return refusal.reason

    def requirements(self, question: Question) -> tuple[int, ...] | str:
        try:
            return tuple(self.model.requirements(question.book, question.closure, question.debt))
        except Revert as refusal:
            return refusal.reason


def reference(question: Question, table: Table) -> tuple[int, ...] | str:
    """What Chain.explain should say."""
    try:
        return astuple(margin.explain(question.book, question.closure, question.debt, table))
    except Revert as refusal:
        return refusal.reason


def differences(chain: Chain, question: Question, table: Table) -> list[str]:
    """Where contract and reference part."""
    expected = reference(question, table)
    explained, needed = chain.explain(question), chain.requirements(question)
    found = [] if explained == expected else [f"explain: chain {explained}, reference {expected}"]
    margins = expected if isinstance(expected, str) else expected[-2:]
    return found + ([] if needed == margins else [f"requirements: chain {needed}, reference {margins}"])


@pytest.fixture(scope="module")
def chain() -> Chain:
    return Chain()


def test_margin_model__random_books__equal_to_the_reference(chain: Chain) -> None:
    print(f"PRIME_PERPS_SEED={SEED}")
    random = Random(SEED)
    sizes: Counter[int] = Counter()
    for number in range(BOOKS):
        if number % BOOKS_A_TABLE == 0:
            table = random_table(random)
            chain.use(table)
        question = random_question(random, table)
        sizes[len(question.book)] += 1
        assert isinstance(reference(question, table), tuple), "the book was meant to be within bounds"
        assert not differences(chain, question, table), (SEED, number, question, table)
    assert max(sizes) == 32 or BOOKS < 1_000


def spoiled(random: Random, question: Question, lines: int) -> Question:
    """The same with one or two things wrong."""
    book, closure, debt = list(question.book), question.closure, question.debt
    for _ in range(random.choice((1, 1, 2))):
        at = random.randrange(len(book))
        fault = random.randrange(9)
        if fault == 0:
            book[at] = replace(book[at], underlying=random.choice((lines, 64, 255, 256, 2**256 - 1)))
        elif fault == 1:
            book[at] = replace(book[at], underlying=random.choice(book).underlying)
        elif fault == 2:
            book[at] = replace(book[at], token=random.choice((VALUE_MAX + 1, 2**255, 2**256 - 1)))
        elif fault == 3:
            book[at] = replace(book[at], other=random.choice((VALUE_MAX + 1, 2**255, 2**256 - 1)))
        elif fault == 4:
            perp = random.choice((VALUE_MAX + 1, -VALUE_MAX - 1, 2**255 - 1, -(2**255)))
            book[at] = replace(book[at], perp=perp)
        elif fault == 5:
            book[at] = replace(book[at], width=random.choice((10_001, 2**256 - 1)))
        elif fault == 6:
            closure = Closure(*random.choice(((1, 0, 0), (3, 3, 0), (0, 3, 0), (0, 0, 10_001), (2**256 - 1, 0, 0))))
        elif fault == 7:
            book[at] = replace(book[at], eventful=random.choice((10_001, 2**256 - 1)))
        else:
            debt = random.choice((VALUE_MAX + 1, 2**256 - 1))
    return Question(book, closure, debt)


def test_margin_model__books_with_faults__refused_for_the_same_reason(chain: Chain) -> None:
    print(f"PRIME_PERPS_SEED={SEED}")
    random = Random(SEED)
    reasons: Counter[str] = Counter()
    for number in range(BOOKS // 4):
        if number % BOOKS_A_TABLE == 0:
            table = random_table(random)
            chain.use(table)
        question = random_question(random, table)
        if not question.book:
            continue
        question = spoiled(random, question, len(table.lines))
        assert not differences(chain, question, table), (SEED, number, question, table)
        answer = reference(question, table)
        reasons[answer if isinstance(answer, str) else "accepted after all"] += 1
    assert len(reasons) >= 7 or BOOKS < 1_000, reasons


@pytest.mark.parametrize("sign", [1, -1])
@pytest.mark.parametrize("group", range(4))
def test_MM_11_margin_model__largest_book_in_the_worst_table__no_overflow(chain: Chain, sign: int, group: int) -> None:
    rules = Globals((10_000,) * 4, 50_000, 50_000, 50_000, 10_000, 50_000, 50_000, 10_000)
    line = Line(group, 50_000, 10_000, 10_000, 20_000, 10_000, 10_000, 10_000, 1, 10**15)
    # A long book holds tokens too; a short one is the larger for holding none.
    held = VALUE_MAX if sign > 0 else 0
    for depth, come in product((1, 10**6, 10**15), (1, 10_000)):
        book = [Exposure(number, held, held, sign * VALUE_MAX, 10_000, come) for number in range(32)]
        table = Table(rules, [replace(line, depth=depth)] * 32)
        chain.use(table)
        question = Question(book, Closure(2, 2, 10_000), VALUE_MAX)
        assert not differences(chain, question, table)
        assert isinstance(chain.explain(question), tuple)


def test_MM_11_margin_model__no_depth_and_no_slope__no_division_by_zero(chain: Chain) -> None:
    rules = Globals((0,) * 4, 10_000, 10_000, 10_000, 0, 10_000, 10_000, 0)
    table = Table(rules, [Line(0, 0, 0, 1, 0, 0, 0, 0, 0, 0)])
    chain.use(table)
    question = Question([Exposure(0, VALUE_MAX, VALUE_MAX, -VALUE_MAX)], Closure(), 0)
    assert not differences(chain, question, table)
