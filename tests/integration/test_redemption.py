"""The liquidator with an issuer beside it: it redeems where that is cheaper, and takes slices when anybody refuses."""

from __future__ import annotations

from decimal import Decimal

import pytest
from click.testing import CliRunner
from eth_account import Account

from prime_perps.accounts import account_id, token
from prime_perps.chain import Contract
from prime_perps.chain.anvil import Anvil, free_port
from prime_perps.chain.rpc import RpcBackend
from prime_perps.demo.cast import LIQUIDATOR, MAKER, Actor
from prime_perps.demo.stage import SETTING_UP, local_parameters, perp_sizes, set_up
from prime_perps.deployment import GATEWAY_ID
from prime_perps.errors import NodeError, PrimePerpsError
from prime_perps.history import Tick
from prime_perps.issuer.client import Attestation, BadAnswer, BrokerUnreachable, SoftQuote
from prime_perps.issuer.quotes import Quote, Side, sign
from prime_perps.issuer.refusals import AssetLimited, AssetPaused, LimitReached, MarketClosed, MarketPaused
from prime_perps.keepers.decision import Action, Policy
from prime_perps.keepers.liquidator import Liquidator
from prime_perps.keepers.redemption import Redeemer
from prime_perps.reports import Session
from prime_perps.units import BPS, NANO, WAD, wad
from scripts.keeper import cli

START = 1_220_621_400  # a Friday, 09:30 in New York
SETTLING = 8  # of twenty minutes each, until the slow price has followed
SIGNER = 9  # of the node's keys
PRICES = {"AAPL": Decimal(170), "IBM": Decimal(120), "MSFT": Decimal(27), "GOOG": Decimal(470)}
CRASH = {**PRICES, "IBM": Decimal(92)}
HOLDER = Actor("holder", "leveraged", tokens={"IBM": 500_000}, perps={"IBM": 1_120_000})
ACTORS = (HOLDER, MAKER, LIQUIDATOR)


class Desk:
    """Signs quotes at the exchange's price less a spread, in process; `refusal` is raised instead."""

    def __init__(self, backend, asset, manager, key):
        self.backend, self.asset, self.manager, self.key = backend, asset, manager, key
        self.spread, self.refusal, self.hard_refusal, self.lifetime = 5, None, None, 30
        self.changed = {}
        self.asked, self.given = [], []
        self.next = 1

    def price(self):
        return wad(CRASH["IBM"]) * (BPS - self.spread) // BPS

    def quote(self, wanted):
        if self.refusal is not None:
            raise self.refusal
        self.asked.append(wanted)
        return SoftQuote(self.price(), wanted.tokens)

    def attest(self, wanted):
        if self.hard_refusal is not None:
            raise self.hard_refusal
        fields = {
            "chain_id": self.backend.chain_id(),
            "attestation_id": self.next,
            "user_id": GATEWAY_ID,
            "asset": self.asset,
            "price": self.price(),
            "quantity": wanted.tokens,
            "expiration": self.backend.timestamp() + self.lifetime,
            "side": Side.SELL,
        }
        quote = Quote(**(fields | self.changed))
        self.next += 1
        self.given.append(quote)
        return Attestation(quote, sign(quote, self.key, self.manager))


class Site:
    """The system, its stand-in of an issuer, and a leveraged holder whose stock has fallen."""

    def __init__(self, node):
        backend = self.backend = RpcBackend(node.url, node.keys)
        signer = Account.from_key(node.keys[SIGNER])
        issuer = {"manager": "devnet", "signers": [signer.address], "desk": "deployer", "bound": False}
        issuer |= {"band_bps": 100, "haircut_bps": 1_000, "haircut_period": 864_000}
        parameters = local_parameters() | {"issuer": issuer}
        self.stage = set_up(
            backend, node, Tick(START, None, "open", PRICES), ACTORS, cast=ACTORS, parameters=parameters
        )
        self.system = self.stage.deployment
        self.publish(PRICES)
        self.stage.trade(HOLDER, perp_sizes(HOLDER, self.stage, PRICES))
        ibm = self.ibm = self.system.underlying("IBM")
        listing = self.system.gateway.listing(token(ibm.id))
        self.manager = Contract.at(backend, "IssuerTokenManager", listing.manager)
        self.swapper = Contract.at(backend, "IssuerSwapper", listing.swapper)
        self.rough = Contract.at(backend, "SanityOracle", self.manager.sanityCheckOracle())
        self.desk = Desk(backend, ibm.token.address, listing.manager, node.keys[SIGNER])
        for _ in range(SETTLING):
            backend.warp(backend.timestamp() + 1_200)
            self.publish(CRASH)
        self.post(wad(CRASH["IBM"]))
        self.holder = self.stage.account(HOLDER)

    def post(self, price):
        self.rough.post_price(self.ibm.token, price, sender=self.stage.deployer)

    def pause(self):
        self.manager.set_paused(Side.SELL, True, sender=self.stage.deployer)

    def limit(self, notional):
        limits = Contract.at(self.backend, "RateLimiter", self.manager.ondoRateLimiter())
        limits.set_global_limit(Side.SELL, self.ibm.token, notional, 86_400, sender=self.stage.deployer)

    def publish(self, prices):
        self.backend.mine()
        ids = self.stage.underlyings(prices)
        values = {ids[symbol]: price for symbol, price in prices.items()}
        self.stage.publisher.publish(values, self.backend.timestamp(), Session.REGULAR)

    def keeper(self, redeemer=None, **policy):
        sender = self.stage.address(LIQUIDATOR)
        dry_run = policy.pop("dry_run", False)
        return Liquidator(
            self.backend,
            self.system.clearinghouse,
            self.system.engine,
            sender=sender,
            account=account_id(sender),
            policy=Policy(**policy),
            redeemer=redeemer or Redeemer(self.backend, self.system, self.desk, {self.ibm.id: "IBMon"}),
            dry_run=dry_run,
        )

    def margin(self):
        return self.system.clearinghouse.margin(self.holder)

    def told(self, contract, event):
        decoded = [
            contract.decode_log(log)
            for log in self.backend.get_logs(0, self.backend.block_number(), [contract.address])
        ]
        return [fields for name, fields in filter(None, decoded) if name == event]

    @property
    def slices(self):
        return self.told(self.system.engine, "Slice")

    @property
    def redemptions(self):
        return self.told(self.system.gateway, "Redeemed")


@pytest.fixture
def site():
    with Anvil(timestamp=START - SETTING_UP) as node:
        yield Site(node)


def test_tick__a_redemption_costs_the_account_less__redeems_and_takes_no_slice(site):
    before, own = site.margin(), site.stage.account(LIQUIDATOR)
    wallet = site.system.clearinghouse.money(own)
    (decision,) = site.keeper(redeem=True).tick()
    assert decision.action is Action.REDEEM
    assert decision.reason.startswith("cheaper for the account: redeeming costs it ")
    ((redeemed,), after) = site.redemptions, site.margin()
    assert (site.slices, redeemed["liquidation"]) == ([], True)
    assert redeemed["tokens"] == decision.redemption.tokens
    assert 0 < decision.redemption.cost() < decision.candidate.profit()
    assert after.maintenance * 109 < after.equity * 100 <= after.maintenance * 110
    assert abs(before.equity - after.equity - decision.redemption.cost()) < wad(1), "funding runs for seconds"
    assert site.system.clearinghouse.money(own).quote == wallet.quote, "who redeems earns nothing"
    site.backend.mine()
    assert site.keeper(redeem=True).tick() == []


def test_tick__without_the_policy__takes_the_profit_and_says_what_it_costs(site):
    (decision,) = site.keeper().tick()
    assert decision.action is Action.TAKE
    assert decision.reason.startswith("profitable; redeeming costs it ")
    assert (len(site.slices), site.redemptions, site.desk.given) == (1, [], [])


def test_tick__no_slice_worth_taking__redeems_without_the_policy_too(site):
    (decision,) = site.keeper(min_profit=wad(10**9)).tick()
    assert decision.action is Action.REDEEM
    assert decision.reason.startswith("no slice taken (profit too small, price can fall); ")
    assert (len(site.redemptions), site.slices) == (1, [])


def test_tick__a_wide_spread__takes_the_slice(site):
    site.desk.spread = 99
    (decision,) = site.keeper(redeem=True).tick()
    discount = decision.candidate.profit()
    worth = site.desk.asked[0].tokens * wad(CRASH["IBM"]) // WAD
    assert worth * 99 // BPS > discount, "or the test says nothing"
    assert decision.action is Action.TAKE
    assert decision.reason.startswith("profitable, no dearer for the account: ")


def test_tick__dry_run__asks_for_no_signature(site):
    (decision,) = site.keeper(redeem=True, dry_run=True).tick()
    assert (decision.action, site.desk.given, site.redemptions) == (Action.REDEEM, [], [])


# what may fail


def falls_back(site, why, **policy):
    (decision,) = site.keeper(redeem=True, **policy).tick()
    assert decision.action is Action.TAKE
    assert decision.reason == f"profitable; no redemption: {why}"
    assert (len(site.slices), site.redemptions) == (1, [])


@pytest.mark.parametrize(
    ("error", "why"),
    [
        (MarketClosed("a weekend"), "MARKET_CLOSED"),
        (MarketPaused("a change of session"), "MARKET_PAUSED"),
        (AssetPaused("halted"), "ASSET_PAUSED"),
        (AssetLimited("no inventory"), "ASSET_LIMITED"),
        (LimitReached("1.00 left"), "MAX_LIMIT_REACHED"),
        (BrokerUnreachable("broker does not answer"), "broker does not answer"),
        (BadAnswer("the quote has expired"), "the quote has expired"),
    ],
)
def test_tick__the_broker_refuses_to_sign__takes_the_slice_in_the_same_tick(site, error, why):
    site.desk.hard_refusal = error
    falls_back(site, why)


def test_tick__the_broker_names_no_price__takes_the_slice_and_asks_for_no_signature(site):
    site.desk.refusal = MarketClosed("a weekend")
    falls_back(site, "MARKET_CLOSED")
    assert site.desk.given == []


@pytest.mark.parametrize(
    ("fail", "why"),
    [
        (lambda site: setattr(site.desk, "lifetime", -1), "issuer: quote expired"),
        (
            lambda site: site.pause(),
            "issuer: redemptions paused",
        ),
        (lambda site: site.post(wad(120)), "issuer: price out of band"),
        (lambda site: site.limit(100 * WAD), "issuer: limit exceeded"),
        (lambda site: site.desk.changed.update(user_id=bytes(31) + b"\x01"), "issuer: other user"),
        (lambda site: site.desk.changed.update(quantity=WAD), "the quote is not what was asked for"),
        (lambda site: site.desk.changed.update(price=wad(91)), "the quote is not what was asked for"),
    ],
)
def test_tick__the_issuer_refuses__takes_the_slice_in_the_same_tick(site, fail, why):
    fail(site)
    falls_back(site, why)


def test_tick__the_issuers_weekend__takes_the_slice_in_the_same_tick(site):
    """Its clock may be far ahead: then its Saturday begins while the exchange is open."""
    hours = Contract.at(site.backend, "IssuanceHours", site.manager.issuanceHours())
    hours.set_timezone_offset(14 * 3_600, sender=site.stage.deployer)
    falls_back(site, "issuer: closed")


def test_tick__nothing_to_pay_with_at_the_issuer__takes_the_slice_in_the_same_tick(site):
    coin, deployer = site.system.cash, site.stage.deployer
    site.swapper.withdraw(coin, deployer, coin.balanceOf(site.swapper), sender=deployer)
    falls_back(site, "issuer: swapper empty")


def test_tick__the_gateway_not_registered__takes_the_slice_in_the_same_tick(site):
    registry = Contract.at(site.backend, "IssuerRegistry", site.manager.ondoIDRegistry())
    registry.remove(site.manager.gmIdentifier(), site.system.gateway, sender=site.stage.deployer)
    falls_back(site, "issuer: not registered")


def test_tick__disabled_at_the_gateway__takes_the_slice_and_asks_nobody(site):
    site.system.gateway.set_enabled(token(site.ibm.id), False, sender=site.stage.deployer)
    falls_back(site, "not listed at the gateway, or disabled")
    assert site.desk.asked == []


def test_tick__fails_again_and_again__asks_for_no_more_signatures(site):
    site.desk.lifetime = -1
    keeper = site.keeper(redeem=True, min_profit=wad(10**9))
    for _ in range(5):
        keeper.tick()
        site.backend.mine()
    assert len(site.desk.given) == 3
    (decision,) = keeper.tick()
    assert decision.reason.endswith("no redemption: failed 3 times in this state")


def test_tick__the_answer_to_the_send_is_lost__never_sends_the_same_quote_again(site, monkeypatch):
    send, sent = site.backend.send, []

    def lose(to, data, sender, value=0):
        sent.append(data)
        raise NodeError("the node has gone")

    keeper = site.keeper(redeem=True)
    monkeypatch.setattr(site.backend, "send", lose)
    with pytest.raises(NodeError):
        keeper.tick()
    monkeypatch.setattr(site.backend, "send", send)
    site.desk.next = 1  # a desk that gives the same again
    (decision,) = keeper.tick()
    assert len(sent) == 1
    assert decision.action is Action.TAKE
    assert decision.reason == "profitable; no redemption: the quote was used before"


# the broker's own client, and the command


def test_at_broker__that_is_gone__takes_the_slice_in_the_same_tick(site):
    """Whom to believe it has read from the gateway and the issuer."""
    url = f"http://127.0.0.1:{free_port()}"
    signer = Account.from_key(site.desk.key).address
    keeper = site.keeper(redeem=True, redeemer=Redeemer.at_broker(site.backend, site.system, url, "key", signer))
    (decision,) = keeper.tick()
    assert decision.action is Action.TAKE
    assert decision.reason.startswith("profitable; no redemption: 127.0.0.1 does not answer: ")


def test_at_broker__an_issuer_that_does_not_know_the_gateway__says_who_must_act(site):
    registry = Contract.at(site.backend, "IssuerRegistry", site.manager.ondoIDRegistry())
    registry.remove(site.manager.gmIdentifier(), site.system.gateway, sender=site.stage.deployer)
    with pytest.raises(PrimePerpsError, match="does not know the gateway: it must register it first"):
        Redeemer.at_broker(site.backend, site.system, "http://127.0.0.1:1", "key", site.manager.address)


def test_command__a_broker_that_is_gone__takes_the_slice(site, tmp_path, monkeypatch):
    manifest = tmp_path / "local.json"
    site.system.save(manifest)
    monkeypatch.setenv("PRIME_PERPS_KEY", site.stage.keys[LIQUIDATOR.name].key.hex())
    monkeypatch.setenv("PRIME_PERPS_BROKER_KEY", "key")
    options = ["liquidator", "--url", site.backend.url, "--deployment", str(manifest), "--once", "--redeem"]
    told = CliRunner().invoke(cli, options)
    assert (told.exit_code, "--redeem needs a --broker to ask for quotes" in told.output) == (2, True)
    options += ["--broker", f"http://127.0.0.1:{free_port()}"]
    told = CliRunner().invoke(cli, options)
    assert told.exit_code == 1
    assert "--broker needs the address of its --broker-signer" in told.output
    told = CliRunner().invoke(cli, [*options, "--broker-signer", Account.from_key(site.desk.key).address])
    assert told.exit_code == 0
    assert (len(site.slices), site.redemptions) == (1, [])


# netting


def test_tick__a_slice_that_nets_with_own_short__costs_nothing_to_unwind(site):
    """Too dear to trade away, it is worth having for who is short as much."""
    sender, dear = site.stage.address(LIQUIDATOR), Policy(unwind_cost=1_000)

    def keeper():
        book, engine = site.system.clearinghouse, site.system.engine
        own = account_id(sender)
        return Liquidator(
            site.backend, book, engine, sender=sender, account=own, policy=dear, dry_run=True, lens=site.system.lens
        )

    (alone,) = keeper().tick()
    assert (alone.action, alone.reason) == (Action.START, "profit too small, price can fall")
    site.stage.trade(LIQUIDATOR, {site.ibm.id: -4_000 * NANO})
    (netted,) = keeper().tick()
    assert (netted.action, netted.reason) == (Action.TAKE, "profitable, nets with own risk")
    assert netted.profit == netted.candidate.profit()
