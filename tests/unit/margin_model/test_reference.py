"""prime_perps.margin refuses what the contract refuses, and says so when the contract could not even be asked.

That both compute the same is for tests/differential.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from prime_perps import margin
from prime_perps.compiler import CONTRACTS
from prime_perps.margin import VALUE_MAX, Closure, Exposure, sqrt_up
from prime_perps.units import usd
from tests.unit.margin_model.conftest import SIZELESS, T1
from tests.unit.margin_model.vectors import MICROSOFT, VECTORS


@pytest.mark.parametrize(("name", "book", "mm", "im"), VECTORS, ids=[vector[0] for vector in VECTORS])
def test_requirements__worked_vector__to_the_cent(name: str, book: list[Exposure], mm: str, im: str) -> None:
    lines = list(SIZELESS.lines)
    lines[MICROSOFT] = lines[T1]
    needed = margin.requirements(book, Closure(), 0, margin.Table(SIZELESS.globals, lines))
    assert [usd(amount) for amount in needed] == [mm, im]


@pytest.mark.parametrize(
    ("book", "debt"),
    [
        ([Exposure(0, token=-1)], 0),
        ([Exposure(0, other=-1)], 0),
        ([Exposure(-1)], 0),
        ([Exposure(0, width=-1)], 0),
        ([Exposure(0, eventful=-1)], 0),
        ([], -1),
        ([Exposure(0)] * 33, 0),
    ],
)
def test_requirements__what_the_types_of_the_contract_cannot_hold__value_error(book: list[Exposure], debt: int) -> None:
    with pytest.raises(ValueError):
        margin.requirements(book, Closure(), debt, SIZELESS)


@pytest.mark.parametrize("root", [0, 1, 2, 3, 10**18, 2**127])
def test_sqrt_up__around_a_square__least_root_not_below(root: int) -> None:
    assert sqrt_up(root**2) == root
    assert sqrt_up(root**2 + 1) == root + 1
    assert sqrt_up(max(root**2 - 1, 0)) == (root if root > 1 else 0)


def test_value_max__in_the_contract__the_same() -> None:
    source = Path(CONTRACTS / "modules" / "margin" / "formula.vy").read_text()
    assert "VALUE_MAX: constant(uint256) = 2**103 - 1" in source
    assert VALUE_MAX == 2**103 - 1
