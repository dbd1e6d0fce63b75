# pragma version 0.4.3
"""
@title report_signatures
@license AGPL-3.0-only
@author Prime Perps
@notice Who may sign reports, how many must, and whether they did. Every field of a report is signed, with the chain and
        the contract it is meant for.
"""
from contracts.interfaces import IOracleAdapter
from snekmate.utils import ecdsa
from snekmate.utils import eip712_domain_separator

uses: eip712_domain_separator


REPORT_TYPEHASH: constant(bytes32) = keccak256(
    "Report(uint256 underlying,uint256 price,uint256 confidence,uint256 status,uint256 observed_at,uint256 multiplier)"
)
THRESHOLD_MAX: constant(uint256) = 8
SIGNATURE_SIZE: constant(uint256) = 65

is_signer: public(HashMap[address, bool])
threshold: public(uint256)


@internal
def _set_signer(signer: address, allowed: bool):
    assert signer != empty(address), "oracle: bad signer"
    self.is_signer[signer] = allowed
    log IOracleAdapter.SignerSet(signer=signer, allowed=allowed)


@internal
def _set_threshold(threshold: uint256):
    assert 0 < threshold and threshold <= THRESHOLD_MAX, "oracle: bad threshold"
    self.threshold = threshold
    log IOracleAdapter.ThresholdSet(threshold=threshold)


@internal
@view
def _check_signatures(signed: IOracleAdapter.SignedReport):
    """
    @dev Rising order makes signers distinct. Every signature must be good, also those beyond the threshold: a report
         that carries anything else was put together wrongly.
         A signature that is no point of the curve, or has a high s, reverts in the library with a reason of its own.
    """
    assert len(signed.signatures) >= self.threshold, "oracle: too few signers"
    digest: bytes32 = self._report_hash(signed.report)
    previous: uint256 = 0
    for signature: Bytes[SIGNATURE_SIZE] in signed.signatures:
        signer: address = empty(address)
        # The library also takes the 64-byte form, which signers here never produce.
        if len(signature) == SIGNATURE_SIZE:
            signer = ecdsa._recover_sig(digest, signature)
        assert self.is_signer[signer], "oracle: bad signature"
        assert convert(signer, uint256) > previous, "oracle: signers out of order"
        previous = convert(signer, uint256)


@internal
@view
def _report_hash(report: IOracleAdapter.Report) -> bytes32:
    return eip712_domain_separator._hash_typed_data_v4(keccak256(abi_encode(REPORT_TYPEHASH, report)))
