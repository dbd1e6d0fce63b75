# pragma version 0.4.3
# pragma nonreentrancy on
"""
@title HedgedLiquidity
@license AGPL-3.0-only
@author Prime Perps
@notice Depth from the exchange where the stock trades: a vault that takes the other side of a perp at the price at
        which an issuer mints or redeems the stock in the same transaction. It is long tokens and short as many perps,
        and finances the tokens with a loan secured by both, so a dollar in it carries many dollars of depth. It earns
        fees and funding, and owes what the loan costs.

        Trust: the clearinghouse and its partners, as every account's owner does. Its terms, within bounds. No taker, no
        issuer: a fill is at a price that pays for the hedge and the fee, or it is not.

        State of a market: not listed -> (set_terms) -> enabled or winding down. The vault is open while every market's
        price is sure and it has equity; shut, it takes and gives nothing but what waits in requests.
@custom:kill `set_enabled(market, False)` by the guardian: from then on the market's inventory only shrinks.
"""
from contracts.interfaces import IBatcher
from contracts.interfaces import ICollateralVault
from contracts.interfaces import IDeferredChecks
from contracts.interfaces import IExchange
from contracts.interfaces import IHedgedLiquidity
from contracts.interfaces import IIssuerGateway
from contracts.interfaces import IMarginModel
from contracts.interfaces import IOracleAdapter
from contracts.interfaces import IPerpClearinghouse
from contracts.interfaces import ITokenManager
from ethereum.ercs import IERC20
from ethereum.ercs import IERC4626
from snekmate.auth import access_control
from snekmate.auth import ownable
from snekmate.auth.interfaces import IAccessControl
from snekmate.tokens import erc20
from .modules.clearing import accounts
from .modules.clearing import settings as book_settings
from .modules.common import roles
from .modules.liquidity import charges
from .modules.liquidity import shares as conversion
from .modules.oracle import price_word
from .modules.vault import assets as instruments

implements: IHedgedLiquidity
implements: IERC20
implements: IERC4626
implements: IDeferredChecks
implements: IAccessControl

initializes: access_control
initializes: roles[access_control := access_control]
# of the token alone; nobody may mint but this contract, so it is not exported
initializes: ownable
initializes: erc20[ownable := ownable]


exports: (
    # shares
    erc20.name,
    erc20.symbol,
    erc20.decimals,
    erc20.totalSupply,
    erc20.balanceOf,
    erc20.allowance,
    erc20.approve,
    erc20.transfer,
    erc20.transferFrom,
    # who may tighten and loosen
    roles.GUARDIAN_ROLE,
    roles.TIMELOCK_ROLE,
    access_control.DEFAULT_ADMIN_ROLE,
    access_control.supportsInterface,
    access_control.hasRole,
    access_control.getRoleAdmin,
    access_control.grantRole,
    access_control.revokeRole,
    access_control.renounceRole,
)


# What the batch needs to know, handed through it and back.
struct Step:
    order: IExchange.SignedOrder
    size: int256  # nano, signed for the vault
    limit: uint256  # wad, the worst price of the order
    quote: ITokenManager.Quote
    signature: Bytes[512]
    # of an unwinding, else nobody and nothing
    receiver: address
    cost: uint256


WAD: constant(uint256) = 10**18
NANO: constant(uint256) = 10**9
BPS: constant(uint256) = 10**4
BUFFER_MAX: constant(uint256) = 10 * BPS

BATCHER: immutable(IBatcher)
BOOK: immutable(IPerpClearinghouse)
EXCHANGE: immutable(IExchange)
GATEWAY: immutable(IIssuerGateway)
ORACLE: immutable(IOracleAdapter)
SAFE: immutable(ICollateralVault)
ACCOUNT: immutable(uint256)
COIN: immutable(IERC20)
UNIT: immutable(uint256)  # wad of cash in one raw unit of the coin


buffer: public(uint256)
_markets: DynArray[uint256, 8]
_terms: HashMap[uint256, IHedgedLiquidity.Terms]
_request_count: uint256
_requests: HashMap[uint256, IHedgedLiquidity.Request]


@deploy
def __init__(batcher: address, buffer_: uint256):
    """
    @notice The deployer administers roles until it hands them over. No market is listed yet.
    @param batcher Of the system; its cash must be listed in the safe.
    """
    access_control.__init__()
    ownable.__init__()
    BATCHER = IBatcher(batcher)
    BOOK = IPerpClearinghouse(staticcall BATCHER.clearinghouse())
    EXCHANGE = IExchange(staticcall BOOK.exchange())
    GATEWAY = IIssuerGateway(staticcall BOOK.gateway())
    ORACLE = IOracleAdapter(staticcall BOOK.oracle())
    SAFE = ICollateralVault(staticcall BOOK.vault())
    ACCOUNT = convert(self, uint256) << accounts.OWNER_OFFSET
    coin: ICollateralVault.Asset = staticcall SAFE.asset(instruments.CASH)
    COIN = IERC20(coin.token)
    UNIT = instruments._to_book(1, coin.decimals)
    decimals: uint256 = coin.decimals + conversion.OFFSET
    erc20.__init__("Prime Perps liquidity", "ppLIQ", convert(decimals, uint8), "Prime Perps liquidity", "1")
    self._set_buffer(buffer_)


# for takers


@external
def fill(order: IExchange.SignedOrder, quote: ITokenManager.Quote, signature: Bytes[512]):
    market: uint256 = order.order.market
    buys: bool = order.order.size > 0
    terms: IHedgedLiquidity.Terms = self._load_listed(market)
    assert terms.enabled or not buys, "liquidity: disabled"
    self._check_open()
    size: int256 = self._size(quote.quantity)
    if not buys:
        size = -size
    limit: uint256 = 0
    fee: uint256 = 0
    limit, fee = self._price_of(market, terms, size, quote.price)
    step: Step = Step(
        order=order,
        size=-size,
        limit=limit,
        quote=quote,
        signature=signature,
        receiver=empty(address),
        cost=0,
    )
    extcall BATCHER.with_deferred_checks([ACCOUNT], abi_encode(step))
    self._check_buffer()
    log IHedgedLiquidity.Filled(
        market=market,
        taker=order.order.account,
        size=size,
        price=order.order.price,
        hedge_price=quote.price,
        fee=fee,
    )


@external
def unwind(order: IExchange.SignedOrder, tokens: uint256, max_cost: uint256) -> uint256:
    market: uint256 = order.order.market
    terms: IHedgedLiquidity.Terms = self._load_listed(market)
    assert not terms.enabled, "liquidity: enabled"
    self._check_open()
    price: uint256 = order.order.price * (charges.PIPS - terms.discount) // charges.PIPS
    cost: uint256 = self._to_coins_up(tokens * price)
    assert cost <= max_cost, "liquidity: cost over limit"
    self._pull(msg.sender, cost)
    step: Step = Step(
        order=order,
        # back to the vault: fewer perps short
        size=self._size(tokens),
        limit=max_value(uint256),
        quote=empty(ITokenManager.Quote),
        signature=b"",
        receiver=msg.sender,
        cost=cost,
    )
    extcall BATCHER.with_deferred_checks([ACCOUNT], abi_encode(step))
    log IHedgedLiquidity.Unwound(market=market, caller=msg.sender, tokens=tokens, cost=cost)
    return cost


@external
@reentrant
def on_deferred_checks(data: Bytes[8192]):
    """
    @dev The batcher calls back while `fill` or `unwind` runs, and calls nobody but whoever called it.
    """
    assert msg.sender == BATCHER.address, "liquidity: batcher only"
    step: Step = abi_decode(data, Step)
    instrument: uint256 = instruments.FIRST_TOKEN + step.order.order.market
    if step.receiver != empty(address):
        self._bank(step.cost)
        extcall EXCHANGE.fill(step.order, ACCOUNT, step.size, step.limit)
        tokens: uint256 = convert(step.size, uint256) * NANO
        extcall SAFE.withdraw(ACCOUNT, instrument, tokens, step.receiver)
        return
    notional: uint256 = step.quote.quantity * step.quote.price
    if step.size < 0:
        # a unit of the coin is a unit of the issuer's dollar, or the issuer refuses
        extcall GATEWAY.mint(ACCOUNT, instrument, step.quote, step.signature, self._to_coins_up(notional), True)
    else:
        least: uint256 = notional // WAD // UNIT
        extcall GATEWAY.redeem(ACCOUNT, instrument, step.quote, step.signature, least, True)
    extcall EXCHANGE.fill(step.order, ACCOUNT, step.size, step.limit)


# ERC-4626


@view
@external
def asset() -> address:
    return COIN.address


@view
@external
def totalAssets() -> uint256:
    return self._total_low()


@view
@external
def convertToShares(assetAmount: uint256) -> uint256:
    return conversion._to_shares_down(assetAmount, erc20.totalSupply, self._total_low())


@view
@external
def convertToAssets(shareAmount: uint256) -> uint256:
    return conversion._to_assets_down(shareAmount, erc20.totalSupply, self._total_low())


@view
@external
def maxDeposit(owner: address) -> uint256:
    return self._room()


@view
@external
def previewDeposit(assets: uint256) -> uint256:
    return self._shares_for(assets)


@external
def deposit(assets: uint256, receiver: address) -> uint256:
    self._pull(msg.sender, assets)
    return self._enter(assets, self._shares_for(assets), msg.sender, receiver)


@view
@external
def maxMint(owner: address) -> uint256:
    return conversion._to_shares_down(self._room(), erc20.totalSupply, self._total_high())


@view
@external
def previewMint(shares: uint256) -> uint256:
    return conversion._to_assets_up(shares, erc20.totalSupply, self._total_high())


@external
def mint(shares: uint256, receiver: address) -> uint256:
    assets: uint256 = conversion._to_assets_up(shares, erc20.totalSupply, self._total_high())
    self._pull(msg.sender, assets)
    self._enter(assets, shares, msg.sender, receiver)
    return assets


@view
@external
def maxWithdraw(owner: address) -> uint256:
    return min(self._assets_for(erc20.balanceOf[owner]), self._free())


@view
@external
def previewWithdraw(assets: uint256) -> uint256:
    return conversion._to_shares_up(assets, erc20.totalSupply, self._total_low())


@external
def withdraw(assets: uint256, receiver: address, owner: address) -> uint256:
    shares: uint256 = conversion._to_shares_up(assets, erc20.totalSupply, self._total_low())
    self._spend(owner, shares)
    self._leave(assets, shares, owner, receiver)
    return shares


@view
@external
def maxRedeem(owner: address) -> uint256:
    held: uint256 = erc20.balanceOf[owner]
    free: uint256 = self._free()
    if self._assets_for(held) <= free:
        return held if free != 0 else 0
    return conversion._to_shares_down(free, erc20.totalSupply, self._total_low())


@view
@external
def previewRedeem(shares: uint256) -> uint256:
    return self._assets_for(shares)


@external
def redeem(shares: uint256, receiver: address, owner: address) -> uint256:
    assets: uint256 = self._assets_for(shares)
    self._spend(owner, shares)
    self._leave(assets, shares, owner, receiver)
    return assets


# while it is shut


@external
def request_deposit(assets: uint256) -> uint256:
    self._pull(msg.sender, assets)
    return self._open_request(assets, 0)


@external
def request_redeem(shares: uint256) -> uint256:
    erc20._transfer(msg.sender, self, shares)
    return self._open_request(0, shares)


@external
def process(request: uint256) -> uint256:
    found: IHedgedLiquidity.Request = self._end_request(request)
    result: uint256 = 0
    if found.assets != 0:
        result = self._enter(found.assets, self._shares_for(found.assets), found.owner, found.owner)
        log IHedgedLiquidity.RequestEnded(request=request, assets=found.assets, shares=result, cancelled=False)
    else:
        result = self._assets_for(found.shares)
        self._leave(result, found.shares, self, found.owner)
        log IHedgedLiquidity.RequestEnded(request=request, assets=result, shares=found.shares, cancelled=False)
    return result


@external
def cancel(request: uint256):
    found: IHedgedLiquidity.Request = self._end_request(request)
    assert msg.sender == found.owner, "liquidity: not the owner"
    if found.assets != 0:
        self._check_moved(extcall COIN.transfer(found.owner, found.assets, default_return_value=True))
    if found.shares != 0:
        erc20._transfer(self, found.owner, found.shares)
    log IHedgedLiquidity.RequestEnded(
        request=request, assets=found.assets, shares=found.shares, cancelled=True
    )


# views


@view
@external
def price_of(market: uint256, size: int256, price: uint256) -> (uint256, uint256):
    return self._price_of(market, self._load_listed(market), size, price)


@view
@external
def is_open() -> bool:
    return self._is_open()


@view
@external
def account() -> uint256:
    return ACCOUNT


@view
@external
def terms(market: uint256) -> IHedgedLiquidity.Terms:
    return self._terms[market]


@view
@external
def markets() -> DynArray[uint256, 8]:
    return self._markets


@view
@external
def request(request: uint256) -> IHedgedLiquidity.Request:
    return self._requests[request]


# administration


@external
def set_terms(market: uint256, terms: IHedgedLiquidity.Terms):
    roles._check_timelock()
    if market not in self._markets:
        listing: IIssuerGateway.Listing = staticcall GATEWAY.listing(instruments.FIRST_TOKEN + market)
        known: bool = market < instruments.FIRST_TOKEN and listing.manager != empty(address)
        self._check_range(known and len(self._markets) < 8)
        self._markets.append(market)
    self._check_range(charges._are_bounded(terms))
    self._terms[market] = terms
    log IHedgedLiquidity.TermsSet(market=market, terms=terms)


@external
def set_enabled(market: uint256, enabled: bool):
    roles._check_guardian()
    roles._check_loosening(not enabled)
    terms: IHedgedLiquidity.Terms = self._load_listed(market)
    terms.enabled = enabled
    self._terms[market] = terms
    log IHedgedLiquidity.TermsSet(market=market, terms=terms)


@external
def set_buffer(buffer: uint256):
    roles._check_guardian()
    roles._check_loosening(buffer >= self.buffer)
    self._set_buffer(buffer)


# prices


@internal
@view
def _price_of(
    market: uint256, terms: IHedgedLiquidity.Terms, size: int256, price: uint256
) -> (uint256, uint256):
    """
    @param size nano, signed for the taker.
    """
    tokens: uint256 = convert(abs(size), uint256) * NANO
    notional: uint256 = tokens * price // WAD
    assert notional <= terms.largest, "liquidity: fill too large"
    inventory: uint256 = 0
    if size > 0:
        held: int256 = staticcall BOOK.holding(ACCOUNT, instruments.FIRST_TOKEN + market)
        inventory = (convert(held, uint256) + tokens) * price // WAD
        assert inventory <= terms.inventory, "liquidity: inventory full"
    word: price_word.Word = price_word._unpack(self._read([market])[0])
    regular: bool = word.session == price_word.SESSION_REGULAR or word.session == price_word.SESSION_ALWAYS_OPEN
    fee: uint256 = charges._fee_up(terms, notional, inventory, regular)
    return charges._price(price, fee, size > 0), fee


@internal
@view
def _read(underlyings: DynArray[uint256, 32]) -> DynArray[uint256, 32]:
    words: DynArray[uint256, 32] = []
    closure: IMarginModel.Closure = empty(IMarginModel.Closure)
    words, closure = staticcall ORACLE.read(underlyings)
    return words


@internal
@view
def _is_open() -> bool:
    underlyings: DynArray[uint256, 32] = []
    for market: uint256 in self._markets:
        underlyings.append(market)
    words: DynArray[uint256, 32] = self._read(underlyings)
    for word: uint256 in words:
        # a price that nobody has ever told is in doubt, too
        if (word >> price_word.DOUBT_AT) & price_word.BPS_MASK != 0:
            return False
    # without equity there is no price of a share
    return erc20.totalSupply == 0 or self._total_low() != 0


@internal
@pure
def _size(tokens: uint256) -> int256:
    """
    @return nano, of as many perps.
    """
    assert tokens % NANO == 0 and tokens != 0, "liquidity: odd quantity"
    return convert(tokens // NANO, int256)


@internal
@view
def _to_coins_up(amount: uint256) -> uint256:
    """
    @param amount Tokens times price, both wad. The wad in between is rounded down, as the issuer does.
    """
    return (amount // WAD + UNIT - 1) // UNIT


# shares


@internal
@view
def _total_low() -> uint256:
    """
    @return Raw units, what withdrawals share: the lesser of equity and equity at the slow prices.
    """
    return self._low(staticcall BOOK.margin(ACCOUNT)) // UNIT


@internal
@view
def _total_high() -> uint256:
    """
    @return Raw units, what deposits buy into: the greater of the two.
    """
    margin: IPerpClearinghouse.Margin = staticcall BOOK.margin(ACCOUNT)
    high: int256 = max(margin.equity, margin.equity + margin.slow)
    return (convert(max(high, 0), uint256) + UNIT - 1) // UNIT


@internal
@pure
def _low(margin: IPerpClearinghouse.Margin) -> uint256:
    return convert(max(min(margin.equity, margin.equity + margin.slow), 0), uint256)


@internal
@view
def _shares_for(assets: uint256) -> uint256:
    return conversion._to_shares_down(assets, erc20.totalSupply, self._total_high())


@internal
@view
def _assets_for(shares: uint256) -> uint256:
    return conversion._to_assets_down(shares, erc20.totalSupply, self._total_low())


@internal
@view
def _room() -> uint256:
    """
    @return Raw units that may be deposited.
    """
    if not self._is_open():
        return 0
    cash: ICollateralVault.Asset = staticcall SAFE.asset(instruments.CASH)
    return cash.cap - min(cash.booked, cash.cap)


@internal
@view
def _free() -> uint256:
    """
    @return Raw units that may be withdrawn in all: what leaves the buffer, and is in the safe.
    """
    stopped: bool = (staticcall BOOK.settings()).paused & book_settings.WITHDRAWALS != 0 or staticcall SAFE.paused()
    if stopped or not self._is_open():
        return 0
    margin: IPerpClearinghouse.Margin = staticcall BOOK.margin(ACCOUNT)
    low: uint256 = self._low(margin)
    free: uint256 = low - min(low, self._buffered_up(margin.initial))
    if self._is_flat():
        # then it has no loan once it is settled
        free = low
    else:
        # what is withdrawn adds to the loan, whose interest is a part of initial margin
        free = free * 9 // 10
    return min(free // UNIT, staticcall SAFE.available_cash())


@internal
@view
def _is_flat() -> bool:
    lines: uint256 = 0
    others: uint256 = 0
    lines, others = staticcall BOOK.holdings(ACCOUNT)
    return lines == 0


@internal
@view
def _buffered_up(initial: uint256) -> uint256:
    return (initial * self.buffer + BPS - 1) // BPS


@internal
def _enter(assets: uint256, shares: uint256, sender: address, receiver: address) -> uint256:
    """
    @notice Coins that lie here become cash of the account, and shares.
    """
    self._check_maximum(self._is_open())
    erc20._mint(receiver, shares)
    self._bank(assets)
    log IERC4626.Deposit(sender=sender, owner=receiver, assets=assets, shares=shares)
    return shares


@internal
def _leave(assets: uint256, shares: uint256, owner: address, receiver: address):
    self._check_maximum(assets <= self._free())
    erc20._burn(owner, shares)
    if self._is_flat():
        # what perps have gained becomes cash first, or paying it out would be a loan
        extcall BOOK.settle(ACCOUNT)
    extcall SAFE.withdraw(ACCOUNT, instruments.CASH, assets, receiver)
    # `_free` allows for interest by a round part, this by what is charged
    self._check_buffer()
    log IERC4626.Withdraw(sender=msg.sender, receiver=receiver, owner=owner, assets=assets, shares=shares)


@internal
def _spend(owner: address, shares: uint256):
    if msg.sender != owner:
        erc20._spend_allowance(owner, msg.sender, shares)


@internal
def _pull(owner: address, amount: uint256):
    self._check_moved(extcall COIN.transferFrom(owner, self, amount, default_return_value=True))


@internal
def _bank(amount: uint256):
    """
    @notice Coins that lie here, into the account.
    """
    self._check_moved(extcall COIN.approve(SAFE.address, amount, default_return_value=True))
    extcall SAFE.deposit(ACCOUNT, instruments.CASH, amount)


# requests


@internal
def _open_request(assets: uint256, shares: uint256) -> uint256:
    assert assets != 0 or shares != 0, "liquidity: nothing"
    request: uint256 = self._request_count
    self._request_count = request + 1
    self._requests[request] = IHedgedLiquidity.Request(owner=msg.sender, assets=assets, shares=shares)
    log IHedgedLiquidity.Requested(request=request, owner=msg.sender, assets=assets, shares=shares)
    return request


@internal
def _end_request(request: uint256) -> IHedgedLiquidity.Request:
    found: IHedgedLiquidity.Request = self._requests[request]
    assert found.owner != empty(address), "liquidity: no such request"
    self._requests[request] = empty(IHedgedLiquidity.Request)
    return found


# settings and checks


@internal
@view
def _load_listed(market: uint256) -> IHedgedLiquidity.Terms:
    terms: IHedgedLiquidity.Terms = self._terms[market]
    assert terms.largest != 0, "liquidity: not listed"
    return terms


@internal
def _set_buffer(buffer: uint256):
    self._check_range(BPS <= buffer and buffer <= BUFFER_MAX)
    self.buffer = buffer
    log IHedgedLiquidity.BufferSet(buffer=buffer)


@internal
@view
def _check_open():
    assert self._is_open(), "liquidity: shut"


@internal
@view
def _check_buffer():
    margin: IPerpClearinghouse.Margin = staticcall BOOK.margin(ACCOUNT)
    assert self._low(margin) >= self._buffered_up(margin.initial), "liquidity: below buffer"


@internal
@pure
def _check_maximum(within: bool):
    assert within, "liquidity: over the maximum"


@internal
@pure
def _check_range(within: bool):
    assert within, "liquidity: out of range"


@internal
@pure
def _check_moved(moved: bool):
    assert moved, "liquidity: transfer failed"
