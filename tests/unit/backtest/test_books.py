"""Each kind of book is what its name says, in every draw."""

from __future__ import annotations

import numpy as np
import pytest

from prime_perps.backtest.books import KINDS, Draw, Kind, strike
from tests.unit.backtest.conftest import STOCKS, TABLE

BETAS = np.array([TABLE.line(tier).beta for tier in [*(["T1", "T2", "T3", "T4"] * 6)[:STOCKS], "ETF"]]) / 10_000
NAMED = {kind.name: kind for kind in KINDS}


def _struck(kind: Kind, books: int = 200) -> Draw:
    return strike(kind, kind.draw(np.random.default_rng(1), STOCKS, books), BETAS)


def _perps(name: str) -> np.ndarray:
    return _struck(NAMED[name]).perp


def test_kinds__ten_with_names_of_their_own():
    assert len(NAMED) == len({kind.title for kind in KINDS}) == 10


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.name)
def test_every_kind__gross_is_one_and_tokens_are_not_negative(kind):
    books = _struck(kind)
    assert np.sum(books.token + np.abs(books.perp), axis=1) == pytest.approx(1)
    assert (books.token >= 0).all()


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.name)
def test_every_kind__same_seed__same_books_and_another_seed_others(kind):
    first, again, other = (kind.draw(np.random.default_rng(seed), STOCKS, 10) for seed in (1, 1, 2))
    assert (first.perp == again.perp).all()
    assert not np.array_equal(first.perp, other.perp)


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.name)
def test_every_kind__draws__are_all_different(kind):
    books = _struck(kind)
    assert len(np.unique(np.hstack([books.token, books.perp]), axis=0)) == len(books.perp)


@pytest.mark.parametrize(("name", "sign"), [("one_long", 1), ("one_short", -1)])
def test_one__each_stock_once_and_never_the_index(name, sign):
    perp = _perps(name)
    assert perp.shape == (STOCKS, STOCKS + 1)
    assert (perp[:, :-1] == sign * np.eye(STOCKS)).all()
    assert (perp[:, -1] == 0).all()


@pytest.mark.parametrize(("books", "drawn"), [(5, 5), (STOCKS, STOCKS), (STOCKS + 1, STOCKS)])
def test_one__fewer_books_than_stocks_wanted__as_many_as_wanted(books, drawn):
    perp = NAMED["one_long"].draw(np.random.default_rng(1), STOCKS, books).perp
    assert len(np.unique(perp, axis=0)) == len(perp) == drawn


def test_five_long__half_of_it_in_one():
    perp = _perps("five_long_half_in_one")
    assert (perp >= 0).all()
    assert (np.count_nonzero(perp, axis=1) == 5).all()
    assert perp.max(axis=1) == pytest.approx(0.5)


@pytest.mark.parametrize(("name", "names", "sign"), [("twenty_long", 20, 1), ("ten_short", 10, -1)])
def test_one_sided__as_many_names_all_on_that_side(name, names, sign):
    perp = _perps(name)
    assert (sign * perp >= 0).all()
    assert (np.count_nonzero(perp, axis=1) == names).all()
    assert (perp[:, -1] == 0).all()


def test_many_names__each_book_chooses_its_own():
    chosen = _perps("ten_short") != 0
    assert len(np.unique(chosen, axis=0)) > 190
    assert (chosen.sum(axis=0)[:-1] > 0).all()


def test_ten_long_short__ten_names_both_sides_evenly():
    perp = _perps("ten_long_short")
    assert (np.count_nonzero(perp, axis=1) == 10).all()
    assert np.mean(perp[perp != 0] > 0) == pytest.approx(0.5, abs=0.05)


def test_pair__one_long_as_much_of_another_short():
    perp = _struck(NAMED["pair"], 10_000).perp
    assert len(perp) == STOCKS * (STOCKS - 1)
    assert (perp.max(axis=1) == 0.5).all()
    assert (perp.min(axis=1) == -0.5).all()
    assert (np.count_nonzero(perp, axis=1) == 2).all()


def test_beta_neutral__ten_on_each_side_and_no_beta_at_any_betas():
    perp = _perps("beta_neutral_twenty")
    assert ((perp > 0).sum(axis=1) == 10).all()
    assert ((perp < 0).sum(axis=1) == 10).all()
    assert perp @ BETAS == pytest.approx(0, abs=1e-12)
    kind, others = NAMED["beta_neutral_twenty"], BETAS[::-1]
    assert strike(kind, kind.draw(np.random.default_rng(1), STOCKS, 50), others).perp @ others == pytest.approx(
        0, abs=1e-12
    )


def test_ten_against_index__ten_long_and_as_much_index_sold_as_takes_the_beta():
    perp = _perps("ten_against_index")
    assert ((perp[:, :-1] > 0).sum(axis=1) == 10).all()
    assert (perp[:, :-1] >= 0).all()
    assert (perp[:, -1] < 0).all()
    assert perp @ BETAS == pytest.approx(0, abs=1e-12)


def test_hedged_tokens__half_to_all_of_each_sold():
    books = _struck(NAMED["hedged_tokens"])
    held = books.token > 0
    assert (held.sum(axis=1) == 5).all()
    sold = -books.perp[held] / books.token[held]
    assert sold.min() >= 0.5
    assert sold.max() <= 1
    assert (books.perp[~held] == 0).all()


def test_wide_books__too_few_stocks__say_so():
    with pytest.raises(ValueError, match="19 stocks; books need 20"):
        NAMED["twenty_long"].draw(np.random.default_rng(1), 19, 10)
