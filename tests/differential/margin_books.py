"""Random risk tables and books, mostly ordinary, often at the edge of what the model accepts, from one seed."""

from __future__ import annotations

from dataclasses import dataclass
from random import Random

from prime_perps import risk
from prime_perps.compiler import ROOT
from prime_perps.margin import VALUE_MAX, Closure, Exposure, Globals, Line, Table
from prime_perps.units import BPS, WAD

SHIPPED = risk.load(ROOT / "parameters" / "risk.json")


@dataclass(frozen=True)
class Question:
    """Everything `requirements` is asked."""

    book: list[Exposure]
    closure: Closure
    debt: int


def random_table(random: Random) -> Table:
    """64 lines at most: of the shipped tiers, at the bounds of every field, or anything between."""
    count = random.choice((1, 10, 63, 64))
    if random.random() < 0.3:
        return SHIPPED.table(random.choices(list(SHIPPED.tiers), k=count))
    return Table(_random_globals(random), [_random_line(random) for _ in range(count)])


def random_question(random: Random, table: Table) -> Question:
    """A book the model accepts under `table`."""
    available = range(len(table.lines))
    held = random.sample(available, min(len(available), random.choice((0, 1, 1, 2, 3, 5, 10, 32))))
    scale = random.choice((1, 1, 2))
    book = [_random_exposure(random, underlying, table.lines[underlying], scale) for underlying in held]
    now, ahead = sorted((random.randrange(3), random.randrange(3)))
    ramp = random.choice((0, 1, BPS - 1, BPS, random.randint(0, BPS)))
    return Question(book, Closure(now, ahead, ramp), random.choice((0, 1, VALUE_MAX, random.randint(0, 10**7 * WAD))))


def _between(random: Random, bounds: tuple[int, int]) -> int:
    return random.choice((*bounds, random.randint(*bounds)))


def _random_globals(random: Random) -> Globals:
    values = {name: _between(random, bounds) for name, bounds in risk.GLOBAL_BOUNDS.items()}
    values["weekend"], values["long_closure"] = sorted((values["weekend"], values["long_closure"]))
    first, second, third, fourth = (_between(random, (0, BPS)) for _ in range(4))
    return Globals((first, second, third, fourth), **values)


def _random_line(random: Random) -> Line:
    values = {name: _between(random, bounds) for name, bounds in risk.LINE_BOUNDS.items()}
    values["basis"] = _between(random, (0, 2 * values["gamma"]))
    if values["slope"]:
        values["depth"] = max(values["depth"], 1)
    return Line(group=random.randrange(4), **values)


def _amount(random: Random, line: Line, scale: int) -> int:
    """Wad: nothing, dust, an ordinary position, about the depth of the exchange, or as much as there can be."""
    kind = random.randrange(8 if scale == 1 else 12)
    if kind < 2:
        return 0
    if kind == 2:
        return random.randint(1, 5)
    if kind < 7:
        return random.randint(1, 10 ** random.randint(1, 8) * WAD)
    if kind == 7:
        return min(VALUE_MAX, line.depth * WAD * random.choice((1, 2, 20, 2_000)) + random.randint(0, 2))
    return VALUE_MAX - random.choice((0, 0, 1, random.randint(0, VALUE_MAX)))


def _random_exposure(random: Random, underlying: int, line: Line, scale: int) -> Exposure:
    token, other, perp = (_amount(random, line, scale) for _ in range(3))
    if random.random() < 0.6:
        perp = -perp
    if random.random() < 0.2 and token + other < VALUE_MAX:
        perp = -(token + other) + random.randint(-1, 1)
    width = random.choice((0, 0, 5, 30, BPS, random.randint(0, BPS)))
    return Exposure(underlying, token, other, perp, width, random.choice((0, 0, 0, 1, random.randint(0, BPS), BPS)))
