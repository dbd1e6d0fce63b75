"""Deploy a whole issuer: the stand-in for the one whose tokens are traded, for chains of one's own and for tests.

Whoever deploys is the issuer: it owns every contract, posts prices, registers users and may do anything to the tokens.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from eth_utils import keccak

from prime_perps.chain.contract import Backend, Contract
from prime_perps.errors import PrimePerpsError
from prime_perps.issuer.quotes import Side
from prime_perps.sessions import NEW_YORK
from prime_perps.units import WAD

HOUR = 3_600
DAY = 24 * HOUR
ISSUER_ID = keccak(text="issuer")  # as which the token manager is registered with the swapper


@dataclass(frozen=True)
class Terms:
    """
    What the issuer asks for and allows. Amounts are wad USD, times seconds.

    `minimum`: of either side. `price_age`, `price_band_bps`: how old a posted price may be and how far a quote from it.
    `token_limit`, `user_limit`: of each token and side in a `window`, for everybody and for one user. `drift_bps`,
    `drift_cooldown`, `shortest_pause`: of the shares oracle. `inventory`: what the swapper holds of either dollar.
    """

    minimum: int = WAD
    price_age: int = 2 * DAY
    price_band_bps: int = 1_000
    token_limit: int = 10_000_000 * WAD
    user_limit: int = 2_000_000 * WAD
    window: int = DAY
    drift_bps: int = 100
    drift_cooldown: int = DAY
    shortest_pause: int = 600
    inventory: int = 1_000_000 * WAD


@dataclass(frozen=True)
class Issuer:
    """
    The issuer's contracts on one backend. `coin` is the settlement coin that the swapper takes; `in_kind` redeems
    against nothing but its word, within `in_kind_limits`; `tokens` are the stocks.
    """

    manager: Contract
    registry: Contract
    hours: Contract
    prices: Contract
    limits: Contract
    shares: Contract
    usdon: Contract
    swapper: Contract
    coin: Contract
    in_kind: Contract
    in_kind_limits: Contract
    compliance: Contract
    tokens: tuple[Contract, ...]

    def register(self, account: str, user_id: bytes, sender: str) -> None:
        """Let an address buy, sell and swap as `user_id`; in kind it may not redeem yet."""
        for identifier in (self.manager.gmIdentifier(), self.usdon.address):
            self.registry.register(identifier, account, user_id, sender=sender)

    def approve_in_kind(self, account: str, user_id: bytes, sender: str) -> None:
        """Let a registered address redeem in kind."""
        self.registry.register(self.in_kind.in_kind_identifier(), account, user_id, sender=sender)


def clock_offset(now: int) -> int:
    """Seconds ahead of UTC, at `now`, of the clock whose weekend is the issuer's: four hours ahead of New York's."""
    offset = datetime.fromtimestamp(now, UTC).astimezone(NEW_YORK).utcoffset()
    assert offset is not None  # the time has a zone
    return int(offset.total_seconds()) + 4 * HOUR


def deploy_issuer(
    backend: Backend,
    sender: str,
    coin: Contract,
    tokens: Sequence[Contract],
    signers: Iterable[str] = (),
    terms: Terms | None = None,
) -> Issuer:
    """
    Deploy and wire everything around `tokens`, stocks that `sender` owns, and `coin`, of which it may mint.

    `signers` are whose quotes count. No price is posted and nobody registered yet. Raises PrimePerpsError without
    tokens, and Revert when a contract refuses a value.
    """
    if not tokens:
        raise PrimePerpsError("an issuer needs a token: pass the stocks it issues")
    terms = terms or Terms()

    def deploy(name: str, *args: object) -> Contract:
        return Contract.deploy(backend, name, *args, sender=sender)

    compliance = Contract.at(backend, "IssuerCompliance", tokens[0].compliance())
    usdon = deploy("IssuerStablecoin", compliance)
    registry = deploy("IssuerRegistry")
    hours = deploy("IssuanceHours", clock_offset(backend.timestamp()))
    prices = deploy("SanityOracle", terms.price_age, terms.price_band_bps)
    limits, in_kind_limits = deploy("RateLimiter"), deploy("RateLimiter")
    issuer = Issuer(
        manager=deploy("IssuerTokenManager", usdon, registry, hours, prices, limits, terms.minimum),
        registry=registry,
        hours=hours,
        prices=prices,
        limits=limits,
        shares=deploy("SharesOracle", sender, terms.shortest_pause),
        usdon=usdon,
        swapper=deploy("IssuerSwapper", usdon, coin, registry),
        coin=coin,
        in_kind=deploy("InKindIssuer", registry, prices, in_kind_limits),
        in_kind_limits=in_kind_limits,
        compliance=compliance,
        tokens=tuple(tokens),
    )
    registry.set_registrar(sender, True, sender=sender)
    for signer in signers:
        issuer.manager.set_signer(signer, True, sender=sender)
    _wire_dollars(issuer, sender, terms)
    _wire_limits(issuer, sender, terms)
    for token in tokens:
        _wire_token(issuer, token, sender, terms)
    return issuer


def _wire_dollars(issuer: Issuer, sender: str, terms: Terms) -> None:
    """The manager mints and burns the issuer's dollar, and swaps it; both dollars lie in the swapper."""
    manager, usdon, swapper = issuer.manager, issuer.usdon, issuer.swapper
    usdon.set_minter(manager, True, sender=sender)
    usdon.set_burner(manager, True, sender=sender)
    issuer.registry.register(usdon, manager, ISSUER_ID, sender=sender)
    manager.set_swapper(swapper, sender=sender)
    if terms.inventory:
        usdon.mint(swapper, terms.inventory, sender=sender)
        issuer.coin.mint(swapper, terms.inventory // 10 ** (18 - issuer.coin.decimals()), sender=sender)


def _wire_limits(issuer: Issuer, sender: str, terms: Terms) -> None:
    """The two ways out of a token have limits of their own."""
    issuer.limits.set_client(issuer.manager, True, sender=sender)
    issuer.in_kind_limits.set_client(issuer.in_kind, True, sender=sender)
    for limits in (issuer.limits, issuer.in_kind_limits):
        for side, token in ((side, token) for side in Side for token in issuer.tokens):
            limits.set_global_limit(side, token, terms.token_limit, terms.window, sender=sender)
            limits.set_default_user_limit(side, token, terms.user_limit, terms.window, sender=sender)


def _wire_token(issuer: Issuer, token: Contract, sender: str, terms: Terms) -> None:
    token.set_minter(issuer.manager, True, sender=sender)
    for burner in (issuer.manager, issuer.in_kind):
        token.set_burner(burner, True, sender=sender)
    issuer.manager.set_accepted(token, True, sender=sender)
    issuer.in_kind.set_supported(token, True, sender=sender)
    issuer.shares.addAsset(token, WAD, terms.drift_bps, terms.drift_cooldown, sender=sender)
