# pragma version 0.4.3
# pragma nonreentrancy on
"""
@title InKindIssuer
@license AGPL-3.0-only
@author Prime Perps
@notice Stands in for redemption in kind, after Ondo's issuer on a broker's network: at any hour a holder has tokens
        burnt, and what they stood for is settled off chain. The contract keeps nothing of it but an event: no request,
        no claim, no price that is promised. Whoever operates the issuer pays by an ordinary transfer, in part, late, at
        another price, or never, and nobody on the chain can tell which.
        The order of checks: "issuer: redemptions paused", "issuer: zero amount", "issuer: asset not accepted",
        "issuer: not registered", "issuer: not approved in kind", "issuer: no price", "issuer: stale price",
        "issuer: zero notional", then the limits, then the token's own reasons.
        It must be a burner of the tokens and a client of its rate limiter.
        Left out: mints, wallets with limits of their own.
"""
from contracts.interfaces import IInKindIssuer
from contracts.interfaces import IIssuerRegistry
from contracts.interfaces import IRateLimiter
from contracts.interfaces import ISanityOracle
from ethereum.ercs import IERC20
from snekmate.auth import ownable

implements: IInKindIssuer

initializes: ownable


exports: (
    ownable.owner,
    ownable.transfer_ownership,
)


interface IssuedToken:
    def burn(account: address, amount: uint256): nonpayable


event PausedSet:
    paused: bool


event TokenSupportedSet:
    token: indexed(address)
    supported: bool


WAD: constant(uint256) = 10**18
REDEMPTION: constant(uint8) = 1
# The low 160 bits of keccak256("global_markets") and keccak256("alpaca_itn").
GM_IDENTIFIER: constant(address) = 0x428ECB70E90d1527A5f5e177789f51747b883F34
IN_KIND_IDENTIFIER: constant(address) = 0xE0F111461EfCb97Ef4C8eE39cd3ff89918D39C98

REGISTRY: immutable(IIssuerRegistry)
PRICES: immutable(ISanityOracle)
LIMITS: immutable(IRateLimiter)


paused: public(bool)
is_supported: public(HashMap[address, bool])


@deploy
def __init__(registry: address, prices: address, limits: address):
    """
    @notice The deployer is the administrator. No token is supported yet.
    """
    ownable.__init__()
    REGISTRY = IIssuerRegistry(registry)
    PRICES = ISanityOracle(prices)
    LIMITS = IRateLimiter(limits)


@external
def redeem(gmToken: address, amount: uint256):
    assert not self.paused, "issuer: redemptions paused"
    assert amount != 0, "issuer: zero amount"
    assert self.is_supported[gmToken], "issuer: asset not accepted"
    user_id: bytes32 = self._eligible()
    notional: uint256 = self._notional_down(gmToken, amount)
    assert notional != 0, "issuer: zero notional"
    extcall LIMITS.checkAndUpdateRateLimit(REDEMPTION, gmToken, user_id, notional)
    assert extcall IERC20(gmToken).transferFrom(msg.sender, self, amount, default_return_value=True)
    extcall IssuedToken(gmToken).burn(self, amount)
    log IInKindIssuer.IssuerRedeem(
        wallet=msg.sender, userId=user_id, gmToken=gmToken, gmTokenAmount=amount, usdNotional=notional
    )


@view
@external
def gm_identifier() -> address:
    """
    @return What holders are registered for.
    """
    return GM_IDENTIFIER


@view
@external
def in_kind_identifier() -> address:
    """
    @return What holders must be registered for besides.
    """
    return IN_KIND_IDENTIFIER


@external
def set_paused(paused: bool):
    """
    @notice Owner only.
    """
    ownable._check_owner()
    self.paused = paused
    log PausedSet(paused=paused)


@external
def set_supported(token: address, supported: bool):
    """
    @notice Owner only.
    """
    ownable._check_owner()
    self.is_supported[token] = supported
    log TokenSupportedSet(token=token, supported=supported)


@internal
@view
def _eligible() -> bytes32:
    """
    @return The caller's id.
    """
    user_id: bytes32 = staticcall REGISTRY.getRegisteredID(GM_IDENTIFIER, msg.sender)
    assert user_id != empty(bytes32), "issuer: not registered"
    approval: bytes32 = staticcall REGISTRY.getRegisteredID(IN_KIND_IDENTIFIER, msg.sender)
    assert approval != empty(bytes32), "issuer: not approved in kind"
    return user_id


@internal
@view
def _notional_down(token: address, amount: uint256) -> uint256:
    price: uint256 = 0
    posted_at: uint64 = 0
    good_for: uint32 = 0
    band: uint16 = 0
    price, posted_at, good_for, band = staticcall PRICES.prices(token)
    assert price != 0, "issuer: no price"
    assert block.timestamp - convert(posted_at, uint256) <= convert(good_for, uint256), "issuer: stale price"
    return amount * price // WAD
