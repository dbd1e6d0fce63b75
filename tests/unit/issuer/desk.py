"""A broker at a desk of its own: a chain and an exchange that say what the test says."""

from __future__ import annotations

import hashlib
from datetime import datetime
from decimal import Decimal
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from eth_account import Account

from prime_perps.errors import NodeError
from prime_perps.issuer.broker import Broker
from prime_perps.issuer.config import BrokerConfig
from prime_perps.issuer.metrics import Metrics
from prime_perps.issuer.onchain import Head, Tokens, TokenState
from prime_perps.issuer.store import Store
from prime_perps.issuer.wire import Ask, AttestationAnswer
from prime_perps.keepers.signer_sources import Observation, Unobserved
from prime_perps.reports import Session
from prime_perps.units import WAD

KEY = Account.from_key("0x" + "11" * 32)
MANAGER = "0x" + "22" * 20
AAPL, IBM = "0x" + "a1" * 20, "0x" + "b2" * 20
USER_ID = bytes.fromhex("474d" + "00" * 29 + "01")
SECRETS = {"gateway": "the gateway's key", "maker": "the maker's key"}
NOON = int(datetime(2026, 1, 6, 12, tzinfo=ZoneInfo("America/New_York")).timestamp())  # a Tuesday


def configuration(**changes: Any) -> dict[str, Any]:
    """A whole configuration as TOML gives it, with some tables changed."""
    return {
        "state": "broker.sqlite",
        "chain": {"id": 31_337, "manager": MANAGER},
        "validity": {"short": 30, "long": 300},
        "limits": {
            "user": {"notional": "10000", "count": 5, "window": 1_000},
            "everybody": {"notional": "15000", "count": 7, "window": 1_000},
        },
        "assets": [
            {"symbol": "AAPLon", "ticker": "AAPL", "address": AAPL, "in_transit": "1000", "settles": 3_600},
            {"symbol": "IBMon", "ticker": "IBM", "address": IBM, "in_transit": "1000"},
        ],
        "users": [
            {"name": name, "id": "0x" + user_id.hex(), "key_sha256": hashlib.sha256(SECRETS[name].encode()).hexdigest()}
            for name, user_id in (("gateway", USER_ID), ("maker", bytes(31) + b"\x02"))
        ],
        **changes,
    }


class Desk:
    """The broker, and the world it sees: `now`, `prices` by ticker, whether the node answers."""

    def __init__(self, folder: Path, **changes: Any) -> None:
        self.config = BrokerConfig.model_validate(configuration(**changes))
        self.metrics = Metrics()
        self.now = NOON
        self.block = 1
        self.node_answers = True
        self.prices = {"AAPL": Decimal(100), "IBM": Decimal("33.33")}
        self.seen_ago = 0
        self.executed: set[int] = set()
        self.asked: list[int] = []
        self.known = {AAPL.lower(): TokenState(1_000 * WAD), IBM.lower(): TokenState(1_000 * WAD)}
        self.folder = folder
        self.restart()

    def restart(self) -> None:
        if hasattr(self, "store"):
            self.store.close()
        self.store = Store(self.folder / self.config.state, {"signer": KEY.address})
        self.broker = Broker(self.config, KEY, self, self, self.store, lambda: self.now, self.metrics)

    @property
    def gateway(self) -> Any:
        return self.config.users[0]

    @property
    def maker(self) -> Any:
        return self.config.users[1]

    def token(self, address: str = AAPL, **changes: Any) -> None:
        """A new block in which a token is different."""
        kept = self.known[address.lower()]
        self.known[address.lower()] = TokenState(**{**kept.__dict__, **changes})
        self.block += 1

    def appear(self, tokens: int, address: str = AAPL) -> None:
        """A new block with more tokens, or fewer, whyever."""
        self.token(address, supply=self.known[address.lower()].supply + tokens)

    def use(self, answer: AttestationAnswer) -> None:
        """A new block in which somebody has minted or redeemed with it."""
        self.executed.add(int(answer.attestation_id))
        tokens = int(answer.token_amount)
        self.appear(-tokens if answer.side == "1" else tokens, answer.asset_address)

    # what the broker reads

    def head(self) -> Head:
        if not self.node_answers:
            raise NodeError("gone")
        return Head(str(self.block), str(self.block), self.now, self.now)

    def tokens(self, head: Head, addresses: Any, attestations: Any) -> Tokens:
        self.asked = list(attestations)
        known = {one: self.known[one.lower()] for one in addresses}
        return Tokens(head.hash, known, frozenset(self.executed & set(attestations)))

    def observe(self, symbol: str, instant: int) -> Observation:
        if symbol not in self.prices:
            raise Unobserved(f"no price of {symbol}")
        return Observation(self.prices[symbol], Session.REGULAR, instant - self.seen_ago)


def ask(**changes: Any) -> Ask:
    """For ten AAPLon."""
    fields = {"chainId": "31337", "symbol": "AAPLon", "side": "buy", "tokenAmount": "10", "duration": "short"}
    return Ask.model_validate({name: value for name, value in {**fields, **changes}.items() if value is not None})


def ask_usd(usd: str, **changes: Any) -> Ask:
    return ask(tokenAmount=None, notionalValue=usd, **changes)
