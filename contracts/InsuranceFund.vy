# pragma version 0.4.3
# pragma nonreentrancy on
"""
@title InsuranceFund
@license AGPL-3.0-only
@author Prime Perps
@notice Shares of the insurance account's cash for those who have put money into it.

        Trust: the clearinghouse for the cash of insurance, the vault to take stablecoin in and send it out, the engine
        to release what a backer leaves with. This contract holds nothing: what it is paid goes on at once, and its own
        account in the book has cash only within a withdrawal, but for dust.

        State of a backer: shares -> (request_withdrawal) -> waiting -> ready -> (withdraw) gone, or lapsed: shares.
        While an account without equity was seen within a lapse of auctions, nobody goes.
@custom:kill `configurator.set_paused(2)` or the vault's `set_paused(True)` stops withdrawals, of backers too.
"""
from contracts.interfaces import ICollateralVault
from contracts.interfaces import IInsuranceFund
from contracts.interfaces import ILiquidationEngine
from contracts.interfaces import IPerpClearinghouse
from ethereum.ercs import IERC20
from snekmate.auth import access_control
from .modules.clearing import accounts
from .modules.common import roles
from .modules.insurance import backing
from .modules.vault import assets as instruments

implements: IInsuranceFund

initializes: access_control
initializes: roles[access_control := access_control]
initializes: backing


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
    # shares
    backing.generation,
    backing.total_shares,
)


BPS: constant(uint256) = 10**4
HOUR: constant(uint256) = 3_600
DAY: constant(uint256) = 86_400
TARGET_MAX: constant(uint256) = 10**33
# wei released beyond what is sent, so that the rounding of shares of the cash market leaves no debt.
ROUNDING: constant(uint256) = 10**6

CLEARINGHOUSE: immutable(IPerpClearinghouse)
VAULT: immutable(ICollateralVault)
ENGINE: immutable(ILiquidationEngine)

_terms: IInsuranceFund.Terms
# by generation: a request for shares that are void is void
_requests: HashMap[uint256, HashMap[address, IInsuranceFund.Request]]


@deploy
def __init__(clearinghouse_: address, terms_: IInsuranceFund.Terms):
    """
    @param clearinghouse_ Deployed before, with its vault and its engine, which names this fund for good.
    """
    access_control.__init__()
    CLEARINGHOUSE = IPerpClearinghouse(clearinghouse_)
    VAULT = ICollateralVault(staticcall CLEARINGHOUSE.vault())
    ENGINE = ILiquidationEngine(staticcall CLEARINGHOUSE.engine())
    assert staticcall ENGINE.insurance_fund() == self, "fund: not the one expected"
    self._set_terms(terms_)


@external
def deposit(amount: uint256, backer: address) -> uint256:
    assert backer != empty(address), "fund: bad backer"
    extcall CLEARINGHOUSE.distribute_fees()
    before: int256 = self._cash()
    assert before >= 0, "fund: uncovered loss"
    had: uint256 = convert(before, uint256)
    backing._renew(had)
    token: IERC20 = IERC20((staticcall VAULT.asset(instruments.CASH)).token)
    self._check_moved(extcall token.transferFrom(msg.sender, self, amount, default_return_value=True))
    self._check_moved(extcall token.approve(VAULT.address, amount, default_return_value=True))
    extcall VAULT.deposit(staticcall CLEARINGHOUSE.insurance_account(), instruments.CASH, amount)
    # what else comes in meanwhile belongs to all. All the cash there can be makes a share no dearer than 4e-8 USD, so
    # that not even one raw unit is rounded away
    paid: uint256 = min(convert(self._cash() - before, uint256), amount * self._unit())
    shares: uint256 = backing._make_down(backer, paid, had)
    log IInsuranceFund.Deposited(sender=msg.sender, backer=backer, amount=amount, shares=shares)
    return shares


@external
def request_withdrawal(shares: uint256):
    assert shares <= backing._of(msg.sender), "fund: not enough shares"
    request: IInsuranceFund.Request = empty(IInsuranceFund.Request)
    if shares != 0:
        request.shares = shares
        request.ready_at = block.timestamp + self._terms.cooldown
        request.lapses_at = request.ready_at + self._terms.window
    self._requests[backing.generation][msg.sender] = request
    log IInsuranceFund.WithdrawalRequested(
        backer=msg.sender, shares=shares, ready_at=request.ready_at, lapses_at=request.lapses_at
    )


@external
def withdraw(receiver: address) -> uint256:
    request: IInsuranceFund.Request = self._requests[backing.generation][msg.sender]
    assert request.shares != 0 and request.ready_at <= block.timestamp, "fund: not ready"
    assert block.timestamp < request.lapses_at, "fund: request lapsed"
    self._requests[backing.generation][msg.sender] = empty(IInsuranceFund.Request)
    extcall CLEARINGHOUSE.distribute_fees()
    worth: uint256 = backing._worth_down(request.shares, self._assets())
    backing._burn(msg.sender, request.shares)
    unit: uint256 = self._unit()
    amount: uint256 = (worth - min(worth, ROUNDING)) // unit
    assert amount != 0, "fund: nothing to send"
    extcall ENGINE.release(amount * unit + ROUNDING)
    extcall VAULT.withdraw(convert(self, uint256) << accounts.OWNER_OFFSET, instruments.CASH, amount, receiver)
    log IInsuranceFund.Withdrawn(backer=msg.sender, receiver=receiver, shares=request.shares, amount=amount)
    return amount


# views


@external
@view
def shares_of(backer: address) -> uint256:
    return backing._of(backer)


@external
@view
def request_of(backer: address) -> IInsuranceFund.Request:
    return self._requests[backing.generation][backer]


@external
@view
def worth(shares: uint256) -> uint256:
    return backing._worth_down(shares, self._assets())


@external
@view
def assets() -> uint256:
    return self._assets()


@external
@view
def fill_level() -> uint256:
    return self._assets() * BPS // self._terms.target


@external
@view
def terms() -> IInsuranceFund.Terms:
    return self._terms


@external
@view
def clearinghouse() -> address:
    return CLEARINGHOUSE.address


# administration


@external
def set_terms(terms: IInsuranceFund.Terms):
    roles._check_timelock()
    self._set_terms(terms)


@internal
@view
def _cash() -> int256:
    return (staticcall CLEARINGHOUSE.money(staticcall CLEARINGHOUSE.insurance_account())).cash


@internal
@view
def _assets() -> uint256:
    return convert(max(self._cash(), 0), uint256)


@internal
@view
def _unit() -> uint256:
    """
    @return wad of one raw unit of stablecoin.
    """
    return 10 ** (instruments.BOOK_DECIMALS - (staticcall VAULT.asset(instruments.CASH)).decimals)


@internal
def _set_terms(terms: IInsuranceFund.Terms):
    assert (
        0 < terms.target
        and terms.target <= TARGET_MAX
        and DAY <= terms.cooldown
        and terms.cooldown <= 30 * DAY
        and HOUR <= terms.window
        and terms.window <= 7 * DAY
    ), "fund: terms out of range"
    self._terms = terms
    log IInsuranceFund.TermsSet(terms=terms)


@internal
@pure
def _check_moved(moved: bool):
    assert moved, "fund: transfer failed"
