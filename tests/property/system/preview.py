"""What a change would do to an account's margin, by the reference formula: what the book ought to accept and refuse.

Written from the rules of IPerpClearinghouse.vyi and docs/liquidation.md, not from the contracts. Amounts are wad unless
a name says otherwise; sizes are nano.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from prime_perps import margin
from prime_perps.cash import BORROW_STOP, Market
from prime_perps.liquidation import Doubts
from prime_perps.margin import Closure, Exposure, Table
from prime_perps.reports import Flag, Word, eventful
from prime_perps.units import BPS, MID, NANO, PIPS, WAD

from .world import FEES, INSURANCE, OTHER_ON, OTHER_UNITS, SYMBOLS, Look, Sheet

RESTRICTING = Flag.HALTED | Flag.PAUSED | Flag.REDUCE_ONLY | Flag.REOPENING
PERP_VALUE = 10  # nano x mid into wad
LOSS_ROUNDING = 10**6  # wei that are taken from everybody's cash beyond a loss


@dataclass(frozen=True)
class Verdict:
    """What an account has, and what it needs."""

    equity: int
    maintenance: int
    initial: int
    slow: int  # what equity would be more at the slow prices

    @property
    def meets_initial(self) -> bool:
        """At both prices."""
        return min(self.equity, self.equity + self.slow) >= self.initial

    def may_follow(self, before: Verdict) -> bool:
        """CH-4, for a trade: initial margin is met, or risk is less (below maintenance: by a hundredth) and health no
        worse."""
        least = before.maintenance // 100 if before.equity < before.maintenance else 1
        reduced = self.maintenance + least <= before.maintenance
        return self.meets_initial or (reduced and self.no_worse_than(before))

    def no_worse_than(self, before: Verdict) -> bool:
        if before.equity > 0:
            return self.equity * before.maintenance >= before.equity * self.maintenance
        return self.equity >= before.equity


@dataclass(frozen=True)
class Risk:
    """What margin depends on besides the account."""

    words: Mapping[str, Word]
    closure: Closure
    table: Table
    ids: Mapping[str, int]

    def price(self, symbol: str) -> int:
        """The index price, wad."""
        return self.words[symbol].mid * WAD // MID

    def moved(self, symbol: str, percent: int) -> Risk:
        """With one price that is so much higher."""
        word = self.words[symbol]
        return replace(self, words={**self.words, symbol: replace(word, mid=word.mid * (100 + percent) // 100)})

    def restricted(self, symbol: str) -> bool:
        """Whether only trades that reduce are admitted."""
        word = self.words[symbol]
        return not word.live or bool(Flag(word.flags) & RESTRICTING) or word.doubt != 0


@dataclass(frozen=True)
class Holdings:
    """An account with its funding settled. Its cash is shares of a market, and every change of it is rounded so."""

    shares: int
    quote: int
    sizes: Mapping[str, int]
    tokens: Mapping[str, int]
    other: int
    cash_market: Market = field(compare=False)

    @classmethod
    def of(cls, sheet: Sheet) -> Holdings:
        quote = sheet.margin.quote - sheet.margin.funding_owed
        return cls(sheet.shares, quote, sheet.sizes, sheet.tokens, sheet.other, sheet.cash_market)

    @property
    def cash(self) -> int:
        return self.cash_market.cash(self.shares)

    def verdict(self, given: Risk) -> Verdict:
        held = [symbol for symbol in SYMBOLS if self._holds(symbol)]
        exposures = [self._exposure(symbol, given) for symbol in held]
        words = [given.words[symbol] for symbol in held]
        worth = sum(entry.token + entry.other + entry.perp for entry in exposures)
        needs = margin.requirements(exposures, given.closure, max(-self.cash, 0), given.table)
        slow = Doubts.of(zip(exposures, words, strict=True)).slow
        return Verdict(self.cash + self.quote + worth, *needs, slow)

    def paid(self, amount: int) -> Holdings:
        """With more cash, or less."""
        return replace(self, shares=self.cash_market.paid(self.shares, amount))

    def traded(self, symbol: str, size: int, price: int, fee_pips: int) -> Holdings:
        """After a trade of `size`, signed for this account."""
        notional = abs(size) * price // NANO
        fee = -(-notional * fee_pips // PIPS)
        return replace(
            self,
            quote=self.quote + (notional if size < 0 else -notional) - fee,
            sizes={**self.sizes, symbol: self.sizes[symbol] + size},
        )

    def without_token(self, symbol: str, amount: int) -> Holdings:
        return replace(self, tokens={**self.tokens, symbol: self.tokens[symbol] - amount})

    def without_other(self, amount: int) -> Holdings:
        return replace(self, other=self.other - amount)

    def with_slice(self, source: Holdings, fraction: int, payment: int) -> Holdings:
        """With a fraction (wad) of everything another account has, each part rounded towards zero, less a payment."""
        paid = self.paid(part(source.cash, fraction) - payment)
        return replace(
            paid,
            quote=self.quote + part(source.quote, fraction),
            sizes={symbol: self.sizes[symbol] + part(source.sizes[symbol], fraction) for symbol in SYMBOLS},
            tokens={symbol: self.tokens[symbol] + part(source.tokens[symbol], fraction) for symbol in SYMBOLS},
            other=self.other + part(source.other, fraction),
        )

    def without_slice(self, fraction: int, payment: int) -> Holdings:
        """What stays when a fraction (wad) of everything goes, for a payment."""
        return replace(
            self.paid(payment - part(self.cash, fraction)),
            quote=self.quote - part(self.quote, fraction),
            sizes={symbol: self.sizes[symbol] - part(self.sizes[symbol], fraction) for symbol in SYMBOLS},
            tokens={symbol: self.tokens[symbol] - part(self.tokens[symbol], fraction) for symbol in SYMBOLS},
            other=self.other - part(self.other, fraction),
        )

    def _holds(self, symbol: str) -> bool:
        return bool(self.sizes[symbol] or self.tokens[symbol] or (symbol == OTHER_ON and self.other))

    def _exposure(self, symbol: str, given: Risk) -> Exposure:
        word = given.words[symbol]
        other = self.other * OTHER_UNITS // WAD if symbol == OTHER_ON else 0
        return Exposure(
            underlying=given.ids[symbol],
            token=self.tokens[symbol] * word.mid // MID,
            other=other * word.mid // MID,
            perp=self.sizes[symbol] * word.mid * PERP_VALUE,
            width=word.half_width,
            eventful=eventful(word.flags),
        )


@dataclass
class Till:
    """Everybody's cash and quote, funding settled, while a call changes them."""

    cash_market: Market
    shares: dict[str, int]
    quotes: dict[str, int]

    @classmethod
    def of(cls, look: Look) -> Till:
        held = {role: Holdings.of(sheet) for role, sheet in look.sheets.items()}
        shares = {role: holdings.shares for role, holdings in held.items()}
        return cls(look.cash_market, shares, {role: holdings.quote for role, holdings in held.items()})

    def cash(self, role: str) -> int:
        return self.cash_market.cash(self.shares[role])

    def change(self, role: str, amount: int) -> None:
        before = self.shares[role]
        after = self.shares[role] = self.cash_market.paid(before, amount)
        self.cash_market = self.cash_market.held(before, after)

    def settle(self, role: str, worth: int) -> None:
        """Quote becomes cash, of an account whose perps are worth so much."""
        gain = self.quotes[role] + worth
        self.change(role, gain)
        self.quotes[role] = -worth
        self.cash_market = self.cash_market.claimed(0, gain)

    def distribute(self, insurance_share: int) -> None:
        """Fees, and the reserve; `insurance_share` in bps."""
        collected, reserve = max(self.cash(FEES) + self.quotes[FEES], 0), self.cash_market.reserve
        kept = collected * (BPS - insurance_share) // BPS
        self.cash_market = self.cash_market.claimed(0, self.quotes[FEES])
        self.change("treasury", kept)
        self.change(FEES, self.quotes[FEES] - collected)
        self.quotes[FEES] = 0
        self.change(INSURANCE, collected - kept + reserve)

    def socialise(self, amount: int) -> int:
        """Taken from all positive cash but insurance's, and given to it; what could be."""
        self.cash_market, self.shares[INSURANCE], covered = self.cash_market.socialised(self.shares[INSURANCE], amount)
        return covered


@dataclass(frozen=True)
class Sale:
    """What a slice does: to who is sold from, to the keeper, to everybody's cash."""

    left: Holdings
    taken: Holdings
    till: Till
    distributed: bool
    socialised: int

    @property
    def paying(self) -> set[str]:
        """Those besides the two whose own shares or quote may change."""
        return {INSURANCE, FEES, "treasury"} if self.distributed else {INSURANCE}


def sale(look: Look, role: str, keeper: str, fraction: int, payment: int, reward: int) -> Sale:
    """A slice of an account sold to a keeper, who pays `payment` and gets `reward`."""
    till, margin = Till.of(look), look.sheets[role].margin
    distributed, socialised = False, 0
    if margin.equity < 0:
        loss = -margin.equity * fraction // WAD
        if loss > till.cash(INSURANCE):
            distributed = True
            till.distribute(look.settings.insurance_share)
            missing = loss - till.cash(INSURANCE)
            if missing > 0:
                till.settle(role, margin.perp_value)
                socialised = till.socialise(missing + LOSS_ROUNDING)
        till.change(INSURANCE, -reward)
        till.change(keeper, reward)
    source, target = _as_in(till, look, role), _as_in(till, look, keeper)
    left, taken = source.without_slice(fraction, payment), target.with_slice(source, fraction, payment)
    return Sale(left, taken, till, distributed, socialised)


def _as_in(till: Till, look: Look, role: str) -> Holdings:
    held = Holdings.of(look.sheets[role])
    return replace(held, shares=till.shares[role], quote=till.quotes[role], cash_market=till.cash_market)


def is_stopped(held: Holdings, amount: int) -> bool:
    """Whether a withdrawal of cash is a loan that the borrow stop forbids."""
    after = held.paid(-amount).shares
    lent = held.cash_market.held(held.shares, after).claimed(-amount, 0).lent()
    return after < 0 and lent > BORROW_STOP


@dataclass(frozen=True)
class Trade:
    """One trade inside the price band: size in nano, signed for the taker; price in wad."""

    symbol: str
    size: int
    price: int


@dataclass(frozen=True)
class Auction:
    """An account's auction as it is at a moment, whether anybody has told the engine or not. Times are unix seconds."""

    started: int
    insolvent: int  # 0 while equity is not negative
    anew: bool  # there was none, or it had lapsed

    @classmethod
    def at(cls, time: int, stored: Any, terms: Any, equity: int) -> Auction:
        """`stored` and `terms` as in ILiquidationEngine."""
        anew = stored.seen_at + terms.lapse < time
        known = 0 if anew else stored.insolvent_at
        return cls(time if anew else stored.started_at, 0 if equity >= 0 else known or time, anew)

    def price(self, time: int, terms: Any) -> int:
        """pi of an account with equity, wad: from start to knee, from knee to zero."""
        elapsed = time - self.started
        if elapsed < terms.first_phase:
            return int(terms.start_price - (terms.start_price - terms.knee_price) * elapsed // terms.first_phase)
        late = min(elapsed - terms.first_phase, terms.second_phase)
        return int(terms.knee_price - terms.knee_price * late // terms.second_phase)

    def reward(self, time: int, terms: Any, maintenance: int, fraction: int) -> int:
        """What the taker of a slice of an insolvent account gets beyond its loss, if insurance has it; wad."""
        share = min(time - self.insolvent, terms.reward_phase) * WAD // terms.reward_phase
        return int(maintenance * share // WAD * fraction // WAD)


def start_refusal(look: Look, role: str, stored: Any, terms: Any) -> str | None:
    """Why the engine refuses to start (or keep alive) an auction, or None if it does not."""
    sheet = look.sheets[role]
    if not sheet.liquidatable:
        return "engine: healthy"
    if look.settings.paused & 4:
        return "settings: paused"
    now = Auction.at(look.time, stored, terms, sheet.margin.equity)
    due = stored.seen_at + terms.lapse // 2 <= look.time
    return None if now.anew or due or now.insolvent != stored.insolvent_at else "engine: running"


def slice_costs(look: Look, role: str, stored: Any, terms: Any, fraction: int) -> tuple[int, int]:
    """
    (payment by the keeper, what insurance gives him) for a slice now, wad.

    Insurance keeps what the whole account may still lose before it rewards anybody for a part.
    """
    margin = look.sheets[role].margin
    auction = Auction.at(look.time, stored, terms, margin.equity)
    if margin.equity >= 0:
        return -(-margin.equity * fraction * auction.price(look.time, terms) // WAD**2), 0
    loss = -margin.equity
    insured = max(look.sheets[INSURANCE].margin.cash - loss, 0)
    return 0, loss * fraction // WAD + min(auction.reward(look.time, terms, margin.maintenance, fraction), insured)


def part(amount: int, fraction: int) -> int:
    """A wad fraction of a signed amount, rounded towards zero."""
    moved = abs(amount) * fraction // WAD
    return moved if amount >= 0 else -moved


def reduces(before: int, change: int) -> bool:
    """Whether a change of a position is towards zero and not past it."""
    after = before + change
    return 0 <= after < before or before < after <= 0


def verdict_of(sheet: Sheet) -> Verdict:
    return Verdict(sheet.margin.equity, sheet.margin.maintenance, sheet.margin.initial, sheet.margin.slow)


def trade_refusal(look: Look, given: Risk, maker: str, taker: str, symbol: str, size: int, price: int) -> str | None:
    """Why the book refuses a trade of `size` (signed for the taker) inside the price band, or None if it takes it."""
    return trades_refusal(look, given, maker, taker, [Trade(symbol, size, price)])


def trades_refusal(look: Look, given: Risk, maker: str, taker: str, trades: Sequence[Trade]) -> str | None:
    """The same of several trades, each in another market, after which both sides' margin is checked once."""
    for trade in trades:
        reason = _market_refusal(look, given, maker, taker, trade)
        if reason:
            return reason
    for role, side, fee in ((maker, -1, look.settings.maker_fee), (taker, 1, look.settings.taker_fee)):
        before = after = Holdings.of(look.sheets[role])
        for trade in trades:
            after = after.traded(trade.symbol, side * trade.size, trade.price, fee)
        if not after.verdict(given).may_follow(before.verdict(given)):
            return "risk: below initial"
    return None


def _market_refusal(look: Look, given: Risk, maker: str, taker: str, trade: Trade) -> str | None:
    """Whatever margin says."""
    market = look.markets[trade.symbol]
    sizes = {role: look.sheets[role].sizes[trade.symbol] for role in (maker, taker)}
    changes = {maker: -trade.size, taker: trade.size}
    if look.settings.paused & 1:
        return "settings: paused"
    reducing = all(reduces(sizes[role], change) for role, change in changes.items())
    if (market.reduce_only or given.restricted(trade.symbol)) and not reducing:
        return "trade: reduce only"
    grown = sum(_long(sizes[role] + change) - _long(sizes[role]) for role, change in changes.items())
    if grown > 0 and market.open_interest + grown > market.open_interest_cap:
        return "trade: open interest cap"
    return None


def _long(size: int) -> int:
    return max(size, 0)
