# pragma version 0.4.3
# pragma nonreentrancy on
"""
@title PerpClearinghouse
@license AGPL-3.0-only
@author Prime Perps
@notice The book of an on-chain prime brokerage: one account is one balance sheet of cash, tokens and perps, margined as
        a portfolio.

        Trust: the vault for custody (it alone books deposits and withdrawals), the exchange for what both sides of a
        trade agreed to, the engine to move slices, the configurator for what may be changed and by whom, the gateway to
        act for an account only as its owner wants or its liquidation needs, the register of operators for who acts for
        an owner, the oracle for words, the model for numbers, the interest model for what the words of cash become.
        Exchange, gateway and batcher may put an account's margin check off to the end of what they do. All but the
        model are fixed for good at deployment.

        State: an account exists at first touch and is healthy while equity >= maintenance margin. A call that raises an
        account's risk needs equity >= initial margin afterwards (CH-4).
@custom:kill `configurator.set_paused(7)` by the guardian stops trading, withdrawals and liquidation; deposits and
       `settle` go on.
"""
from contracts.interfaces import IInterestModel
from contracts.interfaces import IPerpClearinghouse
from .modules.clearing import accounts
from .modules.clearing import cash_market
from .modules.clearing import funding
from .modules.clearing import ledger
from .modules.clearing import markets
from .modules.clearing import risk
from .modules.clearing import settings as book_settings
from .modules.clearing import slices
from .modules.clearing import trading

implements: IPerpClearinghouse

initializes: funding
initializes: ledger
initializes: cash_market[ledger := ledger]
initializes: book_settings
initializes: markets[funding := funding]
initializes: risk[cash_market := cash_market, funding := funding, ledger := ledger, settings := book_settings]
initializes: slices[
    cash_market := cash_market,
    funding := funding,
    ledger := ledger,
    markets := markets,
    risk := risk,
]
initializes: trading[
    cash_market := cash_market,
    funding := funding,
    ledger := ledger,
    markets := markets,
    risk := risk,
    settings := book_settings,
]


BPS: constant(uint256) = 10**4

vault: public(immutable(address))
exchange: public(immutable(address))
engine: public(immutable(address))
configurator: public(immutable(address))
batcher: public(immutable(address))
gateway: public(immutable(address))
oracle: public(immutable(address))
operators: public(immutable(address))
interest: public(immutable(address))

# the account that fees not kept by insurance go to
treasury: public(uint256)


@deploy
def __init__(
    oracle_: address,
    model: address,
    operators_: address,
    interest_: address,
    vault_: address,
    exchange_: address,
    engine_: address,
    configurator_: address,
    batcher_: address,
    gateway_: address,
):
    """
    @param vault_ Where the vault is going to be; it and the next five are deployed after this and refuse to be
           anywhere but where the clearinghouse expects them.
    """
    cash_market.__init__(interest_)
    interest = interest_
    risk.__init__(oracle_)
    oracle = oracle_
    operators = operators_
    vault = vault_
    exchange = exchange_
    engine = engine_
    configurator = configurator_
    batcher = batcher_
    gateway = gateway_
    book_settings._store(
        IPerpClearinghouse.Settings(model=model, maker_fee=0, taker_fee=0, insurance_share=BPS, paused=0)
    )


# upkeep


@external
def settle(account: uint256):
    slices._settle(account)


@external
def distribute_fees() -> uint256:
    return trading._distribute_fees(self.treasury)


@external
def accrue():
    cash_market._accrue(0, 0, False)


# views


@external
@view
def margin(account: uint256) -> IPerpClearinghouse.Margin:
    # who could read it half way through a batch could be made to believe it
    risk._check_not_deferred(account)
    return risk._margin(account, empty(risk.Change), True)


@external
@view
def money(account: uint256) -> IPerpClearinghouse.Money:
    balances: ledger.Balances = ledger._balances(account)
    return IPerpClearinghouse.Money(cash=cash_market._amount(balances.shares), quote=balances.quote)


@external
@view
def cash_shares(account: uint256) -> int256:
    return ledger._balances(account).shares


@external
@view
def cash_words() -> IInterestModel.Words:
    return cash_market._words


@external
@view
def position(account: uint256, underlying: uint256) -> IPerpClearinghouse.Position:
    return ledger._position(account, underlying)


@external
@view
def holding(account: uint256, instrument: uint256) -> int256:
    if instrument == ledger.CASH:
        return cash_market._cash(account)
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
        self._check_authorized(account, sender, accounts.DEPOSIT)
    if instrument >= ledger.FIRST_OTHER and instrument < ledger.CASH:
        assert risk._listing(instrument).units != 0, "clearing: not listed"
    self._book(account, instrument, self._signed(amount))


@external
def debit(account: uint256, instrument: uint256, amount: uint256, sender: address):
    self._check_caller(vault)
    book_settings._check_running(book_settings.WITHDRAWALS)
    self._check_authorized(account, sender, accounts.WITHDRAW)
    self._book(account, instrument, -self._signed(amount))
    ledger._advance(account)
    risk._check_change(account, empty(risk.Change))


# the exchange's, the batcher's and the gateway's


@external
def defer_check(account: uint256):
    self._check_deferrer()
    risk._defer(account)


@external
def check_deferred(account: uint256, may_reduce: bool):
    self._check_deferrer()
    risk._end_deferral(account, may_reduce)


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
    accounts._check_authorized(operators, receiver, sender, accounts.LIQUIDATE)
    slices._move(account, receiver, fraction, payment)
    risk._check_change(receiver, empty(risk.Change))


@external
def move_cash(account: uint256, receiver: uint256, amount: uint256):
    self._check_caller(engine)
    cash: int256 = self._signed(amount)
    cash_market._change(account, -cash, 0, 0)
    cash_market._change(receiver, cash, 0, 0)
    cash_market._accrue(0, 0, False)


@external
def socialise(amount: uint256) -> uint256:
    self._check_caller(engine)
    return cash_market._socialise(trading._own_account(trading.INSURANCE), amount)


# the configurator's


@external
def store_market(
    market: uint256, open_interest_cap: uint256, band: uint256, funding_depth: uint256, reduce_only: bool
):
    self._check_caller(configurator)
    markets._set(market, open_interest_cap, band, funding_depth, reduce_only)


@external
def store_other_token(instrument: uint256, underlying: uint256, units_per_token: uint256):
    self._check_caller(configurator)
    risk._list(instrument, underlying, units_per_token)


@external
def store_settings(settings: IPerpClearinghouse.Settings):
    self._check_caller(configurator)
    book_settings._store(settings)


@external
def store_treasury(treasury: uint256):
    self._check_caller(configurator)
    self.treasury = treasury
    log IPerpClearinghouse.TreasurySet(treasury=treasury)


@internal
def _book(account: uint256, instrument: uint256, amount: int256):
    if instrument == ledger.CASH:
        cash_market._pay(account, amount)
    else:
        ledger._change_holding(account, instrument, amount)


@internal
@view
def _check_caller(part: address):
    self._check_right(msg.sender == part)


@internal
@pure
def _check_right(right: bool):
    assert right, "clearing: not the right caller"


@internal
@view
def _check_authorized(account: uint256, sender: address, permission: uint256):
    """
    @dev The gateway has asked the account's owner, or seen that the account is liquidatable.
    """
    if sender != gateway:
        accounts._check_authorized(operators, account, sender, permission)


@internal
@view
def _check_deferrer():
    self._check_right(msg.sender == exchange or msg.sender == batcher or msg.sender == gateway)


@internal
@pure
def _signed(amount: uint256) -> int256:
    ledger._check_fits(amount <= convert(ledger.MONEY_MAX, uint256))
    return convert(amount, int256)
