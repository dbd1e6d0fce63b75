"""The calendar keeper: keeps the oracle's calendar posted far ahead, and compares it with what the exchange will do."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import structlog

from prime_perps import sessions
from prime_perps.chain.contract import Contract
from prime_perps.chain.rpc import RpcBackend
from prime_perps.errors import NodeError, Revert
from prime_perps.keepers.signer_site import views
from prime_perps.sessions import DAY, NEW_YORK, Closing

WEEK = 7 * DAY
QUARTER = 91  # days posted at once, beyond what must be there: four transactions a year
ALARM_BELOW = 30  # days
HOW_TO_GET = "governance schedules the oracle's grantRole(CALENDAR_ROLE, key) with the timelock and executes it"
WITHOUT_END = 2**32 - 1  # how the adapter holds the end of coverage as a closure

log = structlog.get_logger()


@dataclass
class Look:
    """What one look came to. Closures that have not ended yet."""

    covered_until: int
    missing: list[Closing] = field(default_factory=list)
    extra: list[Closing] = field(default_factory=list)
    alarms: list[str] = field(default_factory=list)


@dataclass(frozen=True)
class Posting:
    """What `post_closures` takes."""

    closures: list[Closing]
    covered_until: int


def plan(now: int, covered_until: int, ahead: int) -> Posting | None:
    """
    What to post so that coverage reaches `ahead` days and a quarter more, or None while it reaches `ahead`.

    A closure that began before coverage ran out cannot be posted: it is left out, and the comparison tells.
    """
    if covered_until >= now + ahead * DAY:
        return None
    begin = max(now, covered_until)
    days = min(ahead + QUARTER, sessions.COVERAGE_DAYS)
    closures, until = sessions.coverage(begin, -(-(now + days * DAY - begin) // DAY))
    return Posting([closing for closing in closures if closing.start >= covered_until], until)


def compare(now: int, covered_until: int, posted: Iterable[Closing]) -> tuple[list[Closing], list[Closing]]:
    """(missing, extra): what the exchange's calendar knows and the oracle lacks, and the reverse, from now on."""
    known = {c for c in sessions.closures(now, covered_until) if c.start < covered_until} if covered_until > now else ()
    held = {closing for closing in posted if closing.end > now}
    return sorted(set(known) - held, key=_start), sorted(held - set(known), key=_start)


class CalendarKeeper:
    """One key with CALENDAR_ROLE."""

    def __init__(
        self, backend: RpcBackend, oracle: Contract, *, sender: str, ahead: int = 180, dry_run: bool = False
    ) -> None:
        """`ahead`: days that are always covered. `sender`: an address whose key the backend holds."""
        self._backend = backend
        self._oracle = oracle
        self._sender = sender
        self._ahead = ahead
        self._dry_run = dry_run
        self._told: list[Closing] = []

    def tick(self) -> Look:
        """Extend coverage when it is time, then compare: who cannot post still watches. Raises NodeError."""
        self._backend.resolve(self._sender)
        now = self._backend.timestamp()
        posting = plan(now, int(self._oracle.covered_until()), self._ahead)
        not_posted = "" if posting is None else self._post(posting, now)
        look = self._look(now)
        if not_posted:
            look.alarms.insert(0, not_posted)
        return look

    def _post(self, posting: Posting, now: int) -> str:
        """Why it was not posted, empty when it was, or was not to be."""
        shown: dict[str, Any] = {
            "closures": [told(closing) for closing in posting.closures],
            "covered_until": day(posting.covered_until),
            "days": (posting.covered_until - now) // DAY,
        }
        if self._dry_run:
            log.info("would_post", **shown, may=self._may_post())
            return ""
        if not self._may_post():
            log.error("role_missing", key=self._sender, oracle=self._oracle.address, how=HOW_TO_GET)
            return f"{self._sender} has no CALENDAR_ROLE on the oracle {self._oracle.address}: {HOW_TO_GET}"
        log.info("posting", **shown)
        try:
            receipt = self._oracle.post_closures(posting.closures, posting.covered_until, sender=self._sender)
        except Revert as revert:
            log.error("not_posted", why=revert.reason)
            return f"the oracle refuses the posting: {revert.reason}"
        except NodeError as error:
            log.warning("not_posted", why=str(error))
            raise
        log.info("posted", transaction=receipt.hash, block=receipt.block, gas=receipt.gas_used)
        return ""

    def _may_post(self) -> bool:
        roles = (self._oracle.CALENDAR_ROLE(), self._oracle.TIMELOCK_ROLE())
        return any(self._oracle.hasRole(role, self._sender) for role in roles)

    def _look(self, now: int) -> Look:
        """What the chain holds now, against the exchange's calendar."""
        covered_until = int(self._oracle.covered_until())
        missing, extra = compare(now, covered_until, self._posted(now, covered_until))
        look = Look(covered_until, missing, extra)
        days = max(covered_until - now, 0) // DAY
        for closing in missing:
            log.error("closure_missing", closure=told(closing), how="the guardian adds it with add_closure")
        for closing in extra:
            if closing not in self._told:
                log.warning("closure_unscheduled", closure=told(closing))
        self._told = extra
        if missing:
            look.alarms.append(f"the oracle lacks {len(missing)} closures, the first {told(missing[0])}")
        if days < ALARM_BELOW:
            log.error("coverage_short", covered_until=day(covered_until), days=days)
            look.alarms.append(f"the oracle's calendar covers {days} days, fewer than {ALARM_BELOW}")
        if not look.alarms:
            log.info("calendar_agrees", covered_until=day(covered_until), days=days)
        return look

    def _posted(self, now: int, covered_until: int) -> set[Closing]:
        """Every closure the adapter holds from this week to the end of coverage."""
        weeks = range(now // WEEK, covered_until // WEEK + 1)
        held = views(self._backend, self._oracle.closures, weeks)
        return {Closing(c.start, c.end) for week in held for c in week if c.end != WITHOUT_END}


def told(closing: Closing) -> str:
    """A closure as a person checks it: from when to when, New York time."""
    return f"{day(closing.start)} to {day(closing.end)}"


def day(instant: int) -> str:
    """Weekday, day and time in New York."""
    return f"{datetime.fromtimestamp(instant, NEW_YORK):%a %Y-%m-%d %H:%M}" if instant else "never"


def _start(closing: Closing) -> int:
    return closing.start
