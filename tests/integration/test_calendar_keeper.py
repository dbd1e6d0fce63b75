"""The calendar keeper against the real oracle on a real anvil; and as a program."""

from __future__ import annotations

from datetime import datetime

import pytest
import structlog

from prime_perps.chain.anvil import Anvil
from prime_perps.keepers.calendar_keeper import CalendarKeeper
from prime_perps.sessions import DAY, NEW_YORK, coverage
from tests.integration.oracle_site import CARRIER, OWNER, OracleSite, Program

NOW = int(datetime(2026, 3, 4, 12, tzinfo=NEW_YORK).timestamp())  # a Wednesday


@pytest.fixture
def site(tmp_path):
    """The carrier posts the calendar."""
    with Anvil(timestamp=NOW) as node:
        made = OracleSite(node, tmp_path)
        made.oracle.grantRole(made.oracle.CALENDAR_ROLE(), made.carrier, sender=made.owner)
        yield made


@pytest.fixture
def told():
    with structlog.testing.capture_logs() as lines:
        yield lines


def events(told):
    return [line["event"] for line in told]


def keeper(site, **options):
    return CalendarKeeper(site.backend, site.oracle, sender=site.carrier, **options)


def test_tick__never_posted__posts_and_finds_the_chain_as_the_exchange(site, told):
    look = keeper(site).tick()
    assert (look.missing, look.extra, look.alarms) == ([], [], [])
    assert site.oracle.covered_until() == look.covered_until >= NOW + 271 * DAY
    assert events(told) == ["posting", "posted", "calendar_agrees"]
    assert told[0]["closures"][0] == "Fri 2026-03-06 20:00 to Sun 2026-03-08 20:00"


def test_tick__far_enough__posts_nothing(site, told):
    keeper(site).tick()
    keeper(site).tick()
    assert events(told).count("posted") == 1
    assert site.transactions(site.carrier) == 1


def test_tick__months_later__extends_and_misses_nothing(site):
    keeper(site).tick()
    before = site.oracle.covered_until()
    site.backend.warp(NOW + 120 * DAY)
    look = keeper(site).tick()
    assert (look.missing, look.extra, look.alarms) == ([], [], [])
    assert site.oracle.covered_until() == look.covered_until > before


def test_tick__ran_out__begins_anew(site):
    keeper(site).tick()
    site.backend.warp(NOW + 400 * DAY)
    look = keeper(site).tick()
    assert (look.missing, look.alarms) == ([], [])
    assert look.covered_until > NOW + 580 * DAY


def test_tick__posted_without_one__alarms_and_says_who_adds_it(site, told):
    closures, covered_until = coverage(NOW, 300)
    left_out = closures.pop(4)
    site.oracle.post_closures(closures, covered_until, sender=site.owner)
    look = keeper(site).tick()
    assert look.missing == [left_out]
    assert look.alarms == ["the oracle lacks 1 closures, the first Thu 2026-04-02 20:00 to Sun 2026-04-05 20:00"]
    assert [line["log_level"] for line in told if line["event"] == "closure_missing"] == ["error"]
    site.oracle.grantRole(site.oracle.GUARDIAN_ROLE(), site.owner, sender=site.owner)
    site.oracle.add_closure(left_out.start, left_out.end, sender=site.owner)
    assert keeper(site).tick().alarms == []


def test_tick__unscheduled_closure__is_told_once_and_no_alarm(site, told):
    worker = keeper(site)
    worker.tick()
    site.oracle.grantRole(site.oracle.GUARDIAN_ROLE(), site.owner, sender=site.owner)
    site.oracle.add_closure(NOW + 14 * DAY, NOW + 14 * DAY + 7_200, sender=site.owner)
    for _ in range(2):
        look = worker.tick()
    assert (len(look.extra), look.alarms) == (1, [])
    assert events(told).count("closure_unscheduled") == 1


def test_tick__no_role__posts_nothing_says_how_to_get_it_and_still_compares(site, told):
    site.oracle.revokeRole(site.oracle.CALENDAR_ROLE(), site.carrier, sender=site.owner)
    look = keeper(site).tick()
    assert "has no CALENDAR_ROLE" in look.alarms[0]
    assert "grantRole" in look.alarms[0]
    assert "covers 0 days" in look.alarms[1]
    assert events(told) == ["role_missing", "coverage_short"]
    assert site.transactions(site.carrier) == 0


def test_tick__dry_run__shows_and_sends_nothing(site, told):
    keeper(site, dry_run=True).tick()
    [line] = [line for line in told if line["event"] == "would_post"]
    assert (len(line["closures"]), line["may"]) == (40, True)
    assert site.transactions(site.carrier) == 0


@pytest.mark.parametrize(("days", "short"), [(29, True), (30, False)])
def test_tick__cannot_extend_and_under_thirty_days_left__alarms(site, days, short):
    closures, covered_until = coverage(NOW, 60)
    site.oracle.post_closures(closures, covered_until, sender=site.owner)
    site.oracle.revokeRole(site.oracle.CALENDAR_ROLE(), site.carrier, sender=site.owner)
    site.backend.warp(covered_until - days * DAY - 60)
    alarms = keeper(site).tick().alarms
    assert any("covers 29 days" in alarm for alarm in alarms) is short


# the program


@pytest.fixture
def program(site):
    """Starts the keeper with the key of the carrier, or of another; ends what is left of it."""
    running = []

    def start(*options, key=CARRIER):
        where = ("--url", site.node.url, "--deployment", str(site.manifest))
        running.append(Program("calendar", site.node.keys[key], site.folder / "calendar.log", *where, *options))
        return running[-1]

    yield start
    for one in running:
        one.kill()


def test_calendar__once__posts_and_ends(program, site):
    worker = program("--once")
    assert worker.ends() == 0, worker.told
    assert [line["event"] for line in worker.lines] == ["started", "posting", "posted", "calendar_agrees", "stopped"]
    assert site.oracle.covered_until() > NOW + 271 * DAY


def test_calendar__once_and_a_closure_missing__exit_code_1(program, site):
    closures, covered_until = coverage(NOW, 300)
    site.oracle.post_closures(closures[1:], covered_until, sender=site.owner)
    worker = program("--once")
    assert worker.ends() == 1
    assert "Error: the oracle lacks 1 closures" in worker.told


def test_calendar__until_told_to_end__ends_with_0(program, site):
    worker = program(key=OWNER)
    worker.says("calendar_agrees")
    assert worker.stop() == 0
