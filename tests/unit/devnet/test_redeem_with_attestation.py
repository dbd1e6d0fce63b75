"""Redeeming against a quote: what is taken and given, in which coin, and the order in which the issuer refuses."""

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
WORTH = 1_800 * WAD  # of the quote
MILLION = 1_000_000


def test_redeem__for_the_issuers_dollar__burns_the_quantity_and_pays_the_notional(desk: Desk) -> None:
    stocks, dollars = desk.stock.totalSupply(), desk.usdon.totalSupply()
    receipt = desk.redeem(desk.quote(Side.SELL))
    assert desk.balances() == (990 * WAD, MILLION * WAD + WORTH, MILLION * COIN)
    assert (desk.stock.totalSupply(), desk.usdon.totalSupply()) == (stocks - 10 * WAD, dollars + WORTH)
    ((name, fields),) = desk.manager.events(receipt)
    assert (name, fields["executionId"], fields["side"], fields["quantity"]) == (
        "TradeExecuted",
        1,
        Side.SELL,
        10 * WAD,
    )


def test_redeem__for_coin__pays_the_coin(desk: Desk) -> None:
    desk.redeem(desk.quote(Side.SELL), token=desk.coin, minimum=1_800 * COIN)
    assert desk.balances() == (990 * WAD, MILLION * WAD, MILLION * COIN + 1_800 * COIN)
    assert desk.balances(desk.manager.address) == (0, 0, 0)


@pytest.mark.parametrize("coin", ["usdon", "coin"])
def test_redeem__answer__is_the_notional_whatever_is_paid(desk: Desk, coin: str) -> None:
    quote = desk.quote(Side.SELL, price=PRICE + 10**11, quantity=WAD)
    call = desk.manager.redeemWithAttestation.call
    answer = call(quote, desk.sign(quote), getattr(desk, coin), 0, sender=desk.holder)
    assert answer == notional(quote) == 180 * WAD + 10**11


def test_redeem__for_coin_a_price_between_units__pays_whole_units(desk: Desk) -> None:
    desk.redeem(desk.quote(Side.SELL, price=PRICE + 10**12 - 1, quantity=WAD), token=desk.coin)
    assert desk.balances() == (999 * WAD, MILLION * WAD, MILLION * COIN + 180 * COIN)


def test_redeem__for_the_issuers_dollar__does_not_look_at_the_minimum(desk: Desk) -> None:
    desk.redeem(desk.quote(Side.SELL), minimum=2**256 - 1)
    assert desk.usdon.balanceOf(desk.holder) == MILLION * WAD + WORTH


def test_redeem__for_less_coin_than_the_minimum__reverts(desk: Desk) -> None:
    with pytest.raises(Revert, match="issuer: below minimum"):
        desk.redeem(desk.quote(Side.SELL), token=desk.coin, minimum=1_800 * COIN + 1)


def test_redeem__for_coin_when_the_swapper_is_empty__reverts_and_takes_nothing(desk: Desk) -> None:
    desk.issuer.swapper.withdraw(desk.coin, desk.operator, (MILLION - 1_800) * COIN + 1, sender=desk.operator)
    with pytest.raises(Revert, match="issuer: swapper empty"):
        desk.redeem(desk.quote(Side.SELL), token=desk.coin)
    assert desk.balances() == (1_000 * WAD, MILLION * WAD, MILLION * COIN)
    desk.redeem(desk.quote(Side.SELL))


def test_redeem__for_coin_and_no_swapper__reverts(desk: Desk) -> None:
    desk.manager.set_swapper(ZERO, sender=desk.operator)
    with pytest.raises(Revert, match="issuer: no swapper"):
        desk.redeem(desk.quote(Side.SELL), token=desk.coin)


def test_redeem__for_a_coin_the_swapper_does_not_give__reverts(desk: Desk) -> None:
    other = Contract.deploy(desk.backend, "Stablecoin", sender=desk.operator)
    with pytest.raises(Revert, match="issuer: coin not accepted"):
        desk.redeem(desk.quote(Side.SELL), token=other)


def test_redeem__a_price_with_a_remainder__rounds_the_notional_down(desk: Desk) -> None:
    quote = desk.quote(Side.SELL, price=PRICE + 1, quantity=10 * WAD + 1)
    desk.redeem(quote)
    assert desk.balances() == (990 * WAD - 1, MILLION * WAD + WORTH + 190, MILLION * COIN)


@pytest.mark.parametrize("party", ["holder", "manager"])
def test_redeem__a_blocked_party__reverts(desk: Desk, party: str) -> None:
    blocked = {"holder": desk.holder, "manager": desk.manager.address}[party]
    desk.issuer.compliance.set_blocked(blocked, True, sender=desk.operator)
    with pytest.raises(Revert, match="compliance: blocked"):
        desk.redeem(desk.quote(Side.SELL))


def test_redeem__a_paused_token__reverts(desk: Desk) -> None:
    desk.stock.set_paused(True, sender=desk.operator)
    with pytest.raises(Revert, match="token: paused"):
        desk.redeem(desk.quote(Side.SELL))


def test_redeem__tokens_the_issuer_has_burnt__reverts(desk: Desk) -> None:
    """What was seized between the quote and the call is not there to be sold."""
    desk.stock.set_burner(desk.operator, True, sender=desk.operator)
    desk.stock.burn(desk.holder, 990 * WAD + 1, sender=desk.operator)
    with pytest.raises(Revert, match="erc20: transfer amount exceeds balance"):
        desk.redeem(desk.quote(Side.SELL))


def test_redeem__at_the_minimum__is_enough_and_a_wei_less_is_not(desk: Desk) -> None:
    desk.manager.set_minimum(Side.SELL, WORTH, sender=desk.operator)
    with pytest.raises(Revert, match="issuer: too small"):
        desk.redeem(desk.quote(Side.SELL, price=PRICE - 1))
    desk.redeem(desk.quote(Side.SELL))


def test_redeem__paused_for_all_or_for_the_token__reverts_and_mints_go_on(desk: Desk) -> None:
    other = desk.issuer.tokens[1].address
    desk.manager.set_token_paused(desk.stock, Side.SELL, True, sender=desk.operator)
    assert (desk.manager.gmTokenRedemptionsPaused(desk.stock), desk.manager.globalRedeemingPaused()) == (True, False)
    with pytest.raises(Revert, match="issuer: redemptions paused"):
        desk.redeem(desk.quote(Side.SELL))
    desk.redeem(desk.quote(Side.SELL, asset=other, attestation_id=2))
    desk.manager.set_token_paused(desk.stock, Side.SELL, False, sender=desk.operator)
    desk.manager.set_paused(Side.SELL, True, sender=desk.operator)
    assert desk.manager.globalRedeemingPaused()
    for token in (desk.stock.address, other):
        with pytest.raises(Revert, match="issuer: redemptions paused"):
            desk.redeem(desk.quote(Side.SELL, asset=token, attestation_id=3))
    desk.mint(desk.quote())


def test_redeem__everything_wrong__is_told_in_the_issuers_order(desk: Desk) -> None:
    """As for a mint, but the tokens are taken before the minimum and the limits are looked at."""
    issuer, operator, manager = desk.issuer, desk.operator, desk.manager
    desk.redeem(desk.quote(Side.SELL, attestation_id=9))
    manager.set_paused(Side.SELL, True, sender=operator)
    manager.set_token_paused(desk.stock, Side.SELL, True, sender=operator)
    issuer.registry.remove(manager.gmIdentifier(), desk.holder, sender=operator)
    manager.set_accepted(desk.stock, False, sender=operator)
    manager.set_minimum(Side.SELL, 2 * WORTH, sender=operator)
    issuer.limits.set_global_limit(Side.SELL, desk.stock, 0, 86_400, sender=operator)
    desk.stock.approve(manager, 0, sender=desk.holder)
    issuer.swapper.withdraw(desk.coin, operator, MILLION * COIN, sender=operator)
    desk.at("2026-01-03 12:00:00")  # a Saturday
    quoted: dict[str, Any] = {
        "side": Side.BUY,
        "attestation_id": 9,
        "expiration": desk.backend.timestamp() - 1,
        "chain_id": 56,
    }
    how: dict[str, Any] = {"token": ZERO, "signature": b""}

    def quote(**changed: Any) -> Any:
        return desk.quote(**({"side": Side.SELL} | changed))

    def registered_as(user_id: bytes) -> Callable[[], object]:
        return lambda: issuer.registry.register(manager.gmIdentifier(), desk.holder, user_id, sender=operator)

    steps: list[tuple[str, Callable[[], object]]] = [
        ("issuer: redemptions paused", lambda: manager.set_paused(Side.SELL, False, sender=operator)),
        ("issuer: redemptions paused", lambda: manager.set_token_paused(desk.stock, Side.SELL, False, sender=operator)),
        ("issuer: zero token", lambda: how.update(token=desk.coin)),
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
        ("issuer: bad signature", lambda: how.update(signature=desk.sign(quote(), keccak(text="attacker")))),
        ("issuer: signer not allowed", lambda: how.pop("signature")),
        ("erc20: insufficient allowance", lambda: desk.stock.approve(manager, 10 * WAD, sender=desk.holder)),
        ("issuer: too small", lambda: manager.set_minimum(Side.SELL, WORTH, sender=operator)),
        (
            "issuer: limit exceeded",
            lambda: issuer.limits.set_global_limit(Side.SELL, desk.stock, WORTH, 86_400, sender=operator),
        ),
        ("issuer: swapper empty", lambda: how.pop("token")),
    ]
    for reason, put_right in steps:
        with pytest.raises(Revert, match=reason):
            desk.redeem(quote(**quoted), **how)
        put_right()
    desk.redeem(quote(**quoted), **how)
    assert desk.manager.executionId() == 2
