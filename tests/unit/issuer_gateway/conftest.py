"""The whole system with an issuer beside it, its people, and a look at everything that a failure must leave alone."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import pytest
from eth_utils import keccak

from prime_perps.accounts import token
from prime_perps.chain import Contract, Receipt
from prime_perps.issuer.deployment import Issuer, Terms, deploy_issuer
from prime_perps.issuer.quotes import Quote, Side, notional, sign
from prime_perps.units import WAD, wad
from tests.stage import Stage, account, address, deployed_source, key

COIN = 10**6
UNIT = 10**12  # wad of cash in a raw unit of the coin
USER = keccak(text="gateway's id")
AAPL, IBM = token(0), token(1)
SYMBOLS = {AAPL: "AAPL", IBM: "IBM"}
ISSUER = address("deployer")  # who deployed the tokens owns them
BAND, HAIRCUT, PERIOD = 100, 1_000, 10 * 86_400
LIMIT = 10_000_000 * WAD
SHARE_ROUNDING = 2  # wei: cash is shares of an index, rounded against the account when it is paid and when it is told


def rounded_down(found: int, exact: int) -> bool:
    """Whether an amount is what it should be, but for what cash loses by being shares."""
    return 0 <= exact - found <= SHARE_ROUNDING


@dataclass
class Desk:
    """The stage, the issuer, and quotes for the gateway."""

    stage: Stage
    issuer: Issuer
    attestations: list[int] = field(default_factory=lambda: [0])

    @property
    def gateway(self) -> Contract:
        return self.stage.system.gateway

    @property
    def book(self) -> Contract:
        return self.stage.system.clearinghouse

    @property
    def coin(self) -> Contract:
        return self.stage.system.cash

    def stock(self, instrument: int = AAPL) -> Contract:
        found = self.stage.system.underlying(SYMBOLS[instrument]).token
        assert found is not None
        return found

    def quote(self, side: Side, amount: str = "10", of: str | int = "holder", **changed: Any) -> Quote:
        """Tokens of AAPL at the index price for half a minute, for an account; a new one each time."""
        self.attestations[0] += 1
        number = of if isinstance(of, int) else account(of)
        quote = Quote(
            chain_id=self.stage.backend.chain_id(),
            attestation_id=self.attestations[0],
            user_id=USER,
            asset=self.stock().address,
            price=self.stage.index("AAPL"),
            quantity=wad(amount),
            expiration=self.stage.now() + 30,
            side=side,
            additional_data=number.to_bytes(32),
        )
        return replace(quote, **changed)

    def sign(self, quote: Quote) -> bytes:
        return sign(quote, key("signer"), self.issuer.manager.address)

    def mint(
        self,
        quote: Quote,
        max_cash: int | None = None,
        *,
        of: str = "holder",
        by: str | None = None,
        instrument: int = AAPL,
        deferred: bool = False,
    ) -> Receipt:
        """With just as much cash as the price needs, unless told otherwise."""
        needed = -(-notional(quote) // UNIT) if max_cash is None else max_cash
        send = self.gateway.mint.send
        return send(account(of), instrument, quote, self.sign(quote), needed, deferred, sender=address(by or of))

    def redeem(
        self,
        quote: Quote,
        min_cash: int = 0,
        *,
        of: str = "holder",
        by: str | None = None,
        instrument: int = AAPL,
        deferred: bool = False,
    ) -> Receipt:
        send = self.gateway.redeem.send
        return send(account(of), instrument, quote, self.sign(quote), min_cash, deferred, sender=address(by or of))

    def act(self, quote: Quote, **how: Any) -> Receipt:
        """What the quote's side says."""
        return (self.mint if quote.side == Side.BUY else self.redeem)(quote, **how)

    def told(self, receipt: Receipt) -> dict[str, Any]:
        """The fields of the gateway's only event."""
        ((_, fields),) = self.gateway.events(receipt)
        return fields

    def permit(self, permissions: int) -> None:
        """What the operator may do for the holder, for a minute."""
        grant = (account("holder"), address("operator"), permissions, self.stage.now() + 60)
        self.stage.system.operators.set_operator(*grant, sender=address("holder"))

    def cash(self, role: str = "holder") -> int:
        return int(self.stage.money(role).cash)

    def tokens(self, role: str = "holder", instrument: int = AAPL) -> int:
        return int(self.book.holding(account(role), instrument))

    def post(self) -> None:
        """The issuer's rough prices, as the index has them."""
        for instrument, symbol in SYMBOLS.items():
            self.issuer.prices.post_price(self.stock(instrument), self.stage.index(symbol), sender=ISSUER)

    # what a failure leaves alone, and what never lies at the gateway

    def held(self) -> list[int]:
        """By the gateway: every token, and what it lets anybody take."""
        stocks = [self.stock(instrument) for instrument in SYMBOLS]
        takers = (self.issuer.manager, self.issuer.swapper, self.issuer.in_kind, self.stage.system.vault)
        tokens = [self.coin, self.issuer.usdon, *stocks]
        balances = [each.balanceOf(self.gateway) for each in tokens]
        return balances + [each.allowance(self.gateway, taker) for each in tokens for taker in takers]

    def look(self, *roles: str) -> Any:
        """Everything a mint or a redemption can touch."""
        vault, issuer = self.stage.system.vault, self.issuer
        people = [
            (
                self.stage.money(role),
                self.book.holdings(account(role)),
                self.book.state_counter(account(role)),
                self.stage.position(role, "AAPL"),
                issuer.usdon.balanceOf(address(role)),
            )
            for role in roles or ("holder",)
        ]
        tokens = [self.coin, issuer.usdon, self.stock(), self.stock(IBM)]
        places = [vault, issuer.swapper, issuer.manager, self.gateway]
        balances = [[each.balanceOf(place) for place in places] + [each.totalSupply()] for each in tokens]
        return people, balances, self.held(), self.gateway.receivable_count(), issuer.manager.executionId()


def opened(stage: Stage, terms: Terms | None = None) -> Desk:
    """List AAPL and IBM at a new issuer, which knows the gateway."""
    system = stage.system
    stocks = [entry.token for entry in system.underlyings if entry.symbol in SYMBOLS.values() and entry.token]
    signer = address("signer")
    issuer = deploy_issuer(system.backend, ISSUER, system.cash, stocks, [signer], terms)
    desk = Desk(stage, issuer)
    issuer.register(system.gateway.address, USER, sender=ISSUER)
    issuer.approve_in_kind(system.gateway.address, USER, sender=ISSUER)
    for instrument in SYMBOLS:
        stage.govern(system.gateway.set_listing, instrument, listing(issuer))
    stage.govern(system.gateway.grantRole, system.gateway.DESK_ROLE(), address("desk"))
    desk.post()
    return desk


def listing(issuer: Issuer, **changed: Any) -> tuple[Any, ...]:
    fields = {
        "manager": issuer.manager.address,
        "dollar": issuer.usdon.address,
        "swapper": issuer.swapper.address,
        "in_kind": issuer.in_kind.address,
        "band": BAND,
        "bound": True,
        "haircut": HAIRCUT,
        "haircut_period": PERIOD,
        "enabled": True,
    }
    return tuple((fields | changed).values())


@pytest.fixture(scope="session")
def shared_desk() -> Desk:
    """A holder with 100,000 USD and 100 AAPL; a maker with much of everything, whose cash others may borrow."""
    stage = Stage.deployed()
    stage.fund("maker", "10000000")
    stage.fund("holder", "100000")
    stage.fund_stock("holder", "AAPL", "100")
    return opened(stage)


@pytest.fixture
def desk(shared_desk: Desk) -> Iterator[Desk]:
    """The same deployed state for every test."""
    with shared_desk.stage.undone():
        yield shared_desk


@pytest.fixture
def debtor(desk: Desk) -> Desk:
    """A debtor with 1,000 AAPL and a loan, liquidatable since AAPL fell from 150 to 117; slow prices agree."""
    stage = desk.stage
    stage.fund_stock("debtor", "AAPL", "1000")
    stage.withdraw("debtor", "100000")
    stage.publish(AAPL="117")
    stage.settle_slow_prices()
    desk.post()
    return desk


@pytest.fixture
def hostile(desk: Desk) -> Contract:
    """An issuer of AAPL that does as it is told, with much to give."""
    made = deployed_source(desk.stage.backend, Path(__file__).with_name("hostile_issuer.vy"), ISSUER)
    desk.stock().mint(made.address, 1_000 * WAD, sender=ISSUER)
    desk.coin.mint(made.address, 1_000_000 * COIN, sender=ISSUER)
    desk.issuer.usdon.mint(made.address, 1_000_000 * WAD, sender=ISSUER)
    changed = listing(desk.issuer, manager=made.address, in_kind=made.address)
    desk.stage.govern(desk.gateway.set_listing, AAPL, changed)
    return made
