"""Each kind of customer is what its name says, in every draw."""

from __future__ import annotations

from collections import Counter

import numpy as np
import pytest

from prime_perps.errors import PrimePerpsError
from prime_perps.stress.population import KINDS, LARGEST, MOST, SMALLEST, Customer, population
from prime_perps.stress.settings import LEAST_ACCOUNTS, Settings
from tests.unit.stress.conftest import STOCKS

BETAS = np.array([1.2, 0.7, 1.7] * 3 + [1.2] * (STOCKS - 9) + [1.0])
EVERYBODY = population(Settings(accounts=660), "crash", BETAS)


def _of(kind: str) -> list[Customer]:
    return [customer for customer in EVERYBODY if customer.kind == kind]


def test_population__kinds_take_turns():
    assert set(Counter(customer.kind for customer in EVERYBODY).values()) == {660 // len(KINDS)}
    assert [customer.number for customer in EVERYBODY] == list(range(660))


def test_population__leverage__from_comfortable_to_all_that_is_allowed():
    covers = [customer.cover for customer in EVERYBODY]
    assert min(covers) == 1
    assert max(covers) <= MOST
    assert 0.1 < covers.count(1) / len(covers) < 0.2


def test_population__same_seed__same_customers_and_another_seed_others():
    assert population(Settings(accounts=44), "crash", BETAS) == population(Settings(accounts=44), "crash", BETAS)
    assert population(Settings(accounts=44, seed=2), "crash", BETAS) != population(
        Settings(accounts=44), "crash", BETAS
    )


def test_population__fewer_than_kinds__says_how_many_are_needed():
    with pytest.raises(PrimePerpsError, match="10 accounts, at least 11 are needed"):
        population(Settings(accounts=LEAST_ACCOUNTS - 1), "crash", BETAS)


@pytest.mark.parametrize("customer", [c for c in EVERYBODY[:66] if c.gross], ids=lambda c: f"{c.number}-{c.kind}")
def test_customer__gross__within_its_bounds_and_no_token_of_the_index(customer):
    # The index leg of a hedged book follows from its stocks.
    assert SMALLEST * 0.9 <= customer.gross <= LARGEST * 1.5
    assert STOCKS not in customer.tokens
    assert all(usd >= 0 for usd in customer.tokens.values())


@pytest.mark.parametrize("kind", ["hedged holder"])
def test_hedged_holder__sells_nine_tenths_or_more_of_each_token(kind):
    for customer in _of(kind):
        assert set(customer.perps) == set(customer.tokens)
        assert all(0.9 <= -customer.perps[place] / usd <= 1 for place, usd in customer.tokens.items())


@pytest.mark.parametrize(("kind", "least", "most"), [("tokens on a loan", 3, 8), ("one token on a loan", 1, 1)])
def test_on_a_loan__tokens_and_no_perps(kind, least, most):
    for customer in _of(kind):
        assert least <= len(customer.tokens) <= most
        assert not customer.perps


def test_tokens_and_perps__as_much_of_both():
    assert all(customer.perps == customer.tokens for customer in _of("tokens and perps"))


@pytest.mark.parametrize(("kind", "sign"), [("long one", 1), ("long, concentrated", 1), ("short", -1)])
def test_one_sided__all_on_that_side(kind, sign):
    assert all(sign * usd > 0 for customer in _of(kind) for usd in customer.perps.values())


def test_concentrated__at_least_half_in_one():
    assert all(max(customer.perps.values()) >= customer.gross / 2 for customer in _of("long, concentrated"))


@pytest.mark.parametrize("kind", ["pair", "long-short"])
def test_two_sided__sides_are_equal(kind):
    for customer in _of(kind):
        assert sum(customer.perps.values()) == pytest.approx(0, abs=1e-6)
        assert not customer.tokens


def test_against_index__no_beta_left():
    for customer in _of("against the index"):
        assert sum(usd * BETAS[place] for place, usd in customer.perps.items()) == pytest.approx(0, abs=1e-6)


def test_cash_supplier__cash_alone():
    for customer in _of("cash supplier"):
        assert customer.cash > 0
        assert customer.gross == 0
