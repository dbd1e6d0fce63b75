# pragma version 0.4.3
"""
@title attestations
@license AGPL-3.0-only
@author Prime Perps
@notice What the issuer signs: the typed data of a quote, who may sign it, and which quotes are spent.
"""
from contracts.interfaces import ITokenManager
from snekmate.utils import eip712_domain_separator

uses: eip712_domain_separator


event SignerSet:
    signer: indexed(address)
    allowed: bool


QUOTE_TYPEHASH: constant(bytes32) = keccak256(
    "Quote(uint256 chainId,uint256 attestationId,bytes32 userId,address asset,uint256 price,uint256 quantity,"
    "uint256 expiration,uint8 side,bytes32 additionalData)"
)
# Above this a signature has a twin (EIP-2).
S_MAX: constant(uint256) = 57896044618658097711785492504343953926418782139537452191302581570759080747168


is_signer: public(HashMap[address, bool])
executedAttestationIds: public(HashMap[uint256, bool])


@internal
def _set_signer(signer: address, allowed: bool):
    self.is_signer[signer] = allowed
    log SignerSet(signer=signer, allowed=allowed)


@internal
def _spend(attestation_id: uint256):
    self.executedAttestationIds[attestation_id] = True


@internal
@view
def _hash(quote: ITokenManager.Quote) -> bytes32:
    return eip712_domain_separator._hash_typed_data_v4(keccak256(abi_encode(QUOTE_TYPEHASH, quote)))


@internal
@view
def _check_unspent(attestation_id: uint256):
    assert not self.executedAttestationIds[attestation_id], "issuer: attestation used"


@internal
@view
def _check_signed(quote: ITokenManager.Quote, signature: Bytes[512]):
    """
    @dev Key holders only, 65 bytes, low s: a signature that is no such thing is told from one of a stranger's.
    """
    signer: address = empty(address)
    if len(signature) == 65:
        r: uint256 = extract32(signature, 0, output_type=uint256)
        s: uint256 = extract32(signature, 32, output_type=uint256)
        v: uint256 = convert(slice(signature, 64, 1), uint256)
        if s <= S_MAX:
            signer = ecrecover(self._hash(quote), v, r, s)
    assert signer != empty(address), "issuer: bad signature"
    assert self.is_signer[signer], "issuer: signer not allowed"
