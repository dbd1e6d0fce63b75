"""The maker's quotes: around the index price, never under a dead price, leaning against its position."""

from __future__ import annotations

from decimal import Decimal

import pytest

from prime_perps.errors import Revert
from prime_perps.keepers.maker import Maker, QuotePolicy
from prime_perps.reports import Session
from prime_perps.units import NANO, PIPS, WAD, wad
from tests.stage import Stage, account, address, key

HALF_SPREAD = 10
MAKER_FEE = 100  # pips
POLICY = QuotePolicy(size=wad(100_000), half_spread=HALF_SPREAD, lean=20, limit=wad(50_000), lifetime=60)


@pytest.fixture(scope="module")
def deployed():
    stage = Stage.deployed()
    stage.fund("maker", "1000000")
    stage.fund("taker", "1000000")
    return stage


@pytest.fixture
def stage(deployed):
    with deployed.undone() as undone:
        undone.publish()
        yield undone


def maker(stage, policy=POLICY):
    system = stage.system
    return Maker(system.exchange, system.clearinghouse, system.oracle, key("maker"), account("maker"), policy)


def bid_and_ask(stage, symbol="AAPL", policy=POLICY):
    quotes = maker(stage, policy).quote([stage.id(symbol)])
    bids = [quote.order for quote in quotes if quote.order.size > 0]
    asks = [quote.order for quote in quotes if quote.order.size < 0]
    return bids[0] if bids else None, asks[0] if asks else None


def off_index(stage, order, symbol="AAPL"):
    """How far an order's price is from the index, bps."""
    index = stage.index(symbol)
    return Decimal(order.price - index) * 10_000 / index


def test_quote__live_price__two_sides_at_the_half_spread(stage):
    bid, ask = bid_and_ask(stage)
    assert (off_index(stage, bid), off_index(stage, ask)) == (-HALF_SPREAD, HALF_SPREAD)
    assert bid.size == -ask.size == POLICY.size * NANO // stage.index("AAPL")
    assert bid.expiry == stage.now() + POLICY.lifetime
    assert bid.nonce != ask.nonce


def test_quote__oracle_less_sure_than_the_spread__quotes_as_wide_as_the_oracle(stage):
    bid, ask = bid_and_ask(stage, policy=QuotePolicy(half_spread=1))
    assert -off_index(stage, bid) == off_index(stage, ask) == 5  # the floor of a regular session


def test_quote__filled_by_a_taker__is_accepted_by_the_exchange(stage):
    quotes = maker(stage).quote([stage.id("AAPL"), stage.id("IBM")])
    assert len(quotes) == 4
    for quote in quotes:
        size = NANO if quote.order.size > 0 else -NANO
        stage.system.exchange.fill(quote, account("taker"), -size, quote.order.price, sender=address("taker"))
    assert stage.position("maker", "AAPL").size == 0


def test_quote__crossed_by_a_matcher__is_never_the_taker(stage):
    """Or a matcher could have the maker pay the taker's fee, at somebody else's price."""
    for quote in maker(stage).quote([stage.id("AAPL")]):
        size, price = ("-1", "149") if quote.order.size > 0 else ("1", "151")
        other = stage.order("taker", "AAPL", size, price)
        with pytest.raises(Revert, match="orders: post only"):
            stage.system.exchange.match_orders(other, quote, NANO, sender=address("keeper"))
        stage.system.exchange.match_orders(quote, other, NANO, sender=address("keeper"))
    fees = 2 * stage.index("AAPL") * MAKER_FEE // PIPS  # one sold, one bought, ten bps to either side of the index
    spread = 2 * stage.index("AAPL") * 10 // 10_000
    assert stage.money("maker") == (wad(1_000_000), spread - fees)


def test_quote__long_maker__both_prices_come_down(stage):
    stage.trade("maker", "taker", "AAPL", "-100")  # 15,000 of a limit of 50,000: 30 % of the lean of 20 bps
    bid, ask = bid_and_ask(stage)
    assert (off_index(stage, bid), off_index(stage, ask)) == (-16, 4)


def test_quote__short_maker__both_prices_go_up(stage):
    stage.trade("maker", "taker", "AAPL", "100")
    bid, ask = bid_and_ask(stage)
    assert (off_index(stage, bid), off_index(stage, ask)) == (-4, 16)


@pytest.mark.parametrize(("taken", "sides"), [("-400", (False, True)), ("400", (True, False))])
def test_quote__position_at_its_limit__only_the_reducing_side(stage, taken, sides):
    stage.trade("maker", "taker", "AAPL", taken)
    assert tuple(side is not None for side in bid_and_ask(stage)) == sides


def test_quote__price_old__nothing(stage):
    stage.warp(3_600)
    assert maker(stage).quote([stage.id("AAPL")]) == []


def test_quote__exchange_closed__nothing_for_its_stocks(stage):
    stage.sessions["AAPL"] = Session.CLOSED
    stage.publish()
    assert {quote.order.market for quote in maker(stage).quote([stage.id("AAPL"), stage.id("IBM")])} == {
        stage.id("IBM")
    }


def test_quote__underlying_halted__nothing(stage):
    stage.oracle.set_halt(stage.id("AAPL"), True, sender=address("guardian"))
    assert maker(stage).quote([stage.id("AAPL")]) == []


def test_quote__event_in_sight__quotes_on(stage):
    """An announced earnings night raises margins; nobody could trade on the day before it if makers fell silent."""
    start = stage.now() + 3 * 3_600
    stage.oracle.post_event(stage.id("AAPL"), start, start + 3_600, sender=address("calendar keeper"))
    assert all(bid_and_ask(stage))


def test_quote__no_price_ever__nothing(stage):
    assert maker(stage).quote([63]) == []


def test_quote__restarted_later__uses_no_nonce_twice(stage):
    first = {quote.order.nonce for quote in maker(stage).quote([stage.id("AAPL")])}
    stage.warp(10)
    stage.publish()
    second = {quote.order.nonce for quote in maker(stage).quote([stage.id("AAPL")])}
    assert not first & second


def test_maker__nonce_floor_in_the_future__starts_above_it(stage):
    floor = stage.now() + 10**6
    stage.system.exchange.raise_nonce_floor(account("maker"), floor, sender=address("maker"))
    bid, _ = bid_and_ask(stage)
    assert bid.nonce >= floor


def test_offer__any_size_and_price__is_signed_for_the_account(stage):
    signed = maker(stage).offer(stage.id("AAPL"), -5 * NANO, 150 * WAD, lifetime=5)
    order = signed.order
    assert (order.account, order.size, order.expiry) == (account("maker"), -5 * NANO, stage.now() + 5)
    assert (order.post_only, order.reduce_only) == (True, False)
    stage.system.exchange.fill(signed, account("taker"), 5 * NANO, 150 * WAD, sender=address("taker"))
