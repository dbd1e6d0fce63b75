"""CH-1 to CH-5 over looks at the world: what docs/invariants.md states, as asserts that carry the id."""

from __future__ import annotations

from collections.abc import Iterable

from prime_perps.accounts import CASH, token

from .preview import Holdings, Risk, Verdict, verdict_of
from .world import (
    BOOK_DECIMALS,
    CASH_DECIMALS,
    INSURANCE,
    OTHER,
    OTHER_DECIMALS,
    STOCKS,
    SYMBOLS,
    Look,
    Sheet,
    World,
)


def check_sizes(look: Look) -> None:
    """CH-1."""
    for symbol in SYMBOLS:
        sizes = [sheet.sizes[symbol] for sheet in look.sheets.values()]
        assert sum(sizes) == 0, f"CH-1: {symbol} sizes sum to {sum(sizes)}"
        longs = sum(size for size in sizes if size > 0)
        recorded = look.markets[symbol].open_interest
        assert longs == recorded, f"CH-1: {symbol} longs are {longs}, open interest is {recorded}"


def check_money(world: World, look: Look) -> None:
    """CH-2. Each settlement of a position's funding, and each position whose funding is still owed, rounds once."""
    margins = [sheet.margin for sheet in look.sheets.values()]
    claims = sum(margin.cash + margin.quote - margin.funding_owed for margin in margins)
    has = look.booked[CASH] * 10 ** (BOOK_DECIMALS - CASH_DECIMALS)
    open_positions = sum(bool(size) for sheet in look.sheets.values() for size in sheet.sizes.values())
    dust = has - claims
    assert dust >= 0, f"CH-2: claims exceed the safe by {-dust}"
    most = world.settled + open_positions
    assert dust <= most, f"CH-2: {dust} is missing from the accounts, rounding explains {most}"


def check_tokens(world: World, look: Look) -> None:
    """CH-3, and for cash the same between the safe and what the vault says is in it."""
    scales = {token(world.stage.id(symbol)): 1 for symbol in STOCKS}
    scales[OTHER] = 10 ** (BOOK_DECIMALS - OTHER_DECIMALS)
    for instrument, scale in scales.items():
        held = sum(_held(world, sheet, instrument) for sheet in look.sheets.values())
        booked = look.booked[instrument] * scale
        assert held == booked, f"CH-3: accounts hold {held} of {instrument}, the vault books {booked}"
    for instrument, booked in look.booked.items():
        expected = booked + world.gifts.get(instrument, 0)
        has = look.in_safe[instrument]
        assert has == expected, f"CH-3: the safe has {has} of {instrument}, not {expected}"


def check_acting(before: Look, after: Look, roles: Iterable[str]) -> None:
    """CH-4, for the accounts that a call acted for."""
    for role in roles:
        then, now = verdict_of(before.sheets[role]), verdict_of(after.sheets[role])
        assert now.may_follow(then), f"CH-4: {role} went from {then} to {now}"


def check_unharmed(before: Look, after: Look, roles: Iterable[str]) -> None:
    """
    CH-5, for the accounts that a call did not act for: they keep what they hold, their equity and what they must have.

    Initial margin is left out, because cash may be settled by anybody, and a loss in cash bears interest.
    """
    for role in roles:
        then, now = before.sheets[role], after.sheets[role]
        assert now.holdings == then.holdings, f"CH-5: {role} held {then.holdings}, holds {now.holdings}"
        assert now.margin.equity == then.margin.equity, f"CH-5: {role}: {_change(then, now)}"
        assert now.margin.maintenance == then.margin.maintenance, f"CH-5: {role}: {_change(then, now)}"


def check_untouched(before: Look, after: Look, roles: Iterable[str]) -> None:
    """CH-5, where not even the form of what an account has may change: every component of margin is the same."""
    for role in roles:
        then, now = before.sheets[role], after.sheets[role]
        assert now == then, f"CH-5: {role}: {_change(then, now)}"


def check_slice(before: Look, after: Look, role: str, dust: int) -> None:
    """LQ-1, for the account that a slice was taken from; `dust`, wad, is what it may be off by in cutting sizes."""
    then, now = verdict_of(before.sheets[role]), verdict_of(after.sheets[role])
    if then.equity > 0:
        eased = Verdict(now.equity + dust, max(now.maintenance - dust, 0), now.initial, now.slow)
        assert eased.no_worse_than(then), f"LQ-1: {role} went from {then} to {now}"


def check_moved(before: Look, after: Look, role: str, keeper: str, fraction: int, payment: int, reward: int) -> None:
    """LQ-1 and LQ-2: every holding is cut by one fraction, and the money that goes with it is what was told."""
    source, target = Holdings.of(before.sheets[role]), Holdings.of(before.sheets[keeper])
    left = source.without_slice(fraction).paid(payment)
    assert Holdings.of(after.sheets[role]) == left, f"LQ-1: {role} is left with {after.sheets[role]}, not {left}"
    taken = target.with_slice(source, fraction).paid(reward - payment)
    assert Holdings.of(after.sheets[keeper]) == taken, f"LQ-1: {keeper} has {after.sheets[keeper]}, not {taken}"
    paid = before.sheets[INSURANCE].margin.cash - after.sheets[INSURANCE].margin.cash
    assert paid == reward, f"LQ-2: insurance paid {paid}, the keeper was told {reward}"


def check_losses(world: World) -> None:
    """LQ-2."""
    recorded = world.engine.total_loss()
    assert recorded == world.losses, f"LQ-2: {recorded} recorded, events told of {world.losses}"


def check_reference(look: Look, given: Risk) -> None:
    """Equity and both margins are those of the reference formula, to the last digit."""
    for role, sheet in look.sheets.items():
        expected, told = Holdings.of(sheet).verdict(given), verdict_of(sheet)
        assert told == expected, f"MM: {role} is told {told}, the reference says {expected}"


def _held(world: World, sheet: Sheet, instrument: int) -> int:
    if instrument == OTHER:
        return sheet.other
    return sum(sheet.tokens[symbol] for symbol in STOCKS if token(world.stage.id(symbol)) == instrument)


def _change(then: Sheet, now: Sheet) -> str:
    return f"{then.margin} became {now.margin}"
