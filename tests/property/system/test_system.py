"""The whole system as a state machine: people trade, prices gap, keepers liquidate, the guardian pauses, strangers try.

After every step CH-1 to CH-3 and LQ-2 hold over all accounts, and every margin on chain is the reference formula's to
the last digit. Each action checks CH-4, CH-5 and LQ-1 for whom it touched and whom it did not. Rules choose arguments
that must be accepted by the reference; what must be refused by it has rules of its own, each with the reason.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import replace

import hypothesis.strategies as st
from hypothesis import note, settings
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from prime_perps.accounts import CASH, token
from prime_perps.units import BPS, NANO, WAD
from tests.stage import account

from . import invariants
from .actions import LIQUIDATION, TRADING, WITHDRAWALS, Actions, Resting
from .preview import (
    Holdings,
    Trade,
    is_stopped,
    part,
    sale,
    slice_costs,
    start_refusal,
    trade_refusal,
    trades_refusal,
    verdict_of,
)
from .strangers import ATTEMPTS, Attempt
from .world import (
    BOOK_DECIMALS,
    CASH_DECIMALS,
    CASH_UNIT,
    INSURANCE,
    KEEPERS,
    OTHER,
    OTHER_DECIMALS,
    OWNERS,
    SAVER,
    STOCKS,
    SYMBOLS,
    TRADERS,
    entered,
)

STEPS = 40
# Fewer than a profile asks for: a step costs as much as a whole example elsewhere.
EXAMPLES = max((settings.default or settings()).max_examples * 3 // 5, 1)

OTHER_UNIT = 10 ** (BOOK_DECIMALS - OTHER_DECIMALS)
OTHER_ONE = 10**OTHER_DECIMALS
LARGEST_TRADE = 2_000_000 * WAD  # of notional

traders = st.sampled_from(TRADERS)
customers = st.sampled_from((*TRADERS, SAVER))
owners = st.sampled_from(OWNERS)
keepers = st.sampled_from(KEEPERS)
symbols = st.sampled_from(SYMBOLS)
instruments = st.sampled_from(("cash", *STOCKS, "other"))
sides = st.sampled_from((1, -1))
shares = st.integers(1, 1_000).map(lambda permille: permille * WAD // 1_000)
watch = st.tuples(st.none() | keepers, shares)  # who watches, and how much he takes of what is on offer
offsets = st.integers(-300, 300)  # bps, inside the price band


def largest(bound: int, fits: Callable[[int], bool]) -> int:
    """`bound`, or the first half, quarter... of it that fits, brought up to a thousandth of the next that does not."""
    size = bound
    while size and not fits(size):
        size //= 2
    step = size // 2
    while size < bound and step > size // 1_000:
        size, step = (size + step if size + step <= bound and fits(size + step) else size), step // 2
    return size


class System(RuleBasedStateMachine, Actions):
    """Who may do what next, and with what arguments. Rules come up about evenly: what shall happen often is several."""

    def __init__(self) -> None:
        super().__init__()
        self.ending = ExitStack()
        self.begin(self.ending.enter_context(entered()))

    def say(self, what: str) -> None:
        note(what)

    def teardown(self) -> None:
        self.ending.close()

    @initialize(symbol=symbols, side=sides, share=shares, insured=st.sampled_from((0, 2_000, 30_000)))
    def somebody_is_leveraged_already(self, symbol: str, side: int, share: int, insured: int) -> None:
        """So that short examples, too, have somebody to liquidate when prices gap, and something to pay with."""
        if insured:
            self.insure("treasury", insured * 10**CASH_DECIMALS)
        price = self.price(symbol, 0)
        size = side * self._size("maker", "taker", symbol, side, price, WAD)
        self.fill(self.order("maker", symbol, -size, price), "taker", size)
        owed = self._size("holder", "rival", symbol, side, price, share)
        if owed:
            self.fill(self.order("holder", symbol, -side * owed, price), "rival", side * owed)

    # what must always hold

    @invariant()
    def everything_holds(self) -> None:
        invariants.check_sizes(self.look)
        invariants.check_money(self.world, self.look)
        invariants.check_cash_market(self.look)
        invariants.check_tokens(self.world, self.look)
        invariants.check_losses(self.world)
        invariants.check_reference(self.look, self.risk)

    # money in and out

    @rule(role=customers, instrument=instruments, share=shares)
    def deposits(self, role: str, instrument: str, share: int) -> None:
        """Up to what some 50,000 USD are worth at the start."""
        most = {"cash": 50_000 * 10**CASH_DECIMALS, "AAPL": 300 * WAD, "NVDA": 300 * WAD, "other": 300 * OTHER_ONE}
        self.deposit(role, self._instrument(instrument), most[instrument] * share // WAD)

    @rule(role=owners, share=shares, gift=st.booleans())
    def gives(self, role: str, share: int, gift: bool) -> None:
        """To insurance, or to the safe past the book."""
        amount = 20_000 * 10**CASH_DECIMALS * share // WAD
        if gift:
            self.give(role, CASH, amount)
        else:
            self.insure(role, amount)

    @precondition(lambda self: not self.paused(WITHDRAWALS))
    @rule(role=customers, instrument=instruments, share=shares)
    def withdraws(self, role: str, instrument: str, share: int) -> None:
        held = Holdings.of(self.look.sheets[role])
        if instrument == "cash":
            bound = largest(self.look.booked[CASH], lambda raw: self._lends(held, raw * CASH_UNIT))
            amount = bound * share // WAD
        elif instrument == "other":
            bound = held.other // OTHER_UNIT * share // WAD
            amount = largest(bound, lambda raw: self._covers(held.without_other(raw * OTHER_UNIT)))
        else:
            bound = held.tokens[instrument] * share // WAD
            amount = largest(bound, lambda raw: self._covers(held.without_token(instrument, raw)))
        if amount:
            self.withdraw(role, self._instrument(instrument), amount)

    @rule(role=owners, more=st.integers(1, 10**9))
    def withdrawal_of_too_much__is_refused(self, role: str, more: int) -> None:
        """More than is left above initial margin, is in the safe, or may be lent: refused for that."""
        verdict = verdict_of(self.look.sheets[role])
        free = max(min(verdict.equity, verdict.equity + verdict.slow) - verdict.initial, 0)
        amount = free // CASH_UNIT + more
        if amount > self.look.booked[CASH]:
            reason = "vault: not enough in safe"
        else:
            stopped = is_stopped(Holdings.of(self.look.sheets[role]), amount * CASH_UNIT)
            reason = "cash: borrow limit" if stopped else "risk: below initial"
            reason = "settings: paused" if self.paused(WITHDRAWALS) else reason
        self.refuse_withdrawal(role, CASH, amount, reason)

    # trading

    @precondition(lambda self: not self.paused(TRADING))
    @rule(roles=st.permutations(TRADERS), symbol=symbols, side=sides, share=shares, offset=offsets)
    def takes_an_order_of_his_size(self, roles: list[str], symbol: str, side: int, share: int, offset: int) -> None:
        maker, taker = roles[:2]
        price = self.price(symbol, offset)
        size = side * self._size(maker, taker, symbol, side, price, share)
        if size:
            self.fill(self.order(maker, symbol, -size, price), taker, size)

    @precondition(lambda self: not self.paused(TRADING))
    @rule(roles=st.permutations(TRADERS), symbol=symbols, side=sides, offset=offsets, times=st.integers(2, 4))
    def takes_part_of_an_order(self, roles: list[str], symbol: str, side: int, offset: int, times: int) -> None:
        maker, taker = roles[:2]
        price = self.price(symbol, offset)
        size = side * self._size(maker, taker, symbol, side, price, WAD // times)
        if size:
            self.fill(self.order(maker, symbol, -size * times, price), taker, size)

    @precondition(lambda self: not self.paused(TRADING))
    @rule(roles=st.permutations(TRADERS), symbol=symbols, side=sides, share=shares, times=st.integers(1, 3), by=owners)
    def are_matched(self, roles: list[str], symbol: str, side: int, share: int, times: int, by: str) -> None:
        """The taker's limit is 1 % past the maker's price, and his order may be larger, too."""
        maker, taker = roles[:2]
        price = self.price(symbol, 0)
        size = side * self._size(maker, taker, symbol, side, price, share)
        if size:
            limit = self.price(symbol, 100 * side)
            self.match(
                self.order(maker, symbol, -size, price), self.order(taker, symbol, size * times, limit), size, by
            )

    @rule(
        roles=st.permutations(TRADERS),
        legs=st.dictionaries(symbols, st.tuples(sides, offsets), min_size=2),
        permille=st.integers(1, 1_000),
        share=shares,
    )
    def takes_what_he_may_of_a_basket(
        self, roles: list[str], legs: dict[str, tuple[int, int]], permille: int, share: int
    ) -> None:
        """What both may bear of it together, leg by leg or not; the whole, if that is too much, is refused."""
        maker, taker = roles[:2]
        prices = {symbol: self.price(symbol, offset) for symbol, (_, offset) in legs.items()}
        notional = LARGEST_TRADE * permille // 1_000
        # in the order of SYMBOLS, whose ids rise
        trades = [
            Trade(symbol, legs[symbol][0] * (notional * NANO // prices[symbol]), prices[symbol])
            for symbol in SYMBOLS
            if symbol in legs
        ]
        basket = self.basket(maker, trades)
        reason = self._basket_refusal(maker, taker, trades, WAD)
        if reason:
            self.refuse_basket(basket, taker, WAD, reason)
        most = largest(WAD, lambda fraction: self._basket_refusal(maker, taker, trades, fraction) is None)
        fraction = most * share // WAD
        if fraction and self._basket_refusal(maker, taker, trades, fraction) is None:
            self.fill_basket(maker, basket, taker, fraction)

    @precondition(lambda self: not self.paused(TRADING) and self._fillable())
    @rule(data=st.data(), share=shares)
    def fills_what_rests(self, data: st.DataObject, share: int) -> None:
        order = data.draw(st.sampled_from(self._fillable()), label="order")
        taker = data.draw(st.sampled_from([role for role in TRADERS if role != order.role]), label="taker")
        price = order.signed.order.price
        side = -1 if order.left > 0 else 1
        size = largest(
            abs(order.left) * share // WAD,
            lambda size: self._refusal(order.role, taker, order.symbol, side * size, price) is None,
        )
        if size:
            self.fill(order, taker, side * size)

    @precondition(lambda self: self._live())
    @rule(data=st.data(), more=st.integers(1, NANO))
    def overfills_then_cancels(self, data: st.DataObject, more: int) -> None:
        """No more of an order than there is, and nothing of one that is cancelled."""
        order = data.draw(st.sampled_from(self._live()), label="order")
        taker = next(role for role in TRADERS if role != order.role)
        size = abs(order.left) + more
        self.refuse_fill(order, taker, -size if order.left > 0 else size, "orders: overfilled")
        self.cancel(order)
        self.refuse_fill(order, taker, -1 if order.left > 0 else 1, "orders: nonce used")

    @rule(roles=st.permutations(TRADERS), symbol=symbols, side=sides, offset=offsets, share=shares)
    def trade_that_the_book_must_not_take__is_refused(
        self, roles: list[str], symbol: str, side: int, offset: int, share: int
    ) -> None:
        """Doubled until something forbids it: a pause, margin, the cap, or that only reducing is admitted."""
        maker, taker = roles[:2]
        price = self.price(symbol, offset)
        size = max(LARGEST_TRADE * NANO // price * share // WAD, 1)
        while (reason := self._refusal(maker, taker, symbol, side * size, price)) is None:
            size *= 2
        self.refuse_fill(self.order(maker, symbol, -side * size, price), taker, side * size, reason)

    @precondition(lambda self: self._below_initial())
    @rule(data=st.data(), share=shares, offset=offsets)
    def saves_himself_as_far_as_he_may(self, data: st.DataObject, share: int, offset: int) -> None:
        """Below initial margin a trade must lower risk at no worse health, below maintenance by a hundredth."""
        role = data.draw(st.sampled_from(self._below_initial()), label="role")
        sizes = self.look.sheets[role].sizes
        symbol = data.draw(st.sampled_from([symbol for symbol in SYMBOLS if sizes[symbol]]), label="symbol")
        helper = "maker" if role != "maker" else "keeper"
        size = -(sizes[symbol] * share // WAD) or -sizes[symbol]
        price = self.price(symbol, offset)
        order, reason = self.order(helper, symbol, -size, price), self._refusal(helper, role, symbol, size, price)
        if reason:
            self.refuse_fill(order, role, size, reason)
        else:
            self.fill(order, role, size)

    # upkeep

    @rule(role=owners, what=st.sampled_from(("settle", "settle", "fees", "interest")), by=owners)
    def keeps_up(self, role: str, what: str, by: str) -> None:
        if what == "settle":
            self.settle(role, by)
        elif what == "fees":
            self.distribute_fees(by)
        else:
            self.accrue(by)

    @rule(role=st.sampled_from(("maker", SAVER)), share=shares)
    def cash_becomes_scarce(self, role: str, share: int) -> None:
        """Whoever has most of it takes it out: what is left to borrow, and what loans cost, changes at once."""
        if self.paused(WITHDRAWALS):
            return
        held, own = Holdings.of(self.look.sheets[role]), max(self.look.sheets[role].margin.cash, 0) // CASH_UNIT
        bound = largest(min(own, self.look.booked[CASH]), lambda raw: self._lends(held, raw * CASH_UNIT))
        if amount := bound * share // WAD:
            self.withdraw(role, CASH, amount)

    # prices and time, and keepers who watch

    @rule(moves=st.dictionaries(symbols, st.sampled_from((-40, -25, -10, -3, -1, 0, 1, 3, 11, 33, 66))), watching=watch)
    def prices_move(self, moves: dict[str, int], watching: tuple[str | None, int]) -> None:
        self.move_prices(moves)
        self._keepers_act(*watching)

    @rule(percent=st.sampled_from((-40, 66)), watching=watch)
    def everything_gaps(self, percent: int, watching: tuple[str | None, int]) -> None:
        self.move_prices(dict.fromkeys(SYMBOLS, percent))
        self._keepers_act(*watching)

    @precondition(lambda self: self._exposed())
    @rule(
        data=st.data(),
        health=st.sampled_from((120, 100, 95, 80, 50, 10, -30)),
        lasts=st.sampled_from((True, True, False)),
        keeper=keepers,
        share=shares,
    )
    def price_hurts(self, data: st.DataObject, health: int, lasts: bool, keeper: str, share: int) -> None:
        """
        It moves just as far as it takes to bring somebody's health down to `health` percent, or not at all, and stays
        there long enough for the slow price to follow, or keepers act at once.
        """
        role, symbol = data.draw(st.sampled_from(self._exposed()), label="role, symbol")
        percent = self._move_that_brings(role, symbol, health)
        if percent:
            self.move_prices({symbol: percent})
            if lasts:
                self.prices_last()
            self._keepers_act(keeper, share)

    @rule(
        seconds=st.sampled_from((30, 60, 61, 300, 900, 1_800, 4_200, 86_400, 2_592_000, 31_536_000)),
        renewed=st.booleans(),
        watching=watch,
    )
    def time_passes(self, seconds: int, renewed: bool, watching: tuple[str | None, int]) -> None:
        """With stale prices at the end of it, or fresh ones."""
        self.wait(seconds)
        if renewed:
            self.move_prices({})
        self._keepers_act(*watching)

    # liquidation

    @precondition(lambda self: not self.paused(LIQUIDATION) and self._liquidatable())
    @rule(keeper=keepers, seconds=st.integers(2, 300), share=shares)
    def keeper_waits_for_a_better_price(self, keeper: str, seconds: int, share: int) -> None:
        """As long as an auction lives without being looked at, at most."""
        for role in self._liquidatable():
            if start_refusal(self.look, role, self.auction(role), self.world.engine.terms()) is None:
                self.start(role, keeper)
        self.wait(seconds - 1)
        self.move_prices({})
        self._keepers_act(keeper, share)

    @precondition(lambda self: not self.paused(LIQUIDATION) and self._liquidatable())
    @rule(data=st.data(), keeper=keepers, share=shares)
    def takes_a_slice(self, data: st.DataObject, keeper: str, share: int) -> None:
        role = data.draw(st.sampled_from(self._liquidatable()), label="role")
        self._take_what_he_can(role, keeper, share)

    @precondition(lambda self: self._liquidatable() or self._stoppable())
    @rule(data=st.data(), by=owners)
    def starts_keeps_alive_or_stops_an_auction(self, data: st.DataObject, by: str) -> None:
        role = data.draw(st.sampled_from(self._liquidatable() + self._stoppable()), label="role")
        reason = start_refusal(self.look, role, self.auction(role), self.world.engine.terms())
        if role in self._stoppable():
            self.stop(role, by)
        elif reason:
            self.refuse_start(role, by, reason)
        else:
            self.start(role, by)

    @rule(role=owners, keeper=keepers, behind=st.integers(1, 2**31))
    def slice_that_must_not_be_sold__is_refused(self, role: str, keeper: str, behind: int) -> None:
        """Of the wrong state, of a healthy account, in a pause, and beyond what the keeper can bear."""
        if role == keeper:
            return
        self.refuse_take(role, keeper, WAD, (self._state(role) - behind) % 2**32, "engine: state changed")
        if not self.look.sheets[role].liquidatable:
            self.refuse_take(role, keeper, WAD, self._state(role), "engine: healthy")
        elif self.paused(LIQUIDATION):
            self.refuse_take(role, keeper, WAD, self._state(role), "settings: paused")
        else:
            self._tries_too_much(role, keeper)

    @rule(keeper=keepers)
    def slice_of_insurance__is_refused(self, keeper: str) -> None:
        reason = "engine: protected account" if self.look.sheets[INSURANCE].liquidatable else "engine: healthy"
        state = self.world.book.state_counter(self.world.account(INSURANCE))
        self.refuse_take(INSURANCE, keeper, WAD, state, reason)

    # governance

    @rule(
        what=st.sampled_from(("activities", "symbol", "table", "exchange", "floor")),
        activities=st.integers(1, 7),
        symbol=symbols,
        floor=st.sampled_from(("0.01", "3", "20")),
    )
    def is_governed(self, what: str, activities: int, symbol: str, floor: str) -> None:
        """What the guardian has stopped the timelock lets go on at the next occasion, or examples would die of it."""
        if what == "activities":
            self.resume() if self.look.settings.paused else self.pause(activities)
        elif what == "symbol":
            self.release(symbol) if self.look.words[symbol].flags & 1 else self.halt(symbol)
        elif what == "table":
            self.swap_table()
        elif what == "floor":
            self.post_floor(floor)
        else:
            self.close_exchange()

    # strangers

    @rule(attempt=st.sampled_from(ATTEMPTS), victim=traders)
    def a_stranger_tries(self, attempt: Attempt, victim: str) -> None:
        self.attempt(attempt, victim)

    # what can be done next

    def _instrument(self, name: str) -> int:
        if name in STOCKS:
            return token(self.stage.id(name))
        return CASH if name == "cash" else OTHER

    def _lends(self, held: Holdings, amount: int) -> bool:
        """Whether a withdrawal of cash is taken: of one's own, or of a loan that may be lent."""
        return self._covers(held.paid(-amount)) and not is_stopped(held, amount)

    def _covers(self, after: Holdings) -> bool:
        return after.verdict(self.risk).meets_initial

    def _refusal(self, maker: str, taker: str, symbol: str, size: int, price: int) -> str | None:
        return trade_refusal(self.look, self.risk, maker, taker, symbol, size, price)

    def _basket_refusal(self, maker: str, taker: str, trades: list[Trade], fraction: int) -> str | None:
        parts = [replace(trade, size=part(trade.size, fraction)) for trade in trades]
        if not all(trade.size for trade in parts):
            return "orders: bad size"
        return trades_refusal(self.look, self.risk, maker, taker, parts)

    def _size(self, maker: str, taker: str, symbol: str, side: int, price: int, share: int) -> int:
        """A share (wad) of the largest trade that the book takes, nano; 0 if it would not take that."""
        most = largest(
            LARGEST_TRADE * NANO // price,
            lambda size: self._refusal(maker, taker, symbol, side * size, price) is None,
        )
        size = most * share // WAD
        return size if size and self._refusal(maker, taker, symbol, side * size, price) is None else 0

    def _move_that_brings(self, role: str, symbol: str, health: int) -> int:
        """The smallest move of a price (percent) after which equity is at most `health` percent of maintenance."""
        held, given = Holdings.of(self.look.sheets[role]), self.risk
        for percent in sorted(range(-60, 150), key=abs):
            verdict = held.verdict(given.moved(symbol, percent))
            if verdict.equity * 100 < verdict.maintenance * health:
                return percent
        return 0

    def _keepers_act(self, keeper: str | None, share: int) -> None:
        """He takes what he can, and tries what he must not: more than he bears, and accounts that doubt protects."""
        if keeper is None or self.paused(LIQUIDATION):
            return
        for role in self._liquidatable():
            self._tries_too_much(role, keeper)
            self._take_what_he_can(role, keeper, share)
        for role in self._in_doubt():
            if role != keeper:
                self.refuse_take(role, keeper, WAD, self._state(role), "engine: healthy")

    def _tries_too_much(self, role: str, keeper: str) -> None:
        if role == keeper or self._can_take(role, keeper, self._on_offer(role)):
            return
        self.refuse_take(role, keeper, WAD, self._state(role), "risk: below initial")

    def _take_what_he_can(self, role: str, keeper: str, share: int) -> None:
        if role == keeper:
            return
        bound = self._on_offer(role) * share // WAD
        fraction = largest(bound, lambda fraction: self._can_take(role, keeper, fraction))
        if self._is_slice(role, fraction):
            self.take(role, keeper, fraction)

    def _on_offer(self, role: str) -> int:
        return int(self.world.engine.quote(account(role)).fraction)

    def _live(self) -> list[Resting]:
        """Orders neither cancelled nor expired."""
        return [order for order in self.resting if not order.cancelled and order.signed.order.expiry >= self.look.time]

    def _fillable(self) -> list[Resting]:
        """Those whose price is still inside the band."""
        return [order for order in self._live() if self._in_band(order)]

    def _in_band(self, order: Resting) -> bool:
        index = self.price(order.symbol, 0)
        least = index * (BPS - self.look.markets[order.symbol].band + 1) // BPS
        return bool(least <= order.signed.order.price <= 2 * index - least)

    def _liquidatable(self) -> list[str]:
        return [role for role in OWNERS if self.look.sheets[role].liquidatable]

    def _in_doubt(self) -> list[str]:
        """Below maintenance, and not for sale."""
        margins = {role: self.look.sheets[role].margin for role in OWNERS if role not in self._liquidatable()}
        return [role for role, margin in margins.items() if margin.equity < margin.maintenance]

    def _exposed(self) -> list[tuple[str, str]]:
        sheets = self.look.sheets
        return [(role, symbol) for role in TRADERS for symbol in SYMBOLS if sheets[role].sizes[symbol]]

    def _below_initial(self) -> list[str]:
        """Who has a perp to reduce."""
        poor = [role for role in TRADERS if not self._covers(Holdings.of(self.look.sheets[role]))]
        return [role for role in poor if any(self.look.sheets[role].sizes.values())]

    def _state(self, role: str) -> int:
        return int(self.world.book.state_counter(account(role)))

    def _stoppable(self) -> list[str]:
        margins = {role: self.look.sheets[role].margin for role in OWNERS}
        sound = [role for role in OWNERS if margins[role].equity >= margins[role].maintenance]
        return [role for role in sound if self.auction(role).started_at]

    def _is_slice(self, role: str, fraction: int) -> bool:
        """Not smaller than the smallest, or all there is."""
        least = self.world.engine.terms().smallest_slice
        carried = fraction * self.look.sheets[role].margin.maintenance // WAD
        return fraction > 0 and bool(fraction == self._on_offer(role) or carried >= least)

    def _can_take(self, role: str, keeper: str, fraction: int) -> bool:
        """Whether the keeper meets initial margin with the slice, what he pays for it, and what insurance adds."""
        payment, reward = slice_costs(self.look, role, self.auction(role), self.world.engine.terms(), fraction)
        return self._covers(sale(self.look, role, keeper, fraction, payment, reward).taken)


TestSystem = System.TestCase
TestSystem.settings = settings(max_examples=EXAMPLES, stateful_step_count=STEPS)
