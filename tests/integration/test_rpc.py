"""The JSON-RPC backend against a real anvil, directly and through a proxy that loses requests and answers."""

from __future__ import annotations

import pytest

from prime_perps.chain import Contract
from prime_perps.chain.anvil import Anvil
from prime_perps.chain.node import Node, Refusal, Unreachable
from prime_perps.chain.rpc import NoKey, RpcBackend, SendUnresolved, WrongChain
from prime_perps.errors import NodeError, Revert

HOLDER = "0x" + "77" * 20


@pytest.fixture(scope="module")
def backend(node: Anvil) -> RpcBackend:
    return RpcBackend(node.url, node.keys)


@pytest.fixture(scope="module")
def issuer(node: Anvil) -> str:
    return node.addresses[0]


@pytest.fixture(scope="module")
def coin(backend: RpcBackend, issuer: str) -> Contract:
    return Contract.deploy(backend, "Stablecoin", sender=issuer)


def through(proxy, node: Anvil, coin: Contract) -> Contract:
    return Contract(RpcBackend(proxy.url, node.keys), coin.address, coin.abi)


def test_send__through_the_proxy_object__gives_a_receipt_with_its_events(coin, issuer):
    receipt = coin.mint(HOLDER, 5, sender=issuer)
    assert receipt.block > 0
    assert receipt.gas_used > 21_000
    assert len(receipt.hash) == 66
    assert coin.balanceOf(HOLDER) == 5


def test_send__reason_known_from_the_estimate__raises_it_and_sends_nothing(backend, coin, issuer, node):
    attacker = node.addresses[1]
    before = backend.block_number()
    with pytest.raises(Revert, match="ownable: caller is not the owner"):
        coin.mint(HOLDER, 1, sender=attacker)
    assert backend.block_number() == before


def test_send__fails_only_when_mined__raises_the_reason(node, coin, issuer):
    """Two transactions are estimated on the same state; the first one mined spoils the second."""
    backend = RpcBackend(node.url, node.keys)
    rival = RpcBackend(node.url, node.keys)
    spoiled = Contract(backend, coin.address, coin.abi)
    priced = backend._priced

    def spoil(asked):
        fields = priced(asked)
        Contract(rival, coin.address, coin.abi).pause(sender=issuer)
        return fields

    backend._priced = spoil
    with pytest.raises(Revert, match="stablecoin: paused"):
        spoiled.mint(HOLDER, 1, sender=issuer)
    Contract(rival, coin.address, coin.abi).unpause(sender=issuer)


def test_send__unknown_sender__names_the_held_keys(coin, node):
    with pytest.raises(NoKey, match=node.addresses[0]):
        coin.mint(HOLDER, 1, sender=HOLDER)


def test_send__answer_lost__is_found_by_its_hash_and_not_sent_again(proxy, node, coin, issuer):
    lossy = through(proxy, node, coin)
    before = coin.balanceOf(HOLDER)
    proxy.lose_answer.append("eth_sendRawTransactionSync")
    receipt = lossy.mint(HOLDER, 7, sender=issuer)
    assert coin.balanceOf(HOLDER) == before + 7
    assert proxy.seen.count("eth_sendRawTransactionSync") == 1
    after_loss = proxy.seen[proxy.seen.index("eth_sendRawTransactionSync") + 1 :]
    assert after_loss[0] == "eth_getTransactionByHash"
    assert len(receipt.logs) == 1


def test_send__request_lost__sends_the_same_bytes_again(proxy, node, coin, issuer):
    lossy = through(proxy, node, coin)
    before = coin.balanceOf(HOLDER)
    proxy.lose_request.append("eth_sendRawTransactionSync")
    lossy.mint(HOLDER, 7, sender=issuer)
    assert coin.balanceOf(HOLDER) == before + 7
    assert proxy.seen.count("eth_sendRawTransactionSync") == 2


def test_send__answer_and_every_lookup_lost__says_so_and_looks_it_up_before_the_next_send(proxy, node, coin, issuer):
    lossy = through(proxy, node, coin)
    before = coin.balanceOf(HOLDER)
    proxy.lose_answer.append("eth_sendRawTransactionSync")
    proxy.lose_request += ["eth_getTransactionByHash"] * 4
    with pytest.raises(SendUnresolved) as lost:
        lossy.mint(HOLDER, 11, sender=issuer)
    assert coin.balanceOf(HOLDER) == before + 11
    proxy.seen.clear()
    lossy.mint(HOLDER, 100, sender=issuer)
    assert proxy.seen[0] == "eth_getTransactionByHash"
    assert coin.balanceOf(HOLDER) == before + 111
    assert lossy.backend.node.read("eth_getTransactionReceipt", lost.value.hash)["status"] == "0x1"


def test_send__given_up_but_taken_after_all__is_not_followed_by_a_second_one(proxy, node, coin, issuer):
    """A node that denies a transaction it has: the nonce turns out to be used by our own earlier transaction."""
    lossy = through(proxy, node, coin)
    before = coin.balanceOf(HOLDER)
    proxy.lose_answer.append("eth_sendRawTransactionSync")
    proxy.lose_request += ["eth_getTransactionByHash"] * 4
    with pytest.raises(SendUnresolved):
        lossy.mint(HOLDER, 11, sender=issuer)
    known = lossy.backend._is_known
    lossy.backend._is_known = lambda hashes: False
    lossy.backend.resolve(issuer)
    lossy.backend._is_known = known
    taken = lossy.backend._nonce(issuer) - 1
    lossy.backend._nonces[issuer] = taken
    with pytest.raises(NodeError, match="was taken after all"):
        lossy.mint(HOLDER, 11, sender=issuer)
    assert coin.balanceOf(HOLDER) == before + 11


def test_send__nonce_used_by_another_process__takes_the_next_one(node, coin, issuer):
    first, second = (RpcBackend(node.url, node.keys) for _ in range(2))
    before = coin.balanceOf(HOLDER)
    Contract(first, coin.address, coin.abi).mint(HOLDER, 1, sender=issuer)
    Contract(second, coin.address, coin.abi).mint(HOLDER, 1, sender=issuer)
    Contract(first, coin.address, coin.abi).mint(HOLDER, 1, sender=issuer)
    assert coin.balanceOf(HOLDER) == before + 3


def test_send__node_without_the_waiting_method__sends_and_polls(proxy, node, coin, issuer):
    proxy.unknown_methods.add("eth_sendRawTransactionSync")
    polled = through(proxy, node, coin)
    before = coin.balanceOf(HOLDER)
    polled.mint(HOLDER, 3, sender=issuer)
    polled.mint(HOLDER, 3, sender=issuer)
    assert coin.balanceOf(HOLDER) == before + 6
    assert proxy.seen.count("eth_sendRawTransactionSync") == 1


def test_send__stuck_below_the_base_fee__is_replaced_at_its_own_nonce(coin, issuer):
    with Anvil(options=["--no-mining"]) as idle:
        backend = RpcBackend(idle.url, idle.keys, patience=0.3)
        backend._send_sync = False
        sender = idle.addresses[0]
        bumps = []
        original = backend.node.request

        def mine_after_two(method, *params, **options):
            answer = original(method, *params, **options)
            if method == "eth_sendRawTransaction":
                bumps.append(params[0])
                if len(bumps) == 3:
                    original("evm_mine")
            return answer

        backend.node.request = mine_after_two
        receipt = backend.send(HOLDER, b"", sender, value=1)
        assert len(bumps) == 3
        assert backend.balance(HOLDER) == 1
        assert receipt.block == 1
        backend.node.request = original
        original("evm_mine")
        assert backend.balance(HOLDER) == 1


def test_read__request_lost__asks_again(proxy, node, coin):
    lossy = through(proxy, node, coin)
    proxy.lose_request += ["eth_call"] * 2
    assert lossy.decimals() == 6
    assert proxy.seen.count("eth_call") == 3


def test_read__lost_every_time__gives_up_after_bounded_attempts(proxy, node, coin):
    lossy = through(proxy, node, coin)
    proxy.seen.clear()
    proxy.lose_request += ["eth_call"] * 50
    with pytest.raises(Unreachable):
        lossy.decimals()
    assert proxy.seen.count("eth_call") == 4


def test_call_many__with_and_without_batches__gives_values_and_reverts_in_order(proxy, node, coin):
    lossy = through(proxy, node, coin)
    calls = [
        (coin.address, coin.decimals.encode()),
        (coin.address, coin.mint.encode(HOLDER, 1)),
        (coin.address, coin.paused.encode()),
    ]
    for batches in (True, False):
        proxy.batches = batches
        decimals, refused, paused = lossy.backend.call_many(calls, sender=HOLDER)
        assert coin.decimals.decode(decimals) == 6
        assert isinstance(refused, Revert)
        assert refused.reason == "ownable: caller is not the owner"
        assert coin.paused.decode(paused) is False


def test_backend__other_chain_than_expected__is_refused(node):
    with pytest.raises(WrongChain, match="serves chain 31337, expected 1"):
        RpcBackend(node.url, chain_id=1)


def test_backend__nobody_listens__names_the_url():
    with pytest.raises(NodeError, match=r"no answer from http://127\.0\.0\.1:1 .*is the node running"):
        RpcBackend("http://127.0.0.1:1")


@pytest.mark.parametrize("url", ["localhost:8545", "ws://127.0.0.1:1", "", "http://"])
def test_backend__not_an_http_url__is_refused(url):
    with pytest.raises(NodeError, match="not a node url"):
        RpcBackend(url)


def test_url__with_secrets__is_printed_without_them():
    assert Node("https://user:secret@node.example/v2/key?token=abc").url == "https://node.example"


def test_warp__later_instant__is_the_time_of_the_next_block(backend):
    target = backend.timestamp() + 3_600
    backend.warp(target)
    assert backend.timestamp() == target
    with pytest.raises(Refusal):
        backend.warp(target - 1)


def test_set_block_interval__one_second__makes_blocks_independent_of_the_wall_clock(coin, issuer):
    with Anvil() as node:
        backend = RpcBackend(node.url, node.keys)
        backend.set_block_interval(1)
        before = backend.timestamp()
        backend.mine(100)
        assert backend.timestamp() == before + 100


def test_get_logs__range_and_topics__are_those_of_the_receipts(backend, coin, issuer):
    receipt = coin.mint(HOLDER, 1, sender=issuer)
    logs = backend.get_logs(receipt.block, receipt.block, [coin.address])
    assert logs == list(receipt.logs)
    assert backend.get_logs(receipt.block, receipt.block, [coin.address], ["0x" + "00" * 32]) == []


def test_has_code__contract_and_person__differ(backend, coin):
    assert backend.has_code(coin.address)
    assert not backend.has_code(HOLDER)
