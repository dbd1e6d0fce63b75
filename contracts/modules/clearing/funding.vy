# pragma version 0.4.3
"""
@title funding
@license AGPL-3.0-only
@author Prime Perps
@notice One cumulative index per perp, settled lazily. Tokens and perps are in total-return units, so the interest
        component is zero and funding is the premium of fills over the index price: a mean in which every fill weighs
        with its notional against `depth` and the past fades by half in an hour.

        Index and rate are functions of time, so nobody has to keep them up, and nobody gains by doing so: what is
        charged from one moment to another is the same however often anybody looks. Only a fill that moves the rate by
        a unit or more is written down; dust leaves no trace.

        Word, 128 bits, two to a slot: 80 bits index (1e-15 USD per unit, signed), 16 bits rate (1e-8 of the price per
        hour, signed), 32 bits time.
"""
from ..common import bits


struct Funding:
    index: int256
    rate: int256
    time: uint256


# 0.017 % an hour, in 1e-8.
RATE_CAP: constant(int256) = 17_000
# A premium is paid back in eight hours at the rate it sets.
PREMIUM_HOURS: constant(int256) = 8
HALF_LIFE: constant(uint256) = 3_600
# How long a rate that halves every hour would have to stand still to charge as much in all: an hour over ln 2.
MEMORY: constant(int256) = 5_194
# What is left of a rate, in 1e-9: 2^-x for x of an hour is 1 - x/2 - x (1 - x) (A - B x), to 1.5e-4 of itself. Exact at
# both ends, so hours join without a step.
WHOLE: constant(uint256) = 10**9
A: constant(uint256) = 191_598_000
B: constant(uint256) = 39_563_000
RATE_UNIT: constant(int256) = 10**8
# mid (1e-8 USD) x rate (1e-8 per hour) x seconds (1e-9) into index units (1e-15 USD).
INDEX_DIVISOR: constant(int256) = 3_600 * 10 * 10**9
# size (1e-9) x index (1e-15 USD) into wad.
OWED_DIVISOR: constant(int256) = 10**6
WORD_BITS: constant(uint256) = 128
WORD_MASK: constant(uint256) = 2**128 - 1
INDEX_BITS: constant(uint256) = 80
RATE_BITS: constant(uint256) = 16
TIME_MASK: constant(uint256) = 2**32 - 1


_words: HashMap[uint256, uint256]


@internal
@view
def _load(market: uint256) -> Funding:
    word: uint256 = self._words[market >> 1] >> ((market & 1) * WORD_BITS)
    # in place, as in the ledger
    return Funding(
        index=convert(convert(word << (256 - INDEX_BITS), bytes32), int256) >> (256 - INDEX_BITS),
        rate=convert(convert(word << (256 - INDEX_BITS - RATE_BITS), bytes32), int256) >> (256 - RATE_BITS),
        time=(word >> (INDEX_BITS + RATE_BITS)) & TIME_MASK,
    )


@internal
def _store(market: uint256, funding: Funding):
    offset: uint256 = (market & 1) * WORD_BITS
    word: uint256 = (
        bits._field(funding.index, INDEX_BITS)
        | (bits._field(funding.rate, RATE_BITS) << INDEX_BITS)
        | (funding.time << (INDEX_BITS + RATE_BITS))
    )
    self._words[market >> 1] = (self._words[market >> 1] & ~(WORD_MASK << offset)) | (word << offset)


@internal
@view
def _index(market: uint256, mid: uint256) -> int256:
    """
    @notice The index as of now, at the index price `mid` (8 decimals). Everybody reads the same one, so its rounding
            moves no money between accounts and the protocol.
    """
    # every margin check comes by here for every perp: the fields are taken out in place
    word: uint256 = self._words[market >> 1] >> unsafe_mul(market & 1, WORD_BITS)
    index: int256 = convert(convert(word << (256 - INDEX_BITS), bytes32), int256) >> (256 - INDEX_BITS)
    rate: int256 = convert(convert(word << (256 - INDEX_BITS - RATE_BITS), bytes32), int256) >> (256 - RATE_BITS)
    if rate == 0:
        return index
    time: uint256 = (word >> (INDEX_BITS + RATE_BITS)) & TIME_MASK
    gone: uint256 = unsafe_sub(WHOLE, self._left(unsafe_sub(block.timestamp, time)))
    # |rate| < 2^15, mid < 2^56, MEMORY < 2^13, gone < 2^30: the product stays below 2^114
    step: int256 = unsafe_mul(unsafe_mul(rate, MEMORY), convert(convert(unsafe_mul(mid, gone), bytes32), int256))
    return unsafe_add(index, unsafe_div(step, INDEX_DIVISOR))


@internal
@pure
def _left(elapsed: uint256) -> uint256:
    """
    @return What `elapsed` seconds leave of a rate, in 1e-9, rounded down.
    """
    x: uint256 = unsafe_div(unsafe_mul(elapsed % HALF_LIFE, WHOLE), HALF_LIFE)
    bow: uint256 = unsafe_div(unsafe_mul(x, unsafe_sub(WHOLE, x)), WHOLE)
    bow = unsafe_div(unsafe_mul(bow, unsafe_sub(A, unsafe_div(unsafe_mul(B, x), WHOLE))), WHOLE)
    return unsafe_sub(unsafe_sub(WHOLE, x >> 1), bow) >> (elapsed // HALF_LIFE)


@internal
@pure
def _owed_up(size: int256, index: int256, since: int256) -> int256:
    """
    @notice Funding an account owes, wad, negative when due to it; rounded up, so that no dust is ever paid out.
    """
    owed: int256 = unsafe_mul(size, unsafe_sub(index, since))
    if owed > 0:
        return unsafe_div(unsafe_add(owed, OWED_DIVISOR - 1), OWED_DIVISOR)
    return unsafe_div(owed, OWED_DIVISOR)


@internal
def _fill(
    market: uint256, mid: uint256, price: uint256, notional: uint256, depth: uint256
) -> (int256, int256, uint256):
    """
    @notice Let a fill at `price` (wad) of `notional` (wad) move the rate. `depth` in whole USD.
    @return (index as of now, rate, the time the rate is as of: now, if this fill has moved it)
    @dev A fill of one dollar against a depth of a million moves the rate by a millionth of its own premium, which is
         less than a unit: to be written down, a fill must be of a 34,000th of `depth` at least.
    """
    funding: Funding = self._load(market)
    index: int256 = self._index(market, mid)
    # unchecked: no time lies ahead, mid < 2^56, depth <= 10^12
    left: uint256 = self._left(unsafe_sub(block.timestamp, funding.time))
    faded: int256 = funding.rate * convert(left, int256) // convert(WHOLE, int256)
    mid_wad: uint256 = unsafe_mul(mid, 10**10)
    premium: int256 = (convert(price, int256) - convert(mid_wad, int256)) * RATE_UNIT // convert(mid_wad, int256)
    target: int256 = min(max(premium // PREMIUM_HOURS, -RATE_CAP), RATE_CAP)
    weight: int256 = convert(notional, int256)
    moved: int256 = (target - faded) * weight // (weight + convert(unsafe_mul(depth, 10**18), int256))
    if moved == 0:
        return index, funding.rate, funding.time
    self._check_index(index)
    self._store(market, Funding(index=index, rate=faded + moved, time=block.timestamp))
    return index, faded + moved, block.timestamp


@internal
@pure
def _check_index(index: int256):
    assert abs(index) < 2**79, "funding: index out of range"
