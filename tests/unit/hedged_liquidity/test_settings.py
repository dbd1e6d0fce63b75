"""Who may change what: the timelock lists and loosens, the guardian tightens, nobody else does anything."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from prime_perps.chain import Contract
from prime_perps.errors import Revert
from prime_perps.issuer.quotes import Side
from prime_perps.liquidity import BUFFER, LiquidityTerms, deploy_liquidity
from prime_perps.units import WAD
from tests.stage import address

from .conftest import Pool

TERMS = LiquidityTerms()
ATTACKER = address("attacker")


def test_deploy__hands_every_role_over(pool: Pool) -> None:
    vault, timelock = pool.vault, pool.stage.system.timelock
    for role in (vault.DEFAULT_ADMIN_ROLE(), vault.TIMELOCK_ROLE()):
        assert vault.hasRole(role, timelock)
        assert not vault.hasRole(role, address("deployer"))
    assert vault.hasRole(vault.GUARDIAN_ROLE(), address("guardian"))
    assert (vault.markets(), vault.buffer()) == ([0], BUFFER)
    assert tuple(vault.terms(0)) == tuple(vars(TERMS).values())


@pytest.mark.parametrize(("symbol", "error"), [("GME", KeyError), ("MSFT", Revert), ("BTC", Revert)])
def test_deploy__a_market_without_an_issuer__is_refused(pool: Pool, symbol: str, error: type[Exception]) -> None:
    with pytest.raises(error):
        deploy_liquidity(pool.stage.system, address("deployer"), address("guardian"), {symbol: TERMS})


@pytest.mark.parametrize("buffer", [9_999, 100_001])
def test_deploy__a_buffer_out_of_bounds__reverts(pool: Pool, buffer: int) -> None:
    with pytest.raises(Revert, match=r"^liquidity: out of range$"):
        Contract.deploy(
            pool.stage.backend, "HedgedLiquidity", pool.stage.system.batcher, buffer, sender=address("deployer")
        )


@pytest.mark.parametrize(
    "changed",
    [
        *({part: 50_001} for part in ("base", "size", "off_hours", "skew", "discount")),
        {"largest": 0},
        {"largest": TERMS.inventory + 1},
        {"inventory": 2**103 + 1},
    ],
)
def test_set_terms__out_of_bounds__reverts(pool: Pool, changed: dict[str, Any]) -> None:
    with pytest.raises(Revert, match=r"^liquidity: out of range$"):
        pool.stage.govern(pool.vault.set_terms, 0, replace(TERMS, **changed))


def test_set_terms__a_second_market__is_listed_and_looked_at(pool: Pool) -> None:
    pool.stage.govern(pool.vault.set_terms, 1, TERMS)
    assert pool.vault.markets() == [0, 1]
    assert pool.vault.is_open()
    pool.stage.oracle.set_halt(1, True, sender=address("guardian"))
    assert not pool.vault.is_open()


def test_AC_1_set_enabled__by_the_guardian__only_stops(pool: Pool) -> None:
    guardian = address("guardian")
    pool.vault.set_enabled(0, False, sender=guardian)
    assert not pool.vault.terms(0).enabled
    with pytest.raises(Revert, match=r"^roles: timelock only$"):
        pool.vault.set_enabled(0, True, sender=guardian)
    pool.stage.govern(pool.vault.set_enabled, 0, True)
    assert pool.vault.terms(0).enabled
    with pytest.raises(Revert, match=r"^liquidity: not listed$"):
        pool.vault.set_enabled(1, False, sender=guardian)


def test_AC_1_set_buffer__by_the_guardian__only_raises(pool: Pool) -> None:
    guardian = address("guardian")
    pool.vault.set_buffer(BUFFER + 1, sender=guardian)
    with pytest.raises(Revert, match=r"^roles: timelock only$"):
        pool.vault.set_buffer(BUFFER, sender=guardian)
    pool.stage.govern(pool.vault.set_buffer, BUFFER)
    assert pool.vault.buffer() == BUFFER


def _strangers(pool: Pool) -> dict[str, tuple[tuple[Any, ...], str | None]]:
    """What an attacker without coins or shares gets for calling each function that writes; None: harmless."""
    quote = pool.quote(Side.BUY, "10")
    forged = pool.order("10", 2 * pool.stage.index("AAPL"), "attacker")
    provider, role = address("provider"), (1).to_bytes(32)
    short = "stablecoin: allowance too small"
    missing = "access_control: account is missing role"
    return {
        "fill": ((forged, quote, b""), "issuer: bad signature"),
        "unwind": ((forged, 10 * WAD, 0), "liquidity: enabled"),
        "on_deferred_checks": ((b"",), "liquidity: batcher only"),
        "deposit": ((1, ATTACKER), short),
        "mint": ((10**6, ATTACKER), short),
        "withdraw": ((1, ATTACKER, provider), "erc20: insufficient allowance"),
        "redeem": ((10**6, ATTACKER, provider), "erc20: insufficient allowance"),
        "request_deposit": ((1,), short),
        "request_redeem": ((1,), "erc20: transfer amount exceeds balance"),
        "process": ((0,), "liquidity: no such request"),
        "cancel": ((0,), "liquidity: no such request"),
        "approve": ((ATTACKER, 1), None),
        "transfer": ((ATTACKER, 1), "erc20: transfer amount exceeds balance"),
        "transferFrom": ((provider, ATTACKER, 1), "erc20: insufficient allowance"),
        "set_terms": ((0, TERMS), "roles: timelock only"),
        "set_enabled": ((0, False), "roles: guardian only"),
        "set_buffer": ((BUFFER + 1,), "roles: guardian only"),
        "grantRole": ((role, ATTACKER), missing),
        "revokeRole": ((role, address("guardian")), missing),
        "renounceRole": ((role, address("guardian")), "access_control: can only renounce roles for itself"),
    }


def test_CH_5_strangers__every_function_that_writes__gives_them_nothing(pool: Pool) -> None:
    attempts = _strangers(pool)
    writing = {
        entry["name"]
        for entry in pool.vault.abi
        if entry["type"] == "function" and entry["stateMutability"] not in ("view", "pure")
    }
    assert set(attempts) == writing
    before = pool.look()
    for name, (given, reason) in attempts.items():
        method = getattr(pool.vault, name)
        if reason is None:
            method(*given, sender=ATTACKER)
        else:
            with pytest.raises(Revert, match=f"^{reason}$"):
                method(*given, sender=ATTACKER)
        assert pool.look() == before, name
