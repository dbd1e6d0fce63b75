"""A whole issuer from one call, around tokens that are there."""

from __future__ import annotations

import pytest

from prime_perps.chain import Contract
from prime_perps.chain.revm import RevmBackend
from prime_perps.errors import PrimePerpsError, Revert
from prime_perps.issuer.deployment import ISSUER_ID, Terms, deploy_issuer
from prime_perps.issuer.quotes import Side
from prime_perps.units import WAD
from tests.unit.devnet.conftest import COIN, USER, Desk, actor, open_desk


def test_deploy__wiring__is_whole(desk: Desk) -> None:
    issuer = desk.issuer
    assert issuer.manager.usdon() == issuer.usdon.address
    assert issuer.manager.usdonManager() == issuer.swapper.address
    assert issuer.manager.ondoIDRegistry() == issuer.registry.address
    assert issuer.manager.issuanceHours() == issuer.hours.address
    assert issuer.manager.sanityCheckOracle() == issuer.prices.address
    assert issuer.manager.ondoRateLimiter() == issuer.limits.address
    assert issuer.registry.getRegisteredID(issuer.usdon, issuer.manager) == ISSUER_ID
    for token in issuer.tokens:
        assert issuer.manager.gmTokenAccepted(token)
        assert token.is_minter(issuer.manager)
        assert not token.is_minter(issuer.in_kind)
        assert token.is_burner(issuer.manager)
        assert token.is_burner(issuer.in_kind)


def test_deploy__every_contract__is_the_deployers(desk: Desk) -> None:
    contracts = [value for value in vars(desk.issuer).values() if isinstance(value, Contract)]
    assert len(contracts) == 12
    assert {contract.owner() for contract in (*contracts, *desk.issuer.tokens)} == {desk.operator}


def test_deploy__each_token__can_be_bought_and_sold_for_either_dollar(desk: Desk) -> None:
    number = 0
    for token in desk.issuer.tokens:
        for coin in (desk.usdon, desk.coin):
            for side in Side:
                number += 1
                amount = {"amount": 1_800 * COIN} if side == Side.BUY else {"minimum": 1_800 * COIN}
                desk.act(desk.quote(side, asset=token.address, attestation_id=number), token=coin, **amount)
    assert desk.manager.executionId() == number == 8


def test_deploy__no_signer__takes_no_quote(desk: Desk) -> None:
    bare = deploy_issuer(desk.backend, desk.operator, desk.coin, desk.issuer.tokens)
    bare.register(desk.holder, USER, sender=desk.operator)
    bare.prices.post_price(desk.stock, 180 * WAD, sender=desk.operator)
    other = Desk(desk.backend, bare, desk.operator, desk.holder)
    with pytest.raises(Revert, match="issuer: signer not allowed"):
        other.mint(other.quote())


def test_deploy__no_inventory__needs_no_coin_of_ones_own(backend: RevmBackend, issuer: str, holder: str) -> None:
    desk = open_desk(backend, issuer, holder, Terms(inventory=0))
    assert desk.balances(desk.issuer.swapper.address) == (0, 0, 0)
    with pytest.raises(Revert, match="issuer: swapper empty"):
        desk.mint(desk.quote(), token=desk.coin, amount=1_800 * COIN)


def test_deploy__no_token__is_refused(desk: Desk) -> None:
    with pytest.raises(PrimePerpsError, match="an issuer needs a token"):
        deploy_issuer(desk.backend, desk.operator, desk.coin, [])


def test_deploy__tokens_of_somebody_else__are_refused(desk: Desk) -> None:
    with pytest.raises(Revert, match="ownable: caller is not the owner"):
        deploy_issuer(desk.backend, actor("stranger"), desk.coin, desk.issuer.tokens, terms=Terms(inventory=0))


def test_register__in_kind__is_another_permission(desk: Desk) -> None:
    with pytest.raises(Revert, match="issuer: not approved in kind"):
        desk.issuer.in_kind.redeem(desk.stock, WAD, sender=desk.holder)
    desk.issuer.approve_in_kind(desk.holder, USER, sender=desk.operator)
    desk.issuer.in_kind.redeem(desk.stock, WAD, sender=desk.holder)
