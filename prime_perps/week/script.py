"""The script of the week, as data: when it is, what happens, who takes part, and how often the world is looked at.

Thursday 15 to Tuesday 20 January 2026. Monday is Martin Luther King Day, so the exchange is shut for 72 hours.
Times are New York's.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import Enum

from prime_perps.demo.cast import LIQUIDATOR, MAKER, Actor
from prime_perps.sessions import NEW_YORK

STOCKS = ("AAPL", "IBM", "MSFT", "GOOG", "NVDA")
SYMBOLS = (*STOCKS, "SPY", "BTC")
ALWAYS_OPEN = "BTC"
# bps of the mean over 5 minutes, by tier: the exchange's own bands.
JUMP = {"AAPL": 1_000, "IBM": 500, "MSFT": 500, "GOOG": 1_000, "NVDA": 1_000, "SPY": 500, "BTC": 1_000}

MINUTE = 60
FIRST_DAY = datetime(2026, 1, 15, tzinfo=NEW_YORK)
DAYS = ("Thu", "Fri", "Sat", "Sun", "Mon", "Tue")


def at(told: str) -> int:
    """Unix seconds of a time of the week, as `Fri 20:00` or `Thu 16:20:10`."""
    day, clock = told.split()
    hour, minute, *rest = map(int, clock.split(":"))
    midnight = FIRST_DAY + timedelta(days=DAYS.index(day))
    return int(midnight.replace(hour=hour, minute=minute, second=rest[0] if rest else 0).timestamp())


def told(instant: int) -> str:
    """The reverse: weekday, day and time in New York."""
    return f"{datetime.fromtimestamp(instant, NEW_YORK):%a %-d %b %H:%M:%S}"


START, END = at("Thu 04:00"), at("Tue 20:00")
SHUT, OPEN = at("Fri 20:00"), at("Mon 20:00")


# who

FIRST_STOCKS = ("AAPL", "IBM", "MSFT", "GOOG")

HEDGED = Actor(
    "hedged",
    "owns stock tokens and sells as much of them short as perps",
    tokens=dict.fromkeys(FIRST_STOCKS, 250_000),
    perps=dict.fromkeys(FIRST_STOCKS, -250_000),
)
EARNINGS_LONG = Actor(
    "earnings_long",
    "is long NVDA over its earnings night",
    cash=440_000,
    perps={"NVDA": 1_000_000},
)
HALTED_LONG = Actor("halted_long", "is long MSFT when it is halted", cash=170_000, perps={"MSFT": 1_000_000})
MIXED = Actor(
    "mixed",
    "is long AAPL, which is shut for 72 hours, and bitcoin, which is not",
    cash=350_000,
    perps={"AAPL": 1_000_000, "BTC": 600_000},
)
TOPPED_UP = Actor(
    "topped_up", "has the same book and deposits more cash on Sunday evening", cash=350_000, perps=dict(MIXED.perps)
)
SPLIT_LONG = Actor(
    "split_long",
    "owns GOOG tokens and is long more GOOG when it splits ten for one",
    cash=100_000,
    tokens={"GOOG": 400_000},
    perps={"GOOG": 600_000},
)
INDEX_SHORT = Actor(
    "index_short",
    "is long four stocks and short the index as much",
    cash=250_000,
    perps=dict.fromkeys(FIRST_STOCKS, 250_000) | {"SPY": -1_000_000},
)
BTC_LONG = Actor("btc_long", "is long bitcoin and nothing else", cash=280_000, perps={"BTC": 1_000_000})

CUSTOMERS = (HEDGED, EARNINGS_LONG, HALTED_LONG, MIXED, TOPPED_UP, SPLIT_LONG, INDEX_SHORT, BTC_LONG)
CAST = (*CUSTOMERS, MAKER, LIQUIDATOR)
LIQUIDATED = (EARNINGS_LONG, MIXED, BTC_LONG)


# what


class Deed(Enum):
    """What somebody does on the chain."""

    ANNOUNCE = "announces the earnings night of"  # the calendar role
    TRADE = "open their books"
    HALT = "halts"  # the guardian
    ASK_RELEASE = "asks the timelock to release"
    RELEASE = "releases"  # the timelock
    DEPOSIT = "deposits more cash"
    PAUSE = "pauses"  # the issuer
    MULTIPLY = "sets ten shares a token of"  # the issuer
    RESUME = "ends the pause of"  # the issuer


@dataclass(frozen=True)
class Act:
    """One thing that is done at a look: before its prices are published, trades after. `on`: a stock or an account."""

    time: int
    who: str
    deed: Deed
    on: str = ""

    def __str__(self) -> str:
        return f"{self.who} {self.deed.value} {self.on}".rstrip()


@dataclass(frozen=True)
class Night:
    """An earnings night: the event as it is posted, and when the news is out."""

    stock: str
    start: int
    end: int
    news: int


NIGHTS = (
    Night("IBM", at("Thu 16:00"), at("Fri 09:30"), at("Thu 16:10")),
    Night("NVDA", at("Thu 16:00"), at("Fri 09:30"), at("Thu 16:20")),
)
HALTED, HALTED_AT, RELEASED_AT = "MSFT", at("Fri 11:00"), at("Fri 11:50")
SPLIT, RATIO = "GOOG", 10
PAUSED_AT, MULTIPLIED_AT, SPLIT_AT, RESUMED_AT = (at(f"Tue 0{clock}") for clock in ("0:10", "0:40", "1:10", "1:40"))
STILL_FROM = PAUSED_AT - 10 * MINUTE  # when prices stand still, so that what the split does can be told apart
TOP_UP = 150_000

ACTS = (
    *(Act(START, "the calendar's keeper", Deed.ANNOUNCE, night.stock) for night in NIGHTS),
    Act(at("Thu 09:40"), "all customers", Deed.TRADE),
    Act(HALTED_AT, "the guardian", Deed.HALT, HALTED),
    Act(RELEASED_AT - 2 * MINUTE, "governance", Deed.ASK_RELEASE, HALTED),
    Act(RELEASED_AT, "the timelock", Deed.RELEASE, HALTED),
    Act(at("Sun 18:00"), TOPPED_UP.name, Deed.DEPOSIT),
    Act(PAUSED_AT, "the issuer", Deed.PAUSE, SPLIT),
    Act(MULTIPLIED_AT, "the issuer", Deed.MULTIPLY, SPLIT),
    Act(RESUMED_AT, "the issuer", Deed.RESUME, SPLIT),
)


# when

# (from, to, seconds between two looks): sparse where nothing happens, by the minute or less where it does.
PACE = (
    (START, SHUT, 20 * MINUTE),
    (at("Thu 09:30"), at("Thu 16:00"), 10 * MINUTE),
    (at("Fri 09:30"), at("Fri 16:00"), 10 * MINUTE),
    (at("Fri 18:00"), SHUT, 10 * MINUTE),
    (at("Thu 16:00"), at("Thu 16:20"), 5 * MINUTE),
    (at("Thu 16:20"), at("Thu 16:20:30"), 10),
    (at("Thu 16:20"), at("Thu 16:40"), MINUTE),
    (at("Fri 10:50"), at("Fri 12:00"), 2 * MINUTE),
    (RELEASED_AT, RELEASED_AT + 4 * MINUTE, 30),
    (SHUT - MINUTE, SHUT, MINUTE),
    (SHUT, OPEN, 60 * MINUTE),
    (OPEN, OPEN + 4 * MINUTE, 30),
    (OPEN, OPEN + 30 * MINUTE, MINUTE),
    (OPEN, END, 20 * MINUTE),
    (STILL_FROM, RESUMED_AT + 20 * MINUTE, 10 * MINUTE),
    (at("Tue 09:30"), at("Tue 16:00"), 10 * MINUTE),
    (END - MINUTE, END, MINUTE),
)


def looks() -> list[int]:
    """Every instant at which prices are published, rising; each act has one."""
    return sorted({*(act.time for act in ACTS), *_paced(), END - MINUTE})


def _paced() -> Iterator[int]:
    for first, last, every in PACE:
        yield from range(first, last, every)
