"""LQ-2: a loss is taken by insurance, at once and in full, and what it does not have by all who have cash, alike."""

from __future__ import annotations

from fractions import Fraction

import hypothesis.strategies as st
from hypothesis import given, note, settings

from prime_perps.units import WAD
from tests.property.system import invariants
from tests.property.system.preview import LOSS_ROUNDING, slice_costs
from tests.property.system.world import INSURANCE, KEEPERS, Look, World, entered
from tests.stage import account, address

from .books import BORROWER, Book, Borrower, books, dust, without_exceptions

EXAMPLES = max((settings.default or settings()).max_examples // 2, 1)

deficits = st.integers(1, 2_000).map(lambda permille: Fraction(-permille, 1_000))
# Of all that an account can cost insurance, its loss and the whole reward.
insured = st.just(0) | st.integers(1, 1_200).map(lambda permille: Fraction(permille, 1_000))
shares = st.integers(WAD // 20, WAD)
waits = st.sampled_from((0, 1, 150, 300, 301, 900, 1_800, 3_600))


def attend(borrower: Borrower, seconds: int) -> None:
    """Let time pass with fresh prices while a keeper keeps the auction alive, but for a last stretch of any length."""
    world, lapse = borrower.world, borrower.world.engine.terms().lapse
    while seconds > lapse:
        _pass(borrower, lapse)
        borrower.start(BORROWER, "keeper")
        seconds -= lapse
    if seconds:
        _pass(borrower, seconds)
    invariants.check_losses(world)


def _pass(borrower: Borrower, seconds: int) -> None:
    borrower.stage.warp(seconds - 1)
    borrower.stage.publish()
    borrower.look = borrower.world.look()


def insure(borrower: Borrower, share: Fraction) -> None:
    """Bring insurance to a share of all that the borrower can cost it, if it has not more."""
    margin = borrower.look.sheets[BORROWER].margin
    wanted = int((margin.maintenance - margin.equity) * share) - cash(borrower.world)
    if wanted > 10**12:
        borrower.insure("maker", wanted // 10**12)


def _cash_of_others(look: Look) -> int:
    """All positive cash but insurance's and the borrower's, which is settled before a loss is shared."""
    sheets = [sheet for role, sheet in look.sheets.items() if role not in (INSURANCE, BORROWER)]
    return sum(max(sheet.margin.cash, 0) for sheet in sheets)


def cash(world: World) -> int:
    return int(world.book.money(world.account(INSURANCE)).cash)


@settings(max_examples=EXAMPLES)
@given(
    book=books,
    deficit=deficits,
    insured=insured,
    steps=st.lists(st.tuples(waits, shares), min_size=1, max_size=4),
)
def test_losses__any_book_and_insurance__insurance_pays_first_and_all_is_told__LQ_2(
    book: Book, deficit: Fraction, insured: Fraction, steps: list[tuple[int, int]]
) -> None:
    with entered() as world:
        without_exceptions(world)
        borrower = Borrower(world, book)
        borrower.bring_to(deficit)
        assert borrower.health < 0
        # what is on its way to insurance, so that all it gets from here on is interest
        world.book.distribute_fees(sender=address("keeper"))
        borrower.look = world.look()
        insure(borrower, insured)
        note(f"health {float(borrower.health):.4f}")
        borrower.start(BORROWER, "keeper")
        rewards, allowed, insurance = 0, 0, cash(world)
        loss_at_first = -borrower.look.sheets[BORROWER].margin.equity
        for number, (seconds, share) in enumerate(steps):
            if not borrower.insolvent:
                break
            attend(borrower, seconds)
            before, keeper = borrower.look, KEEPERS[number % 2]
            then, had, lost, shared = before.sheets[BORROWER].margin, cash(world), world.losses, world.shared
            fraction = share if number < len(steps) - 1 else WAD
            quoted = world.engine.quote(account(BORROWER))
            _, paid = slice_costs(before, BORROWER, borrower.auction(BORROWER), world.engine.terms(), fraction)
            # `take` checks the reward to the last digit, CH-4 for the keeper, CH-5 for everybody but these three
            borrower.take(BORROWER, keeper, fraction)

            loss, taken = world.losses - lost, world.shared - shared
            reserve = before.cash_market.reserve
            assert loss == -then.equity * fraction // WAD, "LQ-2: the loss told is not the slice's"
            assert paid >= loss, "LQ-2: insurance paid less than the loss"
            missing = max(loss - had, 0)
            assert missing - reserve <= taken <= (missing + LOSS_ROUNDING if missing else 0), (
                "LQ-2: everybody pays what insurance does not have"
            )
            assert paid - loss <= max(had + then.equity, 0), "LQ-2: a reward that insurance may need for the loss"
            assert paid - loss <= then.maintenance * fraction // WAD, "LQ-2: a reward of more than maintenance margin"
            assert quoted.fraction == WAD
            rewards, allowed = rewards + paid - loss, allowed + dust(borrower) + reserve + LOSS_ROUNDING
            assert world.engine.uncovered_loss() == 0 <= cash(world), "LQ-2: uncovered, although people have cash"
            invariants.check_losses(world)
            invariants.check_money(world, borrower.look)

            off = dust(borrower)
            gained = borrower.look.sheets[keeper].margin.equity - before.sheets[keeper].margin.equity
            # he has cash like others, and bears with it like others
            had_in_cash, shares = before.sheets[keeper].margin.cash, before.sheets[keeper].shares
            borne = had_in_cash - borrower.look.cash_market.cash(shares)
            assert 0 <= borne <= max(had_in_cash, 0) * taken // _cash_of_others(before) + 10**9
            assert abs(gained - (paid - loss) + borne) <= off, "LQ-2: the keeper is not made whole"
            left = then.equity - then.equity * fraction // WAD
            assert abs(borrower.look.sheets[BORROWER].margin.equity - left) <= off, "LQ-2: a part of the loss stays"
        assert rewards <= max(insurance - loss_at_first, 0) + allowed, (
            "LQ-2: taken in parts, the account cost insurance more than taken whole"
        )
        if borrower.look.sheets[BORROWER].margin.equity == 0:
            assert world.book.holdings(account(BORROWER)) == (0, 0), "LQ-2: taken whole, and something is left"


@settings(max_examples=EXAMPLES)
@given(deficits=st.lists(st.tuples(books, deficits), min_size=2, max_size=2))
def test_losses__one_after_another_without_insurance__never_fail__LQ_2(
    deficits: list[tuple[Book, Fraction]],
) -> None:
    """Insurance that had to be helped is empty for the next one; the losses are what everybody's cash has paid."""
    income = 0
    with entered() as world:
        for book, deficit in deficits:
            borrower = Borrower(world, book)
            borrower.bring_to(deficit)
            income += cash(world) + sum(world.book.money(world.book.fee_account())) + borrower.look.cash_market.reserve
            borrower.take(BORROWER, "keeper", WAD)
            invariants.check_money(world, borrower.look)
            assert world.engine.uncovered_loss() == 0 <= cash(world)
        assert world.losses - income <= world.shared <= world.losses + 2 * LOSS_ROUNDING
