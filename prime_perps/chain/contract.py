"""A contract proxy that needs nothing but an ABI and a backend that can create, call and send.

    book.margin(account)                                  -> a view's value, decoded
    book.settle(account, sender=keeper)                   -> a Receipt; raises Revert with the contract's reason

Structs come back as named tuples of the ABI's field names and are passed as tuples or dataclasses in field order.
"""

from __future__ import annotations

from collections import namedtuple
from collections.abc import Iterator, Sequence
from dataclasses import astuple, dataclass, field, is_dataclass
from functools import cache, cached_property
from typing import Any, Protocol

from eth_abi import decode, encode
from eth_utils import keccak, to_checksum_address

from prime_perps import compiler
from prime_perps.errors import Revert

ERROR_SELECTOR = keccak(text="Error(string)")[:4]
# EIP-5202: what marks stored creation code as a blueprint, version 0, without data of its own.
BLUEPRINT_PREAMBLE = bytes.fromhex("fe7100")
# After PUSH2 and a length: RETURNDATASIZE, DUP2, PUSH1 10, RETURNDATASIZE, CODECOPY, RETURN.
RETURN_THE_REST = bytes.fromhex("3d81600a3d39f3")


@dataclass(frozen=True)
class Log:
    """One event as the node reports it."""

    address: str
    topics: tuple[bytes, ...]
    data: bytes


@dataclass(frozen=True)
class Receipt:
    """What a transaction did. `gas_used` is after refunds; the in-process EVM warms slots, so there it is not real."""

    gas_used: int
    logs: tuple[Log, ...] = field(default_factory=tuple)
    hash: str = ""
    block: int = 0


class Backend(Protocol):
    """What the proxy needs of a chain. Senders are addresses; the backend knows how to sign for them."""

    def create(self, code: bytes, sender: str) -> str: ...
    def call(self, to: str, data: bytes, sender: str | None = None) -> bytes: ...
    def send(self, to: str, data: bytes, sender: str, value: int = 0) -> Receipt: ...
    def nonce(self, sender: str) -> int: ...
    def timestamp(self) -> int: ...
    def chain_id(self) -> int: ...


def revert_from(output: bytes) -> Revert:
    """The contract's reason out of a revert's return data."""
    if output[:4] == ERROR_SELECTOR:
        return Revert(decode(["string"], output[4:])[0])
    if output[:4] == keccak(text="Panic(uint256)")[:4]:
        return Revert(f"panic {decode(['uint256'], output[4:])[0]:#x}")
    return Revert(f"no reason ({output.hex() or 'empty'})")


def _type_of(parameter: dict[str, Any]) -> str:
    kind: str = parameter["type"]
    if not kind.startswith("tuple"):
        return kind
    return f"({','.join(_type_of(part) for part in parameter['components'])}){kind[5:]}"


@cache
def _record(names: tuple[str, ...]) -> type:
    return namedtuple("Record", names, rename=True)


def _name(parameter: dict[str, Any], value: Any, kind: str | None = None) -> Any:
    """Give struct values their field names, addresses their checksum, through arrays too."""
    kind = kind or parameter["type"]
    if kind.endswith("]"):
        inner = kind[: kind.rindex("[")]
        return [_name(parameter, item, inner) for item in value]
    if kind == "tuple":
        parts = parameter["components"]
        return _record(tuple(part["name"] for part in parts))(*(_name(p, v) for p, v in zip(parts, value, strict=True)))
    return to_checksum_address(value) if kind == "address" else value


def _plain(value: Any) -> Any:
    """Dataclasses and proxies into what eth_abi encodes."""
    if isinstance(value, Contract):
        return value.address
    if is_dataclass(value) and not isinstance(value, type):
        return _plain(astuple(value))
    if isinstance(value, (tuple, list)):
        return tuple(_plain(item) for item in value)
    return value


def _named(outputs: Sequence[dict[str, Any]], values: Sequence[Any]) -> Any:
    named = [_name(parameter, value) for parameter, value in zip(outputs, values, strict=True)]
    if len(named) < 2:
        return named[0] if named else None
    return tuple(named)


@dataclass(frozen=True)
class _Coder:
    """
    How one overload is written and read. Words alone, which is what most of the book's views are about, are coded here,
    many times faster: keepers read every account at every block.
    """

    entry: dict[str, Any]
    selector: bytes
    inputs: list[str]
    outputs: list[str]

    @classmethod
    def of(cls, entry: dict[str, Any]) -> _Coder:
        inputs = [_type_of(part) for part in entry["inputs"]]
        outputs = [_type_of(part) for part in entry["outputs"]]
        return cls(entry, keccak(text=f"{entry['name']}({','.join(inputs)})")[:4], inputs, outputs)

    def encode(self, args: Sequence[Any]) -> bytes:
        if all(kind == "uint256" for kind in self.inputs) and all(type(arg) is int and arg >= 0 for arg in args):
            try:
                return self.selector + b"".join(arg.to_bytes(32, "big") for arg in args)
            except OverflowError:
                pass  # to be refused in the words of the general way
        return self.selector + encode(self.inputs, [_plain(arg) for arg in args])

    def decode(self, output: bytes) -> Any:
        signs = self._signs
        if signs is None or len(output) != 32 * len(signs):
            return _named(self.entry["outputs"], decode(self.outputs, output))
        words = [
            int.from_bytes(output[32 * place : 32 * place + 32], "big", signed=signed)
            for place, signed in enumerate(signs)
        ]
        (part,) = self.entry["outputs"]
        if "components" not in part:
            return words[0]
        return _record(tuple(field["name"] for field in part["components"]))(*words)

    @cached_property
    def _signs(self) -> list[bool] | None:
        """Whether each word is signed, of a single integer or a struct of them; None of anything else."""
        if len(self.outputs) != 1 or self.outputs[0].endswith("]"):
            return None
        parts = self.outputs[0].strip("()").split(",")
        return [part == "int256" for part in parts] if set(parts) <= {"uint256", "int256"} else None


class Method:
    """One ABI function, bound to a contract."""

    def __init__(self, contract: Contract, overloads: list[dict[str, Any]]) -> None:
        self.contract = contract
        self._overloads = {len(entry["inputs"]): _Coder.of(entry) for entry in overloads}

    def _coder(self, args: Sequence[Any]) -> _Coder:
        if len(args) not in self._overloads:
            name = next(iter(self._overloads.values())).entry["name"]
            raise TypeError(f"{name} takes {' or '.join(map(str, self._overloads))} arguments, got {len(args)}")
        return self._overloads[len(args)]

    def encode(self, *args: Any) -> bytes:
        """Calldata for these arguments, to be signed or scheduled elsewhere."""
        return self._coder(args).encode(args)

    def decode(self, output: bytes) -> Any:
        """Return data into named values; the overload with the most arguments tells the types."""
        return self._overloads[max(self._overloads)].decode(output)

    def call(self, *args: Any, sender: str | None = None) -> Any:
        """Evaluate without sending, also for a function that writes."""
        contract = self.contract
        return self.decode(contract.backend.call(contract.address, self.encode(*args), sender))

    def send(self, *args: Any, sender: str, value: int = 0) -> Receipt:
        """Send as a transaction, also for a view (to measure it)."""
        contract = self.contract
        return contract.backend.send(contract.address, self.encode(*args), sender, value)

    def __call__(self, *args: Any, sender: str | None = None, value: int = 0) -> Any:
        if self._coder(args).entry["stateMutability"] in ("view", "pure"):
            return self.call(*args, sender=sender)
        if sender is None:
            raise TypeError(f"{self._coder(args).entry['name']} writes: pass sender=")
        return self.send(*args, sender=sender, value=value)


class Contract:
    """A deployed contract: its functions as attributes, its events through `events(receipt)`."""

    def __init__(self, backend: Backend, address: str, abi: list[dict[str, Any]], name: str = "") -> None:
        self.backend = backend
        self.address = to_checksum_address(address)
        self.abi = abi
        self.name = name
        self._methods: dict[str, Method] = {}
        self._events: dict[bytes, dict[str, Any]] = {}
        for entry in abi:
            if entry["type"] == "event":
                signature = f"{entry['name']}({','.join(_type_of(part) for part in entry['inputs'])})"
                self._events[keccak(text=signature)] = entry

    @classmethod
    def at(cls, backend: Backend, name: str, address: str) -> Contract:
        """The contract called `name` in contracts/, at `address`."""
        return cls(backend, address, compiler.load(name).abi, name)

    @classmethod
    def deploy(cls, backend: Backend, name: str, *args: Any, sender: str) -> Contract:
        """Create the contract called `name` with its constructor's arguments."""
        return cls.create(backend, compiler.load(name), *args, sender=sender)

    @classmethod
    def create(cls, backend: Backend, artifact: compiler.Artifact, *args: Any, sender: str) -> Contract:
        """The same of code that is at hand."""
        none: dict[str, Any] = {"inputs": []}
        constructor = next((entry for entry in artifact.abi if entry["type"] == "constructor"), none)
        types = [_type_of(parameter) for parameter in constructor["inputs"]]
        if len(types) != len(args):
            raise TypeError(f"{artifact.name} takes {len(types)} constructor arguments, got {len(args)}")
        code = bytes.fromhex(artifact.bytecode[2:]) + encode(types, [_plain(arg) for arg in args])
        return cls(backend, backend.create(code, sender), artifact.abi, artifact.name)

    @staticmethod
    def deploy_blueprint(backend: Backend, name: str, *, sender: str) -> str:
        """Store the creation code of the contract called `name` as EIP-5202 has it; the address it is stored at."""
        stored = BLUEPRINT_PREAMBLE + bytes.fromhex(compiler.load(name).bytecode[2:])
        return backend.create(b"\x61" + len(stored).to_bytes(2) + RETURN_THE_REST + stored, sender)

    def __getattr__(self, name: str) -> Method:
        if name.startswith("__"):
            raise AttributeError(name)
        if name not in self._methods:
            overloads = [entry for entry in self.abi if entry["type"] == "function" and entry["name"] == name]
            if not overloads:
                raise AttributeError(f"{self.name or 'contract'} has no function {name}")
            self._methods[name] = Method(self, overloads)
        return self._methods[name]

    def decode_log(self, log: Log) -> tuple[str, dict[str, Any]] | None:
        """(event name, fields) of a log of this contract; None for anybody else's."""
        if to_checksum_address(log.address) != self.address or not log.topics or log.topics[0] not in self._events:
            return None
        entry = self._events[log.topics[0]]
        indexed = [part for part in entry["inputs"] if part["indexed"]]
        plain = [part for part in entry["inputs"] if not part["indexed"]]
        fields = {
            part["name"]: _name(part, decode([_type_of(part)], topic)[0])
            for part, topic in zip(indexed, log.topics[1:], strict=True)
        }
        values = decode([_type_of(part) for part in plain], log.data)
        fields |= {part["name"]: _name(part, value) for part, value in zip(plain, values, strict=True)}
        return entry["name"], fields

    def events(self, receipt: Receipt) -> Iterator[tuple[str, dict[str, Any]]]:
        """This contract's events in a receipt, in order."""
        for log in receipt.logs:
            decoded = self.decode_log(log)
            if decoded:
                yield decoded
