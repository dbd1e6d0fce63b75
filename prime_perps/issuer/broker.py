"""The issuer's desk: what it deals in now, at what price, how much, and its word on it.

One lock keeps requests in order: what is left of a limit goes to one of two that ask for it. What is signed is on disk
before the signature is out, so a broker that dies in between has used up some of a limit and broken no promise.
"""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from decimal import Decimal

import structlog
from eth_account.signers.local import LocalAccount

from prime_perps.errors import NodeError
from prime_perps.issuer import hours
from prime_perps.issuer.config import AssetTable, BrokerConfig, LimitTable, UserTable
from prime_perps.issuer.inventory import Position
from prime_perps.issuer.limits import Rate
from prime_perps.issuer.metrics import Metrics
from prime_perps.issuer.onchain import Head, TokenReader, Tokens, TokenState
from prime_perps.issuer.pricing import token_price, tokens_down
from prime_perps.issuer.quotes import Quote, Side, sign
from prime_perps.issuer.refusals import (
    AssetLimited,
    AssetPaused,
    BelowMinimum,
    InvalidRequest,
    KeyReused,
    LimitReached,
    Refused,
    Unavailable,
    UnknownAsset,
)
from prime_perps.issuer.store import Given, Open, StateUnusable, Store
from prime_perps.issuer.wire import (
    Ask,
    AssetStatus,
    AttestationAnswer,
    LimitsAnswer,
    SoftAnswer,
    StatusAnswer,
    signature_text,
)
from prime_perps.keepers.signer_sources import Clock, PriceSource, Unobserved
from prime_perps.reports import Session
from prime_perps.sessions import session_at
from prime_perps.units import WAD, usd, wad

SETTLING = 3_600  # seconds; deliveries due within one such span arrive together, at its end
EVERYBODY = "everybody"

log = structlog.get_logger()


@dataclass(frozen=True)
class _Offer:
    """One price for one amount."""

    asset: AssetTable
    side: Side
    price: int
    quantity: int

    @property
    def notional(self) -> int:
        return self.quantity * self.price // WAD


class Broker:
    """Any number of threads may ask."""

    def __init__(
        self,
        config: BrokerConfig,
        key: LocalAccount,
        reader: TokenReader,
        source: PriceSource,
        store: Store,
        world_clock: Clock,
        metrics: Metrics,
    ) -> None:
        """`world_clock` is asked where the configuration says that the world's time counts."""
        self.address = str(key.address)
        self._config = config
        self._key = key
        self._reader = reader
        self._source = source
        self._store = store
        self._world_clock = world_clock
        self._metrics = metrics
        self._lock = threading.Lock()
        self._tokens: Tokens | None = None
        self._assets = {asset.symbol: asset for asset in config.assets}
        self._addresses = [asset.address for asset in config.assets]

    def soft_quote(self, ask: Ask) -> SoftAnswer:
        """A price that binds nobody and uses up nothing. Raises Refused."""
        with self._desk() as (tokens, now):
            return SoftAnswer(**self._fields(self._offer(ask, tokens, now)))

    def attest(self, user: UserTable, ask: Ask, idempotency_key: str | None) -> AttestationAnswer:
        """
        A signed quote for `user`. With a key that the user has given before, for the same request, it is the quote
        given then, whatever has become of it. Raises Refused.
        """
        request = ask.model_dump_json(by_alias=True)
        with self._desk() as (tokens, now):
            repeated = self._given(user, idempotency_key, request)
            if repeated:
                return repeated
            offer = self._offer(ask, tokens, now)
            with self._store.transaction():
                self._use_limits(user, offer, now)
                quote, answer = self._signed(user, offer, now + self._config.seconds(ask.duration))
                self._store.add(
                    Given(
                        quote.attestation_id,
                        user.name,
                        idempotency_key,
                        request,
                        quote.asset,
                        quote.side,
                        quote.quantity,
                        quote.expiration,
                        answer.model_dump_json(by_alias=True),
                    )
                )
        log.info(
            "attested",
            user=user.name,
            symbol=offer.asset.symbol,
            side=offer.side.name.lower(),
            # As text: no reader of JSON must cut them.
            quantity=str(quote.quantity),
            price=str(quote.price),
            notional=usd(offer.notional),
            attestation=str(quote.attestation_id),
            expiration=quote.expiration,
        )
        self._metrics.attested(offer.asset.symbol, offer.side.name.lower(), offer.notional)
        return answer

    def status(self, user: UserTable) -> StatusAnswer:
        """What is dealt in now, and what is left of the user's limits. Raises Unavailable."""
        with self._desk() as (tokens, now):
            market = _reason(lambda: hours.open_session(now))
            return StatusAnswer(
                time=now,
                session=session_at(now).name.lower(),
                open=market is None,
                reason=market,
                assets=[self._asset_status(asset, tokens, now) for asset in self._config.assets],
                buy=self._left(user, Side.BUY, now),
                sell=self._left(user, Side.SELL, now),
            )

    def look(self) -> dict[str, Position]:
        """
        Bring the book of every asset up to the newest block, and deal at the exchange. Returns positions by symbol.
        Raises NodeError, StateUnusable.
        """
        with self._lock:
            self._up_to_date()
            return {asset.symbol: self._position(asset) for asset in self._config.assets}

    @contextmanager
    def _desk(self) -> Iterator[tuple[Tokens, int]]:
        """Alone with the book, which is that of the newest block, and the time. Raises Unavailable."""
        with self._lock:
            try:
                yield self._up_to_date()
            except NodeError as error:
                log.error("chain_unreadable", error=str(error))
                raise Unavailable("the chain cannot be read now") from None
            except StateUnusable as error:
                log.error("state_unusable", error=str(error))
                raise Unavailable("the broker cannot write its state now") from None

    def _up_to_date(self) -> tuple[Tokens, int]:
        """The book is that of the newest block. Returns what the chain says of the tokens, and the time."""
        head = self._reader.head()
        now = head.next_time if self._config.chain.clock == "chain" else self._world_clock()
        # What was given since the same block was read cannot have been used in it.
        outstanding = self._store.open()
        if self._tokens is None or self._tokens.block != head.hash:
            self._tokens = self._reader.tokens(head, self._addresses, [one.id for one in outstanding])
        self._book(head, self._tokens, outstanding, now)
        return self._tokens, now

    # offers

    def _offer(self, ask: Ask, tokens: Tokens, now: int) -> _Offer:
        asset = self._assets.get(ask.symbol)
        if ask.chain != self._config.chain.id:
            raise InvalidRequest(f"chainId: this broker serves chain {self._config.chain.id}")
        if asset is None:
            raise UnknownAsset(f"no asset {ask.symbol} (known: {', '.join(self._assets)})")
        session = hours.open_session(now)
        token = tokens.of[asset.address]
        share_price = self._share_price(asset, token, now)
        side = ask.side.side
        price = token_price(share_price, token.multiplier, self._config.spread(ask.duration, session), side)
        offer = _Offer(asset, side, price, _quantity(ask, price))
        if offer.quantity == 0 or offer.notional < self._config.limits.minimum:
            raise BelowMinimum(f"worth {usd(offer.notional)} USD, the least is {usd(self._config.limits.minimum)}")
        self._check_earnings(offer, now)
        self._check_backing(offer)
        return offer

    def _share_price(self, asset: AssetTable, token: TokenState, now: int) -> Decimal:
        """USD of one share, for an asset that is dealt in. Raises AssetPaused."""
        if hours.covers(asset.pauses, now):
            raise AssetPaused(f"{asset.symbol} is halted, or about to go without its dividend")
        if token.paused or token.multiplier == 0:
            raise AssetPaused(f"{asset.symbol} is paused for a corporate action")
        try:
            seen = self._source.observe(asset.ticker, now)
        except Unobserved as error:
            log.warning("no_price", symbol=asset.symbol, why=str(error))
            raise AssetPaused(f"there is no price of {asset.ticker}") from None
        if not now - self._config.prices.max_age <= seen.time <= now:
            raise AssetPaused(f"the price of {asset.ticker} was seen {now - seen.time} seconds ago")
        return seen.price

    def _check_earnings(self, offer: _Offer, now: int) -> None:
        for earnings in offer.asset.earnings:
            if now in earnings.window and offer.notional > earnings.notional:
                raise AssetLimited(f"around earnings a quote is worth at most {usd(earnings.notional)} USD")

    def _check_backing(self, offer: _Offer) -> None:
        """Whether shares could stand for the tokens, if all that buyers were promised were minted now."""
        position, asset = self._position(offer.asset), offer.asset
        if offer.side is Side.SELL:
            if offer.quantity > position.tokens:
                raise AssetLimited("there are not so many tokens outstanding")
            return
        if position.missing:
            raise AssetLimited("more tokens are outstanding than shares stand for")
        promised = _sum(self._store.open(), asset, Side.BUY) + offer.quantity
        if position.in_transit + -(-promised * position.multiplier // WAD) > asset.in_transit:
            raise AssetLimited("too many shares would be on their way at once")

    # limits

    def _limits(self, user: UserTable, side: Side) -> Iterator[tuple[str, str, Rate, bool]]:
        """Name, whose, rate, and whether it counts quotes."""
        limits = self._config.limits
        owners: tuple[tuple[str, str, LimitTable], ...] = (
            (f"user {user.name}", "your", limits.user),
            (EVERYBODY, "everybody's", limits.everybody),
        )
        for owner, whose, table in owners:
            yield f"{owner} {side.name} notional", whose, table.notional_rate, False
            yield f"{owner} {side.name} count", whose, table.count_rate, True

    def _use_limits(self, user: UserTable, offer: _Offer, now: int) -> None:
        """Raises LimitReached; what was written before is then rolled back with the transaction."""
        for name, whose, rate, counts in self._limits(user, offer.side):
            used = self._store.used(name)
            more = used.plus(rate, 1 if counts else offer.notional, now)
            if more is None:
                left = used.left(rate, now)
                told = f"{left} more quotes" if counts else f"{usd(left)} USD more"
                raise LimitReached(f"{whose} limit allows {told} now, and fills again in {rate.window} seconds")
            self._store.put_used(name, more)

    def _left(self, user: UserTable, side: Side, now: int) -> LimitsAnswer:
        rates = list(self._limits(user, side))
        amounts = [self._store.used(name).left(rate, now) for name, _, rate, counts in rates if not counts]
        numbers = [self._store.used(name).left(rate, now) for name, _, rate, counts in rates if counts]
        return LimitsAnswer(notional=str(min(amounts)), attestations=min(numbers))

    # answers

    def _given(self, user: UserTable, idempotency_key: str | None, request: str) -> AttestationAnswer | None:
        kept = None if idempotency_key is None else self._store.given(user.name, idempotency_key)
        if kept is None:
            return None
        if kept[0] != request:
            raise KeyReused("this idempotency key came with another request before")
        return AttestationAnswer.model_validate(json.loads(kept[1]))

    def _signed(self, user: UserTable, offer: _Offer, expiration: int) -> tuple[Quote, AttestationAnswer]:
        quote = Quote(
            self._config.chain.id,
            self._store.next_id(),
            user.id,
            offer.asset.address,
            offer.price,
            offer.quantity,
            expiration,
            offer.side,
        )
        signature = sign(quote, bytes(self._key.key), self._config.chain.manager)
        return quote, AttestationAnswer(
            **self._fields(offer),
            attestation_id=str(quote.attestation_id),
            user_id="0x" + user.id.hex(),
            expiration=expiration,
            signature=signature_text(signature),
        )

    def _fields(self, offer: _Offer) -> dict[str, str]:
        return {
            "chain_id": str(self._config.chain.id),
            "symbol": offer.asset.symbol,
            "ticker": offer.asset.ticker,
            "asset_address": offer.asset.address,
            "side": str(int(offer.side)),
            "token_amount": str(offer.quantity),
            "price": str(offer.price),
        }

    def _asset_status(self, asset: AssetTable, tokens: Tokens, now: int) -> AssetStatus:
        token = tokens.of[asset.address]
        reason = _reason(lambda: self._share_price(asset, token, now))
        limited = any(now in earnings.window for earnings in asset.earnings) or self._position(asset).missing > 0
        return AssetStatus(
            symbol=asset.symbol,
            ticker=asset.ticker,
            asset_address=asset.address,
            open=reason is None,
            reason=reason or (AssetLimited.code if limited else None),
        )

    # the book

    def _position(self, asset: AssetTable) -> Position:
        return self._store.position(asset.address) or Position()

    def _book(self, head: Head, tokens: Tokens, outstanding: list[Open], now: int) -> None:
        """Raises StateUnusable."""
        used = [one for one in outstanding if one.id in tokens.executed]
        expired = [one for one in outstanding if one.id not in tokens.executed and one.expiration < head.time]
        kept = {asset.address: self._store.position(asset.address) for asset in self._config.assets}
        booked = {
            asset.address: self._dealt(
                asset, self._reconciled(asset, kept[asset.address], tokens.of[asset.address], used), now
            )
            for asset in self._config.assets
        }
        if booked == kept and not used and not expired:
            return
        with self._store.transaction():
            self._store.close_attestations([*used, *expired])
            for address, position in booked.items():
                self._store.put_position(address, position)

    def _reconciled(
        self, asset: AssetTable, position: Position | None, token: TokenState, used: list[Open]
    ) -> Position:
        """The position after what has happened on chain since it was last seen."""
        if position is None:
            position = Position().opened(token.supply, token.multiplier)
            log.info("book_opened", symbol=asset.symbol, tokens=str(token.supply), held=str(position.held))
            return position
        if token.multiplier not in (position.multiplier, 0):
            log.warning("shares_changed", symbol=asset.symbol, was=str(position.multiplier), now=str(token.multiplier))
            position = position.restated(token.multiplier)
        position = position.minted(_sum(used, asset, Side.BUY))
        position = position.redeemed(min(_sum(used, asset, Side.SELL), position.tokens))
        rest = token.supply - position.tokens
        if rest < 0:
            log.warning("tokens_burned_otherwise", symbol=asset.symbol, tokens=str(-rest))
            return position.redeemed(-rest)
        if rest > 0:
            log.error("tokens_unaccounted_for", symbol=asset.symbol, tokens=str(rest))
            return position.appeared(rest)
        return position

    def _dealt(self, asset: AssetTable, position: Position, now: int) -> Position:
        """The exchange fills what is ordered while it is open."""
        position = position.settled(now)
        if session_at(now) is Session.CLOSED:
            return position
        due = -(-(now + asset.settles) // SETTLING) * SETTLING
        lean = position.sold()
        return lean.filled(lean.ordered, due)


def _sum(attestations: list[Open], asset: AssetTable, side: Side) -> int:
    """Tokens, wad, of one asset on one side."""
    return sum(one.quantity for one in attestations if one.asset == asset.address and one.side is side)


def _quantity(ask: Ask, price: int) -> int:
    """Tokens, wad."""
    if ask.token_amount is not None:
        return wad(Decimal(ask.token_amount))
    if price == 0:
        return 0
    return tokens_down(wad(Decimal(ask.notional_value or "0")), price)


def _reason(attempt: Callable[[], object]) -> str | None:
    """The code with which something is refused, None when it is not."""
    try:
        attempt()
    except Refused as refused:
        return refused.code
    return None


def users_by_key(config: BrokerConfig) -> Mapping[str, UserTable]:
    """Who holds an API key, by its SHA-256."""
    return {user.key_sha256: user for user in config.users}
