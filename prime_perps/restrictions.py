"""Why trades in an underlying must reduce both positions, in words."""

from __future__ import annotations

from typing import Any

from prime_perps.deployment import Deployment
from prime_perps.margin import Closure
from prime_perps.reports import SHUT_SESSIONS, Flag, Limits, Session

NEVER_PRICED = "it has never had a price"
BY_GOVERNANCE = "its market is set to reductions by governance"
HALTED = "it is halted by the guardian, until the timelock releases it"
PAUSED = "its issuer pauses it for a split or a dividend, or its price and multiplier do not fit together yet"
SHUT_BY_CALENDAR = "the exchange is shut by the calendar"
SHUT_BY_REPORTS = "the exchange is shut by its reports, though not by the calendar"
UNKNOWN = "nobody says whether the exchange is open"
UNCONFIRMED = "its sources are too far apart, or its price has jumped and is to be confirmed"
REOPENING = "it is reopening, until a price that is two minutes younger than the first one"
ALONE = "only one of its sources is valid, and one is not enough"


def reasons(line: Any, closure: Closure, limits: Limits, reduce_only: bool) -> tuple[str, ...]:
    """
    Every reason that holds now; none when anything may be traded. `line` as IAccountLens.LineSummary, `reduce_only` as
    governance has set the market.
    """
    if line.mid == 0:
        return (NEVER_PRICED,)
    told = [BY_GOVERNANCE] if reduce_only else []
    flags = Flag(line.flags)
    for flag, reason in ((Flag.HALTED, HALTED), (Flag.PAUSED, PAUSED)):
        if flag in flags:
            told.append(reason)
    # whether or not it is in doubt: a word as wide as its price has no room for any
    shut = line.session in SHUT_SESSIONS
    if shut:
        told.append(_shut(Session(line.session), closure))
    if Flag.REOPENING | Flag.REDUCE_ONLY in flags:
        told.append(UNCONFIRMED)
    elif Flag.REOPENING in flags and not shut:
        told.append(REOPENING)
    elif Flag.REDUCE_ONLY in flags:
        told.append(ALONE)
    late = line.age - limits.age[line.session]
    if line.doubt and late > 0:
        told.append(f"its price is {late} s older than its session allows")
    return tuple(told)


def of_account(deployment: Deployment, summary: Any) -> dict[int, tuple[str, ...]]:
    """The reasons of each of an account's lines that has a market, by underlying; `summary` as IAccountLens.Summary."""
    limits = Limits(*deployment.oracle.limits())
    closure = Closure(*summary.closure)
    markets = {line.underlying: deployment.clearinghouse.market(line.underlying) for line in summary.lines}
    return {
        line.underlying: reasons(line, closure, limits, markets[line.underlying].reduce_only)
        for line in summary.lines
        if markets[line.underlying].listed
    }


def _shut(session: Session, closure: Closure) -> str:
    if closure.now:
        return SHUT_BY_CALENDAR
    return SHUT_BY_REPORTS if session is Session.CLOSED else UNKNOWN
