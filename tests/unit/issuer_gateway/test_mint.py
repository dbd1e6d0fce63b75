"""mint: cash of an account becomes tokens of the account, at a price within the band, and what is left comes back."""

from __future__ import annotations

from typing import Any

import pytest

from prime_perps.accounts import CASH, Permission
from prime_perps.errors import Revert
from prime_perps.issuer.quotes import Side
from prime_perps.units import WAD, wad
from tests.stage import account, address

from .conftest import AAPL, BAND, COIN, IBM, ISSUER, UNIT, Desk, rounded_down


def test_mint__by_the_owner__turns_cash_into_tokens(desk: Desk) -> None:
    quote = desk.quote(Side.BUY)
    receipt = desk.mint(quote)
    assert (desk.cash(), desk.tokens()) == (wad("98500"), wad("110"))
    told = desk.told(receipt)
    assert (told["account"], told["instrument"], told["sender"]) == (account("holder"), AAPL, address("holder"))
    assert (told["attestation_id"], told["tokens"], told["cost"]) == (quote.attestation_id, wad("10"), 1_500 * COIN)
    assert not any(desk.held())


def test_mint__answer__is_what_it_cost(desk: Desk) -> None:
    quote = desk.quote(Side.BUY)
    signed = desk.sign(quote)
    call = desk.gateway.mint.call
    cost = call(account("holder"), AAPL, quote, signed, 2_000 * COIN, False, sender=address("holder"))
    assert cost == 1_500 * COIN


def test_mint__more_cash_than_needed__comes_back(desk: Desk) -> None:
    receipt = desk.mint(desk.quote(Side.BUY), 2_000 * COIN)
    assert (desk.cash(), desk.tokens()) == (wad("98500"), wad("110"))
    assert desk.told(receipt)["cost"] == 1_500 * COIN
    assert not any(desk.held())


def test_mint__a_price_between_two_units_of_cash__gives_the_owner_the_rest_in_the_issuers_dollar(desk: Desk) -> None:
    quote = desk.quote(Side.BUY, "1", price=wad("150") + 1)
    desk.mint(quote)
    assert desk.cash() == wad("100000") - wad("150") - UNIT
    assert desk.issuer.usdon.balanceOf(address("holder")) == UNIT - 1
    assert not any(desk.held())


def test_mint__less_cash_than_the_price__passes_the_issuers_reason_on(desk: Desk) -> None:
    before = desk.look()
    with pytest.raises(Revert, match=r"^issuer: below minimum$"):
        desk.mint(desk.quote(Side.BUY), 1_500 * COIN - 1)
    assert desk.look() == before


def test_mint__a_swapper_that_cannot_change_the_rest__leaves_everything_as_it_was__IG_1(desk: Desk) -> None:
    """It holds nothing but the coins that it is paid with, and those go out first."""
    desk.issuer.swapper.withdraw(desk.coin, ISSUER, desk.coin.balanceOf(desk.issuer.swapper), sender=ISSUER)
    desk.issuer.swapper.withdraw(
        desk.issuer.usdon, ISSUER, desk.issuer.usdon.balanceOf(desk.issuer.swapper) - 1_600 * WAD, sender=ISSUER
    )
    before = desk.look()
    with pytest.raises(Revert, match=r"^issuer: swapper empty$"):
        desk.mint(desk.quote(Side.BUY), 1_601 * COIN)
    assert desk.look() == before
    desk.mint(desk.quote(Side.BUY), 1_600 * COIN)


# on margin


def test_mint__on_margin__is_a_loan_secured_by_the_tokens(desk: Desk) -> None:
    """100,000 USD and 100 AAPL carry 3,000 more at 150 each, which cash alone could not pay."""
    desk.mint(desk.quote(Side.BUY, "3000"))
    margin = desk.stage.margin("holder")
    assert rounded_down(margin.cash, -wad("350000"))
    assert rounded_down(margin.equity, wad("115000"))
    assert margin.equity >= margin.initial


def test_mint__beyond_initial_margin__leaves_everything_as_it_was__CH_4(desk: Desk) -> None:
    before = desk.look()
    with pytest.raises(Revert, match=r"^risk: below initial$"):
        desk.mint(desk.quote(Side.BUY, "4000"))
    assert desk.look() == before


def test_mint__as_the_hedge_of_a_short_below_initial__is_allowed__CH_4(desk: Desk) -> None:
    """Tokens against a short perp lower the risk, so an account below initial margin may buy them."""
    stage = desk.stage
    stage.fund("hedger", "40000")
    stage.trade("maker", "hedger", "AAPL", "-1000")
    stage.publish(AAPL="158")
    desk.post()
    before = stage.margin("hedger")
    assert before.equity < before.initial
    desk.mint(desk.quote(Side.BUY, "500", of="hedger"), of="hedger")
    after = stage.margin("hedger")
    assert after.maintenance < before.maintenance
    with pytest.raises(Revert, match=r"^risk: below initial$"):
        desk.mint(desk.quote(Side.BUY, "2500", of="hedger"), of="hedger")


# who


def test_mint__by_an_operator_who_may_trade__is_allowed(desk: Desk) -> None:
    desk.permit(Permission.TRADE)
    desk.mint(desk.quote(Side.BUY), by="operator")
    assert desk.tokens() == wad("110")


@pytest.mark.parametrize("permission", [Permission.DEPOSIT | Permission.WITHDRAW | Permission.LIQUIDATE, 0])
def test_mint__by_anybody_else__reverts(desk: Desk, permission: int) -> None:
    desk.permit(permission)
    before = desk.look()
    with pytest.raises(Revert, match=r"^accounts: not authorized$"):
        desk.mint(desk.quote(Side.BUY), by="operator")
    assert desk.look() == before


def test_mint__by_a_stranger_on_a_liquidatable_account__reverts(debtor: Desk) -> None:
    with pytest.raises(Revert, match=r"^accounts: not authorized$"):
        debtor.mint(debtor.quote(Side.BUY, of="debtor"), of="debtor", by="keeper")


# the quote


def test_mint__a_quote_for_another_account__reverts(desk: Desk) -> None:
    """Whoever sees a quote on its way cannot take it: the issuer has said whose it is."""
    desk.stage.fund("attacker", "10000")
    with pytest.raises(Revert, match=r"^gateway: quote for another$"):
        desk.mint(desk.quote(Side.BUY, of="holder"), of="attacker")


def test_mint__a_quote_for_another_token__reverts(desk: Desk) -> None:
    with pytest.raises(Revert, match=r"^gateway: wrong asset$"):
        desk.mint(desk.quote(Side.BUY), instrument=IBM)


def test_mint__what_is_not_listed__reverts(desk: Desk) -> None:
    with pytest.raises(Revert, match=r"^gateway: not listed$"):
        desk.mint(desk.quote(Side.BUY), instrument=CASH)


@pytest.mark.parametrize("bps", [-BAND, BAND])
def test_mint__at_the_edge_of_the_band__is_allowed_and_a_wei_beyond_is_not(desk: Desk, bps: int) -> None:
    edge = wad("150") * (10_000 + bps) // 10_000
    beyond = edge + (1 if bps > 0 else -1)
    with pytest.raises(Revert, match=r"^gateway: price out of band$"):
        desk.mint(desk.quote(Side.BUY, price=beyond))
    desk.mint(desk.quote(Side.BUY, price=edge))


def test_mint__while_the_price_is_in_doubt__reverts(desk: Desk) -> None:
    desk.stage.oracle.set_halt(0, True, sender=address("guardian"))
    with pytest.raises(Revert, match=r"^gateway: price in doubt$"):
        desk.mint(desk.quote(Side.BUY))


# the safe's own refusals


@pytest.mark.parametrize(
    ("what", "reason"),
    [("book", "settings: paused"), ("vault", "vault: paused"), ("cap", "vault: cap reached")],
)
def test_mint__stopped_at_the_safe__leaves_everything_as_it_was__IG_1(desk: Desk, what: str, reason: str) -> None:
    system, guardian = desk.stage.system, address("guardian")
    stops: dict[str, Any] = {
        "book": lambda: system.configurator.set_paused(2, sender=guardian),
        "vault": lambda: system.vault.set_paused(True, sender=guardian),
        "cap": lambda: system.vault.set_cap(AAPL, 0, sender=guardian),
    }
    stops[what]()
    before = desk.look()
    with pytest.raises(Revert, match=f"^{reason}$"):
        desk.mint(desk.quote(Side.BUY))
    assert desk.look() == before


def test_mint__more_than_is_in_the_safe__reverts(desk: Desk) -> None:
    with pytest.raises(Revert, match=r"^vault: not enough in safe$"):
        desk.mint(desk.quote(Side.BUY, "1"), 2**80)
