# pragma version 0.4.3
# pragma nonreentrancy on
"""
@title Batcher
@license AGPL-3.0-only
@author Prime Perps
@notice Several steps of one caller with one margin check at the end: the caller is called back, and does what it likes
        with vault, exchange, engine and gateway.

        Trust: the clearinghouse's register of operators for who may name an account. It calls only its caller, holds
        nothing, and the clearinghouse trusts it with one thing: that each account whose check it puts off is checked
        before it returns. A batch does not contain another.
@custom:kill None here: pausing the clearinghouse stops every step that matters.
"""
from contracts.interfaces import IBatcher
from contracts.interfaces import IDeferredChecks
from contracts.interfaces import IOperators
from contracts.interfaces import IPerpClearinghouse
from .modules.clearing import accounts as permissions

implements: IBatcher


CLEARINGHOUSE: immutable(IPerpClearinghouse)
OPERATORS: immutable(IOperators)


@deploy
def __init__(clearinghouse_: address):
    CLEARINGHOUSE = IPerpClearinghouse(clearinghouse_)
    OPERATORS = IOperators(staticcall CLEARINGHOUSE.operators())
    assert staticcall CLEARINGHOUSE.batcher() == self, "batch: not the one expected"


@external
def with_deferred_checks(accounts: DynArray[uint256, 8], data: Bytes[8192]):
    self._check_named(len(accounts))
    for account: uint256 in accounts:
        self._check_authorized(account)
        extcall CLEARINGHOUSE.defer_check(account)
    extcall IDeferredChecks(msg.sender).on_deferred_checks(data)
    for account: uint256 in accounts:
        extcall CLEARINGHOUSE.check_deferred(account, False)


@external
@view
def clearinghouse() -> address:
    return CLEARINGHOUSE.address


@internal
@pure
def _check_named(count: uint256):
    assert count != 0, "batch: no account"


@internal
@view
def _check_authorized(account: uint256):
    """
    @dev Somebody else's account must not be hidden from liquidation, nor shown half way.
    """
    assert (
        staticcall OPERATORS.is_authorized(account, msg.sender, permissions.TRADE)
        or staticcall OPERATORS.is_authorized(account, msg.sender, permissions.LIQUIDATE)
    ), "batch: not authorized"
