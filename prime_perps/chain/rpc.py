"""The backend for a real node: JSON-RPC with keys held here.

A transaction is signed once and known by its hash from then on. When the answer to a send is lost, the hash is looked
up before anything else, and only the very same bytes are ever sent again; a stuck transaction is replaced at its own
nonce. So one call of `send` changes the chain at most once.
"""

from __future__ import annotations

import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

from eth_account import Account
from eth_account.signers.local import LocalAccount
from eth_utils import to_checksum_address

from prime_perps.chain.contract import Log, Receipt
from prime_perps.chain.node import Node, Refusal, Unreachable
from prime_perps.chain.wire import call_fields, failure, log_from, receipt_from, to_bytes
from prime_perps.errors import NodeError, PrimePerpsError, Revert

METHOD_NOT_FOUND = frozenset({-32601, -32600, -32004})
SYNC_TIMEOUT = 4  # EIP-7966: taken, not mined in time
SYNC_ANSWER_TIMEOUT = 45.0  # seconds; nodes give up on eth_sendRawTransactionSync by themselves after 20 to 30
SEND_ATTEMPTS = 4
REPLACEMENTS = 3
FALLBACK_TIP = 10**9  # wei of gas, for nodes that suggest none


class WrongChain(NodeError):
    """The node serves another chain than the one expected."""


class NoKey(PrimePerpsError):
    """A sender whose key this backend does not hold."""


class SendUnresolved(NodeError):
    """A transaction was handed over and what became of it is not known yet. It is looked up before the next send."""

    def __init__(self, digest: str, why: object) -> None:
        super().__init__(f"{why}; transaction {digest} may or may not be taken")
        self.hash = digest


class _NonceTaken(Exception):
    """Another process used the nonce: the transaction can never be mined and may be signed anew."""


@dataclass
class _Pending:
    """One transaction on its way: its fields, and the hash and bytes of every version signed so far."""

    fields: dict[str, Any]
    account: LocalAccount
    raw: str = ""
    hashes: list[str] = field(default_factory=list)

    def sign(self) -> None:
        signed = self.account.sign_transaction(self.fields)
        self.raw = "0x" + bytes(signed.raw_transaction).hex()
        self.hashes.append("0x" + bytes(signed.hash).hex())

    def bump(self) -> None:
        """A quarter more of each fee: nodes ask for at least a tenth to replace."""
        for name in ("maxFeePerGas", "maxPriorityFeePerGas"):
            self.fields[name] = self.fields[name] * 5 // 4 + 1
        self.sign()


class RpcBackend:
    """A chain behind a url. One object per thread; the keys' nonces belong to it."""

    def __init__(
        self,
        url: str,
        keys: Iterable[str | bytes | LocalAccount] = (),
        *,
        chain_id: int | None = None,
        timeout: float = 20.0,
        patience: float = 60.0,
    ) -> None:
        """
        `keys`: private keys or eth_account signers of every sender. `chain_id`: what the node must serve, if known.
        `timeout`: seconds for one answer. `patience`: seconds a transaction may wait before its fee is raised.
        Raises NodeError when the node cannot be reached, WrongChain when it serves another chain.
        """
        self.node = Node(url, timeout)
        self._patience = patience
        self._keys: dict[str, LocalAccount] = {}
        self._nonces: dict[str, int] = {}
        self._unresolved: dict[str, _Pending] = {}
        self._given_up: dict[str, list[str]] = {}
        self._send_sync = True
        self._chain_id = int(self.node.read("eth_chainId"), 16)
        if chain_id is not None and chain_id != self._chain_id:
            raise WrongChain(f"{self.node.url} serves chain {self._chain_id}, expected {chain_id}")
        for key in keys:
            self.add_key(key)

    @property
    def url(self) -> str:
        """The node's address as it may be printed."""
        return self.node.url

    def add_key(self, key: str | bytes | LocalAccount) -> str:
        """Hold a key; its address may send from now on."""
        account: LocalAccount = key if isinstance(key, LocalAccount) else Account.from_key(key)
        self._keys[account.address] = account
        return str(account.address)

    # the Backend protocol

    def create(self, code: bytes, sender: str) -> str:
        """Deploy creation code. Returns the contract's address. Raises Revert, NodeError."""
        mined = self._transact(None, code, sender, 0)
        return to_checksum_address(mined["contractAddress"])

    def call(self, to: str, data: bytes, sender: str | None = None) -> bytes:
        """Evaluate on the latest block. Raises Revert with the contract's reason, NodeError."""
        try:
            return to_bytes(self.node.read("eth_call", call_fields(to, data, sender), "latest"))
        except Refusal as refusal:
            raise failure(refusal) from None

    def send(self, to: str, data: bytes, sender: str, value: int = 0) -> Receipt:
        """Send and wait until mined. Raises Revert (before sending where the node can tell), NoKey, NodeError."""
        return receipt_from(self._transact(to, data, sender, value))

    def nonce(self, sender: str) -> int:
        """The nonce of the sender's next transaction."""
        return self._nonce(to_checksum_address(sender))

    def timestamp(self) -> int:
        """Unix seconds of the latest block."""
        return int(self.block()["timestamp"], 16)

    def chain_id(self) -> int:
        """As the node said when the backend was made."""
        return self._chain_id

    # reading

    def call_many(self, calls: Sequence[tuple[str, bytes]], sender: str | None = None) -> list[bytes | Revert]:
        """Evaluate several (to, data) in one round trip on the latest block; a reverted one is its Revert."""
        asked = [("eth_call", (call_fields(to, data, sender), "latest")) for to, data in calls]
        results: list[bytes | Revert] = []
        for answer in self.node.read_many(asked):
            if isinstance(answer, Refusal):
                error = failure(answer)
                if not isinstance(error, Revert):
                    raise error
                results.append(error)
            else:
                results.append(to_bytes(answer))
        return results

    def estimate_gas(self, to: str, data: bytes, sender: str) -> int:
        """Gas of a transaction on the latest block. Raises Revert with the contract's reason, NodeError."""
        try:
            return int(self.node.read("eth_estimateGas", call_fields(to, data, sender)), 16)
        except Refusal as refusal:
            raise failure(refusal) from None

    def gas_price(self) -> int:
        """What a unit of gas costs in the next block, wei: the latest base fee and the tip the node suggests."""
        head, tip = self.node.read_many([("eth_getBlockByNumber", ("latest", False)), ("eth_maxPriorityFeePerGas", ())])
        return sum(_fees(head, tip))

    def block(self, number: int | str = "latest") -> dict[str, Any]:
        """A block's header as the node gives it, hex strings. Raises NodeError for a block it does not have."""
        name = hex(number) if isinstance(number, int) else number
        header = self.node.read("eth_getBlockByNumber", name, False)
        if header is None:
            raise NodeError(f"{self.url} has no block {number}")
        return dict(header)

    def block_number(self) -> int:
        return int(self.node.read("eth_blockNumber"), 16)

    def balance(self, address: str) -> int:
        """Wei of gas currency."""
        return int(self.node.read("eth_getBalance", address, "latest"), 16)

    def has_code(self, address: str) -> bool:
        return len(to_bytes(self.node.read("eth_getCode", address, "latest"))) > 0

    def get_logs(self, first: int, last: int, addresses: Sequence[str], topics: Sequence[Any] = ()) -> list[Log]:
        """
        Logs of blocks `first` to `last`, both included, in order; none when `last` comes before `first`. `topics` as
        in eth_getLogs: one entry a position, each a hex topic, a list of alternatives, or None.
        """
        if last < first:
            return []
        wanted = {"fromBlock": hex(first), "toBlock": hex(last), "address": list(addresses), "topics": list(topics)}
        return [log_from(entry) for entry in self.node.read("eth_getLogs", wanted)]

    # development nodes only

    def warp(self, timestamp: int) -> None:
        """Mine one block at exactly `timestamp`, unix seconds, later than the latest block's (anvil)."""
        self.node.request("evm_setNextBlockTimestamp", timestamp)
        self.node.request("evm_mine")

    def mine(self, blocks: int = 1) -> None:
        """Mine empty blocks (anvil)."""
        self.node.request("anvil_mine", hex(blocks))

    def set_block_interval(self, seconds: int) -> None:
        """Make each block exactly `seconds` later than the one before, whatever the wall clock says (anvil)."""
        self.node.request("anvil_setBlockTimestampInterval", seconds)

    # sending

    def resolve(self, sender: str) -> None:
        """
        Settle what became of a send that raised SendUnresolved: wait for it when the node knows it, else give it up.
        `send` does this first by itself; a program that decides on the chain's state calls it before it looks.
        """
        sender = to_checksum_address(sender)
        pending = self._unresolved.get(sender)
        if pending is None:
            return
        try:
            if self._is_known(pending.hashes):
                self._wait(pending)
            else:
                self._given_up.setdefault(sender, []).extend(pending.hashes)
        except _NonceTaken:
            pass  # it can never be mined
        del self._unresolved[sender]

    def _transact(self, to: str | None, data: bytes, sender: str, value: int) -> dict[str, Any]:
        """The node's receipt of a successful transaction."""
        account = self._keys.get(to_checksum_address(sender))
        if account is None:
            raise NoKey(f"no key for the sender {sender} (held: {', '.join(self._keys) or 'none'})")
        self.resolve(account.address)
        fields = self._priced(call_fields(to, data, account.address, value))
        for _ in range(SEND_ATTEMPTS):
            pending = _Pending({**fields, "nonce": self._nonce(account.address)}, account)
            pending.sign()
            try:
                mined = self._deliver(pending)
            except _NonceTaken:
                self._check_not_late(account.address)
                continue
            if int(mined["status"], 16) == 0:
                raise self._reason(to, data, account.address, value, mined)
            return mined
        raise NodeError(f"another process keeps using the nonces of {account.address}: give every program its own key")

    def _check_not_late(self, address: str) -> None:
        """The nonce may have gone to a transaction of ours, given up too early: then this one must not follow it."""
        late = [digest for digest in self._given_up.get(address, []) if self._is_known([digest])]
        if late:
            raise NodeError(f"{late[0]} was taken after all: look at the chain before sending again")

    def _nonce(self, address: str) -> int:
        if address not in self._nonces:
            self._nonces[address] = int(self.node.read("eth_getTransactionCount", address, "pending"), 16)
        return self._nonces[address]

    def _priced(self, asked: dict[str, Any]) -> dict[str, Any]:
        """The transaction's fields but its nonce. Raises Revert when the estimate already fails."""
        gas, head, tip = self.node.read_many(
            [
                ("eth_estimateGas", (asked,)),
                ("eth_getBlockByNumber", ("latest", False)),
                ("eth_maxPriorityFeePerGas", ()),
            ]
        )
        if isinstance(gas, Refusal):
            raise failure(gas)
        base, priority = _fees(head, tip)
        fields: dict[str, Any] = {
            "type": 2,
            "chainId": self._chain_id,
            # What a transaction does may change between the estimate and its block: accruals, cold slots.
            "gas": min(int(gas, 16) * 5 // 4 + 10_000, int(head["gasLimit"], 16)),
            "maxPriorityFeePerGas": priority,
            "maxFeePerGas": 2 * base + priority,
            "value": int(asked.get("value", "0x0"), 16),
            "data": asked["data"],
        }
        if "to" in asked:
            fields["to"] = to_checksum_address(asked["to"])
        return fields

    def _deliver(self, pending: _Pending) -> dict[str, Any]:
        """Hand over one signed transaction and wait for its receipt. Raises _NonceTaken, SendUnresolved, Refusal."""
        address = pending.account.address
        nonce = self._nonces.pop(address)  # asked for again unless all goes well
        self._unresolved[address] = pending
        try:
            mined = self._offer(pending) or self._wait(pending)
        except (Refusal, _NonceTaken):
            del self._unresolved[address]
            raise
        except NodeError as error:
            raise SendUnresolved(pending.hashes[0], error) from None
        del self._unresolved[address]
        self._nonces[address] = nonce + 1
        return mined

    def _offer(self, pending: _Pending) -> dict[str, Any] | None:
        """Until the node has taken it. After a lost answer the node is asked whether it knows the hash, first."""
        for _ in range(SEND_ATTEMPTS):
            try:
                return self._hand_over(pending)
            except Unreachable:
                if self._is_known(pending.hashes):
                    return None
        raise Unreachable(f"{self.url} answers, but takes no transaction")

    def _hand_over(self, pending: _Pending) -> dict[str, Any] | None:
        """The receipt where the node waits for it, None when it only took the transaction."""
        if self._send_sync:
            try:
                mined = self.node.request("eth_sendRawTransactionSync", pending.raw, timeout=SYNC_ANSWER_TIMEOUT)
                return dict(mined) if mined else None
            except Refusal as refusal:
                if refusal.code == SYNC_TIMEOUT or "timeout" in refusal.message.lower():
                    return None
                if refusal.code not in METHOD_NOT_FOUND:
                    self._check_taken(pending, refusal)
                    return None
                self._send_sync = False
        try:
            self.node.request("eth_sendRawTransaction", pending.raw)
        except Refusal as refusal:
            self._check_taken(pending, refusal)
        return None

    def _check_taken(self, pending: _Pending, refusal: Refusal) -> None:
        """Refusals that are good news pass; the others are raised."""
        text = refusal.message.lower()
        if "already known" in text or "already imported" in text:
            return
        if self._is_known(pending.hashes):
            return
        if "nonce too low" in text or "nonce is too low" in text:
            raise _NonceTaken
        raise refusal

    def _is_known(self, hashes: Iterable[str]) -> bool:
        return any(self.node.read("eth_getTransactionByHash", digest) for digest in hashes)

    def _wait(self, pending: _Pending) -> dict[str, Any]:
        """
        Poll for the receipt of any version; raise the fee when it takes too long, a bounded number of times.
        Raises _NonceTaken when a stranger's transaction took its place, NodeError when it stays unmined.
        """
        while True:
            deadline = time.monotonic() + self._patience
            pause = 0.02
            while time.monotonic() < deadline:
                for digest in pending.hashes:
                    mined = self.node.read("eth_getTransactionReceipt", digest)
                    if mined:
                        return dict(mined)
                time.sleep(pause)
                pause = min(pause * 2, 1.0)
            used = int(self.node.read("eth_getTransactionCount", pending.account.address, "latest"), 16)
            if used > pending.fields["nonce"] and not self._is_known(pending.hashes):
                raise _NonceTaken
            if len(pending.hashes) > REPLACEMENTS:
                raise NodeError(f"not mined after {REPLACEMENTS} raised fees at {self.url}")
            pending.bump()
            try:
                self.node.request("eth_sendRawTransaction", pending.raw)
            except NodeError:
                # Mined meanwhile, or not taken: every version signed so far is still watched.
                continue

    def _reason(self, to: str | None, data: bytes, sender: str, value: int, mined: dict[str, Any]) -> Revert:
        """Why a mined transaction failed, by asking again on the state before it, or on the latest one."""
        asked = call_fields(to, data, sender, value)
        for block in (hex(int(mined["blockNumber"], 16) - 1), "latest"):
            try:
                self.node.read("eth_call", asked, block)
            except Refusal as refusal:
                error = failure(refusal)
                if isinstance(error, Revert):
                    return error
        return Revert(f"no reason ({mined['transactionHash']} failed)")


def _fees(head: Any, tip: Any) -> tuple[int, int]:
    """(base fee, tip) out of a node's answers, wei of gas currency. A node may suggest no tip; it must have a block."""
    if isinstance(head, Refusal):
        raise head
    return int(head.get("baseFeePerGas", "0x0"), 16), FALLBACK_TIP if isinstance(tip, Refusal) else int(tip, 16)
