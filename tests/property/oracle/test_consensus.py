"""Several sources: whatever they say, and whoever carries it in whatever order, the word is the same and among them."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cache
from statistics import median

from hypothesis import given
from hypothesis import strategies as st

from prime_perps.chain import Contract
from prime_perps.reports import DEFAULT_LIMITS, Flag, Session
from prime_perps.units import BPS, MID
from tests.unit.oracle_adapter.conftest import NVDA, PYTH_FEE, Desk, make_desk, publishing_feed, undone

UNCONFIRMED = Flag.REDUCE_ONLY | Flag.REOPENING
TOLERANCE = DEFAULT_LIMITS.tolerance[Session.REGULAR]
FARTHEST = DEFAULT_LIMITS.shut // 2  # bps, beyond which the last price stays

near = st.integers(90 * MID, 110 * MID)
prices = st.one_of(near, near, st.integers(1, 10**15))
stated = st.tuples(*[st.one_of(st.none(), prices)] * 3).filter(any)
orders = st.permutations(["submit", "refresh", "submit", "refresh"])


@dataclass(frozen=True)
class Venue:
    """A stock with all three sources, of which each has said 100 USD before."""

    desk: Desk
    aggregator: Contract
    pyth: Contract


@cache
def venue() -> Venue:
    desk = make_desk()
    made = Venue(
        desk,
        publishing_feed(desk, 8, 100 * MID),
        Contract.deploy(desk.backend, "DevnetPyth", PYTH_FEE, sender=desk.deployer),
    )
    desk.post(days=380)
    desk.list_three(made.aggregator, made.pyth, confidence=0, alone=True)
    desk.bring(made.pyth, 100 * MID, conf=0)
    desk.submit(desk.report(price=100 * MID))
    desk.refresh(NVDA)
    desk.backend.warp(1_000)
    return made


def expected(said: list[int]) -> tuple[int, int] | None:
    """(mid, gap in bps rounded up) of what is said, as the documentation has it; None where the last price stays."""
    mid = int(median(said)) if len(said) == 3 else sum(said) // len(said)
    gap = max(said) - min(said)
    if len(said) == 3:
        low, _, high = sorted(said)
        gap = min(mid - low, high - mid)
    apart = -(-gap * BPS // mid)
    return None if gap > mid * TOLERANCE // BPS and apart > FARTHEST else (mid, apart)


@given(stated, orders)
def test_word__any_statements_in_any_order_of_calls__is_the_one_the_documentation_gives(
    said: tuple[int | None, ...], order: list[str]
) -> None:
    desk, report, (answer, price) = venue().desk, said[0], said[1:]
    with undone(desk):
        before = desk.word()
        if answer is None:
            venue().aggregator.set_fault(1, sender=desk.deployer)
        else:
            venue().aggregator.publish(answer, sender=desk.deployer)
        if price is not None:
            desk.bring(venue().pyth, price, conf=0)
        signed = [] if report is None else [desk.sign(desk.report(price=report, confidence=0))]
        for call in order:
            if call == "submit":
                desk.submit(*signed)
            else:
                desk.refresh(NVDA)
        word = desk.word()
        told = expected([each for each in said if each is not None])
        if told is None:
            assert word.flags == UNCONFIRMED
            assert word.mid in (before.mid, *said)
        else:
            assert word.mid == told[0]
            assert min(filter(None, said)) <= word.mid <= max(filter(None, said))
        settled = replace(word, slow=0)
        desk.refresh(NVDA)
        desk.submit(*signed)
        assert replace(desk.word(), slow=0) == settled
