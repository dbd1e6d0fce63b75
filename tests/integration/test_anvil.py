"""Local chains as processes: side by side, restarted, refused, and gone when they are stopped."""

from __future__ import annotations

import os
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from prime_perps.chain import anvil
from prime_perps.chain.anvil import Anvil, AnvilMissing
from prime_perps.chain.node import Node, Unreachable
from prime_perps.errors import NodeError


def test_start__many_at_once__each_its_own_chain() -> None:
    nodes = [Anvil(chain_id=1_000 + index) for index in range(6)]
    with ThreadPoolExecutor(len(nodes)) as pool:
        list(pool.map(Anvil.start, nodes))
    try:
        assert [int(Node(node.url).request("eth_chainId"), 16) for node in nodes] == [n.chain_id for n in nodes]
    finally:
        for node in nodes:
            node.stop()


def test_keys__default_mnemonic__those_of_the_funded_accounts() -> None:
    with Anvil(accounts=3, balance=7) as node:
        rpc = Node(node.url)
        assert [address.lower() for address in node.addresses] == rpc.request("eth_accounts")
        assert int(rpc.request("eth_getBalance", node.addresses[2], "latest"), 16) == 7 * 10**18


def test_start__port_taken_by_another_node__refused_not_adopted() -> None:
    with Anvil() as node, pytest.raises(NodeError, match=f"port {node.port} is already in use"):
        Anvil(port=node.port).start()


def test_start__nonsense_asked__anvils_own_words() -> None:
    with pytest.raises(NodeError, match="Unknown hardfork: nope"):
        Anvil(hardfork="nope").start()


def test_stop__running__process_and_scratch_files_gone() -> None:
    node = Anvil().start()
    scratch, pid, rpc = Path(node._scratch.name), node.pid, Node(node.url)
    node.stop()
    assert not scratch.exists()
    with pytest.raises(ProcessLookupError):
        os.kill(pid, 0)
    with pytest.raises(Unreachable):
        rpc.request("eth_chainId")
    node.stop()


def test_kill__started_again__same_address_new_chain() -> None:
    with Anvil() as node:
        url = node.url
        Node(url).request("anvil_mine", "0x3")
        node.kill()
        node.start()
        assert node.url == url
        assert Node(url).request("eth_blockNumber") == "0x0"


def test_state__stopped_and_started__chain_goes_on(tmp_path: Path) -> None:
    state = tmp_path / "state.json"
    with Anvil(state=state) as node:
        Node(node.url).request("anvil_mine", "0x3")
    with Anvil(state=state) as node:
        assert Node(node.url).request("eth_blockNumber") == "0x3"


def test_read__latest_while_blocks_are_mined__always_answered() -> None:
    with Anvil() as node, ThreadPoolExecutor(1) as pool:
        rpc, enough = Node(node.url), threading.Event()

        def mine() -> None:
            miner = Node(node.url)
            while not enough.is_set():
                miner.request("evm_mine")

        mining = pool.submit(mine)
        try:
            for _ in range(300):
                rpc.request("eth_call", {"to": node.addresses[0], "data": "0x"}, "latest")
        finally:
            enough.set()
        mining.result()
        assert int(rpc.request("eth_blockNumber"), 16) > 1, "nothing was mined while reading"


def test_fork__two_upstreams_of_equal_height__never_mixed_up() -> None:
    """anvil keeps what it has fetched by chain id and height, which two local upstreams share."""
    address, found = "0x" + "11" * 20, []
    for amount in (5, 6):
        with Anvil(chain_id=1) as upstream:
            Node(upstream.url).request("anvil_setBalance", address, hex(amount))
            Node(upstream.url).request("anvil_mine", "0x2")
            with Anvil(fork_url=upstream.url) as fork:
                found.append(int(Node(fork.url).request("eth_getBalance", address, "latest"), 16))
    assert found == [5, 6]


def test_start__process_group__not_that_of_the_program() -> None:
    """Ctrl-C goes to every process of the terminal's group; the node must still be there while its user winds down."""
    with Anvil() as node:
        assert os.getpgid(node.pid) != os.getpgid(0)


def test_find_anvil__none_anywhere__one_line_with_the_way_out(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(anvil, "_candidates", lambda: [tmp_path / "anvil"])
    anvil.find_anvil.cache_clear()
    try:
        with pytest.raises(AnvilMissing, match=r"no anvil 1\.x found: run `make setup`"):
            anvil.find_anvil()
    finally:
        anvil.find_anvil.cache_clear()


def test_find_anvil__only_an_old_one__named_and_refused(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    old = tmp_path / "anvil"
    old.write_text("#!/bin/sh\necho 'anvil 0.3.0 (abcdef 2025-01-01)'\n")
    old.chmod(0o755)
    monkeypatch.setattr(anvil, "_candidates", lambda: [old])
    anvil.find_anvil.cache_clear()
    try:
        with pytest.raises(AnvilMissing, match=r"anvil is 0\.3\.0"):
            anvil.find_anvil()
    finally:
        anvil.find_anvil.cache_clear()
