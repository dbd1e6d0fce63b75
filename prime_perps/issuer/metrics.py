"""What a broker tells Prometheus."""

from __future__ import annotations

from collections.abc import Mapping

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest

from prime_perps.issuer.inventory import Position
from prime_perps.units import WAD


class Metrics:
    """In a registry of its own. Shares and tokens are whole ones: these are for looking at, not for reckoning."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        self._requests = Counter(
            "broker_requests", "Requests by endpoint and outcome.", ["endpoint", "outcome"], registry=self.registry
        )
        self._seconds = Histogram("broker_request_seconds", "Time to answer.", ["endpoint"], registry=self.registry)
        self._notional = Counter(
            "broker_attested_usd", "USD of signed quotes.", ["symbol", "side"], registry=self.registry
        )
        self._looked = Gauge("broker_last_look", "When the chain was last read, unix seconds.", registry=self.registry)
        self._shares = Gauge(
            "broker_shares", "Shares by what they are: needed, held, in_transit, missing.", ["symbol", "kind"],
            registry=self.registry,
        )  # fmt: skip

    def answered(self, endpoint: str, outcome: str, seconds: float) -> None:
        self._requests.labels(endpoint, outcome).inc()
        self._seconds.labels(endpoint).observe(seconds)

    def attested(self, symbol: str, side: str, notional: int) -> None:
        """`notional` in wad."""
        self._notional.labels(symbol, side).inc(notional / WAD)

    def looked(self, now: float, positions: Mapping[str, Position]) -> None:
        self._looked.set(now)
        for symbol, position in positions.items():
            for kind in ("needed", "held", "in_transit", "missing"):
                self._shares.labels(symbol, kind).set(getattr(position, kind) / WAD)

    def text(self) -> bytes:
        return generate_latest(self.registry)
