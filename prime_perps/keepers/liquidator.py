"""The liquidator: finds accounts below maintenance margin and takes slices of them.

Every tick reads the chain anew and decides from nothing else, so a restart, a race lost or a transaction of unknown
fate needs no repair. Whatever is sent names the account state it was decided on; in any other state it fails and costs
little. So the same slice is never bought twice.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from decimal import Decimal
from typing import Any

import structlog

from prime_perps import balance_sheet
from prime_perps.accounts import owner_of
from prime_perps.chain.contract import Contract, Receipt
from prime_perps.chain.rpc import RpcBackend
from prime_perps.errors import NodeError, Revert
from prime_perps.keepers.decision import Action, Candidate, Decision, Policy, choose, decide, without
from prime_perps.keepers.loop import Stop
from prime_perps.keepers.redemption import NoRedemption, Redeemer
from prime_perps.keepers.watchlist import Watchlist
from prime_perps.liquidation import liquidatable
from prime_perps.margin import Exposure
from prime_perps.units import WAD, usd

ACCOUNTS_A_QUERY = 200
BELOW_INITIAL = "risk: below initial"
DEFAULT_POLICY = Policy()

log = structlog.get_logger()


class Liquidator:
    """One key and one account that takes slices."""

    def __init__(
        self,
        backend: RpcBackend,
        clearinghouse: Contract,
        engine: Contract,
        *,
        sender: str,
        account: int,
        policy: Policy = DEFAULT_POLICY,
        first_block: int = 0,
        dry_run: bool = False,
        redeemer: Redeemer | None = None,
        lens: Contract | None = None,
    ) -> None:
        """
        `sender`: an address whose key the backend holds, owner of `account` or its operator with LIQUIDATE.
        `account`: receives the slices and must stay above initial margin. `first_block`: of the clearinghouse.
        `redeemer`: where tokens of unhealthy accounts are sold back, if anywhere. `lens`: with it, what nets with
        `account`'s own risk costs nothing to unwind. Raises NodeError.
        """
        self._backend = backend
        self._book = clearinghouse
        self._engine = engine
        self._sender = sender
        self._account = account
        self._policy = policy
        self._dry_run = dry_run
        self._redeemer = redeemer
        self._lens = lens
        self._watchlist = Watchlist(backend, clearinghouse, first_block)
        self._protected = {account, int(clearinghouse.insurance_account()), int(clearinghouse.fee_account())}
        self._failures: dict[tuple[int, int], int] = {}
        self._unredeemed: dict[tuple[int, int], int] = {}  # likewise, of redemptions
        self._told: dict[int, tuple[Any, ...]] = {}
        self._seen = ""

    def tick(self, stop: Stop | None = None) -> list[Decision]:
        """
        Look at the newest block once and act on it. Returns what was decided, worst account first; nothing when the
        block is the one already dealt with. Raises NodeError; then the next tick looks at the same block again.
        """
        # What became of a send with a lost answer comes first: it is part of the state to decide on.
        self._backend.resolve(self._sender)
        head = self._backend.block()
        if head["hash"] == self._seen:
            return []
        self._watchlist.advance()
        candidates = self.candidates()
        self._forget(candidates)
        decisions = []
        for candidate in candidates:
            if stop is not None and stop.is_set():
                break
            decisions.append(self._act(self._decide(candidate)))
        else:
            self._seen = head["hash"]
        return decisions

    def candidates(self) -> list[Candidate]:
        """The unhealthy accounts among all known ones, the lowest equity against maintenance margin first."""
        unhealthy = [
            (account, margin)
            for account, margin in self._margins(sorted(self._watchlist.accounts - self._protected))
            if liquidatable(margin)
        ]
        found = [self._candidate(account, margin) for account, margin in unhealthy]
        return sorted(filter(None, found), key=lambda one: Decimal(one.equity) / max(one.maintenance, 1))

    @property
    def known_accounts(self) -> int:
        return len(self._watchlist.accounts)

    def _margins(self, accounts: Sequence[int]) -> Iterable[tuple[int, Any]]:
        method = self._book.margin
        for start in range(0, len(accounts), ACCOUNTS_A_QUERY):
            part = accounts[start : start + ACCOUNTS_A_QUERY]
            answers = self._backend.call_many([(self._book.address, method.encode(account)) for account in part])
            for account, answer in zip(part, answers, strict=True):
                if not answer:
                    raise NodeError(f"{self._backend.url} has no clearinghouse at {self._book.address}: was it reset?")
                if isinstance(answer, Revert):
                    # One account that cannot be read must not hide the others.
                    log.error("margin_unreadable", account=shown(account), reason=answer.reason)
                else:
                    yield account, method.decode(answer)

    def _candidate(self, account: int, margin: Any) -> Candidate | None:
        engine, book = self._engine, self._book
        asked = [
            (engine.address, engine.quote.encode(account)),
            (book.address, book.state_counter.encode(account)),
            (engine.address, engine.start.encode(account)),
        ]
        offer, counter, start = self._backend.call_many(asked)
        if isinstance(offer, Revert) or isinstance(counter, Revert):
            log.error("offer_unreadable", account=shown(account), answers=[str(offer), str(counter)])
            return None
        quote = engine.quote.decode(offer)
        return Candidate(
            account=account,
            equity=margin.equity,
            maintenance=margin.maintenance,
            doubt=margin.doubt,
            state=book.state_counter.decode(counter),
            startable=not isinstance(start, Revert),
            fraction=quote.fraction,
            price=quote.price,
            payment=quote.payment,
            reward=quote.reward,
            fee=quote.fee,
            throttled=quote.throttled,
        )

    def _decide(self, candidate: Candidate) -> Decision:
        """What to do without an issuer, against a redemption where one is to be had."""
        plain = self._decide_slice(candidate)
        if self._redeemer is None:
            return plain
        failures = self._unredeemed.get((candidate.account, candidate.state), 0)
        if failures >= self._policy.attempts:
            return without(plain, f"failed {failures} times in this state")
        try:
            return choose(plain, self._redeemer.offer(candidate), self._policy)
        except NoRedemption as refusal:
            return without(plain, str(refusal))

    def _decide_slice(self, candidate: Candidate) -> Decision:
        """Whether the whole slice is worth it; then how much of it goes through, and whether that is, after gas."""
        failures = self._failures.get((candidate.account, candidate.state), 0)
        candidate = replace(candidate, added=self._added(candidate))
        decision = decide(candidate, self._policy, failures)
        if decision.action is not Action.TAKE:
            return decision
        part = self._part_that_passes(candidate)
        if isinstance(part, Revert):
            # A lower price needs less capital, and others may have it: the auction must not lapse meanwhile.
            action = Action.START if candidate.startable else Action.WAIT
            return Decision(candidate, action, f"simulation: {part.reason}", decision.profit)
        return decide(candidate, self._policy, failures, part, self._gas_cost(candidate, part))

    def _added(self, candidate: Candidate) -> int | None:
        """
        What the whole slice adds to own maintenance margin, wad USD, by the model in force; None when no cost depends
        on it, or it cannot be told.
        """
        if self._lens is None or self._policy.unwind_cost == 0:
            return None
        try:
            own, theirs = (self._lens.account_summary(account) for account in (self._account, candidate.account))
            together = {one.underlying: one for one in balance_sheet.exposures(own)}
            for exposure in balance_sheet.exposures(theirs):
                moved = _with_part(together.get(exposure.underlying), exposure, candidate.fraction)
                together[exposure.underlying] = moved
            model = Contract.at(self._backend, "MarginModel", self._book.settings().model)
            after, _ = model.requirements(list(together.values()), theirs.closure, 0)
        except Revert:
            return None
        return int(after - own.margin.maintenance)

    def _part_that_passes(self, candidate: Candidate) -> int | Revert:
        """The largest part (wad) that a simulation lets through, halving while own capital is too small, or why not."""
        part = WAD
        while True:
            try:
                self._engine.take.call(*self._take(candidate, candidate.fraction * part // WAD), sender=self._sender)
            except Revert as revert:
                part //= 2
                if revert.reason != BELOW_INITIAL or part < self._policy.smallest_part:
                    return revert
            else:
                return part

    def _gas_cost(self, candidate: Candidate, part: int) -> int:
        """wad USD of taking, rounded up; nothing when gas is left out of the sum."""
        if self._policy.gas_currency_price == 0:
            return 0
        data = self._engine.take.encode(*self._take(candidate, candidate.fraction * part // WAD))
        gas = self._backend.estimate_gas(self._engine.address, data, self._sender)
        return -(-gas * self._backend.gas_price() * self._policy.gas_currency_price // WAD)

    def _act(self, decision: Decision) -> Decision:
        if decision.action is Action.WAIT or self._dry_run:
            self._tell("decided", decision, sent=False)
            return decision
        if decision.action is Action.REDEEM:
            return self._redeem(decision)
        candidate = decision.candidate
        try:
            if decision.action is Action.TAKE:
                receipt = self._engine.take.send(*self._take(candidate, decision.fraction), sender=self._sender)
                self._report_take(decision, receipt)
            else:
                receipt = self._engine.start(candidate.account, sender=self._sender)
                anew = any(name == "AuctionStarted" for name, _ in self._engine.events(receipt))
                event = "auction_started" if anew else "auction_kept_alive"
                self._tell(event, decision, transaction=receipt.hash, gas=receipt.gas_used)
        except Revert as revert:
            # Somebody else was first, or the price moved: the next block tells.
            if decision.action is Action.TAKE:
                # A start that a rival was quicker with says nothing about taking, and changes no account's state.
                state = candidate.account, candidate.state
                self._failures[state] = self._failures.get(state, 0) + 1
            self._tell("refused", decision, why=revert.reason)
        return decision

    def _redeem(self, decision: Decision) -> Decision:
        """Redeem; when anybody refuses, do at once what would have been done without an issuer."""
        candidate, redemption, otherwise = decision.candidate, decision.redemption, decision.otherwise
        assert self._redeemer is not None
        assert redemption is not None
        assert otherwise is not None
        try:
            receipt, proceeds = self._redeemer.redeem(candidate.account, redemption, self._sender)
        except NoRedemption as refusal:
            state = candidate.account, candidate.state
            self._unredeemed[state] = self._unredeemed.get(state, 0) + 1
            self._tell("redemption_refused", decision, why=str(refusal))
            return self._act(without(otherwise, str(refusal)))
        self._tell(
            "redeemed",
            decision,
            transaction=receipt.hash,
            block=receipt.block,
            gas=receipt.gas_used,
            proceeds=usd(proceeds),
        )
        return decision

    def _take(self, candidate: Candidate, fraction: int) -> tuple[int, int, int, int, int]:
        """The arguments of the engine's `take`: no higher price, and no other state, than the decision rests on."""
        return candidate.account, self._account, fraction, candidate.price, candidate.state

    def _forget(self, candidates: Sequence[Candidate]) -> None:
        """Failures and log lines of accounts that are well again, or have changed, are of no more use."""
        current = {(candidate.account, candidate.state) for candidate in candidates}
        self._failures = {key: count for key, count in self._failures.items() if key in current}
        self._unredeemed = {key: count for key, count in self._unredeemed.items() if key in current}
        accounts = {candidate.account for candidate in candidates}
        self._told = {account: line for account, line in self._told.items() if account in accounts}

    def _report_take(self, decision: Decision, receipt: Receipt) -> None:
        taken = next((fields for name, fields in self._engine.events(receipt) if name == "Slice"), None)
        if taken is None:
            raise NodeError(f"{receipt.hash} succeeded without a Slice event: is this the right engine?")
        self._tell(
            "slice_taken",
            decision,
            transaction=receipt.hash,
            block=receipt.block,
            gas=receipt.gas_used,
            taken=ratio(taken["fraction"]),
            paid=usd(taken["payment"]),
            fee=usd(taken["fee"]),
            rewarded=usd(taken["reward"]),
        )

    def _tell(self, event: str, decision: Decision, **more: Any) -> None:
        """One line a decision; the same wait is told once, not at every block."""
        candidate = decision.candidate
        line = (event, decision.action, decision.reason, candidate.state)
        if decision.action is Action.WAIT and self._told.get(candidate.account) == line:
            return
        self._told[candidate.account] = line
        if decision.redemption is not None:
            redemption = decision.redemption
            more |= {"token": redemption.symbol, "tokens": ratio(redemption.tokens), "cost": usd(redemption.cost())}
            more |= {"quoted": usd(redemption.price)}
        log.info(
            event,
            account=shown(candidate.account),
            action=decision.action.value,
            reason=decision.reason,
            equity=usd(candidate.equity),
            maintenance=usd(candidate.maintenance),
            doubt=usd(candidate.doubt),
            fraction=ratio(decision.fraction),
            price=ratio(candidate.price),
            profit=usd(decision.profit),
            state=candidate.state,
            dry_run=self._dry_run,
            **more,
        )


def _with_part(own: Exposure | None, other: Exposure, fraction: int) -> Exposure:
    """An exposure with a part (wad) of another's on top."""
    held = own or replace(other, token=0, other=0, perp=0)
    return replace(
        held,
        token=held.token + other.token * fraction // WAD,
        other=held.other + other.other * fraction // WAD,
        perp=held.perp + other.perp * fraction // WAD,
    )


def shown(account: int) -> str:
    """An account as a person tells it apart: owner, and the sub-account unless it is the first."""
    sub = account % 2**96
    return owner_of(account) + (f"/{sub}" if sub else "")


def ratio(value: int) -> str:
    """A wad ratio with six decimals."""
    return f"{Decimal(value) / WAD:.6f}"
