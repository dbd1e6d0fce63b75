"""The worked books under everybody's rules: ours to the dollar of docs/margin.md, the others by hand."""

from __future__ import annotations

from prime_perps import risk
from prime_perps.backtest.compared import BOOKS, RULES, asked
from prime_perps.compiler import ROOT

FOUND = asked(risk.load(ROOT / "parameters" / "risk.json"))


def test_asked__every_book_and_rule__is_there() -> None:
    assert list(FOUND) == list(BOOKS)
    assert all(tuple(by_rule) == RULES for by_rule in FOUND.values())


def test_asked__ours__are_the_worked_vectors() -> None:
    assert [by_rule["ours"] for by_rule in FOUND.values()] == [2_500, 21_700, 21_200, 7_000, 6_882]


def test_asked__hedged_token__by_each_rule() -> None:
    """Alone: 4/3 of 21,700 and of 22,700. Reg T: half of the stock, 5 % of the short against it. Derive: 3 % of it."""
    told = FOUND["token hedged with its perp"]
    assert (told["alone"], told["Reg T"], told["TIMS"], told["Derive"]) == (59_200, 55_000, 0, 3_000)
    assert told["Hyperliquid"] is None


def test_asked__stocks_against_the_index__who_nets_and_who_does_not() -> None:
    """TIMS: 15 % of the stocks, 6 % of the index sold; IBKR all at 15 %; Hyperliquid half of a twentieth of each."""
    told = FOUND["two stocks, index"]
    assert (told["Reg T"], told["TIMS"], told["Hyperliquid"]) == (100_000, 15_000 + 6_000, 5_000)
