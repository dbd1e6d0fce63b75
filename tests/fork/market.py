"""What the actors of the fork tests do, in the words of the tests."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal

from prime_perps import orders, reports
from prime_perps.accounts import CASH, account_id, token
from prime_perps.chain.contract import Receipt
from prime_perps.deployment import Deployment
from prime_perps.orders import Order, SignedOrder
from prime_perps.reports import Report, Session, SignedReport
from prime_perps.units import MID, nano, scaled, wad
from tests.fork.actors import address, key

PRICES = {"AAPL": "150", "IBM": "110", "MSFT": "25", "GOOG": "420", "NVDA": "140", "SPY": "125", "BTC": "60000"}
CONFIDENCE = 2  # bps
AN_HOUR = 3_600


class Market:
    """The deployed system, its actors and its clock."""

    def __init__(self, system: Deployment, mine_at: Callable[[int], None]) -> None:
        """`mine_at`: mines a block at a time in unix seconds."""
        self.system = system
        self._mine_at = mine_at
        self._prices = dict(PRICES)
        self._nonce = 0

    def now(self) -> int:
        """Unix seconds of the newest block."""
        return self.system.backend.timestamp()

    def warp(self, seconds: int) -> None:
        """Mine a block `seconds` later."""
        self._mine_at(self.now() + seconds)

    def publish(self, **changed: str) -> None:
        """New reports of every price, by as many reporters as the oracle asks for; `changed` in USD by symbol."""
        self._prices |= changed
        # A report must be later than the word it replaces.
        self.warp(1)
        self.system.oracle.submit([self._report(symbol) for symbol in self._prices], sender=address("keeper"))

    def settle_slow_prices(self) -> None:
        """Let the slow prices come to those published: fifteen hours."""
        for _ in range(3):
            self.warp(5 * AN_HOUR)
            self.publish()

    def _report(self, symbol: str) -> SignedReport:
        underlying = self.system.underlying(symbol)
        session = Session.ALWAYS_OPEN if symbol == "BTC" else Session.REGULAR
        price = scaled(self._prices[symbol], MID)
        report = Report(underlying.id, price, CONFIDENCE, session, self.now())
        signers = [key("reporter"), key("second_reporter")]
        return reports.sign_all(report, signers, self.system.backend.chain_id(), self.system.oracle.address)

    def deposit_cash(self, role: str, dollars: str) -> Receipt:
        """Mint stablecoin for a role and deposit it."""
        amount = scaled(dollars, 10 ** self.system.cash.decimals())
        self.system.cash.mint(address(role), amount, sender=address("deployer"))
        self.system.cash.approve(self.system.vault, amount, sender=address(role))
        return self.system.vault.deposit(account_id(address(role)), CASH, amount, sender=address(role))

    def deposit_stock(self, role: str, symbol: str, amount: str) -> Receipt:
        """Mint stock tokens for a role and deposit them."""
        underlying = self.system.underlying(symbol)
        assert underlying.token is not None, f"{symbol} has no token"
        underlying.token.mint(address(role), wad(amount), sender=address("deployer"))
        underlying.token.approve(self.system.vault, wad(amount), sender=address(role))
        instrument = token(underlying.id)
        return self.system.vault.deposit(account_id(address(role)), instrument, wad(amount), sender=address(role))

    def offer(self, symbol: str, size: str, price: str) -> SignedOrder:
        """An order of the maker's: `size` in units, negative to sell."""
        self._nonce += 1
        order = Order(
            account=account_id(address("maker")),
            market=self.system.underlying(symbol).id,
            size=nano(size),
            price=wad(price),
            nonce=self._nonce,
            expiry=self.now() + AN_HOUR,
        )
        return orders.sign(order, key("maker"), self.system.backend.chain_id(), self.system.exchange.address)

    def buy(self, role: str, symbol: str, size: str) -> Receipt:
        """A role buys from the maker at the index price."""
        return self._take(role, symbol, nano(size))

    def sell(self, role: str, symbol: str, size: str) -> Receipt:
        """A role sells to the maker at the index price."""
        return self._take(role, symbol, -nano(size))

    def _take(self, role: str, symbol: str, size: int) -> Receipt:
        price = self._prices[symbol]
        order = self.offer(symbol, str(Decimal(-size).scaleb(-9)), price)
        taker = account_id(address(role))
        return self.system.exchange.fill(order, taker, size, wad(price), sender=address(role))
