"""One of the signers behind the oracle's signed reports, and the promise that makes its signature worth something:
for one underlying and one instant it states one price, over restarts too.
"""

from __future__ import annotations

import json
import os
from dataclasses import astuple
from pathlib import Path

from eth_account import Account
from eth_account.signers.local import LocalAccount
from eth_keys.datatypes import PrivateKey

from prime_perps import reports
from prime_perps.errors import PrimePerpsError
from prime_perps.reports import Report, Signature


class SecondPrice(PrimePerpsError):
    """A report that contradicts, or comes before, one this signer has already signed."""


class ReportSigner:
    """Signs reports for one oracle adapter, in rising order of time for each underlying."""

    def __init__(
        self, key: str | bytes | LocalAccount, chain_id: int, adapter: str, journal: Path | None = None
    ) -> None:
        """
        `journal`: a file that remembers the last report of each underlying; without one the promise ends with the
        process. Raises PrimePerpsError for a journal that cannot be read.
        """
        account: LocalAccount = key if isinstance(key, LocalAccount) else Account.from_key(key)
        # eth_account derives the public key again for every signature, which doubles the time of one.
        self._key = PrivateKey(bytes(account.key))
        self.address = str(account.address)
        self._chain_id = chain_id
        self._adapter = adapter
        self._journal = journal
        self._last: dict[int, Report] = self._remember(journal)

    def sign(self, report: Report) -> Signature:
        """
        Sign, or sign again, a report. Raises SecondPrice for another report on the same instant, or an earlier instant.
        """
        self._check_only_price(report)
        if self._last.get(report.underlying) != report:
            self._last[report.underlying] = report
            # On disk before the signature is out: a crash in between costs a report, not the promise.
            self._write()
        digest = reports.digest(report, self._chain_id, self._adapter)
        signature = self._key.sign_msg_hash(digest)
        r, s, parity = signature.r, signature.s, signature.v
        return Signature(self.address, r.to_bytes(32, "big") + s.to_bytes(32, "big") + bytes([27 + parity]))

    def _check_only_price(self, report: Report) -> None:
        last = self._last.get(report.underlying)
        if last is None or report.observed_at > last.observed_at or report == last:
            return
        what = (
            "another price was signed for"
            if report.observed_at == last.observed_at
            else "a later price was signed than"
        )
        raise SecondPrice(f"underlying {report.underlying}: {what} {report.observed_at}")

    @staticmethod
    def _remember(journal: Path | None) -> dict[int, Report]:
        if journal is None or not journal.exists():
            return {}
        try:
            rows = [Report(*row) for row in json.loads(journal.read_text())]
        except (OSError, ValueError, TypeError) as error:
            raise PrimePerpsError(f"cannot read the signer's journal {journal}: {error}") from None
        return {report.underlying: report for report in rows}

    def _write(self) -> None:
        if self._journal is None:
            return
        scratch = self._journal.with_suffix(".new")
        with scratch.open("w") as file:
            json.dump([astuple(report) for report in self._last.values()], file)
            file.flush()
            os.fsync(file.fileno())
        scratch.replace(self._journal)
