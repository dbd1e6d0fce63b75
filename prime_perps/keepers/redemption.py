"""Curing an account by selling its tokens back to their issuer: how many, at what cost to it, and why not.

Whoever redeems earns nothing and pays the gas. Every refusal, of the issuer's service or of the chain, is a reason and
no failure: the liquidator then does what it would have done without an issuer.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any, Protocol, Self

from prime_perps import balance_sheet
from prime_perps.accounts import CASH, token
from prime_perps.chain.contract import Contract, Receipt
from prime_perps.chain.rpc import RpcBackend
from prime_perps.deployment import Deployment
from prime_perps.errors import PrimePerpsError, Revert
from prime_perps.issuer.client import Attestation, BadAnswer, BrokerClient, BrokerUnreachable, Issuer, SoftQuote, Wanted
from prime_perps.issuer.quotes import Side, notional
from prime_perps.issuer.refusals import Refused
from prime_perps.keepers.decision import Candidate, Redemption
from prime_perps.liquidation import liquidatable
from prime_perps.margin import Exposure
from prime_perps.units import BPS, WAD

STEPS = 16  # quantities tried in a round trip; two of them find the largest to a 256th
CAUTION = 99  # percent of that quantity where the target limits it: the price may move before the redemption is mined
ANSWER_SECONDS = 2.0  # a broker that hangs must not keep slices waiting
BOUND = "quotes must be bound to the account"


class Quotes(Protocol):
    """Who signs quotes; a BrokerClient is one. Both raise Refused, BrokerUnreachable, BadAnswer."""

    def quote(self, wanted: Wanted) -> SoftQuote: ...
    def attest(self, wanted: Wanted) -> Attestation: ...


class NoRedemption(PrimePerpsError):
    """The account is not redeemed now; the text is the reason, the same as long as the reason is."""


@dataclass(frozen=True)
class _Line:
    """Tokens that may be sold. USD per token and the most of them, wad; `place` among the account's exposures."""

    place: int
    instrument: int
    mid: int
    most: int


class Redeemer:
    """One gateway and the service that signs quotes for it."""

    def __init__(self, backend: RpcBackend, system: Deployment, quotes: Quotes, symbols: Mapping[int, str]) -> None:
        """`symbols`: what the issuer calls the token of each underlying. Raises NodeError."""
        self._backend = backend
        self._book = system.clearinghouse
        self._gateway = system.gateway
        self._lens = system.lens
        self._quotes = quotes
        self._symbols = symbols
        self._terms = system.engine.terms()
        self._coin_unit = 10 ** (18 - int(system.vault.asset(CASH).decimals))
        self._spent: set[int] = set()

    @classmethod
    def at_broker(cls, backend: RpcBackend, system: Deployment, url: str, api_key: str, signer: str) -> Self:
        """
        All tokens that the gateway lists at the issuer of the first of them. `signer`: whose quotes count. Raises
        PrimePerpsError when none is listed, or the issuer does not know the gateway; NodeError.
        """
        gateway, issuer, user_id = system.gateway, "", bytes(32)
        symbols: dict[int, str] = {}
        addresses: dict[str, str] = {}
        for underlying in system.underlyings:
            listing = gateway.listing(token(underlying.id))
            if underlying.token is None or int(listing.manager, 16) == 0 or issuer not in ("", listing.manager):
                continue
            if not issuer:
                issuer, user_id = listing.manager, gateway.user_id(token(underlying.id))
            symbols[underlying.id] = underlying.token.symbol()
            addresses[symbols[underlying.id]] = underlying.token.address
        if not symbols:
            raise PrimePerpsError("the gateway lists no token: leave --broker out, or list one with set_listing")
        if user_id == bytes(32):
            raise PrimePerpsError(f"the issuer at {issuer} does not know the gateway: it must register it first")
        believed = Issuer(backend.chain_id(), issuer, signer, addresses)
        # a quote expires by the chain's clock
        client = BrokerClient(url, api_key, user_id, believed, clock=backend.timestamp, timeout=ANSWER_SECONDS)
        return cls(backend, system, client, symbols)

    def offer(self, candidate: Candidate) -> Redemption:
        """
        What redeeming would cost, by a quote that binds nobody and uses up nothing. Raises NoRedemption, NodeError.
        """
        try:
            summary = self._lens.account_summary(candidate.account)
        except Revert as revert:
            raise NoRedemption(revert.reason) from None
        if not liquidatable(summary.margin):
            raise NoRedemption("the account is healthy by now")
        if summary.margin.equity <= 0:
            raise NoRedemption("no equity to pay the issuer's spread from")
        line, listing = self._line(summary)
        tokens = self._most(summary, line)
        if tokens == 0:
            raise NoRedemption("no quantity takes it to the target and not beyond")
        floor = -(-line.mid * (BPS - listing.band) // BPS)
        wanted = Wanted(self._symbols[line.instrument - token(0)], Side.SELL, floor, tokens=tokens)
        try:
            told = self._quotes.quote(wanted)
        except (Refused, BrokerUnreachable, BadAnswer) as error:
            raise NoRedemption(_reason(error)) from None
        return Redemption(
            instrument=line.instrument, symbol=wanted.symbol, tokens=tokens, mid=line.mid, price=told.price, limit=floor
        )

    def redeem(self, account: int, redemption: Redemption, sender: str) -> tuple[Receipt, int]:
        """
        Ask for a signed quote, simulate and send; what the gateway paid into the account, wad USD. A quote is sent
        once: whatever became of it, the next attempt asks for another. Raises NoRedemption, NodeError.
        """
        wanted = Wanted(redemption.symbol, Side.SELL, redemption.limit, tokens=redemption.tokens)
        try:
            signed = self._quotes.attest(wanted)
        except (Refused, BrokerUnreachable, BadAnswer) as error:
            raise NoRedemption(_reason(error)) from None
        quote = signed.quote
        if quote.attestation_id in self._spent:
            raise NoRedemption("the quote was used before")
        if quote.price < redemption.limit or quote.quantity != redemption.tokens:
            raise NoRedemption("the quote is not what was asked for")
        call = account, redemption.instrument, quote, signed.signature, notional(quote) // self._coin_unit, False
        try:
            self._gateway.redeem.call(*call, sender=sender)
            self._spent.add(quote.attestation_id)
            receipt = self._gateway.redeem.send(*call, sender=sender)
        except Revert as revert:
            raise NoRedemption(revert.reason) from None
        redeemed = next(fields for name, fields in self._gateway.events(receipt) if name == "Redeemed")
        return receipt, int(redeemed["proceeds"]) * self._coin_unit

    def _line(self, summary: Any) -> tuple[_Line, Any]:
        """The tokens with the largest net value that the gateway takes, and their listing. Raises NoRedemption."""
        reason = "no tokens that are not a hedge"
        for line in sorted(self._lines(summary), key=lambda one: -one.mid * one.most):
            listing = self._gateway.listing(line.instrument)
            if summary.lines[line.place].doubt:
                reason = "gateway: price in doubt"
            elif not listing.enabled:
                reason = "not listed at the gateway, or disabled"
            elif listing.bound:
                reason = BOUND
            elif line.instrument - token(0) not in self._symbols:
                reason = "no symbol of the issuer's is known"
            else:
                return line, listing
        raise NoRedemption(reason)

    @staticmethod
    def _lines(summary: Any) -> Iterable[_Line]:
        """Lines with tokens of the primary issuer that raise the risk: what hedges a short stays."""
        for place, line in enumerate(summary.lines):
            net = line.token_value + line.perp_value
            if line.token and line.mid and net > 0:
                most = min(int(line.token), net * WAD // line.mid)
                yield _Line(place, token(line.underlying), line.mid, most)

    def _most(self, summary: Any, line: _Line) -> int:
        """
        The largest quantity, wad, that leaves the account at the engine's target health or below, sold at the oracle's
        price: at a lower one less equity is left, so that it holds there too.
        """
        if summary.margin.maintenance < self._terms.whole_below:
            return line.most
        low, high = 0, line.most
        for _ in range(2):
            tried = [low + (high - low) * step // STEPS for step in range(STEPS + 1)]
            allowed = [self._allowed(summary, margin) for margin in self._maintenances(summary, line, tried)]
            last = max((place for place, right in enumerate(allowed) if right), default=0)
            if last == STEPS:
                return high
            low, high = tried[last], tried[last + 1]
        return low * CAUTION // 100

    def _allowed(self, summary: Any, maintenance: int) -> bool:
        return bool(summary.margin.equity <= maintenance * self._terms.target_health // WAD)

    def _maintenances(self, summary: Any, line: _Line, quantities: Iterable[int]) -> list[int]:
        """Maintenance margin with so many tokens sold, by the model in force. Raises NoRedemption, NodeError."""
        model = Contract.at(self._backend, "MarginModel", self._book.settings().model)
        held = balance_sheet.exposures(summary)
        calls = []
        for quantity in quantities:
            worth = quantity * line.mid // WAD
            sold = [_less(one, worth) if place == line.place else one for place, one in enumerate(held)]
            debt = max(-(summary.margin.cash + worth), 0)
            calls.append((model.address, model.requirements.encode(sold, summary.closure, debt)))
        found = []
        for answer in self._backend.call_many(calls):
            if isinstance(answer, Revert):
                raise NoRedemption(answer.reason)
            found.append(int(model.requirements.decode(answer)[0]))
        return found


def _less(exposure: Exposure, worth: int) -> Exposure:
    return replace(exposure, token=max(exposure.token - worth, 0))


def _reason(error: PrimePerpsError) -> str:
    """The broker's code where it has one: its texts have numbers that change with every block."""
    return error.code if isinstance(error, Refused) else str(error)
