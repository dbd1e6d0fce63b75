"""LQ-3 and LQ-4: no minute sells more of an underlying than its cap, and slices bring no more than their discount."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache

import hypothesis.strategies as st
from hypothesis import given, note, settings

from prime_perps.errors import Revert
from prime_perps.units import WAD, wad
from tests.unit.liquidation_engine.conftest import FALLEN_TO, Auctions, deployed

EXAMPLES = max((settings.default or settings()).max_examples // 2, 1)
HOLDERS = ("holder", "taker")
# The maker is short: what it takes is netted, and the open interest, with the cap, falls.
KEEPERS = ("keeper", "rival", "maker")
DUST = 10**13

steps = st.lists(
    st.tuples(
        st.integers(1, 100) | st.just(60) | st.just(4_000),
        st.sampled_from(HOLDERS),
        st.sampled_from(KEEPERS),
        st.integers(WAD // 1_000, WAD),
    ),
    min_size=2,
    max_size=12,
)


@cache
def _shared() -> Auctions:
    auctions = deployed()
    for role in HOLDERS:
        auctions.distress("300000", "1000000", role=role)
    for role in ("keeper", "rival"):
        auctions.stage.fund(role, "10000000")
    return auctions


@contextmanager
def entered(**terms: int) -> Iterator[Auctions]:
    """Two holders of 10,000,000 USD of SPY each, far under water; nothing is too small to be sold."""
    auctions = _shared()
    with auctions.stage.undone():
        changed = auctions.engine.terms()._replace(whole_below=0, smallest_slice=0, **terms)
        auctions.engine.set_terms(changed, sender=auctions.timelock)
        yield auctions


def size(auctions: Auctions, role: str) -> int:
    """Of SPY, wad USD."""
    return int(auctions.stage.position(role, "SPY").size) * FALLEN_TO * 10**9


@settings(max_examples=EXAMPLES)
@given(steps=steps, interest=st.integers(0, 3_000), depth=st.integers(0, 20), window=st.sampled_from((1, 60, 600)))
def test_throttle__any_slices__no_window_sees_more_than_the_cap__LQ_3(
    steps: list[tuple[int, str, str, int]], interest: int, depth: int, window: int
) -> None:
    with entered(throttle_interest=interest, throttle_depth=depth, throttle_window=window) as auctions:
        sold: list[tuple[int, int, int]] = []  # when, how much, the cap then
        for seconds, role, keeper, fraction in steps:
            auctions.wait(seconds)
            before, cap = size(auctions, role), auctions.engine.throttle(auctions.stage.id("SPY")).cap
            quote = auctions.quote(role)
            try:
                auctions.take(min(fraction, quote.fraction), role=role, keeper=keeper)
            except Revert as revert:
                if revert.reason not in ("engine: slice too small", "engine: healthy"):
                    raise
                continue
            now, moved = auctions.stage.now(), before - size(auctions, role)
            note(f"{seconds} s later {role} loses {moved / WAD:,.0f}, the cap is {cap / WAD:,.0f}")
            sold.append((now, moved, cap))
            recent = [(amount, limit) for when, amount, limit in sold if when >= now - window]
            if cap:
                limit = max(limit for _, limit in recent)
                assert sum(amount for amount, _ in recent) <= limit + DUST, "LQ-3: more than the cap in a window"


@settings(max_examples=EXAMPLES)
@given(steps=steps, share=st.integers(0, 10_000))
def test_slices__one_owner_of_both_sides__gains_nothing_and_a_keeper_no_more_than_the_discount__LQ_4(
    steps: list[tuple[int, str, str, int]], share: int
) -> None:
    with entered(insurance_share=share) as auctions:
        stage = auctions.stage
        for seconds, role, keeper, fraction in steps:
            auctions.wait(seconds)
            then, gained = stage.margin(role).equity, stage.margin(keeper).equity
            insured = auctions.cash(auctions.insurance)
            if not auctions.quote(role).fraction:
                continue
            fields = auctions.one("Slice", auctions.take(fraction, role=role, keeper=keeper))
            gain = stage.margin(keeper).equity - gained
            fee = auctions.cash(auctions.insurance) - insured
            discount = then * fields["fraction"] // WAD - fields["payment"]
            assert gain <= discount - fee + DUST, "LQ-4: more than the discount"
            assert abs(fee - discount * share // 10_000) <= 10, "LQ-4: the fee is not the share of the gain"
            both = stage.margin(role).equity + stage.margin(keeper).equity
            assert both <= then + gained - fee + DUST, "LQ-4: who is both sides gains"


def test_throttle__cap_without_its_half_at_once__would_be_found__LQ_3() -> None:
    """The property can fail: two slices of all that there is room for, a window apart, are the whole cap."""
    with entered(throttle_interest=0, throttle_depth=1, throttle_window=60) as auctions:
        total = 0
        for seconds in (1, 60):
            auctions.wait(seconds)
            before = size(auctions, "holder")
            auctions.take(auctions.quote().fraction)
            total += before - size(auctions, "holder")
        assert abs(total - wad(100_000)) <= DUST
