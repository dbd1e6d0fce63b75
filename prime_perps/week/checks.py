"""Did the week go by the rules? Each statement is decided on what the chain told, the engine's own quotes included."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal

from prime_perps import sessions
from prime_perps.demo.checks import Check
from prime_perps.reports import RAMP, Event, Flag, Session
from prime_perps.units import BPS, usd
from prime_perps.week.record import Journal, Look
from prime_perps.week.script import (
    ALWAYS_OPEN,
    CAST,
    CUSTOMERS,
    END,
    HALTED,
    HALTED_AT,
    JUMP,
    LIQUIDATED,
    MINUTE,
    NIGHTS,
    OPEN,
    PAUSED_AT,
    RELEASED_AT,
    RESUMED_AT,
    SHUT,
    SPLIT,
    START,
    SYMBOLS,
    told,
)

REOPENING = 2 * MINUTE
CONFIRMING = 15  # seconds
KEEPING_HOURS = tuple(symbol for symbol in SYMBOLS if symbol != ALWAYS_OPEN)
NAMES = {actor.name for actor in CUSTOMERS}


def check_week(journal: Journal) -> list[Check]:
    """Every statement about the week."""
    looks = journal.looks
    return [
        _check_calendar(looks),
        _check_ramp(looks),
        _check_frozen(looks),
        _check_sales(journal),
        _check_no_price(looks),
        _check_reopening(journal, "the exchange", KEEPING_HOURS, SHUT, OPEN),
        _check_reopening(journal, f"the halt of {HALTED}", (HALTED,), HALTED_AT, RELEASED_AT),
        _check_resumed(journal),
        _check_jumps(looks),
        _check_events(looks),
        _check_split_frozen(looks),
        _check_split_equity(looks),
        *_story(journal),
    ]


# the clock


def _check_calendar(looks: Sequence[Look]) -> Check:
    posted = sessions.closures(START, END)
    wrong = [one for one in looks if sessions.facts(one.block_time, posted, 2**40) != one.closure]
    return _decided(
        "calendar", "the session facts on the chain are those of the exchange's calendar", wrong, f"{len(looks)} looks"
    )


def _check_ramp(looks: Sequence[Look]) -> Check:
    """What closures add to maintenance margin, told apart by the reference model at the chain's own exposures."""
    wrong, highest = [], 0
    for one in looks:
        added = max(book.by_the_clock for book in one.books.values())
        highest = max(highest, added)
        ramping, shut = SHUT - RAMP < one.block_time < SHUT, SHUT <= one.block_time < OPEN
        if (added > 0) != (ramping or shut) or (one.closure.ramp > 0) != ramping:
            wrong.append(one)
    return _decided(
        "clock",
        "the closure adds to maintenance margin over the last two open hours and while shut, and at no other time",
        wrong,
        f"to one account up to {usd(highest)}",
    )


def _check_events(looks: Sequence[Look]) -> Check:
    wrong = [
        one
        for night in NIGHTS
        for one in looks
        if one.prices[night.stock].eventful != Event(night.start, night.end).eventful(one.block_time)
    ]
    named = ", ".join(night.stock for night in NIGHTS)
    return _decided("event", "earnings nights come by a ramp over two hours, and go at once", wrong, named)


# nobody is sold on a price at which nobody can trade


def _check_frozen(looks: Sequence[Look]) -> Check:
    """The engine's own word, at every look, for every account of which all lines are frozen."""
    wrong, seen, below = [], 0, set()
    for one in looks:
        for name, book in one.books.items():
            if book.held and all(one.prices[symbol].frozen for symbol in book.held):
                seen += 1
                wrong += [one] if book.liquidatable else []
                below |= {name} if book.margin.equity < book.calm else set()
    sheltered = f"; below maintenance margin meanwhile: {', '.join(sorted(below))}" if below else ""
    return _decided(
        "OR-2",
        "no account is liquidatable while all it holds is shut, halted, paused or reopening",
        wrong,
        f"asked {seen} times{sheltered}",
    )


def _check_sales(journal: Journal) -> Check:
    wrong = []
    for sale in journal.sales:
        book = sale.look.books[sale.taken.actor]
        if not book.liquidatable or all(sale.look.prices[symbol].frozen for symbol in book.held):
            wrong.append(sale.look)
    return _decided(
        "OR-2",
        "every slice was quoted by the engine before it was taken, and something in it could be traded",
        wrong,
        f"{len(journal.sales)} slices",
    )


def _check_no_price(looks: Sequence[Look]) -> Check:
    """While New York is shut, what is said elsewhere moves no word."""
    closed = [one for one in looks if SHUT <= one.time < OPEN]
    last = [one for one in looks if one.time < SHUT][-1]
    wrong, gossiped, furthest = [], 0, 0
    for one in closed:
        for symbol in KEEPING_HOURS:
            mid, stated = one.prices[symbol].word.mid, one.prices[symbol].stated.mid
            gossiped += stated != mid
            furthest = max(furthest, abs(stated - mid) * BPS // mid)
            if mid != last.prices[symbol].word.mid or one.prices[symbol].word.doubt == 0:
                wrong.append(one)
    return _decided(
        "OR-2",
        "while the exchange is shut its prices stay where they were, and are in doubt",
        wrong,
        f"{gossiped} reports said otherwise, by up to {furthest / 100:.1f} %",
    )


def _check_reopening(journal: Journal, what: str, symbols: Sequence[str], since: int, until: int) -> Check:
    """In doubt from `since` to two minutes after the first report from `until` on, and no longer."""
    first = next(one.time for one in journal.looks if one.time >= until)
    wrong = [
        one
        for one in journal.looks
        if not one.acts and since <= one.time < END
        for symbol in symbols
        if not (PAUSED_AT <= one.time <= RESUMED_AT and symbol == SPLIT)
        and since <= one.time <= first + 10 * MINUTE
        and one.prices[symbol].frozen != (one.time < first + REOPENING)
    ]
    return _decided(
        "reopening",
        f"{what}: frozen until the second report two minutes after the first",
        wrong,
        f"first report {told(first)}",
    )


def _check_resumed(journal: Journal) -> Check:
    """Who holds nothing but what keeps hours is not sold before; somebody is sold afterwards."""
    shut = [sale for sale in journal.sales if SHUT <= sale.look.time < OPEN]
    after = [sale for sale in journal.sales if sale.look.time >= OPEN]
    wrong = [sale.look for sale in shut if ALWAYS_OPEN not in sale.look.books[sale.taken.actor].held]
    wrong += [sale.look for sale in after if sale.look.time < OPEN + REOPENING]
    if not after:
        return Check("reopening", "liquidations resume after the reopening", False, "nobody was sold after it")
    return _decided(
        "reopening",
        "liquidations resume after the reopening rule, and while shut only what never shuts was sold",
        wrong,
        f"first slice {told(after[0].taken.time)}, {after[0].taken.actor}",
    )


# prices


def _check_jumps(looks: Sequence[Look]) -> Check:
    """A price beyond the band is believed at a report 15 seconds later, not before."""
    wrong, seen = [], []
    for night in NIGHTS:
        held = next(one for one in reversed(looks) if one.time < night.news).prices[night.stock].word.mid
        news = [one for one in looks if night.news <= one.time < night.news + 20 * MINUTE]
        if abs(news[0].prices[night.stock].stated.mid - held) * BPS <= JUMP[night.stock] * held:
            continue
        for one in news:
            price = one.prices[night.stock]
            believed = price.word.mid == price.stated.mid
            wrong += [one] if believed != (one.time >= news[0].time + CONFIRMING) else []
        moved = news[0].prices[night.stock].stated.mid * BPS // held - BPS
        seen.append(f"{night.stock} {moved / 100:+.1f} %")
    return _decided(
        "jump", "a jump is not believed before a report 15 seconds later confirms it", wrong, ", ".join(seen)
    )


def _check_split_frozen(looks: Sequence[Look]) -> Check:
    during = [one for one in looks if PAUSED_AT <= one.time < RESUMED_AT]
    held = [one for one in looks if one.time < PAUSED_AT][-1].prices[SPLIT].word.mid
    absurd = max(one.prices[SPLIT].stated.mid for one in during) // held
    resumed = next(one for one in looks if one.time >= RESUMED_AT)
    wrong = [
        one for one in during if not one.prices[SPLIT].word.flags & Flag.PAUSED or one.prices[SPLIT].word.mid != held
    ]
    wrong += [resumed] if resumed.prices[SPLIT].word.flags & Flag.PAUSED else []
    return _decided(
        "split",
        f"{SPLIT} is frozen from the issuer's pause to its end, and then trades on",
        wrong,
        f"meanwhile price x multiplier was {absurd} times too much",
    )


def _check_split_equity(looks: Sequence[Look]) -> Check:
    """Prices stand still meanwhile and funding is left out, so that what moves is the split's doing."""
    before = [one for one in looks if one.time < PAUSED_AT][-1]
    during = [one for one in looks if PAUSED_AT <= one.time <= RESUMED_AT]
    wrong, most = [], Decimal(0)
    for one in during:
        for name, book in one.books.items():
            then = before.books[name].margin
            was, now = (margin.equity + margin.funding_owed for margin in (then, book.margin))
            moved = Decimal(abs(now - was)) * BPS / was
            most = max(most, moved)
            wrong += [one] if moved > 1 else []
    return _decided(
        "split",
        "a ten for one split moves the equity of no account by more than 1 bp",
        wrong,
        f"{len(CAST)} accounts, at most {most:.4f} bp",
    )


# the story


def _story(journal: Journal) -> list[Check]:
    sold = {sale.taken.actor for sale in journal.sales}
    wanted = {actor.name for actor in LIQUIDATED}
    first, last = journal.looks[0], journal.looks[-1]
    traded = {one.session for one in journal.looks}
    every = {Session.PRE, Session.REGULAR, Session.POST, Session.OVERNIGHT, Session.CLOSED}
    return [
        Check(
            "story",
            f"liquidated are {', '.join(sorted(wanted))}, nobody else",
            sold == wanted,
            ", ".join(sorted(sold)) or "nobody",
        ),
        Check(
            "story",
            "every session of the exchange was there, from Thursday to Tuesday",
            traded == every,
            f"{told(first.time)} to {told(last.time)}",
        ),
        Check(
            "story",
            "nobody's equity ends below zero",
            all(book.margin.equity >= 0 for book in last.books.values()),
            f"least {usd(min(book.margin.equity for book in last.books.values()))}",
        ),
    ]


def _decided(id: str, statement: str, wrong: Sequence[Look], detail: str) -> Check:
    shown = f"not at {', '.join(dict.fromkeys(told(one.time) for one in wrong[:3]))}" if wrong else detail
    return Check(id, statement, not wrong, shown)
