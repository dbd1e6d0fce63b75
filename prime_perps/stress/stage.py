"""Sets the stage of a replay: the system, everybody's money, and the books of all customers as of the opening."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path as Folder
from typing import Any

from eth_account import Account as Signer
from eth_account.signers.local import LocalAccount

from prime_perps.accounts import CASH, account_id, token
from prime_perps.backtest.data import Array
from prime_perps.chain.anvil import Anvil
from prime_perps.chain.contract import Contract
from prime_perps.deployment import Deployment, deploy
from prime_perps.errors import PrimePerpsError, Revert
from prime_perps.keepers.decision import Policy
from prime_perps.keepers.liquidator import Liquidator
from prime_perps.keepers.maker import Maker, QuotePolicy
from prime_perps.keepers.publisher import Publisher
from prime_perps.keepers.report_signer import ReportSigner
from prime_perps.reports import Session
from prime_perps.stress import whatif
from prime_perps.stress.chain import Chain, as_node
from prime_perps.stress.population import Customer
from prime_perps.stress.scenarios import Scenario
from prime_perps.stress.settings import Settings
from prime_perps.units import BPS, MID, NANO, WAD, scaled, wad

# The keys every development node funds, in order: the deployer, the three signers of local.json, then these.
KEYS = Anvil().keys
DEPLOYER, SIGNERS, OWNER, MAKERS, LIQUIDATORS = 0, range(1, 4), 4, (5, 6), (7, 8, 9)
MAX_UINT = 2**256 - 1
CASH_UNIT = WAD // 10**6
# How much longer the opening's quotes are good for than anybody needs them.
OPENING_QUOTES = QuotePolicy(size=10**9 * WAD, half_spread=5, lean=0, limit=10**11 * WAD, lifetime=3_600)
# A loan carries 72 hours of interest inside initial margin, so what can be taken out is less than what is in excess.
INTEREST_ALLOWANCE = Decimal("0.002")
PASSES = 4
LEAST_MARGIN_BPS = 700  # of a position, about what the calmest name asks: turns costs on notional into costs on margin


@dataclass(frozen=True)
class Depth:
    """How makers quote through the crash. bps of the index price, USD a side, market and look."""

    half_spread: int
    size: int


NORMAL, THIN = Depth(half_spread=15, size=1_000_000), Depth(half_spread=75, size=100_000)
LEAN = 50  # bps away from a position worth the limit
TAKER_FEE = 4  # bps, of local.json


@dataclass(frozen=True)
class Stage:
    """The chain, the system and the people on it, at the opening."""

    chain: Chain
    deployment: Deployment
    publisher: Publisher
    makers: Sequence[Maker]
    liquidators: Sequence[Liquidator]
    customers: Mapping[int, Customer]  # by account
    throttle: dict[str, Any]
    gross: int  # of the customers at the opening, wad USD
    insurance: int  # paid in before the first day, wad USD

    @property
    def deployer(self) -> str:
        return address(DEPLOYER)

    @property
    def underlyings(self) -> list[int]:
        return [entry.id for entry in self.deployment.underlyings]

    def publish(self, prices: Array, now: int, session: Session) -> None:
        """Bring the clock to an instant and report every price of it."""
        self.chain.warp(now)
        exact = {place: Decimal(repr(float(price))) for place, price in enumerate(prices)}
        self.publisher.publish(exact, now, session)


def key(number: int) -> LocalAccount:
    signer: LocalAccount = Signer.from_key(KEYS[number])
    return signer


def address(number: int) -> str:
    return str(key(number).address)


def maker_account(number: int) -> int:
    return account_id(address(MAKERS[number]))


def liquidator_account(number: int) -> int:
    return account_id(address(LIQUIDATORS[number]))


def set_up(
    chain: Chain, scenario: Scenario, customers: Sequence[Customer], settings: Settings, now: int, scratch: Folder
) -> Stage:
    """
    Deploy at the first instant, let everybody pay in and open the customers' books at the opening's prices, against
    the makers. Each then takes out what is beyond its cover. Raises Revert, BadParameters.
    """
    given = whatif.parameters(scenario.symbols, scenario.tiers, settings, scratch)
    deployment = deploy(chain, address(DEPLOYER), given, block=chain.block_number())
    voices = [ReportSigner(key(number), chain.chain_id(), deployment.oracle.address) for number in SIGNERS]
    publisher = Publisher(deployment.oracle, voices, given["oracle"]["threshold"], address(DEPLOYER))
    gross = wad(sum(customer.gross for customer in customers))
    insurance = gross * settings.insurance_bps // BPS
    stage = Stage(
        chain=chain,
        deployment=deployment,
        publisher=publisher,
        makers=[
            Maker(
                deployment.exchange,
                deployment.clearinghouse,
                deployment.oracle,
                key(number),
                maker_account(place),
                OPENING_QUOTES,
            )
            for place, number in enumerate(MAKERS)
        ],
        liquidators=_liquidators(chain, deployment, settings),
        customers={account_id(address(OWNER), customer.number): customer for customer in customers},
        throttle=whatif.throttle_terms(given),
        gross=gross,
        insurance=insurance - insurance % CASH_UNIT,
    )
    stage.publish(scenario.closes[0], now, Session.REGULAR)
    _pay_in(stage, settings)
    _open(stage, scenario.closes[0])
    for maker in stage.makers:
        maker.policy = quotes(settings, gross)
    return stage


def depth(settings: Settings) -> Depth:
    return THIN if settings.thin_makers else NORMAL


def quotes(settings: Settings, gross: int) -> QuotePolicy:
    """Makers through the crash."""
    chosen = depth(settings)
    return QuotePolicy(
        size=chosen.size * WAD, half_spread=chosen.half_spread, lean=LEAN, limit=max(gross, WAD), lifetime=3_600
    )


def _liquidators(chain: Chain, deployment: Deployment, settings: Settings) -> list[Liquidator]:
    """Each wants another profit, from none to a hundredth of the margin it takes over, as rivals do."""
    away = (depth(settings).half_spread + TAKER_FEE) * BPS // LEAST_MARGIN_BPS
    return [
        Liquidator(
            as_node(chain),
            deployment.clearinghouse,
            deployment.engine,
            sender=address(number),
            account=liquidator_account(place),
            first_block=deployment.block,
            policy=Policy(unwind_cost=away + 50 * place, min_profit=5 * (place + 1) * WAD),
        )
        for place, number in enumerate(LIQUIDATORS)
    ]


def _pay_in(stage: Stage, settings: Settings) -> None:
    """The makers have as much as everybody's gross, so that what they have sold never fails them."""
    for place, number in enumerate(MAKERS):
        pay(stage, number, maker_account(place), stage.gross)
    for place, number in enumerate(LIQUIDATORS):
        pay(stage, number, liquidator_account(place), stage.gross * settings.capital_bps // BPS)
    pay(stage, DEPLOYER, int(stage.deployment.clearinghouse.insurance_account()), stage.insurance)


def pay(stage: Stage, number: int, account: int, amount: int) -> None:
    """Mint stablecoin for a key and pay it into an account; wad USD, what is below a unit of the coin is left out."""
    units = amount // CASH_UNIT
    if units:
        deposit(stage, address(number), account, CASH, stage.deployment.cash, units)


def deposit(stage: Stage, owner: str, account: int, instrument: int, contract: Contract, units: int) -> None:
    contract.mint(owner, units, sender=stage.deployer)
    contract.approve(stage.deployment.vault, MAX_UINT, sender=owner)
    stage.deployment.vault.deposit(account, instrument, units, sender=owner)


def _open(stage: Stage, prices: Array) -> None:
    offers = [maker.quote(stage.underlyings) for maker in stage.makers]
    for account, customer in stage.customers.items():
        pay(stage, OWNER, account, wad(customer.cash or customer.gross))
        _bring_tokens(stage, account, customer, prices)
        # Makers take turns, so that neither holds all of a side.
        for signed in offers[customer.number % len(offers)]:
            wanted = customer.perps.get(signed.order.market, 0.0)
            if wanted * signed.order.size < 0:
                size = scaled(abs(wanted) / float(prices[signed.order.market]), NANO)
                stage.deployment.exchange.fill(
                    signed, account, size if wanted > 0 else -size, signed.order.price, sender=address(OWNER)
                )
        if customer.gross:
            _take_out(stage, account, customer)


def _bring_tokens(stage: Stage, account: int, customer: Customer, prices: Array) -> None:
    for place, usd in customer.tokens.items():
        held = stage.deployment.underlyings[place].token
        if held is None:
            raise PrimePerpsError(f"{stage.deployment.underlyings[place].symbol} has no token")
        units = scaled(usd / float(prices[place]), 10 ** held.decimals())
        deposit(stage, address(OWNER), account, token(place), held, units)


def _take_out(stage: Stage, account: int, customer: Customer) -> None:
    """Down to the customer's cover, to the cent. What is taken beyond its cash is a loan."""
    cover = Decimal(repr(customer.cover))
    for _ in range(PASSES):
        margin = stage.deployment.clearinghouse.margin(account)
        beyond = Decimal(margin.equity) - cover * margin.initial
        loan = max(beyond - max(margin.cash, 0), Decimal(0))
        units = int((beyond - loan * INTEREST_ALLOWANCE * cover) / CASH_UNIT)
        if units <= 0:
            return
        try:
            stage.deployment.vault.withdraw(account, CASH, units, address(OWNER), sender=address(OWNER))
        except Revert as revert:
            raise PrimePerpsError(f"{customer.kind} {customer.number} cannot take out its excess: {revert}") from None


def mid_price(prices: Array, place: int) -> int:
    """wad USD, as the oracle has it."""
    return scaled(Decimal(repr(float(prices[place]))), MID) * (WAD // MID)
