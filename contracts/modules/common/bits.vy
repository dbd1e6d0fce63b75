# pragma version 0.4.3
"""
@title bits
@license AGPL-3.0-only
@author Prime Perps
@notice Signed fields inside packed words, and the members of a bitmap.
"""


@internal
@pure
def _field(number: int256, width: uint256) -> uint256:
    """
    @notice Two's complement of `number` in `width` bits. The caller has checked that it fits.
    """
    return convert(convert(number, bytes32), uint256) & ((1 << width) - 1)


@internal
@pure
def _signed(word: uint256, offset: uint256, width: uint256) -> int256:
    """
    @notice The signed field of `width` bits that starts at bit `offset`.
    """
    spare: uint256 = unsafe_sub(256, width)
    return convert(convert(word << unsafe_sub(spare, offset), bytes32), int256) >> spare


@internal
@pure
def _members(bitmap: uint256) -> DynArray[uint256, 32]:
    """
    @notice Positions of the set bits, rising. The ledger admits at most 32.
    """
    found: DynArray[uint256, 32] = []
    rest: uint256 = bitmap
    position: uint256 = 0
    for i: uint256 in range(96):
        if rest & 1 == 1:
            found.append(position)
        elif rest & 255 == 0:
            if rest == 0:
                break
            # whole empty bytes are skipped, so sparse bitmaps cost little
            rest >>= 8
            position = unsafe_add(position, 8)
            continue
        rest >>= 1
        position = unsafe_add(position, 1)
    return found


@internal
@pure
def _count(bitmap: uint256) -> uint256:
    rest: uint256 = bitmap
    count: uint256 = 0
    for i: uint256 in range(256):
        if rest == 0:
            break
        rest &= unsafe_sub(rest, 1)
        count = unsafe_add(count, 1)
    return count
