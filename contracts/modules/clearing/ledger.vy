# pragma version 0.4.3
"""
@title ledger
@license AGPL-3.0-only
@author Prime Perps
@notice What every account has, packed so that a margin check reads two slots an account and one a stock.

        header    64 bits  underlyings held (perp or primary token)
                 128 bits  instruments 128.. held
        money    112 bits  shares of the cash market, signed; negative is a loan
                 112 bits  quote, wad, signed
                  32 bits  state counter
        position  80 bits  perp size, nano, signed
                  96 bits  primary token, wad
                  80 bits  funding index at the last settlement, 1e-15 USD per unit, signed
"""
from contracts.interfaces import IPerpClearinghouse
from ..common import bits


UNDERLYINGS: constant(uint256) = 64
FIRST_TOKEN: constant(uint256) = 64
FIRST_OTHER: constant(uint256) = 128
CASH: constant(uint256) = 255

LINES_MAX: constant(uint256) = 32
OTHERS_MAX: constant(uint256) = 8

SIZE_BITS: constant(uint256) = 80
TOKEN_BITS: constant(uint256) = 96
MONEY_BITS: constant(uint256) = 112
SIZE_MAX: constant(int256) = 2**79 - 1
TOKEN_MAX: constant(uint256) = 2**96 - 1
MONEY_MAX: constant(int256) = 2**111 - 1

LINES_MASK: constant(uint256) = 2**64 - 1
OTHERS_OFFSET: constant(uint256) = 64
OTHERS_MASK: constant(uint256) = 2**128 - 1
COUNTER_OFFSET: constant(uint256) = 224


struct Header:
    lines: uint256
    others: uint256


struct Balances:
    shares: int256
    quote: int256


_headers: HashMap[uint256, uint256]
_moneys: HashMap[uint256, uint256]
_positions: HashMap[uint256, HashMap[uint256, uint256]]
_others: HashMap[uint256, HashMap[uint256, uint256]]


# header


@internal
@view
def _header(account: uint256) -> Header:
    word: uint256 = self._headers[account]
    return Header(
        lines=word & LINES_MASK,
        others=(word >> OTHERS_OFFSET) & OTHERS_MASK,
    )


@internal
def _mark(account: uint256, bit: uint256):
    """
    @notice Turn one holding on or off. `bit` is a position in the header: the underlying, or 64 plus the place of a
            further issuer's token.
    """
    word: uint256 = self._headers[account] ^ (1 << bit)
    # each token of a further issuer may stand for an underlying of its own, and no more than LINES_MAX can be read
    self._check_room(bits._count(word) <= LINES_MAX and bits._count(word >> OTHERS_OFFSET) <= OTHERS_MAX)
    self._headers[account] = word


@internal
@pure
def _check_room(fits: bool):
    assert fits, "ledger: too many holdings"


@internal
@pure
def _check_fits(fits: bool):
    assert fits, "ledger: amount too large"


# money


@internal
@view
def _balances(account: uint256) -> Balances:
    word: uint256 = self._moneys[account]
    return Balances(
        shares=bits._signed(word, 0, MONEY_BITS), quote=bits._signed(word, MONEY_BITS, MONEY_BITS)
    )


@internal
@view
def _counter(account: uint256) -> uint256:
    return self._moneys[account] >> COUNTER_OFFSET


@internal
def _advance(account: uint256):
    """
    @notice Change the state counter, so that whoever decided on the old state is refused.
    """
    self._moneys[account] = unsafe_add(self._moneys[account], 1 << COUNTER_OFFSET)


@internal
def _store_balances(
    account: uint256, shares: int256, quote: int256, steps: uint256
) -> Balances:
    """
    @notice Add signed amounts to both balances and `steps` to the state counter; return the new balances.
    """
    word: uint256 = self._moneys[account]
    balances: Balances = Balances(
        shares=bits._signed(word, 0, MONEY_BITS) + shares, quote=bits._signed(word, MONEY_BITS, MONEY_BITS) + quote
    )
    # shares to 2^103, so that their sum over all accounts fits the field of one
    self._check_fits(max(abs(balances.shares) << 8, abs(balances.quote)) <= MONEY_MAX)
    counter: uint256 = unsafe_add(word >> COUNTER_OFFSET, steps)
    self._moneys[account] = (
        bits._field(balances.shares, MONEY_BITS)
        | (bits._field(balances.quote, MONEY_BITS) << MONEY_BITS)
        | (counter << COUNTER_OFFSET)
    )
    return balances


# positions


@internal
@view
def _position(account: uint256, underlying: uint256) -> IPerpClearinghouse.Position:
    word: uint256 = self._positions[account][underlying]
    # every margin check comes by here for every line: the fields are taken out in place
    return IPerpClearinghouse.Position(
        size=convert(convert(word << (256 - SIZE_BITS), bytes32), int256) >> (256 - SIZE_BITS),
        token=(word >> SIZE_BITS) & TOKEN_MAX,
        funding_index=convert(convert(word, bytes32), int256) >> (256 - SIZE_BITS),
    )


@internal
def _store_position(account: uint256, underlying: uint256, position: IPerpClearinghouse.Position):
    self._check_fits(abs(position.size) <= SIZE_MAX and position.token <= TOKEN_MAX)
    held: bool = position.size != 0 or position.token != 0
    word: uint256 = 0
    if held:
        word = (
            bits._field(position.size, SIZE_BITS)
            | (position.token << SIZE_BITS)
            | (bits._field(position.funding_index, SIZE_BITS) << (SIZE_BITS + TOKEN_BITS))
        )
    # a word is not zero exactly while its bit is set, so the header is left alone unless that changes
    if held != (self._positions[account][underlying] != 0):
        self._mark(account, underlying)
    self._positions[account][underlying] = word


@internal
def _set_position(account: uint256, underlying: uint256, position: IPerpClearinghouse.Position):
    self._store_position(account, underlying, position)
    log IPerpClearinghouse.PositionChanged(
        account=account,
        underlying=underlying,
        size=position.size,
        token=position.token,
        funding_index=position.funding_index,
    )


# tokens


@internal
@view
def _other(account: uint256, instrument: uint256) -> uint256:
    return self._others[account][instrument]


@internal
def _set_other(account: uint256, instrument: uint256, amount: uint256):
    self._check_fits(amount <= TOKEN_MAX)
    if (amount != 0) != (self._others[account][instrument] != 0):
        self._mark(account, OTHERS_OFFSET + instrument - FIRST_OTHER)
    self._others[account][instrument] = amount
    log IPerpClearinghouse.OtherTokenChanged(account=account, instrument=instrument, amount=amount)


@internal
@view
def _balance(account: uint256, instrument: uint256) -> int256:
    """
    @notice The holding of any instrument but cash: nano for perps, wad for tokens.
    """
    if instrument >= FIRST_OTHER:
        return convert(self._other(account, instrument), int256)
    if instrument >= FIRST_TOKEN:
        return convert(self._position(account, instrument - FIRST_TOKEN).token, int256)
    return self._position(account, instrument).size


@internal
def _change_holding(account: uint256, instrument: uint256, amount: int256):
    """
    @notice Add a signed amount (18 decimals) of a token, as deposits and withdrawals do.
    """
    if instrument >= FIRST_OTHER:
        self._set_other(account, instrument, self._added(self._other(account, instrument), amount))
    else:
        position: IPerpClearinghouse.Position = self._position(account, instrument - FIRST_TOKEN)
        position.token = self._added(position.token, amount)
        self._set_position(account, instrument - FIRST_TOKEN, position)


@internal
@pure
def _added(balance: uint256, amount: int256) -> uint256:
    after: int256 = convert(balance, int256) + amount
    assert after >= 0, "ledger: not enough"
    return convert(after, uint256)
