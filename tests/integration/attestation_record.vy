# pragma version 0.4.3
"""
@title attestation_record
@license AGPL-3.0-only
@author Prime Perps
@notice What a broker sees of a token manager: which attestations were used. It takes anybody's word for them.
"""

interface StockToken:
    def mint(to: address, amount: uint256): nonpayable


executedAttestationIds: public(HashMap[uint256, bool])


@external
def mint(attestation_id: uint256, token: address, to: address, amount: uint256):
    self.executedAttestationIds[attestation_id] = True
    extcall StockToken(token).mint(to, amount)
