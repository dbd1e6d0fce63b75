"""The whole desk in any order: quotes used late, never or unseen, restarts, splits, burns, and time that passes."""

from __future__ import annotations

import shutil
import tempfile
from pathlib import Path

from hypothesis import note, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from prime_perps.issuer.refusals import Refused
from prime_perps.issuer.wire import AttestationAnswer
from prime_perps.units import WAD
from tests.unit.issuer.desk import AAPL, Desk, ask


class Dealing(RuleBasedStateMachine):
    """One asset; users may use each quote once until it expires, which is all that a token manager promises."""

    def __init__(self) -> None:
        super().__init__()
        self.folder = Path(tempfile.mkdtemp())
        self.desk = Desk(self.folder)
        self.desk.broker.look()
        self.unused: list[AttestationAnswer] = []
        self.ids: set[str] = set()
        self.given: dict[str, AttestationAnswer] = {}

    def teardown(self) -> None:
        self.desk.store.close()
        shutil.rmtree(self.folder)

    @rule(
        side=st.sampled_from(["buy", "sell"]),
        tokens=st.sampled_from(["0.333333333333333333", "1", "20", "99"]),
        duration=st.sampled_from(["short", "long"]),
        key=st.sampled_from(["a", "b", "c", None]),
    )
    def attest(self, side: str, tokens: str, duration: str, key: str | None) -> None:
        try:
            answer = self.desk.broker.attest(
                self.desk.gateway, ask(side=side, tokenAmount=tokens, duration=duration), key
            )
        except Refused as refused:
            note(refused.code)
            return
        if key in self.given:
            assert answer == self.given[key]
            return
        assert answer.attestation_id not in self.ids
        self.ids.add(answer.attestation_id)
        self.unused.append(answer)
        if key is not None:
            self.given[key] = answer

    @rule(data=st.data())
    def use(self, data: st.DataObject) -> None:
        good = [one for one in self.unused if one.expiration >= self.desk.now]
        supply = self.desk.known[AAPL].supply
        good = [one for one in good if one.side == "0" or int(one.token_amount) <= supply]
        if good:
            answer = data.draw(st.sampled_from(good))
            self.unused.remove(answer)
            self.desk.use(answer)

    @rule(seconds=st.sampled_from([1, 12, 29, 31, 400, 3_600, 20_000, 90_000]))
    def pass_time(self, seconds: int) -> None:
        self.desk.now += seconds
        self.desk.block += 1

    @rule()
    def restart(self) -> None:
        self.desk.restart()

    @rule(multiplier=st.sampled_from([WAD // 10, WAD // 3, WAD, WAD + WAD // 50, 10 * WAD]))
    def corporate_action(self, multiplier: int) -> None:
        self.desk.token(multiplier=multiplier)

    @rule(percent=st.integers(1, 100))
    def seize(self, percent: int) -> None:
        self.desk.appear(-self.desk.known[AAPL].supply * percent // 100)

    @invariant()
    def shares_stand_for_the_tokens_there_are(self) -> None:
        """By a book that may be some blocks behind: nobody looks after every step."""
        position = self.desk.store.position(self.desk.config.assets[0].address)
        assert position is not None
        assert position.tokens * position.multiplier <= (position.held + position.in_transit) * WAD

    @rule()
    def book_is_that_of_the_chain(self) -> None:
        position, token = self.desk.broker.look()["AAPLon"], self.desk.known[AAPL]
        assert (position.tokens, position.multiplier) == (token.supply, token.multiplier)

    @invariant()
    def limits_hold(self) -> None:
        limit = self.desk.config.limits.user
        for side in ("BUY", "SELL"):
            assert self.desk.store.used(f"user gateway {side} notional").amount <= limit.notional
            assert self.desk.store.used(f"user gateway {side} count").amount <= limit.count


TestDealing = Dealing.TestCase
TestDealing.settings = settings(max_examples=25, stateful_step_count=40)
