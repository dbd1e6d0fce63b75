# pragma version 0.4.3
# pragma nonreentrancy on
"""
@title SliceTaker
@license AGPL-3.0-only
@author Prime Perps
@notice An example: a liquidator without capital. In one transaction it takes a slice of an unhealthy account into its
        own, trades the slice's perps away against signed orders, redeems its tokens at the issuer against signed
        quotes, turns the gain into cash and withdraws it to its owner. If nothing is gained nothing has happened.

        Stand-in for a taker that people write for themselves; read it, do not deploy it with money.
@custom:kill It holds nothing between two transactions.
"""
from contracts.interfaces import IBatcher
from contracts.interfaces import ICollateralVault
from contracts.interfaces import IDeferredChecks
from contracts.interfaces import IExchange
from contracts.interfaces import IIssuerGateway
from contracts.interfaces import ILiquidationEngine
from contracts.interfaces import IPerpClearinghouse
from contracts.interfaces import ITokenManager

implements: IDeferredChecks


# Tokens of the slice that go back to their issuer; those beyond the quote's quantity go to the owner.
struct Redemption:
    instrument: uint256
    quote: ITokenManager.Quote
    signature: Bytes[65]


# What the batch needs to know, handed through it and back.
struct Job:
    account: uint256
    fraction: uint256  # wad, the most of it to take
    price: uint256  # wad, the most to pay per unit of equity
    state: uint256  # the account's state counter that this was decided on
    least: uint256  # raw units of cash, below which it is not worth it
    orders: DynArray[IExchange.SignedOrder, 4]
    redemptions: DynArray[Redemption, 4]


CASH: constant(uint256) = 255

OWNER: immutable(address)
BATCHER: immutable(IBatcher)
BOOK: immutable(IPerpClearinghouse)
ENGINE: immutable(ILiquidationEngine)
EXCHANGE: immutable(IExchange)
GATEWAY: immutable(IIssuerGateway)
VAULT: immutable(ICollateralVault)
ACCOUNT: immutable(uint256)
UNIT: immutable(int256)


@deploy
def __init__(batcher: address):
    OWNER = msg.sender
    BATCHER = IBatcher(batcher)
    BOOK = IPerpClearinghouse(staticcall BATCHER.clearinghouse())
    ENGINE = ILiquidationEngine(staticcall BOOK.engine())
    EXCHANGE = IExchange(staticcall BOOK.exchange())
    GATEWAY = IIssuerGateway(staticcall BOOK.gateway())
    VAULT = ICollateralVault(staticcall BOOK.vault())
    ACCOUNT = convert(self, uint256) << 96
    UNIT = 10 ** (18 - convert((staticcall VAULT.asset(CASH)).decimals, int256))


@external
def liquidate(job: Job):
    assert msg.sender == OWNER, "taker: owner only"
    extcall BATCHER.with_deferred_checks([ACCOUNT], abi_encode(job))


@external
@reentrant
def on_deferred_checks(data: Bytes[8192]):
    """
    @dev The batcher calls back while `liquidate` runs, and calls nobody but whoever called it.
    """
    assert msg.sender == BATCHER.address, "taker: batcher only"
    job: Job = abi_decode(data, Job)
    extcall ENGINE.take(job.account, ACCOUNT, job.fraction, job.price, job.state)
    for order: IExchange.SignedOrder in job.orders:
        held: int256 = (staticcall BOOK.position(ACCOUNT, order.order.market)).size
        # toward zero: what is held is sold, what is owed is bought
        if held != 0:
            extcall EXCHANGE.fill(order, ACCOUNT, -held, max_value(uint256) if held < 0 else 0)
    for redemption: Redemption in job.redemptions:
        # the least that is worth it is asked for the whole, below
        extcall GATEWAY.redeem(ACCOUNT, redemption.instrument, redemption.quote, redemption.signature, 0, True)
        rest: int256 = staticcall BOOK.holding(ACCOUNT, redemption.instrument)
        if rest != 0:
            extcall VAULT.withdraw(ACCOUNT, redemption.instrument, convert(rest, uint256), OWNER)
    extcall BOOK.settle(ACCOUNT)
    gained: int256 = (staticcall BOOK.money(ACCOUNT)).cash // UNIT
    assert gained > 0 and convert(gained, uint256) >= job.least, "taker: not worth it"
    extcall VAULT.withdraw(ACCOUNT, CASH, convert(gained, uint256), OWNER)
