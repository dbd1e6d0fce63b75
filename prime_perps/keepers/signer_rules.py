"""What a signer asks of a report before it signs: that it says what the signer sees itself, now. Pure."""

from __future__ import annotations

from dataclasses import dataclass

from prime_perps.errors import PrimePerpsError
from prime_perps.keepers.signer_sources import Observation
from prime_perps.reports import Report, Session
from prime_perps.units import BPS


class Disagreement(PrimePerpsError):
    """The signer sees something else; the text says what."""


@dataclass(frozen=True)
class Rules:
    """How far a report may be from what the signer sees."""

    tolerance: int = 20  # bps of the signer's own price
    widest: int = 200  # bps of confidence; what is wider makes every margin check wider
    oldest: int = 30  # seconds from what was observed to now
    skew: int = 2  # seconds; clocks of two machines are never the same


def check(report: Report, seen: Observation, now: int, rules: Rules) -> None:
    """Raises Disagreement for the first thing that does not fit. `now` in unix seconds."""
    own = seen.report(report.underlying)
    if report.observed_at > now + rules.skew:
        raise Disagreement(f"observed {report.observed_at - now} seconds in the future")
    if report.observed_at < now - rules.oldest:
        raise Disagreement(f"observed {now - report.observed_at} seconds ago, at most {rules.oldest} are taken")
    if abs(seen.time - report.observed_at) > rules.oldest:
        raise Disagreement(f"the own price is of {abs(seen.time - report.observed_at)} seconds before or after")
    if report.status != own.status:
        raise Disagreement(f"session {_name(report.status)}, the signer sees {_name(own.status)}")
    if report.multiplier != own.multiplier:
        raise Disagreement(f"multiplier {report.multiplier}, the signer sees {own.multiplier}")
    if not own.confidence <= report.confidence <= rules.widest:
        raise Disagreement(f"confidence {report.confidence} bps, taken are {own.confidence} to {rules.widest}")
    if abs(report.price - own.price) * BPS > rules.tolerance * own.price:
        raise Disagreement(f"price {report.price}, the signer sees {own.price}")


def _name(status: int) -> str:
    return Session(status).name if status in list(Session) else str(status)
