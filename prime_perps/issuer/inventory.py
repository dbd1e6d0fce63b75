"""What stands behind one asset's tokens: shares, and money on its way to becoming shares, in exact integers.

    tokens x multiplier <= shares held + shares in transit

A token is minted against cash, which is in transit until it has bought its share (`ordered`) and the share has been
delivered (`bought`). A redeemed token leaves a share too many, which is sold. Nothing here rounds in anybody's favour
but the holders': what tokens need is rounded up, and the house buys the fraction that a split cuts off.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from prime_perps.errors import PrimePerpsError
from prime_perps.units import WAD


class Overdrawn(PrimePerpsError):
    """More than there is."""


@dataclass(frozen=True)
class Delivery:
    """Shares, wad, bought and to be delivered at `due`, unix seconds."""

    shares: int
    due: int


@dataclass(frozen=True)
class Position:
    """One asset: tokens outstanding, wad; shares a token, wad; shares of each kind, wad."""

    tokens: int = 0
    multiplier: int = WAD
    held: int = 0
    ordered: int = 0
    bought: tuple[Delivery, ...] = ()

    @property
    def needed(self) -> int:
        """Shares that the tokens stand for, rounded up."""
        return -(-self.tokens * self.multiplier // WAD)

    @property
    def in_transit(self) -> int:
        """Shares paid for and not here yet."""
        return self.ordered + sum(delivery.shares for delivery in self.bought)

    @property
    def missing(self) -> int:
        """Shares that nothing stands for; 0 as long as the invariant holds."""
        return max(0, self.needed - self.held - self.in_transit)

    @property
    def spare(self) -> int:
        """Shares that no token stands for."""
        return max(0, self.held + self.in_transit - self.needed)

    def opened(self, tokens: int, multiplier: int) -> Position:
        """A new book of tokens that were there before it: the house is taken to hold their shares."""
        whole = replace(self, tokens=tokens, multiplier=multiplier)
        return replace(whole, held=whole.held + whole.missing)

    def minted(self, tokens: int) -> Position:
        """Tokens more, whose cash goes to the exchange unless spare shares can stand for them."""
        return self._and_ordered(replace(self, tokens=self.tokens + tokens))

    def appeared(self, tokens: int) -> Position:
        """Tokens more that nobody has paid for. The invariant is broken until shares are found."""
        return replace(self, tokens=self.tokens + tokens)

    def redeemed(self, tokens: int) -> Position:
        """Tokens fewer. Their shares are spare now. Raises Overdrawn."""
        if tokens > self.tokens:
            raise Overdrawn(f"{tokens} tokens redeemed of {self.tokens}")
        return replace(self, tokens=self.tokens - tokens)

    def filled(self, shares: int, due: int) -> Position:
        """The exchange sold us `shares`, to be delivered at `due`. Raises Overdrawn for more than was ordered."""
        if shares > self.ordered:
            raise Overdrawn(f"{shares} shares bought of {self.ordered} ordered")
        if shares == 0:
            return self
        together = shares + sum(delivery.shares for delivery in self.bought if delivery.due == due)
        others = tuple(delivery for delivery in self.bought if delivery.due != due)
        return replace(self, ordered=self.ordered - shares, bought=(*others, Delivery(together, due)))

    def settled(self, now: int) -> Position:
        """What was due is here."""
        arrived = sum(delivery.shares for delivery in self.bought if delivery.due <= now)
        waiting = tuple(delivery for delivery in self.bought if delivery.due > now)
        return replace(self, held=self.held + arrived, bought=waiting)

    def sold(self) -> Position:
        """Without spare shares, as far as they are here: orders are withdrawn first, then shares sold."""
        withdrawn = min(self.spare, self.ordered)
        lighter = replace(self, ordered=self.ordered - withdrawn)
        return replace(lighter, held=lighter.held - min(lighter.spare, lighter.held))

    def restated(self, multiplier: int) -> Position:
        """
        After a corporate action by which a token stands for another number of shares. What a split or a dividend adds
        is on its way to us; what a reverse split takes is taken from all shares alike, and the house orders the
        fractions it cuts off. A hole that was there before stays one, no smaller.
        """
        changed = replace(self, multiplier=multiplier)
        if multiplier < self.multiplier:
            changed = replace(
                changed,
                held=self._scaled(self.held, multiplier),
                ordered=self._scaled(self.ordered, multiplier),
                bought=tuple(
                    Delivery(shares, one.due) for one in self.bought if (shares := self._scaled(one.shares, multiplier))
                ),
            )
        hole = -(-self.missing * multiplier // self.multiplier)
        return replace(changed, ordered=changed.ordered + max(0, changed.missing - hole))

    def _scaled(self, shares: int, multiplier: int) -> int:
        return shares * multiplier // self.multiplier

    def _and_ordered(self, changed: Position) -> Position:
        return replace(changed, ordered=changed.ordered + max(0, changed.missing - self.missing))
