# pragma version 0.4.3
"""
@title trading
@license AGPL-3.0-only
@author Prime Perps
@notice Novation: the clearinghouse stands between maker and taker, so positions sum to zero in every market (CH-1) and
        money between the two accounts and the fee account does too (CH-2).
"""
from contracts.interfaces import IPerpClearinghouse
from ..oracle import price_word
from . import accounts
from . import cash_market
from . import funding
from . import ledger
from . import markets
from . import risk
from . import settings

uses: cash_market
uses: funding
uses: ledger
uses: markets
uses: risk
uses: settings


struct Side:
    account: uint256
    size: int256  # nano, signed
    fee: uint256  # wad
    reduce_only: bool


PIPS: constant(uint256) = 10**6
NANO: constant(uint256) = 10**9
BPS: constant(uint256) = 10**4
# A word with any of these admits only trades that reduce both positions.
RESTRICTED: constant(uint256) = (
    price_word.HALTED | price_word.PAUSED | price_word.REDUCE_ONLY | price_word.REOPENING
)
# Accounts of the clearinghouse itself: its address and these sub-accounts.
INSURANCE: constant(uint256) = 0
FEES: constant(uint256) = 1


@internal
@view
def _own_account(sub: uint256) -> uint256:
    return (convert(self, uint256) << accounts.OWNER_OFFSET) | sub


@internal
def _novate(trade: IPerpClearinghouse.Trade):
    settings._check_running(settings.TRADING)
    self._check_trade(trade)
    limits: markets.Limits = markets._load(trade.market)
    word: price_word.Word = risk._read_one(trade.market)
    self._check_market(limits, word, trade.price)

    config: IPerpClearinghouse.Settings = settings._load()
    notional: uint256 = convert(abs(trade.size), uint256) * trade.price // NANO
    # a word as wide as its price has no room for doubt
    shut: bool = (price_word.LIVE_SESSIONS >> word.session) & 1 == 0
    doubtful: bool = shut or word.flags & RESTRICTED != 0 or word.doubt != 0
    restricted: bool = limits.reduce_only or doubtful
    index: int256 = 0
    rate: int256 = 0
    rate_time: uint256 = 0
    # a premium over a price that nobody can trade at says nothing
    weight: uint256 = 0 if doubtful else notional
    index, rate, rate_time = funding._fill(trade.market, word.mid, trade.price, weight, limits.depth)
    # CH-2: both quotes move by the same rounded notional
    paid: int256 = convert(notional, int256)
    if trade.size < 0:
        paid = -paid
    maker_side: Side = Side(
        account=trade.maker,
        size=-trade.size,
        fee=self._share_up(notional, config.maker_fee),
        reduce_only=trade.maker_reduces or restricted,
    )
    taker_side: Side = Side(
        account=trade.taker,
        size=trade.size,
        fee=self._share_up(notional, config.taker_fee),
        reduce_only=trade.taker_reduces or restricted,
    )
    maker_after: IPerpClearinghouse.SideAfter = empty(IPerpClearinghouse.SideAfter)
    taker_after: IPerpClearinghouse.SideAfter = empty(IPerpClearinghouse.SideAfter)
    maker_before: int256 = 0
    taker_before: int256 = 0
    maker_before, maker_after = self._book_side(maker_side, trade.market, index, -paid)
    taker_before, taker_after = self._book_side(taker_side, trade.market, index, paid)
    markets._change_interest(
        trade.market,
        limits,
        markets._long(maker_before) + markets._long(taker_before),
        markets._long(maker_after.size) + markets._long(taker_after.size),
    )
    if maker_side.fee + taker_side.fee != 0:
        # in quote, like everything else a trade moves, so that it leaves the cash market alone
        ledger._store_balances(self._own_account(FEES), 0, convert(maker_side.fee + taker_side.fee, int256), 0)
    log IPerpClearinghouse.Novated(
        market=trade.market,
        maker=trade.maker,
        taker=trade.taker,
        size=trade.size,
        price=trade.price,
        maker_fee=maker_side.fee,
        taker_fee=taker_side.fee,
        funding_index=index,
        funding_rate=rate,
        funding_time=rate_time,
        maker_after=maker_after,
        taker_after=taker_after,
    )
    self._check_margin(maker_side, trade.market, -paid)
    self._check_margin(taker_side, trade.market, paid)


@internal
def _book_side(
    side: Side, market: uint256, index: int256, paid: int256
) -> (int256, IPerpClearinghouse.SideAfter):
    """
    @return (size before, what the account has afterwards).
    """
    position: IPerpClearinghouse.Position = ledger._position(side.account, market)
    owed: int256 = funding._owed_up(position.size, index, position.funding_index)
    before: int256 = position.size
    position.size += side.size
    position.funding_index = index
    self._check_reduces(side.reduce_only, before, position.size)
    # no events of their own: Novated carries both sides whole
    ledger._store_position(side.account, market, position)
    balances: ledger.Balances = ledger._store_balances(
        side.account, 0, -paid - owed - convert(side.fee, int256), 1
    )
    return before, IPerpClearinghouse.SideAfter(size=position.size, quote=balances.quote)


@internal
@view
def _check_margin(side: Side, market: uint256, paid: int256):
    risk._check_change(
        side.account,
        risk.Change(underlying=market, size=side.size, value=-paid - convert(side.fee, int256)),
    )


@internal
@pure
def _share_up(notional: uint256, fee: uint256) -> uint256:
    return (notional * fee + PIPS - 1) // PIPS


@internal
@pure
def _check_trade(trade: IPerpClearinghouse.Trade):
    # the exchange admits no size of zero, or beyond what a position holds
    assert trade.maker != trade.taker, "trade: same account"


@internal
@pure
def _check_market(limits: markets.Limits, word: price_word.Word, price: uint256):
    assert limits.listed, "trade: market not listed"
    assert word.mid != 0, "trade: no index price"
    index: uint256 = word.mid * price_word.MID_TO_WAD
    # the width of a stale word is no reason to trade further away
    low: uint256 = index * (BPS - limits.band) // BPS
    high: uint256 = index * (BPS + limits.band) // BPS
    assert low <= price and price <= high, "trade: price outside band"


@internal
@pure
def _check_reduces(required: bool, before: int256, after: int256):
    if not required:
        return
    assert (0 <= after and after < before) or (before < after and after <= 0), "trade: reduce only"


@internal
def _distribute_fees(treasury: uint256) -> uint256:
    """
    @notice Share what the fee account has collected; the odd unit goes to insurance, and so does the reserve.
    """
    fees: uint256 = self._own_account(FEES)
    balances: ledger.Balances = ledger._balances(fees)
    collected: int256 = max(cash_market._amount(balances.shares) + balances.quote, 0)
    reserve: int256 = cash_market._reserve()
    kept: int256 = 0
    if treasury != 0:
        kept = collected * convert(BPS - settings._load().insurance_share, int256) // convert(BPS, int256)
        cash_market._change(treasury, kept, 0, 0)
    cash_market._change(fees, balances.quote - collected, -balances.quote, 0)
    cash_market._change(self._own_account(INSURANCE), collected - kept + reserve, 0, 0)
    cash_market._accrue(0, balances.quote, False)
    return convert(collected, uint256)
