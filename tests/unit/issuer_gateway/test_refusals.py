"""IG-1: whichever way an issuer refuses, to whomever, its reason is passed on and everything is as it was."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import pytest
from eth_utils import keccak

from prime_perps.errors import Revert
from prime_perps.issuer.quotes import Side
from prime_perps.units import WAD
from tests.stage import AN_HOUR, address

from .conftest import ISSUER, USER, Desk

DAY = 24 * AN_HOUR


@dataclass(frozen=True)
class Refusal:
    """How an issuer comes to refuse: what has befallen it, or what is wrong with the quote."""

    name: str
    reason: str
    befalls: Callable[[Desk, Side], object] = lambda desk, side: None
    quote: dict[str, Any] = field(default_factory=dict)
    late: int = 0  # seconds between quote and call


def _unregistered(desk: Desk, side: Side) -> None:
    desk.issuer.registry.remove(desk.issuer.manager.gmIdentifier(), desk.gateway, sender=ISSUER)


def _other_id(desk: Desk, side: Side) -> None:
    desk.issuer.registry.register(
        desk.issuer.manager.gmIdentifier(), desk.gateway, keccak(text="another id"), sender=ISSUER
    )


def _weekend(desk: Desk, side: Side) -> None:
    """Saturday, which the exchange of the stage does not know."""
    today = (desk.stage.now() // DAY + 4) % 7  # 0 is Sunday
    desk.stage.warp((6 - today) * DAY)
    desk.stage.publish()


def _far_price(desk: Desk, side: Side) -> None:
    desk.issuer.prices.post_price(desk.stock(), 2 * desk.stage.index("AAPL"), sender=ISSUER)


def _global_limit(desk: Desk, side: Side) -> None:
    desk.issuer.limits.set_global_limit(side, desk.stock(), 100 * WAD, DAY, sender=ISSUER)


def _user_limit(desk: Desk, side: Side) -> None:
    desk.issuer.limits.set_default_user_limit(side, desk.stock(), 100 * WAD, DAY, sender=ISSUER)


def _side_paused(desk: Desk, side: Side) -> None:
    desk.issuer.manager.set_paused(side, True, sender=ISSUER)


def _token_side_paused(desk: Desk, side: Side) -> None:
    desk.issuer.manager.set_token_paused(desk.stock(), side, True, sender=ISSUER)


def _token_paused(desk: Desk, side: Side) -> None:
    desk.stock().set_paused(True, sender=ISSUER)


def _gateway_blocked(desk: Desk, side: Side) -> None:
    desk.issuer.compliance.set_blocked(desk.gateway, True, sender=ISSUER)


def _safe_blocked(desk: Desk, side: Side) -> None:
    desk.issuer.compliance.set_blocked(desk.stage.system.vault, True, sender=ISSUER)


def _no_inventory(desk: Desk, side: Side) -> None:
    """Coins when tokens are sold, the issuer's dollar when they are bought."""
    held = desk.coin if side == Side.SELL else desk.issuer.usdon
    desk.issuer.swapper.withdraw(held, ISSUER, held.balanceOf(desk.issuer.swapper), sender=ISSUER)


def _no_swapper(desk: Desk, side: Side) -> None:
    desk.issuer.manager.set_swapper("0x" + "00" * 20, sender=ISSUER)


PAUSED = {Side.BUY: "issuer: mints paused", Side.SELL: "issuer: redemptions paused"}
REFUSALS = [
    # the eight
    Refusal("not registered", "issuer: not registered", _unregistered),
    Refusal("expired", "issuer: quote expired", late=31),
    Refusal("for another user", "issuer: other user", _other_id),
    Refusal("for nobody", "issuer: other user", quote={"user_id": bytes(32)}),
    Refusal("closed", "issuer: closed", _weekend, {"expiration": 2**40}),
    Refusal("sanity band", "issuer: price out of band", _far_price),
    Refusal("global limit", "issuer: limit exceeded", _global_limit),
    Refusal("user limit", "issuer: limit exceeded", _user_limit),
    Refusal("paused", "", _side_paused),
    Refusal("paused for the token", "", _token_side_paused),
    Refusal("no inventory", "issuer: swapper empty", _no_inventory),
    # and what else may be
    Refusal("no swapper", "issuer: no swapper", _no_swapper),
    Refusal("token paused", "token: paused", _token_paused),
    Refusal("gateway blocked", "compliance: blocked", _gateway_blocked),
    Refusal("safe blocked", "compliance: blocked", _safe_blocked),
    Refusal("wrong chain", "issuer: wrong chain", quote={"chain_id": 56}),
]


def refused(desk: Desk, refusal: Refusal, side: Side, of: str, by: str) -> None:
    """Refused with its reason, nothing moved, and the quote still good once the reason is gone."""
    point = desk.stage.backend.snapshot()
    quote = desk.quote(side, "120", of=of, **refusal.quote)
    refusal.befalls(desk, side)
    desk.stage.warp(refusal.late)
    before = desk.look(of, by)
    with pytest.raises(Revert, match=f"^{refusal.reason or PAUSED[side]}$"):
        desk.act(quote, of=of, by=by)
    assert desk.look(of, by) == before
    assert not any(desk.held())
    assert not desk.issuer.manager.executedAttestationIds(quote.attestation_id)
    desk.stage.backend.restore(point)
    if not refusal.quote:
        desk.act(quote, of=of, by=by)


@pytest.mark.parametrize("refusal", REFUSALS, ids=lambda refusal: refusal.name)
@pytest.mark.parametrize("side", list(Side))
def test_issuer__refuses_an_owner__leaves_everything_as_it_was__IG_1(desk: Desk, refusal: Refusal, side: Side) -> None:
    desk.stage.fund_stock("holder", "AAPL", "100")
    refused(desk, refusal, side, "holder", "holder")


@pytest.mark.parametrize("refusal", REFUSALS, ids=lambda refusal: refusal.name)
def test_issuer__refuses_a_keeper__leaves_everything_as_it_was__IG_1(debtor: Desk, refusal: Refusal) -> None:
    refused(debtor, refusal, Side.SELL, "debtor", "keeper")


@pytest.mark.parametrize("side", list(Side))
def test_issuer__a_quote_used_twice__is_refused_the_second_time(desk: Desk, side: Side) -> None:
    quote = desk.quote(side)
    desk.act(quote)
    before = desk.look()
    with pytest.raises(Revert, match=r"^issuer: attestation used$"):
        desk.act(quote)
    assert desk.look() == before


def test_issuer__a_signature_of_anybody_else__is_refused(desk: Desk) -> None:
    quote = desk.quote(Side.SELL)
    signed = desk.sign(desk.quote(Side.SELL, "11"))
    before = desk.look()
    with pytest.raises(Revert, match=r"^issuer: signer not allowed$"):
        desk.gateway.redeem(
            int.from_bytes(quote.additional_data), 64, quote, signed, 0, False, sender=address("holder")
        )
    assert desk.look() == before


def test_user_id__is_as_whom_the_issuer_knows_the_gateway(desk: Desk) -> None:
    assert desk.gateway.user_id(64) == USER
    _unregistered(desk, Side.BUY)
    assert desk.gateway.user_id(64) == bytes(32)
    with pytest.raises(Revert, match=r"^gateway: not listed$"):
        desk.gateway.user_id(66)
