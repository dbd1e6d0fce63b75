"""Where the gas of a margin check goes, from a trace of its opcodes on anvil.

    python -m benchmarks.trace          a check at 5+5 hedged stocks, and what each further stock adds

Every opcode is booked to the contract whose code runs and to one kind: storage; hashing; calls; memory and code, with
what growing the memory costs; arithmetic, which is everything else: sums, comparisons, jumps, the stack. What is not an
opcode's, 21,000 and the calldata, is the transaction's.
"""

from __future__ import annotations

import sys
from collections import Counter
from collections.abc import Iterator, Mapping
from typing import Any

from rich.console import Console
from rich.table import Table

from benchmarks.gas import TOKENS, World
from prime_perps.chain.anvil import Anvil

FEW, MANY = 5, 10
KINDS = {
    "storage": {"SLOAD", "SSTORE", "TLOAD", "TSTORE"},
    "hashing": {"KECCAK256"},
    "calls": {"CALL", "STATICCALL", "DELEGATECALL"},
    "memory and code": {
        *("MLOAD", "MSTORE", "MSTORE8", "MCOPY", "RETURN"),
        *("CALLDATALOAD", "CALLDATACOPY", "RETURNDATACOPY", "CODECOPY", "EXTCODECOPY", "EXTCODESIZE"),
    },
}
ARITHMETIC = "arithmetic"
ORDER = (*KINDS, ARITHMETIC)
TRANSACTION = "transaction"

Bookings = Counter[tuple[str, str]]  # gas by (contract, kind)


def booked(trace: Mapping[str, Any], names: Mapping[str, str]) -> Bookings:
    """
    Gas by contract and kind of an answer of debug_traceTransaction; `names` by address in lower case, the contract that
    the transaction calls first. What a call passes on is booked where it is spent.
    """
    gas: Bookings = Counter()
    for running, step, spent in _spendings(trace["structLogs"], next(iter(names))):
        kind = next((kind for kind, opcodes in KINDS.items() if step["op"] in opcodes), ARITHMETIC)
        gas[names.get(running, "others"), kind] += spent
    gas[TRANSACTION, ""] = trace["gas"] - gas.total()
    return gas


def _spendings(steps: list[dict[str, Any]], first: str) -> Iterator[tuple[str, dict[str, Any], int]]:
    """Each step with the contract that runs and the gas that it alone spends, in order of the steps' ends."""
    running, open_calls = [first], []
    for step, following in zip(steps, [*steps[1:], None], strict=True):
        if following and following["depth"] > step["depth"]:
            open_calls.append((step, following["gas"]))
            running.append("0x" + step["stack"][-2].removeprefix("0x").zfill(40)[-40:].lower())
            continue
        yield running[-1], step, step["gasCost"]
        if following and following["depth"] < step["depth"]:
            call, passed_on = open_calls.pop()
            left = step["gas"] - step["gasCost"]
            running.pop()
            # of what the caller had, the callee spent what it was given less what it left
            yield running[-1], call, call["gas"] - following["gas"] - (passed_on - left)


def measure(stocks: int) -> Bookings:
    """A cold margin check of an account that holds `stocks` hedged stocks."""
    with Anvil(options=("--steps-tracing",)) as node:
        world = World(node)
        system, maker, taker = world.system, world.trader("maker"), world.trader("taker")
        for trader in (maker, taker):
            world.hold_tokens(trader, stocks)
        for market in range(stocks):
            world.publish()
            world.cross(maker, taker, market, TOKENS)
        world.publish()
        system.clearinghouse.margin.send(maker.account, sender=world.admin)
        rpc = world.backend.node
        (check,) = rpc.request("eth_getBlockByNumber", "latest", False)["transactions"]
        trace = rpc.request("debug_traceTransaction", check, {"disableStorage": True, "disableMemory": True})
        parts = (system.clearinghouse, system.oracle, system.model)
        return booked(trace, {part.address.lower(): part.name for part in parts})


def show(few: Bookings, many: Bookings, console: Console) -> None:
    """The gas of a check, and a further stock's share of it."""
    for title, gas in (
        (f"Gas of one cold margin check at {FEW}+{FEW}", few),
        ("Gas of one more hedged stock", Counter({at: (many[at] - few[at]) // (MANY - FEW) for at in few})),
    ):
        table = Table(title=title, title_justify="left")
        table.add_column("contract")
        for kind in (*ORDER, "all"):
            table.add_column(kind, justify="right")
        for contract in dict.fromkeys(contract for contract, _ in few if contract != TRANSACTION):
            row = [gas[contract, kind] for kind in ORDER]
            table.add_row(contract, *(f"{amount:,}" for amount in (*row, sum(row))))
        table.add_row("transaction and calldata", *[""] * len(ORDER), f"{gas[TRANSACTION, '']:,}")
        table.add_section()
        sums = [sum(amount for (_, booked_to), amount in gas.items() if booked_to == kind) for kind in ORDER]
        table.add_row("all", *(f"{amount:,}" for amount in (*sums, gas.total())))
        console.print(table)


def main() -> int:
    """The command. Returns the exit code."""
    show(measure(FEW), measure(MANY), Console(width=130))
    return 0


if __name__ == "__main__":
    sys.exit(main())
