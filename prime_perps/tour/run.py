"""The tour from the first purchase to the liquidation, on a chain of its own."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

from eth_account import Account
from eth_utils import keccak
from rich.console import Console

from prime_perps import compiler, orders, risk
from prime_perps.accounts import CASH, account_id, token
from prime_perps.balance_sheet import exposures
from prime_perps.chain.contract import Contract, Receipt
from prime_perps.chain.rpc import RpcBackend
from prime_perps.demo.cast import LIQUIDATOR, MAKER, Actor
from prime_perps.demo.checks import Check, check_all, read_everybody
from prime_perps.demo.stage import MAX_UINT, Stage, fresh_stage, local_parameters
from prime_perps.history import Tick
from prime_perps.issuer.client import Attestation, Wanted
from prime_perps.issuer.quotes import Side, notional
from prime_perps.keepers.decision import Action, Decision, Policy
from prime_perps.keepers.liquidator import Liquidator
from prime_perps.keepers.redemption import Redeemer
from prime_perps.liquidation import liquidatable
from prime_perps.liquidity import LiquidityTerms, deploy_liquidity
from prime_perps.margin import Closure
from prime_perps.orders import Order, SignedOrder
from prime_perps.reports import Session
from prime_perps.tour.desk import SPREAD, Desk
from prime_perps.tour.report import Cure, Depth, Look, Report, cures_table, depth_table, events_table, looks_table
from prime_perps.units import BPS, NANO, PIPS, WAD, usd, wad
from prime_perps.yardsticks import position_by_position

START = 1_220_967_000  # a Tuesday, 09:30 in New York
SYMBOL, TOKEN = "IBM", "IBMon"
BEFORE, AFTER = Decimal(120), Decimal(98)
# After a jump liquidation waits for the slow price: so many prices, so many seconds apart.
SETTLING, PAUSE = 8, 1_200

CAPITAL = 100_000  # USD of each holder
SHARES = 3_333  # bought with it on margin, about 400,000 USD
EQUITY, MOST = 50_000, 60_000  # USD of whoever provides depth, and what it may have become with interest
TRADE = 1_000_000  # USD at the issuer's price, and a share more at most

HEDGED = Actor("hedged", "buys stock on margin and hedges it", cash=CAPITAL)
UNHEDGED = Actor("unhedged", "buys the same and leaves it at that", cash=CAPITAL)
TAKER = Actor("taker", "wants a million of exposure at once", cash=500_000)
PROVIDER = Actor("provider", "has its capital in the vault", customer=False)
CAST = (MAKER, LIQUIDATOR, HEDGED, UNHEDGED, TAKER, PROVIDER)


def run(output: Path, console: Console) -> Report:
    """
    Take the tour on a real node, showing a table after each step, and write report.json into `output`, where the
    liquidator's log is. Raises AnvilMissing, Revert, NodeError. A fact that does not hold is in the report, not raised.
    """
    with console.status("Compiling the contracts"):
        compiler.load_all()
    with opened() as tour:
        tour.buy(console)
        tour.hedge(console)
        events, costs, depth = tour.trade(console)
        cures, line = tour.liquidate(console, output / "liquidator.log")
        deployment = tour.stage.deployment
        accounts = read_everybody(tour.stage.backend, deployment)
        tour.checks += check_all(deployment, accounts, risk.read_table(deployment.model))
        report = Report(tour.looks, events, costs, depth, cures, line, tour.checks)
    report.save(output / "report.json")
    return report


@contextmanager
def opened() -> Iterator[Tour]:
    """The system, an issuer beside it and the vault that hedges there; ends the node after."""
    # It signs and sends nothing, so it needs no gas.
    signer = Account.from_key(keccak(text="the tour's issuer"))
    parameters = local_parameters()
    parameters["issuer"] = {
        "manager": "devnet",
        "signers": [signer.address],
        "desk": "deployer",
        "bound": False,
        "band_bps": 100,
        "haircut_bps": 1_000,
        "haircut_period": 864_000,
    }
    first = Tick(START, datetime.fromtimestamp(START, UTC).date(), "open", {SYMBOL: BEFORE})
    with fresh_stage(first, CAST, parameters) as stage:
        system = stage.deployment
        underlying = system.underlying(SYMBOL)
        assert underlying.token is not None
        listing = system.gateway.listing(token(underlying.id))
        desk = Desk(stage.backend, signer, listing.manager, {TOKEN: underlying.token.address})
        vault = deploy_liquidity(system, stage.deployer, stage.deployer, {SYMBOL: LiquidityTerms()})
        tour = Tour(stage, desk, vault, listing)
        # What buyers pay in coin is changed into the issuer's dollar, of which the stand-in starts with a million.
        dollar = Contract.at(stage.backend, "IssuerStablecoin", listing.dollar)
        dollar.mint(listing.swapper, 2 * TRADE * WAD, sender=stage.deployer)
        stage.backend.warp(START)
        tour.price(BEFORE)
        tour.provide()
        yield tour


@dataclass
class Tour:
    """The stage, and what was seen on it so far."""

    stage: Stage
    desk: Desk
    vault: Contract
    listing: Any  # IIssuerGateway.Listing
    looks: list[Look] = field(default_factory=list)
    checks: list[Check] = field(default_factory=list)

    @property
    def backend(self) -> RpcBackend:
        return self.stage.backend

    @property
    def market(self) -> int:
        return self.stage.deployment.underlying(SYMBOL).id

    @property
    def pool(self) -> int:
        return int(self.vault.account())

    def price(self, price: Decimal) -> None:
        """The exchange's price, as the oracle and the issuer see it."""
        stage = self.stage
        self.backend.mine()
        stage.publisher.publish({self.market: price}, self.backend.timestamp(), Session.REGULAR)
        self.desk.prices[TOKEN] = price
        manager = Contract.at(self.backend, "IssuerTokenManager", self.listing.manager)
        rough = Contract.at(self.backend, "SanityOracle", manager.sanityCheckOracle())
        rough.post_price(self.desk.tokens[TOKEN], wad(price), sender=stage.deployer)

    def provide(self) -> None:
        """The provider's capital into the vault."""
        coin, owner = self.stage.deployment.cash, self.stage.address(PROVIDER)
        amount = EQUITY * 10 ** coin.decimals()
        coin.mint(owner, amount, sender=self.stage.deployer)
        coin.approve(self.vault, MAX_UINT, sender=owner)
        self.vault.deposit(amount, owner, sender=owner)

    def look(self, who: str, when: str) -> Look:
        """See an account and keep what was seen."""
        account = self.pool if who == "vault" else account_id(self.stage.keys[who].address)
        seen = Look(who, when, self.stage.deployment.lens.account_summary(account))
        self.looks.append(seen)
        return seen

    def fact(self, step: str, statement: str, holds: bool, detail: str) -> None:
        self.checks.append(Check(step, statement, bool(holds), detail))

    # the four steps

    def buy(self, console: Console) -> None:
        """Two accounts buy the same stock at the issuer with cash that they do not have."""
        looks = []
        for actor in (HEDGED, UNHEDGED):
            before = self.look(actor.name, "with cash")
            signed = self._quote(Side.BUY, SHARES * WAD)
            owner, coins = self.stage.address(actor), self._coins_up(notional(signed.quote))
            call = self.stage.account(actor), token(self.market), signed.quote, signed.signature, coins, False
            self.stage.deployment.gateway.mint(*call, sender=owner)
            looks += [before, self.look(actor.name, "with stock")]
        before, after = looks[0].margin, looks[1].margin
        lost = before.equity - after.equity
        spread = SHARES * wad(BEFORE) * SPREAD // BPS
        self.fact("1", "the cash became a loan", after.cash < 0 < before.cash, f"{usd(after.cash)} USD of cash")
        self.fact("1", "it holds the stock", after.token_value == SHARES * wad(BEFORE), usd(after.token_value))
        self.fact("1", "it cost the issuer's spread", abs(lost - spread) < WAD, f"{usd(lost)} USD, {SPREAD} bps")
        console.print(looks_table("1. Stock on margin, minted at the issuer", looks))

    def hedge(self, console: Console) -> None:
        """One of them sells as much of it short as a perp."""
        before = self.looks[1]
        self.stage.trade(HEDGED, {self.market: -SHARES * NANO})
        after = self.look(HEDGED.name, "with its hedge")
        told = f"{before.part_bps} bps before, {after.part_bps} after"
        self.fact("2", "margin falls to about 2.5 %", 225 <= after.part_bps <= 275, told)
        self.fact("2", "which is less than a third", 3 * after.part_bps < before.part_bps, told)
        console.print(looks_table("2. The same with a perp against it", [before, after]))

    def trade(self, console: Console) -> tuple[list[tuple[str, str, str]], dict[str, str], Depth]:
        """A million against fifty thousand: perp and hedge in one transaction."""
        before, customer = self.look("vault", "before"), self.look(TAKER.name, "before")
        price = self.desk.quote(Wanted(TOKEN, Side.BUY, MAX_UINT, tokens=WAD)).price
        shares = -(-TRADE * WAD // price)
        signed = self._quote(Side.BUY, shares * WAD)
        limit, fee = self.vault.price_of(self.market, shares * NANO, signed.quote.price)
        order = self._order(shares * NANO, limit)
        sender = self.stage.address(TAKER)
        receipt = self.vault.fill(order, signed.quote, signed.signature, sender=sender)
        after, traded = self.look("vault", "after"), self.look(TAKER.name, "after")
        events = self._told(receipt)
        worth = shares * limit
        exchange = shares * wad(BEFORE)
        self._check_fill(before, after, receipt, shares, worth, exchange, fee)
        # Whoever signs the order is the maker of the fill, the vault its taker.
        maker_pips = int(local_parameters()["fees"]["maker_pips"])
        charged = -(-worth * maker_pips // PIPS)
        lost = customer.margin.equity - traded.margin.equity
        told = f"{usd(lost)} USD, {usd(charged)} of it the exchange's fee"
        self.fact("3", "nothing else was taken of the taker", abs(lost - charged - (worth - exchange)) < WAD, told)
        table, summary = risk.read_table(self.stage.deployment.model), after.summary
        isolated = position_by_position(exposures(summary), Closure(*summary.closure), table)
        depth = Depth(exchange, summary.margin.initial, isolated, int(self.vault.buffer()))
        told = " against ".join(f"{depth.per_dollar(asked):.1f}" for _, asked in depth.rows()) + " USD for a dollar"
        self.fact("3", "a portfolio gives more depth", 3 * depth.portfolio < depth.isolated, told)
        console.print(events_table(events))
        stated = f"issuer {SPREAD} bps, vault {fee / 100:.2f} bps, our exchange {maker_pips / 100:.2f} bps"
        console.print(looks_table(f"3. A perp of {usd(worth)} USD ({stated})", [before, after, customer, traded]))
        console.print(depth_table(depth))
        costs = {"shares": str(shares), "exchange": usd(wad(BEFORE)), "quote": f"{Decimal(price) / WAD:f}"}
        return events, costs | {"price": f"{Decimal(limit) / WAD:f}", "fee_pips": str(fee)}, depth

    def liquidate(self, console: Console, log: Path) -> tuple[list[Cure], str]:
        """The price falls; the keeper cures the account that has no hedge by selling its stock to the issuer."""
        for _ in range(SETTLING):
            self.backend.warp(self.backend.timestamp() + PAUSE)
            self.price(AFTER)
        fallen, hedged = self.look(UNHEDGED.name, "after the fall"), self.look(HEDGED.name, "after the fall")
        self.fact("4", "the account without a hedge fails", liquidatable(fallen.margin), f"health {_health(fallen)}")
        self.fact("4", "its hedged twin does not", not liquidatable(hedged.margin), f"health {_health(hedged)}")
        slice_ = self._slice(fallen)
        system, sender = self.stage.deployment, self.stage.address(LIQUIDATOR)
        keeper = Liquidator(
            self.backend,
            system.clearinghouse,
            system.engine,
            sender=sender,
            account=account_id(sender),
            policy=Policy(redeem=True),
            redeemer=Redeemer(self.backend, system, self.desk, {self.market: TOKEN}),
        )
        own = self._wallet(sender)
        decisions = [one for one in keeper.tick() if one.candidate.account == self.stage.account(UNHEDGED)]
        cured = self.look(UNHEDGED.name, "redeemed")
        redemption = self._redeemed(decisions, fallen, cured)
        cures = [slice_, redemption]
        now = self._wallet(sender)
        self.fact("4", "the keeper earned nothing", now == own, "its shares of cash and its quote balance are the same")
        told = f"{usd(redemption.cost)} against {usd(slice_.cost)} USD"
        self.fact("4", "a redemption costs the account less than a slice", redemption.cost < slice_.cost, told)
        line = "".join(log.read_text().splitlines()[-1:])
        console.print(looks_table(f"4. The price falls from {BEFORE} to {AFTER}", [fallen, cured, hedged]))
        console.print(f"The liquidator's log: {line}", highlight=False, markup=False)
        console.print(cures_table(cures))
        return cures, line

    # of the steps

    def _quote(self, side: Side, tokens: int) -> Attestation:
        return self.desk.attest(Wanted(TOKEN, side, MAX_UINT if side is Side.BUY else 0, tokens=tokens))

    def _coins_up(self, amount: int) -> int:
        """wad USD in raw units of the settlement coin."""
        unit: int = 10 ** (18 - int(self.stage.deployment.vault.asset(CASH).decimals))
        return -(-amount // unit)

    def _order(self, size: int, price: int) -> SignedOrder:
        exchange, key = self.stage.deployment.exchange, self.stage.keys[TAKER.name]
        expiry = self.backend.timestamp() + 60
        order = Order(self.stage.account(TAKER), self.market, size, price, 1, expiry)
        return orders.sign(order, key.key, self.backend.chain_id(), exchange.address)

    def _told(self, receipt: Receipt) -> list[tuple[str, str, str]]:
        """Every event of the contracts that take part."""
        system = self.stage.deployment
        stock = system.underlying(SYMBOL).token
        assert stock is not None
        manager = Contract.at(self.backend, "IssuerTokenManager", self.listing.manager)
        known = [system.vault, system.gateway, manager, stock, system.exchange, system.clearinghouse, self.vault]
        found = []
        for log in receipt.logs:
            for contract in known:
                decoded = contract.decode_log(log)
                if decoded is not None:
                    found.append((contract.name, decoded[0], _detail(*decoded)))
        return found

    def _check_fill(
        self, before: Look, after: Look, receipt: Receipt, shares: int, worth: int, exchange: int, fee: int
    ) -> None:
        system, line = self.stage.deployment, after.summary.lines[0]
        minted = [fields for name, fields in system.gateway.events(receipt) if name == "Minted"]
        novated = [fields for name, fields in system.clearinghouse.events(receipt) if name == "Novated"]
        filled = [fields for name, fields in self.vault.events(receipt) if name == "Filled"]
        one_each = [len(minted), len(novated), len(filled)] == [1, 1, 1]
        self.fact("3", "both legs are in one transaction", one_each, f"{receipt.hash}, {receipt.gas_used:,} gas")
        held = before.margin.equity
        self.fact("3", f"the vault had at most {MOST:,} USD", 0 < held <= MOST * WAD, f"{usd(held)} USD of equity")
        self.fact("3", "it traded a million", worth >= TRADE * WAD, f"{usd(worth)} USD, {shares} shares")
        hedged = line.token == shares * WAD and line.size == -shares * NANO
        self.fact("3", "it is as long as it is short", hedged, f"{shares} tokens, {line.size // NANO} perps")
        stated = exchange * (BPS + SPREAD) * (PIPS + fee) // (BPS * PIPS)
        dearer = f"{Decimal((worth - exchange) * BPS) / exchange:.2f} bps above the exchange"
        self.fact("3", "at the exchange's price and the costs stated", 0 <= worth - stated < WAD, dearer)
        enough = after.margin.equity * BPS >= after.margin.initial * self.vault.buffer()
        self.fact(
            "3", "its buffer is left", enough, f"{usd(after.margin.equity)} against IM {usd(after.margin.initial)}"
        )

    def _slice(self, fallen: Look) -> Cure:
        """What the engine offers, taken in a snapshot of the chain and undone."""
        stage, account = self.stage, self.stage.account(UNHEDGED)
        # With nonces of its own, which end with the snapshot.
        backend = RpcBackend(self.backend.url, [stage.keys[LIQUIDATOR.name]])
        engine = Contract.at(backend, "LiquidationEngine", stage.deployment.engine.address)
        sender = stage.address(LIQUIDATOR)
        point = backend.node.request("evm_snapshot")
        offer = engine.quote(account)
        state = stage.deployment.clearinghouse.state_counter(account)
        engine.take(account, account_id(sender), WAD, WAD, state, sender=sender)
        after = stage.deployment.clearinghouse.margin(account)
        backend.node.request("evm_revert", point)
        equity = fallen.margin.equity
        cost = equity * offer.fraction // WAD - offer.payment
        near = abs(equity - after.equity - cost) < WAD
        self.fact("4", "a slice costs what the engine says", near, f"{usd(cost)} USD, {offer.fraction / WAD:.1%} of it")
        way = f"a slice of {offer.fraction / WAD:.1%} at {Decimal(offer.price) / WAD:.2f}"
        return Cure(way, cost, fallen.margin, after)

    def _wallet(self, owner: str) -> tuple[int, int]:
        """Shares of cash and quote balance, which no interest changes."""
        book, account = self.stage.deployment.clearinghouse, account_id(owner)
        return int(book.cash_shares(account)), int(book.money(account).quote)

    def _redeemed(self, decisions: list[Decision], fallen: Look, cured: Look) -> Cure:
        redeemed = [one for one in decisions if one.action is Action.REDEEM]
        told = decisions[0].reason if decisions else "no decision"
        self.fact("4", "the keeper chose to redeem", len(redeemed) == 1 == len(decisions), told)
        target = 105 * cured.margin.maintenance < 100 * cured.margin.equity <= 110 * cured.margin.maintenance
        self.fact("4", "the account is at the engine's target, not beyond", target, f"health {_health(cured)}")
        sold = fallen.summary.lines[0].token - cured.summary.lines[0].token
        way = f"a redemption of {Decimal(sold) / WAD:,.0f} shares"
        return Cure(way, fallen.margin.equity - cured.margin.equity, fallen.margin, cured.margin)


def _health(look: Look) -> str:
    return f"{Decimal(look.margin.equity) / look.margin.maintenance:.3f}"


def _detail(event: str, fields: dict[str, Any]) -> str:
    """What a person wants to know of the three that say what happened."""
    if event == "Minted" and "attestation_id" in fields:
        return f"{usd(fields['tokens'])} tokens for {fields['cost'] / 10**6:,.2f} USD"
    if event == "Novated":
        return f"{abs(fields['size']) / NANO:,.0f} perps at {Decimal(fields['price']) / WAD:.4f}"
    if event == "Filled":
        return f"hedged at {Decimal(fields['hedge_price']) / WAD:.4f}, at least {fields['fee']} pips for the vault"
    return ""
