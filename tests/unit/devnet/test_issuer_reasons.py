"""Every reason of the issuer's stand-in stands in docs/issuer.md and is expected by a test."""

from __future__ import annotations

import re
from functools import cache

from prime_perps import compiler

# where they are raised: after a comma, as an assertion's last word
RAISED = re.compile(r'assert .*, "((?:issuer|shares|token|compliance|stock): [^"]+)"')
TOLD = re.compile(r"\b((?:issuer|shares|token|compliance|stock): [a-z ]+[a-z])")
DOCUMENT = compiler.ROOT / "docs" / "issuer.md"
TESTS = compiler.ROOT / "tests" / "unit" / "devnet"


@cache
def raised() -> set[str]:
    folders = (compiler.CONTRACTS / "devnet", compiler.CONTRACTS / "modules" / "devnet")
    return {reason for folder in folders for path in folder.glob("*.vy") for reason in RAISED.findall(path.read_text())}


def test_reasons__in_the_document__are_those_of_the_contracts() -> None:
    rows = [line for line in DOCUMENT.read_text().splitlines() if line.startswith("| ")]
    assert {reason for row in rows for reason in TOLD.findall(row)} == raised()


def test_reasons__each__is_expected_by_a_test() -> None:
    tests = "\n".join(path.read_text() for path in TESTS.glob("test_*.py"))
    assert {reason for reason in raised() if f'"{reason}"' not in tests} == set()
