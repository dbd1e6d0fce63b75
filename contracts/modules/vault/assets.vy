# pragma version 0.4.3
"""
@title assets
@license AGPL-3.0-only
@author Prime Perps
@notice What the safe knows about each instrument's token. One storage word an asset, so that a withdrawal reads and
        writes one and a deposit also reads the cap (fields from the low bit up):
          token     160 bits
          decimals    5 bits
          booked     91 bits  raw token units; 2.4 billion tokens of 18 decimals
"""


struct Asset:
    token: address
    decimals: uint256
    booked: uint256  # raw units, what the book owes to accounts


# 0..63 are perps, which have no token.
FIRST_TOKEN: constant(uint256) = 64
# From here on tokens of further issuers, which the clearinghouse lists with their underlying.
FIRST_OTHER: constant(uint256) = 128
CASH: constant(uint256) = 255

# The book counts every token in 18 decimals. With more decimals a raw amount would not fit it exactly.
BOOK_DECIMALS: constant(uint256) = 18

TOKEN_MASK: constant(uint256) = 2**160 - 1
DECIMALS_OFFSET: constant(uint256) = 160
DECIMALS_MASK: constant(uint256) = 2**5 - 1
BOOKED_OFFSET: constant(uint256) = 165
BOOKED_MAX: constant(uint256) = 2**91 - 1


_words: HashMap[uint256, uint256]
_caps: HashMap[uint256, uint256]  # raw units, at most BOOKED_MAX
_instruments: HashMap[address, uint256]


@internal
@view
def _load(instrument: uint256) -> Asset:
    """
    @notice The asset of an instrument; zeros when it is not listed.
    """
    word: uint256 = self._words[instrument]
    return Asset(
        token=convert(word & TOKEN_MASK, address),
        decimals=(word >> DECIMALS_OFFSET) & DECIMALS_MASK,
        booked=word >> BOOKED_OFFSET,
    )


@internal
@view
def _load_listed(instrument: uint256) -> Asset:
    asset: Asset = self._load(instrument)
    self._check_listed(asset.token)
    return asset


@internal
def _store(instrument: uint256, asset: Asset):
    """
    @dev `booked` is at most BOOKED_MAX: caps are, and a repayment past its cap is held to it.
    """
    self._words[instrument] = (
        convert(asset.token, uint256) | (asset.decimals << DECIMALS_OFFSET) | (asset.booked << BOOKED_OFFSET)
    )


@internal
def _list(instrument: uint256, token: address, decimals: uint256):
    self._check_instrument(instrument)
    self._check_free(instrument, token)
    self._check_decimals(decimals)
    self._store(instrument, Asset(token=token, decimals=decimals, booked=0))
    self._instruments[token] = instrument


@internal
@view
def _cap(instrument: uint256) -> uint256:
    return self._caps[instrument]


@internal
def _set_cap(instrument: uint256, cap: uint256):
    self._check_cap_fits(cap)
    self._caps[instrument] = cap


@internal
@pure
def _to_book(amount: uint256, decimals: uint256) -> uint256:
    """
    @return `amount` raw units in 18 decimals, exact.
    """
    return amount * 10 ** (BOOK_DECIMALS - decimals)


@internal
@pure
def _check_listed(token: address):
    assert token != empty(address), "vault: not listed"


@internal
@view
def _has_room(instrument: uint256, booked: uint256, amount: uint256) -> bool:
    cap: uint256 = self._cap(instrument)
    # By subtraction, because `booked + amount` could overflow; a lowered cap may lie below `booked`.
    return booked <= cap and amount <= cap - booked


@internal
@pure
def _check_instrument(instrument: uint256):
    assert instrument >= FIRST_TOKEN and instrument <= CASH, "vault: bad instrument"


@internal
@view
def _check_free(instrument: uint256, token: address):
    assert self._words[instrument] == 0, "vault: listed already"
    assert self._instruments[token] == 0, "vault: token listed already"


@internal
@pure
def _check_decimals(decimals: uint256):
    assert decimals <= BOOK_DECIMALS, "vault: too many decimals"


@internal
@pure
def _check_cap_fits(cap: uint256):
    assert cap <= BOOKED_MAX, "vault: cap too large"
