"""defer_check and check_deferred: by whom, in which order, and what the second compares with.

What is put off is forgotten with the transaction, so everything here happens within one, sent by a contract that is
each of the partners.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from prime_perps.accounts import CASH
from prime_perps.chain import Contract
from prime_perps.chain.contract import Method
from prime_perps.errors import Revert
from prime_perps.units import nano, wad
from tests.stage import Stage, account, address, deployed_source

ACTOR = Path(__file__).parents[1] / "batcher" / "actor.vy"
PARTS = ("vault", "exchange", "engine", "configurator", "batcher", "gateway")
ANYBODY = address("attacker")


@dataclass
class Partners:
    """A book that has one contract for all its partners, or for all but one."""

    stage: Stage
    book: Contract
    actor: Contract

    def do(self, *steps: tuple[Method, Any]) -> None:
        """In one transaction."""
        calls = [(self.book.address, method.encode(*arguments)) for method, *arguments in steps]
        self.actor.do(calls, sender=ANYBODY)

    @property
    def defer(self) -> tuple[Method, int]:
        return self.book.defer_check, account("taker")

    @property
    def check(self) -> tuple[Method, int, bool]:
        return self.book.check_deferred, account("taker"), True

    @property
    def check_strictly(self) -> tuple[Method, int, bool]:
        return self.book.check_deferred, account("taker"), False

    @property
    def look(self) -> tuple[Method, int]:
        return self.book.margin, account("taker")

    def pay(self, dollars: str, role: str = "taker") -> tuple[Method, int, int, int, str]:
        return self.book.credit, account(role), CASH, wad(dollars), address(role)

    def draw(self, dollars: str) -> tuple[Method, int, int, int, str]:
        return self.book.debit, account("taker"), CASH, wad(dollars), address("taker")

    def lose(self, amount: int) -> tuple[Method, int, int, int]:
        """Cash that goes elsewhere whatever margin says: wad."""
        return self.book.move_cash, account("taker"), account("nobody"), amount

    def trade(self, size: str, market: int = 0, price: str = "150") -> tuple[Method, tuple[Any, ...]]:
        parties = account("maker"), account("taker")
        return self.book.novate, (market, *parties, nano(size), wad(price), False, False)


def _partners(stage: Stage, missing: str = "") -> Partners:
    actor = deployed_source(stage.backend, ACTOR, address("deployer"))
    named = [address("somebody else") if part == missing else actor.address for part in PARTS]
    system = stage.system
    sources = stage.oracle.address, system.model.address, system.operators, system.interest
    book = Contract.deploy(stage.backend, "PerpClearinghouse", *sources, *named, sender=address("deployer"))
    made = Partners(stage, book, actor)
    if missing != "configurator":
        made.do((book.store_market, 0, nano("1000000"), 500, 1_000_000, False))
    return made


@pytest.fixture
def partners(stage: Stage) -> Iterator[Partners]:
    made = _partners(stage)
    made.do(made.pay("100000"), made.pay("100000", "maker"))
    return made


def test_defer_check__more_than_there_is_in_between__is_allowed(partners: Partners) -> None:
    partners.do(partners.defer, partners.draw("150000"), partners.pay("100000"), partners.check)
    assert partners.book.money(account("taker")).cash == wad("50000")


@pytest.mark.parametrize("part", ["vault", "engine", "configurator"])
def test_defer_check__by_a_part_that_may__passes(stage: Stage, part: str) -> None:
    """The actor is every part but one that has no say in this."""
    made = _partners(stage, missing=part)
    made.do(made.defer, made.check)


@pytest.mark.parametrize("stranger", ["attacker", "taker"])
def test_defer_check__by_a_stranger__reverts(partners: Partners, stranger: str) -> None:
    with pytest.raises(Revert, match=r"^clearing: not the right caller$"):
        partners.book.defer_check(account("taker"), sender=address(stranger))
    with pytest.raises(Revert, match=r"^clearing: not the right caller$"):
        partners.book.check_deferred(account("taker"), True, sender=address(stranger))


@pytest.mark.parametrize("part", ["vault", "engine", "configurator"])
def test_defer_check__by_a_part_that_may_not__reverts(book: Any, part: str) -> None:
    with pytest.raises(Revert, match=r"^clearing: not the right caller$"):
        book.contract.defer_check(account("taker"), sender=address(part))
    with pytest.raises(Revert, match=r"^clearing: not the right caller$"):
        book.contract.check_deferred(account("taker"), True, sender=address(part))


@pytest.mark.parametrize("part", ["exchange", "batcher", "gateway"])
def test_defer_check__by_each_part_that_may__is_not_refused_for_who_it_is(book: Any, part: str) -> None:
    book.contract.defer_check(account("taker"), sender=address(part))
    with pytest.raises(Revert, match=r"^risk: not deferred$"):
        book.contract.check_deferred(account("taker"), True, sender=address(part))


def test_defer_check__twice__reverts(partners: Partners) -> None:
    with pytest.raises(Revert, match=r"^risk: checks deferred$"):
        partners.do(partners.defer, partners.defer)


def test_check_deferred__twice__reverts(partners: Partners) -> None:
    with pytest.raises(Revert, match=r"^risk: not deferred$"):
        partners.do(partners.defer, partners.check, partners.check)


def test_CH_4_check_deferred__below_initial__reverts(partners: Partners) -> None:
    partners.do(partners.defer, partners.draw("100000"), partners.check)
    with pytest.raises(Revert, match=r"^risk: below initial$"):
        partners.do(partners.defer, partners.draw("1"), partners.check)


@pytest.mark.parametrize(("lost", "allowed"), [(0, True), (1, False)])
def test_CH_4_check_deferred__without_equity__may_not_lose_a_wei_more(
    partners: Partners, lost: int, allowed: bool
) -> None:
    partners.do(partners.trade("100"))
    partners.do(partners.lose(partners.book.margin(account("taker")).equity + wad("1")))
    steps = (partners.defer, partners.trade("-10"), partners.lose(lost), partners.check)
    if allowed:
        partners.do(*steps)
        assert partners.book.margin(account("taker")).equity == -wad("1")
    else:
        with pytest.raises(Revert, match=r"^risk: below initial$"):
            partners.do(*steps)


def test_CH_4_check_deferred__less_risk_is_not_enough_for_the_caller__reverts(partners: Partners) -> None:
    partners.do(partners.trade("100"))
    partners.do(partners.lose(partners.book.margin(account("taker")).equity - wad("1")))
    partners.do(partners.defer, partners.trade("-10"), partners.check)
    with pytest.raises(Revert, match=r"^risk: below initial$"):
        partners.do(partners.defer, partners.trade("-10"), partners.check_strictly)


def test_CH_4_check_deferred__less_risk_but_more_initial_margin__reverts(partners: Partners) -> None:
    """What maintenance margin sees two hours ahead initial margin sees a day ahead: the other line is a stock."""
    partners.do((partners.book.store_market, 6, nano("1000"), 500, 1_000_000, False))
    partners.do(partners.trade("0.24", 6, "60000"))
    oracle, now = partners.stage.oracle, partners.stage.now()
    oracle.add_closure(now + 20 * 3_600, now + 100 * 3_600, sender=address("guardian"))
    partners.stage.publish()
    partners.do(partners.lose(partners.book.margin(account("taker")).equity - wad("3000")))
    swap = partners.trade("-0.24", 6, "60000"), partners.trade("92")
    before = partners.book.margin(account("taker"))
    assert before.equity < before.initial
    with pytest.raises(Revert, match=r"^risk: below initial$"):
        partners.do(partners.defer, *swap, partners.check)


def test_margin__of_a_deferred_account__reverts_until_it_is_checked(partners: Partners) -> None:
    with pytest.raises(Revert, match=r"^risk: checks deferred$"):
        partners.do(partners.defer, partners.look)
    partners.do(partners.defer, partners.check, partners.look)
    partners.do(partners.defer, (partners.book.margin, account("maker")), partners.check)
