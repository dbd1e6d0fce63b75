"""What a liquidator does with what it has taken: away with the risk, as far as makers and its issuer carry it.

First tokens are redeemed at the issuer, while the exchange keeps regular hours, for the oracle's price less a cost;
then the net exposure of each market is traded against whichever maker is the cheapest, up to the size quoted at this
look. What is left waits for the next one, and keeps capital bound.
"""

from __future__ import annotations

from dataclasses import dataclass

from prime_perps.accounts import CASH, token
from prime_perps.chain.contract import Contract, Receipt
from prime_perps.errors import Revert
from prime_perps.orders import SignedOrder
from prime_perps.reports import Session, Word
from prime_perps.stress.stage import CASH_UNIT, LIQUIDATORS, Stage, address, deposit, liquidator_account
from prime_perps.units import BPS, MID, NANO, WAD

REDEMPTION_COST = 10  # bps
REDEMPTIONS = 4  # of one token at one look
PARTS = (1, 2, 4, 8)
TOKEN_TO_NANO = WAD // NANO


@dataclass
class Costs:
    """What unwinding has cost all liquidators together, wad USD, against the oracle's price."""

    trading: int = 0  # spread and fees
    redemption: int = 0
    refused: int = 0  # trades that the book did not let through


class Unwinding:
    """Of one replay. `look` once at each instant, then `unwind` after whatever a liquidator has done."""

    def __init__(self, stage: Stage) -> None:
        self._stage = stage
        self._offers: dict[int, list[SignedOrder]] = {}  # by market
        self._mids: dict[int, int] = {}
        self._left: dict[tuple[int, int], int] = {}  # nano, by account and nonce of an order
        self.costs = Costs()

    def look(self) -> None:
        """New prices: makers quote anew."""
        self._offers.clear()
        self._left.clear()
        self._mids.clear()

    def unwind(self, place: int, session: Session) -> None:
        """The liquidator number `place` sheds what it can."""
        account, owner = liquidator_account(place), address(LIQUIDATORS[place])
        lines, _ = self._stage.deployment.clearinghouse.holdings(account)
        for underlying in self._stage.underlyings:
            if lines >> underlying & 1:
                if session is Session.REGULAR:
                    self._redeem(account, owner, underlying)
                self._trade(account, owner, underlying)

    def _redeem(self, account: int, owner: str, underlying: int) -> None:
        """The tokens leave first and the issuer's money comes after: as many at a time as own capital carries."""
        stage, held = self._stage, self._stage.deployment.underlyings[underlying].token
        if held is None:
            return
        for _ in range(REDEMPTIONS):
            amount = self._redeemable(account, owner, underlying)
            worth = amount * self._mid(underlying) // WAD
            paid = worth * (BPS - REDEMPTION_COST) // BPS // CASH_UNIT
            if paid == 0:
                return
            stage.deployment.vault.withdraw(account, token(underlying), amount, stage.deployer, sender=owner)
            deposit(stage, owner, account, CASH, stage.deployment.cash, paid)
            self.costs.redemption += worth - paid * CASH_UNIT

    def _redeemable(self, account: int, owner: str, underlying: int) -> int:
        """All of it, or the largest of a few parts that the account can do without for a moment; wad tokens."""
        stage = self._stage
        whole = stage.deployment.clearinghouse.position(account, underlying).token
        for part in PARTS:
            try:
                withdrawn = (account, token(underlying), whole // part, stage.deployer)
                stage.deployment.vault.withdraw.call(*withdrawn, sender=owner)
            except Revert:
                continue
            return int(whole // part)
        return 0

    def _trade(self, account: int, owner: str, underlying: int) -> None:
        stage = self._stage
        position = stage.deployment.clearinghouse.position(account, underlying)
        wanted = -(position.size + position.token // TOKEN_TO_NANO)
        if wanted == 0:
            return
        mid = self._mid(underlying)
        for offer in self._against(underlying, wanted):
            known = offer.order.account, offer.order.nonce
            size = min(abs(wanted), self._left.get(known, abs(offer.order.size)))
            signed = size if wanted > 0 else -size
            if size == 0:
                continue
            try:
                receipt = stage.deployment.exchange.fill(offer, account, signed, offer.order.price, sender=owner)
            except Revert:
                self.costs.refused += 1
                return
            self._left[known] = self._left.get(known, abs(offer.order.size)) - size
            self.costs.trading += signed * (offer.order.price - mid) // NANO + self._fee(receipt)
            wanted -= signed
            if wanted == 0:
                return

    def _fee(self, receipt: Receipt) -> int:
        book: Contract = self._stage.deployment.clearinghouse
        return sum(int(fields["taker_fee"]) for name, fields in book.events(receipt) if name == "Novated")

    def _against(self, underlying: int, wanted: int) -> list[SignedOrder]:
        """Orders on the other side, the best price first; makers sign when they are asked."""
        if underlying not in self._offers:
            self._offers[underlying] = [offer for maker in self._stage.makers for offer in maker.quote([underlying])]
        fitting = [offer for offer in self._offers[underlying] if offer.order.size * wanted < 0]
        return sorted(fitting, key=lambda offer: offer.order.price, reverse=wanted < 0)

    def _mid(self, underlying: int) -> int:
        """wad USD, of the oracle."""
        if underlying not in self._mids:
            self._mids[underlying] = Word.unpack(self._stage.deployment.oracle.word(underlying)).mid * (WAD // MID)
        return self._mids[underlying]
