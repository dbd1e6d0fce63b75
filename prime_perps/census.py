"""Every account as the chain explains it, and whether these are all there are."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from prime_perps.accounts import token
from prime_perps.chain.contract import Contract, Method
from prime_perps.chain.rpc import RpcBackend
from prime_perps.deployment import Deployment
from prime_perps.errors import NodeError, Revert
from prime_perps.keepers.watchlist import Watchlist

CALLS_A_QUERY = 100
TOKEN_DECIMALS = 18  # of tokens inside the book


@dataclass(frozen=True)
class Holdings:
    """What everybody together has on one underlying, by the contracts' own sums."""

    long: int  # nano, open interest
    short: int  # nano, likewise
    tokens: int  # wad, of the primary issuer

    def __add__(self, other: Holdings) -> Holdings:
        return Holdings(self.long + other.long, self.short + other.short, self.tokens + other.tokens)


NOTHING = Holdings(0, 0, 0)


@dataclass(frozen=True)
class Census:
    """Accounts as of one block, or of a few, when blocks came in meanwhile; insurance and fees are left out."""

    first_block: int
    last_block: int
    summaries: Mapping[int, Any]  # IAccountLens.Summary by account
    unreadable: Mapping[int, str]  # the chain's reason by account
    held: Mapping[int, Holdings]  # by underlying

    @property
    def short_of(self) -> list[int]:
        """
        Underlyings of which the accounts found hold less, or more, than there is: accounts are missing, or somebody
        traded in between. Tokens of further issuers are not counted.
        """
        found = dict.fromkeys(self.held, NOTHING)
        for summary in self.summaries.values():
            for line in summary.lines:
                more = Holdings(max(line.size, 0), max(-line.size, 0), line.token)
                found[line.underlying] = found.get(line.underlying, NOTHING) + more
        return sorted(underlying for underlying, sums in found.items() if sums != self.held.get(underlying))


def take(backend: RpcBackend, deployment: Deployment) -> Census:
    """Read the logs for accounts and ask the lens about each. Raises NodeError."""
    book, lens = deployment.clearinghouse, deployment.lens
    watchlist = Watchlist(backend, book, deployment.block)
    first = watchlist.advance()
    accounts = sorted(watchlist.accounts - {book.insurance_account(), book.fee_account()})
    answers = _ask(backend, lens.account_summary, accounts)
    told = dict(zip(accounts, answers, strict=True))
    return Census(
        first_block=first,
        last_block=backend.block_number(),
        summaries={account: summary for account, summary in told.items() if not isinstance(summary, Revert)},
        unreadable={account: error.reason for account, error in told.items() if isinstance(error, Revert)},
        held=_held(backend, deployment),
    )


def _held(backend: RpcBackend, deployment: Deployment) -> dict[int, Holdings]:
    underlyings = range(deployment.model.line_count())
    markets = _ask(backend, deployment.clearinghouse.market, underlyings)
    assets = _ask(backend, deployment.vault.asset, [token(underlying) for underlying in underlyings])
    return {
        underlying: held(market, asset) for underlying, market, asset in zip(underlyings, markets, assets, strict=True)
    }


def held(market: Any, asset: Any) -> Holdings:
    """Out of an IPerpClearinghouse.Market and an ICollateralVault.Asset; zeros where nothing is listed."""
    tokens = asset.booked * 10 ** (TOKEN_DECIMALS - asset.decimals)
    return Holdings(market.open_interest, market.open_interest, tokens)


def _ask(backend: RpcBackend, method: Method, arguments: Sequence[int]) -> Iterator[Any]:
    """One view for each argument, as many in a round trip as nodes like; a refused one is its Revert."""
    contract: Contract = method.contract
    for start in range(0, len(arguments), CALLS_A_QUERY):
        part = arguments[start : start + CALLS_A_QUERY]
        for answer in backend.call_many([(contract.address, method.encode(argument)) for argument in part]):
            if answer == b"":
                raise NodeError(f"{backend.url} has no {contract.name} at {contract.address}: was it reset?")
            yield answer if isinstance(answer, Revert) else method.decode(answer)
