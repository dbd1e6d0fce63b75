"""What people do in the world, as plain methods: each does one thing, says so, and checks what it did to whom.

The rules of the machine choose arguments with which an action must succeed; what must be refused has its own methods.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

import pytest

from prime_perps.accounts import CASH
from prime_perps.chain.contract import Method
from prime_perps.errors import Revert
from prime_perps.orders import Basket, Leg, Order, SignedBasket, SignedOrder
from prime_perps.reports import Session
from prime_perps.units import BPS, MID, WAD, usd, wad
from tests.stage import AN_HOUR, UNLIMITED, account, address

from . import invariants
from .preview import Holdings, Risk, Till, Trade, part, sale, slice_costs, verdict_of
from .strangers import Attempt
from .world import CASH_UNIT, FEES, INSURANCE, SYMBOLS, World

TRADING, WITHDRAWALS, LIQUIDATION = 1, 2, 4
BELOW_INITIAL = "risk: below initial"
LEAST_PRICE, MOST_PRICE = Decimal(2), Decimal(5_000)
NANO_DUST = 10**9  # a slice cuts sizes at one nano


@dataclass
class Resting:
    """An order that its maker has signed and nobody has filled whole."""

    role: str
    symbol: str
    signed: SignedOrder
    left: int  # nano, signed for the maker
    cancelled: bool = False


class Actions:
    """The world, the last look at it, and the orders that rest."""

    def begin(self, world: World) -> None:
        self.world = world
        self.stage = world.stage
        self.resting: list[Resting] = []
        self.look = world.look()

    def say(self, what: str) -> None:
        """Told to whoever looks into a failure; pytest keeps it until then."""
        print(what)

    @property
    def risk(self) -> Risk:
        ids = {symbol: self.stage.id(symbol) for symbol in SYMBOLS}
        return Risk(self.look.words, self.look.closure, self.world.tables[self.world.table], ids)

    @property
    def everybody(self) -> set[str]:
        return set(self.look.sheets)

    def paused(self, activity: int) -> bool:
        return bool(self.look.settings.paused & activity)

    @contextmanager
    def _acting(self, *roles: str) -> Iterator[None]:
        """A call by or for these roles: CH-4 holds for them, CH-5 for everybody else but the fee account."""
        before = self.look
        yield
        self.look = self.world.look()
        assert self.look.time == before.time, "an action takes no time"
        invariants.check_acting(before, self.look, roles)
        invariants.check_untouched(before, self.look, self.everybody - {*roles, FEES})

    def _refused(self, reason: str, method: Method, *args: object, role: str) -> None:
        self.say(f"{role} must be refused by {method.contract.name}: {reason}{' (CH-4)' * (reason == BELOW_INITIAL)}")
        with pytest.raises(Revert, match=rf"^{re.escape(reason)}$"):
            method(*args, sender=address(role))

    def _passed(self) -> None:
        """After time has passed or prices have changed there is nothing to compare with but what interest did."""
        before = self.look
        self.look = self.world.look()
        invariants.check_interest(before, self.look)

    # money in and out

    def deposit(self, role: str, instrument: int, amount: int) -> None:
        self.say(f"{role} deposits {amount} of {instrument}")
        before = self.look
        self.world.send(self.world.system.vault.deposit, account(role), instrument, amount, role=role)
        self.look = self.world.look()
        then, now = before.sheets[role].margin, self.look.sheets[role].margin
        assert now.equity >= then.equity, f"CH-4: {role} deposited and has less"
        if instrument == CASH:
            due = Holdings.of(before.sheets[role]).paid(amount * CASH_UNIT)
            assert Holdings.of(self.look.sheets[role]) == due, f"CH-2: {role} deposited {amount} and has not {due}"
        invariants.check_untouched(before, self.look, self.everybody - {role})

    def insure(self, role: str, amount: int) -> None:
        self.say(f"{role} gives insurance {amount}")
        before = self.look
        insurance = self.world.account(INSURANCE)
        self.world.send(self.world.system.vault.deposit, insurance, CASH, amount, role=role)
        self.look = self.world.look()
        invariants.check_untouched(before, self.look, self.everybody - {INSURANCE})

    def give(self, role: str, instrument: int, amount: int) -> None:
        self.say(f"{role} sends {amount} of {instrument} to the safe, past the book")
        before = self.look
        self.world.asset(instrument).transfer(self.world.system.vault, amount, sender=address(role))
        self.world.gifts[instrument] = self.world.gifts.get(instrument, 0) + amount
        self.look = self.world.look()
        invariants.check_untouched(before, self.look, self.everybody)

    def withdraw(self, role: str, instrument: int, amount: int) -> None:
        self.say(f"{role} withdraws {amount} of {instrument}")
        with self._acting(role):
            arguments = (account(role), instrument, amount, address(role))
            self.world.send(self.world.system.vault.withdraw, *arguments, role=role)
        assert verdict_of(self.look.sheets[role]).meets_initial, f"CH-4: {role}"

    def refuse_withdrawal(self, role: str, instrument: int, amount: int, reason: str) -> None:
        arguments = (account(role), instrument, amount, address(role))
        self._refused(reason, self.world.system.vault.withdraw, *arguments, role=role)

    # trading

    def price(self, symbol: str, offset: int) -> int:
        """The index price moved by bps, wad."""
        return self.risk.price(symbol) * (BPS + offset) // BPS

    def order(self, role: str, symbol: str, size: int, price: int) -> Resting:
        """A signed order; `size` in nano, negative to sell."""
        self.stage.nonce += 1
        order = Order(account(role), self.stage.id(symbol), size, price, self.stage.nonce, self.stage.now() + AN_HOUR)
        return Resting(role, symbol, self.stage.signed(role, order), size)

    def fill(self, order: Resting, taker: str, size: int) -> None:
        """`size` in nano, signed for the taker."""
        self.say(f"{taker} fills {size} {order.symbol} of {order.role} at {usd(order.signed.order.price)}")
        limit = UNLIMITED if size > 0 else 0
        arguments = (order.signed, account(taker), size, limit)
        with self._acting(order.role, taker):
            self.world.send(self.world.system.exchange.fill, *arguments, role=taker)
        self._rest(order, size)

    def match(self, order: Resting, taker: Resting, size: int, matcher: str) -> None:
        """`size` in nano, signed for the taker."""
        self.say(f"{matcher} matches {size} {order.symbol} of {taker.role} with {order.role}")
        with self._acting(order.role, taker.role):
            arguments = (order.signed, taker.signed, abs(size))
            self.world.send(self.world.system.exchange.match_orders, *arguments, role=matcher)
        self._rest(order, size)
        self._rest(taker, -size)

    def refuse_fill(self, order: Resting, taker: str, size: int, reason: str) -> None:
        limit = UNLIMITED if size > 0 else 0
        arguments = (order.signed, account(taker), size, limit)
        self._refused(reason, self.world.system.exchange.fill, *arguments, role=taker)

    def basket(self, role: str, trades: list[Trade]) -> SignedBasket:
        """A signed basket on the other side of what a taker would trade, to be filled in parts."""
        self.stage.nonce += 1
        legs = tuple(Leg(self.stage.id(trade.symbol), -trade.size, trade.price) for trade in trades)
        expiry = self.stage.now() + AN_HOUR
        return self.stage.signed_basket(role, Basket(account(role), legs, self.stage.nonce, expiry, partial=True))

    def fill_basket(self, maker: str, basket: SignedBasket, taker: str, fraction: int) -> None:
        self.say(f"{taker} fills {fraction / WAD:.4f} of {maker}'s basket of {basket.basket.legs}")
        arguments = (basket, account(taker), fraction, UNLIMITED // 2)
        before = self.look
        with self._acting(maker, taker):
            self.world.send(self.world.system.exchange.fill_basket, *arguments, role=taker)
        sizes = {leg.market: leg.size for leg in basket.basket.legs}
        for symbol in SYMBOLS:
            moved = part(sizes.get(self.stage.id(symbol), 0), fraction)
            for role, change in ((maker, moved), (taker, -moved)):
                then, now = before.sheets[role].sizes[symbol], self.look.sheets[role].sizes[symbol]
                assert now - then == change, f"CH-1: {role} traded {now - then} {symbol}, not {change}"

    def refuse_basket(self, basket: SignedBasket, taker: str, fraction: int, reason: str) -> None:
        arguments = (basket, account(taker), fraction, UNLIMITED // 2)
        self._refused(reason, self.world.system.exchange.fill_basket, *arguments, role=taker)

    def cancel(self, order: Resting) -> None:
        self.say(f"{order.role} cancels {order.signed.order.nonce}")
        with self._acting():
            nonce = order.signed.order.nonce
            self.world.send(self.world.system.exchange.cancel, account(order.role), nonce, role=order.role)
        order.cancelled = True

    def _rest(self, order: Resting, size: int) -> None:
        order.left += size
        if order.left and order not in self.resting:
            self.resting.append(order)
        elif not order.left and order in self.resting:
            self.resting.remove(order)

    # upkeep, by anybody

    def settle(self, role: str, by: str) -> None:
        self.say(f"{by} settles {role}")
        before = self.look
        self.world.send(self.world.book.settle, self.world.account(role), role=by)
        self.look = self.world.look()
        invariants.check_unharmed(before, self.look, {role})
        invariants.check_untouched(before, self.look, self.everybody - {role})
        till = Till.of(before)
        till.settle(role, before.sheets[role].margin.perp_value)
        invariants.check_till(self.look, till, self.everybody)

    def accrue(self, by: str) -> None:
        self.say(f"{by} accrues interest")
        with self._acting():
            self.world.send(self.world.book.accrue, role=by)

    def distribute_fees(self, by: str) -> None:
        self.say(f"{by} distributes fees")
        before = self.look
        self.world.send(self.world.book.distribute_fees, role=by)
        self.look = self.world.look()
        invariants.check_untouched(before, self.look, self.everybody - {INSURANCE, FEES, "treasury"})
        till = Till.of(before)
        till.distribute(before.settings.insurance_share)
        invariants.check_till(self.look, till, self.everybody)

    # prices and time

    def move_prices(self, percents: dict[str, int]) -> None:
        """Fresh prices for everything, some of them moved; the exchange is open."""
        self.say(f"prices move by {percents}")
        moved = {symbol: self._moved(symbol, percent) for symbol, percent in percents.items()}
        self.stage.sessions = {}
        self.world.count(self.stage.publish(**moved))
        self._passed()

    def prices_last(self) -> None:
        """Until the slow prices are the same."""
        self.say("prices stay what they are for hours")
        self.stage.settle_slow_prices()
        self._passed()

    def _moved(self, symbol: str, percent: int) -> str:
        after = Decimal(self.stage.prices[symbol]) * (100 + percent) / 100
        return str(min(max(after, LEAST_PRICE), MOST_PRICE).quantize(Decimal(1) / MID))

    def close_exchange(self) -> None:
        self.say("the exchange closes")
        self.stage.sessions = dict.fromkeys(SYMBOLS, Session.CLOSED)
        self.stage.publish()
        self._passed()

    def wait(self, seconds: int) -> None:
        self.say(f"{seconds} s pass")
        self.stage.warp(seconds)
        self._passed()

    # liquidation

    def auction(self, role: str) -> Any:
        """As the engine has stored it."""
        return self.world.engine.auction(account(role))

    def start(self, role: str, by: str) -> None:
        self.say(f"{by} starts the auction of {role}")
        with self._acting():
            self.world.send(self.world.engine.start, account(role), role=by)
        assert self.auction(role).seen_at == self.look.time

    def stop(self, role: str, by: str) -> None:
        self.say(f"{by} stops the auction of {role}")
        with self._acting():
            self.world.send(self.world.engine.stop, account(role), role=by)

    def take(self, role: str, keeper: str, fraction: int) -> None:
        before = self.look
        then = before.sheets[role].margin
        self.say(
            f"{keeper} takes {fraction / WAD:.4f} of {role}, equity {usd(then.equity)}, needs {usd(then.maintenance)}"
        )
        losses, shared = self.world.losses, self.world.shared
        payment, reward = slice_costs(before, role, self.auction(role), self.world.engine.terms(), fraction)
        arguments = (account(role), account(keeper), fraction, WAD, self.world.book.state_counter(account(role)))
        receipt = self.world.send(self.world.engine.take, *arguments, role=keeper)
        (told,) = [fields for name, fields in self.world.engine.events(receipt) if name == "Slice"]
        assert (told["payment"], told["reward"]) == (payment, reward), f"LQ-1: {role} was sold for {told}"
        due = sale(before, role, keeper, fraction, payment, reward)
        told_shared = self.world.shared - shared
        assert told_shared == due.socialised, f"LQ-2: {told_shared} shared, not {due.socialised}"
        self.look = self.world.look()
        now = verdict_of(self.look.sheets[keeper])
        assert now.meets_initial, f"CH-4: {keeper} took a slice and has {now}"
        dust = sum(self.risk.price(symbol) // NANO_DUST + 2 for symbol in SYMBOLS)
        invariants.check_slice(before, self.look, role, dust)
        invariants.check_moved(self.look, role, keeper, due)
        paid = then.equity < 0
        assert paid or self.world.losses == losses, f"LQ-2: a loss, and {role} had equity"
        bystanders = self.everybody - {role, keeper, *(due.paying if paid else [])}
        if due.socialised:
            invariants.check_shared(before, self.look, bystanders)
        else:
            invariants.check_untouched(before, self.look, bystanders)

    def refuse_take(self, role: str, keeper: str, fraction: int, state: int, reason: str) -> None:
        arguments = (self.world.account(role), account(keeper), fraction, WAD, state)
        self._refused(reason, self.world.engine.take, *arguments, role=keeper)

    def refuse_start(self, role: str, by: str, reason: str) -> None:
        self._refused(reason, self.world.engine.start, self.world.account(role), role=by)

    # governance

    def pause(self, activities: int) -> None:
        self.say(f"the guardian pauses {activities}")
        with self._acting():
            paused = self.look.settings.paused | activities
            self.world.send(self.world.system.configurator.set_paused, paused, role="guardian")

    def resume(self) -> None:
        self.say("the timelock lets everything resume")
        self._govern(self.world.system.configurator.set_paused, 0)

    def swap_table(self) -> None:
        self.world.table = 1 - self.world.table
        self.say(f"the timelock puts risk table {self.world.table} into force")
        self.stage.sessions = {}
        self.stage.use_table(self.world.tables[self.world.table])
        self._passed()

    def halt(self, symbol: str) -> None:
        self.say(f"the guardian halts {symbol}")
        self.world.system.oracle.set_halt(self.stage.id(symbol), True, sender=address("guardian"))
        self._passed()

    def release(self, symbol: str) -> None:
        self.say(f"the timelock releases {symbol}")
        self._govern(self.world.system.oracle.set_halt, self.stage.id(symbol), False)

    def post_floor(self, percent: str) -> None:
        self.say(f"the timelock posts {percent} % as the floor of the rate at target")
        self._govern(self.world.system.interest.set_rate_floor, wad(percent) // 100)

    def _govern(self, method: Method, *args: object) -> None:
        self.stage.sessions = {}
        self.world.count(self.stage.govern(method, *args))
        self._passed()

    # strangers

    def attempt(self, attempt: Attempt, victim: str) -> None:
        """CH-5: whatever a stranger calls, everybody else's margin is made of what it was made of."""
        self.say(f"the attacker tries {attempt.name} on {victim}")
        before = self.look
        attempt.run(self.world, before, victim)
        self.look = self.world.look()
        changed = attempt.changes_form_of(victim)
        invariants.check_unharmed(before, self.look, changed - {INSURANCE, FEES, "treasury"})
        invariants.check_untouched(before, self.look, self.everybody - changed - {"attacker"})
