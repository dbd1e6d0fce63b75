"""fill: whose signature counts. Keys, operators' keys, and contracts, honest or not."""

from __future__ import annotations

from dataclasses import replace

import pytest
from eth_account import Account
from eth_account.messages import encode_typed_data

from prime_perps import orders
from prime_perps.accounts import Permission, account_id
from prime_perps.errors import Revert
from prime_perps.orders import Order
from prime_perps.units import NANO
from tests.stage import account, address, key

from .conftest import CURVE_ORDER, Answer, Floor, Wallet, digest, resigned

ZERO = "0x" + "00" * 20


# keys


@pytest.mark.parametrize(
    "changed",
    [
        {"market": 1},
        {"size": -11 * NANO},
        {"price": 150 * 10**18 + 1},
        {"nonce": 9},
        {"expiry": 2**64},
        {"reduce_only": True},
        {"post_only": True},
        {"account": account("maker", 1)},
    ],
    ids=lambda changed: next(iter(changed)),
)
def test_fill__any_field_changed_after_signing__reverts(floor: Floor, changed: dict[str, int]) -> None:
    signed = floor.signed(nonce=8)
    with pytest.raises(Revert, match="orders: bad signature"):
        floor.fill(replace(signed, order=replace(signed.order, **changed)))


def test_CH_5_fill__another_owners_account_put_in__reverts(floor: Floor) -> None:
    signed = floor.signed("attacker")
    stolen = replace(signed, order=replace(signed.order, account=account("maker")))
    with pytest.raises(Revert, match="accounts: not authorized"):
        floor.fill(stolen)
    with pytest.raises(Revert, match="orders: bad signature"):
        floor.fill(replace(stolen, signer=address("maker")))


def _signed_elsewhere(order: Order, **domain: object) -> bytes:
    """The maker's signature under another domain."""
    message = orders.typed_data(order, 1, ZERO)
    message["domain"] |= domain
    return bytes(Account.from_key(key("maker")).sign_message(encode_typed_data(full_message=message)).signature)


@pytest.mark.parametrize(
    "domain",
    [
        {},
        {"chainId": 2},
        {"verifyingContract": ZERO},
        {"name": "Prime Perps Oracle"},
        {"version": "2"},
        {"salt": b"\x00" * 32},
    ],
    ids=lambda domain: next(iter(domain), "the right one"),
)
def test_fill__signed_for_another_domain__reverts(floor: Floor, domain: dict[str, object]) -> None:
    signed = floor.signed()
    right = {"verifyingContract": floor.exchange.address}
    forged = resigned(signed, _signed_elsewhere(signed.order, **(right | domain)))
    if not domain:
        floor.fill(forged)
        return
    with pytest.raises(Revert, match="orders: bad signature"):
        floor.fill(forged)


def test_fill__signed_for_the_clearinghouse__reverts(floor: Floor) -> None:
    signed = floor.signed()
    forged = resigned(signed, _signed_elsewhere(signed.order, verifyingContract=floor.book.address))
    with pytest.raises(Revert, match="orders: bad signature"):
        floor.fill(forged)


def test_fill__chain_forked_off_with_another_id__reverts(floor: Floor) -> None:
    """An order signed for this chain is not an order on that one."""
    order = floor.order()
    elsewhere = orders.sign(order, key("maker"), floor.stage.backend.chain_id() + 1, floor.exchange.address)
    with pytest.raises(Revert, match="orders: bad signature"):
        floor.fill(elsewhere)


def test_fill__high_s__reverts(floor: Floor) -> None:
    """The twin of every signature; the order would be the same, but nothing should have two forms."""
    signed = floor.signed()
    r, s, v = signed.signature[:32], int.from_bytes(signed.signature[32:64]), signed.signature[64]
    twin = r + (CURVE_ORDER - s).to_bytes(32) + bytes([55 - v])
    with pytest.raises(Revert, match="orders: bad signature"):
        floor.fill(resigned(signed, twin))
    floor.fill(signed)


def test_fill__compact_64_bytes__reverts(floor: Floor) -> None:
    signed = floor.signed()
    s, v = int.from_bytes(signed.signature[32:64]), signed.signature[64]
    compact = signed.signature[:32] + (s | (v - 27) << 255).to_bytes(32)
    with pytest.raises(Revert, match="orders: bad signature"):
        floor.fill(resigned(signed, compact))


def _cases(good: bytes) -> dict[str, bytes]:
    r, s, v = good[:32], good[32:64], good[64]
    return {
        "nothing": b"",
        "64 bytes": good[:64],
        "66 bytes": good + b"\x00",
        "zeros": bytes(65),
        "v from zero": r + s + bytes([v - 27]),
        "the other v": r + s + bytes([55 - v]),
        "v of 255": r + s + b"\xff",
        "r of zero": bytes(32) + s + bytes([v]),
        "s of zero": r + bytes(32) + bytes([v]),
        "r over the curve": CURVE_ORDER.to_bytes(32) + s + bytes([v]),
        "a bit flipped": bytes([good[0] ^ 1]) + good[1:],
        "as long as can be": good * 7,
    }


@pytest.mark.parametrize("case", _cases(bytes(64) + b"\x1b"))
def test_fill__signature_that_is_none__reverts(floor: Floor, case: str) -> None:
    signed = floor.signed()
    with pytest.raises(Revert, match="orders: bad signature"):
        floor.fill(resigned(signed, _cases(signed.signature)[case]))


def test_fill__signature_longer_than_can_be__reverts(floor: Floor) -> None:
    signed = floor.signed()
    with pytest.raises(Revert):
        floor.fill(resigned(signed, bytes(513)))


def test_fill__signature_of_another_order__reverts(floor: Floor) -> None:
    with pytest.raises(Revert, match="orders: bad signature"):
        floor.fill(resigned(floor.signed(), floor.signed().signature))


@pytest.mark.parametrize("number", range(11))
@pytest.mark.parametrize("signature", [b"", bytes(65)], ids=["nothing", "zeros"])
def test_CH_5_fill__account_of_nobody_or_of_a_precompile__is_nobodys(
    floor: Floor, number: int, signature: bytes
) -> None:
    """Where recovering a void signature would give the owner, or where a call always succeeds."""
    owner = f"0x{number:040x}"
    order = floor.order(account=account_id(owner))
    with pytest.raises(Revert, match="orders: bad signature"):
        floor.fill(orders.SignedOrder(order, owner, signature))


# operators


def test_fill__signed_by_an_operator_who_may_trade__is_booked(floor: Floor) -> None:
    floor.allow("maker", "operator", Permission.TRADE)
    floor.fill(floor.by("operator", floor.order()))
    assert floor.size("maker") == -10 * NANO


@pytest.mark.parametrize("permissions", [0, Permission.DEPOSIT | Permission.WITHDRAW | Permission.LIQUIDATE])
def test_CH_5_fill__signed_by_anybody_else__reverts(floor: Floor, permissions: int) -> None:
    floor.allow("maker", "attacker", permissions)
    with pytest.raises(Revert, match="accounts: not authorized"):
        floor.fill(floor.by("attacker", floor.order()))


def test_CH_5_fill__operator_removed_or_expired_since__ends_its_orders(floor: Floor) -> None:
    floor.allow("maker", "operator", Permission.TRADE, expiry=floor.stage.now() + 10)
    signed = floor.by("operator", floor.order())
    floor.fill(signed, "1")
    with floor.stage.undone():
        floor.allow("maker", "operator", 0)
        with pytest.raises(Revert, match="accounts: not authorized"):
            floor.fill(signed, "1")
    floor.stage.warp(11)
    with pytest.raises(Revert, match="accounts: not authorized"):
        floor.fill(signed, "1")


def test_fill__begun_by_the_owner__is_finished_under_an_operators_signature(floor: Floor) -> None:
    """An order is what it says, not who signed it."""
    floor.allow("maker", "operator", Permission.TRADE)
    order = floor.order()
    floor.fill(floor.by("maker", order), "4")
    floor.fill(floor.by("operator", order), "6")
    assert floor.exchange.filled(order) == 10 * NANO


# contracts


def test_fill__wallet_signs_honestly__is_booked(floor: Floor, wallet: Wallet) -> None:
    floor.fill(wallet.signed())
    assert floor.book.position(wallet.account, 0).size == -10 * NANO


def test_fill__wallet_does_not_know_the_signature__reverts(floor: Floor, wallet: Wallet) -> None:
    with pytest.raises(Revert, match="orders: bad signature"):
        floor.fill(wallet.signed("attacker"))


@pytest.mark.parametrize("answer", [Answer.YES, Answer.YES_AND_MORE])
@pytest.mark.parametrize("signature", [b"", b"any", bytes(65), bytes(512)], ids=len)
def test_fill__wallet_says_yes__needs_no_signature_of_ours(
    floor: Floor, wallet: Wallet, answer: Answer, signature: bytes
) -> None:
    wallet.answer(answer)
    floor.fill(resigned(wallet.signed(), signature))
    assert floor.size() == 10 * NANO


@pytest.mark.parametrize(
    "answer", [Answer.NO, Answer.DIRTY, Answer.SHORT, Answer.NOTHING, Answer.REVERT, Answer.BURN], ids=lambda a: a.name
)
def test_fill__wallet_answers_anything_else__reverts(floor: Floor, wallet: Wallet, answer: Answer) -> None:
    """Also when it reverts with the magic value, or takes all gas it gets."""
    wallet.answer(answer)
    with pytest.raises(Revert, match="orders: bad signature"):
        floor.fill(wallet.signed())


def test_fill__wallet_changes_its_mind__ends_what_is_left(floor: Floor, wallet: Wallet) -> None:
    signed = wallet.signed()
    floor.fill(signed, "4")
    wallet.answer(Answer.NO)
    with pytest.raises(Revert, match="orders: bad signature"):
        floor.fill(signed, "1")
    assert floor.filled(signed) == 4 * NANO


def test_CH_5_fill__key_of_a_wallets_owner__is_not_the_wallets(floor: Floor, wallet: Wallet) -> None:
    order = wallet.signed().order
    with pytest.raises(Revert, match="accounts: not authorized"):
        floor.fill(floor.by(wallet.owner, order))


def test_CH_5_fill__wallet_that_says_yes__does_not_sign_for_others(floor: Floor, wallet: Wallet) -> None:
    wallet.answer(Answer.YES)
    with pytest.raises(Revert, match="accounts: not authorized"):
        floor.fill(replace(floor.signed(), signer=wallet.contract.address))


def test_fill__wallet_is_an_operator__signs_for_the_account(floor: Floor, wallet: Wallet) -> None:
    floor.allow("maker", wallet.contract.address, Permission.TRADE)
    floor.fill(replace(floor.by(wallet.owner, floor.order()), signer=wallet.contract.address))
    assert floor.size("maker") == -10 * NANO


def test_fill__contract_without_an_answer__reverts(floor: Floor) -> None:
    """The clearinghouse owns accounts, insurance among them, and signs nothing."""
    signed = floor.signed(account=floor.book.insurance_account())
    with pytest.raises(Revert, match="orders: bad signature"):
        floor.fill(replace(signed, signer=floor.book.address))


def test_fill__by_a_wallet__is_asked_about_nothing(floor: Floor, wallet: Wallet) -> None:
    signed = floor.signed()
    wallet.call(floor.exchange, floor.exchange.fill.encode(signed, wallet.account, 10 * NANO, 2**255))
    assert floor.book.position(wallet.account, 0).size == 10 * NANO
    assert floor.filled(signed) == 10 * NANO
    assert digest(floor, signed.order) == floor.exchange.order_hash(signed.order)
