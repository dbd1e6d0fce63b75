"""OR-1 over the whole system: whatever is in doubt, and however, money and tokens come in, debts are repaid, and every
position can be reduced; who does not hold what is in doubt notices nothing.
"""

from __future__ import annotations

from dataclasses import replace
from itertools import combinations

import pytest
from hypothesis import event, given, settings
from hypothesis import strategies as st

from prime_perps import balance_sheet, margin
from prime_perps.accounts import CASH
from prime_perps.margin import Closure
from prime_perps.units import NANO, PIPS, WAD, wad
from tests.stage import UNLIMITED, account, address

from .doubts import MARKETS, STOCKS, UNPRICED, WAYS, Scene, ages, books, entered

SUBSETS = [subset for count in range(len(MARKETS) + 1) for subset in combinations(MARKETS, count)]
# Fewer than a profile asks for, as each subset has them.
EXAMPLES = max((settings.default or settings()).max_examples // 8, 1)

moves = st.tuples(*[st.integers(-9, 9)] * len(MARKETS))
ways = st.tuples(*[st.sampled_from(WAYS)] * len(MARKETS))
shares = st.sampled_from((100, 60, 20))  # percent of a position
# what is left free is taken out, none of it, or something between
parts = st.one_of(st.just(100), st.integers(0, 100))


@pytest.mark.parametrize("subset", SUBSETS, ids=lambda subset: "+".join(subset) or "none")
def test_OR_1__any_book_and_any_doubt__deposits_repayments_and_reductions_go_on(subset: tuple[str, ...]) -> None:
    @settings(max_examples=EXAMPLES)
    @given(books, parts, moves, ways, ages, shares)
    def check(
        book: tuple[int, ...], part: int, percents: tuple[int, ...], how: tuple[str, ...], age: int, share: int
    ) -> None:
        with entered(book, part, percents) as scene:
            scene.doubt({symbol: how[MARKETS.index(symbol)] for symbol in subset}, age)
            for symbol in MARKETS:
                assert bool(scene.word(symbol).doubt) == (symbol in subset)
            repays(scene)
            deposits_tokens(scene)
            for symbol in MARKETS:
                reduces(scene, symbol, share)
            bystander_trades_and_withdraws(scene, [symbol for symbol in MARKETS if symbol not in subset])

    check()


def repays(scene: Scene) -> None:
    """Cash comes in whatever it is for, the whole of a loan or a cent."""
    before = scene.stage.margin("holder")
    event("owes cash" if before.cash < 0 else "has cash")
    for amount in (wad("0.01"), max(-before.cash, 0) + WAD):
        with scene.stage.undone():
            raw = -(-amount // 10**12)
            cash, vault, holder = scene.stage.system.cash, scene.stage.system.vault, address("holder")
            cash.mint(holder, raw, sender=address("deployer"))
            cash.approve(vault, UNLIMITED, sender=holder)
            vault.deposit(account("holder"), CASH, raw, sender=holder)
            after = scene.stage.margin("holder")
            assert after.cash - before.cash == after.equity - before.equity
            assert 0 <= raw * 10**12 - (after.cash - before.cash) <= 2, "a loan is rounded up to shares"


def deposits_tokens(scene: Scene) -> None:
    """Of what is in doubt, of what is not, and of what never had a price."""
    for symbol in (*STOCKS, UNPRICED):
        with scene.stage.undone():
            before = scene.stage.position("holder", symbol).token
            scene.stage.fund_stock("holder", symbol, "3")
            assert scene.stage.position("holder", symbol).token == before + 3 * WAD


def reduces(scene: Scene, symbol: str, share: int) -> None:
    """A part of a position, in doubt or not, if that lowers the account's risk: what others are in doubt is no bar."""
    position = scene.stage.position("holder", symbol).size
    size = -(position * share // 100) or -position
    if not size or not lowers_risk(scene, symbol, size):
        event("no reduction")
        return
    event("reduction")
    with scene.stage.undone():
        scene.fill("holder", symbol, size)
        assert scene.stage.position("holder", symbol).size == position + size


def lowers_risk(scene: Scene, symbol: str, size: int) -> bool:
    """Whether a trade at the index price is a reduction by the reference (CH-4), with something to spare."""
    summary = scene.stage.system.lens.account_summary(account("holder"))
    exposures = balance_sheet.exposures(summary)
    value = size * scene.word(symbol).mid * 10
    fee = abs(value) * scene.stage.system.clearinghouse.settings().taker_fee // PIPS + 1
    moved = scene.stage.id(symbol)
    traded = [replace(entry, perp=entry.perp + value * (entry.underlying == moved)) for entry in exposures]
    needs, _ = margin.requirements(traded, Closure(*summary.closure), max(-summary.margin.cash, 0), scene.table)
    had, equity = summary.margin.maintenance, summary.margin.equity
    least = had // 100 if equity < had else 0
    return bool(equity > 0 and had - needs > least + NANO and (equity - fee - NANO) * had > equity * needs)


def bystander_trades_and_withdraws(scene: Scene, fresh: list[str]) -> None:
    """Opens everything that is not in doubt, and takes money out again."""
    for symbol in fresh:
        scene.fill("bystander", symbol, NANO // 10)
    assert scene.stage.margin("bystander").doubt == 0
    scene.stage.withdraw("bystander", "1000")
