"""How much may be quoted in a while: what is used drains evenly, the whole limit in one window. As the issuer's own
limiter on chain does, in integers of the same rounding: what drains is rounded down, so what is left is too.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Rate:
    """At most `limit` at once, and as much again in every `window` of seconds."""

    limit: int
    window: int


@dataclass(frozen=True)
class Used:
    """What of a limit was used up at an instant."""

    amount: int = 0
    at: int = 0

    def drained(self, rate: Rate, now: int) -> Used:
        """The same later. A clock that goes back drains nothing."""
        elapsed = max(0, now - self.at)
        return Used(max(0, self.amount - rate.limit * elapsed // rate.window), max(now, self.at))

    def left(self, rate: Rate, now: int) -> int:
        """How much more there is room for."""
        return max(0, rate.limit - self.drained(rate, now).amount)

    def plus(self, rate: Rate, amount: int, now: int) -> Used | None:
        """With `amount` more, None when that does not fit."""
        drained = self.drained(rate, now)
        return Used(drained.amount + amount, drained.at) if drained.amount + amount <= rate.limit else None
