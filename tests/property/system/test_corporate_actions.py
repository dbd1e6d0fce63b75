"""Splits and dividends over the whole system: in whatever order issuer, exchange and signers come to know of one, no
account's equity moves by more than a basis point, nobody is liquidated, and trading resumes only when all agree.
"""

from __future__ import annotations

from fractions import Fraction

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from prime_perps import reports
from prime_perps.errors import Revert
from prime_perps.reports import Flag, Report, Session
from prime_perps.units import MID, NANO, WAD
from tests.stage import CONFIDENCE, account, address

from .doubts import Scene, books, entered

SYMBOL = "NVDA"
PRICE = 140  # USD
ROLES = ("maker", "holder", "bystander")
STILL = (0, 0, 0, 0)

# what the price of a share and the shares of a token are multiplied by
TOGETHER = [
    pytest.param(Fraction(1, 10), Fraction(10), id="split 10:1"),
    pytest.param(Fraction(10), Fraction(1, 10), id="reverse split 1:10"),
    pytest.param(1 - Fraction(1, 100 * PRICE), 1 + Fraction(7, 1_000 * PRICE), id="dividend of a cent, 30 % withheld"),
    pytest.param(Fraction(1), Fraction(1), id="called off"),
]
APART = [
    pytest.param(Fraction(1, 10), Fraction(1), id="price of a split alone"),
    pytest.param(Fraction(10), Fraction(1), id="price of a reverse split alone"),
    pytest.param(Fraction(1), Fraction(10), id="multiplier of a split alone"),
    pytest.param(Fraction(1), Fraction(1, 10), id="multiplier of a reverse split alone"),
    pytest.param(Fraction(1), 1 + Fraction(1, 100 * PRICE), id="multiplier of a dividend alone"),
]

orders = st.permutations(("exchange", "issuer", "signers"))
waits = st.tuples(*[st.integers(1, 40)] * 6)
falls = st.lists(st.integers(0, 9), max_size=2)  # percent, before


class Action:
    """What the exchange trades at, what the issuer says, and what the signers count with."""

    def __init__(self, scene: Scene, price: Fraction, multiplier: Fraction) -> None:
        self.scene = scene
        self.stage = scene.stage
        self.after = {"exchange": price, "issuer": multiplier, "signers": multiplier}
        self.share = Fraction(scene.index(SYMBOL))
        self.counted = Fraction(1)
        self.equity = {role: self.stage.margin(role).equity for role in ROLES}

    def pause(self, paused: bool) -> None:
        self.scene.issued[SYMBOL].set_paused(paused, sender=address("deployer"))

    def comes_to(self, whom: str) -> None:
        """One of them goes over to what is after the action."""
        if whom == "exchange":
            self.share *= self.after[whom]
        elif whom == "signers":
            self.counted = self.after[whom]
        else:
            self.scene.issued[SYMBOL].set_multiplier(int(self.after[whom] * WAD), sender=address("deployer"))

    def publish(self, wait: int) -> None:
        """Everything is priced anew, and anybody refreshes."""
        stage = self.stage
        stage.warp(wait)
        plain = [stage.report(symbol) for symbol in stage.prices if symbol != SYMBOL]
        price, multiplier = int(self.share * MID), int(self.counted * WAD)
        told = Report(stage.id(SYMBOL), price, CONFIDENCE, Session.REGULAR, stage.now(), multiplier)
        signed = [reports.sign_all(one, stage.reporters(), 1, stage.oracle.address) for one in (*plain, told)]
        stage.oracle.submit(signed, sender=address("keeper"))
        stage.oracle.refresh([stage.id(SYMBOL)], sender=address("attacker"))

    def harms_nobody(self) -> None:
        for role in ROLES:
            moved = abs(self.stage.margin(role).equity - self.equity[role])
            assert moved * 10_000 <= abs(self.equity[role]), f"{role} by {moved / WAD}"
            with pytest.raises(Revert, match=r"^engine: healthy$"):
                self.stage.system.engine.start(account(role), sender=address("attacker"))

    @property
    def is_paused(self) -> bool:
        """As the word has it and as the book acts on it: nobody may open."""
        paused = bool(self.scene.word(SYMBOL).flags & Flag.PAUSED)
        with self.stage.undone():
            if paused:
                with pytest.raises(Revert, match=r"^trade: reduce only$"):
                    self.scene.fill("bystander", SYMBOL, NANO)
            else:
                self.scene.fill("bystander", SYMBOL, NANO)
        return paused


def goes_through(action: Action, order: tuple[str, ...], wait: tuple[int, ...]) -> None:
    """Paused, known to one after the other, and let go."""
    action.pause(True)
    for step, whom in enumerate(("nobody yet", *order)):
        if whom in action.after:
            action.comes_to(whom)
        action.publish(wait[step])
        assert action.is_paused
        action.harms_nobody()
    action.pause(False)
    for later in wait[4:]:
        action.publish(later)
        action.harms_nobody()


def begun(scene: Scene, against: list[int]) -> None:
    """Prices fall somewhat first; whoever is left below maintenance margin is another matter."""
    for fall in against:
        scene.stage.warp(3_600)  # long enough for the mean that jumps are measured from
        scene.move((-fall, -fall, -fall, 0))
    assume(not scene.stage.system.engine.quote(account("holder")).fraction)
    assume(scene.stage.margin("holder").equity > 5_000 * WAD)


@pytest.mark.parametrize(("price", "multiplier"), TOGETHER)
def test_SPACEX_split__known_in_any_order__moves_no_equity_and_resumes(price: Fraction, multiplier: Fraction) -> None:
    """A venue lost 1,393 accounts in May 2026 to a split of SPACEX that its oracle took for a crash."""

    @settings(max_examples=max((settings.default or settings()).max_examples // 5, 1))
    @given(books, falls, orders, waits)
    def check(book: tuple[int, ...], against: list[int], order: tuple[str, ...], wait: tuple[int, ...]) -> None:
        with entered(book, 40, STILL) as scene:
            begun(scene, against)
            action = Action(scene, price, multiplier)
            goes_through(action, order, wait)
            assert not action.is_paused

    check()


@pytest.mark.parametrize(("price", "multiplier"), APART)
def test_SPACEX_split__price_and_multiplier_do_not_fit__moves_no_equity_and_does_not_resume(
    price: Fraction, multiplier: Fraction
) -> None:
    @settings(max_examples=max((settings.default or settings()).max_examples // 5, 1))
    @given(books, falls, orders, waits)
    def check(book: tuple[int, ...], against: list[int], order: tuple[str, ...], wait: tuple[int, ...]) -> None:
        with entered(book, 40, STILL) as scene:
            begun(scene, against)
            action = Action(scene, price, multiplier)
            goes_through(action, order, wait)
            assert action.is_paused

    check()


@pytest.mark.parametrize(("price", "multiplier"), TOGETHER[:2])
def test_SPACEX_split__issuer_does_not_pause__is_frozen_from_the_multiplier_on(
    price: Fraction, multiplier: Fraction
) -> None:
    @settings(max_examples=max((settings.default or settings()).max_examples // 5, 1))
    @given(books, falls, st.permutations(("exchange", "signers")), waits)
    def check(book: tuple[int, ...], against: list[int], order: tuple[str, ...], wait: tuple[int, ...]) -> None:
        with entered(book, 40, STILL) as scene:
            begun(scene, against)
            action = Action(scene, price, multiplier)
            for step, whom in enumerate(("issuer", *order)):
                action.comes_to(whom)
                action.publish(wait[step])
                action.harms_nobody()
                assert action.is_paused == (whom != order[-1])

    check()
