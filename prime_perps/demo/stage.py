"""Sets the stage: a fresh chain in September 2008, the system on it, and every actor's money in the safe."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from eth_account import Account as Signer
from eth_account.signers.local import LocalAccount

from prime_perps.accounts import CASH, account_id, token
from prime_perps.chain.anvil import Anvil
from prime_perps.chain.contract import Contract, Method
from prime_perps.chain.rpc import RpcBackend
from prime_perps.demo.cast import ACTORS, LIQUIDATOR, MAKER, Actor
from prime_perps.deployment import PARAMETERS, Deployment, deploy
from prime_perps.errors import PrimePerpsError
from prime_perps.history import Tick
from prime_perps.keepers.decision import Policy
from prime_perps.keepers.liquidator import Liquidator
from prime_perps.keepers.maker import Maker, QuotePolicy
from prime_perps.keepers.publisher import Publisher
from prime_perps.keepers.report_signer import ReportSigner
from prime_perps.units import NANO, WAD

NETWORK = "local"
# What is before the first price: deployment, deposits. Blocks are a second apart, so an hour holds them all.
SETTING_UP = 3_600
DEPLOYER = 0  # of the node's funded keys; the report signers are those the parameters name
FIRST_ACTOR = 4
LEAST_ACCOUNTS = 10
MAX_UINT = 2**256 - 1
TOKEN_TO_NANO = WAD // NANO
# The taker's fee and the maker's spread come to 0.14 % of what is hedged, whose maintenance margin is 9 % or more.
LIQUIDATOR_POLICY = Policy(unwind_cost=200)
MAKER_POLICY = QuotePolicy(size=2_000_000 * WAD, limit=20_000_000 * WAD, lifetime=600)


@dataclass(frozen=True)
class Stage:
    """The chain, the system and the people. Keys are those every development node funds."""

    backend: RpcBackend
    deployment: Deployment
    deployer: str
    keys: Mapping[str, LocalAccount]  # by actor
    publisher: Publisher
    maker: Maker
    liquidator: Liquidator

    def address(self, actor: Actor) -> str:
        return str(self.keys[actor.name].address)

    def account(self, actor: Actor) -> int:
        return account_id(self.address(actor))

    def underlyings(self, symbols: Iterable[str]) -> dict[str, int]:
        """The number of each symbol."""
        return {symbol: self.deployment.underlying(symbol).id for symbol in symbols}

    def trade(self, actor: Actor, sizes: Mapping[int, int]) -> None:
        """Fill the maker's quotes: `sizes` in nano by market, signed for the actor. Raises Revert, NodeError."""
        wanted = {market: size for market, size in sizes.items() if size}
        for offer in self.maker.quote(sorted(wanted)):
            left = wanted[offer.order.market]
            if left * offer.order.size < 0:
                size = min(abs(left), abs(offer.order.size)) * (1 if left > 0 else -1)
                self.deployment.exchange.fill(
                    offer, self.account(actor), size, offer.order.price, sender=self.address(actor)
                )
                wanted[offer.order.market] = left - size
        unfilled = [market for market, size in wanted.items() if size]
        if unfilled:
            raise PrimePerpsError(f"{actor.name} found no quote large enough in the markets {unfilled}")

    def hedge(self, symbols: Iterable[str]) -> None:
        """
        Trade the liquidator's net exposure away wherever somebody quotes, so that what it keeps is the discount.
        Raises Revert, NodeError.
        """
        account, house = self.account(LIQUIDATOR), self.deployment.clearinghouse
        sizes = {}
        for underlying in self.underlyings(symbols).values():
            position = house.position(account, underlying)
            sizes[underlying] = -(position.size + position.token // TOKEN_TO_NANO)
        exposed = sorted(market for market, size in sizes.items() if size)
        quoted = {offer.order.market for offer in self.maker.quote(exposed)}
        self.trade(LIQUIDATOR, {market: sizes[market] for market in exposed if market in quoted})

    def govern(self, method: Method, *args: Any) -> None:
        """What only the timelock may do, through the timelock; its delay passes meanwhile. Raises Revert, NodeError."""
        salt = self.backend.timestamp().to_bytes(32, "big")
        self.deployment.schedule(method, *args, sender=self.deployer, salt=salt)
        self.backend.warp(self.backend.timestamp() + int(self.deployment.timelock.get_minimum_delay()))
        self.deployment.execute(method, *args, sender=self.deployer, salt=salt)

    def fund(self, actor: Actor, dollars: int) -> None:
        """Mint stablecoin for the actor and put it into its account. Raises Revert, NodeError."""
        cash = self.deployment.cash
        _deposit(self.deployment, self.deployer, self.address(actor), CASH, cash, dollars * 10 ** cash.decimals())


@contextmanager
def fresh_stage(
    first: Tick, cast: Sequence[Actor] = ACTORS, parameters: dict[str, Any] | None = None
) -> Iterator[Stage]:
    """
    Everything up to the moment before `first`; ends the node after. `cast` and `parameters` as of `set_up`.
    Raises AnvilMissing, Revert, NodeError.
    """
    with Anvil(timestamp=first.time - SETTING_UP, accounts=max(FIRST_ACTOR + len(cast), LEAST_ACCOUNTS)) as node:
        backend = RpcBackend(node.url, node.keys)
        # A second a block whatever the machine does: every run has the same times, funding and prices.
        backend.set_block_interval(1)
        yield set_up(backend, node, first, cast, cast=cast, parameters=parameters)


def local_parameters() -> dict[str, Any]:
    """What local chains are deployed with."""
    given: dict[str, Any] = json.loads((PARAMETERS / f"{NETWORK}.json").read_text())
    return given


def set_up(
    backend: RpcBackend,
    node: Anvil,
    first: Tick,
    actors: Sequence[Actor] = ACTORS,
    *,
    cast: Sequence[Actor] = ACTORS,
    parameters: dict[str, Any] | None = None,
) -> Stage:
    """
    Deploy, mint and deposit on a node that is already running. `cast`: who gets a key, maker and liquidator among them;
    `actors`: those who also get what they own. `parameters`: of the deployment, if not those of local chains.
    """
    parameters = local_parameters() if parameters is None else parameters
    deployer = node.addresses[DEPLOYER]
    deployment = deploy(backend, deployer, parameters, block=backend.block_number())
    people = [Signer.from_key(key) for key in node.keys[FIRST_ACTOR:]]
    # The maker first, so that it has the same key on every development network.
    order = (MAKER, *(actor for actor in cast if actor is not MAKER))
    keys = {actor.name: key for actor, key in zip(order, people, strict=False)}
    for actor in actors:
        _endow(deployment, deployer, actor, keys[actor.name].address, first.prices)
    oracle = deployment.oracle
    signers = parameters["oracle"]["signers"]
    voices = [
        ReportSigner(key, backend.chain_id(), oracle.address)
        for key, address in zip(node.keys, node.addresses, strict=True)
        if address in signers
    ]
    maker, liquidator = keys[MAKER.name], keys[LIQUIDATOR.name]
    return Stage(
        backend=backend,
        deployment=deployment,
        deployer=deployer,
        keys=keys,
        publisher=Publisher(oracle, voices, parameters["oracle"]["threshold"], deployer),
        maker=Maker(
            deployment.exchange,
            deployment.clearinghouse,
            oracle,
            maker,
            account_id(maker.address),
            MAKER_POLICY,
        ),
        liquidator=Liquidator(
            backend,
            deployment.clearinghouse,
            deployment.engine,
            sender=liquidator.address,
            account=account_id(liquidator.address),
            first_block=deployment.block,
            policy=LIQUIDATOR_POLICY,
        ),
    )


def shares(usd: int, price: Decimal) -> int:
    """Whole shares for an amount of USD, never more than it buys."""
    return int(usd / price)


def perp_sizes(actor: Actor, stage: Stage, prices: Mapping[str, Decimal]) -> dict[int, int]:
    """What the actor trades at the start: nano by market, signed."""
    sizes = {}
    for symbol, usd in actor.perps.items():
        whole = shares(abs(usd), prices[symbol]) * NANO
        sizes[stage.deployment.underlying(symbol).id] = whole if usd > 0 else -whole
    return sizes


def _endow(deployment: Deployment, deployer: str, actor: Actor, owner: str, prices: Mapping[str, Decimal]) -> None:
    """Mint what the actor owns and put all of it into its account."""
    if actor.cash:
        _deposit(deployment, deployer, owner, CASH, deployment.cash, actor.cash * 10 ** deployment.cash.decimals())
    for symbol, usd in actor.tokens.items():
        entry = deployment.underlying(symbol)
        if entry.token is None:
            raise PrimePerpsError(f"{symbol} has no token on this deployment")
        amount = shares(usd, prices[symbol]) * 10 ** entry.token.decimals()
        _deposit(deployment, deployer, owner, token(entry.id), entry.token, amount)


def _deposit(
    deployment: Deployment, deployer: str, owner: str, instrument: int, contract: Contract, amount: int
) -> None:
    contract.mint(owner, amount, sender=deployer)
    contract.approve(deployment.vault, MAX_UINT, sender=owner)
    deployment.vault.deposit(account_id(owner), instrument, amount, sender=owner)
