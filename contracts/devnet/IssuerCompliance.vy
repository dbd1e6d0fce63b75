# pragma version 0.4.3
# pragma nonreentrancy on
"""
@title IssuerCompliance
@license AGPL-3.0-only
@author Prime Perps
@notice Stands in for the issuer's compliance registry: one list for all its tokens, asked about every party of every
        transfer. As in the original the question is not a view: it leaves a trace, so a static call of it fails.
        Left out: the sanctions oracle behind the list.
"""
from snekmate.auth import ownable

initializes: ownable


exports: (
    ownable.owner,
    ownable.transfer_ownership,
)


event Checked:
    token: indexed(address)
    account: indexed(address)


event BlockedSet:
    account: indexed(address)
    blocked: bool


is_blocked: public(HashMap[address, bool])


@deploy
def __init__():
    ownable.__init__()


@external
def check(account: address):
    """
    @notice Asked by a token about one party of a transfer. Reverts: "compliance: blocked".
    """
    assert not self.is_blocked[account], "compliance: blocked"
    log Checked(token=msg.sender, account=account)


@external
def set_blocked(account: address, blocked: bool):
    """
    @notice Owner only. Keep an address from sending, receiving and moving any token of the issuer, or let it again.
    """
    ownable._check_owner()
    self.is_blocked[account] = blocked
    log BlockedSet(account=account, blocked=blocked)
