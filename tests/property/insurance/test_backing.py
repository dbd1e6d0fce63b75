"""IN-1: shares of insurance conserve value. Nobody's are worth less because others come and go, and all together are
worth no more than there is."""

from __future__ import annotations

from functools import cache

import hypothesis.strategies as st
from hypothesis import note, settings
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule, run_state_machine_as_test

from prime_perps.errors import Revert
from prime_perps.units import WAD, wad
from tests.unit.insurance_fund.conftest import COOLDOWN, Backing
from tests.unit.liquidation_engine.conftest import deployed

EXAMPLES = max((settings.default or settings()).max_examples // 4, 1)
BACKERS = ("backer", "partner", "attacker")
LOSERS = ("holder", "taker", "loser", "gambler")
# The dollar that is nobody's, when a loss has taken it; and the rounding of shares of cash.
NOBODYS = wad(1) + 10**7

amounts = st.sampled_from(("0.000001", "1", "999.999999", "1000000")) | st.integers(1, 10**6).map(str)
backers = st.sampled_from(BACKERS)


@cache
def _shared() -> Backing:
    return Backing(deployed())


class Backed(RuleBasedStateMachine):
    """Three backers, givers, and losses."""

    def __init__(self) -> None:
        super().__init__()
        self.backing = _shared()
        self.undo = self.backing.auctions.stage.undone()
        self.undo.__enter__()
        self.paid_in = self.paid_out = self.given = 0
        self.losses = 0

    def teardown(self) -> None:
        self.undo.__exit__(None, None, None)

    def worths(self) -> dict[str, int]:
        return {role: self.backing.worth(role) for role in BACKERS}

    def unharmed(self, before: dict[str, int], but: str) -> None:
        for role, worth in self.worths().items():
            if role != but:
                low = worth - before[role]
                assert low >= -NOBODYS - before[role] // 10**9, f"IN-1: {role} pays for {but}: {low}"

    @rule(role=backers, amount=amounts)
    def deposit(self, role: str, amount: str) -> None:
        before, generation = self.worths(), self.backing.fund.generation()
        own = before[role]
        receipt = self.backing.deposit(amount, role)
        paid = self.backing.one("Deposited", receipt)["amount"] * 10**12
        note(f"{role} deposits {amount}")
        self.paid_in += paid
        self.unharmed(before, role)
        gained = self.backing.worth(role) - own
        if generation == self.backing.fund.generation():
            assert gained <= paid + NOBODYS, "IN-1: a deposit is worth more than was paid"

    @rule(amount=amounts)
    def give(self, amount: str) -> None:
        before = self.worths()
        self.backing.give(amount)
        self.given += int(float(amount) * 10**6) * 10**12
        self.unharmed(before, "nobody")

    @rule(role=backers, part=st.integers(1, WAD))
    def leave(self, role: str, part: int) -> None:
        shares = self.backing.shares(role) * part // WAD
        self.backing.request(shares, role)
        self.backing.warp(COOLDOWN)
        before, worth = self.worths(), self.backing.fund.worth(shares)
        try:
            got = self.backing.withdraw(role) * 10**12
        except Revert as revert:
            if revert.reason not in ("fund: not ready", "fund: nothing to send"):
                raise
            return
        note(f"{role} leaves with {got / WAD:,.6f}")
        self.paid_out += got
        assert got <= worth, "IN-1: more than the shares were worth"
        self.unharmed(before, role)

    @precondition(lambda self: self.losses < len(LOSERS))
    @rule(dollars=st.integers(100, 20_000))
    def lose(self, dollars: int) -> None:
        note(f"a loss of {dollars}")
        self.backing.lose(str(dollars // 5 * 5), LOSERS[self.losses])
        self.losses += 1

    @invariant()
    def all_are_worth_no_more_than_there_is(self) -> None:
        assets = self.backing.fund.assets()
        assert sum(self.worths().values()) <= assets + NOBODYS, "IN-1: shares are worth more than there is"
        assert self.paid_out <= self.paid_in + self.given + NOBODYS, "IN-1: more went out than came in"


def test_backing__anybody_comes_and_goes__shares_conserve_value__IN_1() -> None:
    run_state_machine_as_test(Backed, settings=settings(max_examples=EXAMPLES, stateful_step_count=20))
