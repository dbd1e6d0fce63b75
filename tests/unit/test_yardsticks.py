"""What others would ask for: published numbers, reproduced."""

from __future__ import annotations

from functools import cache
from random import Random

import numpy as np
import pytest

from prime_perps import margin, risk, yardstick_arrays, yardsticks
from prime_perps.deployment import PARAMETERS
from prime_perps.margin import Closure, Exposure
from prime_perps.margin_arrays import Books, Rules
from prime_perps.units import BPS, WAD, wad
from prime_perps.yardsticks import HIGH_CAP, NON_HIGH_CAP, position_by_position, regulation_t

OPEN = Closure(0, 0, 0)
HUNDRED = wad(100_000)
MILLION = wad(1_000_000)
CENT = wad("0.01")


@cache
def table():
    loaded = risk.load(PARAMETERS / "risk.json")
    return margin.Table(loaded.globals, [loaded.line("T3"), loaded.line("T3")])


@pytest.mark.parametrize(
    ("exposures", "initial", "maintenance"),
    [
        ([Exposure(0, token=HUNDRED)], 50_000, 25_000),
        ([Exposure(0, perp=-HUNDRED)], 50_000, 30_000),
        ([Exposure(0, perp=HUNDRED)], 50_000, 25_000),
        ([Exposure(0, token=HUNDRED, perp=HUNDRED)], 100_000, 50_000),
        ([Exposure(0, token=HUNDRED, perp=-HUNDRED)], 55_000, 5_000),  # initially half of the stock, and 5 %
        ([Exposure(0, token=HUNDRED, perp=-2 * HUNDRED)], 105_000, 35_000),
        ([Exposure(0, token=2 * HUNDRED, perp=-HUNDRED)], 105_000, 30_000),
        ([Exposure(0, other=HUNDRED, perp=-HUNDRED)], 55_000, 5_000),
        ([Exposure(0, token=HUNDRED), Exposure(1, perp=-HUNDRED)], 100_000, 55_000),
        ([], 0, 0),
    ],
)
def test_regulation_t__known_books(exposures, initial, maintenance):
    assert regulation_t(exposures) == wad(initial)
    assert yardsticks.regulation_t_maintenance(exposures) == wad(maintenance)


def test_regulation_t__one_wei__is_rounded_up():
    assert regulation_t([Exposure(0, token=1)]) == 1
    assert yardsticks.regulation_t_maintenance([Exposure(0, token=1)]) == 1


def test_regulation_t_call__bought_on_half_credit__at_two_thirds():
    loan = HUNDRED - regulation_t([Exposure(0, token=HUNDRED)])
    called = yardsticks.regulation_t_call_long(loan)
    assert called == pytest.approx(wad("66666.67"), abs=CENT)
    assert called - loan >= yardsticks.regulation_t_maintenance([Exposure(0, token=called)])
    assert called - 2 - loan < yardsticks.regulation_t_maintenance([Exposure(0, token=called - 2)])


def test_regulation_t_call__sold_short__when_150_percent_has_become_130():
    credit = HUNDRED + regulation_t([Exposure(0, perp=-HUNDRED)])
    assert credit == wad(150_000)
    called = yardsticks.regulation_t_call_short(credit)
    assert called == pytest.approx(wad("115384.62"), abs=CENT)
    assert credit - called >= yardsticks.regulation_t_maintenance([Exposure(0, perp=-called)])
    assert credit - called - 2 < yardsticks.regulation_t_maintenance([Exposure(0, perp=-called - 2)])


@pytest.mark.parametrize(
    ("exposures", "indices", "asked"),
    [
        ([Exposure(0, token=HUNDRED)], {}, 15_000),
        ([Exposure(0, perp=-HUNDRED)], {}, 15_000),
        ([Exposure(0, token=HUNDRED, perp=-HUNDRED)], {}, 0),
        ([Exposure(0, token=HUNDRED), Exposure(1, perp=-HUNDRED)], {}, 30_000),  # stocks offset no stock
        ([Exposure(0, perp=MILLION)], {0: HIGH_CAP}, 80_000),
        ([Exposure(0, perp=-MILLION)], {0: HIGH_CAP}, 60_000),
        ([Exposure(0, perp=MILLION)], {0: NON_HIGH_CAP}, 100_000),
        ([Exposure(0, perp=-MILLION)], {0: NON_HIGH_CAP}, 100_000),
        ([Exposure(0, perp=MILLION), Exposure(1, perp=-MILLION)], {0: HIGH_CAP, 1: HIGH_CAP}, 8_000),
        ([Exposure(0, perp=MILLION), Exposure(1, perp=-MILLION)], {0: HIGH_CAP, 1: NON_HIGH_CAP}, 180_000),
        ([Exposure(0, perp=MILLION), Exposure(1, perp=-MILLION)], {0: HIGH_CAP}, 230_000),  # nor do stocks an index
        ([], {}, 0),
    ],
)
def test_tims__known_books(exposures, indices, asked):
    assert yardsticks.tims(exposures, indices) == wad(asked)


def test_tims_least__ten_contracts_of_a_hundred__375_dollars():
    assert yardsticks.tims_least(10, 100) == wad(375)


def test_ibkr__concentrated_book__pays_30_percent_of_its_two_largest():
    book = [Exposure(at, token=wad(value)) for at, value in enumerate((50_000, 100_000, 30_000, 80_000))]
    assert yardsticks.tims(book, {}) == wad(39_000)
    assert yardsticks.ibkr(book) == (wad(58_000), wad(63_800))


def test_ibkr__twenty_equal_positions__pay_tims():
    book = [Exposure(at, perp=(-1) ** at * HUNDRED) for at in range(20)]
    assert yardsticks.ibkr(book) == (wad(300_000), wad(330_000))


def test_derive_standard__one_perp__a_tenth_and_6_5_percent():
    assert yardsticks.derive_standard(-HUNDRED) == (wad(6_500), wad(10_000))


def test_derive_portfolio__one_perp__worst_move_and_contingency():
    assert yardsticks.derive_portfolio(0, HUNDRED) == (wad(17_400), wad(22_000))
    assert yardsticks.derive_portfolio(0, -HUNDRED) == (wad(17_400), wad(22_000))


def test_derive_portfolio__token_against_its_perp__contingency_alone():
    assert yardsticks.derive_portfolio(HUNDRED, -HUNDRED) == (wad(3_000), wad(4_000))


def test_derive_loss__tails__are_milder_than_the_moves():
    below, above = yardsticks.DERIVE_MOVES[2:]
    assert (below[0], above[0]) == (-6_600, 5_000)
    assert yardsticks.derive_loss(HUNDRED, *below) == wad(13_860)
    assert yardsticks.derive_loss(-HUNDRED, *above) == wad(13_860)
    assert yardsticks.derive_loss(HUNDRED, *above) == 0


def test_derive_buffer__equity_of_8000_on_10000__lacks_3500():
    assert yardsticks.derive_buffer(wad(8_000), wad(10_000)) == -wad(3_500)


HYPERLIQUID_TIERS = [(0, 10), (wad(20_000), 5), (wad(100_000), 3)]


def test_hyperliquid__150000_over_three_tiers__17333_and_a_third():
    assert yardsticks.hyperliquid(wad(150_000), HYPERLIQUID_TIERS) == WAD * 52_000 // 3 + 1


@pytest.mark.parametrize(
    ("notional", "rate", "deduction"),
    [
        (10_000, 0.05, 0),
        (20_000, 0.1, 1_000),
        (100_000, 0.1, 1_000),
        (100_000, 1 / 6, 7_666.67),
        (150_000, 1 / 6, 7_666.67),
    ],
)
def test_hyperliquid__any_tier__is_its_rate_less_its_deduction(notional, rate, deduction):
    asked = yardsticks.hyperliquid(wad(notional), HYPERLIQUID_TIERS) / WAD
    assert notional * rate - asked == pytest.approx(deduction, abs=0.005)


@pytest.mark.parametrize(("borrowed", "ratio", "liquidated"), [(3_500, 0.938667, False), (3_543, 0.950133, True)])
def test_hyperliquid_ratio__hype_at_half_its_value__is_liquidated_at_95_percent_of_3750(borrowed, ratio, liquidated):
    found = yardsticks.hyperliquid_ratio(wad(5_000), 5_000, wad(borrowed))
    assert found / WAD == pytest.approx(ratio, abs=5e-7)
    assert (found > yardsticks.HYPERLIQUID_LIQUIDATION) is liquidated


def test_hyperliquid_ratio__borrowed_all_that_counts_less_20__is_one():
    assert yardsticks.hyperliquid_ratio(wad(5_000), 5_000, wad(3_730)) == WAD
    assert yardsticks.hyperliquid_ratio(wad(5_000), 5_000, wad(3_000), perps=wad(730)) == WAD


@pytest.mark.parametrize(("utilisation", "rate"), [(5_000, 500), (8_000, 500), (9_000, 5_250), (10_000, 10_000)])
def test_hyperliquid_rate__known_points(utilisation, rate):
    assert yardsticks.hyperliquid_rate(utilisation) == rate


IMF = wad("0.003")


def test_drift_weights__small_and_large():
    small, large = wad(2_000), wad(20_000)
    assert yardsticks.drift_asset_weight(small, wad("0.8"), IMF) == wad("0.8")
    assert yardsticks.drift_asset_weight(small, WAD, IMF) / WAD == pytest.approx(0.9698773049745559, rel=1e-15)
    assert yardsticks.drift_liability_weight(small, wad("1.2"), IMF) == wad("1.2")
    assert yardsticks.drift_liability_weight(large, wad("1.2"), IMF) / WAD == pytest.approx(
        1.3842640687119285, rel=1e-15
    )


@pytest.mark.parametrize(("leverage", "weights"), [(5, (8_000, 12_000)), (10, (9_000, 11_000)), (3, (6_666, 13_334))])
def test_mango_weights__by_leverage(leverage, weights):
    assert yardsticks.mango_weights(leverage) == weights


def test_binance_equity__one_bitcoin_held_or_owed():
    assert yardsticks.binance_equity(wad(40_000), 9_500) == wad(38_000)
    assert yardsticks.binance_equity(-wad(40_000), 9_500) == -wad(40_000)


@pytest.mark.parametrize(
    ("equity", "level"),
    [(15_001, 0), (15_000, 1), (12_001, 1), (12_000, 2), (10_501, 2), (10_500, 3), (10_001, 3), (10_000, 4), (-1, 4)],
)
def test_binance_level__equity_on_maintenance_of_10000(equity, level):
    assert yardsticks.binance_level(wad(equity), wad(10_000)) == level


def test_position_by_position__hedged_pair__asks_for_both_sides_alone():
    token, short = Exposure(0, token=HUNDRED), Exposure(0, perp=-HUNDRED)
    alone = [margin.requirements([one], OPEN, 0, table())[1] for one in (token, short)]
    pair = Exposure(0, token=HUNDRED, perp=-HUNDRED)
    assert position_by_position([pair], OPEN, table()) == sum(alone)
    assert margin.requirements([pair], OPEN, 0, table())[1] < sum(alone) // 10


def test_position_by_position__single_positions__is_the_portfolios_own_margin():
    one = Exposure(0, perp=HUNDRED)
    assert position_by_position([one], OPEN, table()) == margin.requirements([one], OPEN, 0, table())[1]


def test_position_by_position__nothing__is_nothing():
    assert position_by_position([], OPEN, table()) == 0


@pytest.mark.parametrize("indices", [{}, {0: HIGH_CAP, 3: HIGH_CAP, 4: NON_HIGH_CAP}])
@pytest.mark.parametrize("closure", [OPEN, Closure(0, 2, 5_000)])
def test_yardstick_arrays__random_books__equal_to_the_exact_rules(indices, closure):
    random = Random(1)
    loaded = risk.load(PARAMETERS / "risk.json")
    every = loaded.table(loaded.tiers)
    accounts = [
        [
            Exposure(
                underlying=at,
                token=random.choice((0, random.randint(0, MILLION))),
                other=random.choice((0, random.randint(0, MILLION))),
                perp=random.choice((0, 1, -1)) * random.randint(0, 2 * MILLION),
                width=random.randint(0, 100),
                eventful=random.choice((0, 5_000, BPS)),
            )
            for at in random.sample(range(len(every.lines)), random.randint(0, len(every.lines)))
        ]
        for _ in range(100)
    ]
    books = Books.of(accounts, [0] * len(accounts), len(every.lines))

    def same(found, rule):
        np.testing.assert_allclose(found, [rule(account) / WAD for account in accounts], rtol=1e-12, atol=1e-12)

    asked = yardstick_arrays.regulation_t(books)
    same(asked.initial, regulation_t)
    same(asked.maintenance, yardsticks.regulation_t_maintenance)
    same(yardstick_arrays.tims(books, indices), lambda account: yardsticks.tims(account, indices))
    alone = yardstick_arrays.position_by_position(books, closure, Rules.of(every))
    same(alone.initial, lambda account: position_by_position(account, closure, every))
    assert (alone.maintenance < alone.initial).sum() == sum(map(bool, accounts))


def test_yardstick_arrays__perps_by_day__keep_their_axes():
    perp = np.full((4, 5, 2), -1e5)
    assert yardstick_arrays.regulation_t(Books(perp=perp)).initial.tolist() == [[100_000.0] * 5] * 4
    assert yardstick_arrays.tims(Books(perp=perp), {}).tolist() == [[30_000.0] * 5] * 4
    alone = yardstick_arrays.position_by_position(Books(perp=perp), OPEN, Rules.of(table()))
    assert alone.initial.shape == (4, 5)
