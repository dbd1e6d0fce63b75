"""What a signer and whoever asks it say to each other: JSON over HTTP, numbers as text, for most readers of JSON cut
long ones off.

    POST /sign {"reports": [{"underlying": "0", "price": "17240000000", ...}, ...]}
    200        {"signer": "0x...", "answers": [{"signature": "0x..."}, {"refused": "why"}, ...]}
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Sequence
from dataclasses import dataclass, fields
from typing import Any

from prime_perps.errors import PrimePerpsError
from prime_perps.reports import Report, Signature

PATH = "/sign"
REPORTS_A_REQUEST = 64
MESSAGE_LIMIT = 64 * 1024  # bytes, of a request and of an answer
TOKEN_VARIABLE = "PRIME_PERPS_SIGNER_TOKEN"
_NUMBER = re.compile(r"[0-9]{1,78}")
_SIGNATURE = re.compile(r"0x[0-9a-fA-F]{130}")
_ADDRESS = re.compile(r"0x[0-9a-fA-F]{40}")


class Garbled(PrimePerpsError):
    """A message that is not one of this protocol."""


@dataclass(frozen=True)
class Refused:
    """Why a signer does not sign a report."""

    why: str


Answer = Signature | Refused


def request(reports: Sequence[Report]) -> dict[str, Any]:
    """The body of a request."""
    return {"reports": [{field.name: str(int(getattr(one, field.name))) for field in fields(one)} for one in reports]}


def read_request(body: Any) -> list[Report]:
    """Raises Garbled."""
    names = [field.name for field in fields(Report)]
    try:
        rows = body["reports"]
        if not isinstance(rows, list) or not 0 < len(rows) <= REPORTS_A_REQUEST:
            raise Garbled(f"reports must be a list of 1 to {REPORTS_A_REQUEST}")
        for row in rows:
            if sorted(row) != sorted(names) or not all(_NUMBER.fullmatch(row[name]) for name in names):
                raise Garbled(f"a report has the fields {', '.join(names)}, each a number as text")
    except (KeyError, TypeError):
        raise Garbled('expected {"reports": [...]}') from None
    return [Report(**{name: int(row[name]) for name in names}) for row in rows]


def answer(signer: str, answers: Sequence[Answer]) -> dict[str, Any]:
    """The body of an answer."""
    return {
        "signer": signer,
        "answers": [
            {"refused": one.why} if isinstance(one, Refused) else {"signature": "0x" + one.data.hex()}
            for one in answers
        ],
    }


def read_answer(body: Any, count: int) -> tuple[str, list[Answer]]:
    """Who answers, and an answer to each of `count` reports, unverified. Raises Garbled."""
    try:
        signer, rows = body["signer"], body["answers"]
        if not isinstance(rows, list) or len(rows) != count or not _ADDRESS.fullmatch(signer):
            raise Garbled(f"not an answer to {count} reports")
        return signer, [_read_one(signer, row) for row in rows]
    except (KeyError, TypeError, AttributeError):
        raise Garbled("not an answer of a signer") from None


def _read_one(signer: str, row: dict[str, str]) -> Answer:
    if "refused" in row:
        # A stranger's text goes into the log: one short line of it.
        return Refused(" ".join(str(row["refused"]).split())[:200])
    if not _SIGNATURE.fullmatch(row["signature"]):
        raise Garbled("a signature is 65 bytes in hex")
    return Signature(signer, bytes.fromhex(row["signature"][2:]))


def is_loopback(host: str) -> bool:
    """Whether only this machine reaches `host`."""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
