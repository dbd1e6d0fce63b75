# pragma version 0.4.3
"""
@title slices
@license AGPL-3.0-only
@author Prime Perps
@notice Moves a fraction of everything an account has to another account. Hedges stay hedges: every balance and position
        is cut by the same fraction, rounded towards zero, and what is not moved stays, so nothing is made or lost.
"""
from contracts.interfaces import IMarginModel
from contracts.interfaces import IPerpClearinghouse
from ..common import bits
from ..oracle import price_word
from . import cash_market
from . import funding
from . import ledger
from . import markets
from . import risk

uses: cash_market
uses: funding
uses: ledger
uses: markets
uses: risk


WAD: constant(uint256) = 10**18


@internal
def _move(account: uint256, receiver: uint256, fraction: uint256, payment: uint256):
    header: ledger.Header = ledger._header(account)
    owed: int256 = 0
    owed_by_receiver: int256 = 0
    moved: DynArray[IPerpClearinghouse.Moved, 32] = []
    owed, owed_by_receiver, moved = self._move_lines(account, receiver, fraction, bits._members(header.lines))
    places: DynArray[uint256, 32] = bits._members(header.others)
    for place: uint256 in places:
        instrument: uint256 = ledger.FIRST_OTHER + place
        part: uint256 = ledger._other(account, instrument) * fraction // WAD
        ledger._change_holding(account, instrument, -convert(part, int256))
        ledger._change_holding(receiver, instrument, convert(part, int256))
    cash: int256 = self._part(cash_market._cash(account), fraction) - convert(payment, int256)
    quote: int256 = self._part(ledger._balances(account).quote - owed, fraction)
    cash_market._change(account, -cash, -quote - owed, 1)
    cash_market._change(receiver, cash, quote - owed_by_receiver, 1)
    cash_market._accrue(0, 0, False)
    log IPerpClearinghouse.SliceMoved(
        account=account,
        receiver=receiver,
        fraction=fraction,
        payment=payment,
        moved=moved,
    )


@internal
def _move_lines(
    account: uint256, receiver: uint256, fraction: uint256, held: DynArray[uint256, 32]
) -> (int256, int256, DynArray[IPerpClearinghouse.Moved, 32]):
    """
    @return (funding the account owed, funding the receiver owed on the same lines, what was moved).
    """
    words: DynArray[uint256, 32] = []
    closure: IMarginModel.Closure = empty(IMarginModel.Closure)
    words, closure = risk._read(held)
    owed: int256 = 0
    owed_by_receiver: int256 = 0
    moved: DynArray[IPerpClearinghouse.Moved, 32] = []
    k: uint256 = 0
    for underlying: uint256 in held:
        index: int256 = funding._index(underlying, price_word._unpack(words[k]).mid)
        k = unsafe_add(k, 1)
        source: IPerpClearinghouse.Position = ledger._position(account, underlying)
        target: IPerpClearinghouse.Position = ledger._position(receiver, underlying)
        owed += funding._owed_up(source.size, index, source.funding_index)
        owed_by_receiver += funding._owed_up(target.size, index, target.funding_index)
        longs: uint256 = markets._long(source.size) + markets._long(target.size)
        size: int256 = self._part(source.size, fraction)
        token: uint256 = source.token * fraction // WAD
        source.size -= size
        target.size += size
        source.token -= token
        target.token += token
        source.funding_index = index
        target.funding_index = index
        ledger._store_position(account, underlying, source)
        ledger._store_position(receiver, underlying, target)
        moved.append(
            IPerpClearinghouse.Moved(underlying=underlying, funding_index=index, size=size, token=token)
        )
        # netting against the receiver's own position shrinks the open interest, it never grows
        if size != 0:
            after: uint256 = markets._long(source.size) + markets._long(target.size)
            if after != longs:
                markets._change_interest(underlying, markets._load(underlying), longs, after)
    return owed, owed_by_receiver, moved


@internal
@pure
def _part(amount: int256, fraction: uint256) -> int256:
    return amount * convert(fraction, int256) // convert(WAD, int256)


@internal
def _settle(account: uint256):
    """
    @notice Variation margin: what the perps are worth over what was paid for them, less funding, becomes cash.
    """
    held: DynArray[uint256, 32] = bits._members(ledger._header(account).lines)
    words: DynArray[uint256, 32] = []
    closure: IMarginModel.Closure = empty(IMarginModel.Closure)
    words, closure = risk._read(held)
    owed: int256 = 0
    value: int256 = 0
    k: uint256 = 0
    for underlying: uint256 in held:
        mid: uint256 = price_word._unpack(words[k]).mid
        k += 1
        position: IPerpClearinghouse.Position = ledger._position(account, underlying)
        if position.size == 0:
            continue
        index: int256 = funding._index(underlying, mid)
        owed += funding._owed_up(position.size, index, position.funding_index)
        value += position.size * convert(mid, int256) * risk.PERP_VALUE
        if index != position.funding_index:
            position.funding_index = index
            ledger._set_position(account, underlying, position)
    gain: int256 = ledger._balances(account).quote - owed + value
    cash_market._change(account, gain, -owed - gain, 0)
    cash_market._accrue(0, gain, False)
    log IPerpClearinghouse.Settled(account=account, amount=gain)
