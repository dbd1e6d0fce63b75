"""CH-1 to CH-5 over looks at the world: what docs/invariants.md states, as asserts that carry the id."""

from __future__ import annotations

from collections.abc import Iterable

from prime_perps.accounts import CASH, token
from prime_perps.cash import ONE

from .preview import Holdings, Risk, Sale, Till, Verdict, verdict_of
from .world import (
    BOOK_DECIMALS,
    CASH_DECIMALS,
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
    """
    CH-2. Each settlement of a position's funding, and each position whose funding is still owed, rounds once; so does
    each account's cash as it is told. What else is not anybody's is the reserve.
    """
    margins, market = [sheet.margin for sheet in look.sheets.values()], look.cash_market
    claims = sum(margin.cash + margin.quote - margin.funding_owed for margin in margins)
    has = look.booked[CASH] * 10 ** (BOOK_DECIMALS - CASH_DECIMALS)
    open_positions = sum(bool(size) for sheet in look.sheets.values() for size in sheet.sizes.values())
    dust = has - claims - market.reserve
    assert dust >= 0, f"CH-2: claims exceed the safe by {-dust}"
    funding_dust = world.settled + open_positions
    most = funding_dust + len(margins) + 2
    assert dust <= most, f"CH-2: {dust} is missing from the accounts, rounding explains {most}"
    unsettled = sum(margin.quote - margin.funding_owed for margin in margins)
    assert 0 <= -market.net_settled - unsettled <= funding_dust, (
        f"CH-2: {market.net_settled} is settled, {unsettled} is not"
    )


def check_cash_market(look: Look) -> None:
    """CH-2: the sums of the cash market are those of the accounts, and its safe is the vault's."""
    shares, market = [sheet.shares for sheet in look.sheets.values()], look.cash_market
    sums = sum(held for held in shares if held > 0), -sum(held for held in shares if held < 0)
    told = market.supply_shares, market.debt_shares
    assert sums == told, f"CH-2: accounts have {sums} shares, the cash market says {told}"
    booked = look.booked[CASH] * 10 ** (BOOK_DECIMALS - CASH_DECIMALS)
    assert market.safe == booked, f"CH-2: the vault books {booked}, the cash market {market.safe}"
    assert market.supply_ppb <= market.debt_ppb * 9 // 10, "CH-6: cash earns more than nine tenths of what loans cost"


def check_interest(before: Look, after: Look) -> None:
    """CH-6, while time passes and nothing else: what loans pay, cash and the reserve get, nine tenths at most cash."""
    changes = [sheet.margin.cash - before.sheets[role].margin.cash for role, sheet in after.sheets.items()]
    paid, received = -sum(change for change in changes if change < 0), sum(change for change in changes if change > 0)
    reserved, accounts = after.cash_market.reserve - before.cash_market.reserve, len(changes)
    assert abs(paid - received - reserved) <= accounts, f"CH-6: {paid} paid, {received} received, {reserved} reserved"
    assert received * 10 <= (paid + accounts) * 9, f"CH-6: {received} received, {paid} paid"


def check_till(after: Look, till: Till, roles: Iterable[str]) -> None:
    """CH-2: what these have in cash and quote is what the rules say, to the last share."""
    for role in roles:
        now = Holdings.of(after.sheets[role])
        told, due = (now.shares, now.quote), (till.shares[role], till.quotes[role])
        assert told == due, f"CH-2: {role} has {told}, not {due}"


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
    """CH-4 and LQ-5, for the accounts that a call acted for."""
    for role in roles:
        then, now = verdict_of(before.sheets[role]), verdict_of(after.sheets[role])
        assert now.may_follow(then), f"CH-4: {role} went from {then} to {now}"
        if now.meets_initial:
            assert not after.sheets[role].liquidatable, f"LQ-5: {role} can be sold in the block of its own call"


def check_unharmed(before: Look, after: Look, roles: Iterable[str]) -> None:
    """
    CH-5, for the accounts that a call did not act for: they keep what they hold, their equity and what they must have.

    Initial margin is left out, because cash may be settled by anybody, and a loss in cash bears interest. What is
    settled is rounded to shares: a wei, and what one is worth.
    """
    market = after.cash_market
    rounding = 2 + max(market.supply_index, market.debt_index) // ONE
    for role in roles:
        then, now = before.sheets[role], after.sheets[role]
        assert now.holdings == then.holdings, f"CH-5: {role} held {then.holdings}, holds {now.holdings}"
        assert 0 <= then.margin.equity - now.margin.equity <= rounding, f"CH-5: {role}: {_change(then, now)}"
        assert now.margin.maintenance == then.margin.maintenance, f"CH-5: {role}: {_change(then, now)}"


def check_untouched(before: Look, after: Look, roles: Iterable[str]) -> None:
    """CH-5, where not even the form of what an account has may change: every component of margin is the same."""
    for role in roles:
        then, now = before.sheets[role], after.sheets[role]
        assert now == then, f"CH-5: {role}: {_change(then, now)}"


def check_shared(before: Look, after: Look, roles: Iterable[str]) -> None:
    """LQ-2, where a loss is shared: nobody's shares, quote or holdings change, and no loan: only what cash is worth."""
    assert after.cash_market.supply_index < before.cash_market.supply_index, "LQ-2: a loss shared, and no cash is less"
    for role in roles:
        then, now = before.sheets[role], after.sheets[role]
        assert (now.shares, now.margin.quote) == (then.shares, then.margin.quote), f"LQ-2: {role}: {_change(then, now)}"
        assert now.holdings == then.holdings, f"LQ-2: {role} held {then.holdings}, holds {now.holdings}"
        if then.shares <= 0:
            assert now.margin == then.margin, f"LQ-2: {role} had no cash, and {_change(then, now)}"


def check_slice(before: Look, after: Look, role: str, dust: int) -> None:
    """LQ-1, for the account that a slice was taken from; `dust`, wad, is what it may be off by in cutting sizes."""
    then, now = verdict_of(before.sheets[role]), verdict_of(after.sheets[role])
    if then.equity > 0:
        eased = Verdict(now.equity + dust, max(now.maintenance - dust, 0), now.initial, now.slow)
        assert eased.no_worse_than(then), f"LQ-1: {role} went from {then} to {now}"


def check_moved(after: Look, role: str, keeper: str, sale: Sale) -> None:
    """LQ-1 and LQ-2: every holding is cut by one fraction, and the money that goes with it is what was told."""
    left, taken = Holdings.of(after.sheets[role]), Holdings.of(after.sheets[keeper])
    assert left == sale.left, f"LQ-1: {role} is left with {left}, not {sale.left}"
    assert taken == sale.taken, f"LQ-1: {keeper} has {taken}, not {sale.taken}"
    check_till(after, sale.till, sale.paying - {role, keeper})


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
