# pragma version 0.4.3
"""
@title receivables
@license AGPL-3.0-only
@author Prime Perps
@notice What issuers owe for tokens burnt in kind. The haircut grows with age along a straight line, from what it is at
        once to everything, as the instrument's listing says.
"""
from contracts.interfaces import IIssuerGateway


BPS: constant(uint256) = 10**4


count: uint256
_receivables: HashMap[uint256, IIssuerGateway.Receivable]


@internal
@view
def _load(receivable: uint256) -> IIssuerGateway.Receivable:
    return self._receivables[receivable]


@internal
@view
def _load_known(receivable: uint256) -> IIssuerGateway.Receivable:
    assert receivable < self.count, "gateway: no such receivable"
    return self._receivables[receivable]


@internal
def _open(account: uint256, instrument: uint256, tokens: uint256, at_risk: uint256) -> uint256:
    receivable: uint256 = self.count
    self.count = receivable + 1
    self._receivables[receivable] = IIssuerGateway.Receivable(
        account=account,
        instrument=instrument,
        tokens=tokens,
        at_risk=at_risk,
        paid=0,
        requested_at=block.timestamp,
        closed=False,
    )
    log IIssuerGateway.ReceivableOpened(
        receivable=receivable, account=account, instrument=instrument, tokens=tokens, at_risk=at_risk
    )
    return receivable


@internal
def _pay(receivable: uint256, account: uint256, amount: uint256, unit: uint256, last: bool):
    """
    @param amount Raw units of cash, `unit` wad each.
    """
    self._receivables[receivable].paid += amount * unit
    if last:
        self._receivables[receivable].closed = True
    log IIssuerGateway.ReceivablePaid(receivable=receivable, account=account, amount=amount, closed=last)


@internal
def _write_off(receivable: uint256, owed: IIssuerGateway.Receivable):
    assert not owed.closed, "gateway: closed"
    self._receivables[receivable].closed = True
    log IIssuerGateway.ReceivableWrittenOff(
        receivable=receivable, account=owed.account, lost=self._unpaid(owed)
    )


@internal
@view
def _value_down(owed: IIssuerGateway.Receivable, haircut: uint256, period: uint256) -> uint256:
    """
    @param haircut bps, at once; all of it after `period` seconds.
    """
    if owed.closed or period == 0:
        return 0
    age: uint256 = min(block.timestamp - owed.requested_at, period)
    # (BPS - haircut) of it at once, nothing in the end
    return self._unpaid(owed) * (BPS - haircut) * (period - age) // (BPS * period)


@internal
@pure
def _unpaid(owed: IIssuerGateway.Receivable) -> uint256:
    """
    @dev An issuer that pays at a better price owes nothing.
    """
    return owed.at_risk - min(owed.at_risk, owed.paid)
