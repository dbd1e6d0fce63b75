"""Why the broker gives no quote: codes as they travel, and the exceptions that both its ends raise."""

from __future__ import annotations

from typing import ClassVar

from prime_perps.errors import PrimePerpsError


class Refused(PrimePerpsError):
    """The broker answered, and gave no quote. `code` is the reason on the wire, `status` its HTTP status."""

    code: ClassVar[str] = "REFUSED"
    status: ClassVar[int] = 403


class MarketClosed(Refused):
    """A weekend or a holiday."""

    code = "MARKET_CLOSED"


class MarketPaused(Refused):
    """Minutes around the change of one session into the next."""

    code = "MARKET_PAUSED"


class AssetPaused(Refused):
    """A halt, the evening before an ex-date, a corporate action, or no fresh price."""

    code = "ASSET_PAUSED"


class AssetLimited(Refused):
    """More of the asset than can be dealt in now: earnings, or what backs its tokens."""

    code = "ASSET_LIMITED"


class LimitReached(Refused):
    """The user's limit, or that of all users."""

    code = "MAX_LIMIT_REACHED"


class InvalidRequest(Refused):
    """Not a request of this protocol; asking the same again is of no use."""

    code = "INVALID_REQUEST"
    status = 400


class BelowMinimum(Refused):
    """Worth less than the smallest amount."""

    code = "BELOW_MINIMUM"
    status = 400


class UnknownAsset(Refused):
    """The broker does not deal in it."""

    code = "UNKNOWN_SYMBOL"
    status = 404


class BadKey(Refused):
    """No API key, or one that the broker does not know."""

    code = "INVALID_API_KEY"
    status = 401


class KeyReused(Refused):
    """The idempotency key belongs to another request."""

    code = "IDEMPOTENCY_KEY_REUSED"
    status = 409


class TooLarge(Refused):
    """The body has more bytes than any request needs."""

    code = "REQUEST_TOO_LARGE"
    status = 413


class Unavailable(Refused):
    """The broker cannot read the chain or write its state now. Nothing was signed."""

    code = "UNAVAILABLE"
    status = 503


KINDS: tuple[type[Refused], ...] = (
    MarketClosed,
    MarketPaused,
    AssetPaused,
    AssetLimited,
    LimitReached,
    InvalidRequest,
    BelowMinimum,
    UnknownAsset,
    BadKey,
    KeyReused,
    TooLarge,
    Unavailable,
)
BY_CODE = {kind.code: kind for kind in KINDS}
