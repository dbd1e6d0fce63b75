"""take: of an underlying no more is sold in a window of open time than the throttle has room for."""

from __future__ import annotations

import pytest

from prime_perps.chain.contract import Contract
from prime_perps.errors import Revert
from prime_perps.reports import Session
from prime_perps.sessions import RAMP
from prime_perps.units import BPS, WAD, wad
from tests.stage import AN_HOUR, account, address

from .conftest import FALLEN_TO, Auctions

CAP = 100_000  # USD a minute: a basis point of the depth of the exchange
BURST = CAP // 2
UNLIMITED = 2**256 - 1
OTHER = 128  # a further issuer's token
DUST = 10**12  # wad: sizes are cut at a nano
REOPENING = 121  # seconds after it opens, until prices of an exchange are not in doubt


@pytest.fixture
def throttled(auctions: Auctions) -> Auctions:
    """Buckets of 100,000 USD a minute, of which 50,000 at once; a holder of 10,000 SPY at 100 needs 100,000."""
    set_terms(auctions, throttle_interest=0, throttle_depth=1)
    return auctions


def set_terms(auctions: Auctions, **fields: int) -> None:
    terms = auctions.engine.terms()._replace(**fields)
    auctions.engine.set_terms(terms, sender=auctions.timelock)


def sold(auctions: Auctions, **how: object) -> int:
    """Take all that can be; wad USD of exposure moved."""
    role = str(how.get("role", "holder"))
    before = auctions.stage.position(role, "SPY").size
    auctions.take(**how)  # type: ignore[arg-type]
    return (before - auctions.stage.position(role, "SPY").size) * FALLEN_TO * 10**9


def bucket(auctions: Auctions) -> tuple[int, int, int]:
    cap, level, room = auctions.engine.throttle(auctions.stage.id("SPY"))
    return cap, level, room


def test_take_throttled__more_than_there_is_room_for__is_cut_down(throttled: Auctions) -> None:
    throttled.distress("80000", "100000")
    quote = throttled.quote()
    assert (quote.fraction, quote.throttled) == (WAD * BURST // 1_000_000, True)
    fields = throttled.one("Slice", throttled.take())
    assert (fields["fraction"], fields["payment"]) == (quote.fraction, quote.payment)
    assert bucket(throttled) == (wad(CAP), wad(BURST), 0)


def test_take_throttled__no_room_left__reverts_and_quotes_nothing(throttled: Auctions) -> None:
    throttled.distress("80000", "100000")
    throttled.take()
    quote = throttled.quote()
    assert (quote.fraction, quote.payment, quote.throttled) == (0, 0, True)
    with pytest.raises(Revert, match=r"^engine: throttled$"):
        throttled.take()


def test_take_throttled__less_room_than_the_smallest_slice_needs__reverts(throttled: Auctions) -> None:
    """500 of margin is 5,000 of exposure, six seconds' worth; there it is rounded down."""
    throttled.distress("80000", "100000")
    throttled.take()
    throttled.wait(5)
    with pytest.raises(Revert, match=r"^engine: throttled$"):
        throttled.take()
    throttled.wait(2)
    assert sold(throttled) == pytest.approx(wad(BURST) * 7 // 60, abs=DUST)


@pytest.mark.parametrize("seconds", [12, 30, 60, 600])
def test_take_throttled__time_passes__half_of_the_cap_leaks_in_a_window(throttled: Auctions, seconds: int) -> None:
    throttled.distress("80000", "100000")
    throttled.take()
    throttled.wait(seconds)
    assert sold(throttled) == pytest.approx(wad(BURST) * min(seconds, 60) // 60, abs=DUST)


def test_take_throttled__another_account__has_what_is_left_of_the_same_bucket(throttled: Auctions) -> None:
    throttled.distress("80000", "100000")
    throttled.distress("80000", "100000", role="taker")
    throttled.take(WAD * 3 // 100)
    assert sold(throttled, role="taker", keeper="rival") == wad(BURST - 30_000)


def test_take_throttled__small_account__is_taken_whole_and_not_counted(throttled: Auctions) -> None:
    throttled.distress("80000", "100000")
    throttled.distress("1500", "1999", role="taker")
    throttled.take()
    before = bucket(throttled)
    assert sold(throttled, role="taker") == wad(19_990)
    assert bucket(throttled) == before


def test_take_throttled__no_equity__is_taken_whole_and_not_counted(throttled: Auctions) -> None:
    throttled.distress("-1", "100000")
    assert sold(throttled) == wad(1_000_000)
    assert bucket(throttled)[1] == 0


def test_take_throttled__smallest_slice_beyond_an_empty_bucket__goes_through_and_leaks_out_first(
    throttled: Auctions,
) -> None:
    throttled.distress("80000", "100000")
    set_terms(throttled, smallest_slice=wad(20_000))
    assert sold(throttled) == wad(200_000)
    assert bucket(throttled) == (wad(CAP), wad(200_000), 0)
    # 200,000 leak out in four minutes, and nothing goes through before
    throttled.attend(239)
    with pytest.raises(Revert, match=r"^engine: throttled$"):
        throttled.take()
    throttled.wait(1)
    assert sold(throttled) > 0


def test_take_throttled__much_open_interest__raises_the_cap(throttled: Auctions) -> None:
    throttled.distress("80000", "100000")
    set_terms(throttled, throttle_interest=4_000)
    # 10,000 units at 100 are open
    assert bucket(throttled)[0] == wad(400_000)
    assert sold(throttled) == wad(200_000)
    # and what was netted away no longer counts: the keeper holds what it took
    assert bucket(throttled)[0] == wad(400_000)


def test_take_throttled__hedged_exposure__is_not_counted(throttled: Auctions) -> None:
    """Nobody has to trade a token and its short away."""
    throttled.distress("80000", "100000")
    stage = throttled.stage
    stage.fund("taker", "1000000")
    stage.fund_stock("holder", "AAPL", "100")
    stage.trade("taker", "holder", "AAPL", "-100")
    assert stage.margin("holder").equity == wad(80_000 + 15_000)
    throttled.take()
    assert throttled.engine.throttle(stage.id("AAPL")).level == 0


def test_take_throttled__further_issuers_token__counts_as_the_units_it_stands_for(throttled: Auctions) -> None:
    """100 tokens of 1.25 AAPL, 75 of them hedged: 50 units at 150."""
    stage, system, apple = throttled.stage, throttled.stage.system, throttled.stage.id("AAPL")
    token = Contract.deploy(stage.backend, "SilentToken", sender=address("deployer"))
    stage.govern(system.configurator.list_other_token, OTHER, apple, wad("1.25"))
    stage.govern(system.vault.list_asset, OTHER, token, 10**12)
    throttled.distress("60000", "100000")
    token.mint(address("holder"), 100 * 10 ** token.decimals(), sender=address("deployer"))
    token.approve(system.vault, UNLIMITED, sender=address("holder"))
    stage.fund("taker", "1000000")
    system.vault.deposit(account("holder"), OTHER, 100 * 10 ** token.decimals(), sender=address("holder"))
    stage.trade("taker", "holder", "AAPL", "-75")
    fields = throttled.one("Slice", throttled.take(WAD // 50))
    assert fields["fraction"] == WAD // 50
    assert throttled.engine.throttle(apple).level == wad(50) * 150 // 50


def test_take_throttled__several_lines__the_tightest_decides(throttled: Auctions) -> None:
    stage = throttled.stage
    throttled.distress("350000", "100000")
    stage.trade("maker", "holder", "AAPL", "-10000")
    stage.publish(AAPL="160")
    stage.settle_slow_prices()
    margin = stage.margin("holder")
    assert (margin.equity, margin.maintenance) == (wad(250_000), wad(260_000))
    fraction = throttled.quote().fraction
    # 1,600,000 of AAPL
    assert fraction == WAD * BURST // 1_600_000
    throttled.take()
    assert throttled.engine.throttle(stage.id("AAPL")).level == pytest.approx(wad(BURST), abs=10**7)
    assert bucket(throttled)[1] == pytest.approx(wad(1_000_000) * BURST // 1_600_000, abs=10**7)


def test_take_throttled__frozen_line__neither_fills_nor_holds_up__OR_1(throttled: Auctions) -> None:
    stage = throttled.stage
    throttled.distress("60000", "100000")
    stage.fund_stock("holder", "AAPL", "100")
    stage.sessions["AAPL"] = Session.CLOSED
    stage.publish()
    throttled.take()
    cap, level, room = throttled.engine.throttle(stage.id("AAPL"))
    assert (cap, level, room) == (wad(CAP), 0, UNLIMITED)
    assert bucket(throttled)[1] > 0


def test_take_throttled__nothing_known_of_a_market__is_no_limit(throttled: Auctions) -> None:
    set_terms(throttled, throttle_interest=0, throttle_depth=0)
    throttled.distress("80000", "100000")
    assert bucket(throttled) == (0, 0, UNLIMITED)
    assert not throttled.quote().throttled
    throttled.take()


@pytest.mark.parametrize(("before", "after"), [(0, 0), (15, 0), (0, 20), (15, 20), (0, 60)])
def test_take_throttled__over_a_closure__only_open_time_leaks(throttled: Auctions, before: int, after: int) -> None:
    """Filled `before` seconds before the exchange shuts, and looked at `after` seconds after its prices count again."""
    stage = throttled.stage
    start = stage.now() + RAMP + 60 * AN_HOUR
    end = start + 48 * AN_HOUR
    stage.oracle.add_closure(start, end, sender=address("guardian"))
    throttled.distress("80000", "100000")
    stage.warp(start - before - 2 - stage.now())
    stage.publish()
    throttled.take()
    level = bucket(throttled)[1]
    assert level == wad(BURST)
    stage.warp(end - stage.now())
    stage.publish()
    stage.warp(end + REOPENING - 1 - stage.now())
    stage.publish()
    stage.warp(after)
    # a second before the closure and one after the reopening are open as well
    assert bucket(throttled)[1] == max(level - wad(BURST) * (before + 1 + after + 1) // 60, 0)


def test_take_throttled__account_is_none_of_the_takers__checks_come_before_the_bucket(throttled: Auctions) -> None:
    throttled.distress("80000", "100000")
    with pytest.raises(Revert, match=r"^accounts: not authorized$"):
        throttled.engine.take(
            account("holder"), account("rival"), WAD, WAD, throttled.state(), sender=throttled.timelock
        )
    assert bucket(throttled)[1] == 0


def test_take_throttled__insurance_share__is_taken_from_the_takers_gain__LQ_1(auctions: Auctions) -> None:
    set_terms(auctions, insurance_share=1_000)
    auctions.distress("8000", "10000")
    insured, keeper = auctions.cash(auctions.insurance), auctions.stage.margin("keeper").equity
    fields = auctions.one("Slice", auctions.take())
    worth = wad(8_000) * fields["fraction"] // WAD
    gain = worth - fields["payment"]
    assert fields["fee"] == gain * 1_000 // BPS
    assert auctions.cash(auctions.insurance) - insured == pytest.approx(fields["fee"], abs=2)
    assert auctions.stage.margin("holder").equity == pytest.approx(wad(8_000) - gain, abs=DUST)
    assert auctions.stage.margin("keeper").equity - keeper == pytest.approx(gain - fields["fee"], abs=DUST)
