"""Deploy hedged liquidity beside a system: the vault that takes the other side and hedges at the issuer."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from prime_perps.chain.contract import Contract
from prime_perps.deployment import Deployment
from prime_perps.units import WAD

BUFFER = 12_500  # bps of initial margin


@dataclass(frozen=True)
class LiquidityTerms:
    """
    Of one market, as the contract takes them: pips of the price, and wad USD.

    `size` is added in proportion to a fill of `largest`, `skew` to an inventory of `inventory`, `off_hours` outside the
    regular session. `discount` is what whoever takes a pair over is given while the market is wound down.
    """

    base: int = 700
    size: int = 300
    off_hours: int = 1_000
    skew: int = 500
    discount: int = 500
    largest: int = 2_000_000 * WAD
    inventory: int = 5_000_000 * WAD
    enabled: bool = True


def deploy_liquidity(
    system: Deployment, sender: str, guardian: str, terms: Mapping[str, LiquidityTerms], buffer: int = BUFFER
) -> Contract:
    """
    Deploy the vault, list markets by symbol, and hand its roles over to the system's timelock and a guardian.

    Raises KeyError for a symbol that is not listed, and Revert when the contract refuses terms or the gateway does not
    list the token.
    """
    numbered = {system.underlying(symbol).id: given for symbol, given in terms.items()}
    vault = Contract.deploy(system.backend, "HedgedLiquidity", system.batcher, buffer, sender=sender)
    admin, timelock = vault.DEFAULT_ADMIN_ROLE(), vault.TIMELOCK_ROLE()
    vault.grantRole(timelock, sender, sender=sender)
    for market, given in numbered.items():
        vault.set_terms(market, given, sender=sender)
    vault.grantRole(vault.GUARDIAN_ROLE(), guardian, sender=sender)
    for role in (timelock, admin):
        vault.grantRole(role, system.timelock, sender=sender)
        vault.renounceRole(role, sender, sender=sender)
    return vault
