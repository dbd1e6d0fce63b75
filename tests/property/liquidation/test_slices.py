"""LQ-1: no slice lowers health, and none moves more than the target needs; at every price, of every book."""

from __future__ import annotations

from fractions import Fraction

import hypothesis.strategies as st
from hypothesis import given, note, settings

from prime_perps.units import WAD
from tests.property.system.preview import Holdings, part
from tests.property.system.world import KEEPERS, STOCKS, SYMBOLS, entered
from tests.stage import account

from .books import BORROWER, Book, Borrower, books, dust, without_exceptions

# Each example deploys nothing, but builds a book by a dozen transactions.
EXAMPLES = max((settings.default or settings()).max_examples // 2, 1)

healths = st.integers(1, 999).map(lambda permille: Fraction(permille, 1_000))
prices = st.sampled_from((0, 1, WAD // 2, WAD - 1, WAD)) | st.integers(0, WAD)
targets = st.integers(WAD + 1, 2 * WAD)
shares = st.just(WAD) | st.integers(WAD // 1_000, WAD)


@settings(max_examples=EXAMPLES)
@given(book=books, health=healths, price=prices, target=targets, taken=st.lists(shares, min_size=1, max_size=3))
def test_slices__any_book_price_and_target__health_never_falls_nor_passes_the_target__LQ_1(
    book: Book, health: Fraction, price: int, target: int, taken: list[int]
) -> None:
    with entered() as world:
        without_exceptions(world, start_price=price, knee_price=price, target_health=target)
        borrower = Borrower(world, book)
        borrower.bring_to(health)
        assert 0 < borrower.health < 1
        note(f"health {float(borrower.health):.4f}, price {price / WAD:.4f}, target {target / WAD:.4f}")
        for number, share in enumerate(taken):
            before = borrower.look.sheets[BORROWER]
            if not before.liquidatable:
                break
            on_offer = world.engine.quote(account(BORROWER)).fraction
            fraction = max(on_offer * share // WAD, 1)
            borrower.take(BORROWER, KEEPERS[number % 2], fraction)
            after, off = borrower.look.sheets[BORROWER].margin, dust(borrower)

            equity, maintenance = before.margin.equity, before.margin.maintenance
            kept = WAD - fraction
            left = equity * kept // WAD + equity * fraction * price // WAD**2
            assert abs(after.equity - left) <= off, "LQ-1: equity is not E (1 - f (1 - pi))"
            assert after.maintenance <= maintenance * kept // WAD + off, "LQ-1: maintenance is over (1 - f) MM"
            goal = target * maintenance // WAD * kept // WAD
            assert after.equity <= goal + off, "LQ-1: more was sold than the target needs"


@settings(max_examples=EXAMPLES)
@given(book=books, health=healths, price=prices, share=shares)
def test_slices__any_book__every_holding_is_cut_by_the_same_fraction__LQ_1(
    book: Book, health: Fraction, price: int, share: int
) -> None:
    """Hedges stay hedges; what one account loses the other gets, to the last unit."""
    with entered() as world:
        without_exceptions(world, start_price=price, knee_price=price)
        borrower = Borrower(world, book)
        borrower.bring_to(health)
        before = {role: Holdings.of(borrower.look.sheets[role]) for role in (BORROWER, "keeper")}
        fraction = max(world.engine.quote(account(BORROWER)).fraction * share // WAD, 1)
        borrower.take(BORROWER, "keeper", fraction)
        after = {role: Holdings.of(borrower.look.sheets[role]) for role in (BORROWER, "keeper")}

        source, target = before[BORROWER], before["keeper"]
        for symbol in SYMBOLS:
            moved = part(source.sizes[symbol], fraction)
            assert after["keeper"].sizes[symbol] == target.sizes[symbol] + moved
            assert after[BORROWER].sizes[symbol] == source.sizes[symbol] - moved
        for symbol in STOCKS:
            moved = part(source.tokens[symbol], fraction)
            assert after["keeper"].tokens[symbol] == target.tokens[symbol] + moved
            assert after[BORROWER].tokens[symbol] == source.tokens[symbol] - moved
        assert after["keeper"].other == target.other + part(source.other, fraction)
        assert after["keeper"].quote == target.quote + part(source.quote, fraction)
        assert after[BORROWER].quote == source.quote - part(source.quote, fraction)
        left = source.cash + target.cash - after[BORROWER].cash - after["keeper"].cash
        assert 0 <= left <= 4, "each of the two is rounded to shares"
