"""IG-1 and IG-2 for random quotes, prices, issuers and callers: all or nothing, and nothing stays at the gateway."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import event, given
from hypothesis import strategies as st

from prime_perps.chain import Contract, Receipt
from prime_perps.errors import Revert
from prime_perps.issuer.quotes import Side, notional
from prime_perps.units import BPS, WAD
from tests.stage import Stage, account, address, deployed_source
from tests.unit import issuer_gateway
from tests.unit.issuer_gateway.conftest import AAPL, BAND, COIN, ISSUER, UNIT, Desk, listing, opened

HOSTILE = Path(issuer_gateway.__file__).with_name("hostile_issuer.vy")
PEOPLE = ("holder", "debtor", "keeper")


@dataclass(frozen=True)
class Act:
    """One call: `tokens` wad, `offset` of the quote's price from the oracle's and `more` cash than the price, bps."""

    side: Side
    of: str
    by: str
    tokens: int
    offset: int
    more: int
    deferred: bool


@dataclass(frozen=True)
class Temper:
    """Of an issuer: what part it takes, what part it gives, and dollars it gives on top, wad."""

    taken: int
    given: int
    dollars: int


quantities = st.one_of(
    st.integers(1, 40).map(lambda tens: 10 * tens * WAD), st.integers(WAD, 400 * WAD), st.integers(1, WAD)
)
offsets = st.one_of(st.just(0), st.integers(-BAND, BAND), st.integers(-2 * BAND, 2 * BAND))
moneys = st.sampled_from((0, 0, 0, 50, 500, -10))


def by(callers: st.SearchStrategy[tuple[str, str]], sides: st.SearchStrategy[Side]) -> st.SearchStrategy[Act]:
    return st.builds(
        lambda people, *rest: Act(rest[0], *people, *rest[1:]),
        callers,
        sides,
        quantities,
        offsets,
        moneys,
        st.sampled_from((False, False, True)),
    )


acts = st.one_of(
    by(st.sampled_from((("holder", "holder"), ("debtor", "debtor"))), st.sampled_from(Side)),
    by(st.just(("debtor", "keeper")), st.just(Side.SELL)),
    by(st.tuples(st.sampled_from(("holder", "debtor")), st.sampled_from(PEOPLE)), st.sampled_from(Side)),
)
share = st.sampled_from((0, 5_000, 9_900, 10_000, 10_000, 10_100))
tempers = st.builds(Temper, taken=share, given=share, dollars=st.sampled_from((0, 7, UNIT, 3 * WAD + 1)))


@pytest.fixture(scope="module")
def counter() -> Desk:
    """A holder with money, and a debtor who is liquidatable."""
    stage = Stage.deployed()
    stage.fund("maker", "10000000")
    stage.fund("holder", "100000")
    stage.fund_stock("holder", "AAPL", "400")
    stage.fund_stock("debtor", "AAPL", "1000")
    stage.withdraw("debtor", "100000")
    desk = opened(stage)
    stage.publish(AAPL="117")
    stage.settle_slow_prices()
    desk.post()
    return desk


@pytest.fixture(scope="module")
def hostile(counter: Desk) -> Contract:
    made = deployed_source(counter.stage.backend, HOSTILE, ISSUER)
    counter.stock().mint(made.address, 10**6 * WAD, sender=ISSUER)
    counter.coin.mint(made.address, 10**9 * COIN, sender=ISSUER)
    counter.issuer.usdon.mint(made.address, 10**9 * WAD, sender=ISSUER)
    return made


@pytest.fixture(autouse=True)
def _nothing_left_behind(counter: Desk) -> Iterator[None]:
    with counter.stage.undone():
        yield


def run(desk: Desk, act: Act) -> Receipt:
    quote = desk.quote(act.side, of=act.of, quantity=act.tokens)
    quote = replace(quote, price=quote.price * (BPS + act.offset) // BPS)
    how: dict[str, Any] = {"of": act.of, "by": act.by, "deferred": act.deferred}
    if act.side == Side.BUY:
        cash = -(-notional(quote) // UNIT)
        return desk.mint(quote, cash + cash * act.more // BPS, **how)
    return desk.redeem(quote, **how)


def held_to(desk: Desk, act: Act) -> None:
    """One call, and what must be true of it, whoever the issuer is."""
    before, margins = desk.look(*PEOPLE), {role: desk.stage.margin(role) for role in PEOPLE}
    try:
        told = desk.told(run(desk, act))
    except Revert as refusal:
        event(refusal.reason.split(" (")[0])
        assert desk.look(*PEOPLE) == before, "IG-1"
        return
    event(f"{act.side.name} by {'owner' if act.of == act.by else 'stranger'}")
    assert not any(desk.held()), "IG-2"
    was, now = margins[act.of], desk.stage.margin(act.of)
    worth = told["tokens"] * desk.stage.index("AAPL") // WAD
    assert now.equity >= was.equity - worth * BAND // BPS - 2 * UNIT, "no worse than the band allows"
    assert now.equity >= now.initial or now.maintenance < was.maintenance, "CH-4"
    for role in set(PEOPLE) - {act.of}:
        assert desk.stage.margin(role) == margins[role], "CH-5"
    if act.of != act.by:
        assert (act.side, told["liquidation"]) == (Side.SELL, True), "CH-5"
        assert now.equity * was.maintenance >= was.equity * now.maintenance, "LQ-1: health does not fall"
        assert now.equity * 10 <= now.maintenance * 11, "LQ-1: no more than the target needs"
    assert desk.coin.balanceOf(address("keeper")) == desk.issuer.usdon.balanceOf(address("keeper")) == 0


@given(steps=st.lists(acts, min_size=1, max_size=5))
def test_gateway__any_calls_at_an_honest_issuer__all_or_nothing__IG_1_IG_2(counter: Desk, steps: list[Act]) -> None:
    with counter.stage.undone():
        for act in steps:
            held_to(counter, act)


@given(steps=st.lists(st.tuples(tempers, acts), min_size=1, max_size=4))
def test_gateway__any_calls_at_any_issuer__all_or_nothing__IG_1_IG_2(
    counter: Desk, hostile: Contract, steps: list[tuple[Temper, Act]]
) -> None:
    with counter.stage.undone():
        given_to = listing(counter.issuer, manager=hostile.address)
        counter.gateway.set_listing(AAPL, given_to, sender=_lister(counter))
        for temper, act in steps:
            hostile.set_shares(temper.taken, temper.given, sender=address("attacker"))
            hostile.set_dollars(counter.issuer.usdon, temper.dollars, sender=address("attacker"))
            held_to(counter, act)


def _lister(desk: Desk) -> str:
    """Somebody who may list at once, so that prices need not wait for the timelock."""
    return address("lister")


@pytest.fixture(scope="module", autouse=True)
def _lister_named(counter: Desk, hostile: Contract) -> None:
    counter.stage.govern(counter.gateway.grantRole, counter.gateway.TIMELOCK_ROLE(), _lister(counter))
    counter.post()
    assert counter.stage.system.lens.account_summary(account("debtor")).liquidatable
