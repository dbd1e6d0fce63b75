# pragma version 0.4.3
"""
@title market
@license AGPL-3.0-only
@author Prime Perps
@notice How the words of a market of cash change. The reserve is what nobody has been credited with: safe + net settled
        + loans - cash. It never shrinks but by being collected, because cash never earns more than nine tenths of what
        loans pay, and every rounding is in its favour.
"""
from contracts.interfaces import IInterestModel
from . import market_words
from . import rate


PPB: constant(uint256) = 10**9
# Wad in a part per billion.
UNIT: constant(uint256) = 10**9
# How far ahead a rate is the mean of: somebody should accrue about as often.
AHEAD: constant(uint256) = 3_600
# Of interest, what cash gets at most; the rest is the reserve's.
PERCENT_TO_CASH: constant(uint256) = 90
# No loans while more than 95 % of what could be lent is.
BORROW_STOP: constant(uint256) = 950_000_000
# An index that has come so far stands still from then on, so that none ends while a rate holds.
INDEX_LAST: constant(uint256) = 2**77
# A socialised loss lowers the supply index no further than to 1/1,024: shares must go on fitting their fields.
INDEX_MIN: constant(uint256) = 2**50
CLAIM_MAX: constant(int256) = 2**95 - 1


@internal
@view
def _market(words: IInterestModel.Words) -> IInterestModel.Market:
    supply_index: uint256 = convert(market_words._index(words.indexes, False), uint256)
    debt_index: uint256 = convert(market_words._index(words.indexes, True), uint256)
    supply_shares: uint256 = words.totals & market_words.SHARES_MASK
    debt_shares: uint256 = (words.totals >> market_words.SHARES_BITS) & market_words.SHARES_MASK
    supply: uint256 = supply_shares * supply_index // market_words.ONE
    debt: uint256 = debt_shares * debt_index // market_words.ONE
    safe: uint256 = words.claims & market_words.CLAIM_MASK
    net_settled: int256 = convert(
        convert(words.claims << (256 - market_words.TARGET_AT), bytes32), int256
    ) >> (256 - market_words.CLAIM_BITS)
    # down by one, because cash is rounded down
    reserve: int256 = convert(safe, int256) + net_settled + convert(debt, int256) - convert(supply, int256) - 1
    return IInterestModel.Market(
        supply=supply,
        debt=debt,
        safe=safe,
        net_settled=net_settled,
        reserve=convert(max(reserve, 0), uint256),
        rate_at_target=words.claims >> market_words.TARGET_AT,
        utilization_ppb=words.totals >> market_words.UTILIZATION_AT,
        supply_ppb=(words.indexes >> market_words.RATES_AT) & market_words.RATE_MASK,
        debt_ppb=words.indexes >> (market_words.RATES_AT + market_words.RATE_BITS),
        supply_index=supply_index,
        debt_index=debt_index,
        elapsed=block.timestamp - ((words.indexes >> market_words.TIME_AT) & market_words.TIME_MASK),
    )


@internal
@view
def _accrued(
    words: IInterestModel.Words, paid: int256, settled: int256, borrows: bool, least: uint256
) -> IInterestModel.Words:
    """
    @param least The floor of the rate at target.
    """
    market: IInterestModel.Market = self._market(words)
    safe: int256 = convert(market.safe, int256) + paid
    net_settled: int256 = market.net_settled + settled
    self._check_claims(0 <= safe and max(safe, abs(net_settled)) <= CLAIM_MAX)

    average: uint256 = 0
    target: uint256 = 0
    average, target = rate._step(market.rate_at_target, market.utilization_ppb * UNIT, market.elapsed, least)
    lendable: uint256 = market.debt + convert(safe, uint256)
    utilization: uint256 = market.debt * PPB // max(lendable, 1)
    self._check_borrowing(not borrows or utilization <= BORROW_STOP)

    ahead: uint256 = 0
    average, ahead = rate._step(target, utilization * UNIT, AHEAD, least)
    debt_ppb: uint256 = (average + UNIT - 1) // UNIT
    if market.debt_index >= INDEX_LAST:
        debt_ppb = 0
    # Where gains came into cash before the losses, more cash shares what loans pay; where losses came first, the share
    # of gains to come is the reserve's. Up by one, because both sums are rounded down.
    supply_ppb: uint256 = debt_ppb * market.debt * PERCENT_TO_CASH // (max(market.supply + 1, lendable) * 100)
    return IInterestModel.Words(
        indexes=self._indexes(market.supply_index, market.debt_index, supply_ppb, debt_ppb),
        totals=(words.totals & (2**market_words.UTILIZATION_AT - 1)) | (utilization << market_words.UTILIZATION_AT),
        claims=(
            convert(safe, uint256)
            | (
                (convert(convert(net_settled, bytes32), uint256) & market_words.CLAIM_MASK)
                << market_words.CLAIM_BITS
            )
            | (target << market_words.TARGET_AT)
        ),
    )


@internal
@view
def _socialised(
    words: IInterestModel.Words, shares: int256, amount: uint256
) -> (IInterestModel.Words, int256, uint256):
    """
    @notice Take `amount` from all cash but that of one account, and give it to this account.
    @param shares The account's.
    @return (words, shares of the account, what could be taken).
    """
    market: IInterestModel.Market = self._market(words)
    others: uint256 = (words.totals & market_words.SHARES_MASK) - convert(max(shares, 0), uint256)
    supply: uint256 = others * market.supply_index // market_words.ONE
    # no less is taken than given; what one unit of the index is more than that, the reserve keeps
    fall: uint256 = market.supply_index * min(amount, supply) // max(supply, 1) + 1
    fall = min(fall, market.supply_index - INDEX_MIN)
    covered: uint256 = min(fall * others // market_words.ONE, amount)

    held: int256 = market_words._amount(shares, words.indexes) + convert(covered, int256)
    changed: IInterestModel.Words = words
    changed.indexes = self._indexes(
        market.supply_index - fall, market.debt_index, market.supply_ppb, market.debt_ppb
    )
    after: int256 = market_words._shares(held, changed.indexes)
    changed.totals = words.totals + market_words._in_totals(after) - market_words._in_totals(shares)
    return changed, after, covered


@internal
@view
def _indexes(supply_index: uint256, debt_index: uint256, supply_ppb: uint256, debt_ppb: uint256) -> uint256:
    """
    @notice The word of indexes as of now.
    """
    return (
        supply_index
        | (debt_index << market_words.INDEX_BITS)
        | (block.timestamp << market_words.TIME_AT)
        | (supply_ppb << market_words.RATES_AT)
        | (debt_ppb << (market_words.RATES_AT + market_words.RATE_BITS))
    )


@internal
@pure
def _check_claims(fits: bool):
    assert fits, "cash: claims out of range"


@internal
@pure
def _check_borrowing(allowed: bool):
    assert allowed, "cash: borrow limit"
