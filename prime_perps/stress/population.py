"""Who holds what: eleven kinds of customers, drawn at random, at leverages from comfortable to all that is allowed."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

import numpy as np

from prime_perps.backtest.data import Array
from prime_perps.errors import PrimePerpsError
from prime_perps.stress.settings import LEAST_ACCOUNTS, Settings

# Gross of an account, USD: lognormal, half of them below the median, and held between the two ends.
MEDIAN, SPREAD, SMALLEST, LARGEST = 150_000.0, 1.0, 10_000.0, 2_000_000.0
# Equity over initial margin: a part of all accounts has exactly what is asked; of the others half have more than 1.6
# times as much, none more than 5 times.
AT_THE_LIMIT = 0.15
MEDIAN_EXCESS, EXCESS_SPREAD, MOST = 0.6, 0.9, 5.0


@dataclass(frozen=True)
class Customer:
    """One account. Amounts in USD by underlying at the opening; perps signed. A supplier has cash and nothing else."""

    number: int  # of the sub-account
    kind: str
    cover: float  # equity over initial margin at the opening
    cash: float = 0.0  # of a supplier
    tokens: Mapping[int, float] = field(default_factory=dict)
    perps: Mapping[int, float] = field(default_factory=dict)

    @property
    def gross(self) -> float:
        """Tokens and |perps|, USD."""
        return sum(self.tokens.values()) + sum(map(abs, self.perps.values()))


Holdings = tuple[dict[int, float], dict[int, float]]  # tokens and perps
Draw = Callable[[np.random.Generator, int, float, Array], Holdings]


def population(settings: Settings, name: str, betas: Array) -> list[Customer]:
    """
    The customers of a replay: kinds take turns, so that each is there about equally often. `betas` of the underlyings,
    the index last. Raises PrimePerpsError for fewer accounts than kinds.
    """
    if settings.accounts < LEAST_ACCOUNTS:
        raise PrimePerpsError(f"{settings.accounts} accounts, at least {LEAST_ACCOUNTS} are needed: one of each kind")
    rng = np.random.default_rng([settings.seed, *name.encode(), settings.accounts])
    return [_customer(number, rng, betas) for number in range(settings.accounts)]


def _customer(number: int, rng: np.random.Generator, betas: Array) -> Customer:
    kind = list(KINDS)[number % len(KINDS)]
    gross = float(np.clip(MEDIAN * np.exp(SPREAD * rng.standard_normal()), SMALLEST, LARGEST))
    excess = MEDIAN_EXCESS * np.exp(EXCESS_SPREAD * rng.standard_normal())
    cover = 1.0 if rng.random() < AT_THE_LIMIT else float(min(1 + excess, MOST))
    draw = KINDS[kind]
    if draw is None:
        return Customer(number, kind, cover, cash=gross)
    tokens, perps = draw(rng, len(betas) - 1, gross, betas)
    return Customer(number, kind, cover, tokens=tokens, perps=perps)


def _hedged(rng: np.random.Generator, stocks: int, gross: float, betas: Array) -> Holdings:
    """Tokens of one to five stocks, each sold as a perp by nine tenths to all of it."""
    tokens = _spread(rng, stocks, int(rng.integers(1, 6)), gross / 2)
    return tokens, {place: -usd * rng.uniform(0.9, 1.0) for place, usd in tokens.items()}


def _borrowed(rng: np.random.Generator, stocks: int, gross: float, betas: Array) -> Holdings:
    """Tokens of three to eight stocks on a loan."""
    return _spread(rng, stocks, int(rng.integers(3, 9)), gross), {}


def _borrowed_one(rng: np.random.Generator, stocks: int, gross: float, betas: Array) -> Holdings:
    """Tokens of one stock on a loan."""
    return _spread(rng, stocks, 1, gross), {}


def _doubled(rng: np.random.Generator, stocks: int, gross: float, betas: Array) -> Holdings:
    """Tokens, and perps of the same stocks on top."""
    tokens = _spread(rng, stocks, int(rng.integers(2, 6)), gross / 2)
    return tokens, dict(tokens)


def _long_one(rng: np.random.Generator, stocks: int, gross: float, betas: Array) -> Holdings:
    return {}, _spread(rng, stocks, 1, gross)


def _long_many(rng: np.random.Generator, stocks: int, gross: float, betas: Array) -> Holdings:
    """Six to twelve names, half of it in the first: concentrated."""
    rest = _spread(rng, stocks, int(rng.integers(5, 12)), gross / 2)
    first = next(iter(rest))
    return {}, {place: usd + (gross / 2 if place == first else 0) for place, usd in rest.items()}


def _short(rng: np.random.Generator, stocks: int, gross: float, betas: Array) -> Holdings:
    shares = _spread(rng, stocks, int(rng.integers(1, 7)), gross)
    return {}, {place: -usd for place, usd in shares.items()}


def _pair(rng: np.random.Generator, stocks: int, gross: float, betas: Array) -> Holdings:
    long, short = (int(place) for place in rng.choice(stocks, 2, replace=False))
    return {}, {long: gross / 2, short: -gross / 2}


def _long_short(rng: np.random.Generator, stocks: int, gross: float, betas: Array) -> Holdings:
    """Five names against five others."""
    names = rng.choice(stocks, 10, replace=False)
    sides = zip(names, rng.dirichlet(np.ones(5)).tolist() + (-rng.dirichlet(np.ones(5))).tolist(), strict=True)
    return {}, {int(place): gross / 2 * share for place, share in sides}


def _against_index(rng: np.random.Generator, stocks: int, gross: float, betas: Array) -> Holdings:
    """Ten stocks as perps, the index sold by as much as their betas ask for."""
    long = _spread(rng, stocks, 10, gross / 2)
    sold = sum(usd * betas[place] for place, usd in long.items()) / betas[-1]
    return {}, {**long, stocks: -float(sold)}


def _spread(rng: np.random.Generator, stocks: int, names: int, usd: float) -> dict[int, float]:
    """An amount over so many stocks, every division as likely as any other."""
    chosen = rng.choice(stocks, names, replace=False)
    return {int(place): float(usd * part) for place, part in zip(chosen, rng.dirichlet(np.ones(names)), strict=True)}


# A supplier draws nothing: it lends its cash to the others.
KINDS: Mapping[str, Draw | None] = {
    "hedged holder": _hedged,
    "tokens on a loan": _borrowed,
    "one token on a loan": _borrowed_one,
    "tokens and perps": _doubled,
    "long one": _long_one,
    "long, concentrated": _long_many,
    "short": _short,
    "pair": _pair,
    "long-short": _long_short,
    "against the index": _against_index,
    "cash supplier": None,
}
