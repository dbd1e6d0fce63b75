"""novate: what a trade books, to the wei: positions, quote, fees, open interest."""

from __future__ import annotations

import pytest

from prime_perps.errors import Revert
from prime_perps.margin import div_up
from prime_perps.units import NANO, PIPS, WAD, wad
from tests.stage import account, address

from .conftest import Book

MAKER_FEE, TAKER_FEE = 100, 400  # pips, as parameters/local.json has them
CASH = 100_000 * WAD  # what each has at first


def test_novate__a_buy__books_both_sides_and_both_fees(book: Book) -> None:
    book.novate("10")
    assert (book.size("maker"), book.size("taker")) == (-10 * NANO, 10 * NANO)
    assert book.quote("maker") == 1_500 * WAD - wad("0.15")
    assert book.quote("taker") == -1_500 * WAD - wad("0.60")
    assert (book.cash("maker"), book.cash("taker")) == (CASH, CASH)
    assert book.fees() == wad("0.75")
    assert book.insurance() == 0


def test_novate__a_sell__books_the_opposite(book: Book) -> None:
    book.novate("-10")
    assert (book.size("maker"), book.size("taker")) == (10 * NANO, -10 * NANO)
    assert book.quote("maker") == -1_500 * WAD - wad("0.15")
    assert book.quote("taker") == 1_500 * WAD - wad("0.60")
    assert (book.cash("maker"), book.cash("taker")) == (CASH, CASH)


def test_novate__always__tells_the_trade_and_both_sides_after_it(book: Book) -> None:
    book.novate("10")
    receipt = book.novate("-4", "151")
    expected = {
        "market": 0,
        "maker": account("maker"),
        "taker": account("taker"),
        "size": -4 * NANO,
        "price": 151 * WAD,
        "maker_fee": wad("0.0604"),
        "taker_fee": wad("0.2416"),
        "funding_index": 0,
        "funding_rate": book.market().funding_rate,
        "funding_time": book.market().funding_time,
        "maker_after": (-6 * NANO, 896 * WAD - wad("0.15") - wad("0.0604")),
        "taker_after": (6 * NANO, -896 * WAD - wad("0.60") - wad("0.2416")),
    }
    assert list(book.contract.events(receipt)) == [("Novated", expected)]
    assert book.size("taker") == 6 * NANO


@pytest.mark.parametrize("size", [1, -1, 7, 123_456_789_012, -987_654_321])
@pytest.mark.parametrize("price", [150 * WAD, 150 * WAD + 1, 149_123_456_789_012_345_678])
def test_CH_2_novate__any_size_and_price__moves_one_rounded_notional_and_rounds_fees_up(
    book: Book, size: int, price: int
) -> None:
    before = book.total("maker", "taker")
    book.novate(size, price)
    notional = abs(size) * price // NANO
    paid = notional if size > 0 else -notional
    maker_fee, taker_fee = div_up(notional * MAKER_FEE, PIPS), div_up(notional * TAKER_FEE, PIPS)
    assert (book.quote("maker"), book.quote("taker")) == (paid - maker_fee, -paid - taker_fee)
    assert (book.cash("maker"), book.cash("taker")) == (CASH, CASH)
    assert book.fees() == maker_fee + taker_fee
    assert book.total("maker", "taker") == before


def test_novate__the_smallest_trade__still_pays_a_wei_a_side(book: Book) -> None:
    """1e-9 of a unit at 142.5 USD times 1 pip is a whole number of wei; a wei of price more is not."""
    book.set_fees(1, 1, 10_000)
    book.novate(1, 149 * WAD + 10**9)
    notional = 149 * NANO + 1
    assert book.quote("taker") == -notional - (notional // PIPS + 1)
    assert book.fees() == 2 * (notional // PIPS + 1)


def test_novate__no_fees_set__leaves_the_fee_account_alone(book: Book) -> None:
    book.set_fees(0, 0, 10_000)
    book.novate("10")
    assert book.fees() == 0
    assert (book.cash("maker"), book.cash("taker")) == (CASH, CASH)


def test_novate__maker_and_taker_fee__go_to_the_right_side(book: Book) -> None:
    book.set_fees(0, 5_000, 10_000)
    book.novate("10")
    assert (book.quote("maker"), book.quote("taker")) == (1_500 * WAD, -1_500 * WAD - wad("7.5"))


def test_novate__in_two_markets__are_two_positions_and_one_quote(book: Book) -> None:
    book.novate("10")
    book.novate("-2", symbol="IBM")
    assert (book.size("taker"), book.size("taker", "IBM")) == (10 * NANO, -2 * NANO)
    assert book.quote("taker") == -(1_500 - 220) * WAD - wad("0.60") - wad("0.088")
    assert book.contract.holdings(account("taker")) == (0b11, 0)


def test_novate__added_to__sums(book: Book) -> None:
    book.novate("10")
    book.novate("5", "151")
    assert book.size("taker") == 15 * NANO
    assert book.quote("taker") == -(1_500 + 755) * WAD - wad("0.60") - wad("0.302")


def test_novate__closed__leaves_profit_in_quote_and_no_holding(book: Book) -> None:
    book.novate("10")
    book.novate("-10", "151")
    assert book.position("taker") == (0, 0, 0)
    assert book.contract.holdings(account("taker")) == book.contract.holdings(account("maker")) == (0, 0)
    assert book.quote("taker") == 10 * WAD - wad("0.60") - wad("0.604")
    assert book.quote("maker") == -10 * WAD - wad("0.15") - wad("0.151")
    assert book.market().open_interest == 0


def test_novate__closed__leaves_the_tokens_where_they_are(book: Book) -> None:
    book.pay_stock("taker", "AAPL", "3")
    book.novate("-10")
    book.novate("10")
    assert book.position("taker")[:2] == (0, 3 * WAD)
    assert book.contract.holdings(account("taker")) == (1, 0)


def test_novate__through_zero__flips_both_sides(book: Book) -> None:
    book.novate("10")
    book.novate("-25")
    assert (book.size("maker"), book.size("taker")) == (15 * NANO, -15 * NANO)
    assert book.quote("taker") == 2_250 * WAD - wad("0.60") - wad("1.50")
    assert book.market().open_interest == 15 * NANO


def test_novate__either_side__is_refused_by_who_decided_on_the_state_before(book: Book) -> None:
    counters = [book.contract.state_counter(account(role)) for role in ("maker", "taker")]
    book.novate("1")
    assert [book.contract.state_counter(account(role)) for role in ("maker", "taker")] == [n + 1 for n in counters]


def test_CH_1_novate__opened_shrunk_handed_on_and_closed__open_interest_is_the_longs(book: Book) -> None:
    book.pay("holder", "100000")
    steps = [
        ("maker", "taker", "10", 10),  # both open
        ("maker", "taker", "2", 12),  # both add
        ("taker", "holder", "5", 12),  # the holder takes over 5 of the taker's
        ("maker", "holder", "-1", 11),  # both shrink
        ("holder", "maker", "15", 11),  # both flip: the maker was short 11, the holder long 4
        ("holder", "maker", "-4", 7),  # the holder buys back what the maker sells
    ]
    for maker, taker, size, open_interest in steps:
        book.novate(size, maker=maker, taker=taker)
        sizes = [book.size(role) for role in ("maker", "taker", "holder")]
        assert sum(sizes) == 0
        assert sum(max(size, 0) for size in sizes) == book.market().open_interest == open_interest * NANO


@pytest.mark.parametrize("sender", ["attacker", "maker", "guardian"])
def test_CH_5_novate__not_by_the_exchange__reverts(book: Book, sender: str) -> None:
    trade = (0, account("maker"), account("taker"), NANO, 150 * WAD, False, False)
    with pytest.raises(Revert, match="clearing: not the right caller"):
        book.contract.novate(trade, sender=address(sender))


def test_novate__with_oneself__reverts(book: Book) -> None:
    with pytest.raises(Revert, match="trade: same account"):
        book.novate("1", maker="taker", taker="taker")


def test_novate__size_beyond_a_position__reverts(book: Book) -> None:
    """The exchange admits the largest size, the open interest cap as well; the ledger admits no more of it."""
    book.stage.publish(AAPL="0.01")
    book.stage.settle_slow_prices()
    book.set_market(0, 2**79 - 1, 500, 1_000_000)
    for role in ("maker", "taker"):
        book.move_cash(account("nobody" if role == "maker" else "newcomer"), account(role), 2**102)
    book.novate(2**79 - 1)
    for size in (1, 2**79 - 1):
        with pytest.raises(Revert, match="ledger: amount too large"):
            book.novate(size)
    book.novate(1 - 2**79)


def test_novate__money_beyond_a_balance__reverts(book: Book) -> None:
    book.set_market(0, 2**79 - 1, 500, 1_000_000)
    with pytest.raises(Revert, match="ledger: amount too large"):
        book.novate(2**79 - 1)
