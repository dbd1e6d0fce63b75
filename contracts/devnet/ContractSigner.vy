# pragma version 0.4.3
# pragma nonreentrancy off
"""
@title ContractSigner
@license AGPL-3.0-only
@author Prime Perps
@notice Stands in for smart-contract wallets: it signs with its owner's key (EIP-1271) and calls whatever its owner
        tells it to. Its owner can make it answer as a broken or hostile wallet would. Unlocked on purpose: it is asked
        about signatures while it calls.
        Left out: several owners, modules, upgrades.
"""
from snekmate.auth import ownable
from snekmate.utils import ecdsa

initializes: ownable


exports: ownable.owner


flag Answer:
    HONEST
    NO
    YES
    YES_AND_MORE
    DIRTY
    SHORT
    NOTHING
    REVERT
    BURN


MAGIC: constant(bytes4) = 0x1626BA7E
REFUSAL: constant(bytes4) = 0xFFFFFFFF
# Far more than any caller has room for.
FLOOD_SIZE: constant(uint256) = 8_192


answer: Answer


@deploy
def __init__():
    ownable.__init__()
    self.answer = Answer.HONEST


@external
@payable
def __default__():
    pass


@external
def call(target: address, payload: Bytes[4_096]) -> Bytes[1_024]:
    """
    @notice Owner only. Call `target` as this wallet; a failure is passed on.
    """
    ownable._check_owner()
    return raw_call(target, payload, max_outsize=1_024)


@external
def set_answer(answer: Answer):
    """
    @notice Owner only.
    """
    ownable._check_owner()
    self.answer = answer


@view
@external
@raw_return
def isValidSignature(digest: bytes32, signature: Bytes[512]) -> Bytes[FLOOD_SIZE]:
    """
    @return The magic value, padded to 32 bytes, for a signature of the owner's; else what the owner has chosen.
    """
    if self.answer == Answer.HONEST:
        return self._padded(MAGIC if self._is_owners(digest, signature) else REFUSAL)
    if self.answer == Answer.NO:
        return self._padded(REFUSAL)
    if self.answer == Answer.YES:
        return self._padded(MAGIC)
    if self.answer == Answer.YES_AND_MORE:
        return concat(self._padded(MAGIC), self._flood())
    if self.answer == Answer.DIRTY:
        return abi_encode(convert(MAGIC, uint256) << 224 | 1)
    if self.answer == Answer.SHORT:
        return slice(self._padded(MAGIC), 0, 4)
    if self.answer == Answer.REVERT:
        raw_revert(self._padded(MAGIC))
    # The one opcode that takes all the gas there is.
    assert self.answer != Answer.BURN, UNREACHABLE
    return b""


@view
@internal
def _is_owners(digest: bytes32, signature: Bytes[512]) -> bool:
    return len(signature) == 65 and ecdsa._recover_sig(digest, slice(signature, 0, 65)) == ownable.owner


@pure
@internal
def _padded(selector: bytes4) -> Bytes[32]:
    return abi_encode(selector)


@pure
@internal
def _flood() -> Bytes[FLOOD_SIZE - 32]:
    words: uint256[FLOOD_SIZE // 32 - 1] = empty(uint256[FLOOD_SIZE // 32 - 1])
    words[0] = max_value(uint256)
    return abi_encode(words)
