# pragma version 0.4.3
"""
@title actor
@license AGPL-3.0-only
@author Prime Perps
@notice Somebody who batches any calls of his own: what he may do in a batch is what this asks for. Not to be trusted.
"""
from contracts.interfaces import IBatcher
from contracts.interfaces import IDeferredChecks

implements: IDeferredChecks


struct Step:
    target: address
    data: Bytes[1536]


@external
def run(batcher: address, accounts: DynArray[uint256, 8], steps: DynArray[Step, 4]):
    extcall IBatcher(batcher).with_deferred_checks(accounts, abi_encode(steps))


@external
def do(steps: DynArray[Step, 4]):
    """
    @notice All of it in one transaction, and no batch.
    """
    for step: Step in steps:
        raw_call(step.target, step.data)


@external
def call(target: address, data: Bytes[1536]):
    raw_call(target, data)


@external
def on_deferred_checks(data: Bytes[8192]):
    steps: DynArray[Step, 4] = abi_decode(data, DynArray[Step, 4])
    for step: Step in steps:
        raw_call(step.target, step.data)
