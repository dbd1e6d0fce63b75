"""fill_many: several signed orders taken by one account, all or none, its margin checked once after them."""

from __future__ import annotations

from dataclasses import replace

import pytest

from prime_perps.accounts import Permission
from prime_perps.errors import Revert
from prime_perps.orders import Fill
from prime_perps.units import NANO, WAD
from tests.stage import UNLIMITED, account, address

from .conftest import Answer, Floor, Reenterer, Wallet, resigned, taker_fee


def test_fill_many__orders_of_several_makers_and_markets__are_all_booked(floor: Floor) -> None:
    fills = (floor.take("AAPL", "10"), floor.take("IBM", "-5", "holder"), floor.take("AAPL", "2", "holder", "151"))
    receipt = floor.fill_many(*fills)
    assert floor.sizes() == (12 * NANO, -5 * NANO)
    assert floor.sizes("holder") == (-2 * NANO, 5 * NANO)
    assert floor.stage.money("taker").quote == (-1_500 + 550 - 302) * WAD - taker_fee(1_500 + 550 + 302)
    hashes = [floor.exchange.order_hash(fill.maker.order) for fill in fills]
    told = [fields["order_hash"] for _, fields in floor.exchange.events(receipt)]
    assert told == hashes
    assert [name for name, _ in floor.exchange.events(receipt)] == ["OrderFilled"] * 3


def test_fill_many__is_what_the_fills_one_by_one_are(floor: Floor) -> None:
    fills = (floor.take("AAPL", "10"), floor.take("IBM", "-5", "holder"), floor.take("MSFT", "-100", "holder"))
    with floor.stage.undone():
        for fill in fills:
            floor.exchange.fill(fill.maker, account("taker"), fill.size, fill.limit, sender=address("taker"))
        apart = [floor.stage.margin(role) for role in ("maker", "taker", "holder")]
    floor.fill_many(*fills)
    assert [floor.stage.margin(role) for role in ("maker", "taker", "holder")] == apart


def test_fill_many__each_with_its_own_size__takes_a_part_of_each(floor: Floor) -> None:
    signed = floor.signed()
    floor.fill_many(Fill(signed, 3 * NANO, UNLIMITED), Fill(floor.signed("holder"), 1, UNLIMITED))
    assert (floor.size(), floor.filled(signed)) == (3 * NANO + 1, 3 * NANO)


def test_fill_many__one_order_twice__spends_from_one_amount(floor: Floor) -> None:
    signed = floor.signed()
    floor.fill_many(Fill(signed, 3 * NANO, UNLIMITED), Fill(signed, 7 * NANO, UNLIMITED))
    assert floor.size() == 10 * NANO
    more = floor.signed()
    with pytest.raises(Revert, match=r"^orders: overfilled$"):
        floor.fill_many(Fill(more, 3 * NANO, UNLIMITED), Fill(more, 7 * NANO + 1, UNLIMITED))
    assert floor.filled(more) == 0


def test_fill_many__one_refused__leaves_all_unfilled(floor: Floor) -> None:
    good, dear = floor.take("AAPL", "1"), floor.take("AAPL", "1", price="157.51")
    with pytest.raises(Revert, match=r"^trade: price outside band$"):
        floor.fill_many(good, dear)
    assert (floor.size(), floor.filled(good.maker)) == (0, 0)


def test_fill_many__sixteen__are_booked_and_one_more_cannot_be_asked_for(floor: Floor) -> None:
    fills = [floor.take("AAPL", "1") for _ in range(17)]
    with pytest.raises(Revert):
        floor.fill_many(*fills)
    floor.fill_many(*fills[:16])
    assert floor.size() == 16 * NANO


def test_fill_many__of_nothing__reverts(floor: Floor) -> None:
    with pytest.raises(Revert, match=r"^orders: no fills$"):
        floor.fill_many()


# limits and orders, as in fill


@pytest.mark.parametrize(("size", "worse"), [("10", -1), ("-10", 1)])
def test_fill_many__a_wei_worse_than_one_limit__reverts(floor: Floor, size: str, worse: int) -> None:
    first, second = floor.take("IBM", size), floor.take("AAPL", size, price="151")
    with pytest.raises(Revert, match=r"^orders: price over limit$"):
        floor.fill_many(first, replace(second, limit=151 * WAD + worse))
    floor.fill_many(first, replace(second, limit=151 * WAD))


def test_fill_many__on_the_same_side__reverts(floor: Floor) -> None:
    with pytest.raises(Revert, match=r"^orders: same side$"):
        floor.fill_many(floor.take("IBM", "1"), Fill(floor.signed(size="10"), NANO, UNLIMITED))


def test_fill_many__one_expired_cancelled_or_below_the_floor__reverts(floor: Floor) -> None:
    good = floor.take("AAPL", "1", expiry=2**64)
    late = floor.take("IBM", "1", expiry=floor.stage.now() - 1)
    with pytest.raises(Revert, match=r"^orders: expired$"):
        floor.fill_many(good, late)
    cancelled = floor.take("IBM", "1", nonce=7)
    floor.exchange.cancel(account("maker"), 7, sender=address("maker"))
    with pytest.raises(Revert, match=r"^orders: nonce used$"):
        floor.fill_many(good, cancelled)
    floor.exchange.raise_nonce_floor(account("maker"), good.maker.order.nonce + 1, sender=address("maker"))
    with pytest.raises(Revert, match=r"^orders: nonce below floor$"):
        floor.fill_many(good)


def test_CH_5_fill_many__one_not_signed_by_whoever_may__reverts(floor: Floor) -> None:
    forged = floor.by("attacker", floor.order())
    with pytest.raises(Revert, match=r"^accounts: not authorized$"):
        floor.fill_many(floor.take("IBM", "1"), Fill(forged, NANO, UNLIMITED))
    with pytest.raises(Revert, match=r"^orders: bad signature$"):
        floor.fill_many(floor.take("IBM", "1"), Fill(replace(forged, signer=address("maker")), NANO, UNLIMITED))


def test_fill_many__a_makers_reduce_only__holds(floor: Floor) -> None:
    reducing = Fill(floor.signed(reduce_only=True), NANO, UNLIMITED)
    with pytest.raises(Revert, match=r"^trade: reduce only$"):
        floor.fill_many(reducing)
    floor.fill_many(floor.take("AAPL", "-1"), reducing)
    assert floor.size() == 0


def test_fill_many__ones_own_order__reverts(floor: Floor) -> None:
    with pytest.raises(Revert, match=r"^trade: same account$"):
        floor.fill_many(floor.take("AAPL", "1"), floor.take("AAPL", "1", "taker"))


# who


def test_fill_many__by_an_operator_who_may_trade__is_booked(floor: Floor) -> None:
    floor.allow("taker", "operator", Permission.TRADE)
    floor.fill_many(floor.take("AAPL", "1"), sender="operator")
    assert floor.size() == NANO


@pytest.mark.parametrize("permissions", [0, Permission.DEPOSIT | Permission.WITHDRAW | Permission.LIQUIDATE])
def test_CH_5_fill_many__by_anybody_else__reverts(floor: Floor, permissions: int) -> None:
    floor.allow("taker", "attacker", permissions)
    with pytest.raises(Revert, match=r"^accounts: not authorized$"):
        floor.fill_many(floor.take("AAPL", "1"), sender="attacker")


# margin


@pytest.fixture
def thin(floor: Floor) -> Floor:
    """The nobody is long 100 IBM with 3,000 USD: enough for that, and not for 73 AAPL more."""
    floor.stage.fund("nobody", "3000")
    floor.fill_many(floor.take("IBM", "100"), taker="nobody")
    return floor


def test_CH_4_fill_many__too_much_in_between__is_allowed_if_it_is_not_in_the_end(thin: Floor) -> None:
    fills = thin.take("AAPL", "73"), thin.take("IBM", "-100")
    with pytest.raises(Revert, match=r"^risk: below initial$"):
        thin.fill(fills[0].maker, "73", taker="nobody")
    thin.fill_many(*fills, taker="nobody")
    assert thin.sizes("nobody") == (73 * NANO, 0)


def test_CH_4_fill_many__too_much_in_the_end__reverts(thin: Floor) -> None:
    with pytest.raises(Revert, match=r"^risk: below initial$"):
        thin.fill_many(thin.take("AAPL", "73"), thin.take("IBM", "-1"), taker="nobody")
    assert thin.sizes("nobody") == (0, 100 * NANO)


def test_CH_4_fill_many__makers__are_checked_at_once(thin: Floor) -> None:
    """One who would be within his margin again with the next fill is refused all the same."""
    out, back = thin.take("AAPL", "-73", "nobody"), thin.take("AAPL", "73", "nobody")
    with pytest.raises(Revert, match=r"^risk: below initial$"):
        thin.fill_many(out, back)


def test_CH_4_fill_many__below_initial__may_reduce_and_no_more(thin: Floor) -> None:
    thin.stage.publish(IBM="90")
    thin.stage.settle_slow_prices()
    before = thin.stage.margin("nobody")
    assert before.equity < before.initial
    with pytest.raises(Revert, match=r"^risk: below initial$"):
        thin.fill_many(thin.take("IBM", "-20"), thin.take("IBM", "20"), taker="nobody")
    thin.fill_many(thin.take("IBM", "-20"), thin.take("IBM", "5"), taker="nobody")
    after = thin.stage.margin("nobody")
    assert after.maintenance < before.maintenance
    assert after.equity < after.initial, "as a reduction, then"


def test_fill_many__afterwards__margin_is_told_and_checked_again(thin: Floor) -> None:
    assert thin.stage.margin("nobody").initial > 0
    with pytest.raises(Revert, match=r"^risk: below initial$"):
        thin.stage.withdraw("nobody", "2900")


def test_fill_many__trading_paused__reverts(floor: Floor) -> None:
    floor.stage.system.configurator.set_paused(1, sender=address("guardian"))
    with pytest.raises(Revert, match=r"^settings: paused$"):
        floor.fill_many(floor.take("AAPL", "1"))


def test_fill_many__price_halted__only_reduces(floor: Floor) -> None:
    floor.fill_many(floor.take("AAPL", "5"))
    floor.stage.oracle.set_halt(floor.stage.id("AAPL"), True, sender=address("guardian"))
    for size in ("1", "-6"):
        with pytest.raises(Revert, match=r"^trade: reduce only$"):
            floor.fill_many(floor.take("IBM", "1"), floor.take("AAPL", size))
    floor.fill_many(floor.take("IBM", "1"), floor.take("AAPL", "-5"))


# signers that are contracts


def test_fill_many__of_a_wallet__is_booked_if_it_signs(floor: Floor, wallet: Wallet) -> None:
    signed = resigned(wallet.signed(), b"")
    with pytest.raises(Revert, match=r"^orders: bad signature$"):
        floor.fill_many(Fill(signed, NANO, UNLIMITED))
    wallet.answer(Answer.YES)
    floor.fill_many(Fill(signed, NANO, UNLIMITED))
    assert floor.size() == NANO


def test_fill_many__signer_that_reenters__gets_nowhere(floor: Floor, reenterer: Reenterer) -> None:
    """It is asked without the right to write, and the exchange is shut to readers too."""
    fill = Fill(reenterer.order(), NANO, UNLIMITED)
    exchange = floor.exchange
    calls = (
        exchange.fill_many.encode([fill], reenterer.account),
        exchange.cancel.encode(reenterer.account, 1),
        exchange.filled.encode(fill.maker.order),
    )
    for data in calls:
        reenterer.on_asked(exchange, data, insist=True)
        with pytest.raises(Revert, match=r"^orders: bad signature$"):
            floor.fill_many(floor.take("IBM", "1"), fill)
        reenterer.on_asked(exchange, data, insist=False)
        with floor.stage.undone():
            floor.fill_many(floor.take("IBM", "1"), fill)
            assert floor.sizes() == (NANO, NANO)


def test_fill_many__signer_that_looks__sees_no_account_half_way(floor: Floor, reenterer: Reenterer) -> None:
    """Margin is not told while checks are put off: that it is told shows that nothing has happened yet."""
    reenterer.on_asked(floor.book, floor.book.margin.encode(account("taker")), insist=True)
    floor.fill_many(floor.take("IBM", "1"), Fill(reenterer.order(), NANO, UNLIMITED))
    assert floor.sizes() == (NANO, NANO)
