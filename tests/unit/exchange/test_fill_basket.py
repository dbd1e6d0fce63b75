"""fill_basket: several markets under one signature, whole or by fractions, each account's margin checked once."""

from __future__ import annotations

from dataclasses import replace

import pytest
from eth_account import Account
from eth_account.messages import encode_typed_data
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from prime_perps import orders
from prime_perps.accounts import Permission
from prime_perps.errors import Revert
from prime_perps.orders import Basket, Leg, SignedBasket
from prime_perps.units import NANO, WAD, wad
from tests.stage import account, address, key

from .conftest import CURVE_ORDER, DEAR, Answer, Floor, Reenterer, Wallet, digest, taker_fee

SYMBOLS = ("AAPL", "NVDA", "MSFT", "GOOG", "SPY")
ALL = 16


def _with(floor: Floor, signed: SignedBasket, **changed: object) -> SignedBasket:
    """Another basket, signed by the maker again."""
    return floor.stage.signed_basket("maker", replace(signed.basket, **changed))


def _legs(signed: SignedBasket, **changed: int) -> tuple[Leg, ...]:
    """With something else about the second leg."""
    first, second = signed.basket.legs
    return first, replace(second, **changed)


# what is booked


def test_fill_basket__whole__books_every_leg_at_its_price(floor: Floor) -> None:
    signed = floor.basket(prices={"AAPL": "151", "IBM": "109"})
    receipt = floor.fill_basket(signed)
    assert floor.sizes("maker") == (10 * NANO, -20 * NANO)
    assert floor.sizes() == (-10 * NANO, 20 * NANO)
    assert floor.stage.money("taker").quote == (1_510 - 2_180) * WAD - taker_fee(1_510 + 2_180)
    assert floor.basket_filled(signed) == WAD
    told = {"basket_hash": digest(floor, signed.basket), "fraction": WAD}
    assert list(floor.exchange.events(receipt)) == [("BasketFilled", told)]


def test_fill_basket__is_what_its_legs_as_orders_are(floor: Floor) -> None:
    """To the last digit, fees included: the basket is the maker in all of them."""
    signed = floor.basket(prices={"AAPL": "151.77", "IBM": "109.13"})
    with floor.stage.undone():
        for symbol, size, price in (("AAPL", "-10", "151.77"), ("IBM", "20", "109.13")):
            fill = floor.take(symbol, size, price=price)
            floor.exchange.fill(fill.maker, account("taker"), fill.size, fill.limit, sender=address("taker"))
        apart = floor.stage.margin("maker"), floor.stage.margin("taker")
    floor.fill_basket(signed)
    assert (floor.stage.margin("maker"), floor.stage.margin("taker")) == apart


def test_fill_basket__as_many_legs_as_there_may_be__are_booked(floor: Floor) -> None:
    """Of the seven markets of the stage."""
    legs = dict.fromkeys(("AAPL", "IBM", "MSFT", "GOOG", "NVDA", "SPY", "BTC"), "0.01")
    floor.fill_basket(floor.basket(legs=legs))
    assert floor.sizes(symbols=tuple(legs)) == (-(10**7),) * 7


@pytest.mark.parametrize(("count", "reason"), [(ALL, r"^trade: market not listed$"), (ALL + 1, r"^no reason")])
def test_fill_basket__more_legs_than_sixteen__cannot_be_asked_for(floor: Floor, count: int, reason: str) -> None:
    legs = tuple(Leg(40 + number, NANO, WAD) for number in range(count))
    with pytest.raises(Revert, match=reason):
        floor.fill_basket(_with(floor, floor.basket(), legs=legs))


def test_fill_basket__one_leg_outside_the_band__books_none(floor: Floor) -> None:
    signed = floor.basket(prices={"IBM": "115.51"})
    with pytest.raises(Revert, match=r"^trade: price outside band$"):
        floor.fill_basket(signed)
    assert floor.sizes() == (0, 0)
    assert floor.basket_filled(signed) == 0


def test_fill_basket__price_beyond_everything__is_outside_the_band(floor: Floor) -> None:
    signed = floor.basket()
    with pytest.raises(Revert, match=r"^trade: price outside band$"):
        floor.fill_basket(_with(floor, signed, legs=_legs(signed, price=2**256 - 1)))


def test_fill_basket__one_market_halted__only_reduces_there(floor: Floor) -> None:
    floor.fill_basket(floor.basket(legs={"AAPL": "5"}))
    floor.stage.oracle.set_halt(floor.stage.id("AAPL"), True, sender=address("guardian"))
    for size in ("1", "-6"):
        with pytest.raises(Revert, match=r"^trade: reduce only$"):
            floor.fill_basket(floor.basket(legs={"AAPL": size, "IBM": "1"}))
    floor.fill_basket(floor.basket(legs={"AAPL": "-5", "IBM": "1"}))


def test_fill_basket__trading_paused__reverts(floor: Floor) -> None:
    floor.stage.system.configurator.set_paused(1, sender=address("guardian"))
    with pytest.raises(Revert, match=r"^settings: paused$"):
        floor.fill_basket(floor.basket())


# what is no basket


def test_fill_basket__no_legs__reverts(floor: Floor) -> None:
    with pytest.raises(Revert, match=r"^baskets: bad legs$"):
        floor.fill_basket(_with(floor, floor.basket(), legs=()))


@pytest.mark.parametrize("market", [0, 2**256 - 1])
def test_fill_basket__markets_that_do_not_rise__reverts(floor: Floor, market: int) -> None:
    signed = floor.basket()
    legs = _legs(signed, market=market)
    with pytest.raises(Revert, match=r"^baskets: bad legs$"):
        floor.fill_basket(_with(floor, signed, legs=legs))
    with pytest.raises(Revert, match=r"^baskets: bad legs$"):
        floor.fill_basket(_with(floor, signed, legs=signed.basket.legs[::-1]))


@pytest.mark.parametrize("size", [0, 2**79, -(2**79), -(2**255)])
def test_fill_basket__leg_of_a_size_that_cannot_be__reverts(floor: Floor, size: int) -> None:
    signed = floor.basket()
    with pytest.raises(Revert, match=r"^orders: bad size$"):
        floor.fill_basket(_with(floor, signed, legs=_legs(signed, size=size)))


@pytest.mark.parametrize("size", [2**79 - 1, 1 - 2**79])
def test_fill_basket__legs_as_large_as_a_position__are_taken_from(floor: Floor, size: int) -> None:
    signed = floor.basket()
    large = _with(floor, signed, legs=(replace(signed.basket.legs[0], size=size),), partial=True)
    floor.fill_basket(large, 10**5)
    assert floor.sizes("maker")[0] == (1 if size > 0 else -1) * ((2**79 - 1) * 10**5 // WAD)


# fractions


@pytest.mark.parametrize("fraction", [0, 1, WAD - 1, WAD + 1, 2**256 - 1])
def test_fill_basket__all_or_nothing__is_not_filled_otherwise(floor: Floor, fraction: int) -> None:
    signed = floor.basket()
    with pytest.raises(Revert, match=r"^baskets: all or nothing$"):
        floor.fill_basket(signed, fraction)
    floor.fill_basket(signed)
    with pytest.raises(Revert, match=r"^orders: nonce used$"):
        floor.fill_basket(signed)


def test_fill_basket__in_parts__until_it_is_done(floor: Floor) -> None:
    signed = floor.basket(partial=True)
    for fraction, taker in ((WAD // 4, "taker"), (WAD // 2, "holder"), (WAD // 4, "taker")):
        floor.fill_basket(signed, fraction, taker=taker)
    assert floor.sizes() == floor.sizes("holder") == (-5 * NANO, 10 * NANO)
    with pytest.raises(Revert, match=r"^orders: nonce used$"):
        floor.fill_basket(signed, 1)


@pytest.mark.parametrize("before", [0, WAD // 3, WAD - 1])
@pytest.mark.parametrize("more", [1, WAD, 2**256 - 1 - WAD])
def test_fill_basket__more_than_is_left__reverts(floor: Floor, before: int, more: int) -> None:
    signed = floor.basket(partial=True)
    if before:
        floor.fill_basket(signed, before)
    with pytest.raises(Revert, match=r"^orders: overfilled$"):
        floor.fill_basket(signed, WAD - before + more)
    floor.fill_basket(signed, WAD - before)
    assert floor.sizes("maker") == (10 * NANO, -20 * NANO)


@pytest.mark.parametrize("fraction", [0, 1, 10**8 - 1])
def test_fill_basket__part_of_a_leg_that_is_nothing__reverts(floor: Floor, fraction: int) -> None:
    signed = floor.basket(partial=True)
    with pytest.raises(Revert, match=r"^orders: bad size$"):
        floor.fill_basket(signed, fraction)
    floor.fill_basket(signed, 10**8)
    assert floor.sizes("maker") == (1, -2)


LEGS = st.dictionaries(
    st.sampled_from(SYMBOLS),
    st.builds(lambda size, side: size * side, st.integers(1, 20) | st.integers(1, 10 * NANO), st.sampled_from((1, -1))),
    min_size=1,
)
FRACTIONS = st.lists(st.integers(0, WAD) | st.integers(0, 10).map(lambda tenths: tenths * WAD // 10), max_size=6)


@given(legs=LEGS, fractions=FRACTIONS)
@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_fill_basket__any_parts__never_exceed_a_leg_and_sum_to_it(
    floor: Floor, legs: dict[str, int], fractions: list[int]
) -> None:
    with floor.stage.undone():
        signed = floor.basket(legs=dict.fromkeys(legs, "1"), partial=True)
        sizes = {floor.stage.id(symbol): size for symbol, size in legs.items()}
        signed = _with(floor, signed, legs=tuple(replace(leg, size=sizes[leg.market]) for leg in signed.basket.legs))
        filled = 0
        for fraction in fractions:
            parts = [abs(s) * (filled + fraction) // WAD - abs(s) * filled // WAD for s in legs.values()]
            if filled == WAD:
                reason = "orders: nonce used"
            elif filled + fraction > WAD:
                reason = "orders: overfilled"
            elif not all(parts):
                reason = "orders: bad size"
            else:
                floor.fill_basket(signed, fraction)
                filled += fraction
                reason = ""
            if reason:
                with pytest.raises(Revert, match=rf"^{reason}$"):
                    floor.fill_basket(signed, fraction)
            _check_filled(floor, signed, legs, filled)
        if filled < WAD:
            floor.fill_basket(signed, WAD - filled)
        _check_filled(floor, signed, legs, WAD)


def _check_filled(floor: Floor, signed: SignedBasket, legs: dict[str, int], filled: int) -> None:
    assert floor.basket_filled(signed) == filled
    for symbol, size in legs.items():
        expected = abs(size) * filled // WAD * (1 if size > 0 else -1)
        assert floor.stage.position("maker", symbol).size == expected
        assert floor.stage.position("taker", symbol).size == -expected
        assert filled < WAD or expected == size


# what it costs


@pytest.mark.parametrize("mirrored", [False, True])
def test_fill_basket__cost_at_the_takers_limit__is_booked_and_a_wei_more_reverts(floor: Floor, mirrored: bool) -> None:
    """The taker is paid 1,510 for AAPL and pays 2,180 for IBM, or the other way round."""
    legs = {"AAPL": "-10", "IBM": "20"} if mirrored else None
    signed = floor.basket(legs=legs, prices={"AAPL": "151", "IBM": "109"})
    cost = -670 * WAD if mirrored else 670 * WAD
    with pytest.raises(Revert, match=r"^baskets: cost over limit$"):
        floor.fill_basket(signed, max_cost=cost - 1)
    floor.fill_basket(signed, max_cost=cost)
    assert floor.stage.money("taker").quote == -cost - taker_fee(1_510 + 2_180)


def test_fill_basket__cost_of_a_part__is_that_of_the_part(floor: Floor) -> None:
    signed = floor.basket(partial=True)
    cost = 700 * WAD // 4
    with pytest.raises(Revert, match=r"^baskets: cost over limit$"):
        floor.fill_basket(signed, WAD // 4, max_cost=cost - 1)
    floor.fill_basket(signed, WAD // 4, max_cost=cost)


def test_fill_basket__cost__is_rounded_as_the_book_rounds(floor: Floor) -> None:
    signed = floor.basket(partial=True, prices={"AAPL": "150.000000000123456789", "IBM": "110.000000000987654321"})
    floor.stage.govern(floor.stage.system.configurator.set_fees, 0, 0, 10_000)
    floor.fill_basket(signed, 123_456_789_012_345_678)
    paid = -floor.stage.money("taker").quote
    signed = _with(floor, signed, nonce=99)
    with floor.stage.undone():
        floor.fill_basket(signed, 123_456_789_012_345_678, max_cost=paid)
    with pytest.raises(Revert, match=r"^baskets: cost over limit$"):
        floor.fill_basket(signed, 123_456_789_012_345_678, max_cost=paid - 1)


# nonces and time, shared with orders


def test_fill_basket__in_the_last_second__is_booked_and_a_second_later_reverts(floor: Floor) -> None:
    signed = floor.basket(partial=True, expiry=floor.stage.now() + 60)
    floor.stage.warp(60)
    floor.fill_basket(signed, WAD // 2)
    floor.stage.warp(1)
    with pytest.raises(Revert, match=r"^orders: expired$"):
        floor.fill_basket(signed, WAD // 2)


@pytest.mark.parametrize("begun", [False, True])
def test_fill_basket__cancelled__reverts(floor: Floor, begun: bool) -> None:
    signed = floor.basket(partial=True)
    if begun:
        floor.fill_basket(signed, WAD // 2)
    floor.exchange.cancel(account("maker"), signed.basket.nonce, sender=address("maker"))
    assert floor.basket_filled(signed) == WAD
    with pytest.raises(Revert, match=r"^orders: nonce used$"):
        floor.fill_basket(signed, WAD // 2)


def test_fill_basket__below_the_nonce_floor__reverts(floor: Floor) -> None:
    signed = floor.basket(partial=True)
    floor.fill_basket(signed, WAD // 2)
    floor.exchange.raise_nonce_floor(account("maker"), signed.basket.nonce + 1, sender=address("maker"))
    assert floor.basket_filled(signed) == WAD
    with pytest.raises(Revert, match=r"^orders: nonce below floor$"):
        floor.fill_basket(signed, WAD // 2)


def test_fill_basket__nonce_too_large__reverts(floor: Floor) -> None:
    for nonce in (2**32, 2**256 - 1):
        with pytest.raises(Revert, match=r"^orders: nonce too large$"):
            floor.fill_basket(floor.basket(nonce=nonce))


@pytest.mark.parametrize("first", ["4", "10"])
def test_fill_basket__nonce_that_an_order_has_begun_or_ended__reverts(floor: Floor, first: str) -> None:
    floor.fill(floor.signed(nonce=7), first)
    with pytest.raises(Revert, match=r"^orders: nonce used$"):
        floor.fill_basket(floor.basket(nonce=7))


@pytest.mark.parametrize("fraction", [WAD // 2, WAD])
def test_fill_basket__nonce_that_a_basket_has_begun_or_ended__is_free_for_nothing_else(
    floor: Floor, fraction: int
) -> None:
    floor.fill_basket(floor.basket(nonce=7, partial=True), fraction)
    with pytest.raises(Revert, match=r"^orders: nonce used$"):
        floor.fill(floor.signed(nonce=7))
    with pytest.raises(Revert, match=r"^orders: nonce used$"):
        floor.fill_basket(floor.basket(nonce=7, partial=True, prices={"IBM": "111"}), WAD - fraction or 1)


def test_basket_filled__another_basket_with_a_nonce_begun__is_nothing(floor: Floor) -> None:
    floor.fill_basket(floor.basket(nonce=7, partial=True), WAD // 2)
    assert floor.basket_filled(floor.basket(nonce=7)) == 0


# signatures

WORD = st.integers(0, 2**256 - 1)
ANY_LEG = st.builds(Leg, WORD, st.integers(-(2**255), 2**255 - 1), WORD)
BASKETS = st.builds(Basket, WORD, st.lists(ANY_LEG, max_size=ALL).map(tuple), WORD, WORD, st.booleans())


@given(basket=BASKETS)
@settings(max_examples=50, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_basket_hash__any_basket__equals_the_digest_in_python(floor: Floor, basket: Basket) -> None:
    assert floor.exchange.basket_hash(basket) == digest(floor, basket)


@pytest.mark.parametrize("field", ["account", "legs", "nonce", "expiry", "partial", "market", "size", "price"])
def test_fill_basket__any_field_changed_after_signing__reverts(floor: Floor, field: str) -> None:
    signed = floor.basket()
    basket = signed.basket
    changed = {
        "account": {"account": account("maker", 1)},
        "legs": {"legs": basket.legs[:1]},
        "nonce": {"nonce": basket.nonce + 1},
        "expiry": {"expiry": basket.expiry + 1},
        "partial": {"partial": True},
        "market": {"legs": _legs(signed, market=basket.legs[1].market + 1)},
        "size": {"legs": _legs(signed, size=basket.legs[1].size - 1)},
        "price": {"legs": _legs(signed, price=basket.legs[1].price + 1)},
    }
    with pytest.raises(Revert, match=r"^orders: bad signature$"):
        floor.fill_basket(replace(signed, basket=replace(basket, **changed[field])))


@pytest.mark.parametrize("domain", ["chainId", "verifyingContract", "name", "version", ""])
def test_fill_basket__signed_for_another_domain__reverts(floor: Floor, domain: str) -> None:
    signed = floor.basket()
    message = orders.typed_data(signed.basket, floor.stage.backend.chain_id(), floor.exchange.address)
    other = {"chainId": 2, "verifyingContract": floor.book.address, "name": "Other", "version": "2"}
    if domain:
        message["domain"][domain] = other[domain]
    signature = Account.from_key(key("maker")).sign_message(encode_typed_data(full_message=message)).signature
    elsewhere = replace(signed, signature=bytes(signature))
    if not domain:
        floor.fill_basket(elsewhere)
        return
    with pytest.raises(Revert, match=r"^orders: bad signature$"):
        floor.fill_basket(elsewhere)


def test_fill_basket__high_s__reverts(floor: Floor) -> None:
    signed = floor.basket()
    r, s, v = signed.signature[:32], int.from_bytes(signed.signature[32:64]), signed.signature[64]
    twin = r + (CURVE_ORDER - s).to_bytes(32) + bytes([55 - v])
    with pytest.raises(Revert, match=r"^orders: bad signature$"):
        floor.fill_basket(replace(signed, signature=twin))
    floor.fill_basket(signed)


def test_CH_5_fill_basket__not_signed_by_whoever_may__reverts(floor: Floor) -> None:
    forged = floor.stage.signed_basket("attacker", floor.basket().basket)
    with pytest.raises(Revert, match=r"^accounts: not authorized$"):
        floor.fill_basket(forged)
    with pytest.raises(Revert, match=r"^orders: bad signature$"):
        floor.fill_basket(replace(forged, signer=address("maker")))


def test_CH_5_fill_basket__signed_by_an_operator__ends_with_him(floor: Floor) -> None:
    floor.allow("maker", "operator", Permission.TRADE)
    signed = floor.stage.signed_basket("operator", floor.basket(partial=True).basket)
    floor.fill_basket(signed, WAD // 2)
    floor.allow("maker", "operator", Permission.DEPOSIT)
    with pytest.raises(Revert, match=r"^accounts: not authorized$"):
        floor.fill_basket(signed, WAD // 2)


def test_CH_5_fill_basket__for_somebody_elses_account__reverts(floor: Floor) -> None:
    with pytest.raises(Revert, match=r"^accounts: not authorized$"):
        floor.fill_basket(floor.basket(), sender="attacker")
    floor.allow("taker", "operator", Permission.TRADE)
    floor.fill_basket(floor.basket(), sender="operator")


def test_fill_basket__ones_own__reverts(floor: Floor) -> None:
    with pytest.raises(Revert, match=r"^trade: same account$"):
        floor.fill_basket(floor.basket(), taker="maker")


def test_fill_basket__of_ones_other_sub_account__is_booked(floor: Floor) -> None:
    floor.stage.fund("maker", "10000", sub=1)
    signed = floor.basket(account=account("maker", 1))
    floor.fill_basket(signed, taker="maker")
    assert floor.sizes("maker") == (-10 * NANO, 20 * NANO)


# signers that are contracts


def test_fill_basket__of_a_wallet__is_booked_while_it_signs(floor: Floor, wallet: Wallet) -> None:
    signed = wallet.signed_basket(partial=True)
    floor.fill_basket(signed, WAD // 2)
    wallet.answer(Answer.NO)
    with pytest.raises(Revert, match=r"^orders: bad signature$"):
        floor.fill_basket(signed, WAD // 2)
    assert floor.book.position(wallet.account, 0).size == 5 * NANO


def test_fill_basket__by_a_wallet__is_booked(floor: Floor, wallet: Wallet) -> None:
    wallet.call(floor.exchange, floor.exchange.fill_basket.encode(floor.basket(), wallet.account, WAD, DEAR))
    assert floor.book.position(wallet.account, 0).size == -10 * NANO


def test_fill_basket__signer_that_reenters__gets_nowhere(floor: Floor, reenterer: Reenterer) -> None:
    """It is asked without the right to write, and the exchange is shut to readers too."""
    signed, exchange = reenterer.basket(), floor.exchange
    calls = (
        exchange.fill_basket.encode(floor.basket(), reenterer.account, WAD, DEAR),
        exchange.cancel.encode(reenterer.account, signed.basket.nonce),
        exchange.basket_filled.encode(signed.basket),
    )
    for data in calls:
        reenterer.on_asked(exchange, data, insist=True)
        with pytest.raises(Revert, match=r"^orders: bad signature$"):
            floor.fill_basket(signed)
        reenterer.on_asked(exchange, data, insist=False)
        with floor.stage.undone():
            floor.fill_basket(signed)
            assert floor.sizes() == (-10 * NANO, 20 * NANO)


@pytest.mark.parametrize("looked_at", ["taker", "maker"])
def test_fill_basket__signer_that_looks__sees_no_account_half_way(
    floor: Floor, reenterer: Reenterer, looked_at: str
) -> None:
    """Margin is not told while checks are put off: that it is told shows that nothing has happened yet."""
    number = account("taker") if looked_at == "taker" else reenterer.account
    reenterer.on_asked(floor.book, floor.book.margin.encode(number), insist=True)
    floor.fill_basket(reenterer.basket())
    assert floor.sizes() == (-10 * NANO, 20 * NANO)


# margin


@pytest.fixture
def thin(floor: Floor) -> Floor:
    """The nobody is long 100 IBM with 3,000 USD: enough for that, and not for 73 AAPL more."""
    floor.stage.fund("nobody", "3000")
    floor.fill_basket(floor.basket(legs={"IBM": "-100"}), taker="nobody")
    return floor


def _fill(floor: Floor, side: str, legs: dict[str, str], fraction: int = WAD) -> None:
    """A basket in which the nobody trades these legs, as its maker or taker."""
    if side == "maker":
        floor.fill_basket(floor.basket("nobody", legs, partial=True), fraction)
        return
    opposite = {symbol: size[1:] if size.startswith("-") else f"-{size}" for symbol, size in legs.items()}
    floor.fill_basket(floor.basket(legs=opposite, partial=True), fraction, taker="nobody")


@pytest.mark.parametrize("side", ["maker", "taker"])
def test_CH_4_fill_basket__too_much_in_between__is_allowed_if_it_is_not_in_the_end(thin: Floor, side: str) -> None:
    """AAPL comes first: 73 of it beside 100 IBM is too much, and the basket is one change."""
    with pytest.raises(Revert, match=r"^risk: below initial$"):
        _fill(thin, side, {"AAPL": "73"})
    _fill(thin, side, {"AAPL": "73", "IBM": "-100"})
    assert thin.sizes("nobody") == (73 * NANO, 0)


@pytest.mark.parametrize("side", ["maker", "taker"])
def test_CH_4_fill_basket__too_much_in_the_end__reverts(thin: Floor, side: str) -> None:
    with pytest.raises(Revert, match=r"^risk: below initial$"):
        _fill(thin, side, {"AAPL": "73", "IBM": "-1"})
    assert thin.sizes("nobody") == (0, 100 * NANO)


@pytest.fixture
def poor(thin: Floor) -> Floor:
    """Long AAPL and IBM, below initial and above maintenance margin."""
    thin.fill_basket(thin.basket(legs={"AAPL": "-20"}), taker="nobody")
    thin.stage.publish(IBM="94")
    thin.stage.settle_slow_prices()
    margin = thin.stage.margin("nobody")
    assert margin.maintenance <= margin.equity < margin.initial
    return thin


@pytest.mark.parametrize("side", ["maker", "taker"])
def test_CH_4_fill_basket__below_initial__may_reduce_across_markets(poor: Floor, side: str) -> None:
    """Also by a leg that alone would raise risk, if the whole lowers it at no worse health."""
    before = poor.stage.margin("nobody")
    with pytest.raises(Revert, match=r"^risk: below initial$"):
        _fill(poor, side, {"AAPL": "2"})
    _fill(poor, side, {"AAPL": "2", "IBM": "-15"})
    after = poor.stage.margin("nobody")
    assert after.maintenance < before.maintenance
    assert after.equity * before.maintenance >= before.equity * after.maintenance
    assert after.equity < after.initial, "as a reduction, then"


@pytest.mark.parametrize("side", ["maker", "taker"])
def test_CH_4_fill_basket__below_initial__may_not_raise_risk_across_markets(poor: Floor, side: str) -> None:
    with pytest.raises(Revert, match=r"^risk: below initial$"):
        _fill(poor, side, {"AAPL": "20", "IBM": "-2"})


def test_CH_4_fill_basket__risk_reduced_and_money_given_away__reverts(poor: Floor) -> None:
    """The same legs at their prices are allowed; sold 4.9 % below and bought as much above they are not."""
    legs = {"AAPL": "-5", "IBM": "17"}
    with pytest.raises(Revert, match=r"^risk: below initial$"):
        poor.fill_basket(poor.basket(legs=legs, prices={"AAPL": "157.3", "IBM": "89.4"}), taker="nobody")
    before = poor.stage.margin("nobody")
    poor.fill_basket(poor.basket(legs=legs), taker="nobody")
    assert poor.stage.margin("nobody").maintenance < before.maintenance


@pytest.mark.parametrize(("permille", "allowed"), [(4, False), (15, True)])
def test_CH_4_fill_basket__below_maintenance__must_shed_a_hundredth(poor: Floor, permille: int, allowed: bool) -> None:
    """By the basket as a whole, of which a part is filled."""
    poor.stage.publish(IBM="88")
    poor.stage.settle_slow_prices()
    before = poor.stage.margin("nobody")
    assert 0 < before.equity < before.maintenance
    legs = {"AAPL": "-20", "IBM": "-100"}
    if allowed:
        _fill(poor, "maker", legs, permille * WAD // 1_000)
        assert poor.stage.margin("nobody").maintenance <= before.maintenance * 99 // 100
    else:
        with pytest.raises(Revert, match=r"^risk: below initial$"):
            _fill(poor, "maker", legs, permille * WAD // 1_000)


def test_fill_basket__afterwards__margin_is_told_and_checked_again(thin: Floor) -> None:
    assert thin.stage.margin("nobody").initial > 0
    with pytest.raises(Revert, match=r"^risk: below initial$"):
        thin.stage.withdraw("nobody", "2900")


def test_fill_basket__who_calls__pays_the_takers_fee(floor: Floor) -> None:
    floor.fill_basket(floor.basket())
    notional = 1_500 + 2_200
    assert floor.stage.money("maker").quote == 700 * WAD - wad(notional) // 10_000
    assert floor.stage.money("taker").quote == -700 * WAD - taker_fee(notional)
