"""Is the book whole? Recomputed from nothing but what the chain shows, account by account."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from prime_perps import margin
from prime_perps.balance_sheet import exposures
from prime_perps.chain.rpc import RpcBackend
from prime_perps.deployment import Deployment
from prime_perps.errors import PrimePerpsError, Revert
from prime_perps.keepers.watchlist import Watchlist
from prime_perps.margin import Closure
from prime_perps.units import NANO, WAD, usd

BOOK_DECIMALS = 18
# Far above one unit for each rounding of a replay, far below a cent.
DUST = 10**10


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
    summary: Any  # IAccountLens.Summary
    positions: dict[int, Any]  # IPerpClearinghouse.Position by underlying

    @property
    def margin(self) -> Any:
        """IPerpClearinghouse.Margin."""
        return self.summary.margin


def read_accounts(backend: RpcBackend, deployment: Deployment, numbers: Iterable[int]) -> list[Account]:
    """Read each account in one round trip. Nothing may be mined meanwhile. Raises Revert, NodeError."""
    house, lens = deployment.clearinghouse, deployment.lens
    ids = [entry.id for entry in deployment.underlyings]
    accounts = []
    for number in sorted(set(numbers)):
        calls: list[tuple[str, bytes]] = [(lens.address, lens.account_summary.encode(number))]
        calls += [(house.address, house.position.encode(number, underlying)) for underlying in ids]
        summary, *positions = _answers(backend, calls)
        held = {underlying: house.position.decode(answer) for underlying, answer in zip(ids, positions, strict=True)}
        accounts.append(Account(number, lens.account_summary.decode(summary), held))
    return accounts


def read_everybody(backend: RpcBackend, deployment: Deployment) -> list[Account]:
    """Every account there is, those of insurance and fees included. Raises Revert, NodeError."""
    house = deployment.clearinghouse
    known = Watchlist(backend, house, deployment.block)
    known.advance()
    return read_accounts(backend, deployment, known.accounts | {house.insurance_account(), house.fee_account()})


def check_all(deployment: Deployment, accounts: list[Account], table: margin.Table) -> list[Check]:
    """Every check, on all accounts there are, those of insurance and fees included."""
    return [
        _check_markets(deployment, accounts),
        _check_money(deployment, accounts),
        _check_tokens(deployment, accounts),
        _check_model(accounts, table),
    ]


def _check_markets(deployment: Deployment, accounts: list[Account]) -> Check:
    wrong, seen = [], []
    for entry in deployment.underlyings:
        sizes = [account.positions[entry.id].size for account in accounts]
        longs = sum(size for size in sizes if size > 0)
        recorded = deployment.clearinghouse.market(entry.id).open_interest
        if sum(sizes) != 0 or longs != recorded:
            wrong.append(f"{entry.symbol}: sum {sum(sizes)}, long {longs}, recorded {recorded} nano")
        elif longs:
            seen.append(f"{entry.symbol} {Decimal(longs) / NANO:,.3f}")
    return Check(
        "CH-1",
        "the perps of every market sum to zero, and its long side is the recorded open interest",
        not wrong,
        "; ".join(wrong) or f"open: {', '.join(seen)}",
    )


def _check_money(deployment: Deployment, accounts: list[Account]) -> Check:
    owed = sum(one.margin.cash + one.margin.quote - one.margin.funding_owed for one in accounts)
    safe = _in_safe(deployment, deployment.cash)
    market = deployment.interest.market(deployment.clearinghouse.cash_words())
    dust = safe - owed - market.reserve
    return Check(
        "CH-2",
        "cash, quotes and funding of all accounts, and the reserve, are the stablecoin in the safe, but for dust",
        0 <= dust < DUST,
        f"{len(accounts)} accounts, {usd(safe)} USD in the safe, {usd(market.debt)} lent, "
        f"{usd(market.reserve)} in reserve, {dust} wad of dust",
    )


def _check_tokens(deployment: Deployment, accounts: list[Account]) -> Check:
    wrong, seen = [], []
    for entry in deployment.underlyings:
        if entry.token is None:
            continue
        booked = sum(account.positions[entry.id].token for account in accounts)
        safe = _in_safe(deployment, entry.token)
        if booked != safe:
            wrong.append(f"{entry.symbol}: booked {booked}, in the safe {safe} wad")
        elif safe:
            seen.append(f"{entry.symbol} {Decimal(safe) / WAD:,.0f}")
    return Check(
        "CH-3",
        "the tokens of all accounts are those in the safe, to the last unit",
        not wrong,
        "; ".join(wrong) or f"in the safe: {', '.join(seen)}",
    )


def _check_model(accounts: list[Account], table: margin.Table) -> Check:
    """The reference model, exact integers in Python, against the contract: bit for bit."""
    different = 0
    for account in accounts:
        debt = max(-account.margin.cash, 0)
        closure = Closure(*account.summary.closure)
        computed = margin.requirements(exposures(account.summary), closure, debt, table)
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
