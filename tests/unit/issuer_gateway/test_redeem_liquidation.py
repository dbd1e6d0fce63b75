"""redeem by anybody: only of an account that is liquidatable, no more than it needs, and for nothing."""

from __future__ import annotations

import pytest

from prime_perps.errors import Revert
from prime_perps.issuer.quotes import Side
from prime_perps.units import WAD, wad
from tests.stage import account, address

from .conftest import AAPL, COIN, UNIT, Desk, rounded_down

# E 17,000 and MM 18,428 of 1,000 tokens: 161.4 of them sold leave MM at E / 1.1
NEEDED = "161"
TOO_MANY = "162"


def health(desk: Desk, role: str = "debtor") -> int:
    margin = desk.stage.margin(role)
    return int(margin.equity * WAD // margin.maintenance)


def sell(desk: Desk, amount: str, *, deferred: bool = False, **changed: object) -> None:
    quote = desk.quote(Side.SELL, amount, of="debtor", **changed)
    desk.redeem(quote, of="debtor", by="keeper", deferred=deferred)


def test_redeem__of_a_liquidatable_account__brings_it_to_the_target_and_the_caller_nothing(debtor: Desk) -> None:
    before = debtor.stage.margin("debtor")
    quote = debtor.quote(Side.SELL, NEEDED, of="debtor")
    receipt = debtor.redeem(quote, of="debtor", by="keeper")
    after = debtor.stage.margin("debtor")
    assert rounded_down(after.equity, before.equity)
    assert 1_090 * WAD // 1_000 < health(debtor) <= 1_100 * WAD // 1_000
    assert debtor.told(receipt)["liquidation"]
    assert debtor.coin.balanceOf(address("keeper")) == 0
    assert debtor.issuer.usdon.balanceOf(address("keeper")) == 0
    assert not any(debtor.held())
    with pytest.raises(Revert, match=r"^gateway: healthy$"):
        sell(debtor, "1")


def test_redeem__more_than_the_target_needs__reverts__LQ_1(debtor: Desk) -> None:
    before = debtor.look("debtor", "keeper")
    with pytest.raises(Revert, match=r"^gateway: more than needed$"):
        sell(debtor, TOO_MANY)
    assert debtor.look("debtor", "keeper") == before


def test_redeem__less_than_a_hundredth__reverts(debtor: Desk) -> None:
    """Each changes the state that liquidators decide on: dust must not keep them off."""
    with pytest.raises(Revert, match=r"^risk: below initial$"):
        sell(debtor, "9")
    sell(debtor, "12")


def test_redeem__a_small_account__may_be_sold_whole(desk: Desk) -> None:
    """As the engine takes it whole below 2,000 USD of maintenance margin."""
    stage = desk.stage
    stage.fund_stock("small", "AAPL", "100")
    stage.withdraw("small", "10000")
    stage.publish(AAPL="117")
    stage.settle_slow_prices()
    desk.post()
    owed = desk.cash("small")
    assert -wad("10001") < owed < -wad("10000")
    desk.redeem(desk.quote(Side.SELL, "100", of="small"), of="small", by="keeper")
    assert desk.tokens("small") == 0
    assert rounded_down(desk.cash("small"), owed + wad("11700"))


def test_redeem__a_healthy_account__reverts(desk: Desk) -> None:
    before = desk.look("holder", "keeper")
    with pytest.raises(Revert, match=r"^gateway: healthy$"):
        desk.redeem(desk.quote(Side.SELL), by="keeper")
    assert desk.look("holder", "keeper") == before


def test_redeem__at_the_worst_the_band_allows__raises_health_all_the_same(debtor: Desk) -> None:
    before = health(debtor)
    price = debtor.stage.index("AAPL") * 99 // 100
    sell(debtor, "150", price=price)
    assert health(debtor) > before


def test_redeem__below_the_band__reverts(debtor: Desk) -> None:
    with pytest.raises(Revert, match=r"^gateway: price out of band$"):
        sell(debtor, "150", price=debtor.stage.index("AAPL") * 99 // 100 - 1)


def test_redeem__an_account_without_equity__may_not_lose_a_wei(debtor: Desk) -> None:
    """
    What it lost would be somebody else's, and at the index price that is the wei by which cash is rounded down. A unit
    of the coin more is enough; slices take what is left.
    """
    debtor.stage.publish(AAPL="99")
    debtor.stage.settle_slow_prices()
    debtor.post()
    with pytest.raises(Revert, match=r"^risk: below initial$"):
        sell(debtor, "500")
    sell(debtor, "500", price=debtor.stage.index("AAPL") + UNIT // 500)


def test_redeem__while_liquidation_is_paused__reverts(debtor: Desk) -> None:
    debtor.stage.system.configurator.set_paused(4, sender=address("guardian"))
    with pytest.raises(Revert, match=r"^settings: paused$"):
        sell(debtor, NEEDED)
    debtor.redeem(debtor.quote(Side.SELL, "300", of="debtor"), of="debtor")


def test_redeem__a_token_whose_price_is_in_doubt__reverts(desk: Desk) -> None:
    """The fall of another stock makes the account liquidatable; the halted one is not sold at its last price."""
    stage = desk.stage
    stage.fund_stock("debtor", "AAPL", "1000")
    stage.trade("maker", "debtor", "IBM", "1000")
    stage.withdraw("debtor", "80000")
    stage.oracle.set_halt(0, True, sender=address("guardian"))
    stage.publish(IBM="20")
    assert stage.system.lens.account_summary(account("debtor")).liquidatable
    with pytest.raises(Revert, match=r"^gateway: price in doubt$"):
        sell(desk, NEEDED)


def test_redeem__said_to_be_deferred_by_a_stranger__is_checked_all_the_same(debtor: Desk) -> None:
    with pytest.raises(Revert, match=r"^gateway: more than needed$"):
        sell(debtor, TOO_MANY, deferred=True)
    with pytest.raises(Revert, match=r"^risk: below initial$"):
        sell(debtor, "9", deferred=True)
    sell(debtor, NEEDED, deferred=True)


def test_redeem__by_a_stranger__is_a_state_that_liquidators_must_look_at_anew(debtor: Desk) -> None:
    state = debtor.book.state_counter(account("debtor"))
    sell(debtor, "50")
    assert debtor.book.state_counter(account("debtor")) != state


def test_redeem__the_keepers_minimum__counts(debtor: Desk) -> None:
    with pytest.raises(Revert, match=r"^issuer: below minimum$"):
        debtor.redeem(debtor.quote(Side.SELL, "100", of="debtor"), 11_700 * COIN + 1, of="debtor", by="keeper")


def test_redeem__listed_and_disabled__reverts(debtor: Desk) -> None:
    debtor.gateway.set_enabled(AAPL, False, sender=address("guardian"))
    with pytest.raises(Revert, match=r"^gateway: disabled$"):
        sell(debtor, NEEDED)
