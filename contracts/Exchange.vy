# pragma version 0.4.3
# pragma nonreentrancy on
"""
@title Exchange
@license AGPL-3.0-only
@author Prime Perps
@notice Where two sides agree on a trade: signed orders, taken by a caller or crossed by a matcher.

        Trust: nobody. A trade needs the signature or the call of whoever may trade for each account, and the
        clearinghouse checks price band, open interest and both accounts' margin after it.

        State of an order: fresh -> partly filled -> done; `cancel` and `raise_nonce_floor` lead to done from anywhere.
@custom:kill None here: pausing the clearinghouse stops every trade, and orders can be cancelled all the same.
"""
from contracts.interfaces import IExchange
from contracts.interfaces import IPerpClearinghouse
from snekmate.utils import eip712_domain_separator
from .modules.clearing import accounts
from .modules.exchange import orders

implements: IExchange

initializes: eip712_domain_separator
initializes: orders[eip712_domain_separator := eip712_domain_separator]


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
    self._take(maker, account, size, False)


@external
def match_orders(maker: IExchange.SignedOrder, taker: IExchange.SignedOrder, size: uint256):
    signed_size: int256 = orders._toward(taker.order, size)
    assert taker.order.market == maker.order.market, "orders: different markets"
    assert not taker.order.post_only, "orders: post only"
    orders._check_limit(signed_size, maker.order.price, taker.order.price)
    self._use(taker, -signed_size)
    self._take(maker, taker.order.account, signed_size, taker.order.reduce_only)


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
    if order.nonce < orders._floor(order.account):
        return convert(abs(order.size), uint256)
    return orders._filled_so_far(order, orders._hash(order))


@external
@view
def nonce_floor(account: uint256) -> uint256:
    return orders._floor(account)


@external
@view
def clearinghouse() -> address:
    return CLEARINGHOUSE.address


@internal
def _take(maker: IExchange.SignedOrder, taker: uint256, size: int256, taker_reduces: bool):
    """
    @notice Book `size` (nano, signed for the taker) of a maker's order at its price.
    """
    self._use(maker, size)
    extcall CLEARINGHOUSE.novate(
        IPerpClearinghouse.Trade(
            market=maker.order.market,
            maker=maker.order.account,
            taker=taker,
            size=size,
            price=maker.order.price,
            maker_reduces=maker.order.reduce_only,
            taker_reduces=taker_reduces,
        )
    )


@internal
def _use(signed: IExchange.SignedOrder, size: int256):
    """
    @notice Spend part of an order against `size` (nano, signed for the other side).
    """
    self._check_authorized(signed.order.account, signed.signer)
    digest: bytes32 = orders._hash(signed.order)
    orders._check_signed(signed.signer, digest, signed.signature)
    orders._check_live(signed.order)
    orders._check_against(signed.order, size)
    orders._use(signed.order, digest, convert(abs(size), uint256))


@internal
@view
def _check_authorized(account: uint256, sender: address):
    accounts._check_authorized(OPERATORS, account, sender, accounts.TRADE)
