"""novate: what a fill does to the funding rate, and how both sides settle what they owe."""

from __future__ import annotations

import pytest

from prime_perps import funding
from prime_perps.errors import Revert
from prime_perps.margin import div_up
from prime_perps.reports import Session
from prime_perps.units import MID, NANO, PIPS, WAD, wad
from tests.stage import Stage, account, address, parameters

from .conftest import Book, configured, toward_zero

CAP = 17_000  # 1e-8 of the price per hour: 0.017 %
HOUR = 3_600
MINUTE = 60
# A fill of 10,000 at 150.12, a premium of 0.08 %, against this depth: half of a target of 0.01 % an hour.
SIZE, PRICE, DEPTH = "10000", "150.12", 1_501_200
HALF = 5_000
# 0.00005 of 150 USD an hour, fading by half, for an hour on 10,000 units.
AN_HOUR_OWED = wad("54.104166666")


@pytest.fixture
def book(empty_book: Book) -> Book:
    """Rich traders, and a depth that makes for round numbers."""
    for role in ("maker", "taker", "holder"):
        empty_book.pay(role, "10000000")
    _set_depth(empty_book, DEPTH)
    return empty_book


def _set_depth(book: Book, depth: int) -> None:
    book.set_market(0, 1_000_000 * NANO, 500, depth)


def _rate(book: Book, symbol: str = "AAPL") -> int:
    return int(book.market(symbol).funding_rate)


def _next_price(book: Book, seconds: int, **changed: str) -> None:
    """A fresh price this much later."""
    book.stage.warp(seconds - 1)
    book.stage.publish(**changed)


# the rate


@pytest.mark.parametrize(
    ("size", "price", "depth", "rate"),
    [
        pytest.param("10000", "150.12", 1_501_200, 5_000, id="as much as the depth moves half of the way"),
        pytest.param("-10000", "150.12", 1_501_200, 5_000, id="whoever takes"),
        pytest.param("10000", "149.88", 1_498_800, -5_000, id="a discount moves it below zero"),
        pytest.param("10000", "150.12", 3 * 1_501_200, 2_500, id="a quarter of the weight"),
        pytest.param("10000", "150", 1_500_000, 0, id="no premium, no funding"),
        pytest.param("10000", "157.5", 1_575_000, CAP // 2, id="a large premium counts as the cap"),
        pytest.param("10000", "142.5", 1_425_000, -CAP // 2, id="and a large discount"),
        pytest.param("10000", "157.5", 1, CAP - 1, id="no depth at all reaches the cap, but for rounding"),
    ],
)
def test_novate__first_fill__moves_the_rate_towards_its_premium(
    book: Book, size: str, price: str, depth: int, rate: int
) -> None:
    _set_depth(book, depth)
    book.novate(size, price)
    assert _rate(book) == rate


def test_novate__second_fill__moves_it_from_where_it_was(book: Book) -> None:
    book.novate(SIZE, PRICE)
    book.novate(SIZE, PRICE)
    assert _rate(book) == HALF + HALF // 2
    book.novate("-20000", "150")
    assert _rate(book) == 7_500 - 7_500 * 3_000_000 // (3_000_000 + DEPTH)


@pytest.mark.parametrize("price", ["157.5", "142.5"])
@pytest.mark.parametrize("size", [1, NANO // 10])
def test_novate__tiny_fills__do_not_move_the_rate(book: Book, size: int, price: str) -> None:
    """15 USD against a depth of 1.5 million weigh 0.17e-8 an hour at the cap: less than the rate resolves."""
    book.novate(SIZE, PRICE)
    for _ in range(20):
        book.novate(size, price)
    assert _rate(book) == HALF


@pytest.mark.parametrize(
    ("seconds", "faded"), [(1, 4_999), (1_200, 3_968), (HOUR, 2_500), (2 * HOUR, 1_250), (13 * HOUR, 0), (10**6, 0)]
)
def test_novate__time_between_fills__fades_the_past_by_half_in_an_hour(book: Book, seconds: int, faded: int) -> None:
    book.novate(SIZE, PRICE)
    _next_price(book, seconds)
    book.novate(SIZE, PRICE)
    assert _rate(book) == faded + (10_000 - faded) // 2
    assert funding.left(seconds) == pytest.approx(funding.WHOLE * 2 ** (-seconds / HOUR), rel=2e-4, abs=1)


def test_novate__dust_every_minute__leaves_no_trace(book: Book) -> None:
    """Whoever pays funding cannot bring it down, and whoever is paid cannot keep it up."""
    book.novate(SIZE, PRICE)
    written = book.market()
    for _ in range(60):
        _next_price(book, MINUTE)
        for price in ("142.5", "157.5"):
            book.novate(NANO // 10, price)
    # the dust itself is open interest; of the funding nothing has changed
    assert book.market()._replace(open_interest=written.open_interest) == written
    index = funding.charged(HALF, 150 * MID, 60 * MINUTE)
    assert book.position("taker").funding_index == index


@pytest.mark.parametrize("flag", ["halt", "shut", "old"])
def test_novate__price_in_doubt__no_fill_moves_the_rate(book: Book, flag: str) -> None:
    book.novate(SIZE, PRICE)
    written = book.market()
    if flag == "halt":
        book.stage.oracle.set_halt(0, True, sender=address("guardian"))
    elif flag == "shut":
        book.stage.sessions["AAPL"] = Session.CLOSED
        book.stage.publish()
    else:
        book.stage.warp(3 * MINUTE)
    book.novate("-5000", "157.5")
    after = book.market()
    assert (after.funding_rate, after.funding_time) == (written.funding_rate, written.funding_time)


def test_novate__markets__have_a_rate_each(book: Book) -> None:
    """Two share a storage word: 0 and 1, 2 and 3."""
    book.novate(SIZE, PRICE)
    book.novate("10000", "109.912", symbol="IBM")
    book.novate("10000", "25.02", symbol="MSFT")
    assert _rate(book) == HALF
    assert _rate(book, "IBM") == toward_zero(-10_000 * 1_099_120, 1_099_120 + 1_000_000)
    assert _rate(book, "MSFT") == 10_000 * 250_200 // (250_200 + 1_000_000)
    assert _rate(book, "GOOG") == 0


# what it costs


def test_CH_6_novate__an_hour_at_the_rate__is_settled_with_the_next_fill(book: Book) -> None:
    """0.00005 of 150 USD an hour on 10,000 units, fading by half: 54 USD from the long to the short."""
    book.novate(SIZE, PRICE)
    _next_price(book, HOUR)
    owed = 10_000 * funding.charged(HALF, 150 * MID, HOUR) * 1_000
    assert owed // 10**9 == AN_HOUR_OWED // 10**9
    assert book.margin("taker").funding_owed == owed
    assert book.margin("maker").funding_owed == -owed
    book.novate("-1", "150")
    assert book.quote("taker") == -wad("1501200") - owed + 150 * WAD - wad("600.48") - wad("0.06")
    assert book.quote("maker") == wad("1501200") + owed - 150 * WAD - wad("150.12") - wad("0.015")
    assert book.position("taker").funding_index == owed // 10_000 // 1_000
    assert book.margin("taker").funding_owed == book.margin("maker").funding_owed == 0


def test_novate__a_week_without_a_fill__charges_what_an_hour_and_a_half_would_have(book: Book) -> None:
    """A rate that halves every hour charges 5,194 seconds of itself in all, however long nobody trades."""
    book.novate(SIZE, PRICE)
    book.stage.warp(7 * 86_400)
    index = HALF * 150 * MID * funding.MEMORY // 36_000
    assert book.margin("taker").funding_owed == 10_000 * index * 1_000


@pytest.mark.parametrize("looks", [0, 1, 59])
def test_novate__however_often_anybody_settles__charges_the_same(book: Book, looks: int) -> None:
    book.novate(SIZE, PRICE)
    for _ in range(looks):
        book.stage.warp(MINUTE)
        book.contract.settle(account("taker"), sender=address("attacker"))
    _next_price(book, HOUR - looks * MINUTE)
    book.novate("-1", "150")
    assert book.position("taker").funding_index == funding.charged(HALF, 150 * MID, HOUR)


def test_CH_6_novate__a_discount__is_paid_by_the_short(book: Book) -> None:
    book.novate(SIZE, "149.88")
    _next_price(book, HOUR)
    paid = book.margin("maker").funding_owed
    assert paid == -book.margin("taker").funding_owed == -10_000 * funding.charged(-4_996, 150 * MID, HOUR) * 1_000 != 0


def test_novate__opened_later__owes_nothing_of_before(book: Book) -> None:
    book.novate(SIZE, PRICE)
    _next_price(book, HOUR)
    book.novate("100", maker="maker", taker="holder")
    assert book.margin("holder").funding_owed == 0
    assert book.position("holder").funding_index == funding.charged(HALF, 150 * MID, HOUR)


def test_novate__closed_and_opened_again__owes_nothing_of_between(book: Book) -> None:
    book.novate(SIZE, PRICE)
    book.novate(f"-{SIZE}", PRICE)
    book.novate("100", maker="maker", taker="holder")
    _next_price(book, HOUR)
    book.novate("100")
    assert book.margin("taker").funding_owed == 0


@pytest.mark.parametrize(("size", "moves"), [("1", False), ("10000", True)])
def test_novate__after_an_hour__tells_where_funding_stands(book: Book, size: str, moves: bool) -> None:
    book.novate(SIZE, PRICE)
    written = book.market()
    _next_price(book, HOUR)
    _, told = next(book.contract.events(book.novate(size, "150")))
    market = book.market()
    assert told["funding_index"] == funding.charged(HALF, 150 * MID, HOUR)
    assert (told["funding_rate"], told["funding_time"]) == (market.funding_rate, market.funding_time)
    if moves:
        assert (market.funding_index, market.funding_time) == (told["funding_index"], book.stage.now())
    else:
        assert (market.funding_index, market.funding_time) == (written.funding_index, written.funding_time)


def test_novate__index_that_no_longer_fits__reverts() -> None:
    """The largest price there is, at the cap by ever new fills, fills 80 bits in five years: then it stands."""
    patient = parameters()["oracle"]
    patient["limits"]["age"] = [1_000_000] * 7
    book = configured(Stage.deployed({"oracle": patient}))
    book.stage.publish(AAPL="720000000")
    book.set_market(0, 2**79 - 1, 2_000, 1)
    for role in ("maker", "taker"):
        book.pay(role, 2**94 - 1)
    book.novate("-1", "864000000")
    market = book.market()
    while market.funding_index + funding.charged(market.funding_rate, 72 * 10**15, 12 * HOUR) < 2**79:
        book.stage.warp(12 * HOUR)
        if book.stage.now() % 500_000 < 12 * HOUR:
            book.stage.publish()
        book.novate(-1_000, "864000000")
        market = book.market()
    book.stage.warp(12 * HOUR)
    with pytest.raises(Revert, match="funding: index out of range"):
        book.novate(-1_000, "864000000")
    assert market == book.market()


@pytest.mark.parametrize("seconds", [1, 7, 1_234, 86_399, 10_000_003])
@pytest.mark.parametrize("price", ["150.12", "149.87", "157.4999999"])
def test_CH_6_novate__any_time_and_rate__who_owes_pays_rounded_up(book: Book, price: str, seconds: int) -> None:
    """Three positions of odd sizes: what is owed sums to less than a wei a position, never below zero."""
    book.novate(7_654_321_987_654, price)
    book.novate(1_234_567_890_123, price, taker="holder")
    book.stage.warp(seconds)
    owed = {role: int(book.margin(role).funding_owed) for role in ("maker", "taker", "holder")}
    assert 0 <= sum(owed.values()) < 3
    _check_each(book, owed, seconds)


def _check_each(book: Book, owed: dict[str, int], seconds: int) -> None:
    index = funding.charged(_rate(book), 150 * MID, seconds)
    for role, amount in owed.items():
        exact = book.size(role) * index
        assert amount == (div_up(exact, PIPS) if exact > 0 else toward_zero(exact, PIPS))


@pytest.mark.parametrize("seconds", [HOUR, 100_003])
def test_CH_2_novate__funding_paid_and_received__loses_dust_only_and_only_to_the_book(book: Book, seconds: int) -> None:
    book.novate(7_654_321_987_654, "150.07")
    before = book.total("maker", "taker")
    _next_price(book, seconds)
    book.novate(-7_654_321_987_654, "150.01")
    assert before - 1 <= book.total("maker", "taker") <= before
