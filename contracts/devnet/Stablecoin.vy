# pragma version 0.4.3
# pragma nonreentrancy on
"""
@title Stablecoin
@license AGPL-3.0-only
@author Prime Perps
@notice Stands in for the settlement coin, after USDC: 6 decimals; the owner mints, pauses everything and blocks
        addresses. A blocked address can neither send nor receive nor move others' coins, and its coins stay where they
        are. Pause and block list cover approvals too. An allowance is used up even when it is unlimited. Balance and
        block share a storage word, as in the original, so that gas is like the original's without its proxy.
        Left out: the proxy, minters with allowances, permit, and the split of the owner's powers over several roles.
"""
from ethereum.ercs import IERC20
from ethereum.ercs import IERC20Detailed
from snekmate.auth import ownable

implements: IERC20
implements: IERC20Detailed

initializes: ownable


exports: (
    ownable.owner,
    ownable.transfer_ownership,
)


event Blacklisted:
    account: indexed(address)


event UnBlacklisted:
    account: indexed(address)


event Pause: pass


event Unpause: pass


name: public(constant(String[15])) = "Devnet USD Coin"
symbol: public(constant(String[4])) = "USDC"
decimals: public(constant(uint8)) = 6

BLOCKED: constant(uint256) = 2**255


paused: public(bool)
totalSupply: public(uint256)
allowance: public(HashMap[address, HashMap[address, uint256]])
words: HashMap[address, uint256]  # the balance, and BLOCKED on top of it


@deploy
def __init__():
    ownable.__init__()
    # Coins sent to the coin itself would be lost.
    self._block(self)


@external
def transfer(to: address, amount: uint256) -> bool:
    self._check_not_paused()
    self._move(msg.sender, to, amount)
    return True


@external
def transferFrom(owner: address, to: address, amount: uint256) -> bool:
    self._check_not_paused()
    self._check_not_blocked(msg.sender)
    allowed: uint256 = self.allowance[owner][msg.sender]
    assert amount <= allowed, "stablecoin: allowance too small"
    self.allowance[owner][msg.sender] = allowed - amount
    self._move(owner, to, amount)
    return True


@external
def approve(spender: address, amount: uint256) -> bool:
    self._check_not_paused()
    self._check_not_blocked(msg.sender)
    self._check_not_blocked(spender)
    self.allowance[msg.sender][spender] = amount
    log IERC20.Approval(owner=msg.sender, spender=spender, value=amount)
    return True


@external
def mint(to: address, amount: uint256):
    """
    @notice Owner only. Reverts: "ownable: caller is not the owner", "stablecoin: paused", "stablecoin: blocked",
            "stablecoin: zero receiver", "stablecoin: supply too large".
    """
    ownable._check_owner()
    self._check_not_paused()
    self._check_receiver(to)
    self._check_supply(amount)
    self.totalSupply += amount
    self.words[to] = self._unblocked(to) + amount
    log IERC20.Transfer(sender=empty(address), receiver=to, value=amount)


@external
def burn(amount: uint256):
    """
    @notice Destroy coins of the caller's own.
    """
    self._check_not_paused()
    self.words[msg.sender] = self._less(msg.sender, amount)
    self.totalSupply -= amount
    log IERC20.Transfer(sender=msg.sender, receiver=empty(address), value=amount)


@external
def pause():
    """
    @notice Owner only. Stop transfers, approvals, mints and burns.
    """
    ownable._check_owner()
    self.paused = True
    log Pause()


@external
def unpause():
    """
    @notice Owner only.
    """
    ownable._check_owner()
    self.paused = False
    log Unpause()


@external
def blacklist(account: address):
    """
    @notice Owner only. Freeze an address.
    """
    ownable._check_owner()
    self._block(account)


@external
def unBlacklist(account: address):
    """
    @notice Owner only.
    """
    ownable._check_owner()
    self.words[account] &= ~BLOCKED
    log UnBlacklisted(account=account)


@view
@external
def balanceOf(account: address) -> uint256:
    return self.words[account] & ~BLOCKED


@view
@external
def isBlacklisted(account: address) -> bool:
    return self.words[account] >= BLOCKED


@internal
def _move(owner: address, to: address, amount: uint256):
    self._check_receiver(to)
    self.words[owner] = self._less(owner, amount)
    self.words[to] = self._unblocked(to) + amount
    log IERC20.Transfer(sender=owner, receiver=to, value=amount)


@internal
def _block(account: address):
    self.words[account] |= BLOCKED
    log Blacklisted(account=account)


@internal
@view
def _less(account: address, amount: uint256) -> uint256:
    balance: uint256 = self._unblocked(account)
    assert amount <= balance, "stablecoin: balance too small"
    return balance - amount


@internal
@view
def _unblocked(account: address) -> uint256:
    """
    @return The balance of an address that is not blocked.
    """
    self._check_not_blocked(account)
    return self.words[account]


@internal
@view
def _check_not_paused():
    assert not self.paused, "stablecoin: paused"


@internal
@view
def _check_not_blocked(account: address):
    assert self.words[account] < BLOCKED, "stablecoin: blocked"


@internal
@pure
def _check_receiver(to: address):
    assert to != empty(address), "stablecoin: zero receiver"


@internal
@view
def _check_supply(amount: uint256):
    # No balance can then reach the bit above it.
    assert amount < BLOCKED - self.totalSupply, "stablecoin: supply too large"
