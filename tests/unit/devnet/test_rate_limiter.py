"""The issuer's limits: a bucket for everybody and one for each user, by side, that decay in a straight line."""

from __future__ import annotations

from typing import Any

import pytest
from eth_utils import keccak

from prime_perps.chain import Contract
from prime_perps.chain.revm import RevmBackend
from prime_perps.errors import Revert
from prime_perps.issuer.deployment import Terms
from prime_perps.issuer.quotes import Side
from prime_perps.units import WAD
from tests.unit.devnet.conftest import PRICE, USER, Desk, open_desk

HOUR = 3_600
LIMIT = 10 * PRICE
OTHER = keccak(text="another id")

both_sides = pytest.mark.parametrize("side", list(Side), ids=lambda side: side.name.lower())


@pytest.fixture
def desk(backend: RevmBackend, issuer: str, holder: str) -> Desk:
    """Ten tokens' worth an hour for a user, fifteen for everybody."""
    return open_desk(backend, issuer, holder, Terms(user_limit=LIMIT, token_limit=3 * LIMIT // 2, window=HOUR))


def tokens(desk: Desk, side: Side, quantity: int, attestation_id: int = 1, **changed: Any) -> None:
    desk.act(desk.quote(side, quantity=quantity, attestation_id=attestation_id, **changed))


def state(desk: Desk, side: Side, user: bytes | None = None) -> tuple[int, int]:
    """(used, available) of everybody, or of one user."""
    limits, token = desk.issuer.limits, desk.stock
    if user is None:
        views = (limits.getCurrentGlobalSubscriptionLimit, limits.getCurrentGlobalRedemptionLimit)
        return tuple(views[side](token))
    return tuple((limits.getCurrentUserSubscriptionLimit, limits.getCurrentUserRedemptionLimit)[side](token, user))


@both_sides
def test_user__exactly_the_limit__passes_and_a_wei_more_does_not(desk: Desk, side: Side) -> None:
    with pytest.raises(Revert, match="issuer: limit exceeded"):
        tokens(desk, side, 10 * WAD, price=PRICE + 1)
    tokens(desk, side, 10 * WAD)
    assert state(desk, side, USER) == (LIMIT, 0)
    assert state(desk, side) == (LIMIT, LIMIT // 2)


@both_sides
def test_user__after_some_time__has_again_what_decayed_and_no_more(desk: Desk, side: Side) -> None:
    tokens(desk, side, 10 * WAD)
    desk.backend.warp(HOUR // 10)
    assert state(desk, side, USER) == (9 * PRICE, PRICE)
    with pytest.raises(Revert, match="issuer: limit exceeded"):
        tokens(desk, side, WAD, 2, price=PRICE + 1)
    tokens(desk, side, WAD, 2)
    assert state(desk, side, USER) == (LIMIT, 0)


@both_sides
def test_user__a_second_short_of_the_window__lacks_a_second_of_the_limit(desk: Desk, side: Side) -> None:
    tokens(desk, side, 10 * WAD)
    desk.backend.warp(HOUR - 1)
    left = LIMIT - LIMIT * (HOUR - 1) // HOUR
    assert state(desk, side, USER) == (left, LIMIT - left)
    desk.backend.warp(1)
    assert state(desk, side, USER) == (0, LIMIT)


@both_sides
def test_user__little_used__is_soon_empty_and_never_below(desk: Desk, side: Side) -> None:
    tokens(desk, side, WAD)
    desk.backend.warp(HOUR // 2)
    assert state(desk, side, USER) == (0, LIMIT)


@both_sides
def test_everybody__together_at_the_limit__passes_and_a_wei_more_does_not(desk: Desk, side: Side) -> None:
    tokens(desk, side, 10 * WAD)
    registry = desk.issuer.registry
    registry.register(desk.manager.gmIdentifier(), desk.holder, OTHER, sender=desk.operator)
    with pytest.raises(Revert, match="issuer: limit exceeded"):
        tokens(desk, side, 5 * WAD, 2, user_id=OTHER, price=PRICE + 1)
    tokens(desk, side, 5 * WAD, 2, user_id=OTHER)
    assert state(desk, side) == (3 * LIMIT // 2, 0)
    assert state(desk, side, OTHER) == (LIMIT // 2, LIMIT // 2)


@both_sides
def test_sides_and_tokens__each__have_buckets_of_their_own(desk: Desk, side: Side) -> None:
    tokens(desk, side, 10 * WAD)
    tokens(desk, Side(1 - side), 10 * WAD, 2)
    tokens(desk, side, 10 * WAD, 3, asset=desk.issuer.tokens[1].address)


@both_sides
def test_refusal__of_either_bucket__charges_neither(desk: Desk, side: Side) -> None:
    with pytest.raises(Revert, match="issuer: limit exceeded"):
        tokens(desk, side, 11 * WAD)
    assert state(desk, side) == (0, 3 * LIMIT // 2)


@both_sides
def test_user__first_seen__keeps_the_defaults_of_that_day(desk: Desk, side: Side) -> None:
    assert state(desk, side, USER) == (0, 0)
    tokens(desk, side, WAD)
    desk.issuer.limits.set_default_user_limit(side, desk.stock, 1, HOUR, sender=desk.operator)
    tokens(desk, side, WAD, 2)
    assert sum(state(desk, side, USER)) == LIMIT


@both_sides
def test_limits__never_set__revert(desk: Desk, side: Side) -> None:
    limits = desk.issuer.limits
    limits.set_default_user_limit(side, desk.stock, 0, HOUR, sender=desk.operator)
    with pytest.raises(Revert, match="issuer: limits not set"):
        tokens(desk, side, WAD)
    bare = Contract.deploy(desk.backend, "RateLimiter", sender=desk.operator)
    bare.set_client(desk.operator, True, sender=desk.operator)
    with pytest.raises(Revert, match="issuer: limits not set"):
        bare.checkAndUpdateRateLimit(side, desk.stock, USER, 0, sender=desk.operator)


@both_sides
def test_set_user_limit__for_one__empties_the_bucket_and_binds(desk: Desk, side: Side) -> None:
    tokens(desk, side, 10 * WAD)
    limits = desk.issuer.limits
    receipt = limits.set_user_limit(side, desk.stock, USER, 2 * PRICE, HOUR, sender=desk.operator)
    terms = {"transactionType": side, "rwaToken": desk.stock.address, "limit": 2 * PRICE, "window": HOUR}
    assert list(limits.events(receipt)) == [("UserLimitSet", terms | {"userID": USER})]
    assert state(desk, side, USER) == (0, 2 * PRICE)
    with pytest.raises(Revert, match="issuer: limit exceeded"):
        tokens(desk, side, 3 * WAD, 2)


@both_sides
def test_set_global_limit__lower__empties_the_bucket_and_binds(desk: Desk, side: Side) -> None:
    tokens(desk, side, WAD)
    limits = desk.issuer.limits
    receipt = limits.set_global_limit(side, desk.stock, PRICE, HOUR, sender=desk.operator)
    terms = {"transactionType": side, "rwaToken": desk.stock.address, "limit": PRICE, "window": HOUR}
    assert list(limits.events(receipt)) == [("GlobalLimitSet", terms)]
    assert state(desk, side) == (0, PRICE)
    receipt = limits.set_default_user_limit(side, desk.stock, PRICE, HOUR, sender=desk.operator)
    assert list(limits.events(receipt)) == [("DefaultUserLimitSet", terms)]


def test_window__of_no_time__binds_nothing_but_the_single_quote(desk: Desk) -> None:
    desk.issuer.limits.set_user_limit(Side.BUY, desk.stock, USER, PRICE, 0, sender=desk.operator)
    tokens(desk, Side.BUY, WAD, 1)
    tokens(desk, Side.BUY, WAD, 2)
    with pytest.raises(Revert, match="issuer: limit exceeded"):
        tokens(desk, Side.BUY, 2 * WAD, 3)


def test_check__by_anybody_but_a_client__reverts(desk: Desk, attacker: str) -> None:
    limits = desk.issuer.limits
    with pytest.raises(Revert, match="issuer: client only"):
        limits.checkAndUpdateRateLimit(Side.BUY, desk.stock, USER, 1, sender=attacker)
    receipt = limits.set_client(attacker, True, sender=desk.operator)
    assert list(limits.events(receipt)) == [("ClientSet", {"client": attacker, "allowed": True})]
    limits.checkAndUpdateRateLimit(Side.BUY, desk.stock, USER, 1, sender=attacker)


def test_administration__by_anybody_else__reverts(desk: Desk, attacker: str) -> None:
    limits = desk.issuer.limits
    for refused in (
        lambda: limits.set_client(attacker, True, sender=attacker),
        lambda: limits.set_global_limit(0, desk.stock, 1, 1, sender=attacker),
        lambda: limits.set_default_user_limit(0, desk.stock, 1, 1, sender=attacker),
        lambda: limits.set_user_limit(0, desk.stock, USER, 1, 1, sender=attacker),
    ):
        with pytest.raises(Revert, match="ownable: caller is not the owner"):
            refused()
