# pragma version 0.4.3
# pragma nonreentrancy on
"""
@title LiquidationEngine
@license AGPL-3.0-only
@author Prime Perps
@notice Sells slices of unhealthy accounts, to anyone, at a price that falls with time.

        Trust: the clearinghouse, which trusts this contract to move slices and the cash of insurance, nothing else.

        State of an account: no auction -> (start) -> auction -> (take, healthy again | stop) -> no auction. While
        equity is negative the clock of the reward runs instead of the price. A liquidation never waits for insurance to
        have money: what it cannot pay is taken from everybody's positive cash alike, by the supply index. What even
        that does not pay shows as its negative cash (`uncovered_loss`) until it is paid in.
@custom:kill The clearinghouse's `set_paused(4)` by the guardian.
"""
from contracts.interfaces import ILiquidationEngine
from contracts.interfaces import IPerpClearinghouse
from snekmate.auth import access_control
from .modules.common import roles
from .modules.liquidation import eligibility
from .modules.liquidation import slice as pricing

implements: ILiquidationEngine

initializes: access_control
initializes: roles[access_control := access_control]


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
PHASE_MAX: constant(uint256) = 7 * 86_400
TARGET_MAX: constant(uint256) = 2 * WAD
SMALL_MAX: constant(uint256) = 100_000 * WAD
LIQUIDATION_PAUSED: constant(uint256) = 4
# wei taken beyond a loss, so that the rounding of shares leaves insurance without a debt.
ROUNDING: constant(uint256) = 10**6

CLEARINGHOUSE: immutable(IPerpClearinghouse)

total_loss: public(uint256)
# three times of 64 bits: started, insolvent, seen
_auctions: HashMap[uint256, uint256]
_terms: ILiquidationEngine.Terms


@deploy
def __init__(clearinghouse_: address, terms_: ILiquidationEngine.Terms):
    access_control.__init__()
    CLEARINGHOUSE = IPerpClearinghouse(clearinghouse_)
    assert staticcall CLEARINGHOUSE.engine() == self, "engine: not the one expected"
    self._set_terms(terms_)


@external
def start(account: uint256):
    margin: IPerpClearinghouse.Margin = staticcall CLEARINGHOUSE.margin(account)
    self._check_liquidatable(account, margin)
    running: ILiquidationEngine.Auction = self._load(account)
    auction: ILiquidationEngine.Auction = self._as_of_now(running, margin)
    started: bool = auction.started_at != running.started_at
    # keepers call this at every block while they wait; once in half a lapse is enough
    due: bool = running.seen_at + self._terms.lapse // 2 <= block.timestamp
    assert started or due or auction.insolvent_at != running.insolvent_at, "engine: running"
    self._store(account, auction)
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
    auction: ILiquidationEngine.Auction = self._as_of_now(self._load(account), margin)

    price: uint256 = self._price(auction, margin)
    assert price <= max_price, "engine: price above limit"
    largest: uint256 = self._fraction(margin, price)
    fraction: uint256 = min(largest, max_fraction)
    self._check_slice(fraction, largest, margin)
    payment: uint256 = 0
    reward: uint256 = 0
    payment, reward = self._cost(auction, margin, fraction, price)
    self._keep(account, auction, self._is_restored(margin, fraction, payment))
    if margin.equity < 0:
        self._pay_loss(account, liquidator, margin, fraction, reward)
    extcall CLEARINGHOUSE.move_slice(account, liquidator, fraction, payment, msg.sender)
    log ILiquidationEngine.Slice(
        account=account,
        liquidator=liquidator,
        fraction=fraction,
        price=price,
        payment=payment,
        reward=reward,
        equity=margin.equity,
        maintenance=margin.maintenance,
    )


# views


@external
@view
def quote(account: uint256) -> ILiquidationEngine.Quote:
    margin: IPerpClearinghouse.Margin = staticcall CLEARINGHOUSE.margin(account)
    if not eligibility._is_liquidatable(margin):
        return empty(ILiquidationEngine.Quote)
    auction: ILiquidationEngine.Auction = self._as_of_now(self._load(account), margin)
    price: uint256 = self._price(auction, margin)
    fraction: uint256 = self._fraction(margin, price)
    payment: uint256 = 0
    reward: uint256 = 0
    payment, reward = self._cost(auction, margin, fraction, price)
    return ILiquidationEngine.Quote(fraction=fraction, price=price, payment=payment, reward=reward)


@external
@view
def auction(account: uint256) -> ILiquidationEngine.Auction:
    return self._load(account)


@external
@view
def terms() -> ILiquidationEngine.Terms:
    return self._terms


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
    self._set_terms(terms)


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
    auction: ILiquidationEngine.Auction, margin: IPerpClearinghouse.Margin
) -> ILiquidationEngine.Auction:
    """
    @notice The running auction, or one that starts now when there is none or it has lapsed: a clock left from an
            earlier fall, cured since, must not sell the account at the end of its price. The reward's clock runs while
            equity is seen below zero.
    """
    current: ILiquidationEngine.Auction = auction
    if auction.seen_at + self._terms.lapse < block.timestamp:
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
    insurance: uint256 = staticcall CLEARINGHOUSE.insurance_account()
    extcall CLEARINGHOUSE.move_cash(insurance, liquidator, reward)
    log ILiquidationEngine.LossRecorded(
        account=account,
        loss=loss,
        socialised=socialised,
        insurance_after=(staticcall CLEARINGHOUSE.money(insurance)).cash,
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
def _price(auction: ILiquidationEngine.Auction, margin: IPerpClearinghouse.Margin) -> uint256:
    """
    @notice pi as of now, wad; 0 for an account without equity, whose taker is paid instead.
    """
    if margin.equity < 0:
        return 0
    return pricing._price_down(block.timestamp - auction.started_at, self._terms)


@internal
@view
def _fraction(margin: IPerpClearinghouse.Margin, price: uint256) -> uint256:
    """
    @notice The largest slice, wad: what the target health needs, or everything of a small or insolvent account.
    """
    if margin.equity < 0 or margin.maintenance < self._terms.whole_below:
        return WAD
    return pricing._fraction_down(
        convert(margin.equity, uint256), margin.maintenance, price, self._terms.target_health
    )


@internal
@view
def _cost(
    auction: ILiquidationEngine.Auction, margin: IPerpClearinghouse.Margin, fraction: uint256, price: uint256
) -> (uint256, uint256):
    """
    @return (payment by the taker, reward to the taker), wad.
    """
    if margin.equity >= 0:
        return pricing._payment_up(convert(margin.equity, uint256), fraction, price), 0
    loss: uint256 = convert(-margin.equity, uint256)
    share: uint256 = pricing._reward_down(
        margin.maintenance, fraction, block.timestamp - auction.insolvent_at, self._terms.reward_phase
    )
    # the whole loss comes before any reward: taken in parts, an account must not cost insurance more than taken whole
    return 0, loss * fraction // WAD + min(share, self._insured(loss))


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
    return (staticcall CLEARINGHOUSE.money(staticcall CLEARINGHOUSE.insurance_account())).cash


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
    assert account >> 96 != convert(CLEARINGHOUSE.address, uint256), "engine: protected account"
    assert (staticcall CLEARINGHOUSE.settings()).paused & LIQUIDATION_PAUSED == 0, "settings: paused"


@internal
@view
def _check_slice(fraction: uint256, largest: uint256, margin: IPerpClearinghouse.Margin):
    # all that may be taken is never too small: nothing else would ever bring the account to its target
    enough: bool = fraction == largest or fraction * margin.maintenance // WAD >= self._terms.smallest_slice
    assert fraction != 0 and enough, "engine: slice too small"


@internal
def _set_terms(terms: ILiquidationEngine.Terms):
    assert (
        terms.knee_price <= terms.start_price
        and terms.start_price <= WAD
        and 0 < terms.first_phase
        and terms.first_phase <= PHASE_MAX
        and 0 < terms.second_phase
        and terms.second_phase <= PHASE_MAX
        and 0 < terms.reward_phase
        and terms.reward_phase <= PHASE_MAX
        and 0 < terms.lapse
        and terms.lapse <= PHASE_MAX
        and WAD < terms.target_health
        and terms.target_health <= TARGET_MAX
        and max(terms.whole_below, terms.smallest_slice) <= SMALL_MAX
    ), "engine: terms out of range"
    self._terms = terms
    log ILiquidationEngine.TermsSet(terms=terms)
