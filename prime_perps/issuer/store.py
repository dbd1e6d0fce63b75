"""What a broker must not forget: the attestations it gave, what of the limits is used, and what backs the tokens.

One SQLite file, of one broker on one chain, held by one process. A transaction that has returned survives a crash and a
loss of power. Amounts are text: SQLite's integers end at 64 bits.
"""

from __future__ import annotations

import json
import secrets
import sqlite3
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from prime_perps.errors import PrimePerpsError
from prime_perps.issuer.inventory import Delivery, Position
from prime_perps.issuer.limits import Used
from prime_perps.issuer.quotes import Side

NEXT_ID = "next attestation"
SCHEMA = (
    "CREATE TABLE IF NOT EXISTS fact (name TEXT PRIMARY KEY, value TEXT NOT NULL) STRICT",
    """
    CREATE TABLE IF NOT EXISTS attestation (
        id TEXT PRIMARY KEY, user TEXT NOT NULL, idempotency_key TEXT, request TEXT NOT NULL, asset TEXT NOT NULL,
        side INTEGER NOT NULL, quantity TEXT NOT NULL, expiration INTEGER NOT NULL, answer TEXT NOT NULL,
        open INTEGER NOT NULL, UNIQUE (user, idempotency_key)
    ) STRICT
    """,
    "CREATE INDEX IF NOT EXISTS open_ones ON attestation (open) WHERE open",
    "CREATE TABLE IF NOT EXISTS used (name TEXT PRIMARY KEY, amount TEXT NOT NULL, at INTEGER NOT NULL) STRICT",
    "CREATE TABLE IF NOT EXISTS position (asset TEXT PRIMARY KEY, body TEXT NOT NULL) STRICT",
)


class StateUnusable(PrimePerpsError):
    """The file cannot be opened, read or written, or is not this broker's."""


@dataclass(frozen=True)
class Given:
    """An attestation as it was given. `request` and `answer` are JSON."""

    id: int
    user: str
    idempotency_key: str | None
    request: str
    asset: str
    side: Side
    quantity: int
    expiration: int
    answer: str


@dataclass(frozen=True)
class Open:
    """An attestation that somebody may use yet, or has used unseen. `quantity` is wad, `expiration` unix seconds."""

    id: int
    asset: str
    side: Side
    quantity: int
    expiration: int


class Store:
    """The file. Not for several threads at once."""

    def __init__(self, path: Path, owner: Mapping[str, str]) -> None:
        """`owner`: whose state it is, by name. Raises StateUnusable."""
        self._path = path
        try:
            # The broker's lock, not a thread, is what keeps callers apart.
            self._connection = sqlite3.connect(path, timeout=0, isolation_level=None, check_same_thread=False)
        except sqlite3.Error as error:
            raise self._unusable(error) from None
        # Held from the first write on, until the process ends.
        self._execute("PRAGMA locking_mode = EXCLUSIVE")
        self._execute("PRAGMA synchronous = EXTRA")
        with self.transaction():
            for statement in SCHEMA:
                self._execute(statement)
            self._claim(owner)

    def close(self) -> None:
        self._connection.close()

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """All that is written inside, or nothing. Raises StateUnusable, also for a disk that is full."""
        self._execute("BEGIN IMMEDIATE")
        try:
            yield
            self._execute("COMMIT")
        except BaseException:
            # A full disk has ended it already.
            if self._connection.in_transaction:
                self._execute("ROLLBACK")
            raise

    def next_id(self) -> int:
        """An attestation id never given before, by this file nor, for all practical purposes, by another."""
        kept = self._fact(NEXT_ID)
        # The upper bits are this file's own, so that a lost file does not begin where it began.
        number = int(kept) if kept else secrets.randbits(96) << 32
        self._put_fact(NEXT_ID, str(number + 1))
        return number

    def add(self, given: Given) -> None:
        self._execute(
            "INSERT INTO attestation VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, 1)",
            (
                str(given.id),
                given.user,
                given.idempotency_key,
                given.request,
                given.asset,
                int(given.side),
                str(given.quantity),
                given.expiration,
                given.answer,
            ),
        )

    def given(self, user: str, idempotency_key: str) -> tuple[str, str] | None:
        """Request and answer under a user's key."""
        row = self._execute(
            "SELECT request, answer FROM attestation WHERE user = ? AND idempotency_key = ?", (user, idempotency_key)
        ).fetchone()
        return None if row is None else (row[0], row[1])

    def open(self) -> list[Open]:
        """Every attestation of which it is not known yet that it was used, or never can be."""
        rows = self._execute("SELECT id, asset, side, quantity, expiration FROM attestation WHERE open")
        return [Open(int(row[0]), row[1], Side(row[2]), int(row[3]), row[4]) for row in rows]

    def close_attestations(self, closed: Iterable[Open]) -> None:
        for one in closed:
            self._execute("UPDATE attestation SET open = 0 WHERE id = ?", (str(one.id),))

    def used(self, name: str) -> Used:
        row = self._execute("SELECT amount, at FROM used WHERE name = ?", (name,)).fetchone()
        return Used() if row is None else Used(int(row[0]), row[1])

    def put_used(self, name: str, used: Used) -> None:
        self._execute("REPLACE INTO used VALUES (?, ?, ?)", (name, str(used.amount), used.at))

    def position(self, asset: str) -> Position | None:
        row = self._execute("SELECT body FROM position WHERE asset = ?", (asset,)).fetchone()
        if row is None:
            return None
        fields = json.loads(row[0])
        return Position(**{**fields, "bought": tuple(Delivery(**entry) for entry in fields["bought"])})

    def put_position(self, asset: str, position: Position) -> None:
        self._execute("REPLACE INTO position VALUES (?, ?)", (asset, json.dumps(asdict(position))))

    def _execute(self, statement: str, values: Sequence[Any] = ()) -> sqlite3.Cursor:
        try:
            return self._connection.execute(statement, values)
        except sqlite3.Error as error:
            raise self._unusable(error) from None

    def _unusable(self, error: sqlite3.Error) -> StateUnusable:
        if "locked" in str(error):
            return StateUnusable(f"another process uses the state in {self._path}")
        return StateUnusable(f"cannot use the state in {self._path}: {error}")

    def _fact(self, name: str) -> str | None:
        row = self._execute("SELECT value FROM fact WHERE name = ?", (name,)).fetchone()
        return None if row is None else str(row[0])

    def _put_fact(self, name: str, value: str) -> None:
        self._execute("REPLACE INTO fact VALUES (?, ?)", (name, value))

    def _claim(self, owner: Mapping[str, str]) -> None:
        for name, value in owner.items():
            kept = self._fact(name)
            if kept is None:
                self._put_fact(name, value)
            elif kept != value:
                raise StateUnusable(f"the state in {self._path} is of another {name} ({kept}): name another file")
