"""One list of what can go wrong: the reasons of the contracts, in Python, in docs/errors.md, and in tests."""

from __future__ import annotations

import ast
import io
import re
import tokenize
from collections import defaultdict
from functools import cache
from pathlib import Path

import pytest

from prime_perps import compiler
from prime_perps.errors import REASONS

TESTS = compiler.ROOT / "tests"
DOCUMENT = compiler.ROOT / "docs" / "errors.md"
REASON = re.compile(r"[a-z][a-z0-9_]*: .*")
QUOTED = re.compile(r'"([a-z][a-z0-9_]*: [^"]+)"')


@cache
def _sources() -> dict[str, set[str]]:
    """Every reason of a contract that goes to a live network, with the files it stands in."""
    found = defaultdict(set)
    for path in compiler.CONTRACTS.rglob("*.vy"):
        if "devnet" not in path.relative_to(compiler.CONTRACTS).parts:
            for text in _strings(path):
                if REASON.fullmatch(text):
                    found[text].add(path.stem)
    return dict(found)


def _strings(path: Path) -> list[str]:
    """String literals of a Vyper file, doc strings left out: its tokens are Python's."""
    tokens = tokenize.generate_tokens(io.StringIO(path.read_text()).readline)
    return [token.string[1:-1] for token in tokens if token.type == tokenize.STRING and '"""' not in token.string]


@cache
def _documented() -> dict[str, tuple[str, str]]:
    """(where it comes from, what it means) by reason, from the first table of the document."""
    table = DOCUMENT.read_text().split("\n## ")[0]
    rows = [line.strip("| ").split(" | ") for line in table.splitlines() if line.startswith("| ")][2:]
    assert all(len(row) == 4 for row in rows), "a row of docs/errors.md has not four cells"
    return {reason: (where, meaning) for reason, where, meaning, _ in rows}


@cache
def _expected_in_tests() -> tuple[set[str], list[re.Pattern[str]]]:
    """Strings of every test file but this, and f-strings as patterns of what they can become."""
    plain, patterns = set(), []
    for path in TESTS.rglob("*.py"):
        if path == Path(__file__):
            continue
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Constant) and isinstance(node.value, str):
                plain.add(node.value)
            elif isinstance(node, ast.JoinedStr):
                parts = [part.value if isinstance(part, ast.Constant) else None for part in node.values]
                # one that says what module it is about: any other would match anything
                if REASON.match(str(parts[0])):
                    patterns.append(re.compile("".join(".+" if part is None else re.escape(part) for part in parts)))
    return plain, patterns


def test_reasons__in_python__are_those_of_the_contracts() -> None:
    assert set(REASONS) == set(_sources())


def test_reasons__in_the_document__are_those_of_the_contracts_and_tell_where_they_come_from() -> None:
    told = {reason: set(where.split(", ")) for reason, (where, _) in _documented().items()}
    assert told == _sources()


def test_reasons__in_the_document__mean_what_python_says() -> None:
    assert {reason: meaning for reason, (_, meaning) in _documented().items()} == REASONS


@pytest.mark.parametrize("reason", sorted(REASONS))
def test_reasons__each__is_expected_by_a_test(reason: str) -> None:
    plain, patterns = _expected_in_tests()
    assert any(reason in text for text in plain) or any(pattern.fullmatch(reason) for pattern in patterns)


def test_reasons__in_natspec__are_those_of_the_contracts() -> None:
    quoted = {reason for path in compiler.CONTRACTS.rglob("*.vyi") for reason in QUOTED.findall(path.read_text())}
    assert quoted <= set(_sources())
