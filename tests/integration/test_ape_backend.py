"""The backend over ape: its accounts sign, and a revert's reason arrives without a trace."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import pytest
from ape import accounts, networks

from prime_perps.chain import Contract
from prime_perps.chain.anvil import Anvil
from prime_perps.chain.ape import ApeBackend, NotSigned
from prime_perps.chain.node import Unreachable
from prime_perps.errors import NodeError, Revert
from tests.ape_nodes import start_well

if TYPE_CHECKING:
    from ape.api import AccountAPI, ProviderAPI

NOBODY = "0x" + "00" * 19 + "AA"
TOO_MUCH = "stablecoin: balance too small"


@pytest.fixture(scope="module")
def provider() -> Iterator[ProviderAPI]:
    with pytest.MonkeyPatch.context() as patch:
        start_well(patch)
        with networks.parse_network_choice("ethereum:local:foundry") as provider:
            yield provider


@pytest.fixture
def owner() -> AccountAPI:
    return accounts.test_accounts[0]


@pytest.fixture
def backend(provider: ProviderAPI, owner: AccountAPI) -> ApeBackend:
    return ApeBackend([owner], provider)


@pytest.fixture
def coin(backend: ApeBackend, owner: AccountAPI) -> Contract:
    return Contract.deploy(backend, "Stablecoin", sender=owner.address)


def test_create__from_an_ape_account__address_follows_from_its_nonce(backend: ApeBackend, owner: AccountAPI) -> None:
    before = backend.nonce(owner.address)
    coin = Contract.deploy(backend, "Stablecoin", sender=owner.address)
    assert backend.nonce(owner.address) == before + 1
    assert coin.owner() == owner.address


def test_send__mined__receipt_with_gas_block_and_logs(backend: ApeBackend, coin: Contract, owner: AccountAPI) -> None:
    receipt = coin.mint(owner.address, 5, sender=owner.address)
    assert receipt.block == backend.block_number()
    assert 21_000 < receipt.gas_used < 100_000
    assert [name for name, _ in coin.events(receipt)] == ["Transfer"]
    assert coin.balanceOf(owner.address) == 5


def test_send__contract_refuses__its_reason_and_no_transaction(
    backend: ApeBackend, coin: Contract, owner: AccountAPI
) -> None:
    before = backend.nonce(owner.address)
    with pytest.raises(Revert) as refused:
        coin.transfer(NOBODY, 10**30, sender=owner.address)
    assert refused.value.reason == TOO_MUCH
    assert backend.nonce(owner.address) == before


def test_send__refused_only_once_mined__reason_from_a_repeated_call(
    backend: ApeBackend, coin: Contract, owner: AccountAPI, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Between the estimate and the block somebody may be faster; here the estimate is simply not believed."""
    asked = backend._ask
    monkeypatch.setattr(
        backend, "_ask", lambda method, *args: "0x186a0" if method == "eth_estimateGas" else asked(method, *args)
    )
    with pytest.raises(Revert) as refused:
        coin.transfer(NOBODY, 10**30, sender=owner.address)
    assert refused.value.reason == TOO_MUCH


def test_call__contract_refuses__its_reason(coin: Contract, owner: AccountAPI) -> None:
    with pytest.raises(Revert) as refused:
        coin.transfer.call(NOBODY, 1, sender=owner.address)
    assert refused.value.reason == TOO_MUCH


def test_send__unknown_sender__told_whom_it_can_sign_for(coin: Contract, owner: AccountAPI) -> None:
    with pytest.raises(NotSigned, match=f"no ape account for the sender {NOBODY}.*{owner.address}"):
        coin.transfer(NOBODY, 0, sender=NOBODY)


def test_send__account_declines__not_signed(
    backend: ApeBackend, coin: Contract, owner: AccountAPI, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(type(owner), "sign_transaction", lambda *_, **__: None)
    with pytest.raises(NotSigned, match="declined"):
        coin.transfer(NOBODY, 0, sender=owner.address)


def test_send__impersonated_account__sent_without_a_signature(backend: ApeBackend, coin: Contract) -> None:
    stranger = accounts.test_accounts.impersonate_account(NOBODY)
    stranger.balance = 10**18
    backend.add_account(stranger)
    assert coin.approve(NOBODY, 1, sender=NOBODY).hash


def test_init__not_connected__told_how_to_connect(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(networks, "active_provider", None)
    with pytest.raises(NodeError, match="choose a network with --network"):
        ApeBackend()


def test_call__node_stopped__unreachable() -> None:
    with (
        Anvil() as node,
        networks.parse_network_choice(f"ethereum:local:{node.url}") as provider,
    ):
        backend = ApeBackend(provider=provider)
        node.kill()
        with pytest.raises(Unreachable, match="is the node running"):
            backend.timestamp()


def _network_asks(patch: pytest.MonkeyPatch, provider: ProviderAPI, **settings: int) -> None:
    for name, value in settings.items():
        patch.setattr(type(provider.network), name, property(lambda _, value=value: value))


def test_send__network_asks_for_confirmations__waits_for_them(
    backend: ApeBackend, provider: ProviderAPI, coin: Contract, owner: AccountAPI, monkeypatch: pytest.MonkeyPatch
) -> None:
    _network_asks(monkeypatch, provider, required_confirmations=2)
    provider.make_request("evm_setIntervalMining", [1])
    try:
        receipt = coin.mint(owner.address, 1, sender=owner.address)
        assert backend.block_number() >= receipt.block + 2
    finally:
        provider.make_request("evm_setIntervalMining", [0])
        provider.auto_mine = True


def test_confirm__sent_without_waiting__waits_for_the_newest(
    provider: ProviderAPI, coin: Contract, owner: AccountAPI, monkeypatch: pytest.MonkeyPatch
) -> None:
    _network_asks(monkeypatch, provider, required_confirmations=2)
    hasty = ApeBackend([owner], provider, confirmations=0)
    provider.make_request("evm_setIntervalMining", [1])
    try:
        receipt = Contract.at(hasty, "Stablecoin", coin.address).mint(owner.address, 1, sender=owner.address)
        assert hasty.block_number() == receipt.block
        hasty.confirm()
        assert hasty.block_number() >= receipt.block + 2
    finally:
        provider.make_request("evm_setIntervalMining", [0])
        provider.auto_mine = True


def test_send__never_mined__gives_up_and_names_the_transaction(
    provider: ProviderAPI, coin: Contract, owner: AccountAPI, monkeypatch: pytest.MonkeyPatch
) -> None:
    _network_asks(monkeypatch, provider, transaction_acceptance_timeout=0)
    provider.auto_mine = False
    try:
        with pytest.raises(NodeError, match=r"0x[0-9a-f]{64} is not mined after 0 seconds"):
            coin.mint(owner.address, 1, sender=owner.address)
    finally:
        provider.auto_mine = True
        provider.mine()
