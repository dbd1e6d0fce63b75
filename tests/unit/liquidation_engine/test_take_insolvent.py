"""take, when equity is negative: insurance pays the loss of the slice, and out of what is left a reward that rises."""

from __future__ import annotations

import pytest

from prime_perps.errors import Revert
from prime_perps.units import WAD, wad
from tests.stage import account

from .conftest import Auctions

HOLDER = account("holder")
KEEPER = account("keeper")
DUST = 10**11  # wad; a slice cuts sizes at 1e-9 units, of 100 USD each
ROUNDING = 10**6  # wei that are taken beyond a loss


def test_take_insolvent__whole_account__keeper_gets_its_loss_from_insurance__LQ_2(auctions: Auctions) -> None:
    auctions.insure("20000")
    auctions.distress("-5000", "10000")
    worth = auctions.stage.margin("keeper").equity
    receipt = auctions.take(max_price=0)

    assert auctions.one("Slice", receipt) == {
        "account": HOLDER,
        "liquidator": KEEPER,
        "fraction": WAD,
        "price": 0,
        "payment": 0,
        "fee": 0,
        "reward": wad(5_000),
        "equity": -wad(5_000),
        "maintenance": wad(10_000),
    }
    expected = {"account": HOLDER, "loss": wad(5_000), "socialised": 0, "insurance_after": wad(15_000)}
    assert auctions.one("LossRecorded", receipt) == expected
    assert auctions.cash(auctions.insurance) == wad(15_000)
    assert auctions.stage.margin("keeper").equity == worth
    assert auctions.stage.margin("holder").equity == 0
    assert auctions.book.holdings(HOLDER) == (0, 0)


def test_take_insolvent__part_of_the_account__pays_the_part_of_the_loss(auctions: Auctions) -> None:
    auctions.insure("20000")
    auctions.distress("-5000", "10000")
    worth = auctions.stage.margin("keeper").equity
    receipt = auctions.take(WAD // 4)
    assert auctions.one("Slice", receipt)["reward"] == wad(1_250)
    assert auctions.one("LossRecorded", receipt)["loss"] == wad(1_250)
    assert auctions.stage.margin("holder").equity == pytest.approx(-wad(3_750), abs=DUST)
    assert auctions.stage.margin("keeper").equity == pytest.approx(worth, abs=DUST)


@pytest.mark.parametrize(
    ("elapsed", "reward"), [(1, "2502.777777777777777777"), (900, 5_000), (1_800, 7_500), (3_600, 7_500)]
)
def test_take_insolvent__time_since_first_seen__reward_rises_to_maintenance(
    auctions: Auctions, elapsed: int, reward: str
) -> None:
    """A first half starts the clock; the rest, which is taken here, has a loss of 2,500 and a maintenance of 5,000."""
    auctions.insure("50000")
    auctions.distress("-5000", "10000")
    auctions.take(WAD // 2)
    assert auctions.auction().insolvent_at == auctions.stage.now()
    auctions.attend(elapsed)
    receipt = auctions.take()
    assert auctions.one("Slice", receipt)["reward"] == pytest.approx(wad(reward), abs=DUST)
    assert auctions.one("LossRecorded", receipt)["loss"] == pytest.approx(wad(2_500), abs=DUST)


@pytest.mark.parametrize(("insured", "missing"), [("3000", 2_000), ("0", 5_000)])
def test_take_insolvent__insurance_short_or_empty__all_cash_pays_alike__LQ_2(
    auctions: Auctions, insured: str, missing: int
) -> None:
    """There are 102,000,000 of cash; the keeper has 1,000,000, so he bears 1/102 like everybody, and gets the loss."""
    if insured != "0":
        auctions.insure(insured)
    auctions.distress("-5000", "10000")
    worth = {role: auctions.stage.margin(role).equity for role in ("keeper", "rival", "maker")}
    receipt = auctions.take()
    assert auctions.one("LossRecorded", receipt)["socialised"] == wad(missing) + ROUNDING
    assert auctions.engine.uncovered_loss() == 0
    lost = {role: worth[role] - auctions.stage.margin(role).equity for role in worth}
    # a share of 1,000,000 is cut at units of the index, of 867,362 wei
    assert lost["keeper"] == pytest.approx(wad(missing) // 102, abs=10**7)
    assert lost["rival"] == pytest.approx(wad(missing) // 102, abs=10**7)
    assert lost["maker"] == pytest.approx(wad(missing) * 100 // 102, abs=10**9)


def test_take_insolvent__insurance_short_and_fees_on_their_way__they_come_first__LQ_2(auctions: Auctions) -> None:
    auctions.stage.govern(auctions.stage.system.configurator.set_fees, 0, 5_000, 10_000)
    auctions.stage.fund("taker", "10000")
    auctions.stage.trade("maker", "taker", "SPY", "64")  # at 125: 8,000, of which half a percent
    auctions.stage.govern(auctions.stage.system.configurator.set_fees, 0, 0, 10_000)
    auctions.distress("-5000", "10000")
    assert auctions.one("LossRecorded", auctions.take())["socialised"] == wad(4_960) + ROUNDING


def test_take_insolvent__cash_of_the_account_itself__is_settled_first_and_bears_nothing__LQ_2(
    auctions: Auctions,
) -> None:
    """It has 20,000 of cash and 25,000 of unsettled loss: sharing its own loss would make it lose more."""
    auctions.distress("-5000", "10000")
    assert auctions.cash(HOLDER) == wad(20_000)
    auctions.take(WAD // 2)
    assert auctions.stage.margin("holder").equity == pytest.approx(-wad(2_500), abs=DUST)


def test_take_insolvent__uncovered_before__the_next_loss_is_shared_with_it__LQ_2(auctions: Auctions) -> None:
    """Nobody has cash when the first half is taken over; when there is some, it pays both."""
    auctions.without_cash("maker", "keeper", "rival")
    auctions.distress("-5000", "10000")
    assert auctions.one("LossRecorded", auctions.take(WAD // 2))["socialised"] == 0
    assert auctions.engine.uncovered_loss() == pytest.approx(wad(2_500), abs=1)
    auctions.stage.fund("taker", "50000")
    assert auctions.one("LossRecorded", auctions.take())["socialised"] == pytest.approx(wad(5_000), rel=1e-6)
    assert auctions.engine.uncovered_loss() == 0
    assert auctions.cash(account("taker")) == pytest.approx(wad(45_000), rel=1e-6)


def test_take_insolvent__the_worked_example__halves_with_half_and_all_of_the_reward(auctions: Auctions) -> None:
    auctions.insure("20000")
    auctions.distress("-5000", "10000")
    auctions.start()
    auctions.attend(900)
    assert auctions.one("Slice", auctions.take(WAD // 2))["reward"] == wad(2_500 + 2_500)
    assert auctions.cash(auctions.insurance) == wad(15_000)
    auctions.attend(900)
    assert auctions.one("Slice", auctions.take())["reward"] == pytest.approx(wad(2_500 + 5_000), abs=DUST)
    assert auctions.cash(auctions.insurance) == pytest.approx(wad(7_500), abs=DUST)
    assert (auctions.engine.total_loss(), auctions.engine.uncovered_loss()) == (pytest.approx(wad(5_000), abs=DUST), 0)


# the reward, when insurance has little


@pytest.mark.parametrize(
    ("insured", "reward", "left"),
    [
        pytest.param("15000.000001", 15_000, "0.000001", id="more than loss and reward"),
        pytest.param("15000", 15_000, "0", id="loss and reward exactly"),
        pytest.param("14999", 14_999, "0", id="a part of the reward"),
        pytest.param("5001", 5_001, "0", id="next to nothing of the reward"),
        pytest.param("5000", 5_000, "0", id="the loss exactly"),
        pytest.param("4999", 5_000, "-1", id="less than the loss"),
        pytest.param("0", 5_000, "-5000", id="nothing"),
    ],
)
def test_take_insolvent__reward_at_its_highest__the_loss_always_and_the_rest_as_far_as_insured__LQ_2(
    auctions: Auctions, insured: str, reward: int, left: str
) -> None:
    """Everybody's cash pays what is missing of a loss of 5,000, never of the reward, which is up to 10,000."""
    if insured != "0":
        auctions.insure(insured)
    auctions.distress("-5000", "10000")
    auctions.start()
    auctions.attend(1_800)
    assert auctions.quote().reward == wad(reward)
    receipt = auctions.take()
    assert auctions.one("Slice", receipt)["reward"] == wad(reward)
    missing = max(-wad(left), 0)
    after = auctions.cash(auctions.insurance)
    assert auctions.one("LossRecorded", receipt) == {
        "account": HOLDER,
        "loss": wad(5_000),
        "socialised": missing + ROUNDING if missing else 0,
        "insurance_after": after,
    }
    assert 0 <= after - max(wad(left), 0) <= (ROUNDING if missing else 0)
    assert auctions.engine.uncovered_loss() == 0


def test_take_insolvent__part_of_the_account__the_whole_loss_comes_before_its_reward(auctions: Auctions) -> None:
    """A quarter: a loss of 1,250, then a reward of up to 2,500 out of what 6,000 have left after all 5,000 of loss."""
    auctions.insure("6000")
    auctions.distress("-5000", "10000")
    auctions.start()
    auctions.attend(1_800)
    receipt = auctions.take(WAD // 4)
    assert auctions.one("Slice", receipt)["reward"] == wad(2_250)
    assert auctions.one("LossRecorded", receipt)["loss"] == wad(1_250)
    assert auctions.cash(auctions.insurance) == wad(3_750)


def test_take_insolvent__taken_in_parts__leaves_no_more_uncovered_than_taken_whole__LQ_2(auctions: Auctions) -> None:
    """Insurance of 2,000 cannot pay the loss of 5,000, so there is nothing to reward anybody with."""
    auctions.insure("2000")
    auctions.distress("-5000", "10000")
    auctions.start()
    auctions.attend(1_800)
    told = [auctions.one("LossRecorded", auctions.take(fraction)) for fraction in (WAD // 4, WAD)]
    assert sum(fields["socialised"] for fields in told) == pytest.approx(wad(3_000), abs=DUST)
    assert auctions.engine.uncovered_loss() == 0


def test_take_insolvent__loss_uncovered__no_reward_until_it_is_paid_in(auctions: Auctions) -> None:
    auctions.without_cash("maker", "keeper", "rival")
    auctions.distress("-5000", "10000")
    auctions.take(WAD // 2)
    auctions.attend(1_800)
    # what is left of the account is a loan, too
    loss = pytest.approx(wad(2_500), rel=1e-5)
    assert auctions.quote().reward == loss
    auctions.insure("5000")
    assert auctions.quote().reward == loss
    auctions.insure("4999")
    # less half an hour of a loan of what insurance owed
    assert wad("7498.9") < auctions.quote().reward < wad(7_499)


def test_take_insolvent__reward_out_of_empty_insurance__draws_on_nobody__CH_2(auctions: Auctions) -> None:
    """What is shared is the loss that was there before the slice: the waiting adds nothing to it."""
    auctions.distress("-5000", "10000")
    worth = auctions.stage.margin("keeper").equity
    auctions.start()
    auctions.attend(3_600)
    assert auctions.one("LossRecorded", auctions.take())["socialised"] == wad(5_000) + ROUNDING
    assert worth - auctions.stage.margin("keeper").equity == pytest.approx(wad(5_000) // 102, abs=10**7)
    assert 0 <= auctions.cash(auctions.insurance) <= ROUNDING


# clocks


def test_take_insolvent__keeper_without_initial_margin__reverts__CH_4(auctions: Auctions) -> None:
    """The loss is made good, so the slice comes with no equity and its whole initial margin, 13,333."""
    auctions.distress("-5000", "10000")
    auctions.stage.fund("small", "13333")
    with pytest.raises(Revert, match=r"^risk: below initial$"):
        auctions.take(keeper="small")
    auctions.stage.fund("small", "1")
    auctions.take(keeper="small")


def test_take_insolvent__equity_above_zero_again__is_sold_and_the_clock_is_reset(auctions: Auctions) -> None:
    auctions.insure("50000")
    auctions.distress("-5000", "10000")
    auctions.take(WAD // 10)
    auctions.attend(900)
    auctions.stage.fund("holder", "5000")
    receipt = auctions.take(WAD // 10)
    assert auctions.one("Slice", receipt)["reward"] == 0
    assert auctions.one("Slice", receipt)["payment"] > 0
    assert auctions.auction().insolvent_at == 0


def test_take_insolvent__small_account__is_taken_whole(auctions: Auctions) -> None:
    auctions.insure("5000")
    auctions.distress("-500", "1000")
    receipt = auctions.take()
    assert auctions.one("Slice", receipt)["fraction"] == WAD
    assert auctions.names(receipt) == ["LossRecorded", "Slice"]


def test_take_insolvent__nothing_left_but_debt__is_taken_over(auctions: Auctions) -> None:
    """No holdings, no margin, equity below zero: only the loss moves, and the keeper is made whole."""
    auctions.insure("10000")
    auctions.distress("-5000", "10000")
    # closing at the index price lowers risk and costs no equity
    auctions.stage.trade("maker", "holder", "SPY", "-1000")
    assert auctions.stage.margin("holder").maintenance == 0
    worth = auctions.stage.margin("keeper").equity
    auctions.take()
    assert auctions.stage.money("holder") == (0, 0)
    assert auctions.stage.margin("keeper").equity == worth
    assert auctions.cash(auctions.insurance) == wad(5_000)


def test_take_insolvent__started_half_an_hour_ago__first_take_gets_the_whole_reward(auctions: Auctions) -> None:
    """Nobody takes risk over for nothing, so the clock of the reward must not wait for somebody who does."""
    auctions.insure("50000")
    auctions.distress("-5000", "10000")
    auctions.start()
    auctions.attend(1_800)
    receipt = auctions.take()
    assert auctions.one("Slice", receipt)["reward"] == wad(15_000)


@pytest.mark.parametrize(("unseen", "reward"), [(300, "11666.666666666666666666"), (301, "5000")])
def test_take_insolvent__nobody_saw_it_for_a_lapse__the_clock_is_reset(
    auctions: Auctions, unseen: int, reward: str
) -> None:
    """900 and 300 seconds are two thirds of 1,800; after a lapse nothing is left of them."""
    auctions.insure("50000")
    auctions.distress("-5000", "10000")
    auctions.start()
    auctions.attend(900)
    auctions.start()
    auctions.wait(unseen)
    receipt = auctions.take()
    assert auctions.one("Slice", receipt)["reward"] == pytest.approx(wad(reward), abs=10**4)
    assert auctions.auction() == (0, 0, 0)


def test_take_insolvent__lapsed__both_clocks_start_with_the_slice(auctions: Auctions) -> None:
    auctions.distress("-5000", "10000")
    auctions.start()
    auctions.wait(301)
    auctions.take(WAD // 10)
    now = auctions.stage.now()
    assert auctions.auction() == (now, now, now)


def test_take_insolvent__insolvent_once_before_a_recovery__reward_begins_at_nothing(auctions: Auctions) -> None:
    """A recovery that nobody recorded must not leave insurance paying the whole reward at the next fall."""
    auctions.insure("50000")
    auctions.distress("-5000", "10000")
    auctions.take(WAD // 10)
    auctions.stage.fund("holder", "20000")
    auctions.wait(86_400)
    auctions.stage.publish(SPY="80")  # 900 SPY lose 18,000 of the 15,500 of equity
    receipt = auctions.take()
    assert auctions.one("Slice", receipt)["reward"] == pytest.approx(wad(2_500), abs=DUST)


def test_take_insolvent__gap_while_the_auction_runs__the_clock_can_be_started(auctions: Auctions) -> None:
    """As above: from the gap on somebody must be able to make the reward rise without taking anything."""
    auctions.insure("50000")
    auctions.distress("8000", "10000")
    auctions.start()
    auctions.wait(60)
    auctions.stage.publish(SPY="80")
    auctions.start()
    auctions.attend(1_800)
    # 12,000 of loss and all of 8,000
    assert auctions.one("Slice", auctions.take())["reward"] == wad(20_000)
