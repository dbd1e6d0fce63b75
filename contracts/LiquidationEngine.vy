# pragma version 0.4.3
# pragma nonreentrancy on
"""
@title LiquidationEngine
@license AGPL-3.0-only
@author Prime Perps
@notice Sells slices of unhealthy accounts, to anyone, at a price that falls with time.

        Trust: the clearinghouse, which trusts this contract to move slices and cash and to share losses, nothing else;
        its oracle and model, for how much the throttle lets through; the insurance fund, fixed at deployment, for what
        it asks to be released to its backers while no loss is under way.

        State of an account: no auction -> (start) -> auction -> (take, healthy again | stop) -> no auction. While
        equity is negative the clock of the reward runs instead of the price. A liquidation never waits for insurance to
        have money: what it cannot pay is taken from everybody's positive cash alike, by the supply index. What even
        that does not pay shows as its negative cash (`uncovered_loss`) until it is paid in. A throttle limits how much
        of an underlying is sold in a window of time, insolvent and small accounts apart.
@custom:kill `configurator.set_paused(4)` by the guardian.
"""
from contracts.interfaces import ILiquidationEngine
from contracts.interfaces import IPerpClearinghouse
from snekmate.auth import access_control
from .modules.clearing import accounts
from .modules.clearing import settings as book_settings
from .modules.common import roles
from .modules.liquidation import eligibility
from .modules.liquidation import slice as pricing
from .modules.liquidation import terms as engine_terms
from .modules.liquidation import throttle as buckets

implements: ILiquidationEngine

initializes: access_control
initializes: roles[access_control := access_control]
initializes: engine_terms
initializes: buckets


exports: (
    # roles
    access_control.supportsInterface,
    access_control.DEFAULT_ADMIN_ROLE,
    access_control.hasRole,
    access_control.getRoleAdmin,
    access_control.grantRole,
    access_control.revokeRole,
    access_control.renounceRole,
    roles.GUARDIAN_ROLE,
    roles.TIMELOCK_ROLE,
)


WAD: constant(uint256) = 10**18
TIME_BITS: constant(uint256) = 64
TIME_MASK: constant(uint256) = 2**64 - 1
# wei taken beyond a loss, so that the rounding of shares leaves insurance without a debt.
ROUNDING: constant(uint256) = 10**6

CLEARINGHOUSE: immutable(IPerpClearinghouse)

INSURANCE: immutable(uint256)

insurance_fund: public(immutable(address))

total_loss: public(uint256)
loss_seen_at: public(uint256)
# three times of 64 bits: started, insolvent, seen
_auctions: HashMap[uint256, uint256]


@deploy
def __init__(clearinghouse_: address, insurance_fund_: address, terms_: ILiquidationEngine.Terms):
    """
    @param insurance_fund_ Where the fund is going to be; it is deployed after this and refuses to be anywhere else.
    """
    access_control.__init__()
    buckets.__init__(clearinghouse_)
    CLEARINGHOUSE = IPerpClearinghouse(clearinghouse_)
    assert staticcall CLEARINGHOUSE.engine() == self, "engine: not the one expected"
    INSURANCE = staticcall CLEARINGHOUSE.insurance_account()
    insurance_fund = insurance_fund_
    engine_terms._store(terms_)


@external
def start(account: uint256):
    margin: IPerpClearinghouse.Margin = staticcall CLEARINGHOUSE.margin(account)
    self._check_liquidatable(account, margin)
    terms: ILiquidationEngine.Terms = engine_terms._load()
    running: ILiquidationEngine.Auction = self._load(account)
    auction: ILiquidationEngine.Auction = self._as_of_now(running, margin, terms)
    started: bool = auction.started_at != running.started_at
    # keepers call this at every block while they wait; once in half a lapse is enough
    due: bool = running.seen_at + terms.lapse // 2 <= block.timestamp
    assert started or due or auction.insolvent_at != running.insolvent_at, "engine: running"
    self._store(account, auction)
    if margin.equity < 0:
        self.loss_seen_at = block.timestamp
    if started:
        log ILiquidationEngine.AuctionStarted(account=account, equity=margin.equity, maintenance=margin.maintenance)


@external
def stop(account: uint256):
    assert self._load(account).started_at != 0, "engine: not running"
    margin: IPerpClearinghouse.Margin = staticcall CLEARINGHOUSE.margin(account)
    assert margin.equity >= convert(margin.maintenance, int256), "engine: still unhealthy"
    self._store(account, empty(ILiquidationEngine.Auction))
    log ILiquidationEngine.AuctionEnded(account=account)


@external
def take(account: uint256, liquidator: uint256, max_fraction: uint256, max_price: uint256, expected_state: uint256):
    assert account != liquidator, "engine: own account"
    assert staticcall CLEARINGHOUSE.state_counter(account) == expected_state, "engine: state changed"
    margin: IPerpClearinghouse.Margin = staticcall CLEARINGHOUSE.margin(account)
    self._check_liquidatable(account, margin)
    terms: ILiquidationEngine.Terms = engine_terms._load()
    auction: ILiquidationEngine.Auction = self._as_of_now(self._load(account), margin, terms)

    price: uint256 = self._price(auction, margin, terms)
    assert price <= max_price, "engine: price above limit"
    largest: uint256 = self._fraction(margin, price, terms)
    wanted: uint256 = min(largest, max_fraction)
    self._check_slice(wanted, largest, margin, terms)
    fraction: uint256 = self._throttle(account, wanted, margin, terms)
    cost: ILiquidationEngine.Quote = self._cost(auction, margin, fraction, price, terms)
    self._keep(account, auction, self._is_restored(margin, fraction, cost.payment))
    if margin.equity < 0:
        self.loss_seen_at = block.timestamp
        self._pay_loss(account, liquidator, margin, fraction, cost.reward)
    if cost.fee != 0:
        extcall CLEARINGHOUSE.move_cash(liquidator, INSURANCE, cost.fee)
    extcall CLEARINGHOUSE.move_slice(account, liquidator, fraction, cost.payment, msg.sender)
    log ILiquidationEngine.Slice(
        account=account,
        liquidator=liquidator,
        fraction=fraction,
        price=price,
        payment=cost.payment,
        fee=cost.fee,
        reward=cost.reward,
        equity=margin.equity,
        maintenance=margin.maintenance,
    )


# the insurance fund's


@external
def release(amount: uint256):
    assert msg.sender == insurance_fund, "engine: fund only"
    assert self.loss_seen_at + engine_terms._load().lapse < block.timestamp, "engine: loss under way"
    assert convert(amount, int256) <= self._insurance_cash(), "engine: insurance too small"
    fund: uint256 = convert(insurance_fund, uint256) << accounts.OWNER_OFFSET
    extcall CLEARINGHOUSE.move_cash(INSURANCE, fund, amount)


# views


@external
@view
def quote(account: uint256) -> ILiquidationEngine.Quote:
    margin: IPerpClearinghouse.Margin = staticcall CLEARINGHOUSE.margin(account)
    if not eligibility._is_liquidatable(margin):
        return empty(ILiquidationEngine.Quote)
    terms: ILiquidationEngine.Terms = engine_terms._load()
    auction: ILiquidationEngine.Auction = self._as_of_now(self._load(account), margin, terms)
    price: uint256 = self._price(auction, margin, terms)
    largest: uint256 = self._fraction(margin, price, terms)
    fraction: uint256 = largest
    lines: DynArray[buckets.Line, 32] = []
    fraction, lines = self._allowed(account, largest, margin, terms)
    if fraction != largest and self._is_small(fraction, margin, terms):
        fraction = 0
    quote: ILiquidationEngine.Quote = self._cost(auction, margin, fraction, price, terms)
    quote.throttled = fraction != largest
    return quote


@external
@view
def auction(account: uint256) -> ILiquidationEngine.Auction:
    return self._load(account)


@external
@view
def terms() -> ILiquidationEngine.Terms:
    return engine_terms._load()


@external
@view
def throttle(underlying: uint256) -> ILiquidationEngine.Throttle:
    return buckets._state(underlying, engine_terms._load())


@external
@view
def uncovered_loss() -> uint256:
    return convert(max(-self._insurance_cash(), 0), uint256)


@external
@view
def clearinghouse() -> address:
    return CLEARINGHOUSE.address


# administration


@external
def set_terms(terms: ILiquidationEngine.Terms):
    roles._check_timelock()
    engine_terms._store(terms)


# auction


@internal
@view
def _load(account: uint256) -> ILiquidationEngine.Auction:
    word: uint256 = self._auctions[account]
    return ILiquidationEngine.Auction(
        started_at=word & TIME_MASK, insolvent_at=(word >> TIME_BITS) & TIME_MASK, seen_at=word >> (2 * TIME_BITS)
    )


@internal
def _store(account: uint256, auction: ILiquidationEngine.Auction):
    self._auctions[account] = (
        auction.started_at | (auction.insolvent_at << TIME_BITS) | (auction.seen_at << (2 * TIME_BITS))
    )


@internal
@view
def _as_of_now(
    auction: ILiquidationEngine.Auction, margin: IPerpClearinghouse.Margin, terms: ILiquidationEngine.Terms
) -> ILiquidationEngine.Auction:
    """
    @notice The running auction, or one that starts now when there is none or it has lapsed: a clock left from an
            earlier fall, cured since, must not sell the account at the end of its price. The reward's clock runs while
            equity is seen below zero.
    """
    current: ILiquidationEngine.Auction = auction
    if auction.seen_at + terms.lapse < block.timestamp:
        current = ILiquidationEngine.Auction(started_at=block.timestamp, insolvent_at=0, seen_at=0)
    if margin.equity >= 0:
        current.insolvent_at = 0
    elif current.insolvent_at == 0:
        current.insolvent_at = block.timestamp
    current.seen_at = block.timestamp
    return current


@internal
def _keep(account: uint256, auction: ILiquidationEngine.Auction, restored: bool):
    """
    @notice Store the auction after a slice; one that began and ends with the same slice is never stored.
    """
    if not restored:
        self._store(account, auction)
    elif self._auctions[account] != 0:
        self._store(account, empty(ILiquidationEngine.Auction))
        log ILiquidationEngine.AuctionEnded(account=account)


@internal
def _pay_loss(
    account: uint256, liquidator: uint256, margin: IPerpClearinghouse.Margin, fraction: uint256, reward: uint256
):
    """
    @notice LQ-2: insurance takes the loss that goes with the slice, and what it does not have is shared by all who have
            cash. It never reverts for want of money.
    """
    loss: uint256 = convert(-margin.equity, uint256) * fraction // WAD
    self.total_loss += loss
    socialised: uint256 = self._share_loss(account, loss)
    extcall CLEARINGHOUSE.move_cash(INSURANCE, liquidator, reward)
    log ILiquidationEngine.LossRecorded(
        account=account,
        loss=loss,
        socialised=socialised,
        insurance_after=(staticcall CLEARINGHOUSE.money(INSURANCE)).cash,
    )


@internal
def _share_loss(account: uint256, loss: uint256) -> uint256:
    """
    @return What was taken from everybody's cash, so that insurance has the loss.
    """
    if convert(loss, int256) <= self._insurance_cash():
        return 0
    # what is on its way to insurance comes first
    extcall CLEARINGHOUSE.distribute_fees()
    missing: int256 = convert(loss, int256) - self._insurance_cash()
    if missing <= 0:
        return 0
    # settled, an account without equity has no cash that could be taken: the loss sold stays the loss quoted
    extcall CLEARINGHOUSE.settle(account)
    return extcall CLEARINGHOUSE.socialise(convert(missing, uint256) + ROUNDING)


@internal
@view
def _price(
    auction: ILiquidationEngine.Auction, margin: IPerpClearinghouse.Margin, terms: ILiquidationEngine.Terms
) -> uint256:
    """
    @notice pi as of now, wad; 0 for an account without equity, whose taker is paid instead.
    """
    if margin.equity < 0:
        return 0
    return pricing._price_down(block.timestamp - auction.started_at, terms)


@internal
@view
def _fraction(margin: IPerpClearinghouse.Margin, price: uint256, terms: ILiquidationEngine.Terms) -> uint256:
    """
    @notice The largest slice, wad: what the target health needs, or everything of a small or insolvent account.
    """
    if self._is_whole(margin, terms):
        return WAD
    return pricing._fraction_down(convert(margin.equity, uint256), margin.maintenance, price, terms.target_health)


@internal
@pure
def _is_whole(margin: IPerpClearinghouse.Margin, terms: ILiquidationEngine.Terms) -> bool:
    """
    @notice Whether an account may be taken whole, at once.
    """
    return margin.equity < 0 or margin.maintenance < terms.whole_below


@internal
def _throttle(
    account: uint256, wanted: uint256, margin: IPerpClearinghouse.Margin, terms: ILiquidationEngine.Terms
) -> uint256:
    """
    @notice What the throttle leaves of a slice, which is counted from now on.
    """
    fraction: uint256 = wanted
    lines: DynArray[buckets.Line, 32] = []
    fraction, lines = self._allowed(account, wanted, margin, terms)
    self._check_room(fraction == wanted or not self._is_small(fraction, margin, terms))
    buckets._fill(lines, fraction)
    return fraction


@internal
@view
def _allowed(
    account: uint256, wanted: uint256, margin: IPerpClearinghouse.Margin, terms: ILiquidationEngine.Terms
) -> (uint256, DynArray[buckets.Line, 32]):
    """
    @return (what the throttle has room for of a slice, the buckets it goes into).
    """
    if self._is_whole(margin, terms):
        return wanted, []
    # up: it has to be enough
    least: uint256 = (terms.smallest_slice * WAD + margin.maintenance - 1) // margin.maintenance
    return buckets._allowed_down(account, wanted, least, terms)


@internal
@view
def _cost(
    auction: ILiquidationEngine.Auction,
    margin: IPerpClearinghouse.Margin,
    fraction: uint256,
    price: uint256,
    terms: ILiquidationEngine.Terms,
) -> ILiquidationEngine.Quote:
    """
    @notice What a slice costs its taker, or brings him.
    """
    quote: ILiquidationEngine.Quote = empty(ILiquidationEngine.Quote)
    quote.fraction = fraction
    quote.price = price
    if margin.equity >= 0:
        equity: uint256 = convert(margin.equity, uint256)
        quote.payment = pricing._payment_up(equity, fraction, price)
        quote.fee = pricing._fee_down(equity, fraction, quote.payment, terms.insurance_share)
        return quote
    loss: uint256 = convert(-margin.equity, uint256)
    share: uint256 = pricing._reward_down(
        margin.maintenance, fraction, block.timestamp - auction.insolvent_at, terms.reward_phase
    )
    # the whole loss comes before any reward: taken in parts, an account must not cost insurance more than taken whole
    quote.reward = loss * fraction // WAD + min(share, self._insured(loss))
    return quote


@internal
@view
def _insured(loss: uint256) -> uint256:
    """
    @notice What insurance has left once it has paid a loss. It may go below zero for the loss, never for a reward.
    """
    return convert(max(self._insurance_cash() - convert(loss, int256), 0), uint256)


@internal
@view
def _insurance_cash() -> int256:
    return (staticcall CLEARINGHOUSE.money(INSURANCE)).cash


@internal
@pure
def _is_restored(margin: IPerpClearinghouse.Margin, fraction: uint256, payment: uint256) -> bool:
    """
    @notice Whether the slice leaves nothing, or health of one and more: then a relapse starts a new auction at its full
            price.
    """
    if fraction == WAD:
        return True
    rest: int256 = convert(WAD - fraction, int256)
    equity: int256 = margin.equity * rest + convert(payment * WAD, int256)
    return equity >= convert(margin.maintenance, int256) * rest


# checks


@internal
@view
def _check_liquidatable(account: uint256, margin: IPerpClearinghouse.Margin):
    assert eligibility._is_liquidatable(margin), "engine: healthy"
    assert account >> accounts.OWNER_OFFSET != convert(CLEARINGHOUSE.address, uint256), "engine: protected account"
    assert (staticcall CLEARINGHOUSE.settings()).paused & book_settings.LIQUIDATION == 0, "settings: paused"


@internal
@pure
def _is_small(fraction: uint256, margin: IPerpClearinghouse.Margin, terms: ILiquidationEngine.Terms) -> bool:
    return fraction == 0 or fraction * margin.maintenance // WAD < terms.smallest_slice


@internal
@pure
def _check_slice(
    fraction: uint256, largest: uint256, margin: IPerpClearinghouse.Margin, terms: ILiquidationEngine.Terms
):
    # all that may be taken is never too small: nothing else would ever bring the account to its target
    enough: bool = fraction == largest or not self._is_small(fraction, margin, terms)
    assert fraction != 0 and enough, "engine: slice too small"


@internal
@pure
def _check_room(enough: bool):
    assert enough, "engine: throttled"
