"""Gas of keeping prices fresh: signed reports and push feeds, one underlying and many in a call.

An adapter of its own with default limits, every underlying with a jump guard, slots written before: what an operator
pays for day after day. Each figure is of a transaction in which every price has moved.
"""

from __future__ import annotations

from prime_perps import sessions
from prime_perps.chain.contract import Contract
from prime_perps.chain.rpc import RpcBackend
from prime_perps.reports import DEFAULT_LIMITS, Feed, Report, Session, Source, sign_all

REPORTS = (1, 2, 5, 10, 16)
FEEDS = (1, 2, 5, 10, 16, 32)
SIGNERS = 2
DECIMALS = 8
DAYS = 30  # of calendar
BETWEEN = 30  # seconds from one round to the next
FEED = {"heartbeat": 86_400, "confidence": 20, "decimals": DECIMALS, "jump": 1_000}
PRICE = 100 * 10**DECIMALS
STEP = 10**DECIMALS // 10


class Prices:
    """The adapter. Underlyings 0 to 31 take reports, 32 to 63 have a push feed each."""

    def __init__(self, backend: RpcBackend, admin: str, keys: list[bytes]) -> None:
        self._backend, self._admin, self._keys = backend, admin, keys
        self._price = PRICE
        self.oracle = Contract.deploy(backend, "OracleAdapter", SIGNERS, DEFAULT_LIMITS, sender=admin)
        self.oracle.grantRole(self.oracle.TIMELOCK_ROLE(), admin, sender=admin)
        self.oracle.post_closures(*sessions.coverage(backend.timestamp(), DAYS), sender=admin)
        for key in keys:
            self.oracle.set_signer(backend.add_key(key), True, sender=admin)
        self._reported = list(range(max(REPORTS)))
        self._feeds = {}
        for underlying in self._reported:
            self.oracle.set_feed(underlying, Feed(Source.REPORTS, jump=FEED["jump"]), sender=admin)
        for underlying in range(32, 32 + max(FEEDS)):
            feed = Contract.deploy(backend, "DevnetFeed", DECIMALS, f"{underlying} / USD", sender=admin)
            self._feeds[underlying] = feed
            self.oracle.set_feed(underlying, Feed(Source.AGGREGATOR, aggregator=feed.address, **FEED), sender=admin)

    def submit(self, count: int) -> int:
        """Gas of so many reports in one call, two signatures each."""
        now = self._next_round()
        signed = [
            sign_all(
                Report(underlying, self._price, 2, Session.REGULAR, now),
                self._keys,
                self._backend.chain_id(),
                self.oracle.address,
            )
            for underlying in self._reported[:count]
        ]
        return self.oracle.submit(signed, sender=self._admin).gas_used

    def refresh(self, count: int) -> int:
        """Gas of so many push feeds in one call."""
        self._next_round()
        asked = list(self._feeds)[:count]
        for underlying in asked:
            self._feeds[underlying].publish(self._price, sender=self._admin)
        return self.oracle.refresh(asked, sender=self._admin).gas_used

    def _next_round(self) -> int:
        now = self._backend.timestamp() + BETWEEN
        self._backend.warp(now)
        self._price += STEP
        return now


def measure(backend: RpcBackend, admin: str, keys: list[bytes]) -> dict[str, dict[str, int]]:
    """Gas by operation and how many underlyings."""
    prices = Prices(backend, admin, keys)
    # the first words, and a second one of each: from then on every slot has been written before
    for _ in range(2):
        prices.submit(max(REPORTS))
        prices.refresh(max(FEEDS))
    return {
        "submit": {str(count): prices.submit(count) for count in REPORTS},
        "refresh": {str(count): prices.refresh(count) for count in FEEDS},
    }
