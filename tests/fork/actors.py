"""Who acts on the fork, with keys of their own.

Well-known test keys will not do: on mainnet their addresses carry code (EIP-7702) that others have put there.
"""

from __future__ import annotations

from functools import cache

from ape_test.accounts import TestAccount
from eth_account import Account
from eth_utils import keccak

ROLES = ("deployer", "guardian", "reporter", "second_reporter", "maker", "taker", "holder", "keeper", "attacker")


@cache
def key(role: str) -> str:
    """The private key of a role, 0x-prefixed."""
    return "0x" + keccak(text=f"prime-perps fork test: {role}").hex()


@cache
def address(role: str) -> str:
    """The address of a role."""
    return str(Account.from_key(key(role)).address)


def account(role: str) -> TestAccount:
    """The role as ape knows accounts: it signs without asking."""
    return TestAccount(index=ROLES.index(role), address_str=address(role), private_key=key(role))
