"""One of the signers behind the oracle's signed reports, and the promise that makes its signature worth something:
for one underlying and one instant it states one price, over restarts too.
"""

from __future__ import annotations

import fcntl
import json
import os
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import IO

from eth_account import Account
from eth_account.signers.local import LocalAccount
from eth_keys.datatypes import PrivateKey

from prime_perps import reports
from prime_perps.errors import PrimePerpsError
from prime_perps.reports import Report, Signature


class SecondPrice(PrimePerpsError):
    """A report that contradicts, or comes before, one this signer has already signed."""


class ReportSigner:
    """Signs reports for one oracle adapter, in rising order of time for each underlying. Not for several threads."""

    def __init__(
        self, key: str | bytes | LocalAccount, chain_id: int, adapter: str, journal: Path | None = None
    ) -> None:
        """
        `journal`: a file that remembers the last report of each underlying; without one the promise ends with the
        process. Raises PrimePerpsError for a journal that cannot be read, is another signer's, or is in use.
        """
        account: LocalAccount = key if isinstance(key, LocalAccount) else Account.from_key(key)
        # eth_account derives the public key again for every signature, which doubles the time of one.
        self._key = PrivateKey(bytes(account.key))
        self.address = str(account.address)
        self.chain_id = chain_id
        self.adapter = adapter
        self._journal = None if journal is None else _Journal(journal, self.address, chain_id, adapter)
        self._last: dict[int, Report] = {} if self._journal is None else self._journal.read()

    def sign(self, report: Report) -> Signature:
        """
        Sign, or sign again, a report. Raises SecondPrice for another report on the same instant, or an earlier instant;
        OSError when the journal cannot be written.
        """
        answer = self.sign_each([report])[0]
        if isinstance(answer, SecondPrice):
            raise answer
        return answer

    def sign_each(self, proposed: Sequence[Report]) -> list[Signature | SecondPrice]:
        """The same of several reports, in order, with one write of the journal: a signature or why there is none."""
        last = dict(self._last)
        verdicts: list[Report | SecondPrice] = []
        for report in proposed:
            try:
                _check_only_price(last.get(report.underlying), report)
            except SecondPrice as second:
                verdicts.append(second)
            else:
                last[report.underlying] = report
                verdicts.append(report)
        if last != self._last:
            # On disk before a signature is out: a crash in between costs a report, not the promise.
            if self._journal is not None:
                self._journal.write(last)
            self._last = last
        return [verdict if isinstance(verdict, SecondPrice) else self._signature(verdict) for verdict in verdicts]

    def _signature(self, report: Report) -> Signature:
        signature = self._key.sign_msg_hash(reports.digest(report, self.chain_id, self.adapter))
        r, s, parity = signature.r, signature.s, signature.v
        return Signature(self.address, r.to_bytes(32, "big") + s.to_bytes(32, "big") + bytes([27 + parity]))


def _check_only_price(last: Report | None, report: Report) -> None:
    if last is None or report.observed_at > last.observed_at or report == last:
        return
    what = "another price was signed for" if report.observed_at == last.observed_at else "a later price was signed than"
    raise SecondPrice(f"underlying {report.underlying}: {what} {report.observed_at}")


class _Journal:
    """The last reports of one signer for one adapter, in a file that is replaced whole and that one process holds."""

    def __init__(self, path: Path, signer: str, chain_id: int, adapter: str) -> None:
        self._path = path
        self._owner = {"signer": signer, "chain_id": chain_id, "adapter": adapter}
        self._lock = self._hold(path.with_name(path.name + ".lock"))

    def read(self) -> dict[int, Report]:
        """The last report by underlying; none when there is no file yet."""
        if not self._path.exists():
            return {}
        try:
            kept = json.loads(self._path.read_text())
            owner = {name: kept[name] for name in self._owner}
            rows = [Report(**row) for row in kept["reports"]]
        except (OSError, ValueError, TypeError, KeyError) as error:
            raise PrimePerpsError(f"cannot read the signer's journal {self._path}: {error}") from None
        if owner != self._owner:
            told = f"{owner['signer']} on chain {owner['chain_id']}, oracle {owner['adapter']}"
            raise PrimePerpsError(f"the journal {self._path} is that of signer {told}: name another file")
        return {report.underlying: report for report in rows}

    def write(self, last: dict[int, Report]) -> None:
        """Replace the file; when this returns, a crash or a loss of power no longer forgets it. Raises OSError."""
        scratch = self._path.with_name(self._path.name + ".new")
        with scratch.open("w") as file:
            json.dump({**self._owner, "reports": [asdict(report) for report in last.values()]}, file)
            file.flush()
            os.fsync(file.fileno())
        scratch.replace(self._path)
        folder = os.open(self._path.parent, os.O_RDONLY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)

    @staticmethod
    def _hold(path: Path) -> IO[str]:
        """Two processes with one journal would each keep a promise of their own. Ends with the process."""
        try:
            lock = path.open("w")
        except OSError as error:
            raise PrimePerpsError(f"cannot write beside the signer's journal: {path}: {error.strerror}") from None
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            lock.close()
            raise PrimePerpsError(f"another process uses the signer's journal ({path})") from None
        return lock
