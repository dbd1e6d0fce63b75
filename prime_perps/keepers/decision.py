"""What a liquidator does about one account, and why. A pure function of what the chain said: no calls, no clock."""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import Enum

from prime_perps.units import BPS, WAD, usd


class Action(Enum):
    """What to do now. Each decision is one of these, with a reason."""

    TAKE = "take"
    REDEEM = "redeem"  # sell tokens of the account back to their issuer, for the account alone
    START = "start"  # begin the auction or keep it alive, so that its price falls until somebody finds it worth taking
    WAIT = "wait"


@dataclass(frozen=True)
class Policy:
    """What an operator wants. USD in wad."""

    min_profit: int = 0  # a slice, after gas and unwinding
    unwind_cost: int = 0  # bps of the slice's maintenance margin: what trading its risk away costs
    gas_currency_price: int = 0  # USD of one whole unit of the gas currency; 0 leaves gas out of the sum
    smallest_part: int = WAD // 64  # of the slice on offer, when own capital does not carry all of it
    attempts: int = 3  # failed sends for one account in one state before it is left alone
    redeem: bool = False  # forgo the profit of a slice where a redemption costs the account less


@dataclass(frozen=True)
class Candidate:
    """An unhealthy account as the chain shows it. USD in wad; `fraction` and `price` in wad."""

    account: int
    equity: int
    maintenance: int
    doubt: int
    state: int
    startable: bool  # no auction is running, or it was last seen so long ago that it may lapse
    fraction: int
    price: int
    payment: int
    reward: int
    fee: int = 0  # to insurance
    throttled: bool = False  # the engine holds back a part of what the account's health asks for
    added: int | None = None  # wad USD, what the slice adds to the taker's own maintenance margin, if that was asked

    def profit(self) -> int:
        """
        What the taker of the slice gains at oracle prices, wad USD, rounded down. A slice with positive equity is
        bought below its worth; for one without, insurance's reward covers the hole and more.
        """
        worth = self.equity * self.fraction // WAD
        return worth - self.payment - self.fee + self.reward

    def discount(self) -> int:
        """What the slice costs the account, wad USD: the equity that goes, less what is paid for it."""
        return self.equity * self.fraction // WAD - self.payment

    def unwind_cost(self, rate: int) -> int:
        """
        wad USD, rounded up; `rate` in bps of the slice's maintenance margin, or of what it adds to the taker's own:
        risk that nets with the taker's book need not be traded away.
        """
        if self.added is not None:
            return -(-max(self.added, 0) * rate // BPS)
        return -(-self.maintenance * self.fraction * rate // (WAD * BPS))

    def nets(self) -> bool:
        """Whether the taker's own margin rises by less than the slice's."""
        return self.added is not None and self.added < self.maintenance * self.fraction // WAD


@dataclass(frozen=True)
class Redemption:
    """Tokens of an account sold back at a quoted price. `tokens` and USD per token (`mid`, `price`, `limit`) in wad."""

    instrument: int
    symbol: str  # as the issuer names the token
    tokens: int
    mid: int  # the oracle's
    price: int  # quoted, and binding nobody
    limit: int  # the least at which a signed quote is used

    def cost(self) -> int:
        """What the account loses by it at the oracle's price, wad USD, rounded up; negative when it gains."""
        return -((self.price - self.mid) * self.tokens // WAD)


@dataclass(frozen=True)
class Decision:
    """What to do about a candidate, with the numbers it rests on."""

    candidate: Candidate
    action: Action
    reason: str
    profit: int = 0  # wad USD, after gas and unwinding
    fraction: int = 0  # wad of the account, to take
    redemption: Redemption | None = None
    otherwise: Decision | None = None  # what is done at once when a redemption is refused


def decide(candidate: Candidate, policy: Policy, failures: int, part: int = WAD, gas_cost: int = 0) -> Decision:
    """
    `failures`: sends that failed for this account in this very state. `part`: wad of the slice on offer that own
    capital carries. `gas_cost`: wad USD of taking.
    """
    profit = (candidate.profit() - candidate.unwind_cost(policy.unwind_cost)) * part // WAD - gas_cost
    if failures >= policy.attempts:
        return Decision(candidate, Action.WAIT, f"failed {failures} times in this state", profit)
    if candidate.fraction == 0 and candidate.throttled:
        # its price need not fall meanwhile: the account would pay for the crowd
        return Decision(candidate, Action.WAIT, "throttled", profit)
    if candidate.fraction == 0:
        return Decision(candidate, Action.WAIT, "nothing on offer", profit)
    if profit >= policy.min_profit:
        reason = "profitable, nets with own risk" if candidate.nets() else "profitable"
        reason += "" if part == WAD else ", sized to own capital"
        return Decision(candidate, Action.TAKE, reason, profit, candidate.fraction * part // WAD)
    if candidate.startable:
        return Decision(candidate, Action.START, "profit too small, price can fall", profit)
    return Decision(candidate, Action.WAIT, "profit too small", profit)


def choose(plain: Decision, redemption: Redemption, policy: Policy) -> Decision:
    """
    A slice, or whatever else is done without an issuer, against a redemption. The operator gains by a slice alone; the
    account loses the discount of the one or the spread of the other.
    """
    discount = plain.candidate.discount()
    cost = redemption.cost()
    compared = f"redeeming costs it {usd(cost)}, a slice {usd(discount)}"
    if plain.action is not Action.TAKE:
        reason = f"no slice taken ({plain.reason}); {compared}"
    elif not policy.redeem:
        return replace(plain, reason=f"{plain.reason}; {compared}")
    elif cost < discount:
        reason = f"cheaper for the account: {compared}"
        # no signed quote may turn that round
        redemption = replace(
            redemption, limit=max(redemption.limit, redemption.mid - discount * WAD // redemption.tokens)
        )
    else:
        return replace(plain, reason=f"{plain.reason}, no dearer for the account: {compared}")
    return Decision(plain.candidate, Action.REDEEM, reason, redemption=redemption, otherwise=plain)


def without(plain: Decision, why: str) -> Decision:
    """What is done when there is no redemption, and why there is none."""
    return replace(plain, reason=f"{plain.reason}; no redemption: {why}")
