"""Is the book whole? Recomputed from nothing but what the chain shows, account by account."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from prime_perps import margin
from prime_perps.accounts import token
from prime_perps.chain.rpc import RpcBackend
from prime_perps.deployment import Deployment
from prime_perps.errors import PrimePerpsError, Revert
from prime_perps.margin import Closure, Exposure

BOOK_DECIMALS = 18


@dataclass(frozen=True)
class Check:
    """One statement about the chain. `id` is the invariant's, where it has one."""

    id: str
    statement: str
    holds: bool
    detail: str


@dataclass(frozen=True)
class Account:
    """Everything the checks ask of one account, of one block."""

    number: int
    book: Any  # IPerpClearinghouse.Book
    margin: Any  # IPerpClearinghouse.Margin
    positions: dict[int, Any]  # IPerpClearinghouse.Position by underlying


def read_accounts(backend: RpcBackend, deployment: Deployment, numbers: Iterable[int]) -> list[Account]:
    """Read each account in one round trip. Nothing may be mined meanwhile. Raises Revert, NodeError."""
    house = deployment.clearinghouse
    ids = [entry.id for entry in deployment.underlyings]
    accounts = []
    for number in sorted(set(numbers)):
        data = [house.book.encode(number), house.margin.encode(number)]
        data += [house.position.encode(number, underlying) for underlying in ids]
        book, requirement, *positions = _answers(backend, [(house.address, entry) for entry in data])
        held = {underlying: house.position.decode(answer) for underlying, answer in zip(ids, positions, strict=True)}
        accounts.append(Account(number, house.book.decode(book), house.margin.decode(requirement), held))
    return accounts


def check_all(deployment: Deployment, accounts: list[Account], table: margin.Table) -> list[Check]:
    """Every check, on all accounts there are, those of insurance and fees included."""
    return [
        *(_check_market(deployment, accounts, entry.id, entry.symbol) for entry in deployment.underlyings),
        _check_money(deployment, accounts),
        *(
            _check_tokens(deployment, accounts, entry.id, entry.symbol)
            for entry in deployment.underlyings
            if entry.token is not None
        ),
        _check_model(accounts, table),
    ]


def _check_market(deployment: Deployment, accounts: list[Account], underlying: int, symbol: str) -> Check:
    sizes = [account.positions[underlying].size for account in accounts]
    longs = sum(size for size in sizes if size > 0)
    recorded = deployment.clearinghouse.market(underlying).open_interest
    return Check(
        "CH-1",
        f"{symbol} perps sum to zero and the long side is the recorded open interest",
        sum(sizes) == 0 and longs == recorded,
        f"sum {sum(sizes)}, long {longs}, recorded {recorded} nano",
    )


def _check_money(deployment: Deployment, accounts: list[Account]) -> Check:
    owed = sum(account.book.cash + account.book.quote - account.book.funding_owed for account in accounts)
    safe = _in_safe(deployment, deployment.cash)
    return Check(
        "CH-2",
        "cash, quote balances and funding of all accounts never exceed the stablecoin in the safe",
        owed <= safe,
        f"owed {owed}, in the safe {safe}, dust {safe - owed} wad",
    )


def _check_tokens(deployment: Deployment, accounts: list[Account], underlying: int, symbol: str) -> Check:
    contract = next(entry.token for entry in deployment.underlyings if entry.id == underlying)
    assert contract is not None
    booked = sum(account.positions[underlying].token for account in accounts)
    safe = _in_safe(deployment, contract)
    return Check(
        "CH-3",
        f"{symbol} tokens of all accounts (instrument {token(underlying)}) are those in the safe",
        booked == safe,
        f"booked {booked}, in the safe {safe} wad",
    )


def _check_model(accounts: list[Account], table: margin.Table) -> Check:
    """The reference model, exact integers in Python, against the contract: bit for bit."""
    different = 0
    for account in accounts:
        exposures = [Exposure(*fields) for fields in account.book.exposures]
        computed = margin.requirements(exposures, Closure(*account.book.closure), account.book.debt, table)
        different += computed != (account.margin.maintenance, account.margin.initial)
    return Check(
        "MM",
        "the reference model gives the chain's maintenance and initial margin of every account, to the last digit",
        different == 0,
        f"{len(accounts)} accounts, {different} different",
    )


def _in_safe(deployment: Deployment, contract: Any) -> int:
    """What the vault holds of a token, with 18 decimals."""
    return int(contract.balanceOf(deployment.vault.address) * 10 ** (BOOK_DECIMALS - contract.decimals()))


def _answers(backend: RpcBackend, calls: list[tuple[str, bytes]]) -> list[bytes]:
    answers = []
    for answer in backend.call_many(calls):
        if isinstance(answer, Revert):
            raise PrimePerpsError(f"the chain refused a view the checks need: {answer.reason}")
        answers.append(answer)
    return answers
