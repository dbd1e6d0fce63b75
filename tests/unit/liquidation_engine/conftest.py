"""A system whose margin can be worked out by hand, and a holder who can be put under water to the cent.

Maintenance margin is 10 % of net exposure and nothing else: a floor of 995 bps and a half-width of 5, no shocks, no
fees, no interest. A holder of 1,000 SPY perps at 100 USD needs 10,000 USD. The exchange is too deep for the throttle to
matter, and takers keep all they gain.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction
from typing import Any

import pytest

from prime_perps.accounts import CASH
from prime_perps.chain import Receipt
from prime_perps.chain.contract import Contract
from prime_perps.margin import Globals, Line, Table
from prime_perps.units import BPS, WAD, wad
from tests.stage import Stage, account, address, parameters

BOUGHT_AT = 125
BOUGHT_HIGH = 150
FALLEN_TO = 100
RATE = Fraction(1, 10)
ANY_PRICE = WAD
EVERYTHING = WAD

NO_SHOCKS = Globals(
    phi=(0, 0, 0, 0),
    short_side=BPS,
    jump=BPS,
    event_factor=BPS,
    slope_cap=0,
    weekend=BPS,
    long_closure=BPS,
    loan_rate=0,
)
FLOOR_ONLY = Line(
    group=0, beta=0, iota=0, gamma=995, basis=0, wrapper=0, wrapper_other=0, slope=0, hours=1, depth=10**9
)


@dataclass
class Auctions:
    """The stage, and the holder's way under water."""

    stage: Stage

    @property
    def engine(self) -> Contract:
        return self.stage.system.engine

    @property
    def book(self) -> Contract:
        return self.stage.system.clearinghouse

    @property
    def timelock(self) -> str:
        """Stands in for the real one, which gave it its role."""
        return address("timelock")

    @property
    def insurance(self) -> int:
        return int(self.book.insurance_account())

    def distress(self, equity: str, maintenance: str, role: str = "holder", settled: bool = True) -> None:
        """
        Give a role exactly this equity and maintenance margin, USD: it buys SPY at 125 and the price falls to 100,
        where it stays, unless not `settled`, until the slow price is there too.

        Equity may be as low as -0.8 times maintenance, as what is deposited must be enough to buy with; below that it
        buys at 150.
        """
        size = Decimal(maintenance) / FALLEN_TO * RATE.denominator
        bought_at = BOUGHT_AT if Decimal(equity) >= -Decimal(maintenance) * 4 / 5 else BOUGHT_HIGH
        self.stage.publish(SPY=str(bought_at))
        self.stage.settle_slow_prices()
        self.stage.fund(role, str(Decimal(equity) + size * (bought_at - FALLEN_TO)))
        self.stage.trade("maker", role, "SPY", str(size))
        self.stage.publish(SPY=str(FALLEN_TO))
        if settled:
            self.stage.settle_slow_prices()
        margin = self.stage.margin(role)
        assert (margin.equity, margin.maintenance) == (wad(equity), wad(maintenance))

    def wait(self, seconds: int) -> None:
        """Let time pass; prices stay what they are, and fresh."""
        self.stage.warp(seconds - 1)
        self.stage.publish()

    def attend(self, seconds: int, role: str = "holder") -> None:
        """The same, while a keeper calls start as rarely as keeps the auction of a role alive."""
        lapse = self.engine.terms().lapse
        while seconds > lapse:
            self.wait(lapse)
            self.start(role)
            seconds -= lapse
        self.wait(seconds)

    def start(self, role: str = "holder") -> Receipt:
        receipt: Receipt = self.engine.start(account(role), sender=address("keeper"))
        return receipt

    def take(
        self,
        fraction: int = EVERYTHING,
        max_price: int = ANY_PRICE,
        role: str = "holder",
        keeper: str = "keeper",
        state: int | None = None,
    ) -> Receipt:
        """The keeper takes a slice of a role's account into its own, on the account's present state unless told."""
        known = self.state(role) if state is None else state
        receipt: Receipt = self.engine.take(
            account(role), account(keeper), fraction, max_price, known, sender=address(keeper)
        )
        return receipt

    def state(self, role: str = "holder") -> int:
        return int(self.book.state_counter(account(role)))

    def quote(self, role: str = "holder") -> Any:
        return self.engine.quote(account(role))

    def auction(self, role: str = "holder") -> Any:
        return self.engine.auction(account(role))

    def cash(self, who: int) -> int:
        """Cash of any account, wad."""
        return int(self.book.money(who).cash)

    def insure(self, dollars: str) -> None:
        """Put money into the insurance account."""
        amount = int(Decimal(dollars) * 10**6)
        cash, vault, donor = self.stage.system.cash, self.stage.system.vault, address("donor")
        cash.mint(donor, amount, sender=address("deployer"))
        cash.approve(vault, amount, sender=donor)
        vault.deposit(self.insurance, CASH, amount, sender=donor)

    def without_cash(self, *roles: str) -> None:
        """Have them hold stock instead of cash, 1,000,000 USD of it."""
        for role in roles:
            self.stage.fund_stock(role, "AAPL", "6667")
            whole = self.cash(account(role)) // 10**12
            self.stage.system.vault.withdraw(account(role), CASH, whole, address(role), sender=address(role))

    def one(self, name: str, receipt: Receipt) -> dict[str, Any]:
        """The fields of the only event of this name that the engine emitted."""
        (found,) = [fields for event, fields in self.engine.events(receipt) if event == name]
        return found

    def names(self, receipt: Receipt) -> list[str]:
        return [name for name, _ in self.engine.events(receipt)]


def deployed() -> Auctions:
    """The system, with people who have cash."""
    terms = parameters()["liquidation"] | {"insurance_share_bps": 0}
    stage = Stage.deployed({"fees": {"maker_pips": 0, "taker_pips": 0, "insurance_bps": 10_000}, "liquidation": terms})
    stage.prices = {"SPY": str(BOUGHT_AT), "AAPL": "150"}
    stage.use_table(Table(NO_SHOCKS, [FLOOR_ONLY] * len(stage.system.underlyings)))
    engine = stage.system.engine
    stage.govern(engine.grantRole, engine.TIMELOCK_ROLE(), address("timelock"))
    stage.fund("maker", "100000000")
    stage.fund("keeper", "1000000")
    stage.fund("rival", "1000000")
    return Auctions(stage)


@pytest.fixture(scope="session")
def shared_auctions() -> Auctions:
    return deployed()


@pytest.fixture
def auctions(shared_auctions: Auctions) -> Iterator[Auctions]:
    """The same deployed state for every test."""
    with shared_auctions.stage.undone():
        yield shared_auctions
