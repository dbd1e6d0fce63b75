# pragma version 0.4.3
# pragma nonreentrancy on
"""
@title IssuerTokenManager
@license AGPL-3.0-only
@author Prime Perps
@notice Stands in for the contract that mints and redeems tokenized stocks, after Ondo Global Markets: same calls, same
        typed data, same order of checks and the same oddities, so that what works against it works against the
        original. What others read keeps the issuer's names; what only the issuer calls has ours.
        The order of checks, each with its reason:
        1. "issuer: mints paused" or "issuer: redemptions paused": for all tokens, then for this one
        2. "issuer: zero token"
        3. "issuer: wrong side"
        4. "issuer: not registered"
        5. "issuer: attestation used"
        6. "issuer: quote expired"
        7. "issuer: other user"
        8. "issuer: closed" (IssuanceHours)
        9. "issuer: no price", "issuer: stale price", "issuer: price out of band" (SanityOracle)
        10. "issuer: asset not accepted"
        11. "issuer: wrong chain"
        12. "issuer: bad signature", "issuer: signer not allowed"
        13. "issuer: too small"
        14. "issuer: limits not set", "issuer: limit exceeded" (RateLimiter)
        15. funds: the token's own reasons, and "issuer: no swapper" or the swapper's for another coin
        A redemption takes and burns the tokens before 13, as the original does.
        It must be a minter and a burner of the stocks and of the issuer's dollar, a client of the rate limiter, and
        registered for the dollar with the swapper.
        Left out: roles (one owner has all of them), replacing of parts, mints by the administrator, rescue of tokens.
"""
from contracts.interfaces import IIssuerRegistry
from contracts.interfaces import IIssuerSwapper
from contracts.interfaces import IRateLimiter
from contracts.interfaces import ITokenManager
from ethereum.ercs import IERC20
from snekmate.auth import ownable
from snekmate.utils import eip712_domain_separator

from ..modules.devnet import attestations

implements: ITokenManager

initializes: ownable
initializes: eip712_domain_separator
initializes: attestations[eip712_domain_separator := eip712_domain_separator]


exports: (
    attestations.executedAttestationIds,
    attestations.is_signer,
    eip712_domain_separator.eip712Domain,
    ownable.owner,
    ownable.transfer_ownership,
)


# Of IIssuanceHours and ISanityOracle. Both are views; Vyper makes no static call of a function that answers nothing.
interface Checks:
    def checkIsValidHours(): nonpayable
    def validatePrice(token: address, price: uint256): nonpayable


interface IssuedToken:
    def mint(to: address, amount: uint256): nonpayable
    def burn(account: address, amount: uint256): nonpayable


event GlobalPauseSet:
    side: uint8
    paused: bool


event TokenPauseSet:
    token: indexed(address)
    side: uint8
    paused: bool


event TokenAcceptedSet:
    token: indexed(address)
    accepted: bool


event MinimumSet:
    side: uint8
    minimum: uint256  # wad USD


event SwapperSet:
    swapper: indexed(address)


WAD: constant(uint256) = 10**18
BUY: constant(uint8) = 0
SELL: constant(uint8) = 1
# The low 160 bits of keccak256("global_markets").
GM_IDENTIFIER: constant(address) = 0x428ECB70E90d1527A5f5e177789f51747b883F34

usdon: public(immutable(address))
ondoIDRegistry: public(immutable(address))
issuanceHours: public(immutable(address))
sanityCheckOracle: public(immutable(address))
ondoRateLimiter: public(immutable(address))


usdonManager: public(address)
gmTokenAccepted: public(HashMap[address, bool])
executionId: public(uint256)
_minimum: HashMap[uint8, uint256]
_paused: HashMap[uint8, bool]
_token_paused: HashMap[uint8, HashMap[address, bool]]


@deploy
def __init__(usdon_: address, registry: address, hours: address, prices: address, limits: address, minimum: uint256):
    """
    @notice The deployer is the administrator. There is no signer and no swapper yet, and no token is accepted.
    @param minimum wad USD, the least notional of either side.
    """
    ownable.__init__()
    eip712_domain_separator.__init__("OndoGMTokenManager", "1")
    usdon = usdon_
    ondoIDRegistry = registry
    issuanceHours = hours
    sanityCheckOracle = prices
    ondoRateLimiter = limits
    self._minimum[BUY] = minimum
    self._minimum[SELL] = minimum


# for registered callers


@external
def mintWithAttestation(
    quote: ITokenManager.Quote, signature: Bytes[512], depositToken: address, depositTokenAmount: uint256
) -> uint256:
    """
    @dev The issuer's dollar is taken to the unit, another coin in full: what the swapper gives beyond the price goes
         back to the caller in the issuer's dollar.
    """
    self._check_mints_not_paused(quote.asset)
    user_id: bytes32 = self._accept(quote, signature, BUY, depositToken)
    notional: uint256 = self._notional_down(quote)
    self._check_allowed(quote.asset, user_id, BUY, notional)
    if depositToken == usdon:
        self._pull(usdon, notional)
    else:
        self._check_swapper()
        self._pull(depositToken, depositTokenAmount)
        self._approve(depositToken, depositTokenAmount)
        received: uint256 = extcall IIssuerSwapper(self.usdonManager).subscribe(
            depositToken, depositTokenAmount, notional
        )
        if received > notional:
            self._push(usdon, received - notional)
    extcall IssuedToken(usdon).burn(self, notional)
    extcall IssuedToken(quote.asset).mint(msg.sender, quote.quantity)
    self._log_trade(quote)
    return quote.quantity


@external
def redeemWithAttestation(
    quote: ITokenManager.Quote, signature: Bytes[512], receiveToken: address, minimumReceiveAmount: uint256
) -> uint256:
    """
    @dev Returns the notional, whatever coin is paid and however much of it.
    """
    self._check_redemptions_not_paused(quote.asset)
    user_id: bytes32 = self._accept(quote, signature, SELL, receiveToken)
    self._pull(quote.asset, quote.quantity)
    extcall IssuedToken(quote.asset).burn(self, quote.quantity)
    notional: uint256 = self._notional_down(quote)
    self._check_allowed(quote.asset, user_id, SELL, notional)
    extcall IssuedToken(usdon).mint(self, notional)
    if receiveToken == usdon:
        self._push(usdon, notional)
    else:
        self._check_swapper()
        self._approve(usdon, notional)
        received: uint256 = extcall IIssuerSwapper(self.usdonManager).redeem(
            notional, receiveToken, minimumReceiveAmount
        )
        self._push(receiveToken, received)
    self._log_trade(quote)
    return notional


# views


@view
@external
def gmIdentifier() -> address:
    return GM_IDENTIFIER


@view
@external
def minimumDepositUSD() -> uint256:
    return self._minimum[BUY]


@view
@external
def minimumRedemptionUSD() -> uint256:
    return self._minimum[SELL]


@view
@external
def globalMintingPaused() -> bool:
    return self._paused[BUY]


@view
@external
def globalRedeemingPaused() -> bool:
    return self._paused[SELL]


@view
@external
def gmTokenMintingPaused(token: address) -> bool:
    return self._token_paused[BUY][token]


@view
@external
def gmTokenRedemptionsPaused(token: address) -> bool:
    return self._token_paused[SELL][token]


@view
@external
def getDomainSeparator() -> bytes32:
    return eip712_domain_separator._domain_separator_v4()


@view
@external
def hash_quote(quote: ITokenManager.Quote) -> bytes32:
    """
    @notice What a signer signs. The original has no such view.
    """
    return attestations._hash(quote)


# the administrator's


@external
def set_signer(signer: address, allowed: bool):
    """
    @notice Owner only.
    """
    ownable._check_owner()
    attestations._set_signer(signer, allowed)


@external
def set_accepted(token: address, accepted: bool):
    """
    @notice Owner only. Whether a stock token is minted and redeemed here.
    """
    ownable._check_owner()
    self.gmTokenAccepted[token] = accepted
    log TokenAcceptedSet(token=token, accepted=accepted)


@external
def set_minimum(side: uint8, minimum: uint256):
    """
    @notice Owner only.
    @param minimum wad USD, the least notional of this side.
    """
    ownable._check_owner()
    self._minimum[side] = minimum
    log MinimumSet(side=side, minimum=minimum)


@external
def set_paused(side: uint8, paused: bool):
    """
    @notice Owner only. One side for all tokens.
    """
    ownable._check_owner()
    self._paused[side] = paused
    log GlobalPauseSet(side=side, paused=paused)


@external
def set_token_paused(token: address, side: uint8, paused: bool):
    """
    @notice Owner only. One side of one token; the token itself may go on moving.
    """
    ownable._check_owner()
    self._token_paused[side][token] = paused
    log TokenPauseSet(token=token, side=side, paused=paused)


@external
def set_swapper(swapper: address):
    """
    @notice Owner only.
    @param swapper Nobody, for the issuer's dollar alone.
    """
    ownable._check_owner()
    self.usdonManager = swapper
    log SwapperSet(swapper=swapper)


# internal


@internal
def _accept(quote: ITokenManager.Quote, signature: Bytes[512], side: uint8, token: address) -> bytes32:
    """
    @notice Everything about a quote that does not depend on its size; it is spent.
    @return The caller's id.
    """
    self._check_token(token)
    self._check_side(quote.side, side)
    user_id: bytes32 = staticcall IIssuerRegistry(ondoIDRegistry).getRegisteredID(GM_IDENTIFIER, msg.sender)
    self._check_registered(user_id)
    attestations._check_unspent(quote.attestationId)
    self._check_not_expired(quote.expiration)
    self._check_user(user_id, quote.userId)
    extcall Checks(issuanceHours).checkIsValidHours()
    extcall Checks(sanityCheckOracle).validatePrice(quote.asset, quote.price)
    self._check_accepted(quote.asset)
    self._check_chain(quote.chainId)
    attestations._check_signed(quote, signature)
    attestations._spend(quote.attestationId)
    return user_id


@internal
def _check_allowed(asset: address, user_id: bytes32, side: uint8, notional: uint256):
    """
    @dev Sides are numbered as the rate limiter's directions are.
    """
    self._check_size(side, notional)
    extcall IRateLimiter(ondoRateLimiter).checkAndUpdateRateLimit(side, asset, user_id, notional)


@internal
@pure
def _notional_down(quote: ITokenManager.Quote) -> uint256:
    return quote.quantity * quote.price // WAD


@internal
def _pull(token: address, amount: uint256):
    assert extcall IERC20(token).transferFrom(msg.sender, self, amount, default_return_value=True)


@internal
def _push(token: address, amount: uint256):
    assert extcall IERC20(token).transfer(msg.sender, amount, default_return_value=True)


@internal
def _approve(token: address, amount: uint256):
    assert extcall IERC20(token).approve(self.usdonManager, amount, default_return_value=True)


@internal
def _log_trade(quote: ITokenManager.Quote):
    self.executionId += 1
    log ITokenManager.TradeExecuted(
        executionId=self.executionId,
        attestationId=quote.attestationId,
        chainId=quote.chainId,
        userId=quote.userId,
        side=quote.side,
        asset=quote.asset,
        price=quote.price,
        quantity=quote.quantity,
        expiration=quote.expiration,
        additionalData=quote.additionalData,
    )


@internal
@view
def _check_mints_not_paused(token: address):
    assert not self._paused[BUY] and not self._token_paused[BUY][token], "issuer: mints paused"


@internal
@view
def _check_redemptions_not_paused(token: address):
    assert not self._paused[SELL] and not self._token_paused[SELL][token], "issuer: redemptions paused"


@internal
@pure
def _check_token(token: address):
    assert token != empty(address), "issuer: zero token"


@internal
@pure
def _check_side(quoted: uint8, side: uint8):
    assert quoted == side, "issuer: wrong side"


@internal
@pure
def _check_registered(user_id: bytes32):
    assert user_id != empty(bytes32), "issuer: not registered"


@internal
@view
def _check_not_expired(expiration: uint256):
    assert block.timestamp <= expiration, "issuer: quote expired"


@internal
@pure
def _check_user(user_id: bytes32, quoted: bytes32):
    assert user_id == quoted, "issuer: other user"


@internal
@view
def _check_accepted(asset: address):
    assert self.gmTokenAccepted[asset], "issuer: asset not accepted"


@internal
@view
def _check_chain(chain_id: uint256):
    assert chain_id == chain.id, "issuer: wrong chain"


@internal
@view
def _check_size(side: uint8, notional: uint256):
    assert notional >= self._minimum[side], "issuer: too small"


@internal
@view
def _check_swapper():
    assert self.usdonManager != empty(address), "issuer: no swapper"
