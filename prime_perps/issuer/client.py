"""Asking a broker for quotes, and believing nothing it says that was not asked for.

A request whose answer is lost is sent again with the same idempotency key, so that it becomes one attestation at most.
"""

from __future__ import annotations

import time
import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import TracebackType
from typing import Self, TypeVar

import httpx
from eth_keys.datatypes import Signature
from eth_keys.exceptions import BadSignature as Unrecoverable
from eth_utils import ValidationError as NoSignature
from pydantic import BaseModel, ValidationError

from prime_perps.errors import PrimePerpsError
from prime_perps.issuer.pricing import Duration
from prime_perps.issuer.quotes import Quote, Side, digest
from prime_perps.issuer.refusals import BY_CODE, Refused
from prime_perps.issuer.wire import (
    IDEMPOTENCY_HEADER,
    KEY_HEADER,
    AttestationAnswer,
    ErrorAnswer,
    SoftAnswer,
    StatusAnswer,
    signature_bytes,
)
from prime_perps.units import WAD

ATTEMPTS = 4
FIRST_PAUSE = 0.2  # seconds; each later one is twice as long
ANSWER_LIMIT = 64 * 1024  # bytes
HALF_ORDER = 0xFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFEBAAEDCE6AF48A03BBFD25E8CD0364141 // 2

Answer = TypeVar("Answer", bound=BaseModel)


class BrokerUnreachable(PrimePerpsError):
    """No answer, after all attempts. An attestation may have been given, and nobody has it."""


class BadAnswer(PrimePerpsError):
    """The broker's answer is none, or not to what was asked. Nothing of it may be used."""


@dataclass(frozen=True)
class Issuer:
    """Whom a client believes: the token manager, who signs for it, and the address of each token by symbol."""

    chain_id: int
    manager: str
    signer: str
    tokens: Mapping[str, str]


@dataclass(frozen=True)
class Wanted:
    """
    What to ask for: `tokens`, or tokens for `usd`, both wad. `limit`: the worst price accepted, wad USD per token,
    which is the highest for a buyer and the lowest for a seller.
    """

    symbol: str
    side: Side
    limit: int
    tokens: int | None = None
    usd: int | None = None
    duration: Duration = Duration.SHORT


@dataclass(frozen=True)
class Attestation:
    """A verified quote with its signature, as the token manager takes them."""

    quote: Quote
    signature: bytes


@dataclass(frozen=True)
class SoftQuote:
    """USD per token and tokens, wad."""

    price: int
    quantity: int


class BrokerClient:
    """One API key at one broker."""

    def __init__(
        self,
        url: str,
        api_key: str,
        user_id: bytes,
        issuer: Issuer,
        *,
        clock: Callable[[], float] = time.time,
        timeout: float = 10.0,
        transport: httpx.BaseTransport | None = None,
    ) -> None:
        """`user_id`: what the quotes must be for. `clock`: the chain's where it differs from the world's."""
        self._http = httpx.Client(
            base_url=url, headers={KEY_HEADER: api_key}, timeout=timeout, transport=transport, trust_env=False
        )
        self._user_id = user_id
        self._issuer = issuer
        self._clock = clock

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.close()

    def close(self) -> None:
        self._http.close()

    def attest(self, wanted: Wanted, idempotency_key: str | None = None) -> Attestation:
        """
        A signed quote. A program that may die while it waits names a key of its own and asks again with that.
        Raises Refused (its subclasses say why), BrokerUnreachable, BadAnswer.
        """
        headers = {IDEMPOTENCY_HEADER: idempotency_key or uuid.uuid4().hex}
        answer = self._ask("POST", "/v1/attestations", AttestationAnswer, self._body(wanted), headers)
        self._check_fields(wanted, answer)
        if int(answer.user_id, 16) != int.from_bytes(self._user_id, "big"):
            raise BadAnswer(f"the quote is for the user {answer.user_id}")
        if answer.additional_data:
            raise BadAnswer("the quote carries data that nobody asked for")
        if answer.expiration <= self._clock():
            raise BadAnswer(f"the quote has expired at {answer.expiration}")
        quote = Quote(
            self._issuer.chain_id,
            int(answer.attestation_id),
            self._user_id,
            self._issuer.tokens[wanted.symbol],
            int(answer.price),
            int(answer.token_amount),
            answer.expiration,
            wanted.side,
        )
        return Attestation(quote, self._verified(quote, answer.signature))

    def quote(self, wanted: Wanted) -> SoftQuote:
        """A price that binds nobody. Raises like `attest`."""
        answer = self._ask("POST", "/v1/quotes", SoftAnswer, self._body(wanted))
        self._check_fields(wanted, answer)
        return SoftQuote(int(answer.price), int(answer.token_amount))

    def status(self) -> StatusAnswer:
        """What the broker deals in now. Raises Refused, BrokerUnreachable, BadAnswer."""
        return self._ask("GET", "/v1/status", StatusAnswer)

    def _body(self, wanted: Wanted) -> dict[str, str]:
        if wanted.symbol not in self._issuer.tokens:
            raise PrimePerpsError(f"no address of {wanted.symbol} was given (known: {', '.join(self._issuer.tokens)})")
        if (wanted.tokens is None) is (wanted.usd is None):
            raise PrimePerpsError("ask for tokens, or for tokens worth so many USD")
        amount = (
            {"tokenAmount": _decimal(wanted.tokens)}
            if wanted.tokens is not None
            else {"notionalValue": _decimal(wanted.usd or 0)}
        )
        return {
            "chainId": str(self._issuer.chain_id),
            "symbol": wanted.symbol,
            "side": wanted.side.name.lower(),
            "duration": wanted.duration.value,
            **amount,
        }

    def _ask(
        self,
        method: str,
        path: str,
        kind: type[Answer],
        body: dict[str, str] | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> Answer:
        response = self._send(self._http.build_request(method, path, json=body, headers=headers))
        if len(response.content) > ANSWER_LIMIT:
            raise BadAnswer(f"an answer of {len(response.content)} bytes")
        try:
            if response.is_success:
                return kind.model_validate_json(response.content)
            error = ErrorAnswer.model_validate_json(response.content)
        except ValidationError:
            raise BadAnswer(f"status {response.status_code}, and not an answer of a broker") from None
        # A stranger's text goes into the log: one short line of it.
        told = " ".join(error.message.split())[:200]
        raise BY_CODE.get(error.code, Refused)(f"{error.code[:40]}: {told}")

    def _send(self, request: httpx.Request) -> httpx.Response:
        """The same request until it is answered, a bounded number of times."""
        pause = FIRST_PAUSE
        for attempt in range(1, ATTEMPTS + 1):
            try:
                return self._http.send(request)
            except httpx.TransportError as error:
                if attempt == ATTEMPTS:
                    told = str(error) or type(error).__name__
                    raise BrokerUnreachable(f"{request.url.host} does not answer: {told}") from None
                time.sleep(pause)
                pause *= 2
        raise AssertionError("unreachable")

    def _check_fields(self, wanted: Wanted, answer: SoftAnswer) -> None:
        """Raises BadAnswer for an answer to another question, or at a worse price than the limit."""
        price, quantity = int(answer.price), int(answer.token_amount)
        said = (int(answer.chain_id), answer.symbol, answer.asset_address.lower(), int(answer.side))
        asset = self._issuer.tokens[wanted.symbol].lower()
        if said != (self._issuer.chain_id, wanted.symbol, asset, int(wanted.side)):
            raise BadAnswer(f"asked for {wanted.side.name} {wanted.symbol} ({asset}), the answer is for {said}")
        if price > wanted.limit if wanted.side is Side.BUY else price < wanted.limit:
            raise BadAnswer(f"a price of {price}, the limit is {wanted.limit}")
        if wanted.tokens is not None and quantity != wanted.tokens:
            raise BadAnswer(f"asked for {wanted.tokens} tokens, the answer is for {quantity}")
        if wanted.usd is not None and not wanted.usd - price // WAD - 2 < quantity * price // WAD <= wanted.usd:
            raise BadAnswer(f"asked for tokens worth {wanted.usd}, the answer is {quantity} at {price}")

    def _verified(self, quote: Quote, text: str) -> bytes:
        """The signature, when it is the issuer's of this very quote. Raises BadAnswer."""
        try:
            raw = signature_bytes(text)
            r, s, v = raw[:32], raw[32:64], raw[64]
            if v not in (27, 28) or int.from_bytes(s, "big") > HALF_ORDER:
                raise BadAnswer("the signature is not in its one form that token managers take")
            key = Signature(r + s + bytes([v - 27])).recover_public_key_from_msg_hash(
                digest(quote, self._issuer.manager)
            )
        except (ValueError, Unrecoverable, NoSignature) as error:
            raise BadAnswer(f"no signature: {error}") from None
        if key.to_checksum_address().lower() != self._issuer.signer.lower():
            raise BadAnswer(f"the quote is signed by {key.to_checksum_address()}, not by the issuer")
        return raw


def _decimal(amount: int) -> str:
    """A wad amount as decimal text, exactly."""
    return f"{amount // WAD}.{amount % WAD:018d}"
