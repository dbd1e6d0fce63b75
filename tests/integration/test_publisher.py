"""The price publisher and the replay, against the real oracle on a real anvil."""

from __future__ import annotations

from dataclasses import astuple
from datetime import date
from decimal import Decimal
from itertools import pairwise

import pytest

from prime_perps import history
from prime_perps.chain import Contract
from prime_perps.chain.anvil import Anvil
from prime_perps.chain.rpc import RpcBackend
from prime_perps.errors import PrimePerpsError, Revert
from prime_perps.history import Tick
from prime_perps.keepers.publisher import WEEK, Publisher, Replay, is_long_pause, weeks_to_pass
from prime_perps.keepers.report_signer import ReportSigner, SecondPrice
from prime_perps.reports import DEFAULT_LIMITS, Feed, Session, Source, Word

THRESHOLD = 2
SIGNERS = (1, 2, 3)
AAPL, IBM = 0, 1
TUESDAY = 1_220_362_200  # 2 September 2008 was a Tuesday, 09:30 in New York


@pytest.fixture
def node():
    with Anvil(timestamp=TUESDAY - 3_600) as running:
        yield running


@pytest.fixture
def backend(node):
    return RpcBackend(node.url, node.keys)


@pytest.fixture
def oracle(backend, node):
    owner = node.addresses[0]
    adapter = Contract.deploy(backend, "OracleAdapter", THRESHOLD, astuple(DEFAULT_LIMITS), sender=owner)
    adapter.grantRole(adapter.TIMELOCK_ROLE(), owner, sender=owner)
    for signer in SIGNERS:
        adapter.set_signer(node.addresses[signer], True, sender=owner)
    for underlying in (AAPL, IBM):
        adapter.set_feed(underlying, Feed(Source.REPORTS), sender=owner)
    return adapter


@pytest.fixture
def signers(node, backend, oracle):
    return [ReportSigner(node.keys[signer], backend.chain_id(), oracle.address) for signer in SIGNERS]


@pytest.fixture
def publisher(oracle, signers, node):
    return Publisher(oracle, signers, THRESHOLD, node.addresses[0])


def stored(oracle, underlying):
    return Word.unpack(oracle.word(underlying))


def test_publish__signed_by_the_threshold__writes_the_word(publisher, oracle, backend):
    now = backend.timestamp()
    publisher.publish({AAPL: Decimal("172.4"), IBM: Decimal("122.8700000019")}, now, Session.REGULAR)
    word = stored(oracle, AAPL)
    assert (word.mid, word.time, word.session) == (17_240_000_000, now, Session.REGULAR)
    assert stored(oracle, IBM).mid == 12_287_000_000


def test_publish__same_again__changes_nothing(publisher, oracle, backend):
    now = backend.timestamp()
    for _ in range(2):
        publisher.publish({AAPL: Decimal(172)}, now, Session.REGULAR)
    assert stored(oracle, AAPL).time == now


def test_publish__second_price_for_the_instant__is_refused_by_the_signers(publisher, oracle, backend):
    now = backend.timestamp()
    publisher.publish({AAPL: Decimal(172)}, now, Session.REGULAR)
    with pytest.raises(SecondPrice):
        publisher.publish({AAPL: Decimal(171)}, now, Session.REGULAR)
    assert stored(oracle, AAPL).mid == 17_200_000_000


def test_publish__price_from_the_future__raises_the_oracles_reason(publisher, backend):
    with pytest.raises(Revert, match="oracle: report from the future"):
        publisher.publish({AAPL: Decimal(172)}, backend.timestamp() + 1_000, Session.REGULAR)


def test_publisher__fewer_signers_than_the_threshold__is_refused(oracle, signers, node):
    with pytest.raises(PrimePerpsError, match="asks for 2 signers of each report, there are 1"):
        Publisher(oracle, signers[:1], THRESHOLD, node.addresses[0])


def replayed(backend, publisher, ticks):
    for moment in Replay(backend, publisher, {"AAPL": AAPL}).run(ticks):
        yield moment, backend.timestamp()


def ticks_of(*instants):
    return [Tick(time, day, "open", {"AAPL": Decimal(100 + place)}) for place, (time, day) in enumerate(instants)]


def test_run__two_days__prices_are_fresh_at_their_own_instants(backend, publisher, oracle):
    day = 86_400
    ticks = ticks_of((TUESDAY, date(2008, 9, 2)), (TUESDAY + day, date(2008, 9, 3)))
    seen = []
    for moment, now in replayed(backend, publisher, ticks):
        word = stored(oracle, AAPL)
        seen.append((word.mid // 10**8, word.session))
        if moment.session is Session.REGULAR:
            assert moment.time == moment.tick.time == word.time
        assert 0 <= now - word.time <= 30
    # The night between two trading days is left to age; the end of the history closes the exchange.
    assert seen == [(100, Session.REGULAR), (101, Session.REGULAR), (101, Session.CLOSED)]


def test_run__weekend__the_exchange_is_reported_closed(backend, publisher, oracle):
    friday, monday = TUESDAY + 3 * 86_400, TUESDAY + 6 * 86_400
    sessions = [
        moment.session
        for moment, _ in replayed(backend, publisher, ticks_of((friday, date(2008, 9, 5)), (monday, date(2008, 9, 8))))
    ]
    assert sessions == [Session.REGULAR, Session.CLOSED, Session.REGULAR, Session.CLOSED]


def test_run__chain_in_the_future__moves_the_history_by_full_weeks(backend, publisher):
    backend.warp(TUESDAY + 10 * 86_400)
    moments = [moment for moment, _ in replayed(backend, publisher, ticks_of((TUESDAY, date(2008, 9, 2))))]
    assert moments[0].time == TUESDAY + 2 * WEEK


@pytest.mark.parametrize(("first", "now", "weeks"), [(100, 0, 0), (100, 99, 0), (100, 100, 1), (100, 100 + WEEK, 2)])
def test_weeks_to_pass__boundary__is_always_later(first, now, weeks):
    assert weeks_to_pass(first, now) == weeks * WEEK


def test_is_long_pause__friday_to_monday_and_holidays__are():
    assert is_long_pause(date(2008, 9, 5), date(2008, 9, 8))
    assert is_long_pause(date(2008, 11, 26), date(2008, 11, 28))
    assert not is_long_pause(date(2008, 9, 2), date(2008, 9, 3))


def test_history__whole_autumn__closes_for_twelve_weekends_and_thanksgiving():
    days = [bar.day for bar in history.daily_bars(("IBM",))["IBM"]]
    pauses = [following for day, following in pairwise(days) if is_long_pause(day, following)]
    assert len(pauses) == 13
