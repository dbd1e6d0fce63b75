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
from .modules.oracle import price_word

implements: IAccountLens


CLEARINGHOUSE: immutable(IPerpClearinghouse)


@deploy
def __init__(clearinghouse: address):
    CLEARINGHOUSE = IPerpClearinghouse(clearinghouse)


@external
@view
def account_summary(account: uint256) -> IAccountLens.Summary:
    book: IPerpClearinghouse.Book = staticcall CLEARINGHOUSE.book(account)
    settings: IPerpClearinghouse.Settings = staticcall CLEARINGHOUSE.settings()
    terms: IMarginModel.Breakdown = staticcall IMarginModel(settings.model).explain(
        book.exposures, book.closure, book.debt
    )
    return IAccountLens.Summary(
        cash=book.cash,
        quote=book.quote,
        token_value=book.token_value,
        perp_value=book.perp_value,
        funding_owed=book.funding_owed,
        equity=book.equity,
        maintenance=terms.maintenance,
        initial=terms.initial,
        doubt=book.doubt,
        liquidatable=book.equity + 2 * convert(book.doubt, int256) < convert(terms.maintenance, int256),
        terms=terms,
        lines=self._lines(account, book),
    )


@internal
@view
def _lines(account: uint256, book: IPerpClearinghouse.Book) -> DynArray[IAccountLens.LineSummary, 32]:
    underlyings: DynArray[uint256, 32] = []
    for exposure: IMarginModel.Exposure in book.exposures:
        underlyings.append(exposure.underlying)
    words: DynArray[uint256, 32] = []
    closure: IMarginModel.Closure = empty(IMarginModel.Closure)
    words, closure = staticcall IOracleAdapter(staticcall CLEARINGHOUSE.oracle()).read(underlyings)
    lines: DynArray[IAccountLens.LineSummary, 32] = []
    k: uint256 = 0
    for exposure: IMarginModel.Exposure in book.exposures:
        word: price_word.Word = price_word._unpack(words[k])
        k += 1
        position: IPerpClearinghouse.Position = staticcall CLEARINGHOUSE.position(account, exposure.underlying)
        lines.append(
            IAccountLens.LineSummary(
                underlying=exposure.underlying,
                token=position.token,
                size=position.size,
                token_value=exposure.token + exposure.other,
                perp_value=exposure.perp,
                mid=word.mid * price_word.MID_TO_WAD,
                half_width=word.half_width,
                doubt=word.doubt,
                session=word.session,
                flags=word.flags,
                age=block.timestamp - min(word.time, block.timestamp),
            )
        )
    return lines
