"""An issuer that does what it likes: what counts is what came of it, and it can take no more than it was let."""

from __future__ import annotations

from pathlib import Path

import pytest
from eth_utils import keccak

from prime_perps.accounts import CASH
from prime_perps.chain import Contract
from prime_perps.errors import Revert
from prime_perps.issuer.quotes import Side
from prime_perps.units import WAD, wad
from tests.stage import account, address, deployed_source
from tests.unit.batcher.conftest import Batches

from .conftest import AAPL, COIN, UNIT, Desk, listing
from .test_batch import ACTOR


def _allowed(desk: Desk, hostile: Contract) -> list[int]:
    return [each.allowance(desk.gateway, hostile) for each in (desk.coin, desk.issuer.usdon, desk.stock())]


def _unmoved(desk: Desk, quote: object, reason: str, **how: object) -> None:
    before = desk.look()
    with pytest.raises(Revert, match=f"^{reason}$"):
        desk.act(quote, **how)  # type: ignore[arg-type]
    assert desk.look() == before


# mints


def test_mint__an_issuer_that_keeps_the_money__leaves_everything_as_it_was__IG_1(desk: Desk, hostile: Contract) -> None:
    hostile.set_shares(10_000, 0, sender=address("attacker"))
    _unmoved(desk, desk.quote(Side.BUY), "gateway: too few tokens")


def test_mint__a_token_less_than_quoted__reverts(desk: Desk, hostile: Contract) -> None:
    hostile.set_shares(10_000, 9_999, sender=address("attacker"))
    _unmoved(desk, desk.quote(Side.BUY), "gateway: too few tokens")


def test_mint__dearer_than_its_quote__reverts_beyond_the_band(desk: Desk, hostile: Contract) -> None:
    """The quote says 150, but it takes everything: up to the band that is between issuer and account."""
    _unmoved(desk, desk.quote(Side.BUY), "gateway: beyond the band", max_cash=1_515 * COIN + 1)
    desk.mint(desk.quote(Side.BUY), 1_515 * COIN)


def test_mint__an_issuer_that_takes_nothing__gives_the_money_back(desk: Desk, hostile: Contract) -> None:
    hostile.set_shares(0, 10_000, sender=address("attacker"))
    receipt = desk.mint(desk.quote(Side.BUY))
    assert (desk.cash(), desk.tokens()) == (wad("100000"), wad("110"))
    assert desk.told(receipt)["cost"] == 0
    assert _allowed(desk, hostile) == [0, 0, 0]
    assert not any(desk.held())


def test_mint__more_tokens_than_quoted__are_the_accounts(desk: Desk, hostile: Contract) -> None:
    hostile.set_shares(10_000, 11_000, sender=address("attacker"))
    desk.mint(desk.quote(Side.BUY))
    assert desk.tokens() == wad("111")
    assert not any(desk.held())


def test_mint__dollars_on_top__become_cash_and_their_rest_the_owners(desk: Desk, hostile: Contract) -> None:
    hostile.set_dollars(desk.issuer.usdon, 5 * WAD + 7, sender=address("attacker"))
    desk.mint(desk.quote(Side.BUY))
    assert desk.cash() == wad("98505")
    assert desk.issuer.usdon.balanceOf(address("holder")) == 7
    assert not any(desk.held())


def test_mint__a_swapper_that_does_nothing__leaves_the_owner_the_dollars_and_itself_no_allowance__IG_2(
    desk: Desk, hostile: Contract
) -> None:
    path = Path(__file__).with_name("idle_swapper.vy")
    swapper = deployed_source(desk.stage.backend, path, address("deployer"))
    changed = listing(desk.issuer, manager=hostile.address, swapper=swapper.address)
    desk.stage.govern(desk.gateway.set_listing, AAPL, changed)
    hostile.set_dollars(desk.issuer.usdon, 5 * WAD, sender=address("attacker"))
    desk.mint(desk.quote(Side.BUY))
    assert desk.issuer.usdon.balanceOf(address("holder")) == 5 * WAD
    assert desk.issuer.usdon.allowance(desk.gateway, swapper) == 0
    assert not any(desk.held())


# redemptions


@pytest.mark.parametrize("by", ["debtor", "keeper"])
def test_redeem__an_issuer_that_keeps_the_tokens__leaves_everything_as_it_was__IG_1(
    debtor: Desk, hostile: Contract, by: str
) -> None:
    debtor.stage.settle_slow_prices()
    hostile.set_shares(10_000, 0, sender=address("attacker"))
    before = debtor.look("debtor", "keeper")
    with pytest.raises(Revert, match=r"^gateway: beyond the band$"):
        debtor.redeem(debtor.quote(Side.SELL, "100", of="debtor"), of="debtor", by=by)
    assert debtor.look("debtor", "keeper") == before


def test_redeem__less_than_the_minimum__reverts(desk: Desk, hostile: Contract) -> None:
    hostile.set_shares(10_000, 9_950, sender=address("attacker"))
    _unmoved(desk, desk.quote(Side.SELL), "gateway: too little cash", min_cash=1_500 * COIN)
    desk.redeem(desk.quote(Side.SELL), 1_492 * COIN)
    assert desk.cash() == wad("101492.5")


def test_redeem__less_than_the_band__reverts_whatever_the_minimum(desk: Desk, hostile: Contract) -> None:
    hostile.set_shares(10_000, 9_899, sender=address("attacker"))
    _unmoved(desk, desk.quote(Side.SELL), "gateway: beyond the band")


def test_redeem__tokens_not_taken__go_back_into_the_account(desk: Desk, hostile: Contract) -> None:
    """It takes half and pays for half: then half was sold."""
    hostile.set_shares(5_000, 5_000, sender=address("attacker"))
    receipt = desk.redeem(desk.quote(Side.SELL))
    assert (desk.cash(), desk.tokens()) == (wad("100750"), wad("95"))
    assert (desk.told(receipt)["tokens"], desk.told(receipt)["proceeds"]) == (wad("5"), 750 * COIN)
    assert _allowed(desk, hostile) == [0, 0, 0]
    assert not any(desk.held())


def test_redeem__paid_in_the_issuers_dollar__is_changed_into_cash(desk: Desk, hostile: Contract) -> None:
    hostile.set_shares(10_000, 0, sender=address("attacker"))
    hostile.set_dollars(desk.issuer.usdon, 1_500 * WAD + UNIT // 2, sender=address("attacker"))
    desk.redeem(desk.quote(Side.SELL), 1_500 * COIN)
    assert desk.cash() == wad("101500")
    assert desk.issuer.usdon.balanceOf(address("holder")) == UNIT // 2


# words


@pytest.mark.parametrize(
    ("data", "told"),
    [
        (keccak(text="QuoteExpired()")[:4], rf"no reason \({keccak(text='QuoteExpired()')[:4].hex()}\)"),
        (keccak(text="E(uint256)")[:4] + (7).to_bytes(32), rf"no reason \({keccak(text='E(uint256)')[:4].hex()}0*7\)"),
        (b"\xff" * 300, rf"no reason \({'ff' * 300}\)"),
    ],
)
@pytest.mark.parametrize("side", list(Side))
def test_issuer__errors_of_its_own__are_passed_on_to_the_byte__IG_1(
    desk: Desk, hostile: Contract, data: bytes, told: str, side: Side
) -> None:
    """The original has no texts but custom errors: a keeper must be able to tell them."""
    hostile.set_refusal(data, sender=address("attacker"))
    _unmoved(desk, desk.quote(side), told)


# coming back in the middle


def _steps(desk: Desk) -> dict[str, tuple[Contract, bytes]]:
    gateway, system, attacker = desk.gateway, desk.stage.system, address("attacker")
    holder, quote = account("holder"), desk.quote(Side.SELL)
    return {
        "mint": (gateway, gateway.mint.encode(holder, AAPL, quote, b"", 1, True)),
        "redeem": (gateway, gateway.redeem.encode(holder, AAPL, quote, b"", 0, True)),
        "look": (gateway, gateway.listing.encode(AAPL)),
        "settle": (gateway, gateway.settle_receivable.encode(0, 1, False)),
        "withdraw": (system.vault, system.vault.withdraw.encode(holder, CASH, 1, attacker)),
        "end": (system.clearinghouse, system.clearinghouse.check_deferred.encode(holder, True)),
        "margin": (system.clearinghouse, system.clearinghouse.margin.encode(holder)),
        "start": (system.engine, system.engine.start.encode(holder)),
    }


@pytest.mark.parametrize("step", ["mint", "redeem", "look", "settle", "withdraw", "end", "margin", "start"])
@pytest.mark.parametrize("side", list(Side))
def test_issuer__comes_back_in_the_middle__is_turned_away(desk: Desk, hostile: Contract, step: str, side: Side) -> None:
    """Neither the gateway, which is locked, nor the account, whose check is put off, can be had half way."""
    target, payload = _steps(desk)[step]
    hostile.arm(target, payload, sender=address("attacker"))
    desk.act(desk.quote(side))
    assert not hostile.reentry_succeeded()


def test_issuer__takes_more_than_it_was_let__reverts(desk: Desk, hostile: Contract) -> None:
    hostile.set_shares(10_001, 10_000, sender=address("attacker"))
    for side in Side:
        before = desk.look()
        with pytest.raises(Revert):
            desk.act(desk.quote(side))
        assert desk.look() == before


def test_gateway__what_lies_there_already__is_nobodys_to_spend__IG_2(desk: Desk, hostile: Contract) -> None:
    """Neither counted as received nor taken, whichever way an issuer deals."""
    desk.coin.mint(desk.gateway, 10_000 * COIN, sender=address("deployer"))
    desk.issuer.usdon.mint(desk.gateway, 10_000 * WAD, sender=address("deployer"))
    desk.stock().mint(desk.gateway, 10_000 * WAD, sender=address("deployer"))
    held = desk.held()
    hostile.set_shares(10_000, 0, sender=address("attacker"))
    _unmoved(desk, desk.quote(Side.BUY), "gateway: too few tokens")
    _unmoved(desk, desk.quote(Side.SELL), "gateway: beyond the band")
    hostile.set_shares(10_000, 10_000, sender=address("attacker"))
    desk.mint(desk.quote(Side.BUY))
    desk.redeem(desk.quote(Side.SELL))
    assert desk.held() == held


@pytest.mark.parametrize("side", list(Side))
def test_issuer__in_league_with_the_owner__lets_him_draw_on_the_account_meanwhile__is_undone(
    desk: Desk, hostile: Contract, side: Side
) -> None:
    """The owner is a contract that the issuer calls; what it does alone is in its right."""
    batches = Batches(desk.stage, deployed_source(desk.stage.backend, ACTOR, address("deployer")))
    batches.fund(10_000)
    owner, account = batches.actor, batches.account
    call = desk.gateway.mint if side == Side.BUY else desk.gateway.redeem
    bought = desk.quote(Side.BUY, of=account)
    batches.call(desk.gateway.mint, account, AAPL, bought, b"", 1_500 * COIN, False)
    quote, cash = desk.quote(side, of=account), 1_500 * COIN if side == Side.BUY else 0
    for step in (batches.withdraw(1), batches.buy("1")):
        hostile.arm(owner, owner.call.encode(*step), sender=address("attacker"))
        before = desk.look(), desk.book.money(account)
        with pytest.raises(Revert, match=r"^gateway: account moved$"):
            batches.call(call, account, AAPL, quote, b"", cash, False)
        assert (desk.look(), desk.book.money(account)) == before
    hostile.arm("0x" + "00" * 20, b"", sender=address("attacker"))
    batches.call(call, account, AAPL, quote, b"", cash, False)


# a dollar that lies


@pytest.mark.parametrize(
    ("before", "after", "reason"),
    [
        (7, 6, "gateway: balance fell"),
        (7, 7 + WAD, "gateway: approval refused"),
        (7, 8, "gateway: transfer failed"),
    ],
)
def test_mint__a_dollar_that_does_not_do_as_it_should__leaves_everything_as_it_was__IG_1(
    desk: Desk, hostile: Contract, before: int, after: int, reason: str
) -> None:
    path = Path(__file__).with_name("hostile_dollar.vy")
    dollar = deployed_source(desk.stage.backend, path, address("deployer"))
    changed = listing(desk.issuer, manager=hostile.address, dollar=dollar.address)
    desk.stage.govern(desk.gateway.set_listing, AAPL, changed)
    dollar.say(before, True, sender=address("attacker"))
    hostile.arm(dollar, dollar.say.encode(after, False), sender=address("attacker"))
    _unmoved(desk, desk.quote(Side.BUY), reason)
