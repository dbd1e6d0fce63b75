"""Price reports and oracle words: signing what the oracle adapter verifies, and reading what it stores.

Prices have 8 decimals (units.MID), widths are bps, times unix seconds, the multiplier is wad.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, fields, replace
from enum import IntEnum, IntFlag
from typing import Any

from prime_perps import eip712
from prime_perps.errors import PrimePerpsError
from prime_perps.units import BPS, WAD

DOMAIN = ("Prime Perps Oracle", "1")

WORD_BITS = 128
# An event comes as a closure does: in sight a day before, by a ramp over the last two hours.
DAY = 86_400
RAMP = 7_200
ZERO_ADDRESS = "0x" + "00" * 20


class Session(IntEnum):
    """What the exchange is doing, as reports state it and words store it."""

    UNKNOWN = 0
    PRE = 1
    REGULAR = 2
    POST = 3
    OVERNIGHT = 4
    CLOSED = 5
    ALWAYS_OPEN = 6


SHUT_SESSIONS = (Session.UNKNOWN, Session.CLOSED)


class Flag(IntFlag):
    """What else holds for an underlying."""

    HALTED = 1
    PAUSED = 2
    EVENT = 4
    REDUCE_ONLY = 8
    REOPENING = 16


def eventful(flags: int, told: int = 0) -> int:
    """
    What the clearinghouse tells the margin model, bps of the way to the whole event factor: what `read` has `told` of
    an event; of a halt, which comes without notice, next to nothing, so that initial margin alone has the factor.
    """
    return max(told, 1) if flags & Flag.HALTED else told


# Flags under which nobody can trade at the price, or nobody knows it.
IN_DOUBT = Flag.HALTED | Flag.PAUSED | Flag.REOPENING


class Source(IntFlag):
    """Where an underlying's price comes from: one of these, or several."""

    UNLISTED = 0
    REPORTS = 1
    AGGREGATOR = 2
    PYTH = 4


@dataclass(frozen=True)
class Report:
    """What signers state about one underlying. The mid is price x multiplier, rounded down to 8 decimals."""

    underlying: int
    price: int
    confidence: int
    status: int
    observed_at: int
    multiplier: int = WAD

    @property
    def mid(self) -> int:
        """USD per total-return unit, 8 decimals."""
        return self.price * self.multiplier // WAD


@dataclass(frozen=True)
class Signature:
    """One signer's signature of one report, 65 bytes r, s, v."""

    signer: str
    data: bytes


@dataclass(frozen=True)
class SignedReport:
    """A report with its signatures in rising order of signer, as the adapter takes it."""

    report: Report
    signatures: tuple[bytes, ...]


@dataclass(frozen=True)
class Feed:
    """
    Where an underlying's price comes from, as `set_feed` takes it. `aggregator` to `confidence` belong to AGGREGATOR,
    `pyth` and `price_id` to PYTH, `session` (0 or 6) to both. `alone`: whether one valid source is enough for more than
    reducing positions. `jump`: bps of the mean over 5 minutes, the furthest move that is believed at once; 0 for any.
    `issuer`: whom to ask for the multiplier of `token`.
    """

    source: int
    aggregator: str = ZERO_ADDRESS
    decimals: int = 0
    heartbeat: int = 0
    confidence: int = 0
    session: int = 0
    pyth: str = ZERO_ADDRESS
    price_id: bytes = bytes(32)
    alone: bool = True
    jump: int = 0
    issuer: str = ZERO_ADDRESS
    token: str = ZERO_ADDRESS


@dataclass(frozen=True)
class Limits:
    """
    What each session allows, as the adapter's constructor takes it: `age` in seconds, `floor` and `tolerance` in bps
    by session, `growth` in bps a minute, `shut` in bps, `report_age` in seconds.
    """

    age: tuple[int, ...]
    floor: tuple[int, ...]
    tolerance: tuple[int, ...]
    growth: int
    shut: int
    report_age: int


# By session: unknown, pre, regular, post, overnight, closed, always open. The longest closure of a year is 75 hours.
DEFAULT_LIMITS = Limits(
    age=(60, 120, 60, 120, 300, 80 * 3600, 60),
    floor=(30, 15, 5, 15, 30, 30, 5),
    tolerance=(200, 100, 50, 100, 200, 10_000, 50),
    growth=10,
    shut=1_000,
    report_age=300,
)


@dataclass(frozen=True)
class Event:
    """When a price may jump beyond its usual moves, [start, end) in unix seconds; none by default."""

    start: int = 0
    end: int = 0

    def eventful(self, now: int) -> int:
        """How far it has come, in bps: 1 from a day before, by a ramp over the last two hours to all of it."""
        if now >= self.end or now + DAY < self.start:
            return 0
        if now >= self.start:
            return BPS
        left = self.start - now
        return 1 if left >= RAMP else BPS - left * BPS // RAMP


NO_EVENT = Event()


def told_eventful(packed: int) -> int:
    """What a word that `read` returned says of the underlying's event, in bps."""
    return packed >> 144 & 0x3FFF


@dataclass(frozen=True)
class Word:
    """An oracle word. `doubt`, the part of `half_width` from age or a frozen price, is 0 in stored words."""

    mid: int = 0
    time: int = 0
    half_width: int = 0
    slow: int = 0
    session: int = 0
    flags: int = 0
    doubt: int = 0

    @classmethod
    def unpack(cls, packed: int) -> Word:
        """The fields of a stored word, or of one that `read` returned."""
        slow = packed >> 104 & 0xFFFF
        return cls(
            mid=packed & 2**56 - 1,
            time=packed >> 56 & 2**32 - 1,
            half_width=packed >> 88 & 0xFFFF,
            slow=slow - (slow >> 15 << 16),
            session=packed >> 120 & 7,
            flags=packed >> 123 & 31,
            doubt=packed >> 128 & 0xFFFF,
        )

    def pack(self) -> int:
        """The inverse of `unpack`; fields must be in range."""
        return (
            self.mid
            | self.time << 56
            | self.half_width << 88
            | (self.slow & 0xFFFF) << 104
            | self.session << 120
            | self.flags << 123
            | self.doubt << 128
        )

    @property
    def live(self) -> bool:
        """Whether somebody can trade at the price."""
        return self.session not in SHUT_SESSIONS and not self.flags & IN_DOUBT

    def as_of(self, now: int, limits: Limits, event: Event = NO_EVENT, shut: bool = False) -> Word:
        """
        A stored word as `read` returns it at `now`: wider by its doubt, and flagged with an event if it is near; of a
        closed session while a posted closure lasts (`shut`), whatever was stored.
        """
        if shut and self.session not in (Session.ALWAYS_OPEN, Session.CLOSED):
            return replace(self, session=Session.CLOSED).as_of(now, limits, event)
        over = max(0, now - self.time - limits.age[self.session])
        least = 0 if self.live else limits.shut
        doubt = min(max(-(-over * limits.growth // 60), least), BPS - self.half_width)
        flags = self.flags if event.eventful(now) else self.flags & ~Flag.EVENT
        return Word(self.mid, self.time, self.half_width + doubt, self.slow, self.session, flags, doubt)


REPORT_TYPE = [{"name": field.name, "type": "uint256"} for field in fields(Report)]


def typed_data(report: Report, chain_id: int, adapter: str) -> dict[str, Any]:
    """The EIP-712 message of a report, bound to one adapter on one chain."""
    values = {field.name: getattr(report, field.name) for field in fields(report)}
    return eip712.message(DOMAIN, chain_id, adapter, "Report", {"Report": REPORT_TYPE}, values)


def digest(report: Report, chain_id: int, adapter: str) -> bytes:
    """The 32 bytes a signer signs; equals `report_hash` on chain."""
    return eip712.digest(typed_data(report, chain_id, adapter))


def sign(report: Report, key: str | bytes, chain_id: int, adapter: str) -> Signature:
    """Sign with a private key."""
    return Signature(*eip712.sign(typed_data(report, chain_id, adapter), key))


def assemble(report: Report, signatures: Iterable[Signature]) -> SignedReport:
    """A report with signatures collected from several signers, in the order the adapter asks for.

    Raises PrimePerpsError when one signer is there twice.
    """
    by_signer = sorted(signatures, key=lambda signature: int(signature.signer, 16))
    if len({signature.signer.lower() for signature in by_signer}) < len(by_signer):
        raise PrimePerpsError("a report carries two signatures of one signer")
    return SignedReport(report, tuple(signature.data for signature in by_signer))


def sign_all(report: Report, keys: Iterable[str | bytes], chain_id: int, adapter: str) -> SignedReport:
    """Sign with several private keys at once and assemble."""
    return assemble(report, [sign(report, key, chain_id, adapter) for key in keys])
