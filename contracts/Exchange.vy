# pragma version 0.4.3
# pragma nonreentrancy on
"""
@title Exchange
@license AGPL-3.0-only
@author Prime Perps
@notice Where two sides agree on a trade: signed orders, taken by a caller or crossed by a matcher, and signed baskets
        of up to 16 markets. What fills several of them at once is checked once for each account it puts off.

        Trust: the clearinghouse's register of operators for who may trade. A trade needs the signature or the call of
        whoever may trade for each account, and the clearinghouse checks price band, open interest and both accounts'
        margin after it.

        State of an order or basket: fresh -> partly filled -> done; `cancel` and `raise_nonce_floor` lead to done from
        anywhere.
@custom:kill None here: pausing the clearinghouse stops every trade, and orders can be cancelled all the same.
"""
from contracts.interfaces import IExchange
from contracts.interfaces import IPerpClearinghouse
from snekmate.utils import eip712_domain_separator
from .modules.clearing import accounts
from .modules.exchange import baskets
from .modules.exchange import orders

implements: IExchange

initializes: eip712_domain_separator
initializes: orders[eip712_domain_separator := eip712_domain_separator]
initializes: baskets[eip712_domain_separator := eip712_domain_separator, orders := orders]


exports: eip712_domain_separator.eip712Domain


CLEARINGHOUSE: immutable(IPerpClearinghouse)
OPERATORS: immutable(address)


@deploy
def __init__(clearinghouse_: address):
    eip712_domain_separator.__init__("Prime Perps", "1")
    CLEARINGHOUSE = IPerpClearinghouse(clearinghouse_)
    OPERATORS = staticcall CLEARINGHOUSE.operators()
    assert staticcall CLEARINGHOUSE.exchange() == self, "exchange: not the one expected"


@external
def fill(maker: IExchange.SignedOrder, account: uint256, size: int256, limit: uint256):
    self._check_authorized(account, msg.sender)
    orders._check_limit(size, maker.order.price, limit)
    self._use(maker, size)
    self._book(maker.order, account, size, False)


@external
def fill_many(fills: DynArray[IExchange.Fill, 16], account: uint256):
    self._check_authorized(account, msg.sender)
    assert len(fills) != 0, "orders: no fills"
    # contracts that sign are asked before the check is put off: none of them sees the account half way
    for fill: IExchange.Fill in fills:
        orders._check_limit(fill.size, fill.maker.order.price, fill.limit)
        self._use(fill.maker, fill.size)
    extcall CLEARINGHOUSE.defer_check(account)
    for fill: IExchange.Fill in fills:
        self._book(fill.maker.order, account, fill.size, False)
    extcall CLEARINGHOUSE.check_deferred(account, True)


@external
def fill_basket(maker: IExchange.SignedBasket, account: uint256, fraction: uint256, max_cost: int256):
    self._check_authorized(account, msg.sender)
    basket: IExchange.Basket = maker.basket
    assert basket.account != account, "trade: same account"
    digest: bytes32 = baskets._hash(basket)
    self._check_signed(basket.account, maker.signer, digest, maker.signature)
    orders._check_live(basket.account, basket.nonce, basket.expiry)
    baskets._check_legs(basket.legs)
    before: uint256 = baskets._use(basket, digest, fraction)
    # somebody else's account is put off here: nothing is called until its check but the book, and what the book trusts
    extcall CLEARINGHOUSE.defer_check(basket.account)
    extcall CLEARINGHOUSE.defer_check(account)
    cost: int256 = 0
    for leg: IExchange.Leg in basket.legs:
        size: int256 = -baskets._part(leg.size, before, fraction)
        extcall CLEARINGHOUSE.novate(
            IPerpClearinghouse.Trade(
                market=leg.market,
                maker=basket.account,
                taker=account,
                size=size,
                price=leg.price,
                maker_reduces=False,
                taker_reduces=False,
            )
        )
        # after the book has held the price to its band, so that this cannot overflow
        cost += baskets._cost(size, leg.price)
    assert cost <= max_cost, "baskets: cost over limit"
    extcall CLEARINGHOUSE.check_deferred(basket.account, True)
    extcall CLEARINGHOUSE.check_deferred(account, True)


@external
def match_orders(maker: IExchange.SignedOrder, taker: IExchange.SignedOrder, size: uint256):
    signed_size: int256 = orders._toward(taker.order, size)
    assert taker.order.market == maker.order.market, "orders: different markets"
    assert not taker.order.post_only, "orders: post only"
    orders._check_limit(signed_size, maker.order.price, taker.order.price)
    self._use(taker, -signed_size)
    self._use(maker, signed_size)
    self._book(maker.order, taker.order.account, signed_size, taker.order.reduce_only)


@external
def cancel(account: uint256, nonce: uint256):
    self._check_authorized(account, msg.sender)
    orders._cancel(account, nonce)


@external
def raise_nonce_floor(account: uint256, lowest: uint256):
    accounts._check_owner(account)
    orders._raise_floor(account, lowest)


@external
@view
def order_hash(order: IExchange.Order) -> bytes32:
    return orders._hash(order)


@external
@view
def filled(order: IExchange.Order) -> uint256:
    return orders._gone(order.account, order.nonce, orders._hash(order), convert(abs(order.size), uint256))


@external
@view
def basket_hash(basket: IExchange.Basket) -> bytes32:
    return baskets._hash(basket)


@external
@view
def basket_filled(basket: IExchange.Basket) -> uint256:
    return orders._gone(basket.account, basket.nonce, baskets._hash(basket), baskets.WHOLE)


@external
@view
def nonce_floor(account: uint256) -> uint256:
    return orders._floor(account)


@external
@view
def clearinghouse() -> address:
    return CLEARINGHOUSE.address


@internal
def _book(maker: IExchange.Order, taker: uint256, size: int256, taker_reduces: bool):
    """
    @notice Book `size` (nano, signed for the taker) of a maker's order at its price.
    """
    extcall CLEARINGHOUSE.novate(
        IPerpClearinghouse.Trade(
            market=maker.market,
            maker=maker.account,
            taker=taker,
            size=size,
            price=maker.price,
            maker_reduces=maker.reduce_only,
            taker_reduces=taker_reduces,
        )
    )


@internal
def _use(signed: IExchange.SignedOrder, size: int256):
    """
    @notice Spend part of an order against `size` (nano, signed for the other side).
    """
    digest: bytes32 = orders._hash(signed.order)
    self._check_signed(signed.order.account, signed.signer, digest, signed.signature)
    orders._check_live(signed.order.account, signed.order.nonce, signed.order.expiry)
    orders._check_against(signed.order, size)
    orders._use(signed.order, digest, convert(abs(size), uint256))


@internal
@view
def _check_signed(account: uint256, signer: address, digest: bytes32, signature: Bytes[512]):
    self._check_authorized(account, signer)
    orders._check_signed(signer, digest, signature)


@internal
@view
def _check_authorized(account: uint256, sender: address):
    accounts._check_authorized(OPERATORS, account, sender, accounts.TRADE)
