"""The backend for people who work in ape: its provider carries the requests, its accounts sign.

Transactions go out raw, and a revert's reason comes from the estimate before them or from a repeated call after them:
ape would trace each failure, which takes seconds on a local node and is refused by most public ones.
"""

from __future__ import annotations

import time
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from ape import networks
from ape.exceptions import ApeException
from eth_utils import to_checksum_address
from requests.exceptions import RequestException
from web3.exceptions import Web3Exception

from prime_perps.chain.contract import Receipt
from prime_perps.chain.node import Refusal, Unreachable
from prime_perps.chain.wire import call_fields, failure, receipt_from, to_bytes
from prime_perps.errors import NodeError, PrimePerpsError, Revert

if TYPE_CHECKING:
    from ape.api import AccountAPI, ProviderAPI, TransactionAPI

FIRST_PAUSE = 0.01  # seconds between two looks for a receipt; doubles up to the last
LAST_PAUSE = 2.0


class NotSigned(PrimePerpsError):
    """The account did not sign: the person declined, the pass phrase was wrong, or nobody holds its key."""


class ApeBackend:
    """The chain ape is connected to. Senders are ape accounts, given at the start or added later."""

    def __init__(
        self,
        accounts: Iterable[AccountAPI] = (),
        provider: ProviderAPI | None = None,
        *,
        confirmations: int | None = None,
    ) -> None:
        """
        `provider`: the connected one if not given. `confirmations`: how many blocks above its own each transaction
        waits for; what ape's network settings ask for if not given.
        Raises NodeError when there is no provider, or it speaks no JSON-RPC.
        """
        self._provider = provider or networks.active_provider
        if self._provider is None:
            raise NodeError("ape is not connected: choose a network with --network")
        if not hasattr(self._provider, "web3"):
            raise NodeError(f"{self._provider.network_choice} is not a JSON-RPC node: choose another --network")
        self._confirmations = confirmations
        self._last_sent: str | None = None
        self._accounts: dict[str, AccountAPI] = {}
        for account in accounts:
            self.add_account(account)

    def add_account(self, account: AccountAPI) -> str:
        """Let an ape account send from now on. Returns its address."""
        address = to_checksum_address(account.address)
        self._accounts[address] = account
        return address

    # the Backend protocol

    def create(self, code: bytes, sender: str) -> str:
        """Deploy creation code. Returns the contract's address. Raises Revert, NotSigned, NodeError."""
        return to_checksum_address(self._transact(None, code, sender, 0)["contractAddress"])

    def call(self, to: str, data: bytes, sender: str | None = None) -> bytes:
        """Evaluate on the latest block. Raises Revert with the contract's reason, NodeError."""
        return to_bytes(self._ask("eth_call", call_fields(to, data, sender), "latest"))

    def send(self, to: str, data: bytes, sender: str, value: int = 0) -> Receipt:
        """Sign, send, and wait until it is mined and confirmed. Raises Revert, mostly before sending, and NodeError."""
        return receipt_from(self._transact(to, data, sender, value))

    def nonce(self, sender: str) -> int:
        """The nonce of the sender's next transaction."""
        return int(self._ask("eth_getTransactionCount", to_checksum_address(sender), "latest"), 16)

    def timestamp(self) -> int:
        """Unix seconds of the latest block."""
        return int(self._ask("eth_getBlockByNumber", "latest", False)["timestamp"], 16)

    def chain_id(self) -> int:
        return int(self._ask("eth_chainId"), 16)

    def block_number(self) -> int:
        """The height of the chain."""
        return int(self._ask("eth_blockNumber"), 16)

    def confirm(self) -> None:
        """Wait until the newest transaction, and so each before it of its sender, is as deep as the network asks."""
        if self._last_sent is not None:
            self._mined(self._last_sent, self._network_asks())

    def _network_asks(self) -> int:
        return int(self._provider.network.required_confirmations)

    # sending

    def _transact(self, to: str | None, data: bytes, sender: str, value: int) -> dict[str, Any]:
        """The node's receipt of a successful transaction."""
        account = self._accounts.get(to_checksum_address(sender))
        if account is None:
            held = ", ".join(self._accounts) or "none"
            raise NotSigned(f"no ape account for the sender {sender} (given: {held})")
        fields = call_fields(to, data, account.address, value)
        digest = self._hand_over(self._signed(account, fields, to, data, value))
        mined = self._mined(digest, self._network_asks() if self._confirmations is None else self._confirmations)
        self._last_sent = digest
        if int(mined["status"], 16) == 0:
            raise self._reason(fields, mined)
        return mined

    def _signed(
        self, account: AccountAPI, fields: dict[str, str], to: str | None, data: bytes, value: int
    ) -> TransactionAPI:
        estimate = int(self._ask("eth_estimateGas", fields), 16)
        # What a transaction does may change between the estimate and its block: accruals, cold slots.
        gas = min(estimate * 5 // 4 + 10_000, int(self._provider.max_gas))
        target = {} if to is None else {"receiver": to}
        transaction = self._provider.network.ecosystem.create_transaction(
            sender=account.address, data=data, value=value, gas_limit=gas, **target
        )
        try:
            prepared = account.prepare_transaction(transaction)
            if self._provider.network.is_dev:
                # ape presumes the id of its own nodes, whatever node a development network really is.
                prepared.chain_id = self.chain_id()
            signed = account.sign_transaction(prepared)
        except ApeException as error:
            raise NotSigned(f"{account.address} did not sign: {error}") from error
        if signed is None:
            raise NotSigned(f"{account.address} did not sign: declined")
        return signed

    def _hand_over(self, transaction: TransactionAPI) -> str:
        """The hash under which the node knows the transaction."""
        if transaction.signature is None:
            # An impersonated account of a development network, which has no key to sign with.
            self._provider.unlock_account(transaction.sender)
            unsigned = transaction.model_dump(by_alias=True, mode="json", exclude={"chain_id"})
            fields = {name: hex(part) if isinstance(part, int) else part for name, part in unsigned.items()}
            return str(self._ask("eth_sendTransaction", fields))
        return str(self._ask("eth_sendRawTransaction", "0x" + bytes(transaction.serialize_transaction()).hex()))

    def _mined(self, digest: str, confirmations: int) -> dict[str, Any]:
        """The receipt, once its block has so many above it."""
        timeout = self._provider.network.transaction_acceptance_timeout
        deadline = time.monotonic() + timeout
        pause = FIRST_PAUSE
        while True:
            mined = self._ask("eth_getTransactionReceipt", digest)
            if mined is not None:
                if self._is_deep(mined, confirmations):
                    return dict(mined)
            elif time.monotonic() > deadline:
                raise NodeError(f"{digest} is not mined after {timeout} seconds")
            time.sleep(pause)
            pause = min(pause * 2, LAST_PAUSE)

    def _is_deep(self, mined: dict[str, Any], confirmations: int) -> bool:
        if not confirmations:
            return True
        return self.block_number() >= int(mined["blockNumber"], 16) + confirmations

    def _reason(self, fields: dict[str, str], mined: dict[str, Any]) -> Revert:
        """Why a mined transaction failed, by asking again on the state before it, or on the latest one."""
        for block in (hex(int(mined["blockNumber"], 16) - 1), "latest"):
            try:
                self._ask("eth_call", fields, block)
            except Revert as revert:
                return revert
            except NodeError:
                continue  # a node that keeps no history knows only the latest state
        return Revert(f"no reason ({mined['transactionHash']} failed)")

    def _ask(self, method: str, *params: Any) -> Any:
        """One request through ape's connection. Raises Revert, Refusal, Unreachable."""
        try:
            answer = self._provider.web3.provider.make_request(method, list(params))
        except (OSError, RequestException, Web3Exception) as error:
            choice = self._provider.network_choice
            raise Unreachable(f"no answer from {choice} ({type(error).__name__}): is the node running?") from None
        told = answer.get("error")
        if told:
            refusal = told if isinstance(told, dict) else {"message": str(told)}
            raise failure(
                Refusal(method, int(refusal.get("code", 0)), str(refusal.get("message", "")), refusal.get("data"))
            )
        return answer.get("result")
