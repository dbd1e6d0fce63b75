"""The project's own rules for Vyper files, each shown to fire; `make lint` applies them to the contracts."""

from __future__ import annotations

import pytest

from prime_perps import lint

CLEAN = '''# pragma version 0.4.3
# pragma nonreentrancy on
"""
@title thing
@license AGPL-3.0-only
@author Prime Perps
"""


@external
def act():
    assert msg.value == 0, "thing: no value"
'''


def _faults_of(text: str) -> list[str]:
    return list(lint._faults(text, must_lock=True))


def test_faults__clean_file__none() -> None:
    assert _faults_of(CLEAN) == []


@pytest.mark.parametrize(
    ("broken", "told"),
    [
        (CLEAN.replace("0.4.3", "^0.4.0"), "1: the first line is not"),
        (CLEAN.replace("AGPL-3.0-only", "MIT"), "1: no @license AGPL-3.0-only"),
        (CLEAN.replace("# pragma nonreentrancy on\n", ""), "1: a deployable with externals and no"),
        (CLEAN + "# pragma evm-version prague\n", "1: the evm version belongs"),
        (CLEAN + "# " + "x" * 119 + "\n", "13: 121 columns"),
        (CLEAN + "# x \n", "13: blanks at the end"),
        (CLEAN.replace("thing: no value", "No value"), '12: reason "No value" does not read'),
        (CLEAN.replace("thing: no value", "thing: " + "x" * 26), "has 33 bytes, at most 32 fit"),
        (CLEAN + '    assert True, "thing: no value"\n', '13: reason "thing: no value" stands twice'),
        (CLEAN + '    raise "thing"\n', '13: reason "thing" does not read'),
    ],
)
def test_faults__one_rule_broken__told_with_its_line(broken: str, told: str) -> None:
    assert any(told in fault for fault in _faults_of(broken)), _faults_of(broken)


def test_too_big__over_the_limit__named() -> None:
    measured = {"Small": lint.SIZE_LIMIT, "Big": lint.SIZE_LIMIT + 1}
    assert list(lint.too_big(measured)) == ["Big: 22,501 bytes of code, over the limit of 22,500"]
