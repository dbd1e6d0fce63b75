"""Random books, brought to any health: hedged and unhedged stocks, tokens of two issuers, debt, and a ballast.

The ballast is a position in SPY larger than all the equity there is, so that a move of its price alone can leave the
account with as much or as little as a test asks for, below zero included.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from fractions import Fraction

import hypothesis.strategies as st
from hypothesis import note

from prime_perps.accounts import CASH, token
from prime_perps.units import MID, NANO, WAD, nano, wad
from tests.property.system.actions import Actions
from tests.property.system.preview import Holdings, Risk
from tests.property.system.world import CASH_DECIMALS, OTHER, OTHER_DECIMALS, STOCKS, SYMBOLS, World

BORROWER = "taker"
BALLAST = "SPY"
PLENTY = 3_000_000  # USD
LEAST_MID, MOST_MID = 10**4, 10**13  # USD 0.0001 and 100,000


@dataclass(frozen=True)
class Book:
    """What the borrower has: stock tokens and perps by symbol, a further issuer's tokens; the side of its ballast."""

    tokens: tuple[int, ...]  # wad
    sizes: tuple[int, ...]  # nano
    other: int  # raw units
    side: int


books = st.builds(
    Book,
    tokens=st.tuples(*[st.just(0) | st.integers(1, wad(500)) for _ in STOCKS]),
    sizes=st.tuples(*[st.just(0) | st.integers(-nano(500), nano(500)) for _ in STOCKS]),
    other=st.just(0) | st.integers(1, 300 * 10**OTHER_DECIMALS),
    side=st.sampled_from((1, -1)),
)


class Borrower(Actions):
    """The world, with one account in it that holds a given book at a given health."""

    def __init__(self, world: World, book: Book) -> None:
        for role in ("keeper", "rival", "maker"):
            world.stage.fund(role, "100000000")
        world.stage.fund(BORROWER, str(PLENTY))
        self.begin(world)
        self._acquire(book)
        self._borrow()

    def say(self, what: str) -> None:
        note(what)

    @property
    def held(self) -> Holdings:
        return Holdings.of(self.look.sheets[BORROWER])

    @property
    def health(self) -> Fraction:
        margin = self.look.sheets[BORROWER].margin
        return Fraction(margin.equity, margin.maintenance)

    @property
    def insolvent(self) -> bool:
        """Below zero, and not only by the dust of an account taken but for a wei."""
        sheet = self.look.sheets[BORROWER]
        return bool(sheet.margin.equity < 0) and sheet.liquidatable

    def _acquire(self, book: Book) -> None:
        for symbol, amount, size in zip(STOCKS, book.tokens, book.sizes, strict=True):
            if amount:
                self.deposit(BORROWER, token(self.stage.id(symbol)), amount)
            if size:
                self._buy(symbol, size)
        if book.other:
            self.deposit(BORROWER, OTHER, book.other)
        needed = self.look.sheets[BORROWER].margin.initial + wad(20_000)
        self._buy(BALLAST, book.side * 2 * needed * NANO // self.risk.price(BALLAST))

    def _buy(self, symbol: str, size: int) -> None:
        self.fill(self.order("maker", symbol, -size, self.price(symbol, 0)), BORROWER, size)

    def _borrow(self) -> None:
        """Withdraw all that can be: with stocks to stand for it, cash ends below zero."""
        low, high = 0, 2 * PLENTY * 10**CASH_DECIMALS
        while low < high:
            middle = (low + high + 1) // 2
            verdict = self.held.paid(-middle * WAD // 10**CASH_DECIMALS).verdict(self.risk)
            low, high = (middle, high) if verdict.meets_initial else (low, middle - 1)
        self.withdraw(BORROWER, CASH, low)

    def bring_to(self, health: Fraction) -> None:
        """Move the price of the ballast until equity is this multiple of maintenance, or as near to it as it goes."""
        given = self.risk
        good, bad = given.words[BALLAST].mid, LEAST_MID if self.held.sizes[BALLAST] > 0 else MOST_MID
        while abs(good - bad) > 1:
            middle = (good + bad) // 2
            verdict = self.held.verdict(_with_mid(given, middle))
            enough = verdict.equity * health.denominator > verdict.maintenance * health.numerator
            good, bad = (middle, bad) if enough else (good, middle)
        whole, digits = divmod(bad, MID)
        self.stage.publish(SPY=f"{whole}.{digits:08d}")
        self.stage.settle_slow_prices()
        self.look = self.world.look()


def without_exceptions(world: World, **fields: int) -> None:
    """Terms under which nothing is too small to be sold in parts; `fields` as in ILiquidationEngine.Terms."""
    terms = world.engine.terms()._replace(whole_below=0, smallest_slice=0, **fields)
    world.stage.govern(world.engine.set_terms, terms)


def dust(borrower: Borrower) -> int:
    """Sizes are cut at a nano: what that can be worth, wad, and a few units for each rounding."""
    return sum(borrower.risk.price(symbol) // NANO + 4 for symbol in SYMBOLS)


def _with_mid(given: Risk, mid: int) -> Risk:
    return replace(given, words={**given.words, BALLAST: replace(given.words[BALLAST], mid=mid)})
