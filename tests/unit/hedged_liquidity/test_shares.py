"""ERC-4626: what a share costs and brings, what may be withdrawn, and what waits while the exchange is shut."""

from __future__ import annotations

from pathlib import Path

import pytest

from prime_perps.errors import Revert
from prime_perps.units import WAD, wad
from tests.stage import address, deployed_source
from tests.unit import issuer_gateway
from tests.unit.issuer_gateway.conftest import COIN, ISSUER, listing

from .conftest import EQUITY, Pool

HOSTILE = Path(issuer_gateway.__file__).with_name("hostile_issuer.vy")
SHARE = 10**6  # shares of a raw unit of coin, in the beginning


def test_asset__is_the_settlement_coin_and_shares_have_six_decimals_more(pool: Pool) -> None:
    vault = pool.vault
    assert (vault.asset(), vault.decimals()) == (pool.coin.address, 12)
    assert vault.symbol() == "ppLIQ"
    assert (vault.totalAssets(), vault.totalSupply()) == (EQUITY * COIN, EQUITY * COIN * SHARE)


def test_deposit__what_was_previewed__is_minted_and_the_account_has_the_cash(pool: Pool) -> None:
    expected = pool.vault.previewDeposit(1_000 * COIN)
    pool.deposit("second", 1_000)
    assert pool.shares("second") == expected == 1_000 * COIN * SHARE
    assert pool.margin.cash == wad("61000")
    assert pool.coin.balanceOf(pool.vault) == 0


def test_mint__what_was_previewed__is_paid(pool: Pool) -> None:
    pool.fill("6700")
    pool.fund("second", 2_000)
    expected = pool.vault.previewMint(10**15)
    pool.vault.mint(10**15, address("second"), sender=address("second"))
    assert pool.shares("second") == 10**15
    assert pool.coins("second") == 2_000 * COIN - expected


def test_withdraw__what_was_previewed__is_burnt(pool: Pool) -> None:
    expected = pool.vault.previewWithdraw(1_000 * COIN)
    held = pool.shares("provider")
    pool.vault.withdraw(1_000 * COIN, address("receiver"), address("provider"), sender=address("provider"))
    assert pool.coins("receiver") == 1_000 * COIN
    assert held - pool.shares("provider") == expected


def test_redeem__everything_without_inventory__brings_everything(pool: Pool) -> None:
    held = pool.shares("provider")
    assert pool.vault.maxRedeem(address("provider")) == held
    pool.vault.redeem(held, address("provider"), address("provider"), sender=address("provider"))
    assert pool.coins("provider") == EQUITY * COIN
    assert (pool.vault.totalSupply(), pool.vault.totalAssets()) == (0, 0)


def test_redeem__what_fills_have_earned__is_shared(pool: Pool) -> None:
    pool.fill("6700")
    pool.fill("-6700")
    earned = pool.margin.equity - EQUITY * WAD
    assert earned > 900 * WAD
    held = pool.shares("provider")
    assert 0 <= (EQUITY * WAD + earned) // 10**12 - pool.vault.previewRedeem(held) <= 1


@pytest.mark.parametrize("call", ["withdraw", "redeem"])
def test_leave__by_allowance__is_allowed_up_to_it(pool: Pool, call: str) -> None:
    method = getattr(pool.vault, call)
    amount = 100 * COIN * (SHARE if call == "redeem" else 1)
    with pytest.raises(Revert, match=r"^erc20: insufficient allowance$"):
        method(amount, address("friend"), address("provider"), sender=address("friend"))
    pool.vault.approve(address("friend"), 100 * COIN * SHARE, sender=address("provider"))
    method(amount, address("friend"), address("provider"), sender=address("friend"))
    assert pool.coins("friend") == 100 * COIN
    with pytest.raises(Revert, match=r"^erc20: insufficient allowance$"):
        method(amount, address("friend"), address("provider"), sender=address("friend"))


def test_redeem__everything_after_fills__needs_no_settlement_beforehand(pool: Pool) -> None:
    """What the perps have brought is not cash yet; the vault sees to it."""
    pool.fill("1000")
    pool.stage.publish(AAPL="151")
    pool.desk.post()
    pool.fill("-1000")
    assert pool.margin.quote != 0
    provider = address("provider")
    pool.vault.redeem(pool.vault.maxRedeem(provider), provider, provider, sender=provider)
    assert pool.shares("provider") == 0


# what inventory needs


def test_withdraw__with_inventory__leaves_the_buffer(pool: Pool) -> None:
    pool.fill("6700")
    most = pool.vault.maxWithdraw(address("provider"))
    assert 10_000 * COIN < most < 17_200 * COIN
    with pytest.raises(Revert, match=r"^liquidity: over the maximum$"):
        pool.vault.withdraw(most + 1, address("provider"), address("provider"), sender=address("provider"))
    pool.vault.withdraw(most, address("provider"), address("provider"), sender=address("provider"))
    assert pool.margin.equity * 10_000 >= pool.margin.initial * pool.vault.buffer()


def test_redeem__with_inventory__as_many_as_it_says(pool: Pool) -> None:
    pool.fill("6700")
    most = pool.vault.maxRedeem(address("provider"))
    assert 0 < most < pool.shares("provider")
    pool.vault.redeem(most, address("provider"), address("provider"), sender=address("provider"))


@pytest.mark.parametrize("stop", ["book", "vault"])
def test_max_withdraw__while_withdrawals_are_paused__is_nothing(pool: Pool, stop: str) -> None:
    system, guardian = pool.stage.system, address("guardian")
    if stop == "book":
        system.configurator.set_paused(2, sender=guardian)
    else:
        system.vault.set_paused(True, sender=guardian)
    assert (pool.vault.maxWithdraw(address("provider")), pool.vault.maxRedeem(address("provider"))) == (0, 0)


def test_max_withdraw__of_whoever_has_no_shares__is_nothing(pool: Pool) -> None:
    nobody = address("nobody")
    assert (pool.vault.maxWithdraw(nobody), pool.vault.maxRedeem(nobody)) == (0, 0)


def test_max_deposit__is_what_the_safe_has_room_for(pool: Pool) -> None:
    cash = pool.stage.system.vault.asset(255)
    room = pool.vault.maxDeposit(address("second"))
    assert room == cash.cap - cash.booked
    assert pool.vault.maxMint(address("second")) == room * SHARE


# the first depositor


def test_deposit__after_a_gift_to_the_first_share__rounds_nobody_to_nothing(pool: Pool) -> None:
    """A trade at a price that suits the vault is the only gift there is; it costs far more than it can take."""
    provider = address("provider")
    pool.vault.redeem(pool.shares("provider"), provider, provider, sender=provider)
    pool.fund("attacker", 1)
    pool.vault.deposit(1, address("attacker"), sender=address("attacker"))
    pool.fund("attacker", 100_000)
    pool.deposit("helper", 30_000)
    pool.fill("1000", worse=-(3 * WAD))
    gift = pool.margin.equity
    assert gift > 33_000 * WAD
    pool.deposit("victim", 10_000)
    worth = pool.vault.previewRedeem(pool.shares("victim"))
    assert worth >= 10_000 * COIN - 1


# a jump


def test_shares__at_a_jump__are_dear_to_buy_and_cheap_to_sell(pool: Pool) -> None:
    """Hedged, a jump is worth nothing. So an issuer gives a twentieth more tokens than were quoted."""
    hostile = deployed_source(pool.stage.backend, HOSTILE, ISSUER)
    pool.desk.stock().mint(hostile, wad("10000"), sender=ISSUER)
    hostile.set_shares(10_000, 10_500, sender=ISSUER)
    pool.stage.govern(pool.desk.gateway.set_listing, 64, listing(pool.desk.issuer, manager=hostile.address))
    pool.fill("2000")
    pool.stage.publish(AAPL="160")
    margin = pool.margin
    assert margin.slow < 0
    supply = pool.vault.totalSupply()
    low, high = (margin.equity + margin.slow) // 10**12, -(-margin.equity // 10**12)
    assert pool.vault.totalAssets() == low < high
    assert pool.vault.previewRedeem(10**15) == 10**15 * (low + 1) // (supply + SHARE)
    assert pool.vault.previewDeposit(10**9) == 10**9 * (supply + SHARE) // (high + 1)


# shut


def test_shut__nothing_is_taken_or_given(pool: Pool) -> None:
    pool.fund("second", 1_000)
    pool.shut()
    provider, second = address("provider"), address("second")
    assert not pool.vault.is_open()
    most = [getattr(pool.vault, f"max{what}")(provider) for what in ("Deposit", "Mint", "Withdraw", "Redeem")]
    assert most == [0, 0, 0, 0]
    for method, given in (
        (pool.vault.deposit, (COIN, second)),
        (pool.vault.mint, (10**12, second)),
        (pool.vault.withdraw, (COIN, provider, provider)),
        (pool.vault.redeem, (10**12, provider, provider)),
    ):
        with pytest.raises(Revert, match=r"^liquidity: over the maximum$"):
            method(*given, sender=second if len(given) == 2 else provider)


def test_request__a_deposit_while_shut__is_made_at_the_price_of_the_reopening(pool: Pool) -> None:
    pool.fill("6700")
    pool.fund("second", 1_000)
    pool.shut()
    pool.vault.request_deposit(1_000 * COIN, sender=address("second"))
    assert pool.vault.request(0) == (address("second"), 1_000 * COIN, 0)
    assert (pool.coins("second"), pool.vault.totalAssets()) == (0, pool.margin.equity // 10**12)
    with pytest.raises(Revert, match=r"^liquidity: over the maximum$"):
        pool.vault.process(0, sender=address("anybody"))
    pool.reopen()
    expected = pool.vault.previewDeposit(1_000 * COIN)
    pool.vault.process(0, sender=address("anybody"))
    assert pool.shares("second") == expected
    with pytest.raises(Revert, match=r"^liquidity: no such request$"):
        pool.vault.process(0, sender=address("anybody"))


def test_request__a_redemption_while_shut__is_paid_at_the_price_of_the_reopening(pool: Pool) -> None:
    pool.shut()
    half = pool.shares("provider") // 2
    pool.vault.request_redeem(half, sender=address("provider"))
    assert pool.shares("provider") == half
    pool.reopen()
    pool.vault.process(0, sender=address("anybody"))
    assert pool.coins("provider") == EQUITY * COIN // 2
    assert pool.vault.balanceOf(pool.vault) == 0


@pytest.mark.parametrize("kind", ["deposit", "redeem"])
def test_cancel__by_the_owner__gives_back_what_was_left(pool: Pool, kind: str) -> None:
    pool.fund("provider", 1_000)
    before = (pool.coins("provider"), pool.shares("provider"))
    getattr(pool.vault, f"request_{kind}")(10**9, sender=address("provider"))
    with pytest.raises(Revert, match=r"^liquidity: not the owner$"):
        pool.vault.cancel(0, sender=address("attacker"))
    pool.vault.cancel(0, sender=address("provider"))
    assert (pool.coins("provider"), pool.shares("provider")) == before
    with pytest.raises(Revert, match=r"^liquidity: no such request$"):
        pool.vault.cancel(0, sender=address("provider"))


@pytest.mark.parametrize("kind", ["deposit", "redeem"])
def test_request__nothing__reverts(pool: Pool, kind: str) -> None:
    pool.fund("provider", 1)
    with pytest.raises(Revert, match=r"^liquidity: nothing$"):
        getattr(pool.vault, f"request_{kind}")(0, sender=address("provider"))
