"""The stand-in for a push feed: it must be able to fail in every way real ones do."""

from __future__ import annotations

import pytest

from prime_perps.chain import Contract
from prime_perps.errors import Revert

from .conftest import Desk

REVERTS, BURNS_GAS = 1, 2


def test_feed__description__is_told(aggregator: Contract) -> None:
    assert (aggregator.decimals(), aggregator.description(), aggregator.version()) == (8, "BTC / USD", 4)


def test_feed__rounds__are_kept(desk: Desk, aggregator: Contract) -> None:
    first = desk.now
    desk.backend.warp(10)
    receipt = aggregator.publish(7, sender=desk.deployer)
    assert aggregator.latestRoundData() == (2, 7, desk.now, desk.now, 2)
    assert aggregator.getRoundData(1) == (1, 50_000 * 10**8, first, first, 1)
    assert list(aggregator.events(receipt)) == [("AnswerUpdated", {"current": 7, "roundId": 2, "updatedAt": desk.now})]


@pytest.mark.parametrize("round_id", [0, 2, 2**80 - 1])
def test_feed__round_never_published__reverts(aggregator: Contract, round_id: int) -> None:
    with pytest.raises(Revert, match=r"^feed: no data present$"):
        aggregator.getRoundData(round_id)


def test_feed__no_round_yet__reverts(desk: Desk) -> None:
    feed = Contract.deploy(desk.backend, "DevnetFeed", 8, "NVDA / USD", sender=desk.deployer)
    with pytest.raises(Revert, match=r"^feed: no data present$"):
        feed.latestRoundData()


def test_feed__frozen__answers_the_old_price_under_a_fresh_time(desk: Desk, aggregator: Contract) -> None:
    aggregator.set_frozen(True, sender=desk.deployer)
    desk.backend.warp(10)
    aggregator.publish(7, sender=desk.deployer)
    assert aggregator.latestRoundData()[1:4] == (50_000 * 10**8, desk.now, desk.now)
    aggregator.set_frozen(False, sender=desk.deployer)
    aggregator.publish(7, sender=desk.deployer)
    assert aggregator.latestRoundData()[1] == 7


@pytest.mark.parametrize("answer", [0, -5, 2**255 - 1])
@pytest.mark.parametrize("shift", [-1_000, 1_000])
def test_feed__publish_at__takes_any_answer_and_time(desk: Desk, aggregator: Contract, answer: int, shift: int) -> None:
    aggregator.publish_at(answer, desk.now + shift, sender=desk.deployer)
    assert aggregator.latestRoundData()[1:4] == (answer, desk.now + shift, desk.now + shift)


def test_feed__reverts__on_both_reads_until_released(desk: Desk, aggregator: Contract) -> None:
    aggregator.set_fault(REVERTS, sender=desk.deployer)
    with pytest.raises(Revert, match=r"^feed: down$"):
        aggregator.latestRoundData()
    with pytest.raises(Revert, match=r"^feed: down$"):
        aggregator.getRoundData(1)
    aggregator.set_fault(0, sender=desk.deployer)
    assert aggregator.latestRoundData()[0] == 1


def test_feed__burns_gas__leaves_nothing(desk: Desk, aggregator: Contract) -> None:
    aggregator.set_fault(BURNS_GAS, sender=desk.deployer)
    with pytest.raises(Revert, match="InvalidFEOpcode"):
        aggregator.latestRoundData()


@pytest.mark.parametrize(
    ("function", "arguments"), [("publish", [1]), ("publish_at", [1, 1]), ("set_frozen", [True]), ("set_fault", [1])]
)
def test_feed__not_the_publisher__reverts(
    desk: Desk, aggregator: Contract, function: str, arguments: list[int]
) -> None:
    with pytest.raises(Revert, match=r"^feed: publisher only$"):
        getattr(aggregator, function)(*arguments, sender=desk.attacker)
