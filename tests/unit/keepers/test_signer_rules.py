"""What a signer asks of a report: each rule at its boundary."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal

import pytest

from prime_perps.keepers import signer_rules
from prime_perps.keepers.signer_rules import Disagreement, Rules
from prime_perps.keepers.signer_sources import Observation
from prime_perps.reports import Session

NOW = 1_000_000
RULES = Rules(tolerance=20, widest=200, oldest=30, skew=2)
SEEN = Observation(Decimal(100), Session.REGULAR, NOW)
REPORT = SEEN.report(3)


@pytest.mark.parametrize(
    "change",
    [
        {},
        {"price": 100_20000000},
        {"price": 99_80000000},
        {"confidence": 200},
        {"observed_at": NOW + 2},
        {"observed_at": NOW - 30},
    ],
)
def test_check__within_the_rules__passes(change):
    signer_rules.check(replace(REPORT, **change), SEEN, NOW, RULES)


@pytest.mark.parametrize(
    ("change", "why"),
    [
        ({"price": 100_20000001}, "price 10020000001, the signer sees 10000000000"),
        ({"price": 99_79999999}, "price"),
        ({"confidence": 201}, "confidence 201 bps, taken are 5 to 200"),
        ({"confidence": 4}, "confidence"),
        ({"status": Session.POST}, "session POST, the signer sees REGULAR"),
        ({"status": 9}, "session 9"),
        ({"multiplier": 10**18 + 1}, "multiplier"),
        ({"observed_at": NOW + 3}, "3 seconds in the future"),
        ({"observed_at": NOW - 31}, "31 seconds ago, at most 30"),
    ],
)
def test_check__beyond_a_rule__says_which(change, why):
    with pytest.raises(Disagreement, match=why):
        signer_rules.check(replace(REPORT, **change), SEEN, NOW, RULES)


def test_check__own_price_too_old_to_judge_by__is_no_agreement():
    signer_rules.check(REPORT, replace(SEEN, time=NOW - 30), NOW, RULES)
    with pytest.raises(Disagreement, match="the own price is of 31 seconds before or after"):
        signer_rules.check(REPORT, replace(SEEN, time=NOW - 31), NOW, RULES)
