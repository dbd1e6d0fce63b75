# pragma version 0.4.3
# pragma nonreentrancy on
"""
@title IssuerSwapper
@license AGPL-3.0-only
@author Prime Perps
@notice Stands in for the contract that changes coins into the issuer's dollar and back, after Ondo's USDonManager: one
        coin, one to one, out of what lies here and no more. Anybody may send it more of either.
        Callers must be registered for the issuer's dollar.
        Left out: fees, limits and a least amount of its own, coins priced below a dollar, other coins. The original may
        have all of them, so what it gives is measured, not computed.
"""
from contracts.interfaces import IIssuerRegistry
from contracts.interfaces import IIssuerSwapper
from ethereum.ercs import IERC20
from ethereum.ercs import IERC20Detailed
from snekmate.auth import ownable

implements: IIssuerSwapper

initializes: ownable


exports: (
    ownable.owner,
    ownable.transfer_ownership,
)


event Subscription:
    user: indexed(address)
    userId: indexed(bytes32)
    rwaAmount: uint256
    depositToken: address
    depositAmount: uint256


event Redemption:
    user: indexed(address)
    userId: indexed(bytes32)
    rwaAmount: uint256
    receivingToken: address
    receiveTokenAmount: uint256


USDON: immutable(IERC20)
COIN: immutable(IERC20)
REGISTRY: immutable(IIssuerRegistry)
SCALE: immutable(uint256)  # of the issuer's dollar in one raw unit of the coin


@deploy
def __init__(usdon: address, coin: address, registry: address):
    """
    @param coin At most 18 decimals.
    """
    ownable.__init__()
    USDON = IERC20(usdon)
    COIN = IERC20(coin)
    REGISTRY = IIssuerRegistry(registry)
    SCALE = 10 ** convert(18 - staticcall IERC20Detailed(coin).decimals(), uint256)


@external
def subscribe(depositToken: address, depositAmount: uint256, minimumRwaReceived: uint256) -> uint256:
    """
    @dev Reverts: "issuer: coin not accepted", "issuer: not registered", "issuer: below minimum",
         "issuer: swapper empty".
    """
    self._check_coin(depositToken)
    user_id: bytes32 = self._registered()
    self._pull(COIN, depositAmount)
    received: uint256 = depositAmount * SCALE
    self._check_minimum(received, minimumRwaReceived)
    self._push(USDON, received)
    log Subscription(
        user=msg.sender, userId=user_id, rwaAmount=received, depositToken=depositToken, depositAmount=depositAmount
    )
    return received


@external
def redeem(rwaAmount: uint256, receivingToken: address, minimumTokenReceived: uint256) -> uint256:
    """
    @dev Less than a raw unit of the coin is not paid. Reverts as `subscribe` does.
    """
    self._pull(USDON, rwaAmount)
    self._check_coin(receivingToken)
    user_id: bytes32 = self._registered()
    received: uint256 = rwaAmount // SCALE
    self._check_minimum(received, minimumTokenReceived)
    self._push(COIN, received)
    log Redemption(
        user=msg.sender,
        userId=user_id,
        rwaAmount=rwaAmount,
        receivingToken=receivingToken,
        receiveTokenAmount=received,
    )
    return received


@view
@external
def usdon() -> address:
    return USDON.address


@view
@external
def coin() -> address:
    return COIN.address


@external
def withdraw(token: address, to: address, amount: uint256):
    """
    @notice Owner only. Take from what lies here.
    """
    ownable._check_owner()
    assert extcall IERC20(token).transfer(to, amount, default_return_value=True)


@internal
@view
def _registered() -> bytes32:
    user_id: bytes32 = staticcall REGISTRY.getRegisteredID(USDON.address, msg.sender)
    assert user_id != empty(bytes32), "issuer: not registered"
    return user_id


@internal
def _pull(token: IERC20, amount: uint256):
    assert extcall token.transferFrom(msg.sender, self, amount, default_return_value=True)


@internal
def _push(token: IERC20, amount: uint256):
    assert amount <= staticcall token.balanceOf(self), "issuer: swapper empty"
    assert extcall token.transfer(msg.sender, amount, default_return_value=True)


@internal
@view
def _check_coin(token: address):
    assert token == COIN.address, "issuer: coin not accepted"


@internal
@pure
def _check_minimum(received: uint256, minimum: uint256):
    assert received >= minimum, "issuer: below minimum"
