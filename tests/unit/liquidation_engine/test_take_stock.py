"""take, when the account holds stock tokens: their issuer cannot stop a slice, only the way out of the safe."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from eth_account import Account
from eth_utils import keccak

from prime_perps.accounts import token
from prime_perps.chain.contract import Contract
from prime_perps.errors import Revert
from prime_perps.issuer.deployment import Issuer, deploy_issuer
from prime_perps.issuer.quotes import Quote, Side, sign
from prime_perps.units import WAD, wad
from tests.stage import UNLIMITED, account, address

from .conftest import Auctions

OPERATOR = address("deployer")
KEEPER = address("keeper")
SIGNER = keccak(text="issuer's signer")
USER = keccak(text="keeper's id")
TOKENS = 5 * WAD


@pytest.fixture
def issuer(auctions: Auctions) -> Issuer:
    """The issuer of the system's NVDA token, which knows the keeper; the holder has five and is liquidatable."""
    system = auctions.stage.system
    auctions.distress("8000", "10000")
    auctions.stage.fund_stock("holder", "NVDA", "5")
    issuer = deploy_issuer(system.backend, OPERATOR, system.cash, [nvda(auctions)], [Account.from_key(SIGNER).address])
    issuer.register(KEEPER, USER, sender=OPERATOR)
    issuer.prices.post_price(nvda(auctions), wad(140), sender=OPERATOR)
    nvda(auctions).set_burner(OPERATOR, True, sender=OPERATOR)
    return issuer


def nvda(auctions: Auctions) -> Contract:
    held = auctions.stage.system.underlying("NVDA").token
    assert held is not None
    return held


def taken(auctions: Auctions) -> int:
    """Tokens in the keeper's account, wad."""
    return int(auctions.book.holding(account("keeper"), token(auctions.stage.id("NVDA"))))


def withdraw(auctions: Auctions) -> None:
    """All of them."""
    stage, amount = auctions.stage, taken(auctions)
    stage.system.vault.withdraw(account("keeper"), token(stage.id("NVDA")), amount, KEEPER, sender=KEEPER)


def redeem(auctions: Auctions, issuer: Issuer) -> None:
    """What the keeper has in hand, into the settlement coin, at 139 USD."""
    now, chain_id = auctions.stage.now(), auctions.stage.backend.chain_id()
    quantity = nvda(auctions).balanceOf(KEEPER)
    quote = Quote(chain_id, 1, USER, nvda(auctions).address, wad(139), quantity, now + 60, Side.SELL)
    signature = sign(quote, SIGNER, issuer.manager.address)
    nvda(auctions).approve(issuer.manager, UNLIMITED, sender=KEEPER)
    issuer.manager.redeemWithAttestation(quote, signature, issuer.coin, 0, sender=KEEPER)


def test_take__stock_of_a_debtor__can_be_redeemed_for_cash(auctions: Auctions, issuer: Issuer) -> None:
    before = issuer.coin.balanceOf(KEEPER)
    auctions.take()
    slice_of_five = taken(auctions)
    assert 0 < slice_of_five < TOKENS
    withdraw(auctions)
    redeem(auctions, issuer)
    assert issuer.coin.balanceOf(KEEPER) - before == 139 * slice_of_five // 10**12
    assert nvda(auctions).balanceOf(KEEPER) == 0


def seize(auctions: Auctions, issuer: Issuer) -> None:
    nvda(auctions).burn(auctions.stage.system.vault, TOKENS, sender=OPERATOR)


def pause(auctions: Auctions, issuer: Issuer) -> None:
    nvda(auctions).set_paused(True, sender=OPERATOR)


def block(auctions: Auctions, issuer: Issuer) -> None:
    issuer.compliance.set_blocked(auctions.stage.system.vault.address, True, sender=OPERATOR)


@pytest.mark.parametrize(
    ("act", "reason"),
    [(seize, "vault: not enough in safe"), (pause, "token: paused"), (block, "compliance: blocked")],
)
def test_take__token_seized_paused_or_safe_blocked__moves_the_slice_and_its_way_out_tells_why(
    auctions: Auctions, issuer: Issuer, act: Callable[[Auctions, Issuer], None], reason: str
) -> None:
    act(auctions, issuer)
    auctions.take()
    assert taken(auctions) > 0
    with pytest.raises(Revert, match=reason):
        withdraw(auctions)


def test_take__pause_by_the_shares_oracle_alone__stops_nothing(auctions: Auctions, issuer: Issuer) -> None:
    issuer.shares.scheduleCorporateActionPause(nvda(auctions), 10 * WAD, 0, sender=OPERATOR)
    auctions.take()
    withdraw(auctions)
    redeem(auctions, issuer)
