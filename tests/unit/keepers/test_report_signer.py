"""A report signer states one price for one underlying and one instant."""

from __future__ import annotations

import errno
import json
from dataclasses import asdict, replace

import pytest
from eth_account import Account

from prime_perps import reports
from prime_perps.errors import PrimePerpsError
from prime_perps.keepers import report_signer
from prime_perps.keepers.report_signer import ReportSigner, SecondPrice
from prime_perps.reports import Report, Session

KEY = "0x" + "11" * 32
ADAPTER = "0x" + "22" * 20
REPORT = Report(underlying=3, price=100 * 10**8, confidence=5, status=Session.REGULAR, observed_at=1_000)


@pytest.fixture
def signer():
    return ReportSigner(KEY, 1, ADAPTER)


def test_sign__report__equals_the_signature_over_the_typed_data(signer):
    assert signer.sign(REPORT) == reports.sign(REPORT, KEY, 1, ADAPTER)
    assert signer.address == Account.from_key(KEY).address


def test_sign__same_report_again__gives_the_same_signature(signer):
    assert signer.sign(REPORT) == signer.sign(REPORT)


@pytest.mark.parametrize(
    "change", [{"price": 1}, {"confidence": 6}, {"status": Session.CLOSED}, {"multiplier": 2 * 10**18}]
)
def test_sign__something_else_for_the_same_instant__is_refused(signer, change):
    signer.sign(REPORT)
    with pytest.raises(SecondPrice, match="another price was signed for 1000"):
        signer.sign(replace(REPORT, **change))


def test_sign__earlier_instant__is_refused(signer):
    signer.sign(REPORT)
    with pytest.raises(SecondPrice, match="a later price was signed than 999"):
        signer.sign(replace(REPORT, observed_at=999))


def test_sign__other_underlying_same_instant__is_its_own_matter(signer):
    signer.sign(REPORT)
    signer.sign(replace(REPORT, underlying=4, price=1))


def test_sign__after_a_restart_with_its_journal__keeps_the_promise(tmp_path):
    journal = tmp_path / "signer.json"
    ReportSigner(KEY, 1, ADAPTER, journal).sign(REPORT)
    restarted = ReportSigner(KEY, 1, ADAPTER, journal)
    restarted.sign(REPORT)
    with pytest.raises(SecondPrice):
        restarted.sign(replace(REPORT, price=1))


def test_sign__disk_refuses_the_journal__gives_no_signature_then_nor_later(tmp_path, monkeypatch):
    def full(_):
        raise OSError(errno.ENOSPC, "no space left on device")

    signer = ReportSigner(KEY, 1, ADAPTER, tmp_path / "signer.json")
    monkeypatch.setattr(report_signer.os, "fsync", full)
    for _ in range(2):
        with pytest.raises(OSError, match="no space left"):
            signer.sign(REPORT)
    monkeypatch.undo()
    signer.sign(REPORT)


def test_sign__signature_out__journal_holds_its_report_already(tmp_path, monkeypatch):
    """Killed at any moment after the digest was asked for, the next process knows of the report."""
    journal, kept = tmp_path / "signer.json", []
    digest = reports.digest

    def look(report, *where):
        kept.append(json.loads(journal.read_text())["reports"])
        return digest(report, *where)

    monkeypatch.setattr(reports, "digest", look)
    ReportSigner(KEY, 1, ADAPTER, journal).sign(REPORT)
    assert kept == [[asdict(REPORT)]]


def test_sign_each__one_contradicts__the_others_are_signed(signer):
    other = replace(REPORT, underlying=4)
    signed, second, fine = signer.sign_each([REPORT, replace(REPORT, price=1), other])
    assert signed == reports.sign(REPORT, KEY, 1, ADAPTER)
    assert isinstance(second, SecondPrice)
    assert fine == reports.sign(other, KEY, 1, ADAPTER)
    with pytest.raises(SecondPrice):
        signer.sign(replace(REPORT, price=1))


@pytest.mark.parametrize("text", ["[[1, 2", "[]", '{"reports": []}', '{"reports": [{"colour": 1}]}'])
def test_signer__unreadable_journal__is_refused(tmp_path, text):
    journal = tmp_path / "signer.json"
    journal.write_text(text)
    with pytest.raises(PrimePerpsError, match="cannot read the signer's journal"):
        ReportSigner(KEY, 1, ADAPTER, journal)


@pytest.mark.parametrize("whose", [("0x" + "12" * 32, 1, ADAPTER), (KEY, 2, ADAPTER), (KEY, 1, "0x" + "23" * 20)])
def test_signer__journal_of_another__is_refused(tmp_path, whose):
    journal = tmp_path / "signer.json"
    ReportSigner(KEY, 1, ADAPTER, journal).sign(REPORT)
    with pytest.raises(PrimePerpsError, match="is that of signer"):
        ReportSigner(*whose, journal)


def test_signer__journal_in_use__is_refused(tmp_path):
    journal = tmp_path / "signer.json"
    first = ReportSigner(KEY, 1, ADAPTER, journal)
    with pytest.raises(PrimePerpsError, match="another process uses"):
        ReportSigner(KEY, 1, ADAPTER, journal)
    first.sign(REPORT)


def test_signer__no_folder_for_the_journal__is_told_at_once(tmp_path):
    with pytest.raises(PrimePerpsError, match="cannot write beside the signer's journal"):
        ReportSigner(KEY, 1, ADAPTER, tmp_path / "missing" / "signer.json")
