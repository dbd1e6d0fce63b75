"""Redemption in kind: the tokens are gone at once, and what is paid for them is the issuer's to decide."""

from __future__ import annotations

import pytest

from prime_perps.chain import Contract
from prime_perps.chain.revm import RevmBackend
from prime_perps.errors import Revert
from prime_perps.issuer.deployment import Terms
from prime_perps.issuer.quotes import Side
from prime_perps.units import WAD
from tests.unit.devnet.conftest import COIN, PRICE, STRANGER, USER, Desk, open_desk

DAY = 86_400
DUE = 1_800  # dollars at the issuer's rough price


@pytest.fixture
def desk(backend: RevmBackend, issuer: str, holder: str) -> Desk:
    desk = open_desk(backend, issuer, holder, Terms(user_limit=10 * PRICE))
    desk.issuer.approve_in_kind(holder, USER, sender=issuer)
    desk.coin.mint(issuer, DUE * 2 * COIN, sender=issuer)
    return desk


@pytest.fixture
def in_kind(desk: Desk) -> Contract:
    return desk.issuer.in_kind


def pay(desk: Desk, dollars: int) -> None:
    """By an ordinary transfer, as the original does."""
    desk.coin.transfer(desk.holder, dollars * COIN, sender=desk.operator)


def test_redeem__tokens__burns_them_pays_nothing_and_says_so(desk: Desk, in_kind: Contract) -> None:
    before, supply = desk.balances(), desk.stock.totalSupply()
    receipt = in_kind.redeem(desk.stock, 10 * WAD, sender=desk.holder)
    assert desk.balances() == (before[0] - 10 * WAD, *before[1:])
    assert desk.stock.totalSupply() == supply - 10 * WAD
    told = {"wallet": desk.holder, "userId": USER, "gmToken": desk.stock.address}
    told |= {"gmTokenAmount": 10 * WAD, "usdNotional": DUE * WAD}
    assert list(in_kind.events(receipt)) == [("IssuerRedeem", told)]


def test_redeem__afterwards__no_function_tells_of_it(in_kind: Contract) -> None:
    """There is nothing a contract could ask what it is owed."""
    views = {entry["name"] for entry in in_kind.abi if entry.get("stateMutability") in ("view", "pure")}
    assert views == {"gm_identifier", "in_kind_identifier", "is_supported", "owner", "paused"}


@pytest.mark.parametrize(
    ("name", "payments"),
    [
        ("at once", [(0, DUE)]),
        ("late", [(5 * DAY, DUE)]),
        ("in parts", [(DAY, DUE // 3), (9 * DAY, DUE - DUE // 3)]),
        ("partly", [(DAY, DUE // 3)]),
        ("at another price", [(DAY, DUE - 77)]),
        ("at a better price", [(DAY, DUE + 77)]),
        ("never", []),
    ],
)
def test_settlement__however_it_goes__is_what_was_transferred_and_leaves_no_trace(
    desk: Desk, in_kind: Contract, name: str, payments: list[tuple[int, int]]
) -> None:
    before = desk.coin.balanceOf(desk.holder)
    in_kind.redeem(desk.stock, 10 * WAD, sender=desk.holder)
    for wait, dollars in payments:
        desk.backend.warp(wait)
        pay(desk, dollars)
    assert desk.coin.balanceOf(desk.holder) - before == sum(dollars for _, dollars in payments) * COIN
    assert desk.stock.balanceOf(desk.holder) == 990 * WAD
    assert desk.stock.balanceOf(in_kind) == desk.coin.balanceOf(in_kind) == 0


def test_redeem__on_a_weekend__is_taken(desk: Desk, in_kind: Contract) -> None:
    desk.at("2026-01-03 12:00:00")
    desk.post()
    in_kind.redeem(desk.stock, WAD, sender=desk.holder)


def test_redeem__at_the_users_limit__passes_and_a_wei_more_does_not(desk: Desk, in_kind: Contract) -> None:
    in_kind.redeem(desk.stock, 10 * WAD, sender=desk.holder)
    with pytest.raises(Revert, match="issuer: limit exceeded"):
        in_kind.redeem(desk.stock, WAD, sender=desk.holder)


def test_redeem__to_the_limit__leaves_that_of_quotes_alone(desk: Desk, in_kind: Contract) -> None:
    in_kind.redeem(desk.stock, 10 * WAD, sender=desk.holder)
    desk.redeem(desk.quote(Side.SELL))


def test_redeem__everything_wrong__is_told_in_the_issuers_order(desk: Desk, in_kind: Contract) -> None:
    issuer, operator, token = desk.issuer, desk.operator, desk.stock
    in_kind.set_paused(True, sender=operator)
    in_kind.set_supported(token, False, sender=operator)
    for identifier in (in_kind.gm_identifier(), in_kind.in_kind_identifier()):
        issuer.registry.remove(identifier, desk.holder, sender=operator)
    issuer.in_kind_limits.set_global_limit(Side.SELL, token, 0, DAY, sender=operator)
    token.set_paused(True, sender=operator)
    desk.backend.warp(2 * DAY + 1)
    amount = 0

    def enough() -> None:
        nonlocal amount
        amount = 10 * WAD

    for reason, put_right in (
        ("issuer: redemptions paused", lambda: in_kind.set_paused(False, sender=operator)),
        ("issuer: zero amount", enough),
        ("issuer: asset not accepted", lambda: in_kind.set_supported(token, True, sender=operator)),
        (
            "issuer: not registered",
            lambda: issuer.registry.register(in_kind.gm_identifier(), desk.holder, USER, sender=operator),
        ),
        ("issuer: not approved in kind", lambda: issuer.approve_in_kind(desk.holder, STRANGER, sender=operator)),
        ("issuer: stale price", desk.post),
        (
            "issuer: limit exceeded",
            lambda: issuer.in_kind_limits.set_global_limit(Side.SELL, token, DUE * WAD, DAY, sender=operator),
        ),
        ("token: paused", lambda: token.set_paused(False, sender=operator)),
    ):
        with pytest.raises(Revert, match=reason):
            in_kind.redeem(token, amount, sender=desk.holder)
        put_right()
    in_kind.redeem(token, amount, sender=desk.holder)


def test_redeem__as_old_a_price_as_allowed__is_taken(desk: Desk, in_kind: Contract) -> None:
    desk.backend.warp(2 * DAY)
    in_kind.redeem(desk.stock, WAD, sender=desk.holder)


def test_redeem__worth_less_than_a_wei__reverts(desk: Desk, in_kind: Contract) -> None:
    desk.post(WAD - 1)
    with pytest.raises(Revert, match="issuer: zero notional"):
        in_kind.redeem(desk.stock, 1, sender=desk.holder)


def test_redeem__a_token_without_a_price__reverts(desk: Desk, in_kind: Contract) -> None:
    in_kind.set_supported(desk.coin, True, sender=desk.operator)
    with pytest.raises(Revert, match="issuer: no price"):
        in_kind.redeem(desk.coin, 1, sender=desk.holder)


@pytest.mark.parametrize("party", ["holder", "in_kind"])
def test_redeem__a_blocked_party__reverts(desk: Desk, in_kind: Contract, party: str) -> None:
    blocked = {"holder": desk.holder, "in_kind": in_kind.address}[party]
    desk.issuer.compliance.set_blocked(blocked, True, sender=desk.operator)
    with pytest.raises(Revert, match="compliance: blocked"):
        in_kind.redeem(desk.stock, WAD, sender=desk.holder)


def test_administration__by_the_owner__says_so_and_by_anybody_else_reverts(
    desk: Desk, in_kind: Contract, attacker: str
) -> None:
    receipt = in_kind.set_paused(True, sender=desk.operator)
    assert list(in_kind.events(receipt)) == [("PausedSet", {"paused": True})]
    receipt = in_kind.set_supported(desk.stock, False, sender=desk.operator)
    supported = {"token": desk.stock.address, "supported": False}
    assert list(in_kind.events(receipt)) == [("TokenSupportedSet", supported)]
    for refused in (
        lambda: in_kind.set_paused(False, sender=attacker),
        lambda: in_kind.set_supported(desk.stock, True, sender=attacker),
    ):
        with pytest.raises(Revert, match="ownable: caller is not the owner"):
            refused()
