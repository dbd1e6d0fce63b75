"""What an issuer signs, to the byte: type hash, domain, selectors, digest, and one signature that never changes."""

from __future__ import annotations

from eth_abi import encode
from eth_account import Account
from eth_utils import keccak

from prime_perps.issuer.quotes import Quote, Side, digest, notional, sign
from prime_perps.units import WAD
from tests.unit.devnet.conftest import Desk

# Of the issuer's own contract.
TYPEHASH = bytes.fromhex("aa6d9093095fdf69cb4e18b3e4053e238ec6e2d5a083964634b640da3b8f44a4")
DOMAIN_TYPEHASH = keccak(text="EIP712Domain(string name,string version,uint256 chainId,address verifyingContract)")
MINT_SELECTOR = bytes.fromhex("445df08b")
REDEEM_SELECTOR = bytes.fromhex("6eefea49")

MANAGER = "0x2c158BC456e027b2AfFCCadF1BDBD9f5fC4c5C8c"
KEY = bytes.fromhex("46" * 32)
QUOTE = Quote(
    chain_id=1,
    attestation_id=340_282_366_920_938_463_463_374_607_431_768_211_457,
    user_id=bytes.fromhex("11" * 32),
    asset="0x2D1F7226Bd1F780AF6B9A49DCC0aE00E8Df4bDEE",
    price=182_340_000_000_000_000_000,
    quantity=2_500_000_000_000_000_001,
    expiration=1_790_000_000,
    side=Side.SELL,
    additional_data=bytes.fromhex("22" * 32),
)
DIGEST = "dadb002675d5cbbd732d008e370bce8def76cef58c8c8f411798d1141be07294"
SIGNATURE = (
    "1c882981205f78daa03efbebc5980050581f57a157aed473c7161607ce306ee2"
    "564f0b93ea3baecb8a77c311e82708d4d533a18ef1e0c3741a2a2482ca9655ec"
    "1b"
)


def by_hand(quote: Quote, manager: str) -> bytes:
    """The digest as EIP-712 defines it, from the type hash alone."""
    domain = encode(
        ["bytes32", "bytes32", "bytes32", "uint256", "address"],
        [DOMAIN_TYPEHASH, keccak(text="OndoGMTokenManager"), keccak(text="1"), quote.chain_id, manager],
    )
    kinds = ["uint256", "uint256", "bytes32", "address", "uint256", "uint256", "uint256", "uint8", "bytes32"]
    values = [getattr(quote, name) for name in Quote.__dataclass_fields__]
    struct = encode(["bytes32", *kinds], [TYPEHASH, *values])
    return keccak(b"\x19\x01" + keccak(domain) + keccak(struct))


def test_digest__any_quote__is_that_of_the_type_hash() -> None:
    assert digest(QUOTE, MANAGER) == by_hand(QUOTE, MANAGER)


def test_digest__fixed_quote__never_changes() -> None:
    assert digest(QUOTE, MANAGER).hex() == DIGEST


def test_sign__fixed_quote_and_key__is_the_same_to_the_byte() -> None:
    assert sign(QUOTE, KEY, MANAGER).hex() == SIGNATURE


def test_sign__any_quote__is_65_bytes_of_the_signer() -> None:
    signature = sign(QUOTE, KEY, MANAGER)
    assert len(signature) == 65
    assert Account._recover_hash(digest(QUOTE, MANAGER), signature=signature) == Account.from_key(KEY).address


def test_hash_quote__on_chain__equals_python(desk: Desk) -> None:
    for side in Side:
        quote = desk.quote(side, additional_data=bytes.fromhex("ab" * 32))
        assert desk.manager.hash_quote(quote) == digest(quote, desk.manager.address)


def test_domain__on_chain__is_the_issuers(desk: Desk) -> None:
    _, name, version, chain_id, contract, _, _ = desk.manager.eip712Domain()
    assert (name, version, chain_id, contract) == ("OndoGMTokenManager", "1", 1, desk.manager.address)
    domain = [DOMAIN_TYPEHASH, keccak(text=name), keccak(text=version), chain_id, contract]
    assert desk.manager.getDomainSeparator() == keccak(
        encode(["bytes32", "bytes32", "bytes32", "uint256", "address"], domain)
    )


def test_selectors__of_both_calls__are_the_issuers(desk: Desk) -> None:
    quote = desk.quote()
    assert desk.manager.mintWithAttestation.encode(quote, b"", desk.coin, 0)[:4] == MINT_SELECTOR
    assert desk.manager.redeemWithAttestation.encode(quote, b"", desk.coin, 0)[:4] == REDEEM_SELECTOR


def test_notional__a_remainder__is_dropped() -> None:
    assert QUOTE.quantity * QUOTE.price % WAD != 0
    assert notional(QUOTE) == 455_850_000_000_000_000_182
