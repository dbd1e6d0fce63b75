"""Minting against a quote: what is taken and given, in which coin, and the order in which the issuer refuses."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from eth_utils import keccak

from prime_perps.chain import Contract
from prime_perps.errors import Revert
from prime_perps.issuer.quotes import Side, notional
from prime_perps.units import WAD
from tests.unit.devnet.conftest import COIN, PRICE, STRANGER, USER, Desk

ZERO = "0x" + "00" * 20
COST = 1_800 * WAD  # of the quote
MILLION = 1_000_000


def test_mint__with_the_issuers_dollar__takes_the_notional_and_gives_the_quantity(desk: Desk) -> None:
    before = desk.usdon.totalSupply()
    quote = desk.quote()
    receipt = desk.mint(quote)
    assert desk.balances() == (1_010 * WAD, MILLION * WAD - COST, MILLION * COIN)
    assert desk.usdon.totalSupply() == before - COST
    assert list(desk.manager.events(receipt)) == [
        (
            "TradeExecuted",
            {
                "executionId": 1,
                "attestationId": quote.attestation_id,
                "chainId": quote.chain_id,
                "userId": USER,
                "side": Side.BUY,
                "asset": quote.asset,
                "price": PRICE,
                "quantity": 10 * WAD,
                "expiration": quote.expiration,
                "additionalData": bytes(32),
            },
        )
    ]


def test_mint__answer__is_the_quantity(desk: Desk) -> None:
    quote = desk.quote()
    call = desk.manager.mintWithAttestation.call
    assert call(quote, desk.sign(quote), desk.usdon, 0, sender=desk.holder) == quote.quantity


@pytest.mark.parametrize("amount", [0, 1, 2**256 - 1])
def test_mint__with_the_issuers_dollar__does_not_look_at_the_amount(desk: Desk, amount: int) -> None:
    desk.mint(desk.quote(), amount=amount)
    assert desk.balances() == (1_010 * WAD, MILLION * WAD - COST, MILLION * COIN)


def test_mint__a_price_with_a_remainder__rounds_the_notional_down(desk: Desk) -> None:
    quote = desk.quote(price=PRICE + 1, quantity=10 * WAD + 1)
    desk.mint(quote)
    assert notional(quote) == COST + 190
    assert desk.balances() == (1_010 * WAD + 1, MILLION * WAD - COST - 190, MILLION * COIN)


def test_mint__with_coin_to_the_unit__refunds_nothing(desk: Desk) -> None:
    desk.mint(desk.quote(), token=desk.coin, amount=1_800 * COIN)
    assert desk.balances() == (1_010 * WAD, MILLION * WAD, MILLION * COIN - 1_800 * COIN)


def test_mint__with_too_much_coin__takes_all_of_it_and_refunds_in_the_issuers_dollar(desk: Desk) -> None:
    desk.mint(desk.quote(), token=desk.coin, amount=2_000 * COIN)
    assert desk.balances() == (1_010 * WAD, MILLION * WAD + 200 * WAD, MILLION * COIN - 2_000 * COIN)
    assert desk.balances(desk.manager.address) == (0, 0, 0)


def test_mint__with_coin_for_a_price_between_units__refunds_the_rest_of_a_unit(desk: Desk) -> None:
    quote = desk.quote(price=PRICE + 10**11, quantity=WAD)
    desk.mint(quote, token=desk.coin, amount=180 * COIN + 1)
    assert desk.usdon.balanceOf(desk.holder) == MILLION * WAD + 10**12 - 10**11


def test_mint__with_a_unit_of_coin_too_little__reverts(desk: Desk) -> None:
    with pytest.raises(Revert, match="issuer: below minimum"):
        desk.mint(desk.quote(), token=desk.coin, amount=1_800 * COIN - 1)


def test_mint__with_coin_when_the_swapper_is_empty__reverts_and_takes_nothing(desk: Desk) -> None:
    desk.issuer.swapper.withdraw(desk.usdon, desk.operator, MILLION * WAD - COST + 1, sender=desk.operator)
    with pytest.raises(Revert, match="issuer: swapper empty"):
        desk.mint(desk.quote(), token=desk.coin, amount=1_800 * COIN)
    assert desk.balances() == (1_000 * WAD, MILLION * WAD, MILLION * COIN)
    desk.mint(desk.quote())


def test_mint__with_coin_and_no_swapper__reverts(desk: Desk) -> None:
    receipt = desk.manager.set_swapper(ZERO, sender=desk.operator)
    assert list(desk.manager.events(receipt)) == [("SwapperSet", {"swapper": ZERO})]
    with pytest.raises(Revert, match="issuer: no swapper"):
        desk.mint(desk.quote(), token=desk.coin, amount=1_800 * COIN)
    desk.mint(desk.quote())


def test_mint__with_a_coin_the_swapper_does_not_take__reverts(desk: Desk) -> None:
    other = Contract.deploy(desk.backend, "Stablecoin", sender=desk.operator)
    other.mint(desk.holder, 2_000 * COIN, sender=desk.operator)
    other.approve(desk.manager, 2_000 * COIN, sender=desk.holder)
    with pytest.raises(Revert, match="issuer: coin not accepted"):
        desk.mint(desk.quote(), token=other, amount=2_000 * COIN)


@pytest.mark.parametrize("party", ["holder", "manager"])
@pytest.mark.parametrize("coin", ["usdon", "coin"])
def test_mint__a_blocked_party__reverts(desk: Desk, party: str, coin: str) -> None:
    blocked = {"holder": desk.holder, "manager": desk.manager.address}[party]
    desk.issuer.compliance.set_blocked(blocked, True, sender=desk.operator)
    with pytest.raises(Revert, match="compliance: blocked"):
        desk.mint(desk.quote(), token=getattr(desk, coin), amount=1_800 * COIN)


def test_mint__a_paused_token__reverts(desk: Desk) -> None:
    desk.stock.set_paused(True, sender=desk.operator)
    with pytest.raises(Revert, match="token: paused"):
        desk.mint(desk.quote())


def test_mint__the_issuers_dollar_paused__reverts_for_any_coin(desk: Desk) -> None:
    desk.usdon.set_paused(True, sender=desk.operator)
    for coin in (desk.usdon, desk.coin):
        with pytest.raises(Revert, match="token: paused"):
            desk.mint(desk.quote(), token=coin, amount=1_800 * COIN)


def test_mint__at_the_minimum__is_enough_and_a_wei_less_is_not(desk: Desk) -> None:
    receipt = desk.manager.set_minimum(Side.BUY, COST, sender=desk.operator)
    assert list(desk.manager.events(receipt)) == [("MinimumSet", {"side": Side.BUY, "minimum": COST})]
    with pytest.raises(Revert, match="issuer: too small"):
        desk.mint(desk.quote(price=PRICE - 1))
    desk.mint(desk.quote())
    assert (desk.manager.minimumDepositUSD(), desk.manager.minimumRedemptionUSD()) == (COST, WAD)


def test_mint__paused_for_all_or_for_the_token__reverts_and_redemptions_go_on(desk: Desk) -> None:
    other = desk.issuer.tokens[1].address
    desk.manager.set_token_paused(desk.stock, Side.BUY, True, sender=desk.operator)
    assert (desk.manager.gmTokenMintingPaused(desk.stock), desk.manager.globalMintingPaused()) == (True, False)
    with pytest.raises(Revert, match="issuer: mints paused"):
        desk.mint(desk.quote())
    desk.mint(desk.quote(asset=other, attestation_id=2))
    desk.manager.set_token_paused(desk.stock, Side.BUY, False, sender=desk.operator)
    desk.manager.set_paused(Side.BUY, True, sender=desk.operator)
    assert desk.manager.globalMintingPaused()
    for token in (desk.stock.address, other):
        with pytest.raises(Revert, match="issuer: mints paused"):
            desk.mint(desk.quote(asset=token, attestation_id=3))
    desk.redeem(desk.quote(Side.SELL))


def test_mint__everything_wrong__is_told_in_the_issuers_order(desk: Desk) -> None:
    """One fault after another is put right; each time the next in the issuer's order is told."""
    issuer, operator, manager = desk.issuer, desk.operator, desk.manager
    desk.mint(desk.quote(attestation_id=9))
    manager.set_paused(Side.BUY, True, sender=operator)
    manager.set_token_paused(desk.stock, Side.BUY, True, sender=operator)
    issuer.registry.remove(manager.gmIdentifier(), desk.holder, sender=operator)
    manager.set_accepted(desk.stock, False, sender=operator)
    manager.set_minimum(Side.BUY, 2 * COST, sender=operator)
    issuer.limits.set_global_limit(Side.BUY, desk.stock, 0, 86_400, sender=operator)
    desk.usdon.approve(manager, 0, sender=desk.holder)
    desk.at("2026-01-03 12:00:00")  # a Saturday
    quoted: dict[str, Any] = {
        "side": Side.SELL,
        "attestation_id": 9,
        "expiration": desk.backend.timestamp() - 1,
        "chain_id": 56,
    }
    how: dict[str, Any] = {"token": ZERO, "signature": b""}

    def registered_as(user_id: bytes) -> Callable[[], object]:
        return lambda: issuer.registry.register(manager.gmIdentifier(), desk.holder, user_id, sender=operator)

    steps: list[tuple[str, Callable[[], object]]] = [
        ("issuer: mints paused", lambda: manager.set_paused(Side.BUY, False, sender=operator)),
        ("issuer: mints paused", lambda: manager.set_token_paused(desk.stock, Side.BUY, False, sender=operator)),
        ("issuer: zero token", lambda: how.pop("token")),
        ("issuer: wrong side", lambda: quoted.pop("side")),
        ("issuer: not registered", registered_as(STRANGER)),
        ("issuer: attestation used", lambda: quoted.pop("attestation_id")),
        ("issuer: quote expired", lambda: quoted.update(expiration=2**40)),
        ("issuer: other user", registered_as(USER)),
        ("issuer: closed", lambda: desk.at("2026-01-05 12:00:00")),
        ("issuer: stale price", lambda: desk.post(PRICE // 2)),
        ("issuer: price out of band", desk.post),
        ("issuer: asset not accepted", lambda: manager.set_accepted(desk.stock, True, sender=operator)),
        ("issuer: wrong chain", lambda: quoted.pop("chain_id")),
        ("issuer: bad signature", lambda: how.update(signature=desk.sign(desk.quote(), keccak(text="attacker")))),
        ("issuer: signer not allowed", lambda: how.pop("signature")),
        ("issuer: too small", lambda: manager.set_minimum(Side.BUY, COST, sender=operator)),
        (
            "issuer: limit exceeded",
            lambda: issuer.limits.set_global_limit(Side.BUY, desk.stock, COST, 86_400, sender=operator),
        ),
        ("erc20: insufficient allowance", lambda: desk.usdon.approve(manager, COST, sender=desk.holder)),
    ]
    for reason, put_right in steps:
        with pytest.raises(Revert, match=reason):
            desk.mint(desk.quote(**quoted), **how)
        put_right()
    desk.mint(desk.quote(**quoted), **how)
    assert desk.manager.executionId() == 2


def test_administration__by_anybody_else__reverts(desk: Desk, attacker: str) -> None:
    for refused in (
        lambda: desk.manager.set_accepted(desk.coin, True, sender=attacker),
        lambda: desk.manager.set_minimum(Side.BUY, 0, sender=attacker),
        lambda: desk.manager.set_paused(Side.BUY, True, sender=attacker),
        lambda: desk.manager.set_token_paused(desk.stock, Side.SELL, True, sender=attacker),
        lambda: desk.manager.set_swapper(attacker, sender=attacker),
    ):
        with pytest.raises(Revert, match="ownable: caller is not the owner"):
            refused()


def test_administration__everything_the_owner_sets__says_so(desk: Desk) -> None:
    manager, stock = desk.manager, desk.stock
    paused = {"side": Side.SELL, "paused": True}
    assert list(manager.events(manager.set_paused(Side.SELL, True, sender=desk.operator))) == [
        ("GlobalPauseSet", paused)
    ]
    receipt = manager.set_token_paused(stock, Side.SELL, True, sender=desk.operator)
    assert list(manager.events(receipt)) == [("TokenPauseSet", {"token": stock.address} | paused)]
    receipt = manager.set_accepted(stock, False, sender=desk.operator)
    assert list(manager.events(receipt)) == [("TokenAcceptedSet", {"token": stock.address, "accepted": False})]
