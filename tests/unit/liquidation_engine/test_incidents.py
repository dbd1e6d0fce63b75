"""What has emptied other exchanges, tried here. Each test is named after its incident."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest

from prime_perps import reports
from prime_perps.accounts import CASH, Permission, account_id
from prime_perps.chain import Contract
from prime_perps.errors import Revert
from prime_perps.units import BPS, WAD, nano, wad
from tests.stage import UNLIMITED, Stage, account, address
from tests.unit.exchange.conftest import FOREVER, Floor, Reenterer, deployed_reenterer

from .conftest import Auctions

DUST = 10**11  # wad; a slice cuts sizes at 1e-9 units, of 100 USD each
ROUNDING = 10**6  # wei that are taken beyond a loss
SECOND = account("attacker", 1)
HOSTILE = 128  # a further issuer's token, which stands for AAPL
EVERYTHING = Permission.TRADE | Permission.DEPOSIT | Permission.WITHDRAW | Permission.LIQUIDATE


@pytest.fixture(scope="module")
def _market() -> Stage:
    stage = Stage.deployed()
    stage.fund("maker", "400000000")
    return stage


@pytest.fixture
def market(_market: Stage) -> Iterator[Stage]:
    """The system with its own risk table, fees and limits, and a maker of much money."""
    with _market.undone():
        yield _market


# Mango, October 2022


def _attackers(market: Stage) -> None:
    for sub in (0, 1):
        market.fund("attacker", "10000", sub=sub)


def _trade_with_himself(market: Stage, size: str, price: str) -> None:
    order = market.order("attacker", "NVDA", f"-{size}", price, account=SECOND)
    market.system.exchange.fill(order, account("attacker"), nano(size), UNLIMITED, sender=address("attacker"))


def _worth(stage: Stage, *accounts: int) -> int:
    return sum(int(stage.system.clearinghouse.margin(who).equity) for who in accounts)


def test_Mango_2022__two_accounts_of_one_owner_trade_far_from_the_oracle__is_refused(market: Stage) -> None:
    """One actor sold himself a thin perp ever dearer. Here no fill is outside the band around the oracle."""
    _attackers(market)
    highest = market.index("NVDA") * 105 // 100
    with pytest.raises(Revert, match=r"^trade: price outside band$"):
        _trade_with_himself(market, "100", "147.000000000000000001")
    _trade_with_himself(market, "100", str(highest // WAD))


def test_Mango_2022__two_accounts_of_one_owner_trade_within_the_band__lose_the_fees(market: Stage) -> None:
    """His purchases made his own profit. Here only the oracle marks: what one account gains the other loses."""
    _attackers(market)
    before = _worth(market, account("attacker"), SECOND)
    _trade_with_himself(market, "100", "147")
    fees = wad(14_700) * 5 // 10_000
    assert before - _worth(market, account("attacker"), SECOND) == fees
    assert market.margin("attacker").perp_value == 100 * market.index("NVDA")
    assert market.margin("attacker").equity < wad(10_000) - wad(700)


def test_Mango_2022__oracle_pumped__nothing_more_can_be_withdrawn_at_once(market: Stage) -> None:
    """He borrowed against the pumped profit within minutes. Here initial margin is to be met at the slow price too."""
    market.fund("attacker", "10000")
    market.trade("maker", "attacker", "NVDA", "200")
    margin = market.margin("attacker")
    one_more = str((margin.equity - margin.initial) // WAD + 1)
    with pytest.raises(Revert, match=r"^risk: below initial$"):
        market.withdraw("attacker", one_more)

    market.publish(NVDA="210")
    pumped = market.margin("attacker")
    assert pumped.equity - pumped.initial > wad(one_more) + wad(5_000)
    with pytest.raises(Revert, match=r"^risk: below initial$"):
        market.withdraw("attacker", one_more)


# YFI on dYdX, November 2023


def test_YFI_2023__all_of_a_thin_market_in_one_hand__stops_at_the_open_interest_cap(market: Stage) -> None:
    """A thin market's open interest grew in one hand and drained insurance. Here it ends at the cap, for all."""
    for role in ("attacker", "accomplice"):
        market.fund(role, "150000000")
    cap = market.system.clearinghouse.market(market.id("NVDA")).open_interest_cap
    market.trade("maker", "attacker", "NVDA", "1000000")
    assert market.position("attacker", "NVDA").size == cap
    for role in ("attacker", "accomplice"):
        with pytest.raises(Revert, match=r"^trade: open interest cap$"):
            market.trade("maker", role, "NVDA", "0.000000001")


def test_YFI_2023__larger_position__needs_more_margin_for_each_unit(market: Stage) -> None:
    """Margin was as low for a market's worth as for a lot. Here the size charge makes each further unit dearer."""
    market.fund("attacker", "150000000")
    each = []
    for units in (1_000, 100_000, 500_000):
        more = units - market.position("attacker", "NVDA").size // 10**9
        market.trade("maker", "attacker", "NVDA", str(more))
        each.append(market.margin("attacker").maintenance / units)
    small, middle, large = each
    assert middle > small * 1.01
    assert large > middle * 1.05


def test_YFI_2023__large_position_fails__is_sold_no_faster_than_the_throttle(market: Stage) -> None:
    """The whole position was thrown on the market at once. Here one window sells a piece of it."""
    market.fund("attacker", "60000000")
    market.fund("keeper", "200000000")
    market.trade("maker", "attacker", "NVDA", "1000000")
    market.publish(NVDA="100")
    market.settle_slow_prices()
    engine, book = market.system.engine, market.system.clearinghouse
    number = account("attacker")
    assert 0 < market.margin("attacker").equity < market.margin("attacker").maintenance
    cap = engine.throttle(market.id("NVDA")).cap
    assert cap < wad(10_000_000)
    before = market.position("attacker", "NVDA").size
    state = book.state_counter(number)
    engine.take(number, account("keeper"), WAD, WAD, state, sender=address("keeper"))
    sold = (before - market.position("attacker", "NVDA").size) * 100 * 10**9
    assert 0 < sold <= cap
    with pytest.raises(Revert, match=r"^engine: throttled$"):
        engine.take(number, account("keeper"), WAD, WAD, book.state_counter(number), sender=address("keeper"))


# JELLY on Hyperliquid, March 2025


def _take_himself(auctions: Auctions) -> None:
    holder, sub = account("holder"), account("holder", 1)
    auctions.engine.take(holder, sub, WAD, WAD, auctions.state(), sender=address("holder"))


@pytest.mark.parametrize("share", [0, 1_000, BPS])
@pytest.mark.parametrize("waited", [0, 600, 4_200])
def test_JELLY_2025__own_slice_from_a_second_account__gains_nothing(
    auctions: Auctions, share: int, waited: int
) -> None:
    """A holder let the backstop inherit a position he then squeezed. Here he may take it himself, and is no richer."""
    auctions.engine.set_terms(auctions.engine.terms()._replace(insurance_share=share), sender=auctions.timelock)
    auctions.distress("8000", "10000")
    auctions.stage.fund("holder", "50000", sub=1)
    if waited:
        auctions.start()
        auctions.attend(waited)
    both = (account("holder"), account("holder", 1))
    before = _worth(auctions.stage, *both)
    _take_himself(auctions)
    gained = _worth(auctions.stage, *both) - before
    assert gained <= DUST
    assert gained == pytest.approx(0, abs=DUST) if share == 0 else gained < -wad(1)


def test_JELLY_2025__own_insolvent_slice__is_paid_its_loss_and_no_more(auctions: Auctions) -> None:
    """The loss he left behind was somebody else's gift. Here the second account takes the loss with its payment."""
    auctions.insure("50000")
    auctions.distress("-5000", "10000")
    auctions.stage.fund("holder", "50000", sub=1)
    before = _worth(auctions.stage, account("holder", 1))
    _take_himself(auctions)
    assert _worth(auctions.stage, account("holder", 1)) <= before + DUST


def test_JELLY_2025__taker_without_margin__inherits_nothing(auctions: Auctions) -> None:
    """The backstop inherited a position it had no choice about. Here who takes a slice meets initial margin with it."""
    auctions.distress("8000", "10000")
    auctions.stage.fund("holder", "1", sub=1)
    with pytest.raises(Revert, match=r"^risk: below initial$"):
        _take_himself(auctions)


def test_JELLY_2025__holder_under_water__takes_no_equity_out(auctions: Auctions) -> None:
    """He took his margin out and left the position to others. Here nothing leaves an account below initial margin."""
    auctions.distress("8000", "10000")
    with pytest.raises(Revert, match=r"^risk: below initial$"):
        auctions.stage.withdraw("holder", "0.000001")
    auctions.take()
    with pytest.raises(Revert, match=r"^risk: below initial$"):
        auctions.stage.withdraw("holder", "0.000001")


# 10 October 2025


def test_10_October_2025__others_insolvent__hedges_stay_as_they_are__LQ_2(auctions: Auctions) -> None:
    """Auto-deleveraging closed one leg of hedged books. Here a loss is shared in cash and no position is touched."""
    stage = auctions.stage
    stage.fund("hedger", "100000")
    stage.fund_stock("hedger", "AAPL", "100")
    stage.trade("maker", "hedger", "AAPL", "-100")
    stage.trade("maker", "hedger", "SPY", "-50")
    auctions.distress("-5000", "10000")

    def books() -> list[object]:
        lines = [stage.position(role, symbol) for role in ("hedger", "maker") for symbol in ("AAPL", "SPY")]
        return [*lines, *(auctions.book.holdings(account(role)) for role in ("hedger", "maker"))]

    before, worth = books(), stage.margin("hedger").equity
    assert auctions.one("LossRecorded", auctions.take())["socialised"] > 0
    assert books() == before
    # of 5,000, what 100,000 of 102,000,000 bears
    assert worth - stage.margin("hedger").equity == pytest.approx(wad(5), rel=0.05)


def test_10_October_2025__venue_trades_low__collateral_is_worth_the_oracles_price(auctions: Auctions) -> None:
    """Collateral was marked by one venue's own thin book. Here no trade of this venue moves what anything is worth."""
    stage = auctions.stage
    stage.fund_stock("hedger", "AAPL", "100")
    stage.fund("taker", "10000")
    before = stage.margin("hedger")
    stage.trade("maker", "taker", "AAPL", "-100", price="142.5")
    assert stage.margin("hedger") == before
    assert before.token_value == 100 * stage.index("AAPL")


# CH_IIC in Perpetual Protocol v2


@pytest.mark.parametrize("fraction", [WAD // 4, WAD])
def test_CH_IIC__insurance_empty__the_insolvent_are_liquidated_all_the_same__LQ_2(
    auctions: Auctions, fraction: int
) -> None:
    """Liquidation reverted where insurance was short. Here the slice is taken, and all cash bears the loss."""
    auctions.distress("-5000", "10000")
    assert auctions.cash(auctions.insurance) == 0
    loss = wad(5_000) * fraction // WAD
    told = auctions.one("LossRecorded", auctions.take(fraction))
    assert (told["loss"], told["socialised"]) == (loss, loss + ROUNDING)
    assert auctions.engine.uncovered_loss() == 0
    assert auctions.stage.margin("holder").equity == pytest.approx(loss - wad(5_000), abs=DUST)


# GMX v1, July 2025

Call = Callable[[Auctions, int], tuple[Contract, bytes]]


def _deposit(auctions: Auctions, who: int) -> tuple[Contract, bytes]:
    vault = auctions.stage.system.vault
    return vault, vault.deposit.encode(who, CASH, 1_000 * 10**6)


def _withdraw(auctions: Auctions, who: int) -> tuple[Contract, bytes]:
    vault = auctions.stage.system.vault
    return vault, vault.withdraw.encode(who, CASH, 1_000 * 10**6, address("attacker"))


def _fill(auctions: Auctions, who: int) -> tuple[Contract, bytes]:
    exchange = auctions.stage.system.exchange
    order = auctions.stage.order("maker", "AAPL", "-20", "145")
    return exchange, exchange.fill.encode(order, who, nano("20"), UNLIMITED)


def _settle(auctions: Auctions, who: int) -> tuple[Contract, bytes]:
    return auctions.book, auctions.book.settle.encode(who)


def _refresh(auctions: Auctions, who: int) -> tuple[Contract, bytes]:
    oracle = auctions.stage.oracle
    return oracle, oracle.refresh.encode([auctions.stage.id("AAPL"), auctions.stage.id("SPY")])


def _start(auctions: Auctions, who: int) -> tuple[Contract, bytes]:
    return auctions.engine, auctions.engine.start.encode(account("holder"))


def _take(auctions: Auctions, who: int) -> tuple[Contract, bytes]:
    return auctions.engine, auctions.engine.take.encode(account("holder"), who, WAD, WAD, auctions.state())


def _submit(auctions: Auctions, who: int) -> tuple[Contract, bytes]:
    stage = auctions.stage
    stage.warp(1)
    signed = reports.sign_all(stage.report("AAPL"), stage.reporters(), 1, stage.oracle.address)
    return stage.oracle, stage.oracle.submit.encode([signed])


CALLS: dict[str, Call] = {
    "vault.deposit": _deposit,
    "vault.withdraw": _withdraw,
    "exchange.fill": _fill,
    "clearinghouse.settle": _settle,
    "oracle.refresh": _refresh,
    "oracle.submit": _submit,
    "engine.start": _start,
    "engine.take": _take,
}
WRITES = {name: call for name, call in CALLS.items() if call is not _refresh}
NEEDS_MARGIN = {"exchange.fill": _fill, "engine.take": _take}


@pytest.fixture
def hostile(auctions: Auctions) -> Contract:
    """The attacker's token, listed, and everything it takes to act for him; somebody is liquidatable."""
    stage = auctions.stage
    token = Contract.deploy(stage.backend, "HostileToken", 18, sender=address("attacker"))
    stage.govern(stage.system.configurator.list_other_token, HOSTILE, stage.id("AAPL"), WAD)
    stage.govern(stage.system.vault.list_asset, HOSTILE, token, 10**24)
    token.mint(address("attacker"), 1_000 * WAD, sender=address("attacker"))
    cash, vault = stage.system.cash, stage.system.vault
    cash.mint(token, 10_000 * 10**6, sender=address("deployer"))
    _call(token, cash, cash.approve.encode(vault, UNLIMITED))
    operator = (account("attacker"), token.address, EVERYTHING, FOREVER)
    stage.system.operators.set_operator(*operator, sender=address("attacker"))
    auctions.distress("8000", "10000")
    return token


def _call(token: Contract, target: Contract, data: bytes) -> None:
    """As the token, from outside of everything."""
    token.arm(target, data, sender=address("attacker"))
    token.transfer(address("attacker"), 0, sender=address("attacker"))
    assert token.reentry_succeeded()


def _move(auctions: Auctions, entry: str, amount: int) -> None:
    vault, who = auctions.stage.system.vault, address("attacker")
    if entry == "deposit":
        vault.deposit(account("attacker"), HOSTILE, amount, sender=who)
    else:
        vault.withdraw(account("attacker"), HOSTILE, amount, who, sender=who)


def _fortune(auctions: Auctions, *owners: str) -> int:
    """Accounts and cash of some owners, wad."""
    cash = sum(int(auctions.stage.system.cash.balanceOf(owner)) for owner in owners)
    return _worth(auctions.stage, *(account_id(owner) for owner in owners)) + cash * 10**12


@pytest.mark.parametrize("entry", ["deposit", "withdraw"])
@pytest.mark.parametrize("call", CALLS.values(), ids=CALLS)
def test_GMX_2025__token_calls_any_entry_in_its_transfer__gains_nothing_by_when_it_does(
    auctions: Auctions, hostile: Contract, call: Call, entry: str
) -> None:
    """A callback re-entered a half-written book. Here a call from inside brings what it would have before."""
    auctions.stage.fund("attacker", "100000")
    _move(auctions, "deposit", 100 * WAD)
    target, data = call(auctions, account("attacker"))
    with auctions.stage.undone():
        _call(hostile, target, data)
        _move(auctions, entry, 50 * WAD)
        honest = _fortune(auctions, address("attacker"), hostile.address)
    idle = _fortune(auctions, address("attacker"), hostile.address)
    idle += wad(50 * 150) * (1 if entry == "deposit" else -1)
    hostile.arm(target, data, sender=address("attacker"))
    _move(auctions, entry, 50 * WAD)
    done = hostile.reentry_succeeded()
    assert done == (target is not auctions.stage.system.vault)
    assert _fortune(auctions, address("attacker"), hostile.address) == (honest if done else idle)


@pytest.mark.parametrize("entry", ["deposit", "withdraw"])
@pytest.mark.parametrize("call", NEEDS_MARGIN.values(), ids=NEEDS_MARGIN)
def test_GMX_2025__tokens_on_their_way__are_margin_for_nothing__CH_4(
    auctions: Auctions, hostile: Contract, call: Call, entry: str
) -> None:
    """The book still showed what was leaving already. Here a token that moves either way is not margin meanwhile."""
    target, data = call(auctions, account("attacker"))
    if entry == "withdraw":
        _move(auctions, "deposit", 200 * WAD)
        with auctions.stage.undone():
            _call(hostile, target, data)
    hostile.arm(target, data, sender=address("attacker"))
    _move(auctions, entry, 200 * WAD)
    assert not hostile.reentry_succeeded()
    assert auctions.book.position(account("attacker"), auctions.stage.id("AAPL")).size == 0
    assert auctions.book.position(account("attacker"), auctions.stage.id("SPY")).size == 0


@pytest.fixture
def signer(auctions: Auctions) -> Reenterer:
    """A wallet of the attacker's with money, which calls somewhere when asked; somebody is liquidatable."""
    auctions.distress("8000", "10000")
    made = deployed_reenterer(Floor(auctions.stage))
    cash, wallet = auctions.stage.system.cash, made.contract
    cash.mint(wallet, 10_000 * 10**6, sender=address("deployer"))
    wallet.call(cash, cash.approve.encode(auctions.stage.system.vault, UNLIMITED), sender=address("attacker"))
    return made


def _ask(auctions: Auctions, signer: Reenterer) -> None:
    """The keeper buys AAPL of the wallet."""
    exchange, keeper = auctions.stage.system.exchange, account("keeper")
    exchange.fill(signer.order(), keeper, nano("10"), UNLIMITED, sender=address("keeper"))


@pytest.mark.parametrize("call", WRITES.values(), ids=WRITES)
def test_GMX_2025__signer_calls_any_entry_when_asked__can_write_nothing(
    auctions: Auctions, signer: Reenterer, call: Call
) -> None:
    """Whoever is called in the middle can call back. Here a wallet asked for its signature may only look."""
    target, data = call(auctions, signer.account)
    with auctions.stage.undone():
        signer.contract.call(target, data, sender=address("attacker"))
    signer.on_asked(target, data, insist=True)
    with pytest.raises(Revert, match=r"^orders: bad signature$"):
        _ask(auctions, signer)


@pytest.mark.parametrize("call", CALLS.values(), ids=CALLS)
def test_GMX_2025__signer_calls_any_entry_when_asked__changes_nothing_of_its_trade(
    auctions: Auctions, signer: Reenterer, call: Call
) -> None:
    """Whatever a wallet tries while it is asked, its trade is the one it would have been without."""
    target, data = call(auctions, signer.account)
    wallet = signer.contract.address

    def after() -> tuple[object, ...]:
        _ask(auctions, signer)
        fortunes = [_fortune(auctions, who) for who in (wallet, address("attacker"), address("keeper"))]
        return *fortunes, auctions.state(), auctions.auction(), auctions.book.position(signer.account, 0)

    with auctions.stage.undone():
        signer.on_asked(auctions.book, auctions.book.money.encode(signer.account), insist=True)
        nonce = auctions.stage.nonce
        honest = after()
    auctions.stage.nonce = nonce
    signer.on_asked(target, data, insist=False)
    assert after() == honest
