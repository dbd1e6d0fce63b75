"""redeem by whoever acts for the account: tokens become cash, at a price within the band."""

from __future__ import annotations

import pytest

from prime_perps.accounts import Permission
from prime_perps.errors import Revert
from prime_perps.issuer.quotes import Side
from prime_perps.units import wad
from tests.stage import account, address

from .conftest import AAPL, BAND, COIN, ISSUER, Desk, rounded_down


def test_redeem__by_the_owner__turns_tokens_into_cash(desk: Desk) -> None:
    receipt = desk.redeem(desk.quote(Side.SELL), 1_500 * COIN)
    assert (desk.cash(), desk.tokens()) == (wad("101500"), wad("90"))
    told = desk.told(receipt)
    assert (told["tokens"], told["proceeds"], told["liquidation"]) == (wad("10"), 1_500 * COIN, False)
    assert not any(desk.held())


def test_redeem__answer__is_what_came_of_it(desk: Desk) -> None:
    quote = desk.quote(Side.SELL, price=wad("150") + 10**11)
    call = desk.gateway.redeem.call
    proceeds = call(account("holder"), AAPL, quote, desk.sign(quote), 0, False, sender=address("holder"))
    assert proceeds == 1_500 * COIN + 1


def test_redeem__by_an_operator_who_may_trade__is_allowed(desk: Desk) -> None:
    desk.permit(Permission.TRADE)
    desk.redeem(desk.quote(Side.SELL), by="operator")
    assert desk.tokens() == wad("90")


def test_redeem__for_less_than_the_minimum__passes_the_issuers_reason_on(desk: Desk) -> None:
    before = desk.look()
    with pytest.raises(Revert, match=r"^issuer: below minimum$"):
        desk.redeem(desk.quote(Side.SELL), 1_500 * COIN + 1)
    assert desk.look() == before


def test_redeem__more_than_is_held__reverts(desk: Desk) -> None:
    desk.stage.fund_stock("maker", "AAPL", "1")
    with pytest.raises(Revert, match=r"^ledger: not enough$"):
        desk.redeem(desk.quote(Side.SELL, "100.1"))


@pytest.mark.parametrize("bps", [-BAND, BAND])
def test_redeem__at_the_edge_of_the_band__is_allowed_and_a_wei_beyond_is_not(desk: Desk, bps: int) -> None:
    edge = wad("150") * (10_000 + bps) // 10_000
    with pytest.raises(Revert, match=r"^gateway: price out of band$"):
        desk.redeem(desk.quote(Side.SELL, price=edge + (1 if bps > 0 else -1)))
    desk.redeem(desk.quote(Side.SELL, price=edge))


def test_redeem__by_the_owner_while_the_price_is_in_doubt__is_allowed(desk: Desk) -> None:
    """Doubtful tokens become certain cash."""
    desk.stage.oracle.set_halt(0, True, sender=address("guardian"))
    desk.redeem(desk.quote(Side.SELL))


def test_redeem__the_hedge_of_a_short_below_initial__reverts__CH_4(desk: Desk) -> None:
    stage = desk.stage
    stage.fund_stock("hedger", "AAPL", "1000")
    stage.trade("maker", "hedger", "AAPL", "-1000")
    stage.withdraw("hedger", "135000")
    with pytest.raises(Revert, match=r"^risk: below initial$"):
        desk.redeem(desk.quote(Side.SELL, "800", of="hedger"), of="hedger")


def test_redeem__to_repay_a_loan_below_initial__is_allowed_to_its_owner__CH_4(debtor: Desk) -> None:
    before = debtor.stage.margin("debtor")
    assert before.equity < before.maintenance
    debtor.redeem(debtor.quote(Side.SELL, "900", of="debtor"), of="debtor")
    after = debtor.stage.margin("debtor")
    assert rounded_down(after.equity, before.equity)
    assert after.maintenance < before.maintenance


def test_redeem__tokens_the_issuer_has_burnt__leaves_everything_as_it_was__IG_1(desk: Desk) -> None:
    """What was seized from the safe is not there to be sold."""
    vault = desk.stage.system.vault
    desk.stock().set_burner(ISSUER, True, sender=ISSUER)
    desk.stock().burn(vault, wad("95"), sender=ISSUER)
    before = desk.look()
    with pytest.raises(Revert, match=r"^vault: not enough in safe$"):
        desk.redeem(desk.quote(Side.SELL))
    assert desk.look() == before


def test_redeem__into_a_safe_at_its_cap__reverts_unless_it_repays(desk: Desk) -> None:
    vault, guardian = desk.stage.system.vault, address("guardian")
    desk.mint(desk.quote(Side.BUY, "1000"))
    vault.set_cap(255, 0, sender=guardian)
    assert rounded_down(desk.cash(), -wad("50000"))
    desk.redeem(desk.quote(Side.SELL, "300"))
    with pytest.raises(Revert, match=r"^vault: cap reached$"):
        desk.redeem(desk.quote(Side.SELL, "300"))
