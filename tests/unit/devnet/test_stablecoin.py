"""The stand-in for USDC: what it moves, and everything it refuses."""

from __future__ import annotations

import pytest

from prime_perps.chain import Contract, Receipt
from prime_perps.chain.revm import RevmBackend
from prime_perps.errors import Revert

ZERO = "0x" + "00" * 20
COIN = 10**6


@pytest.fixture
def coin(backend: RevmBackend, issuer: str, holder: str, spender: str) -> Contract:
    coin = Contract.deploy(backend, "Stablecoin", sender=issuer)
    coin.mint(holder, 100 * COIN, sender=issuer)
    coin.approve(spender, 50 * COIN, sender=holder)
    return coin


def test_metadata__always__is_a_six_decimal_dollar(coin: Contract) -> None:
    assert (coin.symbol(), coin.decimals()) == ("USDC", 6)


def test_transfer__enough_balance__moves_the_amount(coin: Contract, holder: str, receiver: str) -> None:
    receipt = coin.transfer(receiver, 30 * COIN, sender=holder)
    assert (coin.balanceOf(holder), coin.balanceOf(receiver)) == (70 * COIN, 30 * COIN)
    assert list(coin.events(receipt)) == [("Transfer", {"sender": holder, "receiver": receiver, "value": 30 * COIN})]


def test_transfer__to_oneself__changes_nothing(coin: Contract, holder: str) -> None:
    coin.transfer(holder, 30 * COIN, sender=holder)
    assert coin.balanceOf(holder) == 100 * COIN


def test_transfer__more_than_the_balance__reverts(coin: Contract, holder: str, receiver: str) -> None:
    with pytest.raises(Revert, match="stablecoin: balance too small"):
        coin.transfer(receiver, 100 * COIN + 1, sender=holder)


def test_transfer__to_nobody__reverts(coin: Contract, holder: str) -> None:
    with pytest.raises(Revert, match="stablecoin: zero receiver"):
        coin.transfer(ZERO, 1, sender=holder)


def test_transfer__to_the_coin_itself__reverts(coin: Contract, holder: str) -> None:
    with pytest.raises(Revert, match="stablecoin: blocked"):
        coin.transfer(coin.address, 1, sender=holder)


def test_transfer_from__within_the_allowance__uses_it_up(
    coin: Contract, holder: str, spender: str, receiver: str
) -> None:
    coin.transferFrom(holder, receiver, 20 * COIN, sender=spender)
    assert coin.balanceOf(receiver) == 20 * COIN
    assert coin.allowance(holder, spender) == 30 * COIN


def test_transfer_from__the_whole_allowance__leaves_none(
    coin: Contract, holder: str, spender: str, receiver: str
) -> None:
    coin.transferFrom(holder, receiver, 50 * COIN, sender=spender)
    assert coin.allowance(holder, spender) == 0


def test_transfer_from__unlimited_allowance__is_used_up_too(
    coin: Contract, holder: str, spender: str, receiver: str
) -> None:
    coin.approve(spender, 2**256 - 1, sender=holder)
    coin.transferFrom(holder, receiver, COIN, sender=spender)
    assert coin.allowance(holder, spender) == 2**256 - 1 - COIN


def test_transfer_from__beyond_the_allowance__reverts(coin: Contract, holder: str, spender: str, receiver: str) -> None:
    with pytest.raises(Revert, match="stablecoin: allowance too small"):
        coin.transferFrom(holder, receiver, 50 * COIN + 1, sender=spender)


def test_mint__by_the_owner__adds_to_the_supply(coin: Contract, issuer: str, receiver: str) -> None:
    coin.mint(receiver, COIN, sender=issuer)
    assert coin.balanceOf(receiver) == COIN
    assert coin.totalSupply() == 101 * COIN


def test_mint__to_nobody__reverts(coin: Contract, issuer: str) -> None:
    with pytest.raises(Revert, match="stablecoin: zero receiver"):
        coin.mint(ZERO, 1, sender=issuer)


def test_mint__more_than_a_word_holds__never_touches_the_block_bit(coin: Contract, issuer: str, receiver: str) -> None:
    coin.mint(receiver, 2**255 - 1 - 100 * COIN, sender=issuer)
    with pytest.raises(Revert, match="stablecoin: supply too large"):
        coin.mint(receiver, 1, sender=issuer)
    assert not coin.isBlacklisted(receiver)


def test_burn__of_ones_own__takes_from_the_supply(coin: Contract, holder: str) -> None:
    coin.burn(40 * COIN, sender=holder)
    assert coin.balanceOf(holder) == coin.totalSupply() == 60 * COIN


def test_burn__more_than_the_balance__reverts(coin: Contract, holder: str) -> None:
    with pytest.raises(Revert, match="stablecoin: balance too small"):
        coin.burn(100 * COIN + 1, sender=holder)


def test_pause__everything_that_moves_coins__reverts_until_unpaused(
    coin: Contract, issuer: str, holder: str, spender: str, receiver: str
) -> None:
    coin.pause(sender=issuer)
    for refused in (
        lambda: coin.transfer(receiver, 1, sender=holder),
        lambda: coin.transferFrom(holder, receiver, 1, sender=spender),
        lambda: coin.approve(spender, 1, sender=holder),
        lambda: coin.mint(receiver, 1, sender=issuer),
        lambda: coin.burn(1, sender=holder),
    ):
        with pytest.raises(Revert, match="stablecoin: paused"):
            refused()
    coin.unpause(sender=issuer)
    coin.transfer(receiver, 1, sender=holder)


def test_blacklist__sender__keeps_its_coins_and_cannot_move_them(
    coin: Contract, issuer: str, holder: str, spender: str, receiver: str
) -> None:
    coin.blacklist(holder, sender=issuer)
    assert coin.isBlacklisted(holder)
    assert coin.balanceOf(holder) == 100 * COIN
    for refused in (
        lambda: coin.transfer(receiver, 1, sender=holder),
        lambda: coin.transferFrom(holder, receiver, 1, sender=spender),
        lambda: coin.approve(spender, 1, sender=holder),
        lambda: coin.burn(1, sender=holder),
    ):
        with pytest.raises(Revert, match="stablecoin: blocked"):
            refused()


def test_blacklist__receiver__gets_nothing(
    coin: Contract, issuer: str, holder: str, spender: str, receiver: str
) -> None:
    coin.blacklist(receiver, sender=issuer)
    for refused in (
        lambda: coin.transfer(receiver, 1, sender=holder),
        lambda: coin.transferFrom(holder, receiver, 1, sender=spender),
        lambda: coin.approve(receiver, 1, sender=holder),
        lambda: coin.mint(receiver, 1, sender=issuer),
    ):
        with pytest.raises(Revert, match="stablecoin: blocked"):
            refused()


def test_blacklist__spender__moves_nothing(
    coin: Contract, issuer: str, holder: str, spender: str, receiver: str
) -> None:
    coin.blacklist(spender, sender=issuer)
    with pytest.raises(Revert, match="stablecoin: blocked"):
        coin.transferFrom(holder, receiver, 1, sender=spender)


def test_blacklist__address_without_coins__is_blocked_too(coin: Contract, issuer: str, receiver: str) -> None:
    assert not coin.isBlacklisted(receiver)
    coin.blacklist(receiver, sender=issuer)
    assert coin.isBlacklisted(receiver)
    assert coin.balanceOf(receiver) == 0


def test_un_blacklist__blocked_address__moves_its_coins_again(
    coin: Contract, issuer: str, holder: str, receiver: str
) -> None:
    coin.blacklist(holder, sender=issuer)
    coin.unBlacklist(holder, sender=issuer)
    coin.transfer(receiver, 100 * COIN, sender=holder)
    assert coin.balanceOf(receiver) == 100 * COIN


def test_owner_only__anybody_else__reverts(coin: Contract, attacker: str, holder: str) -> None:
    for refused in (
        lambda: coin.mint(attacker, 1, sender=attacker),
        lambda: coin.pause(sender=attacker),
        lambda: coin.unpause(sender=attacker),
        lambda: coin.blacklist(holder, sender=attacker),
        lambda: coin.unBlacklist(holder, sender=attacker),
    ):
        with pytest.raises(Revert, match="ownable: caller is not the owner"):
            refused()


def test_events__everything_that_writes__says_so(coin: Contract, issuer: str, holder: str, spender: str) -> None:
    def told(receipt: Receipt) -> list[tuple[str, dict[str, object]]]:
        return list(coin.events(receipt))

    approval = {"owner": holder, "spender": spender, "value": 3}
    assert told(coin.approve(spender, 3, sender=holder)) == [("Approval", approval)]
    minted = {"sender": ZERO, "receiver": holder, "value": 4}
    assert told(coin.mint(holder, 4, sender=issuer)) == [("Transfer", minted)]
    burnt = {"sender": holder, "receiver": ZERO, "value": 5}
    assert told(coin.burn(5, sender=holder)) == [("Transfer", burnt)]
    assert told(coin.pause(sender=issuer)) == [("Pause", {})]
    assert told(coin.unpause(sender=issuer)) == [("Unpause", {})]
    assert told(coin.blacklist(holder, sender=issuer)) == [("Blacklisted", {"account": holder})]
    assert told(coin.unBlacklist(holder, sender=issuer)) == [("UnBlacklisted", {"account": holder})]
