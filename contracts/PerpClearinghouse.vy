# pragma version 0.4.3
# pragma nonreentrancy on
"""
@title PerpClearinghouse
@license AGPL-3.0-only
@author Prime Perps
@notice The book of an on-chain prime brokerage: one account is one balance sheet of cash, tokens and perps, margined as
        a portfolio.

        Trust: the vault for custody (it alone books deposits and withdrawals), the exchange for what both sides of a
        trade agreed to, the engine to move slices, the oracle for words, the model for numbers. All but the model are
        fixed for good at deployment. TIMELOCK_ROLE lists markets and
        tokens, replaces the model and sets fees; GUARDIAN_ROLE only tightens, at once.

        State: an account exists at first touch and is healthy while equity >= maintenance margin. A call that raises an
        account's risk needs equity >= initial margin afterwards (CH-4).
@custom:kill `set_paused(7)` by the guardian stops trading, withdrawals and liquidation; deposits, `settle` and `accrue`
       go on.
"""
from contracts.interfaces import IMarginModel
from contracts.interfaces import IModelFactory
from contracts.interfaces import IPerpClearinghouse
from snekmate.auth import access_control
from .modules.clearing import accounts
from .modules.clearing import funding
from .modules.clearing import ledger
from .modules.clearing import markets
from .modules.clearing import risk
from .modules.clearing import settings as book_settings
from .modules.clearing import slices
from .modules.clearing import trading
from .modules.common import roles

implements: IPerpClearinghouse

initializes: access_control
initializes: roles[access_control := access_control]
initializes: accounts
initializes: funding
initializes: ledger
initializes: book_settings
initializes: markets[funding := funding]
initializes: risk[funding := funding, ledger := ledger, settings := book_settings]
initializes: slices[funding := funding, ledger := ledger, markets := markets, risk := risk]
initializes: trading[
    funding := funding,
    ledger := ledger,
    markets := markets,
    risk := risk,
    settings := book_settings,
]


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


BPS: constant(uint256) = 10**4

vault: public(immutable(address))
exchange: public(immutable(address))
engine: public(immutable(address))
oracle: public(immutable(address))
models: public(immutable(address))

# the account that fees not kept by insurance go to
treasury: public(uint256)


@deploy
def __init__(
    oracle_: address, models_: address, model: address, vault_: address, exchange_: address, engine_: address
):
    """
    @param models_ The factory that says which model charges no book less than another.
    @param vault_ Where the vault is going to be; it and the next two are deployed after this and refuse to be anywhere
           but where the clearinghouse expects them.
    """
    access_control.__init__()
    risk.__init__(oracle_)
    oracle = oracle_
    models = models_
    vault = vault_
    exchange = exchange_
    engine = engine_
    book_settings._store(
        IPerpClearinghouse.Settings(model=model, maker_fee=0, taker_fee=0, insurance_share=BPS, paused=0)
    )


# accounts


@external
def set_operator(account: uint256, operator: address, permissions: uint256, expiry: uint256):
    accounts._set_operator(account, operator, permissions, expiry)


@external
@view
def operator(account: uint256, operator: address) -> (uint256, uint256):
    return accounts._operator(account, operator)


@external
@view
def is_authorized(account: uint256, sender: address, permission: uint256) -> bool:
    return accounts._is_authorized(account, sender, permission)


# upkeep


@external
def settle(account: uint256):
    slices._settle(account)


@external
def accrue(market: uint256):
    trading._accrue(market)


@external
def distribute_fees() -> uint256:
    return trading._distribute_fees(self.treasury)


# views


@external
@view
def margin(account: uint256) -> IPerpClearinghouse.Margin:
    return risk._margin(account, empty(risk.Change))


@external
@view
def money(account: uint256) -> IPerpClearinghouse.Money:
    return ledger._money(account)


@external
@view
def position(account: uint256, underlying: uint256) -> IPerpClearinghouse.Position:
    return ledger._position(account, underlying)


@external
@view
def holding(account: uint256, instrument: uint256) -> int256:
    return ledger._balance(account, instrument)


@external
@view
def holdings(account: uint256) -> (uint256, uint256):
    header: ledger.Header = ledger._header(account)
    return header.lines, header.others


@external
@view
def state_counter(account: uint256) -> uint256:
    return ledger._counter(account)


@external
@view
def market(market: uint256) -> IPerpClearinghouse.Market:
    return markets._summary(market)


@external
@view
def other_token(instrument: uint256) -> (uint256, uint256):
    listing: risk.Listing = risk._listing(instrument)
    return listing.underlying, listing.units


@external
@view
def settings() -> IPerpClearinghouse.Settings:
    return book_settings._load()


@external
@view
def insurance_account() -> uint256:
    return trading._own_account(trading.INSURANCE)


@external
@view
def fee_account() -> uint256:
    return trading._own_account(trading.FEES)


# the vault's


@external
def credit(account: uint256, instrument: uint256, amount: uint256, sender: address):
    self._check_caller(vault)
    # anybody may add to insurance; nobody's dust may be put into anybody else's account
    if account != trading._own_account(trading.INSURANCE) or instrument != ledger.CASH:
        accounts._check_authorized(account, sender, accounts.DEPOSIT)
    if instrument >= ledger.FIRST_OTHER and instrument < ledger.CASH:
        assert risk._listing(instrument).units != 0, "clearing: not listed"
    ledger._change_holding(account, instrument, self._signed(amount))


@external
def debit(account: uint256, instrument: uint256, amount: uint256, sender: address):
    self._check_caller(vault)
    book_settings._check_running(book_settings.WITHDRAWALS)
    accounts._check_authorized(account, sender, accounts.WITHDRAW)
    ledger._change_holding(account, instrument, -self._signed(amount))
    ledger._advance(account)
    risk._check_change(account, empty(risk.Change))


# the exchange's


@external
def novate(trade: IPerpClearinghouse.Trade):
    self._check_caller(exchange)
    trading._novate(trade)


# the engine's


@external
def move_slice(account: uint256, receiver: uint256, fraction: uint256, payment: uint256, sender: address):
    self._check_caller(engine)
    book_settings._check_running(book_settings.LIQUIDATION)
    accounts._check_authorized(receiver, sender, accounts.LIQUIDATE)
    slices._move(account, receiver, fraction, payment)
    risk._check_change(receiver, empty(risk.Change))


@external
def move_cash(account: uint256, receiver: uint256, amount: uint256):
    self._check_caller(engine)
    ledger._change_money(account, -self._signed(amount), 0)
    ledger._change_money(receiver, self._signed(amount), 0)
    log IPerpClearinghouse.CashMoved(account=account, receiver=receiver, amount=amount)


# administration


@external
def list_market(market: uint256, open_interest_cap: uint256, band: uint256, funding_depth: uint256):
    roles._check_timelock()
    assert not markets._load(market).listed, "clearing: listed already"
    risk._check_known(market)
    markets._set(market, open_interest_cap, band, funding_depth, False)


@external
def set_market(market: uint256, open_interest_cap: uint256, band: uint256, funding_depth: uint256, reduce_only: bool):
    roles._check_guardian()
    limits: markets.Limits = markets._load(market)
    assert limits.listed, "trade: market not listed"
    tightens: bool = (
        open_interest_cap <= limits.cap
        and band <= limits.band
        and funding_depth == limits.depth
        and (reduce_only or not limits.reduce_only)
    )
    roles._check_loosening(tightens)
    markets._set(market, open_interest_cap, band, funding_depth, reduce_only)


@external
def list_other_token(instrument: uint256, underlying: uint256, units_per_token: uint256):
    roles._check_timelock()
    risk._list(instrument, underlying, units_per_token)


@external
def set_model(model: address):
    roles._check_guardian()
    changed: IPerpClearinghouse.Settings = book_settings._load()
    roles._check_loosening(staticcall IModelFactory(models).follows(model, changed.model))
    # what is held today must have a line tomorrow
    lines: uint256 = staticcall IMarginModel(changed.model).line_count()
    changed.model = model
    book_settings._store(changed)
    risk._check_known(lines - 1)


@external
def set_fees(maker_fee: uint256, taker_fee: uint256, insurance_share: uint256):
    roles._check_timelock()
    changed: IPerpClearinghouse.Settings = book_settings._load()
    changed.maker_fee = maker_fee
    changed.taker_fee = taker_fee
    changed.insurance_share = insurance_share
    book_settings._store(changed)


@external
def set_treasury(treasury: uint256):
    roles._check_timelock()
    self.treasury = treasury
    log IPerpClearinghouse.TreasurySet(treasury=treasury)


@external
def set_paused(paused: uint256):
    roles._check_guardian()
    changed: IPerpClearinghouse.Settings = book_settings._load()
    roles._check_loosening(paused & changed.paused == changed.paused)
    changed.paused = paused
    book_settings._store(changed)


@internal
@view
def _check_caller(part: address):
    assert msg.sender == part, "clearing: not the right caller"


@internal
@pure
def _signed(amount: uint256) -> int256:
    ledger._check_fits(amount <= convert(ledger.MONEY_MAX, uint256))
    return convert(amount, int256)
