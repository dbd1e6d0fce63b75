"""The maker: signed orders on both sides of the index price, leaning against what it already holds."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import structlog
from eth_account import Account
from eth_account.signers.local import LocalAccount

from prime_perps import orders, reports
from prime_perps.chain.contract import Contract
from prime_perps.orders import Order, SignedOrder
from prime_perps.reports import Flag, Word
from prime_perps.units import BPS, MID, NANO, WAD

NONCES = 2**32

log = structlog.get_logger()


@dataclass(frozen=True)
class QuotePolicy:
    """How a maker quotes. USD in wad, distances in bps of the index price, time in seconds."""

    size: int = 100_000 * WAD  # notional of each side
    half_spread: int = 5  # never less than the oracle's half-width
    lean: int = 20  # how far both prices move away from a position worth `limit`
    limit: int = 2_000_000 * WAD  # notional of a position from which only the reducing side is quoted
    lifetime: int = 60


class Maker:
    """Quotes for one account with its owner's key. It signs and offers, never to be the taker; takers send."""

    def __init__(
        self,
        exchange: Contract,
        clearinghouse: Contract,
        oracle: Contract,
        key: str | bytes | LocalAccount,
        account: int,
        policy: QuotePolicy = QuotePolicy(),
    ) -> None:
        self._exchange = exchange
        self._book = clearinghouse
        self._oracle = oracle
        self._signer: LocalAccount = key if isinstance(key, LocalAccount) else Account.from_key(key)
        self._chain_id = exchange.backend.chain_id()
        self.account = account
        self.policy = policy
        self._nonce = self._first_nonce()

    def quote(self, markets: Sequence[int]) -> list[SignedOrder]:
        """
        One bid and one ask for each market that has a live price, valid for the policy's lifetime. A market whose price
        is old, halted or unknown is left out: its price is nobody's offer. An event is announced a day ahead, and
        asks for margin, not for silence. Raises NodeError.
        """
        packed, _ = self._oracle.read(list(markets))
        expiry = self._book.backend.timestamp() + self.policy.lifetime
        quotes: list[SignedOrder] = []
        for market, word in zip(markets, (Word.unpack(entry) for entry in packed), strict=True):
            if (
                word.mid == 0
                or word.doubt
                or word.flags & ~Flag.EVENT
                or word.session in (reports.Session.CLOSED, reports.Session.UNKNOWN)
            ):
                continue
            size = self._book.position(self.account, market).size
            quotes += self._two_sides(market, word, size, expiry)
        log.debug("quoted", markets=list(markets), orders=len(quotes))
        return quotes

    def offer(self, market: int, size: int, price: int, lifetime: int | None = None) -> SignedOrder:
        """Sign one order: `size` nano, signed for the maker, at `price` wad, under a nonce of its own."""
        expiry = self._book.backend.timestamp() + (self.policy.lifetime if lifetime is None else lifetime)
        return self._sign(market, size, price, expiry)

    def _two_sides(self, market: int, word: Word, position: int, expiry: int) -> list[SignedOrder]:
        index = word.mid * (WAD // MID)
        held = position * index // NANO
        distance = max(self.policy.half_spread, word.half_width)
        # Both sides move down when long and up when short, so that the next trade brings the position back.
        lean = max(-BPS, min(BPS, held * BPS // self.policy.limit)) * self.policy.lean // BPS
        size = self.policy.size * NANO // index
        sides = []
        if held < self.policy.limit:
            sides.append(self._sign(market, size, index * (BPS - distance - lean) // BPS, expiry))
        if held > -self.policy.limit:
            sides.append(self._sign(market, -size, -(-index * (BPS + distance - lean) // BPS), expiry))
        return sides

    def _sign(self, market: int, size: int, price: int, expiry: int) -> SignedOrder:
        order = Order(self.account, market, size, price, self._nonce, expiry, post_only=True)
        self._nonce = (self._nonce + 1) % NONCES
        return orders.sign(order, self._signer.key, self._chain_id, self._exchange.address)

    def _first_nonce(self) -> int:
        """
        Past the account's floor, and past what an earlier run counted to: it started at its own clock, and no maker
        signs more than one order a second for long.
        """
        return max(int(self._exchange.nonce_floor(self.account)), self._book.backend.timestamp() % NONCES)
