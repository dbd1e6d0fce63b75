"""Ten kinds of books, drawn at random: who holds what, as shares of the book's gross.

A draw fixes the names and their proportions. What balances the sides of a hedged book depends on the betas in force,
so it is struck when they are known, and again when they change.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from prime_perps.backtest.data import Array

MANY = 20  # names in the widest books; a universe needs as many


@dataclass(frozen=True)
class Draw:
    """Random books before they are balanced; (books, stocks + 1) each, the index last, in any unit."""

    token: Array  # >= 0
    perp: Array  # signed


@dataclass(frozen=True)
class Kind:
    """One of the ten. `draw` takes the generator, the number of stocks and the number of books wanted."""

    name: str
    title: str
    draw: Callable[[np.random.Generator, int, int], Draw]
    balance: Callable[[Array, Array], Array] | None = None  # perps and betas to balanced perps


def strike(kind: Kind, drawn: Draw, betas: Array) -> Draw:
    """The books at these betas, balanced as their kind asks, tokens and |perps| adding up to 1 in each."""
    perp = drawn.perp if kind.balance is None else kind.balance(drawn.perp, betas)
    gross = np.sum(drawn.token + np.abs(perp), axis=1, keepdims=True)
    return Draw(drawn.token / gross, perp / gross)


def _every(signs: Array, rng: np.random.Generator, books: int) -> Draw:
    """Books that can be counted: each once, or as many of them as are wanted."""
    chosen = signs if len(signs) <= books else signs[np.sort(rng.choice(len(signs), books, replace=False))]
    return _perps(chosen)


def _one(sign: int) -> Callable[[np.random.Generator, int, int], Draw]:
    return lambda rng, stocks, books: _every(sign * np.eye(stocks, stocks + 1), rng, books)


def _pair(rng: np.random.Generator, stocks: int, books: int) -> Draw:
    """One stock long, as much of another short."""
    long, short = np.nonzero(~np.eye(stocks, dtype=bool))
    one = np.eye(stocks, stocks + 1)
    return _every(one[long] - one[short], rng, books)


def _half_in_one(rng: np.random.Generator, stocks: int, books: int) -> Draw:
    """Five long, half of it in one name."""
    rest = _shares(rng, books, 4)
    return _perps(_placed(rng, stocks, np.column_stack([np.ones(books), rest])))


def _long(rng: np.random.Generator, stocks: int, books: int) -> Draw:
    return _perps(_placed(rng, stocks, _shares(rng, books, MANY)))


def _short(rng: np.random.Generator, stocks: int, books: int) -> Draw:
    return _perps(-_placed(rng, stocks, _shares(rng, books, 10)))


def _long_short(rng: np.random.Generator, stocks: int, books: int) -> Draw:
    """Ten names, each long or short by the toss of a coin."""
    return _perps(_placed(rng, stocks, _shares(rng, books, 10) * rng.choice([-1.0, 1.0], (books, 10))))


def _half_each_side(rng: np.random.Generator, stocks: int, books: int) -> Draw:
    sides = np.hstack([_shares(rng, books, MANY // 2), -_shares(rng, books, MANY // 2)])
    return _perps(_placed(rng, stocks, sides))


def _ten_long(rng: np.random.Generator, stocks: int, books: int) -> Draw:
    return _perps(_placed(rng, stocks, _shares(rng, books, 10)))


def _hedged_tokens(rng: np.random.Generator, stocks: int, books: int) -> Draw:
    """Five stocks held as tokens, from half to all of each sold as a perp."""
    token = _placed(rng, stocks, _shares(rng, books, 5))
    return Draw(token, -token * rng.uniform(0.5, 1.0, token.shape))


def _sides_equal(perp: Array, betas: Array) -> Array:
    """The short side made as large or small as gives the book no beta."""
    weighted = perp * betas
    long, short = (np.sum(np.maximum(sign * weighted, 0), axis=1, keepdims=True) for sign in (1, -1))
    scaled: Array = np.where(perp < 0, perp * long / short, perp)
    return scaled


def _index_sold(perp: Array, betas: Array) -> Array:
    """As much of the index sold as gives the book no beta."""
    hedged = perp.copy()
    hedged[:, -1] = -(perp[:, :-1] @ betas[:-1]) / betas[-1]
    return hedged


def _perps(perp: Array) -> Draw:
    return Draw(np.zeros_like(perp), perp)


def _shares(rng: np.random.Generator, books: int, names: int) -> Array:
    """Parts of a whole, every division of it as likely as any other."""
    return rng.dirichlet(np.ones(names), books)


def _placed(rng: np.random.Generator, stocks: int, amounts: Array) -> Array:
    """The amounts of each book on as many stocks of its own choice."""
    if stocks < MANY:
        raise ValueError(f"a universe of {stocks} stocks; books need {MANY}")
    books, names = amounts.shape
    chosen = rng.permuted(np.tile(np.arange(stocks), (books, 1)), axis=1)[:, :names]
    placed = np.zeros((books, stocks + 1))
    np.put_along_axis(placed, chosen, amounts, axis=1)
    return placed


KINDS = (
    Kind("one_long", "one long", _one(1)),
    Kind("one_short", "one short", _one(-1)),
    Kind("five_long_half_in_one", "5 long, half in one", _half_in_one),
    Kind("twenty_long", "20 long", _long),
    Kind("ten_short", "10 short", _short),
    Kind("ten_long_short", "10 long-short", _long_short),
    Kind("pair", "pair", _pair),
    Kind("beta_neutral_twenty", "beta-neutral 20", _half_each_side, _sides_equal),
    Kind("ten_against_index", "10 stocks vs index", _ten_long, _index_sold),
    Kind("hedged_tokens", "hedged tokens", _hedged_tokens),
)
