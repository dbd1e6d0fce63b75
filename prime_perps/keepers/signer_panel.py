"""The n signers as whoever publishes sees them: asked all at once, believed only by what their signatures prove."""

from __future__ import annotations

import asyncio
import json
import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from urllib.parse import urlsplit

import aiohttp
import structlog
from eth_keys.datatypes import Signature as EccSignature
from eth_keys.exceptions import BadSignature
from eth_utils import ValidationError, to_checksum_address

from prime_perps import reports
from prime_perps.errors import PrimePerpsError
from prime_perps.keepers import signer_wire
from prime_perps.keepers.signer_wire import Answer, Garbled, Refused
from prime_perps.reports import Report, Signature, SignedReport

ATTEMPTS = 3
FIRST_PAUSE = 0.1  # seconds before the second attempt; the third waits three times as long
LARGEST_S = (0xFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFEBAAEDCE6AF48A03BBFD25E8CD0364141 - 1) // 2  # half the order of the curve

log = structlog.get_logger()


class _Unanswered(PrimePerpsError):
    """A signer gave no answer of use; `again` tells whether asking again may help."""

    def __init__(self, why: str, again: bool = True) -> None:
        super().__init__(why)
        self.again = again


@dataclass
class _Inquiry:
    """One signer in one round: what became of asking it."""

    url: str
    trouble: str = ""
    signer: str = ""
    answers: list[Answer] = field(default_factory=list)


@dataclass
class Collected:
    """What a round gave: reports with enough signatures, and those without, with the number they have."""

    signed: list[SignedReport]
    short: list[tuple[Report, int]]


class Panel:
    """The signers of one adapter, by their addresses on the network."""

    def __init__(
        self, urls: Sequence[str], chain_id: int, adapter: str, token: str | None = None, patience: float = 3.0
    ) -> None:
        """`patience`: seconds for one answer. Raises PrimePerpsError for what is no http(s) url."""
        for url in urls:
            if urlsplit(url).scheme not in ("http", "https") or not urlsplit(url).hostname:
                raise PrimePerpsError(f"not the address of a signer: {url} (expected http://host:port)")
        self._urls = [url.rstrip("/") for url in dict.fromkeys(urls)]
        self._chain_id = chain_id
        self._adapter = adapter
        self._headers = {} if token is None else {"Authorization": f"Bearer {token}"}
        self._patience = patience
        self._troubles: dict[str, str] = {}

    def __len__(self) -> int:
        return len(self._urls)

    def collect(self, proposed: Sequence[Report], threshold: int, allowed: Callable[[str], bool]) -> Collected:
        """
        Signatures of `threshold` different signers on each report, as far as they can be had; no longer than it takes
        to have them. `allowed` tells whether the adapter takes an address's signature; its errors are raised.
        """
        return asyncio.run(self._collect(list(proposed), threshold, allowed))

    async def _collect(self, proposed: list[Report], threshold: int, allowed: Callable[[str], bool]) -> Collected:
        found: dict[Report, dict[str, Signature]] = {report: {} for report in proposed}
        inquiries = [_Inquiry(url) for url in self._urls]
        timeout = aiohttp.ClientTimeout(total=self._patience)
        async with aiohttp.ClientSession(timeout=timeout, headers=self._headers) as session:
            tasks = [asyncio.create_task(self._ask(session, one, proposed)) for one in inquiries]
            try:
                for done in asyncio.as_completed(tasks):
                    inquiry = await done
                    # A node's answer may take its time; the signers' must not wait for it.
                    if inquiry.answers and not await asyncio.to_thread(allowed, inquiry.signer):
                        inquiry.trouble = f"{inquiry.signer} is not a signer of the oracle"
                    else:
                        self._count(inquiry, proposed, found)
                    if all(len(signatures) >= threshold for signatures in found.values()):
                        break
            finally:
                for task in tasks:
                    task.cancel()
                await asyncio.gather(*tasks, return_exceptions=True)
        for inquiry in inquiries:
            self._tell(inquiry, proposed)
        return Collected(
            [reports.assemble(r, list(s.values())[:threshold]) for r, s in found.items() if len(s) >= threshold],
            [(r, len(s)) for r, s in found.items() if len(s) < threshold],
        )

    async def _ask(self, session: aiohttp.ClientSession, inquiry: _Inquiry, proposed: Sequence[Report]) -> _Inquiry:
        """Ask one signer, a bounded number of times."""
        pause = FIRST_PAUSE
        for attempt in range(1, ATTEMPTS + 1):
            try:
                inquiry.signer, inquiry.answers = await self._ask_once(session, inquiry.url, proposed)
            except _Unanswered as error:
                inquiry.trouble = str(error)
                if attempt == ATTEMPTS or not error.again:
                    break
            else:
                inquiry.trouble = ""
                break
            await asyncio.sleep(pause * random.uniform(0.5, 1.0))
            pause *= 3
        return inquiry

    async def _ask_once(
        self, session: aiohttp.ClientSession, url: str, proposed: Sequence[Report]
    ) -> tuple[str, list[Answer]]:
        try:
            body = signer_wire.request(proposed)
            async with session.post(url + signer_wire.PATH, json=body, allow_redirects=False) as response:
                if response.status != 200:
                    raise _Unanswered(f"HTTP {response.status}", again=response.status >= 500)
                text = await _read(response.content)
            signer, answers = signer_wire.read_answer(json.loads(text), len(proposed))
            return to_checksum_address(signer), answers
        except TimeoutError:
            raise _Unanswered(f"no answer within {self._patience:g} seconds") from None
        except (aiohttp.ClientError, OSError) as error:
            raise _Unanswered(f"cannot be reached ({type(error).__name__})") from None
        except (ValueError, RecursionError, Garbled) as error:
            raise _Unanswered(f"answers garbage ({error})") from None

    def _count(self, inquiry: _Inquiry, proposed: Sequence[Report], found: dict[Report, dict[str, Signature]]) -> None:
        """Take what an allowed signer has signed."""
        for report, given in zip(proposed, inquiry.answers, strict=False):
            if isinstance(given, Refused):
                continue
            if proves(given, report, self._chain_id, self._adapter):
                found[report][inquiry.signer] = Signature(inquiry.signer, given.data)
            else:
                inquiry.trouble = f"gave a wrong signature in the name of {inquiry.signer}"

    def _tell(self, inquiry: _Inquiry, proposed: Sequence[Report]) -> None:
        """Refusals each time; trouble when it begins, changes and ends."""
        for report, given in zip(proposed, inquiry.answers, strict=False):
            if isinstance(given, Refused):
                log.warning(
                    "signer_refused",
                    signer=inquiry.signer,
                    underlying=report.underlying,
                    observed_at=report.observed_at,
                    why=given.why,
                )
        before = self._troubles.get(inquiry.url, "")
        if inquiry.trouble:
            if inquiry.trouble != before:
                log.warning("signer_failed", url=inquiry.url, why=inquiry.trouble)
            self._troubles[inquiry.url] = inquiry.trouble
        elif before and inquiry.answers:
            log.info("signer_back", url=inquiry.url, signer=inquiry.signer)
            del self._troubles[inquiry.url]


async def _read(content: aiohttp.StreamReader) -> bytes:
    """At most as much as an honest signer says."""
    text = b""
    while chunk := await content.read(signer_wire.MESSAGE_LIMIT):
        text += chunk
        if len(text) > signer_wire.MESSAGE_LIMIT:
            raise Garbled("too long")
    return text


def proves(signature: Signature, report: Report, chain_id: int, adapter: str) -> bool:
    """Whether the adapter would recover the signer from it: r, s, v with v of 27 or 28 and a low s."""
    r, s, v = (int.from_bytes(part) for part in (signature.data[:32], signature.data[32:64], signature.data[64:]))
    if v not in (27, 28) or s > LARGEST_S:
        return False
    try:
        digest = reports.digest(report, chain_id, adapter)
        key = EccSignature(vrs=(v - 27, r, s)).recover_public_key_from_msg_hash(digest)
    except (BadSignature, ValidationError):
        return False
    return bool(key.to_checksum_address() == to_checksum_address(signature.signer))
