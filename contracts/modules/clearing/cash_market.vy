# pragma version 0.4.3
"""
@title cash_market
@license AGPL-3.0-only
@author Prime Perps
@notice The cash of all accounts: whoever has some lends it to whoever has less than none. The ledger keeps each
        account's shares, this their sums, and the model says what they earn and cost. Every change of anybody's cash
        ends with `_accrue`.
"""
from contracts.interfaces import IInterestModel
from contracts.interfaces import IPerpClearinghouse
from ..cash import market_words
from . import ledger

uses: ledger


INTEREST: immutable(IInterestModel)

_words: IInterestModel.Words


@deploy
def __init__(interest: address):
    INTEREST = IInterestModel(interest)
    self._words.indexes = (
        market_words.ONE
        | (market_words.ONE << market_words.INDEX_BITS)
        | (block.timestamp << market_words.TIME_AT)
    )


@internal
@view
def _cash(account: uint256) -> int256:
    """
    @notice An account's cash as of now, wad.
    """
    return self._amount(ledger._balances(account).shares)


@internal
@view
def _amount(shares: int256) -> int256:
    # every margin check comes by here: nothing is read for an account without cash, and no more calls than one
    if shares == 0:
        return 0
    return unsafe_mul(shares, market_words._index(self._words.indexes, shares < 0)) >> market_words.ONE_BITS


@internal
def _change(account: uint256, cash: int256, quote: int256, steps: uint256):
    """
    @notice Add signed amounts to cash and quote, and `steps` to the state counter. Cash comes out up to two units less
            (of its index, over one): it is rounded down to shares, once more.
    """
    before: int256 = ledger._balances(account).shares
    after: int256 = before
    if cash != 0:
        after = market_words._shares(self._amount(before) + cash, self._words.indexes)
        # no account has 2^104 shares, and no 2^8 of them nearly as many
        self._words.totals = unsafe_sub(
            unsafe_add(self._words.totals, market_words._in_totals(after)), market_words._in_totals(before)
        )
    self._store(account, after - before, quote, steps)


@internal
def _store(account: uint256, shares: int256, quote: int256, steps: uint256):
    balances: ledger.Balances = ledger._store_balances(account, shares, quote, steps)
    log IPerpClearinghouse.MoneyChanged(account=account, shares=balances.shares, quote=balances.quote)


@internal
def _accrue(paid: int256, settled: int256, borrows: bool):
    """
    @notice Bring the indexes to now, and have the rates that hold from now on.
    @param paid Stablecoin that came into the safe or left it, wad.
    @param settled Quote that has become cash, wad.
    @param borrows Whether this is a loan, which the model refuses when too much is lent.
    """
    self._words = staticcall INTEREST.accrued(self._words, paid, settled, borrows)
    log IPerpClearinghouse.Accrued(indexes=self._words.indexes)


@internal
def _pay(account: uint256, amount: int256):
    """
    @notice Stablecoin comes into the safe for an account, or leaves it.
    """
    self._change(account, amount, 0, 0)
    self._accrue(amount, 0, amount < 0 and ledger._balances(account).shares < 0)


@internal
@view
def _reserve() -> int256:
    """
    @notice What interest, and rounding, have left over, wad.
    """
    return convert(staticcall INTEREST.reserve(self._words), int256)


@internal
def _socialise(insurance: uint256, amount: uint256) -> uint256:
    """
    @notice Take a loss from everybody's positive cash but insurance's own, and give it to insurance.
    @return What could be taken, wad.
    """
    # the model lowers an index of now, so the rate at target must have moved until now
    self._accrue(0, 0, False)
    before: int256 = ledger._balances(insurance).shares
    after: int256 = 0
    covered: uint256 = 0
    self._words, after, covered = staticcall INTEREST.socialised(self._words, before, amount)
    self._store(insurance, after - before, 0, 0)
    self._accrue(0, 0, False)
    return covered
