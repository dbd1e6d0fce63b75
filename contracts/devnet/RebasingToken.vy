# pragma version 0.4.3
# pragma nonreentrancy on
"""
@title RebasingToken
@license AGPL-3.0-only
@author Prime Perps
@notice Stands in for rebasing stock tokens, after xStocks: accounts own shares, a balance is shares x multiplier, and a
        dividend or a split changes every balance at once. Amounts round down to whole shares, so a transfer may move a
        unit less than asked. 18 decimals. The safe must refuse it; a wrapper of it may be listed.
"""
from ethereum.ercs import IERC20
from ethereum.ercs import IERC20Detailed
from snekmate.auth import ownable

implements: IERC20
implements: IERC20Detailed

initializes: ownable


exports: ownable.owner


event MultiplierUpdated:
    multiplier: uint256


event TransferShares:
    owner: indexed(address)
    to: indexed(address)
    shares: uint256


name: public(constant(String[15])) = "Rebasing Stock"
symbol: public(constant(String[5])) = "NVDAx"
decimals: public(constant(uint8)) = 18
WAD: constant(uint256) = 10**18


multiplier: public(uint256)  # wad
total_shares: uint256
sharesOf: public(HashMap[address, uint256])
allowance: public(HashMap[address, HashMap[address, uint256]])


@deploy
def __init__():
    ownable.__init__()
    self.multiplier = WAD


@external
def transfer(to: address, amount: uint256) -> bool:
    self._move(msg.sender, to, amount)
    return True


@external
def transferFrom(owner: address, to: address, amount: uint256) -> bool:
    allowed: uint256 = self.allowance[owner][msg.sender]
    assert allowed >= amount, "rebasing: allowance too small"
    self.allowance[owner][msg.sender] = allowed - amount
    self._move(owner, to, amount)
    return True


@external
def approve(spender: address, amount: uint256) -> bool:
    self.allowance[msg.sender][spender] = amount
    log IERC20.Approval(owner=msg.sender, spender=spender, value=amount)
    return True


@external
def mint(to: address, amount: uint256):
    """
    @notice Owner only.
    """
    ownable._check_owner()
    shares: uint256 = self._to_shares_down(amount)
    self.total_shares += shares
    self.sharesOf[to] += shares
    log IERC20.Transfer(sender=empty(address), receiver=to, value=amount)
    log TransferShares(owner=empty(address), to=to, shares=shares)


@external
def update_multiplier(multiplier: uint256):
    """
    @notice Owner only. A dividend raises it, a split multiplies it, a reverse split divides it.
    @param multiplier wad, above zero
    """
    ownable._check_owner()
    assert multiplier > 0, "rebasing: zero multiplier"
    self.multiplier = multiplier
    log MultiplierUpdated(multiplier=multiplier)


@view
@external
def balanceOf(owner: address) -> uint256:
    return self._to_amount_down(self.sharesOf[owner])


@view
@external
def totalSupply() -> uint256:
    return self._to_amount_down(self.total_shares)


@internal
def _move(owner: address, to: address, amount: uint256):
    assert to != empty(address), "rebasing: zero receiver"
    shares: uint256 = self._to_shares_down(amount)
    assert self.sharesOf[owner] >= shares, "rebasing: balance too small"
    self.sharesOf[owner] -= shares
    self.sharesOf[to] += shares
    log IERC20.Transfer(sender=owner, receiver=to, value=amount)
    log TransferShares(owner=owner, to=to, shares=shares)


@internal
@view
def _to_shares_down(amount: uint256) -> uint256:
    return amount * WAD // self.multiplier


@internal
@view
def _to_amount_down(shares: uint256) -> uint256:
    return shares * self.multiplier // WAD
