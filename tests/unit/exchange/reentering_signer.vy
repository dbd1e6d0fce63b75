# pragma version 0.4.3
"""
@title ReenteringSigner
@license AGPL-3.0-only
@author Prime Perps
@notice Owns an account, and calls somewhere when it is asked whether it has signed (EIP-1271).
"""

MAGIC: constant(bytes4) = 0x1626BA7E

target: address
payload: Bytes[8_192]
insist: bool


@external
def call(target: address, payload: Bytes[4_096]):
    raw_call(target, payload)


@external
def on_asked(target: address, payload: Bytes[8_192], insist: bool):
    """
    @param insist Sign only if the call succeeds.
    """
    self.target = target
    self.payload = payload
    self.insist = insist


@view
@external
def isValidSignature(digest: bytes32, signature: Bytes[512]) -> bytes32:
    success: bool = raw_call(self.target, self.payload, is_static_call=True, revert_on_failure=False)
    if self.insist and not success:
        return empty(bytes32)
    return convert(MAGIC, bytes32)
