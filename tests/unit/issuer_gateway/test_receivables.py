"""request_redemption and what comes of it: never cash before it is here, less with age, nothing once given up."""

from __future__ import annotations

import pytest

from prime_perps.accounts import CASH, Permission
from prime_perps.chain import Contract
from prime_perps.errors import Revert
from prime_perps.issuer.quotes import Side
from prime_perps.units import WAD, wad
from tests.stage import account, address

from .conftest import AAPL, COIN, HAIRCUT, ISSUER, PERIOD, Desk, listing

WORTH = 1_500 * WAD


@pytest.fixture
def owed(desk: Desk) -> Desk:
    """Ten tokens of the holder's burnt in kind."""
    request(desk)
    return desk


def request(desk: Desk, amount: str = "10", *, of: str = "holder", by: str | None = None) -> None:
    desk.gateway.request_redemption(account(of), AAPL, wad(amount), sender=address(by or of))


def pay(desk: Desk, dollars: int) -> None:
    """The operator of the issuer sends coins, and says nothing."""
    desk.coin.mint(desk.gateway, dollars * COIN, sender=ISSUER)


def settle(desk: Desk, dollars: int, *, last: bool = False, by: str = "desk") -> None:
    desk.gateway.settle_receivable(0, dollars * COIN, last, sender=address(by))


# requests


def test_request__tokens__are_burnt_and_owed(desk: Desk) -> None:
    supply = desk.stock().totalSupply()
    number = desk.gateway.request_redemption.call(account("holder"), AAPL, wad("10"), sender=address("holder"))
    request(desk)
    assert desk.stock().totalSupply() == supply - wad("10")
    assert (desk.tokens(), desk.cash()) == (wad("90"), wad("100000"))
    assert (number, desk.gateway.receivable_count()) == (0, 1)
    expected = (account("holder"), AAPL, wad("10"), WORTH, 0, desk.stage.now(), False)
    assert desk.gateway.receivable(0) == expected
    assert not any(desk.held())


def test_request__what_is_owed__is_neither_cash_nor_margin(desk: Desk) -> None:
    """The account loses the tokens' worth, at once and whole: no claim stands on the chain."""
    before = desk.stage.margin("holder")
    request(desk)
    after = desk.stage.margin("holder")
    assert after.equity == before.equity - wad("1500")
    assert after.cash == before.cash


def test_request__what_the_account_cannot_do_without__reverts__CH_4(desk: Desk) -> None:
    desk.stage.fund_stock("debtor", "AAPL", "1000")
    desk.stage.withdraw("debtor", "100000")
    before = desk.look("debtor")
    with pytest.raises(Revert, match=r"^risk: below initial$"):
        request(desk, "500", of="debtor")
    assert desk.look("debtor") == before


@pytest.mark.parametrize("permission", [Permission.TRADE, Permission.WITHDRAW, Permission.LIQUIDATE])
def test_request__by_an_operator_who_may_not_both_trade_and_withdraw__reverts(desk: Desk, permission: int) -> None:
    desk.permit(permission)
    with pytest.raises(Revert, match=r"^accounts: not authorized$"):
        request(desk, by="operator")


def test_request__by_an_operator_who_may_both__is_allowed(desk: Desk) -> None:
    desk.permit(Permission.TRADE | Permission.WITHDRAW)
    request(desk, by="operator")
    assert desk.gateway.receivable(0).account == account("holder")


def test_request__of_a_liquidatable_account_by_a_stranger__reverts(debtor: Desk) -> None:
    """Nobody turns another's tokens into a promise."""
    with pytest.raises(Revert, match=r"^accounts: not authorized$"):
        request(debtor, "50", of="debtor", by="keeper")


def test_request__an_issuer_that_refuses__leaves_everything_as_it_was__IG_1(desk: Desk) -> None:
    identifier = desk.issuer.in_kind.in_kind_identifier()
    desk.issuer.registry.remove(identifier, desk.gateway, sender=ISSUER)
    before = desk.look()
    with pytest.raises(Revert, match=r"^issuer: not approved in kind$"):
        request(desk)
    assert desk.look() == before


def test_request__an_issuer_that_burns_less_than_all__reverts(desk: Desk, hostile: Contract) -> None:
    hostile.set_shares(9_999, 10_000, sender=address("attacker"))
    before = desk.look()
    with pytest.raises(Revert, match=r"^gateway: tokens kept$"):
        request(desk)
    assert desk.look() == before


def test_request__no_issuer_in_kind__reverts(desk: Desk) -> None:
    changed = listing(desk.issuer, in_kind="0x" + "00" * 20)
    desk.stage.govern(desk.gateway.set_listing, AAPL, changed)
    with pytest.raises(Revert, match=r"^gateway: not in kind$"):
        request(desk)


def test_request__disabled__reverts(desk: Desk) -> None:
    desk.gateway.set_enabled(AAPL, False, sender=address("guardian"))
    with pytest.raises(Revert, match=r"^gateway: disabled$"):
        request(desk)


# payments


def test_settle__what_was_sent__is_the_accounts(owed: Desk) -> None:
    pay(owed, 1_500)
    assert owed.cash() == wad("100000"), "a transfer does not say what it is for"
    settle(owed, 1_500, last=True)
    assert owed.cash() == wad("101500")
    assert (owed.gateway.receivable(0).paid, owed.gateway.receivable(0).closed) == (WORTH, True)
    assert not any(owed.held())


def test_settle__in_parts_and_at_a_better_price__counts_as_it_comes(owed: Desk) -> None:
    pay(owed, 1_600)
    settle(owed, 600)
    assert (owed.cash(), owed.gateway.receivable(0).paid) == (wad("100600"), wad("600"))
    assert owed.gateway.receivable_value(0) == wad("900") * (10_000 - HAIRCUT) // 10_000
    settle(owed, 1_000)
    assert owed.cash() == wad("101600")
    assert (owed.gateway.receivable_value(0), owed.gateway.receivable(0).closed) == (0, False)


def test_settle__last_of_too_little__closes_it(owed: Desk) -> None:
    pay(owed, 100)
    settle(owed, 100, last=True)
    assert owed.gateway.receivable_value(0) == 0
    settle(owed, 0, last=True)
    assert owed.cash() == wad("100100")


def test_settle__more_than_was_sent__reverts(owed: Desk) -> None:
    pay(owed, 100)
    before = owed.look()
    with pytest.raises(Revert, match=r"^stablecoin: balance too small$"):
        settle(owed, 101)
    assert owed.look() == before


@pytest.mark.parametrize("role", ["holder", "guardian", "governor", "attacker"])
def test_settle__by_anybody_but_the_desk__reverts(owed: Desk, role: str) -> None:
    """Nor the owner: whose of two accounts a payment was is not theirs to say."""
    pay(owed, 1_500)
    with pytest.raises(Revert, match=r"^roles: desk only$"):
        settle(owed, 1_500, by=role)


def test_settle__no_such_receivable__reverts(desk: Desk) -> None:
    with pytest.raises(Revert, match=r"^gateway: no such receivable$"):
        settle(desk, 1)


def test_change_dollars__paid_in_the_issuers_dollar__can_be_attributed(owed: Desk) -> None:
    owed.issuer.usdon.mint(owed.gateway, 1_500 * WAD, sender=ISSUER)
    owed.gateway.change_dollars(AAPL, 1_500 * WAD, sender=address("desk"))
    settle(owed, 1_500, last=True)
    assert owed.cash() == wad("101500")
    assert not any(owed.held())


def test_change_dollars__by_anybody_but_the_desk__reverts(owed: Desk) -> None:
    with pytest.raises(Revert, match=r"^roles: desk only$"):
        owed.gateway.change_dollars(AAPL, 1, sender=address("attacker"))


def test_change_dollars__of_what_is_not_listed__reverts(owed: Desk) -> None:
    with pytest.raises(Revert, match=r"^gateway: not listed$"):
        owed.gateway.change_dollars(CASH, 1, sender=address("desk"))


def test_mint__while_a_payment_waits__does_not_touch_it__IG_2(owed: Desk) -> None:
    pay(owed, 1_500)
    owed.mint(owed.quote(Side.BUY), 2_000 * COIN)
    assert owed.coin.balanceOf(owed.gateway) == 1_500 * COIN


# age


@pytest.mark.parametrize(
    ("age", "bps"), [(0, 9_000), (PERIOD // 10, 8_100), (PERIOD // 2, 4_500), (PERIOD, 0), (9 * PERIOD, 0)]
)
def test_value__by_age__falls_along_a_line_to_nothing(owed: Desk, age: int, bps: int) -> None:
    owed.stage.warp(age)
    assert owed.gateway.receivable_value(0) == WORTH * bps // 10_000


def test_value__unknown__is_nothing(desk: Desk) -> None:
    assert desk.gateway.receivable_value(7) == 0


# giving up


def test_write_off__by_the_owner__counts_for_nothing_and_payments_still_count(owed: Desk) -> None:
    receipt = owed.gateway.write_off(0, sender=address("holder"))
    ((name, fields),) = owed.gateway.events(receipt)
    assert (name, fields["lost"]) == ("ReceivableWrittenOff", WORTH)
    assert owed.gateway.receivable_value(0) == 0
    pay(owed, 1_500)
    settle(owed, 1_500)
    assert owed.cash() == wad("101500")
    assert owed.gateway.receivable(0).closed


def test_write_off__by_the_timelock__is_allowed(owed: Desk) -> None:
    owed.stage.govern(owed.gateway.write_off, 0)
    assert owed.gateway.receivable(0).closed


@pytest.mark.parametrize("role", ["guardian", "desk", "attacker"])
def test_write_off__by_anybody_else__reverts(owed: Desk, role: str) -> None:
    with pytest.raises(Revert, match=r"^roles: timelock only$"):
        owed.gateway.write_off(0, sender=address(role))


def test_write_off__twice__reverts(owed: Desk) -> None:
    owed.gateway.write_off(0, sender=address("holder"))
    with pytest.raises(Revert, match=r"^gateway: closed$"):
        owed.gateway.write_off(0, sender=address("holder"))


def test_write_off__no_such_receivable__reverts(desk: Desk) -> None:
    with pytest.raises(Revert, match=r"^gateway: no such receivable$"):
        desk.gateway.write_off(0, sender=address("holder"))
