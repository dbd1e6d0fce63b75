"""Which accounts exist, read off a real node's logs, through refusals, resets and reorganisations."""

from __future__ import annotations

from decimal import Decimal

import pytest

from prime_perps.accounts import account_id
from prime_perps.chain import Contract
from prime_perps.chain.anvil import Anvil
from prime_perps.chain.node import Refusal
from prime_perps.chain.rpc import RpcBackend
from prime_perps.demo.cast import HOLDER, MAKER
from prime_perps.demo.stage import SETTING_UP, perp_sizes, set_up
from prime_perps.errors import NodeError
from prime_perps.history import Tick
from prime_perps.keepers import watchlist
from prime_perps.keepers.watchlist import TOUCHES, Watchlist, event_topic
from prime_perps.reports import Session

START = 1_220_362_200
PRICES = {"AAPL": Decimal(170), "IBM": Decimal(120), "MSFT": Decimal(27), "GOOG": Decimal(470)}


@pytest.fixture
def node():
    with Anvil(timestamp=START - SETTING_UP) as running:
        yield running


@pytest.fixture
def stage(node):
    return set_up(RpcBackend(node.url, node.keys), node, Tick(START, None, "open", PRICES), (HOLDER, MAKER))


@pytest.fixture
def watched(stage):
    return Watchlist(stage.backend, stage.deployment.clearinghouse)


def test_advance__deposits__finds_every_account_once(stage, watched):
    head = watched.advance()
    assert head == stage.backend.block_number()
    assert watched.accounts == {stage.account(HOLDER), stage.account(MAKER)}


def test_advance__nothing_new__asks_for_no_logs(stage, watched, monkeypatch):
    watched.advance()
    monkeypatch.setattr(stage.backend, "get_logs", lambda *_: pytest.fail("asked again"))
    watched.advance()


def test_advance__new_account_later__is_found_in_the_new_blocks(stage, watched, node):
    watched.advance()
    newcomer = node.addresses[9]
    cash, vault = stage.deployment.cash, stage.deployment.vault
    cash.mint(newcomer, 10**6, sender=stage.deployer)
    cash.approve(vault, 10**6, sender=newcomer)
    vault.deposit(account_id(newcomer), 255, 10**6, sender=newcomer)
    watched.advance()
    assert account_id(newcomer) in watched.accounts


def test_advance__trade__touches_both_sides(stage, node):
    """From a block after the deposits on: only the trade's own event tells of the accounts."""
    stage.backend.mine()
    ids = stage.underlyings(PRICES)
    prices = {ids[symbol]: price for symbol, price in PRICES.items()}
    stage.publisher.publish(prices, stage.backend.timestamp(), Session.REGULAR)
    first = stage.backend.block_number() + 1
    stage.trade(HOLDER, perp_sizes(HOLDER, stage, PRICES))
    late = Watchlist(stage.backend, stage.deployment.clearinghouse, first)
    late.advance()
    assert {stage.account(HOLDER), stage.account(MAKER)} <= late.accounts


def test_advance__long_history__is_read_in_bounded_ranges(stage, monkeypatch):
    monkeypatch.setattr(watchlist, "BLOCKS_A_QUERY", 7)
    ranges = []
    read = stage.backend.get_logs

    def remember(first, last, *rest):
        ranges.append((first, last))
        return read(first, last, *rest)

    monkeypatch.setattr(stage.backend, "get_logs", remember)
    watched = Watchlist(stage.backend, stage.deployment.clearinghouse)
    head = watched.advance()
    assert all(last - first < 7 for first, last in ranges)
    assert [first for first, _ in ranges] == list(range(0, head + 1, 7))
    assert watched.accounts == {stage.account(HOLDER), stage.account(MAKER)}


def test_advance__range_too_large_for_the_node__is_halved(stage, monkeypatch):
    read = stage.backend.get_logs

    def small_only(first, last, *rest):
        if last - first >= 4:
            raise Refusal("eth_getLogs", -32005, "query returned more than 10000 results")
        return read(first, last, *rest)

    monkeypatch.setattr(stage.backend, "get_logs", small_only)
    watched = Watchlist(stage.backend, stage.deployment.clearinghouse)
    watched.advance()
    assert watched.accounts == {stage.account(HOLDER), stage.account(MAKER)}


def test_advance__node_goes_away_in_the_middle__goes_on_where_it_was(stage, monkeypatch):
    monkeypatch.setattr(watchlist, "BLOCKS_A_QUERY", 7)
    read = stage.backend.get_logs
    asked = []

    def failing(first, last, *rest):
        asked.append(first)
        if len(asked) == 3:
            raise NodeError("gone")
        return read(first, last, *rest)

    monkeypatch.setattr(stage.backend, "get_logs", failing)
    watched = Watchlist(stage.backend, stage.deployment.clearinghouse)
    with pytest.raises(NodeError):
        watched.advance()
    watched.advance()
    assert asked[:5] == [0, 7, 14, 14, 21]
    assert watched.accounts == {stage.account(HOLDER), stage.account(MAKER)}


def test_advance__blocks_replaced__reads_everything_again(stage, watched, node):
    """A reorganisation: the chain goes back, and another one takes its place, higher than before."""
    snapshot = stage.backend.node.request("evm_snapshot")
    stage.backend.mine(3)
    watched.advance()
    stage.backend.node.request("evm_revert", snapshot)
    newcomer = node.addresses[9]
    cash, vault = stage.deployment.cash, stage.deployment.vault
    cash.mint(newcomer, 10**6, sender=stage.deployer)
    cash.approve(vault, 10**6, sender=newcomer)
    vault.deposit(account_id(newcomer), 255, 10**6, sender=newcomer)
    stage.backend.mine(5)
    watched.advance()
    assert account_id(newcomer) in watched.accounts


def test_advance__chain_shorter_than_before__is_no_error(stage, watched):
    snapshot = stage.backend.node.request("evm_snapshot")
    stage.backend.mine(5)
    watched.advance()
    stage.backend.node.request("evm_revert", snapshot)
    assert watched.advance() == stage.backend.block_number()


def test_event_topic__every_watched_event__is_what_the_contract_logs(stage):
    house = stage.deployment.clearinghouse
    topics = {event_topic(house.abi, name) for name in TOUCHES}
    assert topics <= set(Contract(stage.backend, house.address, house.abi)._events)
    with pytest.raises(KeyError, match="no event Nothing"):
        event_topic(house.abi, "Nothing")
