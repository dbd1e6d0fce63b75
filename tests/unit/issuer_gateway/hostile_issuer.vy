# pragma version 0.4.3
# pragma nonreentrancy off
"""
@title hostile_issuer
@license AGPL-3.0-only
@author Prime Perps
@notice An issuer that takes and gives what anybody tells it to, calls back in the middle, answers what it likes and
        reverts with any data. It gives out of what lies here.
"""
from contracts.interfaces import ITokenManager
from ethereum.ercs import IERC20


taken_bps: uint256
given_bps: uint256
dollar: address
dollars: uint256
target: address
payload: Bytes[2_048]
reentry_succeeded: public(bool)
refusal: Bytes[512]


@deploy
def __init__():
    self.taken_bps = 10_000
    self.given_bps = 10_000


@external
def mintWithAttestation(
    quote: ITokenManager.Quote, signature: Bytes[512], depositToken: address, depositTokenAmount: uint256
) -> uint256:
    self._trade(depositToken, depositTokenAmount, quote.asset, quote.quantity)
    return max_value(uint256)


@external
def redeemWithAttestation(
    quote: ITokenManager.Quote, signature: Bytes[512], receiveToken: address, minimumReceiveAmount: uint256
) -> uint256:
    notional: uint256 = quote.quantity * quote.price // 10**18
    self._trade(quote.asset, quote.quantity, receiveToken, notional // 10**12)
    return max_value(uint256)


@external
def redeem(token: address, amount: uint256):
    """
    @notice In kind.
    """
    self._trade(token, amount, token, 0)


@external
def set_shares(taken_bps: uint256, given_bps: uint256):
    self.taken_bps = taken_bps
    self.given_bps = given_bps


@external
def set_dollars(dollar: address, dollars: uint256):
    """
    @notice Give so many of the issuer's dollars on top.
    """
    self.dollar = dollar
    self.dollars = dollars


@external
def arm(target: address, payload: Bytes[2_048]):
    self.target = target
    self.payload = payload


@external
def set_refusal(data: Bytes[512]):
    self.refusal = data


@internal
def _trade(taken: address, amount: uint256, given: address, due: uint256):
    extcall IERC20(taken).transferFrom(msg.sender, self, amount * self.taken_bps // 10_000)
    extcall IERC20(given).transfer(msg.sender, due * self.given_bps // 10_000)
    if self.dollars != 0:
        extcall IERC20(self.dollar).transfer(msg.sender, self.dollars)
    if self.target != empty(address):
        self.reentry_succeeded = raw_call(self.target, self.payload, revert_on_failure=False)
    if len(self.refusal) != 0:
        raw_revert(self.refusal)
