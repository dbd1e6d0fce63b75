"""take: a keeper buys a slice of everything an unhealthy account has. Accounts with equity; for those without, see
test_take_insolvent."""

from __future__ import annotations

from fractions import Fraction

import pytest

from prime_perps.accounts import CASH, Permission, token
from prime_perps.errors import Revert
from prime_perps.units import WAD, wad
from tests.stage import account, address

from .conftest import Auctions

# E 8,000, MM 10,000, pi .95, h* 1.1: (11,000 - 8,000) / (11,000 - .05 x 8,000)
VECTOR = Fraction(3_000, 10_600)
AT_95 = 100  # seconds until the price has fallen from .98 to .95
DUST = 10**11  # wad; a slice cuts sizes at 1e-9 units, of 100 USD each

HOLDER = account("holder")
KEEPER = account("keeper")


def test_take__the_worked_vector__moves_28_30_percent_for_95_percent_of_its_equity(auctions: Auctions) -> None:
    auctions.distress("8000", "10000")
    auctions.start()
    auctions.wait(AT_95)
    before = auctions.cash(KEEPER)
    receipt = auctions.take()

    fraction = WAD * VECTOR.numerator // VECTOR.denominator
    payment = -(-wad("0.95") * fraction * wad(8_000) // WAD**2)
    assert auctions.one("Slice", receipt) == {
        "account": HOLDER,
        "liquidator": KEEPER,
        "fraction": fraction,
        "price": wad("0.95"),
        "payment": payment,
        "fee": 0,
        "reward": 0,
        "equity": wad(8_000),
        "maintenance": wad(10_000),
    }
    assert round(Fraction(fraction, WAD), 4) == Fraction("0.2830")
    # the holder deposited 33,000 for 1,000 SPY bought at 125,000
    assert auctions.cash(KEEPER) == before + wad(33_000) * fraction // WAD - payment
    assert auctions.stage.position("keeper", "SPY").size == 1_000 * 10**9 * fraction // WAD

    margin = auctions.stage.margin("holder")
    assert margin.equity == pytest.approx(int(wad(8_000) * (1 - VECTOR * Fraction(5, 100))), abs=DUST)
    assert margin.maintenance == pytest.approx(int(wad(10_000) * (1 - VECTOR)), abs=DUST)
    assert Fraction(margin.equity, margin.maintenance) == pytest.approx(Fraction(11, 10), abs=1e-9)


def test_take__hedged_account__moves_every_leg_by_the_same_fraction(auctions: Auctions) -> None:
    stage = auctions.stage
    stage.publish(AAPL="100", SPY="125")
    stage.fund("holder", "16000")
    stage.fund_stock("holder", "AAPL", "500")
    stage.trade("maker", "holder", "AAPL", "-300")
    stage.trade("maker", "holder", "SPY", "2000")
    stage.publish(SPY="100")
    stage.settle_slow_prices()

    # 200 AAPL and 2,000 SPY net, which have lost 50,000
    before = stage.margin("holder")
    assert (before.equity, before.maintenance) == (wad(16_000), wad(22_000))
    apple, cash, quote = stage.position("holder", "AAPL"), before.cash, before.quote
    spy = stage.position("holder", "SPY")
    receipt = auctions.take(max_price=wad("0.98"))
    fraction, payment = (auctions.one("Slice", receipt)[name] for name in ("fraction", "payment"))

    left, keeper = stage.position("holder", "AAPL"), stage.position("keeper", "AAPL")
    assert keeper.token == apple.token * fraction // WAD
    assert keeper.size == -(-apple.size * fraction // WAD)
    assert left.token + keeper.token == apple.token
    assert left.size + keeper.size == apple.size
    assert stage.position("keeper", "SPY").size == spy.size * fraction // WAD
    money = stage.money("holder")
    assert money.cash == pytest.approx(cash * (WAD - fraction) // WAD + payment, abs=2)
    assert money.quote == pytest.approx(quote * (WAD - fraction) // WAD, abs=2)


def test_take__no_auction_yet__starts_one_at_98(auctions: Auctions) -> None:
    auctions.distress("8000", "10000")
    receipt = auctions.take(WAD // 10)
    assert auctions.one("Slice", receipt)["price"] == wad("0.98")
    assert auctions.auction() == (auctions.stage.now(), 0, auctions.stage.now())


def test_take__no_auction_yet_and_healthy_afterwards__leaves_none(auctions: Auctions) -> None:
    auctions.distress("8000", "10000")
    assert auctions.names(auctions.take()) == ["Slice"]
    assert auctions.auction() == (0, 0, 0)


def test_take__auction_lapsed__starts_again_at_98(auctions: Auctions) -> None:
    auctions.distress("8000", "10000")
    auctions.start()
    auctions.wait(301)
    receipt = auctions.take(WAD // 10)
    assert auctions.one("Slice", receipt)["price"] == wad("0.98")
    assert auctions.auction() == (auctions.stage.now(), 0, auctions.stage.now())


def test_take__unseen_for_a_lapse_exactly__goes_on_at_89(auctions: Auctions) -> None:
    auctions.distress("8000", "10000")
    auctions.start()
    started = auctions.stage.now()
    auctions.wait(300)
    receipt = auctions.take(WAD // 10)
    assert auctions.one("Slice", receipt)["price"] == wad("0.89")
    assert auctions.auction() == (started, 0, started + 300)


def test_take__slices_alone__keep_the_auction_alive(auctions: Auctions) -> None:
    auctions.distress("8000", "10000")
    auctions.take(WAD // 10)
    auctions.wait(300)
    auctions.take(WAD // 10)
    auctions.wait(300)
    receipt = auctions.take(WAD // 10)
    assert auctions.one("Slice", receipt)["price"] == wad("0.80")


def test_take__refused__does_not_keep_the_auction_alive(auctions: Auctions) -> None:
    auctions.distress("8000", "10000")
    auctions.start()
    seen = auctions.auction().seen_at
    auctions.wait(200)
    with pytest.raises(Revert, match=r"^engine: slice too small$"):
        auctions.take(1)
    assert auctions.auction().seen_at == seen


def test_take__less_than_allowed__takes_it_and_the_price_goes_on_falling(auctions: Auctions) -> None:
    auctions.distress("8000", "10000")
    auctions.start()
    started = auctions.stage.now()
    receipt = auctions.take(WAD // 10)
    assert auctions.one("Slice", receipt)["fraction"] == WAD // 10
    assert auctions.auction().started_at == started
    auctions.attend(600)
    receipt = auctions.take(WAD // 10, keeper="rival")
    assert auctions.one("Slice", receipt)["price"] == wad("0.80")


def test_take__several_keepers__share_the_account_until_it_is_healthy(auctions: Auctions) -> None:
    auctions.distress("8000", "10000")
    auctions.take(WAD // 10)
    auctions.take(WAD // 10, keeper="rival")
    receipt = auctions.take()
    margin = auctions.stage.margin("holder")
    assert Fraction(margin.equity, margin.maintenance) == pytest.approx(Fraction(11, 10), abs=1e-9)
    assert auctions.names(receipt) == ["AuctionEnded", "Slice"]
    with pytest.raises(Revert, match=r"^engine: healthy$"):
        auctions.take()


def test_take__health_back_above_one_but_below_target__ends_the_auction(auctions: Auctions) -> None:
    auctions.distress("9900", "10000")
    auctions.start()
    receipt = auctions.take(WAD // 20)
    assert auctions.names(receipt) == ["AuctionEnded", "Slice"]
    assert auctions.auction() == (0, 0, 0)
    margin = auctions.stage.margin("holder")
    assert 1 < Fraction(margin.equity, margin.maintenance) < Fraction(11, 10)


def test_take__nothing_to_pay_at_price_zero__leaves_health_as_it_was__LQ_1(auctions: Auctions) -> None:
    auctions.distress("8000", "10000")
    auctions.start()
    auctions.attend(4_200)
    receipt = auctions.take(WAD // 2)
    assert auctions.one("Slice", receipt)["payment"] == 0
    margin = auctions.stage.margin("holder")
    assert margin.equity == pytest.approx(wad(4_000), abs=DUST)
    assert margin.maintenance == pytest.approx(wad(5_000), abs=DUST)


def test_take__no_equity_at_all__is_taken_whole_for_nothing(auctions: Auctions) -> None:
    auctions.distress("0", "10000")
    receipt = auctions.take()
    fields = auctions.one("Slice", receipt)
    assert (fields["fraction"], fields["payment"], fields["reward"]) == (WAD, 0, 0)
    assert auctions.book.holdings(HOLDER) == (0, 0)
    assert auctions.stage.money("holder") == (0, 0)


# small accounts


def test_take__maintenance_below_2000__takes_the_account_whole(auctions: Auctions) -> None:
    auctions.distress("1500", "1999")
    receipt = auctions.take()
    fields = auctions.one("Slice", receipt)
    assert (fields["fraction"], fields["payment"]) == (WAD, wad(1_470))
    assert auctions.book.holdings(HOLDER) == (0, 0)
    assert auctions.stage.money("holder") == (wad(1_470), 0)


def test_take__maintenance_of_2000__takes_no_more_than_the_target_needs(auctions: Auctions) -> None:
    auctions.distress("1500", "2000")
    needed = (2_200 - Fraction(1_500)) / (2_200 - Fraction(2, 100) * 1_500)
    receipt = auctions.take()
    assert auctions.one("Slice", receipt)["fraction"] == WAD * needed.numerator // needed.denominator


def test_take__small_account_in_parts__takes_what_is_asked(auctions: Auctions) -> None:
    auctions.distress("1500", "1999")
    receipt = auctions.take(WAD // 2)
    assert auctions.one("Slice", receipt)["fraction"] == WAD // 2


def test_take__smallest_slice__500_of_maintenance_is_enough(auctions: Auctions) -> None:
    auctions.distress("8000", "10000")
    auctions.take(WAD // 20)
    assert auctions.stage.margin("holder").maintenance == pytest.approx(wad(9_500), abs=DUST)


@pytest.mark.parametrize("fraction", [0, 1, WAD // 20 - 1])
def test_take__smaller_than_the_smallest_slice__reverts(auctions: Auctions, fraction: int) -> None:
    auctions.distress("8000", "10000")
    with pytest.raises(Revert, match=r"^engine: slice too small$"):
        auctions.take(fraction)


def test_take__nothing_of_a_small_account__reverts(auctions: Auctions) -> None:
    auctions.distress("1500", "1999")
    with pytest.raises(Revert, match=r"^engine: slice too small$"):
        auctions.take(0)


def test_take__all_that_the_target_allows_is_below_500__takes_it(auctions: Auctions) -> None:
    """What an account a little under water needs is small; it must not wait for a price that makes it large."""
    auctions.distress("2450", "2500")
    allowed = auctions.quote().fraction
    assert allowed * 2_500 < 500 * WAD
    receipt = auctions.take()
    assert auctions.one("Slice", receipt)["fraction"] == allowed


def test_take__a_little_less_than_a_target_below_500_allows__reverts(auctions: Auctions) -> None:
    auctions.distress("2450", "2500")
    with pytest.raises(Revert, match=r"^engine: slice too small$"):
        auctions.take(auctions.quote().fraction - 1)


def test_take__all_of_an_account_of_less_than_500__takes_it(auctions: Auctions) -> None:
    auctions.distress("400", "499")
    assert auctions.one("Slice", auctions.take())["fraction"] == WAD
    assert auctions.stage.money("holder") == (wad(392), 0)


def test_take__part_of_an_account_of_less_than_500__reverts(auctions: Auctions) -> None:
    """Dust in parts would cost every rival a state change for next to nothing."""
    auctions.distress("400", "499")
    with pytest.raises(Revert, match=r"^engine: slice too small$"):
        auctions.take(WAD - 1)


# what a keeper guards himself with


def test_take__price_at_the_limit__takes(auctions: Auctions) -> None:
    auctions.distress("8000", "10000")
    auctions.start()
    auctions.wait(AT_95)
    auctions.take(max_price=wad("0.95"))


def test_take__price_above_the_limit__reverts(auctions: Auctions) -> None:
    auctions.distress("8000", "10000")
    auctions.start()
    auctions.wait(AT_95)
    with pytest.raises(Revert, match=r"^engine: price above limit$"):
        auctions.take(max_price=wad("0.95") - 1)


def test_take__account_traded_since__reverts(auctions: Auctions) -> None:
    auctions.distress("8000", "10000")
    known = auctions.state()
    # a hundredth of its maintenance margin is the least an unhealthy account may shed
    auctions.stage.trade("maker", "holder", "SPY", "-10")
    with pytest.raises(Revert, match=r"^engine: state changed$"):
        auctions.take(state=known)


def test_take__rival_was_first__reverts(auctions: Auctions) -> None:
    auctions.distress("8000", "10000")
    known = auctions.state()
    auctions.take(WAD // 10, keeper="rival")
    with pytest.raises(Revert, match=r"^engine: state changed$"):
        auctions.take(state=known)


def test_take__somebody_settled_or_deposited_a_little__takes(auctions: Auctions) -> None:
    auctions.distress("8000", "10000")
    known = auctions.state()
    auctions.book.settle(HOLDER, sender=address("attacker"))
    auctions.stage.fund("holder", "0.000001")
    auctions.take(state=known)


# who may take, into what


def test_take__into_the_account_itself__reverts(auctions: Auctions) -> None:
    auctions.distress("8000", "10000")
    with pytest.raises(Revert, match=r"^engine: own account$"):
        auctions.engine.take(HOLDER, HOLDER, WAD, WAD, auctions.state(), sender=address("holder"))


def test_take__into_another_account_of_the_owner__takes(auctions: Auctions) -> None:
    auctions.distress("8000", "10000")
    auctions.stage.fund("holder", "50000", sub=1)
    sub = account("holder", 1)
    auctions.engine.take(HOLDER, sub, WAD, WAD, auctions.state(), sender=address("holder"))
    assert auctions.book.position(sub, auctions.stage.id("SPY")).size > 0


def test_take__into_somebody_elses_account__reverts(auctions: Auctions) -> None:
    auctions.distress("8000", "10000")
    with pytest.raises(Revert, match=r"^accounts: not authorized$"):
        auctions.engine.take(HOLDER, KEEPER, WAD, WAD, auctions.state(), sender=address("attacker"))


@pytest.mark.parametrize("permission", list(Permission))
def test_take__operator__needs_the_liquidate_permission(auctions: Auctions, permission: Permission) -> None:
    auctions.distress("8000", "10000")
    expiry = auctions.stage.now()
    auctions.stage.system.operators.set_operator(
        KEEPER, address("operator"), permission, expiry, sender=address("keeper")
    )
    arguments = (HOLDER, KEEPER, WAD, WAD, auctions.state())
    if permission == Permission.LIQUIDATE:
        with auctions.stage.undone():
            auctions.engine.take(*arguments, sender=address("operator"))
        auctions.stage.warp(1)
    with pytest.raises(Revert, match=r"^accounts: not authorized$"):
        auctions.engine.take(*arguments, sender=address("operator"))


def test_take__keeper_without_initial_margin__reverts__CH_4(auctions: Auctions) -> None:
    """The slice brings 8,000 f of equity and 13,333 f of initial margin, less what is paid for it."""
    auctions.distress("8000", "10000")
    fraction = auctions.quote().fraction
    short = Fraction(fraction, WAD) * (Fraction(40_000, 3) - 8_000 + Fraction(98, 100) * 8_000)
    enough = str(int(short) + 1)
    with auctions.stage.undone():
        auctions.stage.fund("small", enough)
        auctions.take(keeper="small")
    auctions.stage.fund("small", str(int(short)))
    with pytest.raises(Revert, match=r"^risk: below initial$"):
        auctions.take(keeper="small")


def test_take__protected_insurance__reverts(auctions: Auctions) -> None:
    auctions.without_cash("maker", "keeper", "rival")
    auctions.distress("-5000", "10000")
    auctions.take()
    state = auctions.book.state_counter(auctions.insurance)
    with pytest.raises(Revert, match=r"^engine: protected account$"):
        auctions.engine.take(auctions.insurance, KEEPER, WAD, WAD, state, sender=address("keeper"))


# when nothing is sold


def test_take__healthy__reverts(auctions: Auctions) -> None:
    auctions.distress("10000", "10000")
    with pytest.raises(Revert, match=r"^engine: healthy$"):
        auctions.take()


def test_take__stale_price_in_doubt__reverts_until_it_is_renewed(auctions: Auctions) -> None:
    auctions.distress("9950", "10000")
    auctions.start()
    auctions.stage.warp(60 + 120)
    with pytest.raises(Revert, match=r"^engine: healthy$"):
        auctions.take()
    auctions.stage.publish()
    auctions.take()


def test_take__liquidation_paused__reverts(auctions: Auctions) -> None:
    auctions.distress("8000", "10000")
    auctions.start()
    auctions.stage.system.configurator.set_paused(4, sender=address("guardian"))
    with pytest.raises(Revert, match=r"^settings: paused$"):
        auctions.take()


def test_take__trading_and_withdrawals_paused__takes(auctions: Auctions) -> None:
    auctions.distress("8000", "10000")
    auctions.stage.system.configurator.set_paused(3, sender=address("guardian"))
    auctions.take()


def test_take__halted_and_in_doubt__reverts__OR_2(auctions: Auctions) -> None:
    auctions.distress("8000", "10000")
    auctions.start()
    auctions.stage.system.oracle.set_halt(auctions.stage.id("SPY"), True, sender=address("guardian"))
    with pytest.raises(Revert, match=r"^engine: healthy$"):
        auctions.take()


def test_take__halted_and_insolvent_beyond_doubt__takes(auctions: Auctions) -> None:
    """A slice is no trade: it needs no open market, and it never grows the open interest."""
    auctions.insure("20000")
    auctions.distress("-10001", "10000")
    spy = auctions.stage.id("SPY")
    auctions.stage.system.oracle.set_halt(spy, True, sender=address("guardian"))
    before = auctions.book.market(spy).open_interest
    receipt = auctions.take()
    assert auctions.one("Slice", receipt)["equity"] == -wad(10_001)
    assert auctions.book.market(spy).open_interest == before


def test_take__keeper_is_short__shrinks_the_open_interest__CH_1(auctions: Auctions) -> None:
    spy = auctions.stage.id("SPY")
    auctions.stage.trade("maker", "keeper", "SPY", "-100")
    auctions.distress("8000", "10000")
    before = auctions.book.market(spy).open_interest
    taken = auctions.stage.position("holder", "SPY").size
    auctions.take()
    taken -= auctions.stage.position("holder", "SPY").size
    netted = min(taken, 100 * 10**9)
    assert auctions.book.market(spy).open_interest == before - netted


def test_take__tokens__stay_in_the_safe__CH_3(auctions: Auctions) -> None:
    stage, apple = auctions.stage, auctions.stage.id("AAPL")
    stage.fund_stock("holder", "AAPL", "100")
    stage.withdraw("holder", "12000")
    stage.publish(AAPL="125")
    before = stage.system.vault.asset(token(apple)).booked
    cash_before = stage.system.vault.asset(CASH).booked
    auctions.take()
    held = sum(int(auctions.book.holding(who, token(apple))) for who in (HOLDER, KEEPER))
    assert held == before == stage.system.vault.asset(token(apple)).booked
    assert cash_before == stage.system.vault.asset(CASH).booked
