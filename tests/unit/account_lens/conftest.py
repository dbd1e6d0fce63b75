"""The lens in the whole system, with tokens of further issuers in the safe: one of 6 decimals and one of 18."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest

from prime_perps.chain import Contract
from prime_perps.margin import Breakdown, Closure, Exposure
from tests.stage import UNLIMITED, Stage, account, address

HALF = 128  # 6 decimals, half a unit of AAPL
DOUBLE = 254  # 18 decimals, two units of IBM
CAP = 1_000_000  # whole tokens


@dataclass
class Glass:
    """The lens, and the account of the holder, whom it looks at."""

    stage: Stage
    others: dict[int, Contract]

    @property
    def book(self) -> Contract:
        return self.stage.system.clearinghouse

    def summary(self, role: str = "holder") -> Any:
        return self.stage.system.lens.account_summary(account(role))

    def line(self, symbol: str) -> Any:
        """What the lens says about one underlying of the holder's."""
        return next(line for line in self.summary().lines if line.underlying == self.stage.id(symbol))

    def explain(self, *exposures: Exposure, debt: int = 0, shut: int = 0) -> Breakdown:
        """Straight from the model."""
        terms = self.stage.system.model.explain(list(exposures), Closure(shut, shut), debt)
        return Breakdown(*terms)

    def deposit_other(self, instrument: int, tokens: int) -> None:
        """Whole tokens of a further issuer, by the holder."""
        held, vault, holder = self.others[instrument], self.stage.system.vault, address("holder")
        amount = tokens * 10 ** held.decimals()
        held.mint(holder, amount, sender=address("deployer"))
        held.approve(vault, UNLIMITED, sender=holder)
        vault.deposit(account("holder"), instrument, amount, sender=holder)


def _list(stage: Stage, instrument: int, held: Contract, symbol: str, units: int) -> None:
    stage.govern(stage.system.configurator.list_other_token, instrument, stage.id(symbol), units)
    stage.govern(stage.system.vault.list_asset, instrument, held, CAP * 10 ** held.decimals())


@pytest.fixture(scope="session")
def _deployed() -> Glass:
    stage = Stage.deployed()
    deployer = address("deployer")
    others = {
        HALF: Contract.deploy(stage.backend, "Stablecoin", sender=deployer),
        DOUBLE: Contract.deploy(stage.backend, "FeeToken", 0, sender=deployer),
    }
    _list(stage, HALF, others[HALF], "AAPL", 10**18 // 2)
    _list(stage, DOUBLE, others[DOUBLE], "IBM", 2 * 10**18)
    stage.fund("maker", "1000000")
    return Glass(stage, others)


@pytest.fixture
def glass(_deployed: Glass) -> Iterator[Glass]:
    """Deployed once; every test starts from there."""
    with _deployed.stage.undone():
        yield _deployed
