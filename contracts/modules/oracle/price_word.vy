# pragma version 0.4.3
"""
@title price_word
@license AGPL-3.0-only
@author Prime Perps
@notice The fields of an oracle word. The layout is documented once, in IOracleAdapter.vyi.
"""


struct Word:
    mid: uint256  # 8 decimals
    time: uint256
    half_width: uint256  # bps
    slow: int256  # bps, signed
    session: uint256
    flags: uint256
    doubt: uint256  # bps; only in words that `read` returns


HALTED: constant(uint256) = 1
PAUSED: constant(uint256) = 2
EVENTFUL: constant(uint256) = 4
REDUCE_ONLY: constant(uint256) = 8
REOPENING: constant(uint256) = 16

SESSION_UNKNOWN: constant(uint256) = 0
SESSION_REGULAR: constant(uint256) = 2
SESSION_CLOSED: constant(uint256) = 5
SESSION_ALWAYS_OPEN: constant(uint256) = 6

# Session and flags are neighbours, eight bits in all. Bit i is set if somebody can trade at a price whose eight bits
# are i: in every session but unknown and closed, under no flags but EVENTFUL and REDUCE_ONLY.
LIVE_SESSIONS: constant(uint256) = (1 << 1) | (1 << 2) | (1 << 3) | (1 << 4) | (1 << 6)
LIVE_STATES: constant(uint256) = (
    LIVE_SESSIONS | (LIVE_SESSIONS << 32) | (LIVE_SESSIONS << 64) | (LIVE_SESSIONS << 96)
)
STATE_MASK: constant(uint256) = 2**8 - 1

MID_MAX: constant(uint256) = 2**56 - 1
TIME_MAX: constant(uint256) = 2**32 - 1
FULL_WIDTH: constant(uint256) = 10_000
# A mid has 8 decimals, money has 18.
MID_TO_WAD: constant(uint256) = 10**10

WORD_BITS: constant(uint256) = 128
WORD_MASK: constant(uint256) = 2**128 - 1

TIME_AT: constant(uint256) = 56
HALF_WIDTH_AT: constant(uint256) = 88
SLOW_AT: constant(uint256) = 104
SESSION_AT: constant(uint256) = 120
FLAGS_AT: constant(uint256) = 123
DOUBT_AT: constant(uint256) = 128
# in words that `read` returns of underlyings with an event; no field of Word
EVENTFUL_AT: constant(uint256) = 144

BPS_MASK: constant(uint256) = 2**16 - 1
SESSION_MASK: constant(uint256) = 2**3 - 1
FLAGS_MASK: constant(uint256) = 2**5 - 1

# `slow` is stored in two's complement; adding 2^15 and flipping the top bit converts without a branch.
SLOW_BIAS: constant(int256) = 2**15
SLOW_SIGN: constant(uint256) = 2**15


@internal
@pure
def _pack(word: Word) -> uint256:
    """
    @dev Fields must be in range; whoever builds a word checks them where they enter.
    """
    return (
        word.mid
        | (word.time << TIME_AT)
        | (word.half_width << HALF_WIDTH_AT)
        | ((convert(word.slow + SLOW_BIAS, uint256) ^ SLOW_SIGN) << SLOW_AT)
        | (word.session << SESSION_AT)
        | (word.flags << FLAGS_AT)
        | (word.doubt << DOUBT_AT)
    )


@internal
@pure
def _unpack(packed: uint256) -> Word:
    """
    @dev Total: any 256 bits are a word, and bits above `doubt` are ignored.
    """
    return Word(
        mid=packed & MID_MAX,
        time=(packed >> TIME_AT) & TIME_MAX,
        half_width=(packed >> HALF_WIDTH_AT) & BPS_MASK,
        slow=unsafe_sub(convert(((packed >> SLOW_AT) & BPS_MASK) ^ SLOW_SIGN, int256), SLOW_BIAS),
        session=(packed >> SESSION_AT) & SESSION_MASK,
        flags=(packed >> FLAGS_AT) & FLAGS_MASK,
        doubt=(packed >> DOUBT_AT) & BPS_MASK,
    )


@internal
@pure
def _is_within(mid: uint256, of: uint256, band: uint256) -> bool:
    """
    @param band bps of `of`.
    """
    return unsafe_mul(unsafe_sub(max(mid, of), min(mid, of)), FULL_WIDTH) <= unsafe_mul(of, band)
