"""set_feed: the timelock lists sources that fit their word, and nothing else."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from prime_perps.chain import Contract
from prime_perps.errors import Revert
from prime_perps.reports import Feed, Session, Source
from prime_perps.units import MID

from .conftest import BTC, NVDA, Desk, address_of, publishing_feed

HEARTBEAT_MAX = 2**24 - 1
NOBODY = "0x" + "00" * 20


def push_feed(aggregator: Contract) -> Feed:
    return Feed(Source.AGGREGATOR, aggregator.address, 8, 3_600, 50, Session.ALWAYS_OPEN)


def test_set_feed__push_feed__is_stored_and_logged(desk: Desk, aggregator: Contract) -> None:
    feed = push_feed(aggregator)
    receipt = desk.oracle.set_feed(BTC, feed, sender=desk.timelock)
    expected = (2, aggregator.address, 8, 3_600, 50, 6, NOBODY, bytes(32), True, 0, NOBODY, NOBODY)
    assert tuple(desk.oracle.feed(BTC)) == expected
    ((name, fields),) = desk.oracle.events(receipt)
    assert (name, fields["underlying"], tuple(fields["feed"])) == ("FeedSet", BTC, expected)


@pytest.mark.parametrize("underlying", [0, 63])
def test_set_feed__first_and_last_underlying__are_listed(desk: Desk, underlying: int) -> None:
    desk.oracle.set_feed(underlying, Feed(Source.REPORTS), sender=desk.timelock)
    assert desk.oracle.feed(underlying).source == Source.REPORTS


@pytest.mark.parametrize("underlying", [64, 2**256 - 1])
def test_set_feed__number_of_no_underlying__reverts(desk: Desk, underlying: int) -> None:
    with pytest.raises(Revert, match=r"^oracle: bad underlying$"):
        desk.oracle.set_feed(underlying, Feed(Source.REPORTS), sender=desk.timelock)


@pytest.mark.parametrize("role", ["guardian", "keeper", "attacker", "deployer"])
def test_set_feed__without_timelock_role__reverts__AC_1(desk: Desk, role: str) -> None:
    with pytest.raises(Revert, match=r"^roles: timelock only$"):
        desk.oracle.set_feed(NVDA, Feed(Source.REPORTS), sender=address_of(role))


@pytest.mark.parametrize(
    "wrong",
    [
        {"source": 0},
        {"source": 1},
        {"source": 4},
        {"source": 8},
        {"source": 2**256 - 1},
        {"pyth": address_of("pyth")},
        {"price_id": bytes(31) + b"\1"},
        {"aggregator": "0x" + "00" * 20},
        {"aggregator": address_of("account without code")},
        {"decimals": 6},
        {"decimals": 19},
        {"heartbeat": 0},
        {"heartbeat": HEARTBEAT_MAX + 1},
        {"heartbeat": 2**256 - 1},
        {"confidence": 10_001},
        {"session": 1},
        {"session": 2},
        {"session": 5},
        {"session": 7},
        {"jump": 10_001},
        {"token": address_of("token")},
        {"issuer": address_of("account without code"), "token": address_of("token"), "jump": 500},
        {"jump": 2**256 - 1},
    ],
)
def test_set_feed__push_feed_with_a_wrong_field__reverts(
    desk: Desk, aggregator: Contract, wrong: dict[str, Any]
) -> None:
    with pytest.raises(Revert, match=r"^oracle: bad feed$"):
        desk.oracle.set_feed(BTC, replace(push_feed(aggregator), **wrong), sender=desk.timelock)


def test_set_feed__source_that_does_not_exist__reverts(desk: Desk) -> None:
    with pytest.raises(Revert, match=r"^oracle: bad feed$"):
        desk.oracle.set_feed(BTC, Feed(8), sender=desk.timelock)


def test_set_feed__feed_of_nineteen_decimals__reverts(desk: Desk) -> None:
    feed = publishing_feed(desk, 19, 10**19)
    with pytest.raises(Revert, match=r"^oracle: bad feed$"):
        desk.oracle.set_feed(BTC, replace(push_feed(feed), decimals=19), sender=desk.timelock)


def test_set_feed__fields_at_their_bounds__survive_storage(desk: Desk) -> None:
    feed = publishing_feed(desk, 18, 1)
    widest = replace(push_feed(feed), decimals=18, heartbeat=HEARTBEAT_MAX, confidence=10_000, session=Session.UNKNOWN)
    desk.oracle.set_feed(BTC, widest, sender=desk.timelock)
    assert tuple(desk.oracle.feed(BTC)) == (
        *(2, feed.address, 18, HEARTBEAT_MAX, 10_000, 0),
        *(NOBODY, bytes(32), True, 0, NOBODY, NOBODY),
    )


@pytest.mark.parametrize("source", [Source.UNLISTED, Source.REPORTS])
@pytest.mark.parametrize(
    "extra",
    [{"aggregator": address_of("aggregator")}, {"decimals": 8}, {"heartbeat": 1}, {"confidence": 1}, {"session": 6}],
)
def test_set_feed__other_source_with_fields_of_a_push_feed__reverts(
    desk: Desk, source: Source, extra: dict[str, Any]
) -> None:
    with pytest.raises(Revert, match=r"^oracle: bad feed$"):
        desk.oracle.set_feed(BTC, replace(Feed(source), **extra), sender=desk.timelock)


def test_set_feed__unlisted__keeps_the_word_and_takes_no_more(desk: Desk) -> None:
    desk.submit(desk.report(NVDA))
    before = desk.word(NVDA)
    desk.oracle.set_feed(NVDA, Feed(Source.UNLISTED), sender=desk.timelock)
    assert desk.word(NVDA) == before
    assert desk.word(NVDA).mid == 100 * MID
    with pytest.raises(Revert, match=r"^oracle: not a report feed$"):
        desk.submit(desk.report(NVDA))
    assert desk.refreshed(NVDA) == 0


def test_set_feed__fields_after_a_pull__are_unchanged(desk: Desk, aggregator: Contract) -> None:
    desk.list_feed(aggregator)
    before = desk.oracle.feed(BTC)
    desk.refresh(BTC)
    assert desk.oracle.feed(BTC) == before
