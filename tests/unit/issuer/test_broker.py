"""The desk's rules: what it deals in, at what price, how much, and that it keeps its word over restarts."""

from __future__ import annotations

import threading
from datetime import date, datetime
from decimal import Decimal
from pathlib import Path

import pytest
from eth_account import Account
from structlog.testing import capture_logs

from prime_perps.issuer.quotes import Quote, Side, digest
from prime_perps.issuer.refusals import (
    AssetLimited,
    AssetPaused,
    BelowMinimum,
    InvalidRequest,
    KeyReused,
    LimitReached,
    MarketClosed,
    MarketPaused,
    Refused,
    Unavailable,
    UnknownAsset,
)
from prime_perps.issuer.wire import signature_bytes
from prime_perps.units import WAD
from tests.unit.issuer.desk import AAPL, KEY, MANAGER, NOON, USER_ID, Desk, ask, ask_usd, configuration

MINUTE, HOUR = 60, 3_600


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    return Desk(tmp_path)


def asset(**changes: object) -> dict[str, object]:
    """The configuration's assets with the first one changed."""
    first, second = configuration()["assets"]
    return {"assets": [{**first, **changes}, second]}


def test_attest__answer__is_signed_for_the_caller(desk: Desk) -> None:
    answer = desk.broker.attest(desk.gateway, ask(), None)
    quote = Quote(
        31_337,
        int(answer.attestation_id),
        USER_ID,
        AAPL,
        100_05 * WAD // 100,
        10 * WAD,
        NOON + 30,
        Side.BUY,
    )
    assert (int(answer.price), int(answer.token_amount)) == (quote.price, quote.quantity)
    recovered = Account._recover_hash(digest(quote, MANAGER), signature=signature_bytes(answer.signature))
    assert recovered == KEY.address


def test_attest__long__lasts_longer_and_costs_more(desk: Desk) -> None:
    answers = {name: desk.broker.attest(desk.gateway, ask(duration=name), None) for name in ("short", "long")}
    assert [answers[name].expiration - NOON for name in ("short", "long")] == [30, 300]
    assert int(answers["short"].price) < int(answers["long"].price)


@pytest.mark.parametrize(
    ("hour", "bps"), [(2, 25), (8, 15), (12, 5), (18, 15)], ids=["overnight", "pre", "regular", "post"]
)
def test_soft_quote__session__has_its_spread_on_both_sides(desk: Desk, hour: int, bps: int) -> None:
    desk.now = NOON + (hour - 12) * HOUR
    prices = {side: int(desk.broker.soft_quote(ask(side=side)).price) for side in ("buy", "sell")}
    assert prices == {"buy": 100 * WAD * (10_000 + bps) // 10_000, "sell": 100 * WAD * (10_000 - bps) // 10_000}


def test_soft_quote__money__is_never_more_than_was_named(desk: Desk) -> None:
    for side in ("buy", "sell"):
        answer = desk.broker.soft_quote(ask_usd("100", symbol="IBMon", side=side))
        worth = int(answer.token_amount) * int(answer.price) // WAD
        assert 100 * WAD - 40 < worth <= 100 * WAD


def test_soft_quote__token_of_ten_shares__costs_ten_times_as_much(desk: Desk) -> None:
    desk.token(multiplier=10 * WAD)
    assert int(desk.broker.soft_quote(ask()).price) == 1_000_50 * WAD // 100


def test_soft_quote__uses_up__nothing(desk: Desk) -> None:
    for _ in range(20):
        desk.broker.soft_quote(ask_usd("9000"))
    desk.broker.attest(desk.gateway, ask_usd("9000"), None)


# hours, halts, dividends, earnings


@pytest.mark.parametrize(("later", "refusal"), [(4 * HOUR, MarketPaused), (4 * 24 * HOUR, MarketClosed)])
def test_attest__market_not_open__is_refused(desk: Desk, later: int, refusal: type[Refused]) -> None:
    desk.now += later
    with pytest.raises(refusal):
        desk.broker.attest(desk.gateway, ask(), None)
    with pytest.raises(refusal):
        desk.broker.soft_quote(ask())


def test_attest__halted_asset__is_paused_and_the_others_are_not(tmp_path: Path) -> None:
    window = {"start": datetime(2026, 1, 6, 12, 0, 10), "end": datetime(2026, 1, 6, 12, 0, 20)}
    desk = Desk(tmp_path, **asset(halts=[window]))
    outcomes = []
    for later in (9, 10, 19, 20):
        desk.now = NOON + later
        desk.broker.soft_quote(ask(symbol="IBMon"))
        try:
            outcomes.append(desk.broker.soft_quote(ask()).symbol)
        except AssetPaused as paused:
            outcomes.append(paused.code)
    assert outcomes == ["AAPLon", "ASSET_PAUSED", "ASSET_PAUSED", "AAPLon"]


def test_attest__halt_without_an_end__lasts(tmp_path: Path) -> None:
    desk = Desk(tmp_path, **asset(halts=[{"start": datetime(2026, 1, 1)}]))
    with pytest.raises(AssetPaused):
        desk.broker.attest(desk.gateway, ask(), None)


def test_attest__evening_before_the_ex_date__is_paused_around_eight(tmp_path: Path) -> None:
    desk = Desk(tmp_path, **asset(ex_dates=[date(2026, 1, 7)]))
    evening = NOON + 8 * HOUR
    outcomes = {}
    for later in (-601, -600, -61, 300, 599, 600):
        desk.now = evening + later
        try:
            outcomes[later] = desk.broker.soft_quote(ask()).symbol
        except Refused as refused:
            outcomes[later] = refused.code
    paused = AssetPaused.code
    assert outcomes == {-601: "AAPLon", -600: paused, -61: paused, 300: paused, 599: paused, 600: "AAPLon"}


def test_attest__earnings__small_quotes_only(tmp_path: Path) -> None:
    window = {"start": datetime(2026, 1, 6, 12), "end": datetime(2026, 1, 6, 13), "notional": "500.25"}
    desk = Desk(tmp_path, **asset(earnings=[window]))
    desk.broker.attest(desk.gateway, ask(tokenAmount="5"), None)
    more = ask(tokenAmount="5.000000000000000001")
    with pytest.raises(AssetLimited, match="earnings"):
        desk.broker.attest(desk.gateway, more, None)
    desk.now += HOUR
    desk.broker.attest(desk.gateway, more, None)


def test_attest__corporate_action__is_paused(desk: Desk) -> None:
    for change in ({"paused": True}, {"paused": False, "multiplier": 0}):
        desk.token(**change)
        with pytest.raises(AssetPaused, match="corporate action"):
            desk.broker.attest(desk.gateway, ask(), None)


def test_attest__no_price_or_an_old_one__is_paused(desk: Desk) -> None:
    desk.seen_ago = 60
    desk.broker.attest(desk.gateway, ask(), None)
    for ago in (61, -1):
        desk.seen_ago = ago
        with pytest.raises(AssetPaused, match="seconds ago"):
            desk.broker.attest(desk.gateway, ask(), None)
    del desk.prices["AAPL"]
    with pytest.raises(AssetPaused, match="no price"):
        desk.broker.attest(desk.gateway, ask(), None)


# what is asked


def test_attest__unknown_symbol_or_other_chain__is_refused(desk: Desk) -> None:
    with pytest.raises(UnknownAsset, match="known: AAPLon, IBMon"):
        desk.broker.attest(desk.gateway, ask(symbol="TSLAon"), None)
    with pytest.raises(InvalidRequest, match="serves chain 31337"):
        desk.broker.attest(desk.gateway, ask(chainId="ethereum-1"), None)
    desk.broker.attest(desk.gateway, ask(chainId="anvil-31337"), None)


def test_attest__minimum__is_of_what_the_quote_is_worth(tmp_path: Path) -> None:
    desk = Desk(tmp_path, limits={**configuration()["limits"], "minimum": "10.005"})
    desk.broker.attest(desk.gateway, ask(tokenAmount="0.1"), None)
    for less in ("0.099999999999999999", "0.000000000000000001", "0"):
        with pytest.raises(BelowMinimum):
            desk.broker.attest(desk.gateway, ask(tokenAmount=less), None)


def test_attest__more_tokens_than_there_are__cannot_be_sold(desk: Desk) -> None:
    desk.broker.soft_quote(ask(side="sell", tokenAmount="1000"))
    with pytest.raises(AssetLimited, match="outstanding"):
        desk.broker.soft_quote(ask(side="sell", tokenAmount="1000.000000000000000001"))


# limits


def test_attest__user_at_its_limit__waits_until_it_has_drained(desk: Desk) -> None:
    desk.broker.attest(desk.gateway, ask_usd("9900"), None)
    with pytest.raises(LimitReached, match=r"your limit allows 100\.00 USD more"):
        desk.broker.attest(desk.gateway, ask_usd("101"), None)
    desk.now += 1  # 10 USD a second
    desk.broker.attest(desk.gateway, ask_usd("110"), None)
    with pytest.raises(LimitReached):
        desk.broker.attest(desk.gateway, ask_usd("1.5"), None)


def test_attest__user_at_its_limit__may_still_sell(desk: Desk) -> None:
    desk.broker.attest(desk.gateway, ask_usd("10000"), None)
    desk.broker.attest(desk.gateway, ask_usd("10000", side="sell"), None)


def test_attest__everybodys_limit__binds_the_next_user(desk: Desk) -> None:
    desk.broker.attest(desk.gateway, ask_usd("10000"), None)
    with pytest.raises(LimitReached, match="everybody's limit"):
        desk.broker.attest(desk.maker, ask_usd("5001"), None)
    desk.broker.attest(desk.maker, ask_usd("5000"), None)


def test_attest__count__is_a_limit_of_its_own(desk: Desk) -> None:
    for _ in range(5):
        desk.broker.attest(desk.gateway, ask_usd("2"), None)
    with pytest.raises(LimitReached, match="0 more quotes"):
        desk.broker.attest(desk.gateway, ask_usd("2"), None)
    desk.now += 200
    desk.broker.attest(desk.gateway, ask_usd("2"), None)


def test_attest__refused_by_one_limit__uses_up_nothing_of_the_others(desk: Desk) -> None:
    before = desk.broker.status(desk.gateway).buy
    with pytest.raises(LimitReached):
        desk.broker.attest(desk.gateway, ask_usd("10001"), None)
    assert desk.broker.status(desk.gateway).buy == before


def test_attest__two_at_once_for_the_last_of_a_limit__one_wins(desk: Desk) -> None:
    outcomes: list[str] = []

    def want() -> None:
        try:
            outcomes.append(desk.broker.attest(desk.gateway, ask_usd("6000"), None).symbol)
        except LimitReached as reached:
            outcomes.append(reached.code)

    threads = [threading.Thread(target=want) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(outcomes) == ["AAPLon"] + 7 * ["MAX_LIMIT_REACHED"]


# once, and over restarts


def test_attest__same_key__is_the_same_answer_even_after_a_restart(desk: Desk) -> None:
    first = desk.broker.attest(desk.gateway, ask(), "k")
    desk.prices["AAPL"] = Decimal(200)
    assert desk.broker.attest(desk.gateway, ask(), "k") == first
    desk.restart()
    desk.now += 4 * HOUR  # paused: the answer was given before
    assert desk.broker.attest(desk.gateway, ask(), "k") == first


def test_attest__same_key__uses_up_limits_once(desk: Desk) -> None:
    for _ in range(3):
        desk.broker.attest(desk.gateway, ask_usd("9000"), "k")
    assert desk.broker.status(desk.gateway).buy.attestations == 4


def test_attest__same_key_for_something_else__is_refused(desk: Desk) -> None:
    desk.broker.attest(desk.gateway, ask(), "k")
    with pytest.raises(KeyReused):
        desk.broker.attest(desk.gateway, ask(tokenAmount="11"), "k")


def test_attest__same_key_of_another_user__is_another_quote(desk: Desk) -> None:
    first, second = (desk.broker.attest(user, ask(), "k") for user in (desk.gateway, desk.maker))
    assert first.attestation_id != second.attestation_id
    assert first.user_id != second.user_id


def test_attest__refused__does_not_use_up_the_key(desk: Desk) -> None:
    desk.now += 4 * HOUR
    with pytest.raises(MarketPaused):
        desk.broker.attest(desk.gateway, ask(), "k")
    desk.now += 2 * MINUTE
    desk.broker.attest(desk.gateway, ask(), "k")


def test_attest__after_a_restart__limits_and_ids_go_on(desk: Desk) -> None:
    first = desk.broker.attest(desk.gateway, ask_usd("9900"), None)
    desk.restart()
    with pytest.raises(LimitReached):
        desk.broker.attest(desk.gateway, ask_usd("101"), None)
    second = desk.broker.attest(desk.gateway, ask_usd("50"), None)
    assert int(second.attestation_id) == int(first.attestation_id) + 1


def test_attest__node_gone__is_unavailable_and_back_with_it(desk: Desk) -> None:
    desk.node_answers = False
    with pytest.raises(Unavailable, match="chain"):
        desk.broker.attest(desk.gateway, ask(), "k")
    desk.node_answers = True
    desk.broker.attest(desk.gateway, ask(), "k")


def test_attest__state_cannot_be_written__nothing_is_signed(desk: Desk) -> None:
    desk.broker.look()
    desk.store._execute("PRAGMA query_only = 1")
    with pytest.raises(Unavailable, match="state"):
        desk.broker.attest(desk.gateway, ask(), "k")
    desk.store._execute("PRAGMA query_only = 0")
    assert desk.broker.status(desk.gateway).buy.attestations == 5


# what backs the tokens


def test_look__first__opens_the_book(desk: Desk) -> None:
    position = desk.broker.look()["AAPLon"]
    assert (position.tokens, position.held, position.missing) == (1_000 * WAD, 1_000 * WAD, 0)


def test_look__attested_tokens_minted__are_bought_and_delivered(desk: Desk) -> None:
    answer = desk.broker.attest(desk.gateway, ask(), None)
    desk.now += 10
    desk.use(answer)
    position = desk.broker.look()["AAPLon"]
    assert (position.missing, position.in_transit, position.ordered) == (0, 10 * WAD, 0)
    desk.now += 2 * HOUR
    position = desk.broker.look()["AAPLon"]
    assert (position.in_transit, position.held) == (0, 1_010 * WAD)


def test_look__attested_tokens_minted_while_it_was_down__are_accounted_for(desk: Desk) -> None:
    answer = desk.broker.attest(desk.gateway, ask(), None)
    desk.now += HOUR
    desk.use(answer)
    desk.restart()
    assert desk.broker.look()["AAPLon"].missing == 0


def test_look__tokens_nobody_attested__are_missing_and_stop_buying(desk: Desk) -> None:
    """Not even when a quote for as many is outstanding."""
    desk.broker.attest(desk.gateway, ask(), None)
    desk.appear(1 * WAD)
    assert desk.broker.look()["AAPLon"].missing == 1 * WAD
    with pytest.raises(AssetLimited, match="stand for"):
        desk.broker.attest(desk.gateway, ask(), None)
    desk.broker.attest(desk.gateway, ask(side="sell"), None)
    desk.broker.attest(desk.gateway, ask(symbol="IBMon"), None)
    status = {entry.symbol: entry.reason for entry in desk.broker.status(desk.gateway).assets}
    assert status == {"AAPLon": "ASSET_LIMITED", "IBMon": None}
    desk.appear(-1 * WAD)
    desk.broker.attest(desk.gateway, ask(), None)


def test_look__strangers_tokens_among_attested_ones__are_told_apart(desk: Desk) -> None:
    bought = desk.broker.attest(desk.gateway, ask(), None)
    sold = desk.broker.attest(desk.gateway, ask(side="sell"), None)
    desk.executed |= {int(bought.attestation_id), int(sold.attestation_id)}
    desk.appear(5 * WAD)
    with capture_logs() as told:
        position = desk.broker.look()["AAPLon"]
    assert [(line["event"], line["tokens"]) for line in told] == [("tokens_unaccounted_for", str(5 * WAD))]
    # Shares that the redemption has set free stand for them.
    assert (position.tokens, position.missing, position.spare) == (1_005 * WAD, 0, 0)


def test_look__redeemed__shares_are_sold(desk: Desk) -> None:
    desk.use(desk.broker.attest(desk.gateway, ask(side="sell"), None))
    assert desk.broker.look()["AAPLon"].held == 990 * WAD


def test_look__burned_otherwise__shares_are_sold_too(desk: Desk) -> None:
    desk.broker.look()
    desk.appear(-400 * WAD)
    assert desk.broker.look()["AAPLon"].held == 600 * WAD


def test_look__used_or_expired_attestation__is_asked_about_no_more(desk: Desk) -> None:
    used, expired = (desk.broker.attest(desk.gateway, ask(), None) for _ in range(2))
    lasting = desk.broker.attest(desk.gateway, ask(duration="long"), None)
    desk.use(used)
    desk.now += 30  # the last second of the short ones
    desk.broker.look()
    assert desk.asked == [int(one.attestation_id) for one in (used, expired, lasting)]
    desk.block += 1
    desk.now += 1
    desk.broker.look()
    assert desk.asked == [int(one.attestation_id) for one in (expired, lasting)]
    desk.block += 1
    desk.broker.look()
    assert desk.asked == [int(lasting.attestation_id)]


@pytest.mark.parametrize(("multiplier", "held"), [(10 * WAD, 10_000 * WAD), (WAD // 10, 100 * WAD)])
def test_look__split__shares_follow(desk: Desk, multiplier: int, held: int) -> None:
    desk.broker.look()
    desk.token(multiplier=multiplier)
    position = desk.broker.look()["AAPLon"]
    assert position.held + position.in_transit == position.needed == held


def test_look__exchange_shut__orders_wait(desk: Desk) -> None:
    desk.now = NOON + 3 * 24 * HOUR + 8 * HOUR - 90  # Friday, 19:58:30
    answer = desk.broker.attest(desk.gateway, ask(), None)
    desk.now += 100
    desk.use(answer)
    assert desk.broker.look()["AAPLon"].ordered == 10 * WAD
    desk.now += 2 * 24 * HOUR
    assert desk.broker.look()["AAPLon"].ordered == 0


def test_attest__shares_in_transit__are_capped_with_what_was_promised(tmp_path: Path) -> None:
    desk = Desk(tmp_path, **asset(in_transit="25"))
    desk.broker.attest(desk.gateway, ask(), None)
    desk.broker.attest(desk.gateway, ask(), None)
    with pytest.raises(AssetLimited, match="on their way"):
        desk.broker.attest(desk.gateway, ask(), None)
    desk.now += 31
    desk.block += 1
    desk.broker.attest(desk.gateway, ask(), None)


# status


def test_status__open__says_what_is_left(desk: Desk) -> None:
    desk.broker.attest(desk.gateway, ask(), None)
    status = desk.broker.status(desk.gateway)
    assert (status.session, status.open, status.reason) == ("regular", True, None)
    assert (int(status.buy.notional), status.buy.attestations) == (10_000 * WAD - 1_000_50 * WAD // 100, 4)
    assert (int(status.sell.notional), status.sell.attestations) == (10_000 * WAD, 5)


def test_status__not_open__says_why(desk: Desk) -> None:
    del desk.prices["IBM"]
    desk.now += 4 * HOUR
    status = desk.broker.status(desk.gateway)
    assert (status.open, status.reason) == (False, "MARKET_PAUSED")
    assert {entry.symbol: entry.reason for entry in status.assets} == {"AAPLon": None, "IBMon": "ASSET_PAUSED"}


def test_attest__world_clock__counts_where_it_is_configured(tmp_path: Path) -> None:
    desk = Desk(tmp_path, chain={**configuration()["chain"], "clock": "world"})
    desk.broker._world_clock = lambda: NOON + 1_000
    assert desk.broker.attest(desk.gateway, ask(), None).expiration == NOON + 1_030
