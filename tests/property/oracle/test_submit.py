"""submit, for sequences of reports."""

from __future__ import annotations

from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from prime_perps.reports import SHUT_SESSIONS, Flag, Report, Session, SignedReport, Word

from .conftest import UNDERLYINGS, Bench

WINDOW = 60  # seconds, the narrowest of the age limits: every report below may still be submitted

START = 10**9

any_sessions = st.sampled_from(list(Session))
open_sessions = st.sampled_from([session for session in Session if session not in SHUT_SESSIONS])


def drawn(bench: Bench, statuses: st.SearchStrategy[Session]) -> st.SearchStrategy[Report]:
    now = bench.backend.timestamp()
    return st.builds(
        Report,
        underlying=st.integers(0, UNDERLYINGS - 1),
        price=st.integers(10**6, 10**13),
        confidence=st.integers(0, 50),
        status=statuses,
        observed_at=st.integers(now - WINDOW, now),
        multiplier=st.integers(10**16, 10**20),
    )


def one_price_an_instant(batch: list[Report]) -> list[Report]:
    """What honest signers do: for one underlying and one instant they state one price."""
    return list({(report.underlying, report.observed_at): report for report in batch}.values())


def is_open(report: Report) -> bool:
    return report.status != Session.CLOSED


def words(bench: Bench) -> list[Word]:
    return [bench.word(underlying) for underlying in range(UNDERLYINGS)]


def outcome(bench: Bench, batches: list[list[SignedReport]]) -> list[Word]:
    """The words after these batches, from where the bench stands now."""
    point = bench.backend.snapshot()
    try:
        for batch in batches:
            bench.submit(*batch)
        return words(bench)
    finally:
        bench.backend.restore(point)


def begin(bench: Bench) -> None:
    """A first price for every underlying: what its slow price begins with is the one thing that the order decides."""
    for underlying in range(UNDERLYINGS):
        bench.submit(bench.sign(Report(underlying, START, 0, Session.REGULAR, bench.backend.timestamp())))
    bench.backend.warp(WINDOW + 1)


def test_submit__open_reports_in_any_order_and_grouping__give_the_same_words(bench: Bench) -> None:
    begin(bench)

    @given(st.data())
    def check(data: st.DataObject) -> None:
        batch = one_price_an_instant(data.draw(st.lists(drawn(bench, open_sessions), min_size=1, max_size=8)))
        signed = [bench.sign(report) for report in batch]
        shuffled = data.draw(st.permutations(signed))
        repeated = data.draw(st.lists(st.sampled_from(signed), max_size=4))
        newest = {report.underlying: report for report in sorted(batch, key=lambda report: report.observed_at)}
        latest = outcome(bench, [[item] for item in sorted(signed, key=lambda item: item.report.observed_at)])
        for underlying, word in enumerate(latest):
            report = newest.get(underlying)
            if report:
                assert (word.mid, word.time) == (report.mid, report.observed_at)
        assert outcome(bench, [shuffled]) == latest
        assert outcome(bench, [[item] for item in shuffled + repeated]) == latest

    check()


def test_submit__shut_reports_among_them__agree_on_all_but_which_open_mid(bench: Bench) -> None:
    """
    Order matters in one place: what arrives after something later is passed over. An open report cannot be the mid of a
    closure any more then, and one of a closed or unknown session makes no reopening.
    """
    begin(bench)

    @given(st.data())
    def check(data: st.DataObject) -> None:
        batch = one_price_an_instant(data.draw(st.lists(drawn(bench, any_sessions), min_size=1, max_size=8)))
        signed = [bench.sign(report) for report in batch]
        in_order = outcome(bench, [sorted(signed, key=lambda item: item.report.observed_at)])
        shuffled = outcome(bench, [data.draw(st.permutations(signed))])
        for underlying, (one, other) in enumerate(zip(in_order, shuffled, strict=True)):
            mids = {report.mid for report in batch if report.underlying == underlying and is_open(report)}
            assert {one.mid, other.mid} <= {START, *mids}
            plain, alike = (replace(w, mid=0, slow=0, flags=w.flags & ~Flag.REOPENING) for w in (one, other))
            assert plain == alike
            if one.session != Session.CLOSED:
                assert one.mid == other.mid

    check()


def test_submit__any_sequence__time_is_monotone_and_a_closed_mid_does_not_move__OR_2(bench: Bench) -> None:
    steps = st.lists(
        st.tuples(any_sessions, st.integers(1, 10**9), st.integers(0, 90), st.integers(0, WINDOW), st.booleans()),
        max_size=20,
    )

    @given(steps)
    def check(sequence: list[tuple[Session, int, int, int, bool]]) -> None:
        point = bench.backend.snapshot()
        before, last = bench.word(0), 0
        for status, price, wait, age, halted in sequence:
            bench.backend.warp(wait)
            bench.oracle.set_halt(0, halted, sender=bench.timelock)
            report = Report(0, price, 0, status, bench.backend.timestamp() - age)
            bench.submit(bench.sign(report))
            after = bench.word(0)
            assert after.time in (before.time, report.observed_at)
            assert after.time >= before.time
            if after.session == Session.CLOSED:
                assert after.mid == before.mid != 0
            newer, last = report.observed_at > last, max(last, report.observed_at)
            if not newer:
                assert (after.mid, after.session) == (before.mid, before.session)
            elif is_open(report):
                assert (after.mid, after.session) == (price, status)
            elif before.mid:
                assert after.session == Session.CLOSED
            assert after.flags & ~Flag.REOPENING == halted
            before = after
        bench.backend.restore(point)

    check()
