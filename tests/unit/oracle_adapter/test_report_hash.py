"""report_hash, and prime_perps.reports against it."""

from __future__ import annotations

import pytest
from eth_account import Account
from eth_utils import keccak
from hypothesis import given
from hypothesis import strategies as st

from prime_perps import reports
from prime_perps.errors import PrimePerpsError
from prime_perps.reports import Report, Session

from .conftest import Desk, signer_of

uint256 = st.integers(0, 2**256 - 1)


def test_report_hash__any_fields__equals_the_digest_that_is_signed(shared_desk: Desk) -> None:
    @given(st.builds(Report, *[uint256] * 6))
    def check(report: Report) -> None:
        ours = reports.digest(report, shared_desk.backend.chain_id(), shared_desk.oracle.address)
        assert ours == shared_desk.oracle.report_hash(report)

    check()


def test_report_hash__type__is_the_documented_one(desk: Desk) -> None:
    documented = (
        "Report(uint256 underlying,uint256 price,uint256 confidence,uint256 status,uint256 observed_at,"
        "uint256 multiplier)"
    )
    assert documented == f"Report({','.join(' '.join((part['type'], part['name'])) for part in reports.REPORT_TYPE)})"
    report = desk.report()
    domain = keccak(
        keccak(text="EIP712Domain(string name,string version,uint256 chainId,address verifyingContract)")
        + keccak(text="Prime Perps Oracle")
        + keccak(text="1")
        + desk.backend.chain_id().to_bytes(32, "big")
        + bytes.fromhex(desk.oracle.address[2:]).rjust(32, b"\0")
    )
    values = (report.underlying, report.price, report.confidence, report.status, report.observed_at, report.multiplier)
    struct = keccak(keccak(text=documented) + b"".join(int(value).to_bytes(32, "big") for value in values))
    assert desk.oracle.report_hash(report) == keccak(b"\x19\x01" + domain + struct)


def test_sign__session_as_status__signs_its_number(desk: Desk) -> None:
    by_name, by_number = desk.report(status=Session.POST), desk.report(status=3)
    assert desk.sign(by_name) == desk.sign(by_number)


def test_sign__signature__recovers_to_the_signer(desk: Desk) -> None:
    report = desk.report()
    signature = reports.sign(report, desk.keys[0], desk.backend.chain_id(), desk.oracle.address)
    assert signature.signer == signer_of(desk.keys[0])
    digest = desk.oracle.report_hash(report)
    assert Account._recover_hash(digest, signature=signature.data) == signature.signer


def test_assemble__any_order__sorts_by_signer(desk: Desk) -> None:
    report = desk.report()
    signatures = [reports.sign(report, key, 1, desk.oracle.address) for key in desk.keys]
    expected = tuple(signature.data for signature in signatures)
    assert reports.assemble(report, signatures[::-1]).signatures == expected
    assert reports.assemble(report, (signatures[1], signatures[2], signatures[0])).signatures == expected


def test_assemble__one_signer_twice__raises(desk: Desk) -> None:
    signature = reports.sign(desk.report(), desk.keys[0], 1, desk.oracle.address)
    with pytest.raises(PrimePerpsError, match="two signatures of one signer"):
        reports.assemble(desk.report(), [signature, signature])
