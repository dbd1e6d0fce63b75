# pragma version 0.4.3
# pragma nonreentrancy on
"""
@title IssuerGateway
@license AGPL-3.0-only
@author Prime Perps
@notice Mints and redeems stock tokens for accounts, at issuers that know this address and no other of ours.

        Trust: the clearinghouse and the vault let it move what any account holds, on its word that the account's owner
        or an operator wants it, or that the account is liquidatable. No issuer: each is called as if it were hostile,
        can take only what it is approved for, and counts only by what its calls did to balances here. The oracle: a
        price must lie within a band around its. The engine, for how much of an account a stranger may sell. The desk,
        to say which of what is owed a payment was for.

        State: an instrument is not listed -> (set_listing) -> enabled or disabled. A receivable is open -> closed by
        its last payment, or written off.

        Assumptions on issuers, for safety: none beyond what their tokens need in the vault. For liveness: they keep
        this address registered, for stocks and for their dollar, and quote for it.
@custom:kill `set_enabled(instrument, False)` by the guardian stops what goes to the issuer of an instrument, at once;
       so does pausing withdrawals, for all of them. Accounts keep what they hold.
"""
from contracts.interfaces import ICollateralVault
from contracts.interfaces import IIssuerGateway
from contracts.interfaces import IIssuerRegistry
from contracts.interfaces import IIssuerSwapper
from contracts.interfaces import IInKindIssuer
from contracts.interfaces import ILiquidationEngine
from contracts.interfaces import IMarginModel
from contracts.interfaces import IOracleAdapter
from contracts.interfaces import IOperators
from contracts.interfaces import IPerpClearinghouse
from contracts.interfaces import ITokenManager
from snekmate.auth import access_control
from snekmate.auth.interfaces import IAccessControl
from .modules.clearing import accounts
from .modules.clearing import settings as book_settings
from .modules.common import roles
from .modules.gateway import band
from .modules.gateway import listings
from .modules.gateway import purse
from .modules.gateway import receivables
from .modules.liquidation import eligibility
from .modules.oracle import price_word
from .modules.vault import assets

implements: IIssuerGateway
implements: IAccessControl

initializes: access_control
initializes: roles[access_control := access_control]
initializes: listings
initializes: receivables


exports: (
    # who may list, disable and attribute
    roles.DESK_ROLE,
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


# What a mint or a redemption needs to know besides its quote.
struct Deal:
    token: address
    coin: address
    unit: uint256  # wad of cash in one raw unit of the coin
    fair: uint256  # wad USD per token, by the oracle
    doubtful: bool  # whether nobody can trade at that price, or nobody knows
    # balances here before it began
    tokens: uint256
    coins: uint256
    dollars: uint256


WAD: constant(uint256) = 10**18

CLEARINGHOUSE: immutable(IPerpClearinghouse)
VAULT: immutable(ICollateralVault)
ENGINE: immutable(ILiquidationEngine)
ORACLE: immutable(IOracleAdapter)


@deploy
def __init__(clearinghouse_: address):
    """
    @notice The deployer administers roles until it hands them over. Nothing is listed yet.
    @param clearinghouse_ Deployed before, with this address; each names the other for good.
    """
    access_control.__init__()
    CLEARINGHOUSE = IPerpClearinghouse(clearinghouse_)
    assert staticcall CLEARINGHOUSE.gateway() == self, "gateway: not the one expected"
    VAULT = ICollateralVault(staticcall CLEARINGHOUSE.vault())
    ENGINE = ILiquidationEngine(staticcall CLEARINGHOUSE.engine())
    ORACLE = IOracleAdapter(staticcall CLEARINGHOUSE.oracle())


# for accounts


@external
def mint(
    account: uint256,
    instrument: uint256,
    quote: ITokenManager.Quote,
    signature: Bytes[512],
    max_cash: uint256,
    deferred: bool,
) -> uint256:
    self._check_authorized(self._is_authorized(account, accounts.TRADE))
    listing: IIssuerGateway.Listing = listings._load_enabled(instrument)
    deal: Deal = self._deal(account, instrument, listing, quote)
    self._check_no_doubt(deal.doubtful)
    # unless it is put off already; if it is not, the withdrawal is checked by itself
    if not deferred:
        extcall CLEARINGHOUSE.defer_check(account)

    extcall VAULT.withdraw(account, assets.CASH, max_cash, self)
    state: uint256 = staticcall CLEARINGHOUSE.state_counter(account)
    purse._allow(deal.coin, listing.manager, max_cash)
    extcall ITokenManager(listing.manager).mintWithAttestation(quote, signature, deal.coin, max_cash)
    purse._allow(deal.coin, listing.manager, 0)
    tokens: uint256 = purse._gained(deal.token, deal.tokens)
    assert tokens >= quote.quantity, "gateway: too few tokens"
    self._deposit(account, instrument, deal.token, tokens)
    left: uint256 = self._bank(account, listing, deal)
    cost: uint256 = max_cash - min(left, max_cash)
    band._check_cost(cost * deal.unit, tokens, deal.fair, listing.band)

    if not deferred:
        self._end_deferral(account, state)
    log IIssuerGateway.Minted(
        account=account,
        instrument=instrument,
        sender=msg.sender,
        attestation_id=quote.attestationId,
        tokens=tokens,
        cost=cost,
    )
    return cost


@external
def redeem(
    account: uint256,
    instrument: uint256,
    quote: ITokenManager.Quote,
    signature: Bytes[512],
    min_cash: uint256,
    deferred: bool,
) -> uint256:
    liquidation: bool = not self._is_authorized(account, accounts.TRADE)
    maintenance: uint256 = 0
    if liquidation:
        maintenance = self._check_liquidatable(account)
    listing: IIssuerGateway.Listing = listings._load_enabled(instrument)
    deal: Deal = self._deal(account, instrument, listing, quote)
    # strangers sell only what they have seen the margin of, so its check is not put off yet
    defers: bool = liquidation or not deferred
    if liquidation:
        self._check_no_doubt(deal.doubtful)
    if defers:
        extcall CLEARINGHOUSE.defer_check(account)

    extcall VAULT.withdraw(account, instrument, quote.quantity, self)
    state: uint256 = staticcall CLEARINGHOUSE.state_counter(account)
    purse._allow(deal.token, listing.manager, quote.quantity)
    extcall ITokenManager(listing.manager).redeemWithAttestation(quote, signature, deal.coin, min_cash)
    purse._allow(deal.token, listing.manager, 0)
    left: uint256 = purse._gained(deal.token, deal.tokens)
    self._deposit(account, instrument, deal.token, left)
    proceeds: uint256 = self._bank(account, listing, deal)
    assert proceeds >= min_cash, "gateway: too little cash"
    sold: uint256 = quote.quantity - min(left, quote.quantity)
    band._check_proceeds(proceeds * deal.unit, sold, deal.fair, listing.band)

    if defers:
        self._end_deferral(account, state)
    if liquidation:
        self._check_needed(account, maintenance)
    log IIssuerGateway.Redeemed(
        account=account,
        instrument=instrument,
        sender=msg.sender,
        attestation_id=quote.attestationId,
        tokens=sold,
        proceeds=proceeds,
        liquidation=liquidation,
    )
    return proceeds


@external
def request_redemption(account: uint256, instrument: uint256, amount: uint256) -> uint256:
    self._check_authorized(self._is_authorized(account, accounts.TRADE | accounts.WITHDRAW))
    listing: IIssuerGateway.Listing = listings._load_enabled(instrument)
    assert listing.in_kind != empty(address), "gateway: not in kind"
    token: address = (staticcall VAULT.asset(instrument)).token
    before: uint256 = purse._balance(token)
    extcall VAULT.withdraw(account, instrument, amount, self)
    purse._allow(token, listing.in_kind, amount)
    extcall IInKindIssuer(listing.in_kind).redeem(token, amount)
    purse._allow(token, listing.in_kind, 0)
    assert purse._gained(token, before) == 0, "gateway: tokens kept"
    fair: uint256 = 0
    doubtful: bool = False
    fair, doubtful = self._fair_price(instrument)
    return receivables._open(account, instrument, amount, amount * fair // WAD)


@external
def write_off(receivable: uint256):
    owed: IIssuerGateway.Receivable = receivables._load_known(receivable)
    if msg.sender != accounts._owner(owed.account):
        roles._check_timelock()
    receivables._write_off(receivable, owed)


# the desk's


@external
def settle_receivable(receivable: uint256, amount: uint256, last: bool):
    roles._check_desk()
    owed: IIssuerGateway.Receivable = receivables._load_known(receivable)
    cash: ICollateralVault.Asset = staticcall VAULT.asset(assets.CASH)
    receivables._pay(receivable, owed.account, amount, assets._to_book(1, cash.decimals), last)
    self._deposit(owed.account, assets.CASH, cash.token, amount)


@external
def change_dollars(instrument: uint256, amount: uint256) -> uint256:
    roles._check_desk()
    listing: IIssuerGateway.Listing = listings._load_listed(instrument)
    coin: address = (staticcall VAULT.asset(assets.CASH)).token
    before: uint256 = purse._balance(coin)
    self._swap(listing, coin, amount)
    received: uint256 = purse._gained(coin, before)
    log IIssuerGateway.DollarsChanged(instrument=instrument, dollars=amount, amount=received)
    return received


# views


@view
@external
def listing(instrument: uint256) -> IIssuerGateway.Listing:
    return listings._load(instrument)


@view
@external
def user_id(instrument: uint256) -> bytes32:
    manager: ITokenManager = ITokenManager(listings._load_listed(instrument).manager)
    registry: IIssuerRegistry = IIssuerRegistry(staticcall manager.ondoIDRegistry())
    return staticcall registry.getRegisteredID(staticcall manager.gmIdentifier(), self)


@view
@external
def receivable(receivable: uint256) -> IIssuerGateway.Receivable:
    return receivables._load(receivable)


@view
@external
def receivable_count() -> uint256:
    return receivables.count


@view
@external
def receivable_value(receivable: uint256) -> uint256:
    owed: IIssuerGateway.Receivable = receivables._load(receivable)
    listing: IIssuerGateway.Listing = listings._load(owed.instrument)
    return receivables._value_down(owed, listing.haircut, listing.haircut_period)


@view
@external
def clearinghouse() -> address:
    return CLEARINGHOUSE.address


# administration


@external
def set_listing(instrument: uint256, listing: IIssuerGateway.Listing):
    roles._check_timelock()
    listings._set(instrument, listing, (staticcall VAULT.asset(instrument)).decimals)


@external
def set_enabled(instrument: uint256, enabled: bool):
    roles._check_guardian()
    roles._check_loosening(not enabled)
    listings._load_listed(instrument)
    listings._set_enabled(instrument, enabled)


# internal


@internal
@view
def _deal(
    account: uint256, instrument: uint256, listing: IIssuerGateway.Listing, quote: ITokenManager.Quote
) -> Deal:
    token: address = (staticcall VAULT.asset(instrument)).token
    listings._check_quote(listing, quote, token, account)
    cash: ICollateralVault.Asset = staticcall VAULT.asset(assets.CASH)
    deal: Deal = Deal(
        token=token,
        coin=cash.token,
        unit=assets._to_book(1, cash.decimals),
        fair=0,
        doubtful=False,
        tokens=purse._balance(token),
        coins=purse._balance(cash.token),
        dollars=purse._balance(listing.dollar),
    )
    deal.fair, deal.doubtful = self._fair_price(instrument)
    band._check_price(quote.price, deal.fair, listing.band)
    return deal


@internal
@view
def _fair_price(instrument: uint256) -> (uint256, bool):
    """
    @return (wad USD per token, whether it is in doubt). A word prices a unit, of which a token is one or as many as
            it is listed with.
    """
    underlying: uint256 = instrument - assets.FIRST_TOKEN
    units: uint256 = WAD
    if instrument >= assets.FIRST_OTHER:
        underlying, units = staticcall CLEARINGHOUSE.other_token(instrument)
    words: DynArray[uint256, 32] = []
    closure: IMarginModel.Closure = empty(IMarginModel.Closure)
    words, closure = staticcall ORACLE.read([underlying])
    word: price_word.Word = price_word._unpack(words[0])
    return word.mid * price_word.MID_TO_WAD * units // WAD, word.doubt != 0


@internal
def _bank(account: uint256, listing: IIssuerGateway.Listing, deal: Deal) -> uint256:
    """
    @notice Give the account all cash that has come since the deal began, of the issuer's dollar too. What of that is
            less than a unit of cash goes to the account's owner.
    @return Cash credited.
    """
    dollars: uint256 = purse._gained(listing.dollar, deal.dollars)
    whole: uint256 = dollars - dollars % deal.unit
    if whole != 0:
        self._swap(listing, deal.coin, whole)
    rest: uint256 = purse._gained(listing.dollar, deal.dollars)
    if rest != 0:
        purse._send(listing.dollar, accounts._owner(account), rest)
    coins: uint256 = purse._gained(deal.coin, deal.coins)
    self._deposit(account, assets.CASH, deal.coin, coins)
    return coins


@internal
def _swap(listing: IIssuerGateway.Listing, coin: address, dollars: uint256):
    purse._allow(listing.dollar, listing.swapper, dollars)
    extcall IIssuerSwapper(listing.swapper).redeem(dollars, coin, 0)
    purse._allow(listing.dollar, listing.swapper, 0)


@internal
def _deposit(account: uint256, instrument: uint256, token: address, amount: uint256):
    if amount == 0:
        return
    purse._allow(token, VAULT.address, amount)
    extcall VAULT.deposit(account, instrument, amount)
    purse._allow(token, VAULT.address, 0)


@internal
def _end_deferral(account: uint256, state: uint256):
    """
    @notice Less risk than before is enough at the end. So nobody may have drawn on the account while an issuer was
            called: what a price submitted meanwhile brings could be taken out until the old equity is left.
    @param state The account's counter since it was withdrawn from here: each withdrawal, trade and slice advances it.
    """
    assert staticcall CLEARINGHOUSE.state_counter(account) == state, "gateway: account moved"
    extcall CLEARINGHOUSE.check_deferred(account, True)


@internal
@view
def _is_authorized(account: uint256, permissions: uint256) -> bool:
    return staticcall IOperators(staticcall CLEARINGHOUSE.operators()).is_authorized(account, msg.sender, permissions)


@internal
@pure
def _check_authorized(authorized: bool):
    assert authorized, "accounts: not authorized"


@internal
@pure
def _check_no_doubt(doubtful: bool):
    assert not doubtful, "gateway: price in doubt"


@internal
@view
def _check_liquidatable(account: uint256) -> uint256:
    """
    @return Maintenance margin of an account that may be liquidated; its check is not put off, or it would not be told.
    """
    margin: IPerpClearinghouse.Margin = staticcall CLEARINGHOUSE.margin(account)
    assert eligibility._is_liquidatable(margin), "gateway: healthy"
    assert (staticcall CLEARINGHOUSE.settings()).paused & book_settings.LIQUIDATION == 0, "settings: paused"
    return margin.maintenance


@internal
@view
def _check_needed(account: uint256, maintenance: uint256):
    """
    @notice That no more was sold than takes the account to the engine's target, as with slices. Asked afterwards: how
            margin falls with a holding has no closed form, and a quote cannot be filled in part anyway.
    @param maintenance wad, before.
    """
    terms: ILiquidationEngine.Terms = staticcall ENGINE.terms()
    if maintenance < terms.whole_below:
        return
    margin: IPerpClearinghouse.Margin = staticcall CLEARINGHOUSE.margin(account)
    assert (
        margin.equity <= convert(margin.maintenance * terms.target_health // WAD, int256)
    ), "gateway: more than needed"
