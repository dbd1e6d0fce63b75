# pragma version 0.4.3
# pragma nonreentrancy on
"""
@title CollateralVault
@license AGPL-3.0-only
@author Prime Perps
@notice The safe: the only place where tokens enter or leave. It holds, measures and books; who may do what, and what an
        account can afford, is the clearinghouse's to say.

        Trust: the clearinghouse, fixed at deployment, for permission, ledger and margin. No token: each is called as if
        it were hostile, and a transfer counts only as the change of the safe's own balance. Nobody can move tokens but
        by `withdraw`, not even the timelock.

        State: deposits are always open up to an asset's cap; withdrawals are open or paused.

        Assumptions on tokens, for safety: a balance falls without a withdrawal only by the issuer's hand (seizure,
        negative rebase); decimals never change. For liveness: the token lets the safe send and receive.

        Every view reverts while a deposit or a withdrawal is under way, so nobody reads a safe that is half moved.
@custom:kill A guardian pauses withdrawals and sets caps to zero, at once; the timelock undoes both. Tokens stay.
"""
from contracts.interfaces import ICollateralVault
from contracts.interfaces import IMarginModel
from contracts.interfaces import IPerpClearinghouse
from snekmate.auth import access_control
from snekmate.auth.interfaces import IAccessControl
from .modules.common import roles
from .modules.vault import assets
from .modules.vault import custody
from .modules.vault import token_probe

implements: ICollateralVault
implements: IAccessControl

initializes: access_control
initializes: roles[access_control := access_control]
initializes: assets


exports: (
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


CLEARINGHOUSE: immutable(IPerpClearinghouse)


paused: public(bool)


@deploy
def __init__(clearinghouse: address):
    """
    @notice The deployer administers roles until it hands them over.
    @param clearinghouse Deployed before, with this vault's address; each names the other for good.
    """
    access_control.__init__()
    CLEARINGHOUSE = IPerpClearinghouse(clearinghouse)
    assert staticcall CLEARINGHOUSE.vault() == self, "vault: not the one expected"


@external
def deposit(account: uint256, instrument: uint256, amount: uint256):
    self._check_amount(amount)
    asset: assets.Asset = assets._load_listed(instrument)
    self._check_room(account, instrument, amount, asset)
    custody._pull(asset.token, msg.sender, amount, asset.booked)
    asset.booked += amount
    assets._store(instrument, asset)
    extcall CLEARINGHOUSE.credit(account, instrument, assets._to_book(amount, asset.decimals), msg.sender)
    log ICollateralVault.Deposit(account=account, instrument=instrument, sender=msg.sender, amount=amount)


@external
def withdraw(account: uint256, instrument: uint256, amount: uint256, receiver: address):
    self._check_not_paused()
    self._check_amount(amount)
    self._check_receiver(receiver)
    asset: assets.Asset = assets._load_listed(instrument)
    # Cash may be short although the account is good for it: the rest of it is lent to others.
    custody._check_covered(amount, asset.booked)
    extcall CLEARINGHOUSE.debit(account, instrument, assets._to_book(amount, asset.decimals), msg.sender)
    asset.booked -= amount
    assets._store(instrument, asset)
    custody._push(asset.token, receiver, amount)
    log ICollateralVault.Withdraw(
        account=account, instrument=instrument, sender=msg.sender, receiver=receiver, amount=amount
    )


@view
@external
def asset(instrument: uint256) -> ICollateralVault.Asset:
    asset: assets.Asset = assets._load(instrument)
    return ICollateralVault.Asset(
        token=asset.token, decimals=asset.decimals, cap=assets._cap(instrument), booked=asset.booked
    )


@view
@external
def available_cash() -> uint256:
    cash: assets.Asset = assets._load(assets.CASH)
    if cash.token == empty(address):
        return 0
    # A gift to the safe is nobody's: it is not in the book and cannot leave.
    return min(custody._balance(cash.token), cash.booked)


@view
@external
def clearinghouse() -> address:
    return CLEARINGHOUSE.address


@external
def list_asset(instrument: uint256, token: address, cap: uint256):
    roles._check_timelock()
    decimals: uint256 = token_probe._decimals(token)
    assets._list(instrument, token, decimals)
    assets._set_cap(instrument, cap)
    self._check_known(instrument)
    log ICollateralVault.AssetListed(instrument=instrument, token=token, decimals=decimals, cap=cap)


@external
def set_cap(instrument: uint256, cap: uint256):
    roles._check_guardian()
    assets._load_listed(instrument)
    roles._check_loosening(cap <= assets._cap(instrument))
    assets._set_cap(instrument, cap)
    log ICollateralVault.CapSet(instrument=instrument, cap=cap)


@external
def set_paused(paused: bool):
    roles._check_guardian()
    roles._check_loosening(paused)
    self.paused = paused
    log ICollateralVault.PausedSet(paused=paused)


@view
@internal
def _check_room(account: uint256, instrument: uint256, amount: uint256, asset: assets.Asset):
    assert assets._has_room(instrument, asset.booked, amount) or self._is_repayment(
        account, instrument, amount, asset
    ), "vault: cap reached"


@view
@internal
def _is_repayment(account: uint256, instrument: uint256, amount: uint256, asset: assets.Asset) -> bool:
    """
    @notice Cash that only lowers a loan: no cap may stand between a debtor and his cure.
    """
    if instrument != assets.CASH or amount > assets.BOOKED_MAX - asset.booked:
        return False
    cash: int256 = (staticcall CLEARINGHOUSE.money(account)).cash
    return cash < 0 and assets._to_book(amount, asset.decimals) <= convert(-cash, uint256)


@view
@internal
def _check_known(instrument: uint256):
    """
    @notice An account that holds what the model has no line for could not be margined. Tokens of further issuers are
            listed with their underlying by the configurator, which checks the same.
    """
    if instrument < assets.FIRST_TOKEN or instrument >= assets.FIRST_OTHER:
        return
    model: IMarginModel = IMarginModel((staticcall CLEARINGHOUSE.settings()).model)
    assert instrument - assets.FIRST_TOKEN < staticcall model.line_count(), "vault: no risk line"


@internal
@view
def _check_not_paused():
    assert not self.paused, "vault: paused"


@internal
@pure
def _check_amount(amount: uint256):
    assert amount > 0, "vault: zero amount"


@internal
@view
def _check_receiver(receiver: address):
    # A transfer to the safe itself would leave the tokens in it but out of the book.
    assert receiver != empty(address) and receiver != self, "vault: bad receiver"
