"""CH-2 and CH-6 of the cash market: many accounts, idle years, every rate there is.

A second book is kept in fractions: what everybody has if interest is paid to the last digit and nothing is ever
rounded. The contract never tells an account more than that, and never less by more than dust; and what it keeps for
itself in doing so, the reserve, never shrinks but by being given to insurance. The rates that it goes by are held
against the reference of fifty digits.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from decimal import Decimal
from fractions import Fraction
from functools import cache

import hypothesis.strategies as st
import pytest
from hypothesis import note, settings
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from prime_perps import cash
from prime_perps.accounts import CASH
from prime_perps.cash import BORROW_STOP, ONE, PPB, YEAR, Market
from prime_perps.errors import Revert
from prime_perps.units import NANO, WAD, wad
from tests.stage import Stage, account, address, parameters
from tests.unit.perp_clearinghouse.conftest import Book, configured

# Whoever may borrow has stock enough for anything that is lent here.
SAVERS = tuple(f"saver {number}" for number in range(6))
BORROWERS = tuple(f"borrower {number}" for number in range(6))
EVERYBODY = (*SAVERS, *BORROWERS, "treasury")
INSURANCE, FEES = "insurance", "fees"
DAY = 86_400
NANO_RATE = Decimal("1e-9")
SIZE = 10 * NANO
AGE = 1_000_000  # seconds for which a price is as good as new

savers, borrowers, everybody = st.sampled_from(SAVERS), st.sampled_from(BORROWERS), st.sampled_from(EVERYBODY)
amounts = st.sampled_from((1, 7, wad(1))) | st.integers(1, wad(100_000))
parts = st.integers(1, 1_000)
waits = st.sampled_from((1, 12, 3_600, DAY, 30 * DAY, YEAR)) | st.integers(1, 90 * DAY)


@cache
def opened() -> Book:
    patient = parameters()["oracle"]
    patient["limits"]["age"] = [AGE] * 7
    book = configured(Stage.deployed({"oracle": patient}))
    for role in BORROWERS:
        book.pay_stock(role, "AAPL", "1000000")
    return book


class CashMarket(RuleBasedStateMachine):
    """Deposits, withdrawals, loans, one-sided settlements, fees, losses; and time."""

    def __init__(self) -> None:
        super().__init__()
        self.ending = ExitStack()
        self.book = opened()
        self.ending.enter_context(self.book.stage.undone())
        self.fair = dict.fromkeys((*EVERYBODY, INSURANCE, FEES), Fraction(0))
        self.market = self.look()
        self.floor = Decimal(self.book.stage.system.interest.rate_floor()) / WAD
        self.roundings = 0
        self.elapsed = 0
        self.published = 0
        self.reserve = self.real_reserve()

    def teardown(self) -> None:
        self.ending.close()

    # looking

    def look(self) -> Market:
        return Market.unpack(self.book.contract.cash_words()).at(self.book.stage.now())

    def number(self, role: str) -> int:
        own = {INSURANCE: self.book.contract.insurance_account, FEES: self.book.contract.fee_account}
        return int(own[role]()) if role in own else account(role)

    def cash(self, role: str) -> int:
        return int(self.book.contract.money(self.number(role)).cash)

    def shares(self, role: str) -> int:
        return int(self.book.contract.cash_shares(self.number(role)))

    def real_reserve(self) -> Fraction:
        """What is nobody's, not rounded."""
        market = self.market
        owed = Fraction(market.debt_shares * market.debt_index, ONE)
        return market.safe + market.net_settled + owed - Fraction(market.supply_shares * market.supply_index, ONE)

    # what every call must do

    @contextmanager
    def changing(self, *roles: str, collects: bool = False) -> Iterator[None]:
        """A call that may change the cash of these, and accrues."""
        before = self.market
        kept = {role: self.shares(role) for role in self.fair if role not in roles}
        yield
        self.market = self.look()
        self.roundings += len(roles)
        for role, held in kept.items():
            assert self.shares(role) == held, f"CH-5: {role} has other shares than before"
        self.check_rates(before)
        if not collects:
            assert self.real_reserve() >= self.reserve, "CH-2: the reserve has shrunk"
        self.reserve = self.real_reserve()

    def check_rates(self, before: Market) -> None:
        """The rates of now are the reference's, for the totals of now and what has held since the last change."""
        told = self.market
        cost, target = cash.rates(self.totals_of(before), self.elapsed, before.utilization_ppb, self.floor)
        assert abs(Decimal(told.rate_at_target) / WAD - target) < NANO_RATE
        assert -NANO_RATE < Decimal(told.debt_ppb) / PPB - cost < 2 * NANO_RATE
        assert told.supply_ppb == told.share_of_cash(told.debt_ppb)
        assert told.supply_ppb * 10 <= told.debt_ppb * 9, "CH-6: cash earns more than nine tenths of what loans cost"
        self.elapsed = 0

    def totals_of(self, before: Market) -> Market:
        """The market of now, with the rate at target of before."""
        return Market(**{**vars(self.market), "rate_at_target": before.rate_at_target})

    @invariant()
    def sums_are_those_of_the_accounts__CH_2(self) -> None:
        held = [self.shares(role) for role in self.fair]
        assert sum(max(each, 0) for each in held) == self.market.supply_shares
        assert sum(max(-each, 0) for each in held) == self.market.debt_shares
        assert self.real_reserve() >= 0, "CH-2: cash exceeds the safe, what is settled, and loans"
        claims = sum(self.cash(role) for role in self.fair) + self.market.reserve
        dust = self.market.safe + self.market.net_settled - claims
        assert 0 <= dust <= len(held) + 2, f"CH-2: {dust}"

    @invariant()
    def nobody_has_more_than_is_fair_nor_less_but_for_dust__CH_6(self) -> None:
        unit = 2 + max(self.market.supply_index, self.market.debt_index) // ONE
        for role, fair in self.fair.items():
            told = self.cash(role)
            # an index is rounded by a unit each time, a share of it to a wei; a lost index has coarser units
            index = min(self.market.supply_index, ONE) // 2**10
            dust = (self.roundings + 2) * (unit + abs(fair) // index)
            assert fair - dust <= told <= fair, f"CH-6: {role} has {told}, fair is {float(fair)}"

    # money in and out

    @initialize(amount=st.integers(wad(1_000), wad(1_000_000)))
    def somebody_saves(self, amount: int) -> None:
        self.deposits(SAVERS[0], amount)

    @rule(role=everybody, amount=amounts)
    def deposits(self, role: str, amount: int) -> None:
        note(f"{role} deposits {amount}")
        with self.changing(role):
            self.book.credit(self.number(role), CASH, amount, role)
        self.fair[role] += amount

    @rule(role=everybody, share=parts)
    def takes_out_of_his_own(self, role: str, share: int) -> None:
        """As far as it is in the safe; never held to the borrow stop."""
        self.know_prices()
        self.withdraws(role, min(max(self.cash(role), 0), self.market.safe) * share // 1_000)

    @rule(role=borrowers, share=parts)
    def borrows(self, role: str, share: int) -> None:
        """A share of what is in the safe: lent, or refused past the stop."""
        self.know_prices()
        amount = self.market.safe * share // 1_000
        after = self.market.paid(self.shares(role), -amount)
        lent = self.market.held(self.shares(role), after).claimed(-amount, 0).lent()
        if after < 0 and lent > BORROW_STOP:
            note(f"{role} must not borrow {amount}")
            with pytest.raises(Revert, match=rf"^{re.escape('cash: borrow limit')}$"):
                self.book.debit(self.number(role), CASH, amount, role)
        else:
            self.withdraws(role, amount)

    def withdraws(self, role: str, amount: int) -> None:
        if not amount:
            return
        note(f"{role} withdraws {amount}")
        with self.changing(role):
            self.book.debit(self.number(role), CASH, amount, role)
        self.fair[role] -= amount

    @precondition(lambda self: self.market.debt)
    @rule(role=borrowers, share=parts)
    def repays(self, role: str, share: int) -> None:
        owed = -min(self.cash(role), 0)
        if owed:
            self.deposits(role, max(min(owed * share // 1_000, wad(10**9)), 1))

    # gains and losses, one side of them at a time

    @rule(roles=st.permutations(BORROWERS), percent=st.integers(-4, 4))
    def trade_at_a_loss(self, roles: list[str], percent: int) -> None:
        """And back again at the index price: what one has gained the other has lost, and both pay fees."""
        self.know_prices()
        maker, taker = roles[:2]
        held = {role: self.shares(role) for role in self.fair}
        words = self.book.contract.cash_words()
        self.book.novate(SIZE, 150 * WAD * (100 + percent) // 100, maker=maker, taker=taker)
        self.book.novate(-SIZE, 150 * WAD, maker=maker, taker=taker)
        assert self.book.contract.cash_words() == words, "a trade leaves the cash market alone"
        assert {role: self.shares(role) for role in self.fair} == held

    @rule(role=borrowers)
    def settles(self, role: str) -> None:
        margin = self.book.margin(role)
        gain = margin.quote + margin.perp_value - margin.funding_owed
        before = self.market
        note(f"{role} settles {gain}")
        with self.changing(role):
            self.book.contract.settle(self.number(role), sender=address("keeper"))
        self.fair[role] += gain
        assert self.market.net_settled == before.net_settled + gain
        if gain > 0 and self.cash(role) > gain:
            assert abs(self.market.lent() - before.lent()) <= 1, "a claim is not a loan, and moves no utilization"

    @rule()
    def fees_are_shared(self) -> None:
        money = self.book.contract.money(self.number(FEES))
        collected, reserve = money.cash + money.quote, self.market.reserve
        with self.changing("treasury", FEES, INSURANCE, collects=True):
            self.book.contract.distribute_fees(sender=address("keeper"))
        kept = collected // 2
        self.fair["treasury"] += kept
        self.fair[INSURANCE] += collected - kept + reserve
        assert self.market.reserve <= 5

    @rule(payer=everybody, receiver=everybody, amount=amounts)
    def insurance_pays(self, payer: str, receiver: str, amount: int) -> None:
        """Or anybody, for all this function cares."""
        note(f"{payer} gives {receiver} {amount}")
        with self.changing(payer, receiver):
            self.book.move_cash(self.number(payer), self.number(receiver), amount)
        self.fair[payer] -= amount
        self.fair[receiver] += amount

    @rule(amount=amounts | st.just(wad(10**9)))
    def a_loss_is_shared(self, amount: int) -> None:
        """Everybody's cash falls by one fraction, insurance's is spared."""
        before, held = self.market, self.shares(INSURANCE)
        expected, _, covered = before.socialised(held, amount)
        note(f"a loss of {amount}, of which {covered} is shared")
        taken = int(self.book.contract.socialise.call(amount, sender=address("engine")))
        with self.changing(INSURANCE):
            self.book.contract.socialise(amount, sender=address("engine"))
        assert taken == covered <= amount
        assert self.market.supply_index == expected.supply_index
        for role in self.fair:
            if role != INSURANCE and self.shares(role) > 0:
                self.fair[role] *= Fraction(expected.supply_index, before.supply_index)
        self.fair[INSURANCE] += covered

    # time, and what it costs

    @rule(seconds=waits)
    def time_passes(self, seconds: int) -> None:
        note(f"{seconds} s pass")
        self.book.stage.warp(seconds)
        self.elapsed += seconds
        self.passed(seconds)

    def know_prices(self) -> None:
        """Margin is not what this is about, but nobody borrows on prices that are a month old."""
        if self.book.stage.now() - self.published > AGE - 2 * DAY:
            self.book.stage.publish()
            self.published = self.book.stage.now()
            self.elapsed += 1
            self.passed(1)

    def passed(self, seconds: int) -> None:
        """Interest, to the last digit, at the rates that the last change has left."""
        before = self.market
        self.market = self.look()
        if before.supply_index < self.market.supply_index or before.debt_index < self.market.debt_index:
            self.roundings += 1
        grown = {
            True: Fraction(before.debt_ppb * seconds, PPB * YEAR),
            False: Fraction(before.supply_ppb * seconds, PPB * YEAR),
        }
        for role in self.fair:
            self.fair[role] *= 1 + self.rebased(grown[self.fair[role] < 0], before, self.fair[role] < 0)
        assert self.real_reserve() >= self.reserve, "CH-6: cash has earned more than loans have paid"
        self.reserve = self.real_reserve()

    def rebased(self, growth: Fraction, before: Market, debt: bool) -> Fraction:
        """Growth is of the index at the last change: in straight lines from there, however often anybody looks."""
        words = Market.unpack(self.book.contract.cash_words())
        base, index = (words.debt_index, before.debt_index) if debt else (words.supply_index, before.supply_index)
        return growth * Fraction(base, index)

    @rule()
    def interest_accrues(self) -> None:
        with self.changing():
            self.book.contract.accrue(sender=address("attacker"))

    @rule(percent=st.sampled_from(("0.01", "3", "20")))
    def a_floor_is_posted(self, percent: str) -> None:
        stage = self.book.stage
        started = stage.now()
        stage.govern(stage.system.interest.set_rate_floor, wad(percent) // 100)
        self.floor = Decimal(percent) / 100
        self.elapsed += stage.now() - started
        self.passed(stage.now() - started)


TestCashMarket = CashMarket.TestCase
TestCashMarket.settings = settings(
    max_examples=max((settings.default or settings()).max_examples * 3 // 5, 1), stateful_step_count=40
)
