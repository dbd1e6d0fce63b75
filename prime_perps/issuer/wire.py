"""What is asked of a broker and answered, as JSON.

Names, and what is text and what a number, are those of the issuer's own service: a request has amounts as decimal text
("1.5"), an answer has integers as text with 18 decimals implied, and a signature in base64.
"""

from __future__ import annotations

import base64
import binascii
from enum import Enum
from typing import Annotated, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator
from pydantic.alias_generators import to_camel

from prime_perps.issuer.pricing import Duration
from prime_perps.issuer.quotes import Side

BODY_LIMIT = 8 * 1024  # bytes
KEY_HEADER = "x-api-key"
IDEMPOTENCY_HEADER = "idempotency-key"

# Bounded, so that no product of two of them goes beyond 256 bits.
Amount = Annotated[str, Field(pattern=r"\A[0-9]{1,20}(\.[0-9]{1,18})?\z", examples=["1.5"])]
Whole = Annotated[str, Field(pattern=r"\A[0-9]{1,78}\z", examples=["1500000000000000000"])]
ChainName = Annotated[str, Field(pattern=r"\A([a-z0-9]+-)?[0-9]{1,18}\z", examples=["ethereum-1"])]
Hex20 = Annotated[str, Field(pattern=r"\A0x[0-9a-fA-F]{40}\z")]
Hex32 = Annotated[str, Field(pattern=r"\A0x[0-9a-fA-F]{64}\z")]


class SideName(Enum):
    """As requests name it."""

    BUY = "buy"
    SELL = "sell"

    @property
    def side(self) -> Side:
        return Side[self.name]


class _Message(BaseModel):
    model_config = ConfigDict(alias_generator=to_camel, frozen=True, validate_by_name=True, validate_by_alias=True)


class Ask(_Message):
    """What a quote is wanted for: so many tokens, or tokens for so many USD."""

    model_config = ConfigDict(extra="forbid")

    chain_id: ChainName
    symbol: Annotated[str, Field(min_length=1, max_length=16, examples=["AAPLon"])]
    side: SideName
    token_amount: Amount | None = None
    notional_value: Amount | None = None
    duration: Duration = Duration.SHORT

    @model_validator(mode="after")
    def _one_amount(self) -> Self:
        if (self.token_amount is None) is (self.notional_value is None):
            raise ValueError("give tokenAmount or notionalValue, and not both")
        return self

    @property
    def chain(self) -> int:
        """The number in the chain's name."""
        return int(self.chain_id.rpartition("-")[2])


class SoftAnswer(_Message):
    """A price without a promise."""

    chain_id: Whole
    symbol: str
    ticker: str
    asset_address: Hex20
    side: Annotated[str, Field(pattern=r"\A[01]\z", description="0 buy, 1 sell")]
    token_amount: Whole
    price: Whole


class AttestationAnswer(SoftAnswer):
    """A quote that the token manager takes, once, from whoever is registered under `userId`."""

    attestation_id: Whole
    user_id: Hex32
    expiration: Annotated[int, Field(ge=0, description="the last second it is good for, unix seconds")]
    signature: Annotated[str, Field(description="65 bytes r, s, v in base64")]
    additional_data: Annotated[str, Field(description="empty: 32 zero bytes")] = ""


class ErrorAnswer(BaseModel):
    """Why there is no quote."""

    code: str
    message: str


class LimitsAnswer(_Message):
    """What the caller may still be quoted now, the smaller of its own limit and everybody's."""

    notional: Annotated[Whole, Field(description="USD, 18 decimals")]
    attestations: int


class AssetStatus(_Message):
    """Whether an asset is dealt in now, and if not, why."""

    symbol: str
    ticker: str
    asset_address: Hex20
    open: bool
    reason: str | None


class StatusAnswer(_Message):
    """What holds now, by the broker's clock."""

    time: int
    session: str
    open: bool
    reason: str | None
    assets: list[AssetStatus]
    buy: LimitsAnswer
    sell: LimitsAnswer


def signature_text(signature: bytes) -> str:
    return base64.b64encode(signature).decode()


def signature_bytes(text: str) -> bytes:
    """Raises ValueError for what is not 65 bytes in base64."""
    try:
        signature = base64.b64decode(text, validate=True)
    except binascii.Error as error:
        raise ValueError(f"a signature is not base64: {error}") from None
    if len(signature) != 65:
        raise ValueError(f"a signature has 65 bytes, not {len(signature)}")
    return signature
