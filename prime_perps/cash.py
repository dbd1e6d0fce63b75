"""The cash market, apart from the contracts: the numbers of contracts/modules/cash, to the last digit.

Positive cash is shares of a supply index, a loan shares of a debt index. Everything that moves money is exact integers,
rounded as the contracts round; Python's `//` rounds towards minus infinity, as cash and loans both are. The curve of
the rate is written down a second time in 50-digit decimals: it is what the contracts' fixed point is held against.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from decimal import Decimal, localcontext

from prime_perps.units import WAD

YEAR = 365 * 86_400
PPB = 10**9
ONE, INDEX_BITS, INDEX_MAX, INDEX_LAST, INDEX_MIN = 2**60, 78, 2**78 - 1, 2**77, 2**50
SHARES_BITS, CLAIM_BITS, TIME_BITS, RATE_BITS = 112, 96, 32, 34
PERCENT_TO_CASH = 90
BORROW_STOP = 950_000_000  # parts per billion
AHEAD = 3_600  # seconds

TARGET, START, RATE_MAX = Decimal("0.85"), Decimal("0.04"), Decimal(2)
SPEED = 50  # e-folds a year at an error of 1
STEEPNESS = 4
DIGITS = 50


@dataclass(frozen=True)
class Market:
    """All three words. Indexes are 2^60 at first; the rates are parts per billion a year and hold since `time`."""

    supply_index: int
    debt_index: int
    time: int
    supply_ppb: int
    debt_ppb: int
    supply_shares: int
    debt_shares: int
    utilization_ppb: int
    safe: int
    net_settled: int
    rate_at_target: int  # wad a year

    @classmethod
    def begun(cls, time: int) -> Market:
        """A market in which nobody has anything."""
        return cls(ONE, ONE, time, 0, 0, 0, 0, 0, 0, 0, 0)

    @classmethod
    def unpack(cls, words: Sequence[int]) -> Market:
        """From `cash_words` of the clearinghouse."""
        supply_index, debt_index, time, supply_ppb, debt_ppb = _fields(
            words[0], INDEX_BITS, INDEX_BITS, TIME_BITS, RATE_BITS, RATE_BITS
        )
        supply_shares, debt_shares, utilization_ppb = _fields(words[1], SHARES_BITS, SHARES_BITS, 32)
        safe, settled, rate_at_target = _fields(words[2], CLAIM_BITS, CLAIM_BITS, 64)
        return cls(
            supply_index=supply_index,
            debt_index=debt_index,
            time=time,
            supply_ppb=supply_ppb,
            debt_ppb=debt_ppb,
            supply_shares=supply_shares,
            debt_shares=debt_shares,
            utilization_ppb=utilization_ppb,
            safe=safe,
            net_settled=settled - (1 << CLAIM_BITS) if settled >> (CLAIM_BITS - 1) else settled,
            rate_at_target=rate_at_target,
        )

    def words(self) -> tuple[int, int, int]:
        """Packed, as the contracts keep them."""
        settled = self.net_settled % (1 << CLAIM_BITS)
        return (
            _packed(
                (self.supply_index, INDEX_BITS),
                (self.debt_index, INDEX_BITS),
                (self.time, TIME_BITS),
                (self.supply_ppb, RATE_BITS),
                (self.debt_ppb, RATE_BITS),
            ),
            _packed((self.supply_shares, SHARES_BITS), (self.debt_shares, SHARES_BITS), (self.utilization_ppb, 32)),
            _packed((self.safe, CLAIM_BITS), (settled, CLAIM_BITS), (self.rate_at_target, 64)),
        )

    @property
    def supply(self) -> int:
        """All positive cash, wad, rounded down."""
        return self.supply_shares * self.supply_index // ONE

    @property
    def debt(self) -> int:
        """All loans, wad, rounded down."""
        return self.debt_shares * self.debt_index // ONE

    @property
    def reserve(self) -> int:
        """Interest that nobody has been credited with, wad."""
        return max(self.safe + self.net_settled + self.debt - self.supply - 1, 0)

    def at(self, time: int) -> Market:
        """The indexes as of a later time."""
        seconds = time - self.time
        supply = self.supply_index + self.supply_index * self.supply_ppb * seconds // (PPB * YEAR)
        debt = self.debt_index - -self.debt_index * self.debt_ppb * seconds // (PPB * YEAR)
        return replace(self, supply_index=min(supply, INDEX_MAX), debt_index=min(debt, INDEX_MAX), time=time)

    def cash(self, shares: int) -> int:
        """What shares are worth, wad; negative is a loan."""
        return shares * (self.debt_index if shares < 0 else self.supply_index) // ONE

    def shares(self, cash: int) -> int:
        """What cash is as shares."""
        return cash * ONE // (self.debt_index if cash < 0 else self.supply_index)

    def paid(self, shares: int, amount: int) -> int:
        """The shares of an account that gets an amount (wad), or pays it."""
        return self.shares(self.cash(shares) + amount) if amount else shares

    def held(self, before: int, after: int) -> Market:
        """With the totals after the shares of an account have changed."""
        return replace(
            self,
            supply_shares=self.supply_shares + max(after, 0) - max(before, 0),
            debt_shares=self.debt_shares + max(-after, 0) - max(-before, 0),
        )

    def claimed(self, paid: int, settled: int) -> Market:
        """With stablecoin that came into the safe, and quote that has become cash, wad."""
        return replace(self, safe=self.safe + paid, net_settled=self.net_settled + settled)

    def lent(self) -> int:
        """Loans over what could be lent, parts per billion, rounded down."""
        return self.debt * PPB // max(self.debt + self.safe, 1)

    def share_of_cash(self, debt_ppb: int) -> int:
        """What cash earns when a loan costs so much, parts per billion."""
        return debt_ppb * self.debt * PERCENT_TO_CASH // (max(self.supply + 1, self.debt + self.safe) * 100)

    def socialised(self, shares: int, amount: int) -> tuple[Market, int, int]:
        """(market, shares, what could be taken) after an account got `amount` out of everybody else's cash."""
        others = self.supply_shares - max(shares, 0)
        supply = others * self.supply_index // ONE
        fall = self.supply_index * min(amount, supply) // max(supply, 1) + 1
        fall = min(fall, self.supply_index - INDEX_MIN)
        covered = min(fall * others // ONE, amount)
        lowered = replace(self, supply_index=self.supply_index - fall)
        after = lowered.shares(self.cash(shares) + covered)
        return lowered.held(shares, after), after, covered


def curve(rate_at_target: Decimal, utilization: Decimal) -> Decimal:
    """What a loan costs a year: the rate at target at 85 %, four times as much at 100 %, a quarter at 0."""
    return rate_at_target * _factor(error(utilization))


def error(utilization: Decimal) -> Decimal:
    """How far utilization is from its target, from -1 to 1."""
    return (utilization - TARGET) / (1 - TARGET if utilization > TARGET else TARGET)


def step(rate_at_target: Decimal, utilization: Decimal, seconds: int, floor: Decimal) -> tuple[Decimal, Decimal]:
    """(what a loan costs on average, rate at target afterwards) of `seconds` at one utilization; 0 has not begun."""
    with localcontext() as context:
        context.prec = DIGITS
        start = min(max(rate_at_target or START, floor), RATE_MAX)
        exponent = min(max(SPEED * error(utilization) * seconds / YEAR, Decimal(-10)), Decimal(10))
        middle, end = (min(max(start * part.exp(), floor), RATE_MAX) for part in (exponent / 2, exponent))
        return curve((start + 2 * middle + end) / 4, utilization), end


def rates(market: Market, elapsed: int, utilization_ppb: int, floor: Decimal) -> tuple[Decimal, Decimal]:
    """
    (what a loan costs from now on, rate at target) of a market whose rate at target has stood at one utilization for
    `elapsed` seconds, and which has these totals now.
    """
    before, now = Decimal(utilization_ppb) / PPB, Decimal(market.lent()) / PPB
    _, target = step(Decimal(market.rate_at_target) / WAD, before, elapsed, floor)
    cost, _ = step(target, now, AHEAD, floor)
    return (cost if market.debt_index < INDEX_LAST else Decimal(0)), target


def _factor(distance: Decimal) -> Decimal:
    return 1 + (STEEPNESS - 1 if distance > 0 else 1 - 1 / Decimal(STEEPNESS)) * distance


def _fields(word: int, *widths: int) -> list[int]:
    found = []
    for width in widths:
        found.append(word & ((1 << width) - 1))
        word >>= width
    return found


def _packed(*fields: tuple[int, int]) -> int:
    """(value, width) from the low bit up."""
    word = offset = 0
    for value, width in fields:
        assert 0 <= value < 1 << width, "a field of the cash market does not fit"
        word |= value << offset
        offset += width
    return word
