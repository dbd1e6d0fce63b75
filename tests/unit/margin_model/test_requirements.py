"""`requirements`: the worked vectors, each rule of the formula by itself, and everything it refuses."""

from __future__ import annotations

from dataclasses import replace
from math import isqrt

import pytest

from prime_perps.chain import Contract
from prime_perps.errors import Revert
from prime_perps.margin import VALUE_MAX, Closure, Exposure, Table
from prime_perps.units import BPS, WAD, usd, wad
from tests.unit.margin_model.conftest import BILLS, BONDS, BTC, ETF, SIZELESS, T1, T3, TABLE, TIERS, Desk
from tests.unit.margin_model.vectors import MICROSOFT, VECTORS

OPEN = Closure()
WEEKEND = Closure(1, 1, 0)
LONG = wad(100_000)


def maintenance(model: Contract, *book: Exposure, closure: Closure = OPEN) -> int:
    return int(model.requirements(book, closure, 0)[0])


def initial(model: Contract, *book: Exposure, closure: Closure = OPEN, debt: int = 0) -> int:
    return int(model.requirements(book, closure, debt)[1])


@pytest.mark.parametrize(("name", "book", "mm", "im"), VECTORS, ids=[vector[0] for vector in VECTORS])
def test_requirements__worked_vector__to_the_cent(
    desk: Desk, name: str, book: list[Exposure], mm: str, im: str
) -> None:
    lines = list(SIZELESS.lines)
    lines[MICROSOFT] = lines[T1]
    desk.use(Table(SIZELESS.globals, lines))
    needed = desk.model.requirements(book, OPEN, 0)
    assert [usd(amount) for amount in needed] == [mm, im]


def test_requirements__empty_book__nothing(model: Contract) -> None:
    assert model.requirements([], OPEN, 0) == (0, 0)


def test_requirements__one_wei__every_term_rounded_up(model: Contract) -> None:
    # core: ceil(0.17) for the factor + ceil(0.1) for the name; one more for floor and wrapper together.
    assert model.requirements([Exposure(T3, token=1)], OPEN, 0) == (3, 4)


# the core


def test_requirements__net_short__own_name_at_short_side(model: Contract) -> None:
    assert maintenance(model, Exposure(T3, perp=-LONG)) == wad(10_200 + 11_500 + 1_000)


def test_requirements__event__own_name_doubled(model: Contract) -> None:
    assert maintenance(model, Exposure(T3, perp=LONG, eventful=BPS)) == wad(10_200 + 20_000 + 1_000)


def test_requirements__event_come_in_part__as_much_more_in_maintenance_all_of_it_in_initial(model: Contract) -> None:
    quarter, whole = (Exposure(T3, perp=LONG, eventful=come) for come in (BPS // 4, BPS))
    assert maintenance(model, quarter) == wad(10_200 + 12_500 + 1_000)
    assert initial(model, quarter) == initial(model, whole) == -(-4 * wad(10_200 + 20_000 + 1_000) // 3)


def test_requirements__one_of_two_events_come_in_part__the_larger_shock_decides_the_jump(model: Contract) -> None:
    # The names cancel in the factor; initial margin knows both events whole, maintenance one of them a quarter.
    book = Exposure(T3, perp=LONG, eventful=BPS // 4), Exposure(ETF, perp=-wad(170_000), eventful=BPS)
    assert maintenance(model, *book) == wad("1.3") * 12_500 + wad(1_000 + 850)
    assert initial(model, *book) == -(-4 * (wad("1.3") * 20_000 + wad(1_000 + 850)) // 3)


def test_requirements__event_over_100_percent__refused(model: Contract) -> None:
    for beyond in (BPS + 1, 2**256 - 1):
        with pytest.raises(Revert, match="model: event over 100%"):
            model.requirements([Exposure(T3, perp=LONG, eventful=beyond)], OPEN, 0)


def test_requirements__largest_shock_over_the_rest__jump_decides(model: Contract) -> None:
    # Two names against each other: the factor cancels, and 1.3 x 10,000 exceeds the root of the squares.
    book = Exposure(T3, perp=LONG), Exposure(ETF, perp=-wad(170_000))
    assert maintenance(model, *book) == wad(13_000 + 1_000 + 850)


def test_requirements__groups_against_each_other__no_credit(model: Contract) -> None:
    stock, coin = Exposure(ETF, perp=LONG), Exposure(BTC, perp=-LONG)
    terms = model.explain([stock, coin], OPEN, 0)
    assert terms.factor == wad(6_000 + 15_000)


def test_requirements__rates__by_maturity(model: Contract) -> None:
    assert maintenance(model, Exposure(BILLS, perp=LONG)) == wad(500 + 250)
    assert maintenance(model, Exposure(BONDS, perp=LONG)) == wad(4_000 + 250)


def test_requirements__own_shock_a_trifle_over_a_wei__rounded_up(desk: Desk) -> None:
    # iota x side x event x |d| is one part in 1e12 over a whole number of wei.
    scale = 10_001**2
    size = pow(scale, -1, 10**12)
    odd = replace(SIZELESS.globals, short_side=10_001, event_factor=10_001)
    desk.use(Table(odd, [replace(line, iota=1) for line in SIZELESS.lines]))
    terms = desk.model.explain([Exposure(T3, perp=-size, eventful=BPS)], OPEN, 0)
    assert terms.own == scale * size // 10**12 + 1


# the linear terms


def test_requirements__width__on_net_exposure_only(model: Contract) -> None:
    hedged = Exposure(T3, token=LONG, perp=-wad(80_000))
    wide = replace(hedged, width=100)
    assert maintenance(model, wide) - maintenance(model, hedged) == wad(200)


def test_requirements__full_width__all_of_the_net(model: Contract) -> None:
    naked = Exposure(T3, perp=LONG)
    assert maintenance(model, replace(naked, width=10_000)) - maintenance(model, naked) == LONG


def test_requirements__hedged_in_part__basis_on_the_pair_only(model: Contract) -> None:
    assert model.explain([Exposure(T3, token=LONG, perp=-wad(80_000))], OPEN, 0).basis == wad(1_600)
    assert model.explain([Exposure(T3, token=wad(80_000), perp=-LONG)], OPEN, 0).basis == wad(1_600)


def test_requirements__token_and_long_perp__no_basis(model: Contract) -> None:
    assert model.explain([Exposure(T3, token=LONG, perp=LONG)], OPEN, 0).basis == 0


def test_requirements__further_issuer__hedges_and_pays_its_own_wrapper(model: Contract) -> None:
    terms = model.explain([Exposure(T3, token=wad(60_000), other=wad(40_000), perp=-LONG)], OPEN, 0)
    assert (terms.core, terms.basis, terms.wrapper) == (0, wad(2_000), wad(300 + 400))


# size


def test_requirements__size_charge__grows_with_the_square(desk: Desk) -> None:
    desk.use(TABLE)
    depth = TABLE.lines[T3].depth

    def size(exposure: int) -> int:
        return int(desk.model.explain([Exposure(T3, perp=exposure)], OPEN, 0).size)

    assert size(depth * WAD) == depth * WAD // 100
    assert size(2 * depth * WAD) == 4 * size(depth * WAD)
    assert size(-2 * depth * WAD) == 4 * size(depth * WAD)


def test_requirements__size_charge__capped(desk: Desk) -> None:
    desk.use(TABLE)
    huge = 1_000 * TABLE.lines[T3].depth * WAD
    assert desk.model.explain([Exposure(T3, perp=huge)], OPEN, 0).size == huge // 5


def test_requirements__smallest_slope__charged(desk: Desk) -> None:
    desk.use(Table(TABLE.globals, [replace(line, slope=1) for line in TABLE.lines]))
    depth = TABLE.lines[T3].depth * WAD
    assert desk.model.explain([Exposure(T3, perp=depth)], OPEN, 0).size == depth // 10_000
    assert desk.model.explain([Exposure(T3, perp=1)], OPEN, 0).size == 1


def test_requirements__size_charge__the_session_leaves_it_alone(desk: Desk) -> None:
    desk.use(TABLE)
    book = [Exposure(T3, perp=TABLE.lines[T3].depth * WAD)]
    terms = desk.model.explain(book, Closure(2, 2, 0), 0)
    assert terms.core == desk.model.explain(book, OPEN, 0).core * 3 // 2
    assert terms.maintenance == terms.core + terms.floor + terms.size


# the session


@pytest.mark.parametrize(
    ("closure", "now_bps", "ahead_bps"),
    [
        (Closure(0, 0, 0), 10_000, 10_000),
        (Closure(0, 1, 0), 10_000, 12_500),
        (Closure(0, 1, 5_000), 11_250, 12_500),
        (Closure(0, 1, 10_000), 12_500, 12_500),
        (Closure(0, 2, 1), 10_001, 15_000),  # half a basis point, rounded up
        (Closure(1, 1, 0), 12_500, 12_500),
        (Closure(1, 2, 5_000), 13_750, 15_000),
        (Closure(2, 2, 10_000), 15_000, 15_000),
    ],
)
def test_requirements__closure__multiplies_the_core_alone(
    model: Contract, closure: Closure, now_bps: int, ahead_bps: int
) -> None:
    core, rest = 20_200, 1_500
    book = Exposure(T3, token=LONG)
    assert maintenance(model, book, closure=closure) == wad(core) * now_bps // 10_000 + wad(rest)
    assert initial(model, book, closure=closure) == -(-4 * (wad(core) * ahead_bps // 10_000 + wad(rest)) // 3)


def test_requirements__market_that_never_closes__no_closure_counts(model: Contract) -> None:
    coin = Exposure(BTC, perp=LONG)
    assert model.requirements([coin], Closure(2, 2, 0), 0) == model.requirements([coin], OPEN, 0)


def test_requirements__stock_and_coin__only_the_stock_moves_further(model: Contract) -> None:
    terms = model.explain([Exposure(T3, perp=LONG), Exposure(BTC, perp=LONG)], Closure(2, 2, 0), 0)
    assert terms.factor == wad(10_200) * 3 // 2 + wad(15_000)
    assert usd(terms.own) == usd(isqrt((wad(10_000) * 3 // 2) ** 2 + wad(4_000) ** 2))
    assert terms.jump == wad("1.3") * 15_000


def test_requirements__closed_and_open_market_of_one_group__the_worse_of_moving_further_or_not(desk: Desk) -> None:
    # A fund that holds bitcoin keeps hours; the coin does not. 100 of the fund against 110 of the coin: if the fund
    # moves half as far again, the book is net long by 40; if it does not, net short by 10.
    fund = replace(SIZELESS.lines[BTC], hours=1)
    desk.use(Table(SIZELESS.globals, [*SIZELESS.lines, fund]))
    coin = Exposure(BTC, perp=-wad(110_000))
    further = desk.model.explain([Exposure(len(TIERS), perp=LONG), coin], Closure(2, 2, 0), 0)
    assert further.factor == wad(40_000) * 15 // 100
    # With less of the fund the coin outweighs it either way, and most if the fund stays where it is.
    same = desk.model.explain([Exposure(len(TIERS), perp=wad(30_000)), coin], Closure(2, 2, 0), 0)
    assert same.factor == wad(80_000) * 15 // 100


# debt


def test_requirements__debt__72_hours_of_interest_in_initial_only(desk: Desk) -> None:
    yearly = replace(SIZELESS.globals, loan_rate=3_650)
    desk.use(Table(yearly, SIZELESS.lines))
    assert desk.model.requirements([], OPEN, wad(100_000)) == (0, wad(300))
    assert desk.model.requirements([], OPEN, 1) == (0, 1)


# what it refuses


@pytest.mark.parametrize("underlying", [len(TIERS), 63, 64, 255, 256, 2**256 - 1])
def test_requirements__unknown_underlying__refused(model: Contract, underlying: int) -> None:
    with pytest.raises(Revert, match="model: unknown underlying"):
        model.requirements([Exposure(ETF), Exposure(underlying)], OPEN, 0)


@pytest.mark.parametrize("second", [1, 2])
def test_requirements__underlying_named_twice__refused(model: Contract, second: int) -> None:
    book = [Exposure(T1), Exposure(T3), Exposure(ETF)]
    book.insert(second, Exposure(T1))
    with pytest.raises(Revert, match="model: duplicate underlying"):
        model.requirements(book, OPEN, 0)


@pytest.mark.parametrize(
    "beyond",
    [
        Exposure(T3, token=VALUE_MAX + 1),
        Exposure(T3, token=2**256 - 1),
        Exposure(T3, other=VALUE_MAX + 1),
        Exposure(T3, perp=VALUE_MAX + 1),
        Exposure(T3, perp=-VALUE_MAX - 1),
        Exposure(T3, perp=2**255 - 1),
        Exposure(T3, perp=-(2**255)),
    ],
    ids=str,
)
def test_requirements__notional_beyond_the_bound__refused(model: Contract, beyond: Exposure) -> None:
    with pytest.raises(Revert, match="model: notional too large"):
        model.requirements([beyond], OPEN, 0)


def test_requirements__notional_at_the_bound__accepted(model: Contract) -> None:
    most = Exposure(T3, VALUE_MAX, VALUE_MAX, -VALUE_MAX, 10_000, BPS)
    assert maintenance(model, most) > VALUE_MAX


def test_requirements__width_over_the_price__refused(model: Contract) -> None:
    with pytest.raises(Revert, match="model: width over 100%"):
        model.requirements([Exposure(T3, width=10_001)], OPEN, 0)


@pytest.mark.parametrize(
    "closure",
    [Closure(1, 0, 0), Closure(2, 1, 0), Closure(0, 3, 0), Closure(3, 3, 0), Closure(0, 1, 10_001)],
    ids=str,
)
def test_requirements__impossible_closure__refused(model: Contract, closure: Closure) -> None:
    with pytest.raises(Revert, match="model: bad closure"):
        model.requirements([], closure, 0)


def test_requirements__debt_beyond_the_bound__refused(model: Contract) -> None:
    assert initial(model, debt=VALUE_MAX) > 0
    with pytest.raises(Revert, match="model: debt too large"):
        model.requirements([], OPEN, VALUE_MAX + 1)


def test_requirements__33_exposures__refused_by_its_type(desk: Desk) -> None:
    desk.use(Table(SIZELESS.globals, [SIZELESS.lines[0]] * 64))
    assert maintenance(desk.model, *(Exposure(number, perp=1) for number in range(32)))
    with pytest.raises(Revert):
        desk.model.requirements([Exposure(number, perp=1) for number in range(33)], OPEN, 0)
