"""The issuer's desk in process: prices and signs as the broker does, by the same functions, and refuses nothing."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal

from eth_account.signers.local import LocalAccount

from prime_perps.chain.rpc import RpcBackend
from prime_perps.deployment import GATEWAY_ID
from prime_perps.errors import PrimePerpsError
from prime_perps.issuer.client import Attestation, BadAnswer, SoftQuote, Wanted
from prime_perps.issuer.pricing import token_price
from prime_perps.issuer.quotes import Quote, Side, sign
from prime_perps.units import WAD

SPREAD = 5  # bps to either side of the exchange's price
LIFETIME = 30  # seconds of the chain


@dataclass
class Desk:
    """
    Quotes for the gateway alone, as a BrokerClient gives them. `manager` verifies them, `tokens` are its by symbol;
    `prices` of the exchange, USD per share, by the token's symbol.
    """

    backend: RpcBackend
    key: LocalAccount
    manager: str
    tokens: Mapping[str, str]
    prices: dict[str, Decimal] = field(default_factory=dict)
    _given: int = 0

    def quote(self, wanted: Wanted) -> SoftQuote:
        """A price that binds nobody. Raises BadAnswer when it is beyond the limit."""
        if wanted.tokens is None:
            raise PrimePerpsError("the tour's desk is asked for tokens, not for an amount of money")
        price = token_price(self.prices[wanted.symbol], WAD, SPREAD, wanted.side)
        if price > wanted.limit if wanted.side is Side.BUY else price < wanted.limit:
            raise BadAnswer(f"a price of {price}, the limit is {wanted.limit}")
        return SoftQuote(price, wanted.tokens)

    def attest(self, wanted: Wanted) -> Attestation:
        """The same, signed. Raises as `quote` does."""
        offer = self.quote(wanted)
        self._given += 1
        quote = Quote(
            chain_id=self.backend.chain_id(),
            attestation_id=self._given,
            user_id=GATEWAY_ID,
            asset=self.tokens[wanted.symbol],
            price=offer.price,
            quantity=offer.quantity,
            expiration=self.backend.timestamp() + LIFETIME,
            side=wanted.side,
        )
        return Attestation(quote, sign(quote, bytes(self.key.key), self.manager))
