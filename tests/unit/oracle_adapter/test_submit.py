"""submit: which reports become words, and which nobody could have meant."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from eth_account import Account

from prime_perps import reports
from prime_perps.chain import Contract
from prime_perps.errors import Revert
from prime_perps.reports import DEFAULT_LIMITS, Feed, Session, SignedReport, Source, Word
from prime_perps.units import MID, WAD

from .conftest import BTC, NVDA, SPY, Desk

CURVE_ORDER = 0xFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFEBAAEDCE6AF48A03BBFD25E8CD0364141
MID_MAX = 2**56 - 1
OPEN_SESSIONS = [session for session in Session if session != Session.CLOSED]


def high_s(signature: bytes) -> bytes:
    """The other signature of the same message by the same key."""
    s = CURVE_ORDER - int.from_bytes(signature[32:64], "big")
    return signature[:32] + s.to_bytes(32, "big") + bytes([55 - signature[64]])


def compact(signature: bytes) -> bytes:
    """The 64-byte form: the parity in the top bit of s."""
    s = int.from_bytes(signature[32:64], "big") | (signature[64] - 27) << 255
    return signature[:32] + s.to_bytes(32, "big")


# what is written


def test_submit__report_of_regular_session__writes_its_fields(desk: Desk) -> None:
    desk.submit(desk.report(price=123 * MID + 4))
    assert desk.word() == Word(mid=123 * MID + 4, time=desk.now, half_width=5, session=Session.REGULAR)


def test_submit__report__logs_the_word(desk: Desk) -> None:
    receipt = desk.submit(desk.report(price=7 * MID, confidence=10))
    assert list(desk.oracle.events(receipt)) == [
        (
            "WordUpdated",
            {"underlying": NVDA, "mid": 7 * MID, "half_width": 20, "session": 2, "flags": 0, "time": desk.now},
        )
    ]


def test_submit__two_underlyings_of_one_slot__keeps_both(desk: Desk) -> None:
    desk.submit(desk.report(SPY, 600 * MID), desk.report(NVDA, 100 * MID))
    assert (desk.word(NVDA).mid, desk.word(SPY).mid) == (100 * MID, 600 * MID)
    desk.backend.warp(1)
    desk.submit(desk.report(NVDA, 101 * MID))
    assert (desk.word(NVDA).mid, desk.word(SPY).mid) == (101 * MID, 600 * MID)


def test_submit__anyone__may_carry(desk: Desk) -> None:
    desk.oracle.submit([desk.sign(desk.report())], sender=desk.attacker)
    assert desk.word().mid == 100 * MID


def test_submit__sixteen_reports__writes_all(desk: Desk) -> None:
    for underlying in range(2, 16):
        desk.oracle.set_feed(underlying, Feed(Source.REPORTS), sender=desk.timelock)
    batch = [desk.report(underlying, (underlying + 1) * MID) for underlying in range(16)]
    assert desk.written(*batch) == 16
    desk.submit(*batch)
    assert [desk.word(underlying).mid for underlying in range(16)] == [(n + 1) * MID for n in range(16)]


def test_submit__no_reports__writes_nothing(desk: Desk) -> None:
    assert desk.written() == 0


@pytest.mark.parametrize(
    ("price", "multiplier", "mid"),
    [
        (100 * MID, WAD, 100 * MID),
        (100 * MID, 1_005 * WAD // 1_000, 100 * MID + MID // 2),
        (10 * MID, 10 * WAD, 100 * MID),  # after a 10:1 split
        (1_000 * MID, WAD // 10, 100 * MID),  # after a 1:10 reverse split
        (3, WAD // 2, 1),  # rounded down
        (MID_MAX, WAD, MID_MAX),
        (1, MID_MAX * 10**6, 72_057),  # just below the largest multiplier, rounded down
        (1, 10**24, 10**6),
    ],
)
def test_submit__multiplier__scales_the_mid_rounded_down(desk: Desk, price: int, multiplier: int, mid: int) -> None:
    desk.submit(desk.report(price=price, multiplier=multiplier))
    assert desk.word().mid == mid == desk.report(price=price, multiplier=multiplier).mid


@pytest.mark.parametrize("session", OPEN_SESSIONS)
def test_submit__small_confidence__half_width_is_the_session_floor(desk: Desk, session: Session) -> None:
    desk.submit(desk.report(status=session, confidence=0))
    assert desk.word().half_width == DEFAULT_LIMITS.floor[session]
    assert desk.word().session == session


@pytest.mark.parametrize(("confidence", "half_width"), [(2, 5), (3, 6), (50, 100)])
def test_submit__confidence__half_width_is_twice_it(desk: Desk, confidence: int, half_width: int) -> None:
    desk.submit(desk.report(confidence=confidence))
    assert desk.word().half_width == half_width


@pytest.mark.parametrize("session", OPEN_SESSIONS)
def test_submit__confidence_beyond_the_tolerance__makes_no_price(desk: Desk, session: Session) -> None:
    tolerance = DEFAULT_LIMITS.tolerance[session]
    desk.submit(desk.report(price=100 * MID, status=session, confidence=tolerance))
    before = desk.word()
    assert before.half_width == 2 * tolerance
    desk.backend.warp(1)
    desk.submit(desk.report(price=90 * MID, status=session, confidence=tolerance + 1))
    assert desk.word() == before


def test_submit__closed_with_any_confidence__closes(desk: Desk) -> None:
    desk.submit(desk.report())
    for confidence, half_width in ((4_999, 9_998), (5_000, 10_000), (10_000, 10_000)):
        desk.backend.warp(1)
        desk.submit(desk.report(status=Session.CLOSED, confidence=confidence))
        assert (desk.word().session, desk.word().half_width) == (Session.CLOSED, half_width)


def test_submit__halted_underlying__stays_halted_with_a_new_price(desk: Desk) -> None:
    desk.oracle.set_halt(NVDA, True, sender=desk.guardian)
    receipt = desk.submit(desk.report())
    assert (desk.word().mid, desk.word().flags) == (100 * MID, reports.Flag.HALTED)
    assert next(iter(desk.oracle.events(receipt)))[1]["flags"] == reports.Flag.HALTED


# what is passed over


def test_submit__replayed_report__is_passed_over(desk: Desk) -> None:
    signed = desk.sign(desk.report())
    assert desk.written(signed) == 1
    receipt = desk.submit(signed)
    assert desk.written(signed) == 0
    assert not list(desk.oracle.events(desk.submit(signed)))
    assert len(receipt.logs) == 1


def test_submit__another_price_of_equal_time__is_passed_over(desk: Desk) -> None:
    desk.submit(desk.report(price=100 * MID))
    desk.submit(desk.report(price=200 * MID))
    assert desk.word().mid == 100 * MID


def test_submit__older_report__is_passed_over_and_newer_taken(desk: Desk) -> None:
    older = desk.sign(desk.report(price=90 * MID, observed_at=desk.now - 1))
    desk.submit(desk.report(price=100 * MID))
    desk.submit(older)
    assert desk.word().mid == 100 * MID
    desk.backend.warp(1)
    desk.submit(desk.report(price=110 * MID))
    assert desk.word().mid == 110 * MID


def test_submit__passed_over_report__does_not_block_the_rest_of_the_batch(desk: Desk) -> None:
    desk.submit(desk.report(NVDA))
    batch = (desk.report(NVDA), desk.report(SPY))
    assert desk.written(*batch) == 1
    desk.submit(*batch)
    assert desk.word(SPY).mid == 100 * MID


def test_submit__passed_over_report_with_void_signatures__has_no_effect(desk: Desk) -> None:
    desk.submit(desk.report())
    before = desk.word()
    desk.submit(SignedReport(desk.report(price=1), ()))
    assert desk.word() == before


# closed: OR-2


def test_submit__closed__keeps_the_mid_of_the_open_exchange__OR_2(desk: Desk) -> None:
    desk.submit(desk.report(price=100 * MID, status=Session.POST))
    desk.backend.warp(60)
    desk.submit(desk.report(price=96 * MID, status=Session.CLOSED, confidence=0))
    assert desk.word() == Word(mid=100 * MID, time=desk.now, half_width=30, session=Session.CLOSED)
    desk.backend.warp(60)
    desk.submit(desk.report(price=90 * MID, status=Session.CLOSED))
    assert desk.word().mid == 100 * MID


def test_submit__open_after_closed__makes_a_price_again(desk: Desk) -> None:
    for price, status in ((100, Session.POST), (90, Session.CLOSED), (95, Session.OVERNIGHT)):
        desk.submit(desk.report(price=price * MID, status=status))
        desk.backend.warp(1)
    assert desk.word().mid == 95 * MID


def test_submit__late_report_of_the_open_exchange_after_closed__is_passed_over(desk: Desk) -> None:
    late = desk.sign(desk.report(price=99 * MID, observed_at=desk.now - 1))
    desk.submit(desk.report(price=100 * MID, observed_at=desk.now - 2))
    desk.submit(desk.report(status=Session.CLOSED))
    desk.submit(late)
    assert (desk.word().mid, desk.word().session) == (100 * MID, Session.CLOSED)


def test_submit__closed_without_an_open_price__is_passed_over__OR_1(desk: Desk) -> None:
    batch = (desk.report(NVDA, status=Session.CLOSED), desk.report(SPY))
    assert desk.written(*batch) == 1
    desk.submit(*batch)
    assert desk.word(NVDA) == Word()
    assert desk.word(SPY).mid == 100 * MID


def test_submit__closed_with_void_price__reverts(desk: Desk) -> None:
    desk.submit(desk.report())
    desk.backend.warp(1)
    with pytest.raises(Revert, match=r"^oracle: bad price$"):
        desk.submit(desk.report(price=0, status=Session.CLOSED))


# fields nobody could have meant


@pytest.mark.parametrize(
    ("fields", "reason"),
    [
        ({"status": 7}, "oracle: bad status"),
        ({"status": 2**256 - 1}, "oracle: bad status"),
        ({"confidence": 10_001}, "oracle: bad confidence"),
        ({"confidence": 2**256 - 1}, "oracle: bad confidence"),
        ({"multiplier": 0}, "oracle: bad multiplier"),
        ({"multiplier": 10**24 + 1}, "oracle: bad multiplier"),
        ({"multiplier": 2**256 - 1}, "oracle: bad multiplier"),
        ({"price": 0}, "oracle: bad price"),
        ({"price": MID_MAX + 1}, "oracle: bad price"),
        ({"price": 2**256 - 1}, "oracle: bad price"),
        ({"price": 1, "multiplier": WAD - 1}, "oracle: bad price"),
        ({"price": MID_MAX, "multiplier": WAD + WAD // MID_MAX + 1}, "oracle: bad price"),
    ],
)
def test_submit__field_out_of_range__reverts(desk: Desk, fields: dict[str, Any], reason: str) -> None:
    with pytest.raises(Revert, match=f"^{reason}$"):
        desk.submit(desk.report(**fields))


def test_submit__observed_now__is_written_and_a_second_later_reverts(desk: Desk) -> None:
    with pytest.raises(Revert, match=r"^oracle: report from the future$"):
        desk.submit(desk.report(observed_at=desk.now + 1))
    desk.submit(desk.report(observed_at=desk.now))
    assert desk.word().time == desk.now


def test_submit__observed_beyond_all_time__reverts(desk: Desk) -> None:
    with pytest.raises(Revert, match=r"^oracle: report from the future$"):
        desk.submit(desk.report(observed_at=2**256 - 1))


@pytest.mark.parametrize("session", list(Session))
def test_submit__age_at_the_limit__is_written_and_a_second_more_reverts(desk: Desk, session: Session) -> None:
    desk.submit(desk.report(observed_at=desk.now))
    desk.backend.warp(10_000)
    limit = min(DEFAULT_LIMITS.age[session], DEFAULT_LIMITS.report_age)
    with pytest.raises(Revert, match=r"^oracle: report too old$"):
        desk.submit(desk.report(status=session, observed_at=desk.now - limit - 1))
    desk.submit(desk.report(status=session, observed_at=desk.now - limit))
    assert desk.word().time == desk.now - limit
    assert desk.read().doubt == (1_000 if session in reports.SHUT_SESSIONS else 0)


@pytest.mark.parametrize("underlying", [BTC, 63, 64, 2**256 - 1])
def test_submit__underlying_without_report_source__reverts(desk: Desk, underlying: int) -> None:
    with pytest.raises(Revert, match=r"^oracle: not a report feed$"):
        desk.submit(desk.report(underlying))


def test_submit__underlying_of_a_push_feed__reverts(desk: Desk, aggregator: Contract) -> None:
    desk.list_feed(aggregator, NVDA)
    with pytest.raises(Revert, match=r"^oracle: not a report feed$"):
        desk.submit(desk.report(NVDA))


def test_submit__one_bad_report__undoes_the_batch(desk: Desk) -> None:
    with pytest.raises(Revert, match=r"^oracle: bad price$"):
        desk.submit(desk.report(NVDA), desk.report(SPY, price=0))
    assert desk.word(NVDA) == Word()


# signatures (KiloEx April 2025: prices only by verified signature)


def test_submit__fewer_signers_than_threshold__reverts(desk: Desk) -> None:
    for keys in ((), desk.keys[:1]):
        with pytest.raises(Revert, match=r"^oracle: too few signers$"):
            desk.submit(desk.sign(desk.report(), keys))


@pytest.mark.parametrize("chosen", [(0, 1), (0, 2), (1, 2), (0, 1, 2)])
def test_submit__any_signers_up_to_threshold_or_beyond__is_written(desk: Desk, chosen: tuple[int, ...]) -> None:
    desk.submit(desk.sign(desk.report(), [desk.keys[index] for index in chosen]))
    assert desk.word().mid == 100 * MID


def test_submit__eight_signers_of_eight__is_written(desk: Desk) -> None:
    keys = [bytes([index + 1]) * 32 for index in range(8)]
    for key in keys:
        desk.oracle.set_signer(Account.from_key(key).address, True, sender=desk.timelock)
    desk.oracle.set_threshold(8, sender=desk.guardian)
    desk.submit(desk.sign(desk.report(), keys))
    assert desk.word().mid == 100 * MID


def test_submit__signers_in_falling_order__reverts(desk: Desk) -> None:
    signed = desk.sign(desk.report())
    with pytest.raises(Revert, match=r"^oracle: signers out of order$"):
        desk.submit(replace(signed, signatures=signed.signatures[::-1]))


def test_submit__one_signer_twice__reverts(desk: Desk) -> None:
    signed = desk.sign(desk.report(), desk.keys[:1])
    with pytest.raises(Revert, match=r"^oracle: signers out of order$"):
        desk.submit(replace(signed, signatures=signed.signatures * 2))


def test_submit__stranger_among_enough_signers__reverts(desk: Desk) -> None:
    with pytest.raises(Revert, match=r"^oracle: bad signature$"):
        desk.submit(desk.sign(desk.report(), [*desk.keys, desk.stranger_key]))


def test_submit__disallowed_signer__reverts(desk: Desk) -> None:
    signed = desk.sign(desk.report())
    desk.oracle.set_signer(Account.from_key(desk.keys[0]).address, False, sender=desk.guardian)
    with pytest.raises(Revert, match=r"^oracle: bad signature$"):
        desk.submit(signed)


@pytest.mark.parametrize("field", ["price", "confidence", "status", "observed_at", "multiplier"])
def test_submit__field_changed_after_signing__reverts(desk: Desk, field: str) -> None:
    signed = desk.sign(desk.report())
    forged = replace(signed.report, **{field: getattr(signed.report, field) - 1})
    with pytest.raises(Revert, match=r"^oracle: bad signature$"):
        desk.submit(replace(signed, report=forged))


def test_submit__signed_for_another_underlying__reverts(desk: Desk) -> None:
    signed = desk.sign(desk.report(SPY, 600 * MID))
    with pytest.raises(Revert, match=r"^oracle: bad signature$"):
        desk.submit(replace(signed, report=replace(signed.report, underlying=NVDA)))


def test_submit__signed_for_another_chain__reverts(desk: Desk) -> None:
    signed = reports.sign_all(desk.report(), desk.keys[:2], desk.backend.chain_id() + 1, desk.oracle.address)
    with pytest.raises(Revert, match=r"^oracle: bad signature$"):
        desk.submit(signed)


def test_submit__signed_for_another_adapter__reverts(desk: Desk) -> None:
    other = Contract.deploy(desk.backend, "OracleAdapter", 2, DEFAULT_LIMITS, sender=desk.deployer)
    signed = reports.sign_all(desk.report(), desk.keys[:2], desk.backend.chain_id(), other.address)
    with pytest.raises(Revert, match=r"^oracle: bad signature$"):
        desk.submit(signed)


def test_submit__signed_under_another_domain_name__reverts(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reports, "DOMAIN", ("Prime Perps", "1"))
    with pytest.raises(Revert, match=r"^oracle: bad signature$"):
        desk.submit(desk.report())


def test_submit__malleable_signature__reverts(desk: Desk) -> None:
    signed = desk.sign(desk.report())
    forged = (high_s(signed.signatures[0]), signed.signatures[1])
    with pytest.raises(Revert, match=r"^ecdsa: invalid signature `s` value$"):
        desk.submit(replace(signed, signatures=forged))


def test_submit__signature_of_no_key__reverts(desk: Desk) -> None:
    signed = desk.sign(desk.report())
    for void in (bytes(65), signed.signatures[0][:64] + b"\x00", signed.signatures[0][:64] + b"\x1d"):
        with pytest.raises(Revert, match=r"^ecdsa: invalid signature$"):
            desk.submit(replace(signed, signatures=(void, signed.signatures[1])))


def test_submit__compact_signature__reverts(desk: Desk) -> None:
    signed = desk.sign(desk.report())
    forged = (compact(signed.signatures[0]), signed.signatures[1])
    with pytest.raises(Revert, match=r"^oracle: bad signature$"):
        desk.submit(replace(signed, signatures=forged))


@pytest.mark.parametrize("length", [0, 1, 63])
def test_submit__short_signature__reverts(desk: Desk, length: int) -> None:
    signed = desk.sign(desk.report())
    cut = (signed.signatures[0][:length], signed.signatures[1])
    with pytest.raises(Revert, match=r"^oracle: bad signature$"):
        desk.submit(replace(signed, signatures=cut))
