"""The broker's book in whatever order things happen: tokens x multiplier <= shares held + shares in transit."""

from __future__ import annotations

from hypothesis import note
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from prime_perps.issuer.inventory import Position
from prime_perps.units import WAD

AMOUNTS = st.one_of(st.integers(1, 5), st.integers(1, 10**24))
RATIOS = st.tuples(st.integers(1, 50), st.integers(1, 50))


class Book(RuleBasedStateMachine):
    """What the exchange, the chain and the issuer do to one asset, with attestations that may never be used."""

    def __init__(self) -> None:
        super().__init__()
        self.position = Position()
        self.attested = 0
        self.now = 0

    @rule(tokens=AMOUNTS)
    def attest(self, tokens: int) -> None:
        """Promises change nothing: cash comes with the mint."""
        self.attested += tokens

    @precondition(lambda self: self.attested)
    @rule(data=st.data())
    def mint(self, data: st.DataObject) -> None:
        tokens = data.draw(st.integers(1, self.attested))
        note(f"mint {tokens}")
        self.attested -= tokens
        self.position = self.position.minted(tokens)

    @rule()
    def expire(self) -> None:
        self.attested = 0

    @precondition(lambda self: self.position.tokens)
    @rule(data=st.data())
    def redeem(self, data: st.DataObject) -> None:
        tokens = data.draw(st.integers(1, self.position.tokens))
        note(f"redeem {tokens}")
        self.position = self.position.redeemed(tokens)

    @precondition(lambda self: self.position.ordered)
    @rule(data=st.data(), later=st.integers(0, 100))
    def fill(self, data: st.DataObject, later: int) -> None:
        shares = data.draw(st.integers(1, self.position.ordered))
        note(f"fill {shares} in {later}")
        before = self.position.held + self.position.in_transit
        self.position = self.position.filled(shares, self.now + later)
        assert self.position.held + self.position.in_transit == before

    @rule(later=st.integers(0, 100))
    def settle(self, later: int) -> None:
        self.now += later
        before = self.position.held + self.position.in_transit
        self.position = self.position.settled(self.now)
        assert self.position.held + self.position.in_transit == before
        assert all(delivery.due > self.now for delivery in self.position.bought)

    @rule()
    def sell(self) -> None:
        self.position = self.position.sold()
        waiting = sum(delivery.shares for delivery in self.position.bought)
        assert self.position.spare <= waiting

    @rule(ratio=RATIOS)
    def split(self, ratio: tuple[int, int]) -> None:
        multiplier = self.position.multiplier * ratio[0] // ratio[1]
        if WAD // 10**6 <= multiplier <= WAD * 10**6:
            note(f"split {ratio}")
            self.position = self.position.restated(multiplier)

    @rule(bps=st.integers(1, 500))
    def dividend(self, bps: int) -> None:
        if self.position.multiplier < WAD * 10**6:
            self.position = self.position.restated(self.position.multiplier * (10_000 + bps) // 10_000)

    @invariant()
    def shares_stand_for_tokens(self) -> None:
        held, on_their_way = self.position.held, self.position.in_transit
        assert self.position.tokens * self.position.multiplier <= (held + on_their_way) * WAD
        assert self.position.missing == 0

    @invariant()
    def nothing_is_negative(self) -> None:
        position = self.position
        assert min(position.tokens, position.held, position.ordered, position.multiplier) >= 0
        assert all(delivery.shares > 0 for delivery in position.bought)


TestBook = Book.TestCase
