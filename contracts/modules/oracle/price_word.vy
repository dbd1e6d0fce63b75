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
EVENT: constant(uint256) = 4
REDUCE_ONLY: constant(uint256) = 8
REOPENING: constant(uint256) = 16

SESSION_CLOSED: constant(uint256) = 5
SESSION_ALWAYS_OPEN: constant(uint256) = 6

MID_MAX: constant(uint256) = 2**56 - 1
FULL_WIDTH: constant(uint256) = 10_000
# A mid has 8 decimals, money has 18.
MID_TO_WAD: constant(uint256) = 10**10


@internal
@pure
def _pack(word: Word) -> uint256:
    """
    @dev Fields must be in range; the adapter checks them where they enter.
    """
    return (
        word.mid
        | (word.time << 56)
        | (word.half_width << 88)
        | ((convert(word.slow, uint256) & 0xFFFF) << 104)
        | (word.session << 120)
        | (word.flags << 123)
        | (word.doubt << 128)
    )


@internal
@pure
def _unpack(packed: uint256) -> Word:
    slow: int256 = convert((packed >> 104) & 0xFFFF, int256)
    if slow > 32_767:
        slow -= 65_536
    return Word(
        mid=packed & MID_MAX,
        time=(packed >> 56) & 0xFFFFFFFF,
        half_width=(packed >> 88) & 0xFFFF,
        slow=slow,
        session=(packed >> 120) & 7,
        flags=(packed >> 123) & 31,
        doubt=(packed >> 128) & 0xFFFF,
    )
