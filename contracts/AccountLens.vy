# pragma version 0.4.3
# pragma nonreentrancy on
"""
@title AccountLens
@license AGPL-3.0-only
@author Prime Perps
@notice Explains an account out of public views.

        Trust: none needed. It holds nothing, writes nothing and nobody relies on it but readers.
@custom:kill Deploy another.
"""
from contracts.interfaces import IAccountLens
from contracts.interfaces import IMarginModel
from contracts.interfaces import IOracleAdapter
from contracts.interfaces import IPerpClearinghouse
from .modules.common import bits
from .modules.liquidation import eligibility
from .modules.oracle import price_word
from .modules.vault import assets

implements: IAccountLens


WAD: constant(uint256) = 10**18
MID: constant(uint256) = 10**8
PERP_VALUE: constant(int256) = 10

CLEARINGHOUSE: immutable(IPerpClearinghouse)


@deploy
def __init__(clearinghouse: address):
    CLEARINGHOUSE = IPerpClearinghouse(clearinghouse)


@external
@view
def account_summary(account: uint256) -> IAccountLens.Summary:
    """
    @dev The exposures are put together again from public views; that the model gives the clearinghouse's numbers for
         them is checked, so what is shown is what was charged.
    """
    margin: IPerpClearinghouse.Margin = staticcall CLEARINGHOUSE.margin(account)
    lines: DynArray[IAccountLens.LineSummary, 32] = []
    exposures: DynArray[IMarginModel.Exposure, 32] = []
    closure: IMarginModel.Closure = empty(IMarginModel.Closure)
    lines, exposures, closure = self._lines(account)
    terms: IMarginModel.Breakdown = staticcall IMarginModel((staticcall CLEARINGHOUSE.settings()).model).explain(
        exposures, closure, convert(max(-margin.cash, 0), uint256)
    )
    assert terms.maintenance == margin.maintenance and terms.initial == margin.initial, "lens: out of step"
    return IAccountLens.Summary(
        margin=margin,
        liquidatable=eligibility._is_liquidatable(margin),
        closure=closure,
        terms=terms,
        lines=lines,
    )


@internal
@view
def _lines(
    account: uint256
) -> (DynArray[IAccountLens.LineSummary, 32], DynArray[IMarginModel.Exposure, 32], IMarginModel.Closure):
    lines: DynArray[IAccountLens.LineSummary, 32] = []
    exposures: DynArray[IMarginModel.Exposure, 32] = []
    held: DynArray[uint256, 32] = []
    others: DynArray[uint256, 32] = []
    held, others = self._held(account)
    words: DynArray[uint256, 32] = []
    closure: IMarginModel.Closure = empty(IMarginModel.Closure)
    words, closure = staticcall IOracleAdapter(staticcall CLEARINGHOUSE.oracle()).read(held)
    k: uint256 = 0
    for underlying: uint256 in held:
        word: price_word.Word = price_word._unpack(words[k])
        eventful: uint256 = words[k] >> price_word.EVENTFUL_AT
        if word.flags & price_word.HALTED != 0:
            # as the clearinghouse's risk module has it
            eventful = max(eventful, 1)
        k += 1
        position: IPerpClearinghouse.Position = staticcall CLEARINGHOUSE.position(account, underlying)
        other: uint256 = self._other_units(account, underlying, others) * word.mid // MID
        exposure: IMarginModel.Exposure = IMarginModel.Exposure(
            underlying=underlying,
            token=position.token * word.mid // MID,
            other=other,
            perp=position.size * convert(word.mid, int256) * PERP_VALUE,
            width=word.half_width,
            eventful=eventful,
        )
        exposures.append(exposure)
        lines.append(
            IAccountLens.LineSummary(
                underlying=underlying,
                token=position.token,
                size=position.size,
                token_value=exposure.token + other,
                perp_value=exposure.perp,
                mid=word.mid * price_word.MID_TO_WAD,
                half_width=word.half_width,
                doubt=word.doubt,
                slow=word.slow,
                session=word.session,
                flags=word.flags,
                eventful=eventful,
                age=block.timestamp - min(word.time, block.timestamp),
            )
        )
    return lines, exposures, closure


@internal
@view
def _held(account: uint256) -> (DynArray[uint256, 32], DynArray[uint256, 32]):
    """
    @return (underlyings with any holding, instruments of further issuers).
    """
    lines: uint256 = 0
    bitmap: uint256 = 0
    lines, bitmap = staticcall CLEARINGHOUSE.holdings(account)
    others: DynArray[uint256, 32] = []
    places: DynArray[uint256, 32] = bits._members(bitmap)
    for place: uint256 in places:
        others.append(assets.FIRST_OTHER + place)
        lines |= 1 << self._listing(assets.FIRST_OTHER + place)[0]
    return bits._members(lines), others


@internal
@view
def _other_units(account: uint256, underlying: uint256, others: DynArray[uint256, 32]) -> uint256:
    units: uint256 = 0
    for instrument: uint256 in others:
        listing: uint256[2] = self._listing(instrument)
        if listing[0] == underlying:
            held: int256 = staticcall CLEARINGHOUSE.holding(account, instrument)
            units += convert(held, uint256) * listing[1] // WAD
    return units


@internal
@view
def _listing(instrument: uint256) -> uint256[2]:
    """
    @return (underlying, units per token).
    """
    underlying: uint256 = 0
    units: uint256 = 0
    underlying, units = staticcall CLEARINGHOUSE.other_token(instrument)
    return [underlying, units]
