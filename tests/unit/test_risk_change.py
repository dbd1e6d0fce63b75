"""What a new risk table would change, against the contract that will do it."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from prime_perps import risk
from prime_perps.chain import Contract
from prime_perps.compiler import ROOT
from prime_perps.errors import Revert
from prime_perps.liquidation import Doubts
from prime_perps.margin import Closure, Exposure, Table
from prime_perps.reports import Session, Word
from prime_perps.risk_change import (
    DAY,
    Book,
    Change,
    Comparison,
    Effect,
    Level,
    Outlook,
    changes,
    guardian_may,
    moments,
    table_of,
)
from prime_perps.units import MID, wad
from tests.stage import Stage, account, address

FILE = risk.load(ROOT / "parameters" / "risk.json")
TABLE = FILE.table(["T3", "ETF", "BTC"])
NVDA, SPY, BTC = range(3)
LISTED = {NVDA: "NVDA", SPY: "SPY"}
PARAMETERS = {"underlyings": [{"symbol": "NVDA", "tier": "T3"}, {"symbol": "SPY", "tier": "ETF"}]}
RAMP = 3 * DAY
OPEN = Word(mid=100 * MID, session=Session.REGULAR)
CERTAIN = Doubts(0, 0, 0)


def changed(underlying: int, **fields: int) -> Table:
    """The table with some fields of one line replaced."""
    lines = list(TABLE.lines)
    lines[underlying] = replace(lines[underlying], **fields)
    return Table(TABLE.globals, lines)


def level(maintenance: int, initial: int = 0, equity: int = 0, doubt: int = 0) -> Level:
    return Level(equity, Doubts(doubt, 0, 0), maintenance, maintenance, max(initial, maintenance))


# fields


def test_changes__same_table__none():
    assert changes(TABLE, Table(TABLE.globals, list(TABLE.lines))) == []


def test_changes__globals_and_a_line__each_named_with_both_values():
    new = Table(replace(TABLE.globals, phi=(600, 1_600, 400, 0), weekend=12_000), changed(SPY, iota=60).lines)
    assert changes(TABLE, new) == [
        Change(None, "phi.crypto", 1_500, 1_600, Effect.MORE),
        Change(None, "weekend", 12_500, 12_000, Effect.LESS),
        Change(SPY, "iota", 50, 60, Effect.MORE),
    ]


@pytest.mark.parametrize("field", ["iota", "gamma", "basis", "wrapper", "wrapper_other", "slope"])
def test_changes__charge_of_a_line__follows_its_direction(field):
    usual = getattr(TABLE.lines[NVDA], field)
    more, less = (
        changes(TABLE, changed(NVDA, **{field: usual + 1})),
        changes(TABLE, changed(NVDA, **{field: usual - 1})),
    )
    assert [change.effect for change in more + less] == [Effect.MORE, Effect.LESS]


@pytest.mark.parametrize("fields", [{"group": 2}, {"beta": 17_001}, {"beta": 16_999}, {"hours": 0}])
def test_changes__what_raises_one_book_and_lowers_another__cuts_both_ways(fields):
    (change,) = changes(TABLE, changed(NVDA, **fields))
    assert change.effect is Effect.EITHER


def test_changes__depth__charges_more_when_it_falls():
    usual = TABLE.lines[NVDA].depth
    found = [changes(TABLE, changed(NVDA, depth=usual + by))[0].effect for by in (-1, 1)]
    assert found == [Effect.MORE, Effect.LESS]


def test_changes__depth_without_a_slope_before__charges_the_same():
    before = changed(NVDA, slope=0)
    after = changed(NVDA, slope=0, depth=TABLE.lines[NVDA].depth + 1)
    assert [change.effect for change in changes(before, after)] == [Effect.NOTHING]


def test_changes__line_added_or_lost__every_field_with_one_value():
    longer = Table(TABLE.globals, [*TABLE.lines, TABLE.lines[0]])
    added, lost = changes(TABLE, longer), changes(longer, TABLE)
    assert {(change.underlying, change.old, change.effect) for change in added} == {(3, None, Effect.ADDED)}
    assert {(change.underlying, change.new, change.effect) for change in lost} == {(3, None, Effect.LOST)}
    assert [change.new for change in added] == [change.old for change in lost] == list(vars(TABLE.lines[0]).values())


@pytest.mark.parametrize(
    ("new", "may"),
    [
        (TABLE, True),
        (changed(NVDA, iota=1_001), True),
        (changed(NVDA, iota=999), False),
        (changed(NVDA, beta=17_001), False),
        (Table(TABLE.globals, [*TABLE.lines, TABLE.lines[0]]), False),
        (Table(TABLE.globals, TABLE.lines[:-1]), False),
        (Table(replace(TABLE.globals, jump=13_001), TABLE.lines), True),
        (Table(replace(TABLE.globals, jump=12_999), TABLE.lines), False),
    ],
)
def test_guardian_may__only_what_charges_no_book_less(new, may):
    assert guardian_may(TABLE, new) is may


# a risk file on a deployment


def test_table_of__tiers_of_the_parameters__in_their_order():
    table, symbols = table_of(FILE, PARAMETERS, LISTED)
    assert (table, symbols) == (FILE.table(["T3", "ETF"]), LISTED)


def test_table_of__more_underlyings_than_listed__become_lines():
    more = {"underlyings": [*PARAMETERS["underlyings"], {"symbol": "BTC", "tier": "BTC"}]}
    table, symbols = table_of(FILE, more, LISTED)
    assert (len(table.lines), symbols[BTC]) == (3, "BTC")


@pytest.mark.parametrize(
    ("parameters", "told"),
    [
        ([], "do not list underlyings"),
        ({"underlyings": [{"symbol": "NVDA"}]}, "do not list underlyings"),
        ({"underlyings": PARAMETERS["underlyings"][:1]}, "underlying 1 is SPY in the deployment, missing"),
        ({"underlyings": PARAMETERS["underlyings"][::-1]}, "underlying 0 is NVDA in the deployment, SPY"),
        ({"underlyings": [{"symbol": "NVDA", "tier": "T9"}, PARAMETERS["underlyings"][1]]}, "no tier 'T9'"),
    ],
)
def test_table_of__parameters_of_another_deployment__named(parameters, told):
    with pytest.raises(risk.BadRiskParameters, match=told):
        table_of(FILE, parameters, LISTED)


# over the ramp


def test_at__stricter_table__maintenance_by_and_by_initial_at_once():
    outlook = Outlook(1, level(100, 130), level(200, 260), ramp=10)
    assert [outlook.at(second).maintenance for second in (-1, 0, 5, 10, 11)] == [100, 100, 150, 200, 200]
    assert {outlook.at(second).initial for second in (0, 5, 10)} == {260}


def test_at__milder_table__both_by_and_by_rounded_up():
    outlook = Outlook(1, level(200, 260), level(100, 130), ramp=3)
    assert [(each.maintenance, each.initial) for each in map(outlook.at, (0, 1, 2, 3))] == [
        *((200, 260), (167, 217), (134, 174), (100, 130))
    ]


@given(
    st.tuples(st.integers(0, 60), st.integers(0, 60)),
    st.tuples(st.integers(0, 60), st.integers(0, 60)),
    st.integers(-20, 60),
    st.tuples(st.integers(0, 9), st.integers(0, 9), st.integers(-9, 30)),
    st.integers(1, 40),
)
def test_liquidatable_after__any_margins__first_second_that_is(old, new, equity, doubts, ramp):
    frozen, others, slow = doubts
    left_open = Doubts(frozen + others, frozen, slow)
    outlook = Outlook(1, Level(equity, left_open, *old, 60), Level(equity, left_open, *new, 60), ramp)
    seconds = range(ramp + 1)
    assert outlook.liquidatable_after == next((s for s in seconds if outlook.at(s).liquidatable), None)
    assert outlook.below_maintenance_after == next((s for s in seconds if outlook.at(s).below_maintenance), None)


@pytest.mark.parametrize(("ramp", "expected"), [(1, [0, 1]), (DAY, [0, DAY]), (DAY + 1, [0, DAY, DAY + 1])])
def test_moments__every_day_and_the_end(ramp, expected):
    assert moments(ramp) == expected
    assert len(Outlook(1, level(1), level(2), ramp).by_day()) == len(expected)


@pytest.mark.parametrize(
    ("equity", "doubt", "falls"),
    [
        (260, 0, (False, False, False)),
        (259, 0, (True, False, False)),
        (200, 0, (True, False, False)),
        (199, 1, (True, True, False)),
        (199, 0, (True, True, True)),
        (130, 0, (True, True, True)),
        (129, 0, (False, True, True)),
        (100, 0, (False, True, True)),
        (99, 0, (False, False, False)),
        (99, 1, (False, False, True)),
    ],
)
def test_falls__each_side_of_each_boundary__counts_only_what_is_met_today(equity, doubt, falls):
    outlook = Outlook(1, level(100, 130, equity, doubt), level(200, 260, equity, doubt), RAMP)
    assert (outlook.falls_below_initial, outlook.falls_below_maintenance, outlook.becomes_liquidatable) == falls
    assert outlook.falls is any(falls)


# all accounts


def book(account: int, equity: int, charged: tuple[int, int] | None = None, underlying: int = NVDA) -> Book:
    """Long 100,000 USD; charged by the chain what TABLE asks for, unless said otherwise."""
    bare = Book(
        account, [(Exposure(underlying, perp=wad(100_000)), OPEN)], Closure(), 0, Level(equity, CERTAIN, 0, 0, 0)
    )
    due = bare.under(TABLE)
    maintenance, initial = charged or (due.maintenance, due.initial)
    return replace(bare, charged=replace(due, maintenance=maintenance, initial=initial))


STRICTER = Table(replace(TABLE.globals, phi=(1_200, 1_500, 400, 0)), TABLE.lines)
BEFORE = book(0, 0).under(TABLE)
AFTER = book(0, 0).under(STRICTER)


def test_comparison__stricter_table__soonest_first_and_the_untouched_left_out():
    books = [
        book(1, 10 * AFTER.initial),
        book(2, AFTER.maintenance),
        book(3, AFTER.maintenance - 1),
        book(4, BEFORE.maintenance),
        book(5, BEFORE.maintenance - 1),
    ]
    compared = Comparison.of(TABLE, STRICTER, RAMP, books, {})
    assert [outlook.account for outlook in compared.falling] == [4, 3, 2]
    assert (compared.warnings, compared.guardian_may) == ([], True)


def test_comparison__what_the_chain_charges_is_not_what_the_table_asks__unreadable_and_warned_of():
    wrong = book(1, 0, charged=(BEFORE.maintenance + 1, BEFORE.initial))
    compared = Comparison.of(TABLE, STRICTER, RAMP, [wrong, book(2, 0)], {3: "lens: out of step"})
    assert [outlook.account for outlook in compared.outlooks] == [2]
    assert set(compared.unreadable) == {1, 3}
    assert compared.warnings == ["2 accounts could not be evaluated: what happens to them is not known"]


@pytest.mark.parametrize("charged", [BEFORE, AFTER, Level(0, CERTAIN, BEFORE.maintenance + 1, 0, AFTER.initial)])
def test_comparison__while_another_table_comes_in__anything_between_the_two_is_explained(charged):
    during = book(1, 0, charged=(charged.maintenance, charged.initial))
    compared = Comparison.of(STRICTER, STRICTER, RAMP, [during], {}, before=[TABLE])
    assert not compared.guardian_may
    assert compared.unreadable == {}
    assert compared.outlooks[0].old == replace(AFTER, equity=0)


def test_comparison__nothing_changes__warned_of():
    compared = Comparison.of(TABLE, TABLE, RAMP, [book(1, 0)], {})
    assert compared.warnings == ["nothing changes: the two tables are the same"]
    assert compared.falling == []


def test_comparison__fewer_lines__warned_of_and_holders_named():
    holder = book(1, 0, underlying=BTC)
    compared = Comparison.of(TABLE, Table(TABLE.globals, TABLE.lines[:-1]), RAMP, [holder], {})
    assert compared.unreadable == {1: "model: unknown underlying"}
    assert compared.warnings[0].startswith("the new table has 1 fewer lines")


# against the chain


@pytest.fixture(scope="module")
def shared_stage():
    """A hedged holder with a loan, and a taker who is long, all healthy; a ramp of days."""
    stage = Stage.deployed({"risk_ramp": RAMP})
    stage.fund("maker", "1000000")
    stage.fund("holder", "2000")
    stage.fund_stock("holder", "NVDA", "500")
    stage.fund("taker", "45000")
    stage.trade("maker", "holder", "NVDA", "-400")
    stage.trade("maker", "taker", "NVDA", "1000")
    stage.trade("maker", "taker", "BTC", "0.1")
    stage.withdraw("holder", "8000")
    return stage


@pytest.fixture
def stage(shared_stage):
    with shared_stage.undone():
        yield shared_stage


ROLES = ("maker", "holder", "taker")


def read(stage: Stage, role: str) -> Book:
    return Book.of(account(role), stage.system.lens.account_summary(account(role)))


def follow(stage: Stage, table: Table, starts: int) -> Contract:
    """A model of the factory, not yet used."""
    models = stage.system.models
    receipt = models.make(table.globals, table.lines, stage.system.model, starts, sender=address("attacker"))
    ((_, fields),) = models.events(receipt)
    return Contract.at(stage.backend, "MarginModel", fields["model"])


def use(stage: Stage, new: Table) -> tuple[dict[str, Outlook], int]:
    """What is predicted for everybody, and when the ramp begins; the model is used half an hour before."""
    starts = stage.now() + 3_600
    model = follow(stage, new, starts)
    books = {role: read(stage, role) for role in ROLES}
    compared = Comparison.of(risk.read_table(stage.system.model), new, model.ramp(), books.values(), {})
    assert compared.unreadable == {}
    stage.warp(1_800)
    stage.govern(stage.system.configurator.set_model, model)
    return dict(zip(ROLES, compared.outlooks, strict=True)), starts


def go_to(stage: Stage, instant: int) -> None:
    """To a second at which every price has just been published."""
    stage.warp(instant - stage.now() - 1)
    stage.publish()


def moved_both_ways(table: Table) -> Table:
    rules = replace(table.globals, phi=(1_100, 1_400, 400, 0), jump=14_000, weekend=11_000)
    return Table(rules, [replace(line, iota=line.iota + 77, wrapper=0, slope=line.slope + 3) for line in table.lines])


@pytest.mark.parametrize("elapsed", [-1_000, 0, 1, DAY, RAMP // 2 + 1, RAMP - 1, RAMP, 2 * RAMP])
def test_at__every_account__what_the_chain_asks_for_to_the_wei(stage, elapsed):
    before = {role: stage.money(role).cash for role in ROLES}
    outlooks, starts = use(stage, moved_both_ways(risk.read_table(stage.system.model)))
    go_to(stage, starts + elapsed)
    for role, outlook in outlooks.items():
        told, charged = outlook.at(elapsed), read(stage, role).charged
        # interest that nobody asked about: what it did to cash, and to the margin that a loan needs
        interest = stage.money(role).cash - before[role]
        assert (interest > 0, interest < 0) == (role in ("maker", "taker"), role == "holder")
        assert charged.equity == told.equity + interest, role
        assert told.initial <= charged.initial <= told.initial + (max(-interest, 0) + 99) // 100, role
        assert replace(told, equity=charged.equity, initial=charged.initial) == charged, role


def stricter(stage: Stage, stocks: int = 1_500, crypto: int = 1_500) -> Table:
    usual = risk.read_table(stage.system.model)
    return Table(replace(usual.globals, phi=(stocks, crypto, 400, 0)), usual.lines)


def test_liquidatable_after__taker__healthy_one_second_before_and_for_sale_at_it(stage):
    outlooks, starts = use(stage, stricter(stage))
    outlook, engine = outlooks["taker"], stage.system.engine
    assert outlook.becomes_liquidatable
    assert 0 < outlook.liquidatable_after < RAMP
    with stage.undone():
        go_to(stage, starts + outlook.liquidatable_after - 1)
        with pytest.raises(Revert, match="engine: healthy"):
            engine.start(account("taker"), sender=address("keeper"))
    go_to(stage, starts + outlook.liquidatable_after)
    engine.start(account("taker"), sender=address("keeper"))


def test_liquidatable_after__price_in_doubt__later_than_below_maintenance(stage):
    """What is halted asks for nothing: the rest of the book must be too much for equity and doubt."""
    stage.fund("taker", "60000")
    stage.trade("maker", "taker", "BTC", "2.4")
    stage.oracle.set_halt(stage.id("NVDA"), True, sender=address("guardian"))
    outlooks, starts = use(stage, stricter(stage, stocks=5_000, crypto=9_000))
    outlook, engine = outlooks["taker"], stage.system.engine
    assert outlook.old.doubt == outlook.old.doubts.frozen > 0
    assert outlook.below_maintenance_after < outlook.liquidatable_after
    go_to(stage, starts + outlook.below_maintenance_after)
    assert read(stage, "taker").charged.verdict == "below maintenance, protected by old, frozen or sudden prices"
    go_to(stage, starts + outlook.liquidatable_after - 1)
    with pytest.raises(Revert, match="engine: healthy"):
        engine.start(account("taker"), sender=address("keeper"))
    go_to(stage, starts + outlook.liquidatable_after)
    engine.start(account("taker"), sender=address("keeper"))


def test_falls_below_initial__before_the_ramp_begins__nothing_more_can_be_bought(stage):
    outlooks, starts = use(stage, stricter(stage))
    assert stage.now() < starts
    assert outlooks["taker"].falls_below_initial
    with pytest.raises(Revert, match="risk: below initial"):
        stage.trade("maker", "taker", "SPY", "1")


@pytest.mark.parametrize("by", [-1, 1])
@pytest.mark.parametrize(
    "field", ["iota", "gamma", "basis", "wrapper", "wrapper_other", "slope", "depth", "group", "beta", "hours"]
)
def test_guardian_may__line__is_the_factorys_word(stage, field, by):
    usual = risk.read_table(stage.system.model)
    # so that every charge can go up and down within its bounds
    before = [replace(line, gamma=line.gamma + 1, wrapper=50) for line in usual.lines]
    # bitcoin's market is the one without hours
    at = stage.id("NVDA" if field == "hours" and by < 0 else "BTC")
    moved = replace(before[at], **{field: getattr(before[at], field) + by})
    after = [*before[:at], moved, *before[at + 1 :]]
    assert_agreed(stage, Table(usual.globals, before), Table(usual.globals, after))


@pytest.mark.parametrize("by", [-1, 0, 1])
@pytest.mark.parametrize(
    "field", ["short_side", "jump", "event_factor", "slope_cap", "long_closure", "loan_rate", "phi"]
)
def test_guardian_may__global__is_the_factorys_word(stage, field, by):
    usual = risk.read_table(stage.system.model)
    rules = usual.globals
    to = (*rules.phi[:2], rules.phi[2] + by, rules.phi[3]) if field == "phi" else getattr(rules, field) + by
    assert_agreed(stage, usual, Table(replace(rules, **{field: to}), usual.lines))


@pytest.mark.parametrize("slope", [0, 100])
@pytest.mark.parametrize("by", [-1, 1])
def test_guardian_may__depth__is_the_factorys_word(stage, slope, by):
    usual = risk.read_table(stage.system.model)
    sloped = [replace(line, slope=slope) for line in usual.lines]
    deeper = [replace(line, depth=line.depth + by) for line in sloped]
    assert_agreed(stage, Table(usual.globals, sloped), Table(usual.globals, deeper))


def test_guardian_may__line_added__is_the_factorys_word(stage):
    usual = risk.read_table(stage.system.model)
    assert_agreed(stage, usual, Table(usual.globals, [*usual.lines, usual.lines[0]]))


def assert_agreed(stage: Stage, before: Table, after: Table) -> None:
    """The factory and this library say the same of the step from one table to the other."""
    models = stage.system.models
    receipt = models.make(before.globals, before.lines, "0x" + "00" * 20, 0, sender=address("attacker"))
    first = next(fields["model"] for _, fields in models.events(receipt))
    receipt = models.make(after.globals, after.lines, first, stage.now(), sender=address("attacker"))
    second = next(fields["model"] for _, fields in models.events(receipt))
    assert guardian_may(before, after) == models.follows(second, first)
