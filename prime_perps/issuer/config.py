"""A broker's configuration: one TOML file, checked whole. Every wrong entry is named, with what it should be."""

from __future__ import annotations

import re
import tomllib
from collections import Counter
from collections.abc import Iterable
from datetime import date, datetime
from decimal import Decimal
from functools import cached_property
from pathlib import Path
from typing import Annotated, Any, Literal, Self

from eth_utils import is_checksum_formatted_address, to_checksum_address
from eth_utils.address import is_checksum_address
from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    ValidationError,
    field_validator,
    model_validator,
)

from prime_perps.errors import PrimePerpsError
from prime_perps.issuer.hours import Window, dividend_window, new_york
from prime_perps.issuer.limits import Rate
from prime_perps.issuer.pricing import Duration
from prime_perps.reports import Session
from prime_perps.units import BPS, wad

AMOUNT = re.compile(r"[0-9]{1,30}(\.[0-9]{1,18})?")
ADDRESS = re.compile(r"0x[0-9a-fA-F]{40}")
FOREVER = 2**63 - 1


class BadConfig(PrimePerpsError):
    """The configuration is missing or wrong; the text names every wrong entry."""


def _amount(value: Any) -> int:
    if isinstance(value, bool) or not isinstance(value, str | int) or not AMOUNT.fullmatch(str(value)):
        raise ValueError('must be an amount as text, such as "1000.50", with at most 18 decimals')
    return wad(Decimal(value))


def _address(value: Any) -> str:
    if not isinstance(value, str) or not ADDRESS.fullmatch(value):
        raise ValueError("must be an address: 0x and 40 hex digits")
    if is_checksum_formatted_address(value) and not is_checksum_address(value):
        raise ValueError("is an address with a typing error: its checksum does not match")
    return to_checksum_address(value)


def _bytes32(value: Any) -> bytes:
    if not isinstance(value, str) or not re.fullmatch(r"0x[0-9a-fA-F]{64}", value) or int(value, 16) == 0:
        raise ValueError("must be 0x and 64 hex digits, not all of them 0")
    return bytes.fromhex(value[2:])


def _moment(value: Any) -> int:
    if not isinstance(value, datetime):
        raise ValueError("must be a date with a time, such as 2008-09-16T12:00:00 (New York unless it has an offset)")
    return new_york(value)


def _positive(value: int) -> int:
    if value <= 0:
        raise ValueError("must be more than 0")
    return value


Wad = Annotated[int, BeforeValidator(_amount)]
PositiveWad = Annotated[Wad, AfterValidator(_positive)]
Address = Annotated[str, BeforeValidator(_address)]
Moment = Annotated[int, BeforeValidator(_moment)]
Spread = Annotated[int, Field(ge=0, lt=BPS)]


class _Table(BaseModel):
    # Strict: neither a number in quotes nor a yes for true is taken for what it is not.
    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)


class ChainTable(_Table):
    """`manager` verifies quotes; `clock` is whose time counts."""

    id: Annotated[int, Field(gt=0)]
    manager: Address
    url: str = "http://127.0.0.1:8545"
    shares_oracle: Address | None = None
    clock: Literal["chain", "world"] = "chain"


class ServerTable(_Table):
    """Where requests are answered, and how many seconds lie between two looks at the chain."""

    host: str = "127.0.0.1"
    port: Annotated[int, Field(ge=0, le=65_535)] = 8710
    interval: Annotated[float, Field(ge=0.05, le=60)] = 2.0


class PricesTable(_Table):
    """A file of prices, or the history; `max_age` in seconds."""

    source: Literal["history", "file"] = "history"
    file: str | None = None
    max_age: Annotated[int, Field(gt=0)] = 60

    @model_validator(mode="after")
    def _file_where_needed(self) -> Self:
        if (self.source == "file") is not (self.file is not None):
            raise ValueError('file goes with source = "file", and is needed there')
        return self


class ValidityTable(_Table):
    """Seconds for which a quote is good."""

    short: Annotated[int, Field(gt=0, le=3_600)] = 30
    long: Annotated[int, Field(gt=0, le=3_600)] = 300

    @model_validator(mode="after")
    def _long_is_longer(self) -> Self:
        if self.short >= self.long:
            raise ValueError("short must be shorter than long")
        return self


class SpreadTable(_Table):
    """bps to either side, by session."""

    overnight: Spread
    pre: Spread
    regular: Spread
    post: Spread

    def by_session(self) -> dict[Session, int]:
        return {Session[name.upper()]: bps for name, bps in self}


class SpreadsTable(_Table):
    short: SpreadTable = SpreadTable(overnight=25, pre=15, regular=5, post=15)
    long: SpreadTable = SpreadTable(overnight=50, pre=30, regular=10, post=30)

    @model_validator(mode="after")
    def _long_is_dearer(self) -> Self:
        short, dear = self.short.by_session(), self.long.by_session()
        wrong = [session.name.lower() for session, bps in short.items() if bps >= dear[session]]
        if wrong:
            raise ValueError(f"short must be less than long in every session; it is not in {', '.join(wrong)}")
        return self


class LimitTable(_Table):
    """For each side: USD and quotes at once, and as much again in every window of seconds."""

    notional: PositiveWad
    count: Annotated[int, Field(gt=0)]
    window: Annotated[int, Field(gt=0)]

    @property
    def notional_rate(self) -> Rate:
        return Rate(self.notional, self.window)

    @property
    def count_rate(self) -> Rate:
        return Rate(self.count, self.window)


class LimitsTable(_Table):
    """`minimum`: USD of one quote."""

    user: LimitTable
    everybody: LimitTable
    minimum: Wad = wad(1)


class WindowTable(_Table):
    """A time in which something else holds; without an end, from then on."""

    start: Moment
    end: Moment = FOREVER

    @model_validator(mode="after")
    def _ends_later(self) -> Self:
        if self.end <= self.start:
            raise ValueError("end must come after start")
        return self

    @property
    def window(self) -> Window:
        return Window(self.start, self.end)


class EarningsTable(WindowTable):
    """During which one quote is worth at most `notional`."""

    notional: Wad


class AssetTable(_Table):
    """
    `symbol` is the token's, `ticker` the stock's. `in_transit`: how many shares may be on their way at once. `settles`:
    seconds from a purchase at the exchange to its delivery.
    """

    symbol: Annotated[str, Field(pattern=r"^[A-Za-z0-9.]{1,16}$")]
    ticker: Annotated[str, Field(pattern=r"^[A-Z0-9.]{1,16}$")]
    address: Address
    in_transit: PositiveWad
    settles: Annotated[int, Field(ge=0)] = 86_400
    ex_dates: tuple[date, ...] = ()
    halts: tuple[WindowTable, ...] = ()
    earnings: tuple[EarningsTable, ...] = ()

    @field_validator("ex_dates", "halts", "earnings", mode="before")
    @classmethod
    def _lists(cls, value: Any) -> Any:
        return tuple(value) if isinstance(value, list) else value

    @cached_property
    def pauses(self) -> tuple[Window, ...]:
        """Halts and the evenings before ex-dates."""
        return (*(halt.window for halt in self.halts), *(dividend_window(day) for day in self.ex_dates))


class UserTable(_Table):
    """Who may ask: `id` as registered on chain, and the SHA-256 of the API key in hex."""

    name: Annotated[str, Field(min_length=1, max_length=64)]
    id: Annotated[bytes, BeforeValidator(_bytes32)]
    key_sha256: Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]


class BrokerConfig(_Table):
    """The whole file. Paths in it are relative to where it lies."""

    chain: ChainTable
    limits: LimitsTable
    state: str
    assets: Annotated[tuple[AssetTable, ...], Field(min_length=1)]
    users: Annotated[tuple[UserTable, ...], Field(min_length=1)]
    server: ServerTable = ServerTable()
    prices: PricesTable = PricesTable()
    validity: ValidityTable = ValidityTable()
    spreads: SpreadsTable = SpreadsTable()

    @field_validator("assets", "users", mode="before")
    @classmethod
    def _lists(cls, value: Any) -> Any:
        return tuple(value) if isinstance(value, list) else value

    @field_validator("assets")
    @classmethod
    def _assets_differ(cls, assets: tuple[AssetTable, ...]) -> tuple[AssetTable, ...]:
        _check_unique("symbol", (asset.symbol for asset in assets))
        _check_unique("address", (asset.address for asset in assets))
        return assets

    @field_validator("users")
    @classmethod
    def _users_differ(cls, users: tuple[UserTable, ...]) -> tuple[UserTable, ...]:
        _check_unique("name", (user.name for user in users))
        _check_unique("key_sha256", (user.key_sha256 for user in users))
        return users

    def spread(self, duration: Duration, session: Session) -> int:
        """bps to either side."""
        table = self.spreads.short if duration is Duration.SHORT else self.spreads.long
        return table.by_session()[session]

    def seconds(self, duration: Duration) -> int:
        """For which a quote is good."""
        return self.validity.short if duration is Duration.SHORT else self.validity.long


def _check_unique(what: str, values: Iterable[str]) -> None:
    twice = [value for value, count in Counter(values).items() if count > 1]
    if twice:
        raise ValueError(f"the same {what} stands twice: {', '.join(twice)}")


def load(path: Path) -> BrokerConfig:
    """Read and check a file. Raises BadConfig that names every wrong entry."""
    try:
        return BrokerConfig.model_validate(tomllib.loads(path.read_text()))
    except OSError as error:
        raise BadConfig(f"cannot read {path}: {error.strerror}") from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise BadConfig(f"{path} is not TOML: {error}") from None
    except ValidationError as error:
        wrong = "; ".join(_told(entry["loc"], entry["msg"]) for entry in error.errors())
        raise BadConfig(f"{path}: {wrong}") from None


def _told(location: tuple[int | str, ...], message: str) -> str:
    """Entries of a list count from 1, as people do."""
    where = ".".join(str(part + 1) if isinstance(part, int) else part for part in location)
    return f"{where or 'file'}: {message.removeprefix('Value error, ')}"
