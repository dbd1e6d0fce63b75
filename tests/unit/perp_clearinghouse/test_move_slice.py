"""move_slice: a fraction of everything goes to the receiver, to the wei, and nothing is made or lost on the way."""

from __future__ import annotations

import pytest

from prime_perps.accounts import Permission, token
from prime_perps.errors import Revert
from prime_perps.units import WAD, wad
from tests.stage import account, address

from .conftest import Book, toward_zero

OTHER, ANOTHER = 128, 254
MARKETS = ("AAPL", "IBM", "NVDA", "BTC")
FRACTIONS = [1, WAD // 3, WAD // 2 + 1, 283_018_867_924_528_301, WAD - 1, WAD]


@pytest.fixture
def book(empty_book: Book) -> Book:
    """A holder with a bit of everything, in debt; a keeper with a bit of the same; prices and an hour have moved."""
    for number, instrument in enumerate((OTHER, ANOTHER)):
        empty_book.list_other_token(instrument, number, WAD)
        empty_book.credit(account("holder"), instrument, 3 * WAD + 7, "holder")
    for role, dollars in (("maker", "10000000"), ("holder", "40000"), ("keeper", "500000")):
        empty_book.pay(role, dollars)
    empty_book.pay_stock("holder", "AAPL", 90 * WAD + 1)
    empty_book.pay_stock("holder", "GOOG", "12.3456789")
    empty_book.pay_stock("keeper", "IBM", "5")
    empty_book.novate("-80.000000001", "151", taker="holder")
    empty_book.novate("33.333333333", "111.11", symbol="IBM", taker="holder")
    empty_book.novate("10.000000003", symbol="NVDA", taker="holder")
    empty_book.novate("40.1", "149.5", taker="keeper")
    empty_book.novate("4.000000007", symbol="NVDA", taker="keeper")
    empty_book.novate("-0.1", symbol="BTC", taker="keeper")
    empty_book.stage.warp(3_599)
    empty_book.stage.publish(AAPL="152.5")
    empty_book.leave("holder", wad("3000"))
    assert empty_book.cash("holder") < 0
    return empty_book


def _holdings(book: Book, role: str) -> dict[int, int]:
    """Every instrument but cash that the account has, in its own units."""
    lines, others = book.contract.holdings(account(role))
    held = [number for number in range(64) if lines >> number & 1]
    held += [token(number) for number in held]
    held += [128 + place for place in range(127) if others >> place & 1]
    return {instrument: int(book.contract.holding(account(role), instrument)) for instrument in held}


def _market_paid(book: Book, shares: int, amount: int) -> int:
    """What cash an account has once it has got an amount, or paid it: the shares that this is, rounded down twice."""
    market = book.cash_market()
    return market.cash(market.paid(shares, amount))


def _owed(book: Book) -> dict[str, int]:
    return {role: int(book.margin(role).funding_owed) for role in ("holder", "keeper")}


@pytest.mark.parametrize("payment", [0, 1, 1_000 * WAD])
@pytest.mark.parametrize("fraction", FRACTIONS)
def test_CH_2_move_slice__any_fraction__moves_that_of_everything_and_makes_nothing(
    book: Book, fraction: int, payment: int
) -> None:
    before = {role: _holdings(book, role) for role in ("holder", "keeper")}
    money = {role: book.contract.money(account(role)) for role in ("holder", "keeper")}
    shares = {role: book.shares(role) for role in ("holder", "keeper")}
    owed = _owed(book)
    assert all(owed.values())
    book.move_slice(fraction, payment)

    for instrument, amount in before["holder"].items():
        part = toward_zero(amount * fraction, WAD)
        assert book.contract.holding(account("holder"), instrument) == amount - part
        assert book.contract.holding(account("keeper"), instrument) == before["keeper"].get(instrument, 0) + part
    cash = toward_zero(money["holder"].cash * fraction, WAD) - payment
    left, gained = _market_paid(book, shares["holder"], -cash), _market_paid(book, shares["keeper"], cash)
    quote = toward_zero((money["holder"].quote - owed["holder"]) * fraction, WAD)
    # to shares and back costs a wei or two, and never gives one
    assert 0 <= money["holder"].cash - cash - left <= 2
    assert 0 <= money["keeper"].cash + cash - gained <= 2
    assert (book.cash("holder"), book.cash("keeper")) == (left, gained)
    assert book.quote("holder") == money["holder"].quote - owed["holder"] - quote
    assert book.quote("keeper") == money["keeper"].quote - owed["keeper"] + quote


@pytest.mark.parametrize("fraction", FRACTIONS)
def test_CH_1_move_slice__any_fraction__sizes_sum_to_zero_and_open_interest_to_the_longs(
    book: Book, fraction: int
) -> None:
    book.move_slice(fraction)
    for symbol in MARKETS:
        sizes = [book.size(role, symbol) for role in ("maker", "holder", "keeper")]
        assert sum(sizes) == 0
        assert book.market(symbol).open_interest == sum(max(size, 0) for size in sizes)


@pytest.mark.parametrize("fraction", FRACTIONS)
def test_CH_2_move_slice__any_fraction__equity_only_changes_hands(book: Book, fraction: int) -> None:
    """But for the value of tokens, rounded down once an account and line."""
    before = sum(book.margin(role).equity for role in ("holder", "keeper"))
    book.move_slice(fraction, 1_000 * WAD)
    after = sum(book.margin(role).equity for role in ("holder", "keeper"))
    assert abs(after - before) <= 4


def test_move_slice__a_hedged_account__stays_hedged(book: Book) -> None:
    book.move_slice(WAD // 4)
    position = book.position("holder")
    assert position.token == 90 * WAD + 1 - (90 * WAD + 1) // 4
    assert position.size == -80_000_000_001 + 20_000_000_000


def test_move_slice__everything__leaves_nothing_but_the_payment(book: Book) -> None:
    book.move_slice(WAD, 123 * WAD)
    assert book.contract.holdings(account("holder")) == (0, 0)
    assert book.contract.money(account("holder")) == (123 * WAD, 0)
    assert book.margin("holder").maintenance == 0


def test_move_slice__both_sides__start_at_the_index_of_now(book: Book) -> None:
    book.move_slice(WAD // 2)
    assert _owed(book) == {"holder": 0, "keeper": 0}
    index = book.funding_index()
    assert book.position("holder").funding_index == book.position("keeper").funding_index == index != 0


def test_move_slice__receiver_untouched_before__gets_the_lines(book: Book) -> None:
    book.pay("taker", "100000")
    book.move_slice(WAD // 2, receiver="taker")
    assert book.contract.holdings(account("taker")) == book.contract.holdings(account("holder"))


def test_move_slice__fraction_too_small_to_move_anything__marks_nothing(book: Book) -> None:
    """The smallest fraction of less than one whole is less than the smallest unit."""
    for instrument in (token(3), OTHER, ANOTHER):
        book.credit(account("taker"), instrument, WAD - 1, "taker")
    book.pay("taker", WAD - 1)
    book.novate("0.001", taker="taker")
    book.pay("newcomer", 1)
    book.move_slice(1, role="taker", receiver="newcomer")
    assert book.contract.holdings(account("newcomer")) == (0, 0)
    assert book.contract.money(account("newcomer")) == (1, 0)


def test_move_slice__cap_lowered_to_nothing__goes_on(book: Book) -> None:
    """A liquidation never waits for room: netting shrinks the open interest, it cannot grow."""
    for number in range(7):
        book.set_market(number, 0, 500, 1_000_000, reduce_only=True)
    before = book.market().open_interest
    book.move_slice(WAD)
    assert book.market().open_interest == before - 40_100_000_000


def test_move_slice__trading_and_withdrawals_paused_halted_and_old__goes_on(book: Book) -> None:
    book.pause(3)
    book.stage.oracle.set_halt(0, True, sender=address("guardian"))
    book.stage.warp(120)
    book.move_slice(WAD // 2)
    assert book.position("holder").token == 90 * WAD + 1 - (90 * WAD + 1) // 2


def test_move_slice__always__tells_what_moved(book: Book) -> None:
    receipt = book.move_slice(WAD // 2, 5)
    events = list(book.contract.events(receipt))
    told = [fields for name, fields in events if name == "SliceMoved"]
    assert len(told) == 1
    expected = {"account": account("holder"), "receiver": account("keeper"), "fraction": WAD // 2, "payment": 5}
    assert expected.items() <= told[0].items()


def test_move_slice__both_sides__are_refused_by_who_decided_on_the_state_before(book: Book) -> None:
    before = [book.contract.state_counter(account(role)) for role in ("holder", "keeper")]
    book.move_slice(WAD // 2)
    after = [book.contract.state_counter(account(role)) for role in ("holder", "keeper")]
    assert all(new > old for new, old in zip(after, before, strict=True))


# the receiver


@pytest.mark.parametrize("missing", [0, 1])
def test_CH_4_move_slice__receiver__is_held_to_initial_margin_to_the_wei(book: Book, missing: int) -> None:
    book.pay("taker", "100000")
    book.novate("8000", symbol="MSFT", taker="taker")
    with book.stage.undone():
        book.move_slice(WAD // 2, receiver="taker")
        margin = book.margin("taker")
    free = min(margin.equity, margin.equity + margin.slow) - margin.initial
    assert margin.cash > free, "the boundary is without a loan, whose interest would move it"
    book.move_cash(account("taker"), account("nobody"), free + missing)
    if missing:
        with pytest.raises(Revert, match="risk: below initial"):
            book.move_slice(WAD // 2, receiver="taker")
    else:
        book.move_slice(WAD // 2, receiver="taker")
        after = book.margin("taker")
        assert after.slow < 0
        assert after.equity + after.slow == after.initial


def test_CH_4_move_slice__receiver_below_initial_whose_risk_would_fall__reverts(book: Book) -> None:
    """A slice is never a reduction: who takes one must be good for it."""
    book.pay("taker", "100000")
    book.novate("100", taker="taker")
    book.leave("taker", wad("1000"))
    with pytest.raises(Revert, match="risk: below initial"):
        book.move_slice(WAD // 100, receiver="taker")


def test_CH_5_move_slice__receivers_operator_who_may_liquidate__is_booked(book: Book) -> None:
    book.allow("keeper", "operator", Permission.LIQUIDATE)
    parties = account("holder"), account("keeper")
    book.contract.move_slice(*parties, WAD // 2, 0, address("operator"), sender=address("engine"))
    assert book.contract.holding(account("keeper"), OTHER) == (3 * WAD + 7) // 2


@pytest.mark.parametrize("permissions", [0, Permission.TRADE | Permission.DEPOSIT | Permission.WITHDRAW])
def test_CH_5_move_slice__receiver_did_not_agree__reverts(book: Book, permissions: int) -> None:
    book.allow("keeper", "attacker", permissions)
    parties = account("holder"), account("keeper")
    with pytest.raises(Revert, match="accounts: not authorized"):
        book.contract.move_slice(*parties, WAD, 0, address("attacker"), sender=address("engine"))


@pytest.mark.parametrize("sender", ["attacker", "keeper", "vault", "exchange", "timelock", "guardian"])
def test_CH_5_move_slice__not_by_the_engine__reverts(book: Book, sender: str) -> None:
    parties = account("holder"), account("keeper")
    with pytest.raises(Revert, match="clearing: not the right caller"):
        book.contract.move_slice(*parties, WAD, 0, address("keeper"), sender=address(sender))


@pytest.mark.parametrize("paused", [4, 5, 7])
def test_move_slice__liquidation_paused__reverts(book: Book, paused: int) -> None:
    book.pause(paused)
    with pytest.raises(Revert, match="settings: paused"):
        book.move_slice(WAD)


@pytest.mark.parametrize("payment", [2**111, 2**256 - 1])
def test_move_slice__payment_beyond_a_balance__reverts(book: Book, payment: int) -> None:
    with pytest.raises(Revert):
        book.move_slice(WAD, payment)


def test_move_slice__netting_a_position_away__unmarks_it(book: Book) -> None:
    book.pay("taker", "1000000")
    book.novate("20", maker="taker", taker="holder")
    book.novate("80.000000001", maker="maker", taker="taker")
    assert book.size("taker") == -book.size("holder") == 60_000_000_001
    book.move_slice(WAD, receiver="taker")
    assert book.size("taker") == book.size("holder") == 0
    assert book.position("taker").token == 90 * WAD + 1
    assert book.market().open_interest == book.size("keeper") == 40_100_000_000
