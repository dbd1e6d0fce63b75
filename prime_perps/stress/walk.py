"""One real liquidation of a replay, number by number: read from the chain just before and just after it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from fractions import Fraction
from typing import Any

from prime_perps.stress.record import SliceTaken
from prime_perps.stress.stage import Stage
from prime_perps.units import BPS, NANO, WAD, usd

MOST_LINES = 3  # of an account that is chosen by itself: one that fits a page
LEAST_MAINTENANCE = 5_000 * WAD  # above what is taken whole


@dataclass(frozen=True)
class Before:
    """An account in sight of its liquidation."""

    account: int
    summary: Any  # IAccountLens.Summary
    auction: Any  # ILiquidationEngine.Auction
    now: int


@dataclass(frozen=True)
class Walk:
    """The account before, the slice, and the account after."""

    kind: str
    number: int
    symbols: tuple[str, ...]
    tiers: tuple[str, ...]
    before: Before
    taken: SliceTaken
    after: Any  # IAccountLens.Summary
    terms: Any  # ILiquidationEngine.Terms

    @property
    def elapsed(self) -> int:
        """Seconds of the auction; none if it began with this very slice."""
        running = self.before.auction
        lapsed = running.seen_at + self.terms.lapse < self.before.now
        return 0 if lapsed or not running.started_at else self.before.now - running.started_at

    @property
    def goal(self) -> int:
        """Health that a slice aims at, times maintenance margin; wad USD."""
        return int(self.terms.target_health * self.taken.maintenance // WAD)

    @property
    def whole(self) -> bool:
        """Whether the account was so small that all of it could be taken."""
        return bool(self.taken.maintenance < self.terms.whole_below)

    @property
    def largest(self) -> int:
        """What could be taken, wad: the closed form, rounded down, or everything."""
        return WAD if self.whole else self.fraction.numerator * WAD // self.fraction.denominator

    @property
    def fraction(self) -> Fraction:
        """f = (h MM - E) / (h MM - (1 - pi) E)."""
        taken = self.taken
        return Fraction(self.goal - taken.equity) / (self.goal - Fraction(WAD - taken.price, WAD) * taken.equity)

    def plain(self) -> dict[str, Any]:
        """Integers as the chain has them: wad USD, wad ratios, nano, bps, unix seconds."""
        taken, before = self.taken, self.before
        return {
            "customer": self.number,
            "kind": self.kind,
            "account": hex(before.account),
            "time": before.now,
            "before": self._account(before.summary),
            "auction": {"started_at": before.auction.started_at, "elapsed": self.elapsed, "price": taken.price},
            "slice": {
                "target_health": self.terms.target_health,
                "largest_fraction": self.largest,
                "fraction": taken.fraction,
                "equity_moved": taken.equity * taken.fraction // WAD,
                "payment": taken.payment,
                "discount": taken.discount,
                "liquidator": hex(taken.liquidator),
            },
            "after": self._account(self.after),
        }

    def _account(self, summary: Any) -> dict[str, Any]:
        return {
            "lines": [
                {
                    "symbol": self.symbols[line.underlying],
                    "tier": self.tiers[line.underlying],
                    "price": line.mid,
                    "half_width_bps": line.half_width,
                    "token": line.token,
                    "token_value": line.token_value,
                    "size_nano": line.size,
                    "perp_value": line.perp_value,
                }
                for line in summary.lines
            ],
            "margin": summary.margin._asdict(),
            "terms": summary.terms._asdict(),
        }

    def text(self) -> str:
        """The same as Markdown."""
        taken, before = self.taken, self.before
        stamp = datetime.fromtimestamp(before.now, UTC)
        equity, maintenance = taken.equity, taken.maintenance
        lines = [
            f"Customer {self.number}, {self.kind}, on {stamp:%-d %B %Y at %H:%M} UTC.",
            "",
            *self._holdings(before.summary),
            "",
            *self._equity(before.summary.margin),
            "",
            *self._terms(before.summary),
            "",
            f"- health = {usd(equity)} / {usd(maintenance)} = {equity / maintenance:.4f}",
            f"- auction, {self.elapsed} seconds old: pi = {_ratio(taken.price)}",
            f"- h MM = {_ratio(self.terms.target_health)} x {usd(maintenance)} = {usd(self.goal)}",
            f"- f = ({usd(self.goal)} - {usd(equity)}) / ({usd(self.goal)} - (1 - {_ratio(taken.price)}) x"
            f" {usd(equity)}) = {float(self.fraction):.4%}" + self._part(),
            f"- equity that goes = {float(Fraction(taken.fraction, WAD)):.4%} x {usd(equity)}"
            f" = {usd(equity * taken.fraction // WAD)}",
            f"- payment = {_ratio(taken.price)} x that = {usd(taken.payment)}: a discount of {usd(taken.discount)}",
            "",
            "Afterwards:",
            "",
            *self._holdings(self.after),
            "",
            *self._equity(self.after.margin),
            "",
            *self._terms(self.after),
            "",
            f"- health = {usd(self.after.margin.equity)} / {usd(self.after.margin.maintenance)}"
            f" = {self.after.margin.equity / max(self.after.margin.maintenance, 1):.4f}",
        ]
        return "\n".join(lines) + "\n"

    def _part(self) -> str:
        told = f"; with MM below {usd(self.terms.whole_below)} all of it could be taken" if self.whole else ""
        if abs(self.largest - self.taken.fraction) > 1:
            told += f", of which the liquidator took {self.taken.fraction / self.largest:.2%}"
        return told

    def _holdings(self, summary: Any) -> list[str]:
        rows = [
            "| name, tier | price | half-width | tokens | worth | perps | worth |",
            "| --- | ---: | ---: | ---: | ---: | ---: | ---: |",
        ]
        for line in summary.lines:
            name = f"{self.symbols[line.underlying]}, {self.tiers[line.underlying]}"
            rows.append(
                f"| {name} | {line.mid / WAD:,.4f} | {line.half_width * 100 / BPS:.2f} % | {line.token / WAD:,.4f} |"
                f" {usd(line.token_value)} | {line.size / NANO:,.4f} | {usd(line.perp_value)} |"
            )
        return rows

    @staticmethod
    def _equity(margin: Any) -> list[str]:
        return [
            f"- equity = cash {usd(margin.cash)} + quote {usd(margin.quote)} + tokens {usd(margin.token_value)}"
            f" + perps {usd(margin.perp_value)} - funding {usd(margin.funding_owed)} = {usd(margin.equity)}"
        ]

    @staticmethod
    def _terms(summary: Any) -> list[str]:
        terms = summary.terms
        return [
            f"- core = max(factor {usd(terms.factor)} + own {usd(terms.own)}, jump {usd(terms.jump)})"
            f" = {usd(terms.core)}",
            f"- MM = core {usd(terms.core)} + floor {usd(terms.floor)} + widths {usd(terms.widths)}"
            f" + basis {usd(terms.basis)} + wrapper {usd(terms.wrapper)} + size {usd(terms.size)}"
            f" = {usd(summary.margin.maintenance)}",
        ]


class Watcher:
    """Waits for a liquidation that fits, and keeps it."""

    def __init__(self, stage: Stage, symbols: tuple[str, ...], tiers: tuple[str, ...], wanted: int | None) -> None:
        """`wanted`: the number of a customer; None is the first one whose book fits a page."""
        self._stage = stage
        self._symbols, self._tiers = symbols, tiers
        self._wanted = wanted
        self._seen: dict[int, Before] = {}
        self.walk: Walk | None = None

    def before(self, accounts: list[int]) -> None:
        """Look at those that may be liquidated next."""
        self._seen.clear()
        if self.walk is not None:
            return
        stage = self._stage
        for account in accounts:
            if self._wanted in (None, stage.customers[account].number):
                summary = stage.deployment.lens.account_summary(account)
                if self._fits(summary):
                    auction = stage.deployment.engine.auction(account)
                    self._seen[account] = Before(account, summary, auction, stage.chain.timestamp())

    def after(self, slices: list[SliceTaken]) -> None:
        """Keep the first slice of an account that was looked at, unless there were more of it since."""
        for taken in slices:
            before = self._seen.get(taken.account)
            alone = sum(other.account == taken.account for other in slices) == 1
            if self.walk is None and before is not None and alone and taken.equity == before.summary.margin.equity:
                customer = self._stage.customers[taken.account]
                self.walk = Walk(
                    kind=customer.kind,
                    number=customer.number,
                    symbols=self._symbols,
                    tiers=self._tiers,
                    before=before,
                    taken=taken,
                    after=self._stage.deployment.lens.account_summary(taken.account),
                    terms=self._stage.deployment.engine.terms(),
                )

    def _fits(self, summary: Any) -> bool:
        margin = summary.margin
        if self._wanted is not None:
            return bool(margin.equity > 0)
        return bool(margin.equity > 0 and margin.maintenance > LEAST_MAINTENANCE and len(summary.lines) <= MOST_LINES)


def _ratio(value: int) -> str:
    return f"{value / WAD:.4f}"
