"""Gas of the operations that users pay for, from receipts of cold transactions on anvil.

    python -m benchmarks.gas            measure, print beside the peers, fail on a regression above 1 %
    python -m benchmarks.gas --write    measure and replace the snapshot benchmarks/gas.json

`n` is the number of hedged stocks an account holds: n tokens and n perps; of `submit` and `refresh`, which are those of
benchmarks/oracle.py, the number of underlyings in the call. The figures are whole transactions: 21,000, calldata and
execution, after refunds. The chain starts at a fixed time with fixed keys, so a rerun gives the same gas.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from eth_utils import keccak
from rich.console import Console
from rich.progress import track
from rich.table import Table

from benchmarks import oracle
from prime_perps import compiler, orders, reports, risk
from prime_perps.accounts import CASH, account_id, token
from prime_perps.chain.anvil import Anvil
from prime_perps.chain.contract import Contract
from prime_perps.chain.rpc import RpcBackend
from prime_perps.deployment import Deployment, deploy
from prime_perps.units import WAD, nano, wad

SNAPSHOT = Path(__file__).with_name("gas.json")
TOLERANCE = 0.01
STOCKS = (1, 2, 5, 10, 20)
OPERATIONS = ("margin_check", "margin_check_unhedged", "deposit", "withdraw", "trade", "slice", "slice_into_empty")
# Five markets between two accounts with five hedged stocks: five transactions, or one.
FIVES = ("five_fills", "fill_many_5", "basket_of_5")
# Operation: our bar at 5+5, and what was measured of public peers at 5+5 (docs/performance.md names them).
BARS = {
    "margin_check": 90_000,
    "margin_check_unhedged": 90_000,
    "deposit": 60_000,
    "withdraw": 130_000,
    "trade": 200_000,
    "slice": 350_000,
    "slice_into_empty": 350_000,
}
SLOPE_BAR = 9_500
PEERS = {
    "margin_check": "Vertex 294,448; Zaros 565,795; Derive 1,010,894; Synthetix 1,020,203",
    "margin_check_unhedged": "",
    "deposit": "Zaros 71,000",
    "withdraw": "Zaros 540,000",
    "trade": "Zaros 1,420,000 (one account); Derive 2,190,000 (no signatures)",
    "slice": "Zaros 942,000",
    "slice_into_empty": "",
}
START = 1_900_086_400  # a Monday, 13:46 in New York: no closure is within a day, now or three days later
PRICE = 100
PREMIUM = 1_001  # thousandths of the index price
PAID = wad(PRICE) * PREMIUM // 1_000
TOKENS = 2_000
ONE_TOKEN = 10**8
UNLIMITED = 2**256 - 1

Figures = dict[str, dict[str, int]]


@dataclass(frozen=True)
class Trader:
    """An account with its key."""

    key: bytes
    address: str
    account: int


class World:
    """A deployment with 20 stocks and, for each n, accounts that hold n hedged stocks."""

    def __init__(self, node: Anvil) -> None:
        self.backend = RpcBackend(node.url, node.keys)
        self.admin, *signers = node.addresses
        self.signer_keys = [bytes.fromhex(key.removeprefix("0x")) for key in node.keys[1:3]]
        self.backend.warp(START)
        self.backend.set_block_interval(1)
        parameters = json.loads((compiler.ROOT / "parameters" / "local.json").read_text())
        stock = parameters["underlyings"][0]
        # plain tokens: what an issuer's compliance checks cost is the issuer's, and no peer was measured with them
        plain = [Contract.deploy(self.backend, "SilentToken", sender=self.admin) for _ in range(max(STOCKS))]
        parameters["underlyings"] = [
            stock | {"symbol": f"STOCK{number}", "token": asset.address} for number, asset in enumerate(plain)
        ]
        parameters["oracle"]["signers"] = signers[:2]
        self.system: Deployment = deploy(self.backend, self.admin, parameters)
        self._nonce = 0

    def trader(self, name: str) -> Trader:
        """A funded account, named so that its key never changes."""
        key = keccak(text=name)
        address = self.backend.add_key(key)
        self.backend.node.request("anvil_setBalance", address, hex(10**24))
        trader = Trader(key, address, account_id(address))
        self.system.cash.mint(address, 10**13, sender=self.admin)
        self._approve(self.system.cash, trader)
        self.system.vault.deposit(trader.account, CASH, 10**12, sender=address)
        return trader

    def _approve(self, asset: Contract, trader: Trader) -> None:
        asset.approve(self.system.vault, UNLIMITED, sender=trader.address)

    def publish(self) -> None:
        """Fresh prices for everything."""
        now = self.backend.timestamp()
        signed = [
            reports.sign_all(
                reports.Report(entry.id, PRICE * 10**8, 1, reports.Session.REGULAR, now, WAD),
                self.signer_keys,
                self.backend.chain_id(),
                self.system.oracle.address,
            )
            for entry in self.system.underlyings
        ]
        for first in range(0, len(signed), 16):
            self.system.oracle.submit(signed[first : first + 16], sender=self.admin)

    def hold_tokens(self, trader: Trader, stocks: int) -> None:
        for entry in self.system.underlyings[:stocks]:
            assert entry.token is not None
            entry.token.mint(trader.address, 2 * TOKENS * ONE_TOKEN, sender=self.admin)
            self._approve(entry.token, trader)
            self.system.vault.deposit(trader.account, token(entry.id), TOKENS * ONE_TOKEN, sender=trader.address)

    def cross(self, seller: Trader, buyer: Trader, market: int, units: int) -> int:
        """Gas of crossing two signed orders of equal size, at a premium, so that funding runs."""
        ask, bid = self.order(seller, market, -units), self.order(buyer, market, units)
        return self.system.exchange.match_orders(ask, bid, nano(units), sender=self.admin).gas_used

    def order(self, trader: Trader, market: int, units: int) -> orders.SignedOrder:
        """A signed order at a premium; units are negative to sell."""
        order = orders.Order(trader.account, market, nano(units), PAID, *self._nonce_and_expiry())
        return orders.sign(order, trader.key, self.backend.chain_id(), self.system.exchange.address)

    def basket(self, trader: Trader, markets: Sequence[int], units: int) -> orders.SignedBasket:
        """The same in each of several markets."""
        legs = tuple(orders.Leg(market, nano(units), PAID) for market in markets)
        basket = orders.Basket(trader.account, legs, *self._nonce_and_expiry())
        return orders.sign_basket(basket, trader.key, self.backend.chain_id(), self.system.exchange.address)

    def _nonce_and_expiry(self) -> tuple[int, int]:
        self._nonce += 1
        return self._nonce, self.backend.timestamp() + 3_600

    def borrow(self, trader: Trader, stocks: int) -> None:
        """Take out cash on a loan until little more than initial margin is left."""
        margin = self.system.clearinghouse.margin(trader.account)
        # borrowing itself adds 72 hours of interest to initial margin
        free = (margin.equity - margin.initial - 400 * stocks * WAD) // 10**12
        self.system.vault.withdraw(trader.account, CASH, free, trader.address, sender=trader.address)

    def raise_charges(self) -> None:
        """A table under which the debtors below are unhealthy, through the timelock, and wholly in force."""
        system, used = self.system, risk.read_table(self.system.model)
        harsh = [replace(line, wrapper=300) for line in used.lines]
        starts = self.backend.timestamp() + 70
        made = system.models.make(used.globals, harsh, system.model, starts, sender=self.admin)
        change = (system.configurator.set_model, next(fields["model"] for _, fields in system.models.events(made)))
        system.schedule(*change, sender=self.admin)
        self.backend.warp(starts - 5)
        system.execute(*change, sender=self.admin)
        self.backend.warp(starts + system.models.ramp())


def measure_fives(world: World, maker: Trader, taker: Trader) -> Figures:
    """Gas of five trades: one by one, as five orders at once, and as one basket."""
    exchange, markets = world.system.exchange, range(5)
    # the word of these nonces is begun, as it is for anybody who trades often
    world.cross(maker, taker, 0, 1)
    each = [
        exchange.fill(world.order(maker, market, -1), taker.account, nano(1), UNLIMITED, sender=taker.address)
        for market in markets
    ]
    fills = [orders.Fill(world.order(maker, market, -1), nano(1), UNLIMITED) for market in markets]
    many = exchange.fill_many(fills, taker.account, sender=taker.address)
    basket = world.basket(maker, markets, -1)
    whole = exchange.fill_basket(basket, taker.account, WAD, 5 * wad(2 * PRICE), sender=taker.address)
    gas = sum(receipt.gas_used for receipt in each), many.gas_used, whole.gas_used
    return {name: {"5": used} for name, used in zip(FIVES, gas, strict=True)}


def measure(world: World) -> Figures:
    """Gas by operation and n."""
    system, figures = world.system, {operation: {} for operation in OPERATIONS}
    indebted: list[tuple[str, int, Trader, Trader]] = []
    for stocks in track(STOCKS, "measuring", console=Console(stderr=True)):
        world.publish()
        roles = ("maker", "taker", "keeper", "first debtor", "second debtor")
        maker, taker, keeper, *debtors = (world.trader(f"{role} {stocks}") for role in roles)
        newcomer = world.trader(f"newcomer {stocks}")
        for trader in (maker, taker, keeper, *debtors):
            world.hold_tokens(trader, stocks)
        for market in range(stocks):
            if market % 10 == 0:
                world.publish()
            for seller in (maker, keeper, *debtors):
                world.cross(seller, taker, market, TOKENS)
        world.publish()
        size = str(stocks)
        figures["margin_check"][size] = system.clearinghouse.margin.send(maker.account, sender=world.admin).gas_used
        # as many tokens and perps, all long
        figures["margin_check_unhedged"][size] = system.clearinghouse.margin.send(
            taker.account, sender=world.admin
        ).gas_used
        figures["deposit"][size] = system.vault.deposit(
            maker.account, token(0), ONE_TOKEN, sender=maker.address
        ).gas_used
        figures["withdraw"][size] = system.vault.withdraw(
            maker.account, CASH, 10**6, maker.address, sender=maker.address
        ).gas_used
        figures["trade"][size] = world.cross(maker, taker, 0, 1)
        if stocks == 5:
            hedged = maker, taker
        for debtor in debtors:
            world.borrow(debtor, stocks)
        # a keeper that holds these stocks already, and one whose account is empty: every slot it writes is new
        indebted += [("slice", stocks, debtors[0], keeper), ("slice_into_empty", stocks, debtors[1], newcomer)]
    world.raise_charges()
    world.publish()
    for operation, stocks, debtor, keeper in indebted:
        state = system.clearinghouse.state_counter(debtor.account)
        figures[operation][str(stocks)] = system.engine.take(
            debtor.account, keeper.account, WAD // 4, WAD, state, sender=keeper.address
        ).gas_used
    return figures | measure_fives(world, *hedged)


def measure_all(node: Anvil) -> Figures:
    """Every figure of the snapshot, on one chain."""
    world = World(node)
    return measure(world) | oracle.measure(world.backend, world.admin, world.signer_keys)


def slope(figures: Figures) -> int:
    """Marginal gas of one more hedged stock in a margin check, between 5 and 20."""
    check = figures["margin_check"]
    return (check["20"] - check["5"]) // 15


def show(figures: Figures, console: Console) -> None:
    """The figures beside our bars and the peers."""
    table = Table(title="Gas of one cold transaction, n hedged stocks held")
    table.add_column("operation")
    for stocks in STOCKS:
        table.add_column(f"{stocks}+{stocks}", justify="right")
    table.add_column("bar at 5+5", justify="right")
    table.add_column("peers at 5+5")
    for operation in OPERATIONS:
        row = [f"{figures[operation][str(stocks)]:,}" for stocks in STOCKS]
        met = figures[operation]["5"] <= BARS[operation]
        colour = "green" if met else "red"
        table.add_row(operation, *row, f"[{colour}]{BARS[operation]:,}[/]", PEERS[operation])
    console.print(table)
    show_oracle(figures, console)
    apart = figures["five_fills"]["5"]
    for name in FIVES:
        used = figures[name]["5"]
        console.print(f"{name}, two accounts at 5+5: {used:,} ({used / apart:.0%})")
    per_stock = slope(figures)
    colour = "green" if per_stock <= SLOPE_BAR else "red"
    console.print(f"one more hedged stock in a check: [{colour}]{per_stock:,}[/] (bar {SLOPE_BAR:,}; Vertex 36,000)")


def show_oracle(figures: Figures, console: Console) -> None:
    """What prices cost."""
    table = Table(title="Gas of one call for so many underlyings, and for each of them")
    table.add_column("operation")
    for count in oracle.FEEDS:
        table.add_column(str(count), justify="right")
    for operation in ("submit", "refresh"):
        sizes = figures[operation]
        told = [(sizes.get(str(count)), count) for count in oracle.FEEDS]
        table.add_row(operation, *("" if gas is None else f"{gas:,}\n{gas // count:,}" for gas, count in told))
    console.print(table)


def regressions(figures: Figures, snapshot: Figures) -> list[str]:
    """What costs over 1 % more than in the snapshot."""
    return [
        f"{operation} at {size}: {gas:,} against {snapshot.get(operation, {}).get(size, 0):,}"
        for operation, sizes in figures.items()
        for size, gas in sizes.items()
        if gas > snapshot.get(operation, {}).get(size, 0) * (1 + TOLERANCE)
    ]


def main() -> int:
    """The command. Returns the exit code."""
    console = Console(width=150)
    with Anvil() as node:
        figures = measure_all(node)
    show(figures, console)
    if "--write" in sys.argv[1:]:
        SNAPSHOT.write_text(json.dumps(figures, indent=2) + "\n")
        console.print(f"written to {SNAPSHOT.relative_to(compiler.ROOT)}")
        return 0
    if not SNAPSHOT.exists():
        console.print("no snapshot to compare with: run `make bench ARGS=--write`")
        return 1
    worse = regressions(figures, json.loads(SNAPSHOT.read_text()))
    for line in worse:
        console.print(f"[red]regression[/] {line}")
    return 1 if worse else 0


if __name__ == "__main__":
    sys.exit(main())
