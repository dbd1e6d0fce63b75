"""CH-5, one call at a time: the table of strangers.py is complete, and each of its attempts ends as it says."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from prime_perps.chain.contract import Contract

from .actions import Actions
from .strangers import ATTEMPTS, Attempt
from .world import SYMBOLS, World, entered

# Tokens are the outside world.
OUTSIDE = {"cash"}
VICTIMS = ("maker", "holder")


@pytest.fixture
def actions() -> Iterator[Actions]:
    """People with positions and funding under way, one of them under water."""
    with entered() as world:
        actions = Actions()
        actions.begin(world)
        for symbol, size in zip(SYMBOLS, (900, -500, 300), strict=True):
            order = actions.order("maker", symbol, -size * 10**9, actions.price(symbol, 300 if size > 0 else -300))
            actions.fill(order, "taker", size * 10**9)
        actions.wait(1_800)
        actions.move_prices({"AAPL": -30})
        yield actions


def writing(contract: Contract) -> set[str]:
    return {
        entry["name"]
        for entry in contract.abi
        if entry["type"] == "function" and entry["stateMutability"] not in ("view", "pure")
    }


def test_strangers__every_function_that_writes__is_in_the_table__CH_5() -> None:
    with entered() as world:
        system = world.system
        parts = [part for part in system.PARTS if part not in OUTSIDE]
        functions = {f"{part}.{name}" for part in parts for name in writing(getattr(system, part))}
    assert {attempt.name for attempt in ATTEMPTS} == functions


@pytest.mark.parametrize("attempt", ATTEMPTS, ids=lambda attempt: attempt.name)
def test_strangers__any_call__harms_nobody__CH_5(actions: Actions, attempt: Attempt) -> None:
    assert actions.look.sheets["taker"].liquidatable
    for victim in (*VICTIMS, "taker"):
        actions.attempt(attempt, victim)


def test_strangers__world__is_as_it_was_for_the_next_example() -> None:
    with entered() as world:
        first = world.look()
        world.stage.fund("holder", "1")
    with entered() as again:
        assert again.look() == first
        assert isinstance(again, World)
