"""Account and instrument numbers, the same as in the clearinghouse."""

from __future__ import annotations

from enum import IntFlag

from eth_utils import to_checksum_address

SUB_ACCOUNTS = 2**96
CASH = 255


class Permission(IntFlag):
    """What an operator may do for an account."""

    TRADE = 1
    DEPOSIT = 2
    WITHDRAW = 4
    LIQUIDATE = 8


def account_id(owner: str, sub: int = 0) -> int:
    """The account `sub` of `owner`. Exists at first touch; nothing is registered. Raises ValueError outside 96 bits."""
    if not 0 <= sub < SUB_ACCOUNTS:
        raise ValueError(f"sub-account {sub} does not fit 96 bits")
    return int(owner, 16) << 96 | sub


def owner_of(account: int) -> str:
    """The address that owns an account."""
    return to_checksum_address(f"{account >> 96:040x}")


def perp(underlying: int) -> int:
    """The instrument number of the perp on an underlying."""
    return underlying


def token(underlying: int) -> int:
    """The instrument number of the primary issuer's token on an underlying."""
    return 64 + underlying
