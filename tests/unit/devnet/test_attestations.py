"""Whose signature under what a quote needs. Both calls ask the same, so each case is tried on both."""

from __future__ import annotations

from typing import Any

import pytest
from eth_account import Account
from eth_account.messages import encode_typed_data
from eth_utils import keccak

from prime_perps.chain import Contract
from prime_perps.errors import Revert
from prime_perps.issuer.quotes import QUOTE_TYPE, Quote, Side, sign, typed_data
from prime_perps.units import WAD
from tests.unit.devnet.conftest import PRICE, SIGNER_KEY, STRANGER, USER, Desk

CURVE_ORDER = 0xFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFEBAAEDCE6AF48A03BBFD25E8CD0364141
NOT_A_SIGNATURE = "issuer: bad signature"
NOT_THE_SIGNERS = "issuer: signer not allowed"

both_sides = pytest.mark.parametrize("side", list(Side), ids=lambda side: side.name.lower())


def sign_typed(data: dict[str, Any]) -> bytes:
    return bytes(Account.from_key(SIGNER_KEY).sign_message(encode_typed_data(full_message=data)).signature)


@both_sides
def test_signature__the_signers__is_taken(desk: Desk, side: Side) -> None:
    desk.act(desk.quote(side))
    assert desk.manager.executedAttestationIds(1)


@both_sides
def test_signature__over_fields_in_another_order__reverts(desk: Desk, side: Side) -> None:
    """A public integration hashes attestationId first and the side fourth."""
    quote = desk.quote(side)
    data = typed_data(quote, desk.manager.address)
    by_name = {entry["name"]: entry for entry in QUOTE_TYPE}
    order = ["attestationId", "chainId", "userId", "side", "asset", "price", "quantity", "expiration", "additionalData"]
    data["types"] = {"Quote": [by_name[name] for name in order]}
    with pytest.raises(Revert, match=NOT_THE_SIGNERS):
        desk.act(quote, sign_typed(data))


@both_sides
@pytest.mark.parametrize(
    ("field", "value"),
    [("name", "OndoGMTokenManagers"), ("version", "2"), ("chainId", 56)],
    ids=lambda value: str(value),
)
def test_signature__under_another_domain__reverts(desk: Desk, side: Side, field: str, value: str | int) -> None:
    quote = desk.quote(side)
    data = typed_data(quote, desk.manager.address)
    data["domain"][field] = value
    with pytest.raises(Revert, match=NOT_THE_SIGNERS):
        desk.act(quote, sign_typed(data))


@both_sides
def test_signature__for_another_contract__reverts(desk: Desk, side: Side) -> None:
    quote = desk.quote(side)
    with pytest.raises(Revert, match=NOT_THE_SIGNERS):
        desk.act(quote, sign(quote, SIGNER_KEY, desk.coin.address))


@both_sides
def test_signature__for_another_chain__reverts(desk: Desk, side: Side) -> None:
    with pytest.raises(Revert, match="issuer: wrong chain"):
        desk.act(desk.quote(side, chain_id=56))


@both_sides
def test_signature__by_another_key__reverts(desk: Desk, side: Side) -> None:
    quote = desk.quote(side)
    with pytest.raises(Revert, match=NOT_THE_SIGNERS):
        desk.act(quote, desk.sign(quote, key=keccak(text="attacker")))


@both_sides
@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("attestation_id", 2),
        ("price", PRICE - 1),
        ("quantity", 11 * WAD),
        ("expiration", 2**63),
        ("additional_data", bytes.fromhex("01" * 32)),
    ],
    ids=str,
)
def test_signature__of_a_quote_that_was_changed__reverts(desk: Desk, side: Side, field: str, value: Any) -> None:
    with pytest.raises(Revert, match=NOT_THE_SIGNERS):
        desk.act(desk.quote(side, **{field: value}), desk.sign(desk.quote(side)))


@both_sides
def test_signature__of_another_token__reverts(desk: Desk, side: Side) -> None:
    other = desk.quote(side, asset=desk.issuer.tokens[1].address)
    with pytest.raises(Revert, match=NOT_THE_SIGNERS):
        desk.act(other, desk.sign(desk.quote(side)))


@both_sides
def test_signature__its_malleable_twin__reverts(desk: Desk, side: Side) -> None:
    quote = desk.quote(side)
    signature = desk.sign(quote)
    s = CURVE_ORDER - int.from_bytes(signature[32:64])
    twin = signature[:32] + s.to_bytes(32) + bytes([55 - signature[64]])
    with pytest.raises(Revert, match=NOT_A_SIGNATURE):
        desk.act(quote, twin)


@both_sides
def test_signature__in_64_bytes__reverts(desk: Desk, side: Side) -> None:
    """EIP-2098 puts v into the highest bit of s."""
    quote = desk.quote(side)
    signature = desk.sign(quote)
    s = int.from_bytes(signature[32:64]) | (signature[64] - 27) << 255
    with pytest.raises(Revert, match=NOT_A_SIGNATURE):
        desk.act(quote, signature[:32] + s.to_bytes(32))


@both_sides
@pytest.mark.parametrize("spoil", [lambda s: b"", lambda s: s + b"\0", lambda s: s[:64] + bytes([s[64] - 27])])
def test_signature__of_another_form__reverts(desk: Desk, side: Side, spoil: Any) -> None:
    quote = desk.quote(side)
    with pytest.raises(Revert, match=NOT_A_SIGNATURE):
        desk.act(quote, spoil(desk.sign(quote)))


@both_sides
def test_expiration__that_very_second__is_in_time(desk: Desk, side: Side) -> None:
    desk.act(desk.quote(side, expiration=desk.backend.timestamp()))


@both_sides
def test_expiration__a_second_later__reverts(desk: Desk, side: Side) -> None:
    with pytest.raises(Revert, match="issuer: quote expired"):
        desk.act(desk.quote(side, expiration=desk.backend.timestamp() - 1))


@both_sides
def test_attestation__again__reverts_whatever_it_says_by_now(desk: Desk, side: Side) -> None:
    desk.act(desk.quote(side))
    for again in (desk.quote(side), desk.quote(side, quantity=20 * WAD), desk.quote(Side(1 - side))):
        with pytest.raises(Revert, match="issuer: attestation used"):
            desk.act(again)


@both_sides
def test_attestation__of_a_call_that_failed__is_not_spent(desk: Desk, side: Side) -> None:
    desk.stock.set_paused(True, sender=desk.operator)
    with pytest.raises(Revert, match="token: paused"):
        desk.act(desk.quote(side))
    desk.stock.set_paused(False, sender=desk.operator)
    desk.act(desk.quote(side))


@both_sides
def test_user__unknown__reverts(desk: Desk, side: Side, attacker: str) -> None:
    with pytest.raises(Revert, match="issuer: not registered"):
        desk.act(desk.quote(side), sender=attacker)


@both_sides
def test_user__other_than_quoted__reverts(desk: Desk, side: Side, attacker: str) -> None:
    desk.issuer.register(attacker, STRANGER, sender=desk.operator)
    with pytest.raises(Revert, match="issuer: other user"):
        desk.act(desk.quote(side), sender=attacker)


def test_user__another_address_of_the_same_id__may_use_the_quote(desk: Desk, receiver: str) -> None:
    desk.issuer.register(receiver, USER, sender=desk.operator)
    desk.usdon.mint(receiver, 1_800 * WAD, sender=desk.operator)
    desk.usdon.approve(desk.manager, 1_800 * WAD, sender=receiver)
    desk.mint(desk.quote(), sender=receiver)
    assert desk.balances(receiver) == (10 * WAD, 0, 0)


@pytest.mark.parametrize("side", [0, 1, 2, 255])
def test_side__other_than_the_calls__reverts(desk: Desk, side: int) -> None:
    quote = desk.quote(side)
    for other, call in ((Side.BUY, desk.mint), (Side.SELL, desk.redeem)):
        if side != other:
            with pytest.raises(Revert, match="issuer: wrong side"):
                call(quote)


@both_sides
def test_set_signer__false__ends_a_signers_word(desk: Desk, side: Side) -> None:
    signer = Account.from_key(SIGNER_KEY).address
    receipt = desk.manager.set_signer(signer, False, sender=desk.operator)
    assert list(desk.manager.events(receipt)) == [("SignerSet", {"signer": signer, "allowed": False})]
    assert not desk.manager.is_signer(signer)
    with pytest.raises(Revert, match=NOT_THE_SIGNERS):
        desk.act(desk.quote(side))


def test_set_signer__by_anybody_else__reverts(desk: Desk, attacker: str) -> None:
    with pytest.raises(Revert, match="ownable: caller is not the owner"):
        desk.manager.set_signer(attacker, True, sender=attacker)


def test_set_signer__nobody__lets_no_void_signature_through(desk: Desk) -> None:
    """A signature that recovers to nobody must not count as nobody's."""
    desk.manager.set_signer("0x" + "00" * 20, True, sender=desk.operator)
    with pytest.raises(Revert, match=NOT_A_SIGNATURE):
        desk.mint(desk.quote(), bytes(64) + b"\x1b")


def test_signature__of_a_contract__is_none(desk: Desk) -> None:
    """Only keys sign for the issuer: EIP-1271 is not asked."""
    wallet = Contract.deploy(desk.backend, "ContractSigner", sender=desk.operator)
    desk.manager.set_signer(wallet, True, sender=desk.operator)
    quote: Quote = desk.quote()
    with pytest.raises(Revert, match=NOT_THE_SIGNERS):
        desk.mint(quote, desk.sign(quote, key=keccak(text="owner of the wallet")))
