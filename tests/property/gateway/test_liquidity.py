"""HL-1 to HL-3: whatever is filled, deposited and withdrawn, the vault stays hedged and solvent, its shares fair."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import event, given
from hypothesis import strategies as st

from prime_perps.errors import Revert
from prime_perps.units import NANO
from tests.stage import address
from tests.unit.hedged_liquidity.conftest import Pool, shared_pool
from tests.unit.issuer_gateway.conftest import COIN

PEOPLE = ("provider", "second", "third")
# Raw units that rounding may take from a share's holder in one call, and the vault from nobody.
DUST = 2


@dataclass(frozen=True)
class Move:
    """What somebody does with the vault; `part` is of what the vault says is the most, in percent."""

    what: str
    role: str
    part: int
    price: int  # USD, published before


moves = st.builds(
    Move,
    what=st.sampled_from(("buy", "sell", "deposit", "mint", "withdraw", "redeem")),
    role=st.sampled_from(PEOPLE),
    part=st.integers(0, 110),
    price=st.integers(120, 180),
)


@pytest.fixture(scope="module")
def pond() -> Pool:
    build: Callable[[], Pool] = shared_pool.__wrapped__  # type: ignore[attr-defined]
    pool = build()
    pool.stage.fund("taker", "5000000")
    for role in PEOPLE[1:]:
        pool.deposit(role, 20_000)
    for role in PEOPLE:
        pool.fund(role, 10_000_000)
    return pool


@pytest.fixture(autouse=True)
def _nothing_left_behind(pond: Pool) -> Iterator[None]:
    with pond.stage.undone():
        yield


def value(pool: Pool, role: str) -> int:
    """Raw units that a role could have for its shares, were all of it free."""
    return int(pool.vault.previewRedeem(pool.shares(role)))


def run(pool: Pool, move: Move) -> None:
    vault, who = pool.vault, address(move.role)
    if move.what == "buy":
        pool.fill(str(20 * move.part or 1))
        return
    if move.what == "sell":
        pool.fill(f"-{Decimal(pool.tokens * move.part // 100 // NANO) / NANO}")
        return
    if move.what in ("deposit", "mint"):
        amount = 1_000 * COIN * move.part * (10**6 if move.what == "mint" else 1)
        previewed = getattr(vault, f"preview{move.what.title()}")(amount)
        before = pool.coins(move.role), pool.shares(move.role)
        getattr(vault, move.what)(amount, who, sender=who)
        after = pool.coins(move.role), pool.shares(move.role)
        assets, shares = (amount, previewed) if move.what == "deposit" else (previewed, amount)
        assert (before[0] - after[0], after[1] - before[1]) == (assets, shares), "as previewed"
        return
    most = getattr(vault, f"max{move.what.title()}")(who)
    amount = most * move.part // 100
    previewed = getattr(vault, f"preview{move.what.title()}")(amount)
    before = pool.coins(move.role), pool.shares(move.role)
    getattr(vault, move.what)(amount, who, who, sender=who)
    after = pool.coins(move.role), pool.shares(move.role)
    assets, shares = (amount, previewed) if move.what == "withdraw" else (previewed, amount)
    assert (after[0] - before[0], before[1] - after[1]) == (assets, shares), "as previewed"
    assert amount <= most


def held_to(pool: Pool, move: Move) -> None:
    pool.stage.publish(AAPL=str(move.price))
    pool.stage.settle_slow_prices()
    pool.desk.post()
    worth = {role: value(pool, role) for role in PEOPLE}
    before: Any = pool.look()
    try:
        run(pool, move)
    except Revert as refusal:
        reason = refusal.reason
        event(reason.split(" (")[0])
    else:
        reason = ""
    if reason:
        assert pool.look() == before
        allowed = move.what not in ("withdraw", "redeem") or move.part > 100 or reason == "vault: zero amount"
        assert allowed, "what it says may be withdrawn can be"
        return
    event(move.what)
    margin = pool.margin
    assert pool.size * NANO == -pool.tokens, "HL-1: as long as it is short"
    assert margin.equity >= margin.initial, "HL-2"
    if move.what in ("buy", "withdraw", "redeem"):
        assert min(margin.equity, margin.equity + margin.slow) * 10_000 >= margin.initial * 12_500, "HL-2: its buffer"
    for role in PEOPLE:
        if role != move.role or move.what in ("buy", "sell"):
            assert value(pool, role) >= worth[role] - DUST, "HL-3: nobody else's shares lose"


@given(steps=st.lists(moves, min_size=1, max_size=6))
def test_liquidity__any_moves__hedged_solvent_and_fair__HL_1_HL_2_HL_3(pond: Pool, steps: list[Move]) -> None:
    with pond.stage.undone():
        for move in steps:
            held_to(pond, move)
