"""A report signer states one price for one underlying and one instant."""

from __future__ import annotations

from dataclasses import replace

import pytest
from eth_account import Account

from prime_perps import reports
from prime_perps.errors import PrimePerpsError
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


def test_sign__disk_refuses_the_journal__gives_no_signature(tmp_path):
    signer = ReportSigner(KEY, 1, ADAPTER, tmp_path / "missing" / "signer.json")
    with pytest.raises(OSError, match="missing"):
        signer.sign(REPORT)


def test_signer__unreadable_journal__is_refused(tmp_path):
    journal = tmp_path / "signer.json"
    journal.write_text("[[1, 2")
    with pytest.raises(PrimePerpsError, match="cannot read the signer's journal"):
        ReportSigner(KEY, 1, ADAPTER, journal)
