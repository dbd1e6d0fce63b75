# pragma version 0.4.3
# pragma nonreentrancy on
"""
@title Configurator
@license AGPL-3.0-only
@author Prime Perps
@notice Administration of the book: who may change a market, a listing, a fee, the model or a pause, and which way. It
        holds nothing but the roles; what it sets is stored by the clearinghouse, which checks ranges.

        Trust: the clearinghouse, which names it for good at deployment, and the factory of models. TIMELOCK_ROLE lists
        markets and tokens, replaces the model and sets fees; GUARDIAN_ROLE only tightens, at once.
@custom:kill `set_paused(7)` by the guardian stops trading, withdrawals and liquidation; the timelock lets them resume.
"""
from contracts.interfaces import IConfigurator
from contracts.interfaces import IMarginModel
from contracts.interfaces import IModelFactory
from contracts.interfaces import IPerpClearinghouse
from snekmate.auth import access_control
from snekmate.auth.interfaces import IAccessControl
from .modules.common import roles

implements: IConfigurator
implements: IAccessControl

initializes: access_control
initializes: roles[access_control := access_control]


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
models: public(immutable(address))


@deploy
def __init__(clearinghouse: address, models_: address):
    """
    @notice The deployer administers roles until it hands them over.
    @param clearinghouse Deployed before, with this address; each names the other for good.
    @param models_ The factory that says which model charges no book less than another.
    """
    access_control.__init__()
    CLEARINGHOUSE = IPerpClearinghouse(clearinghouse)
    models = models_
    assert staticcall CLEARINGHOUSE.configurator() == self, "config: not the one expected"


@view
@external
def clearinghouse() -> address:
    return CLEARINGHOUSE.address


@external
def list_market(market: uint256, open_interest_cap: uint256, band: uint256, funding_depth: uint256):
    roles._check_timelock()
    self._check_new((staticcall CLEARINGHOUSE.market(market)).listed)
    self._check_known(market)
    extcall CLEARINGHOUSE.store_market(market, open_interest_cap, band, funding_depth, False)


@external
def set_market(market: uint256, open_interest_cap: uint256, band: uint256, funding_depth: uint256, reduce_only: bool):
    roles._check_guardian()
    present: IPerpClearinghouse.Market = staticcall CLEARINGHOUSE.market(market)
    assert present.listed, "trade: market not listed"
    tightens: bool = (
        open_interest_cap <= present.open_interest_cap
        and band <= present.band
        and funding_depth == present.funding_depth
        and (reduce_only or not present.reduce_only)
    )
    roles._check_loosening(tightens)
    extcall CLEARINGHOUSE.store_market(market, open_interest_cap, band, funding_depth, reduce_only)


@external
def list_other_token(instrument: uint256, underlying: uint256, units_per_token: uint256):
    roles._check_timelock()
    self._check_new((staticcall CLEARINGHOUSE.other_token(instrument))[1] != 0)
    extcall CLEARINGHOUSE.store_other_token(instrument, underlying, units_per_token)
    self._check_known(underlying)


@external
def set_model(model: address):
    roles._check_guardian()
    changed: IPerpClearinghouse.Settings = staticcall CLEARINGHOUSE.settings()
    roles._check_loosening(staticcall IModelFactory(models).follows(model, changed.model))
    # what is held today must have a line tomorrow
    lines: uint256 = staticcall IMarginModel(changed.model).line_count()
    changed.model = model
    extcall CLEARINGHOUSE.store_settings(changed)
    self._check_known(lines - 1)


@external
def set_fees(maker_fee: uint256, taker_fee: uint256, insurance_share: uint256):
    roles._check_timelock()
    changed: IPerpClearinghouse.Settings = staticcall CLEARINGHOUSE.settings()
    changed.maker_fee = maker_fee
    changed.taker_fee = taker_fee
    changed.insurance_share = insurance_share
    extcall CLEARINGHOUSE.store_settings(changed)


@external
def set_treasury(treasury: uint256):
    roles._check_timelock()
    extcall CLEARINGHOUSE.store_treasury(treasury)


@external
def set_paused(paused: uint256):
    roles._check_guardian()
    changed: IPerpClearinghouse.Settings = staticcall CLEARINGHOUSE.settings()
    roles._check_loosening(paused & changed.paused == changed.paused)
    changed.paused = paused
    extcall CLEARINGHOUSE.store_settings(changed)


@internal
@pure
def _check_new(listed: bool):
    assert not listed, "clearing: listed already"


@internal
@view
def _check_known(underlying: uint256):
    """
    @notice An account that holds what the model has no line for could not be margined, or liquidated: nothing of the
            kind may be listed. The model is the one set, which has code.
    """
    model: IMarginModel = IMarginModel((staticcall CLEARINGHOUSE.settings()).model)
    assert underlying < staticcall model.line_count(), "clearing: no risk line"
