"""The mutation tester: what each operator makes of a small source, how mutants are judged, and how they are counted."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from prime_perps.compiler import ROOT
from tests.mutation import __main__ as tool
from tests.mutation.judge import Finding, Verdict
from tests.mutation.operators import Mutant, mutants
from tests.mutation.report import Equivalent, Report, load_equivalents, stale

HEAD = """# pragma version 0.4.3
total: uint256


"""


def function(statement: str, head: str = HEAD) -> str:
    """A source with one statement, in a function of a few names."""
    return f"{head}@internal\ndef act(a: uint256, b: uint256, c: uint256) -> uint256:\n    {statement}\n    return a\n"


def made_by(operator: str, source: str, modules: dict[str, str] | None = None) -> list[Mutant]:
    return [mutant for mutant in mutants("some.vy", source, modules) if mutant.operator == operator]


def changes(statement: str, operator: str, head: str = HEAD) -> list[str]:
    """What one operator makes of a statement."""
    made = made_by(operator, function(statement, head))
    assert all((mutant.function, mutant.before) == ("act", statement) for mutant in made)
    return [mutant.after for mutant in made]


@pytest.mark.parametrize(
    ("operator", "statement", "made"),
    [
        ("compare", 'assert a < b, "no"', ['assert a <= b, "no"']),
        ("compare", 'assert a >= b, "no"', ['assert a > b, "no"']),
        ("compare", 'assert a == b, "no"', ['assert a != b, "no"']),
        ("arithmetic", "d: uint256 = a + b", ["d: uint256 = a - b"]),
        ("arithmetic", "d: uint256 = a // b", ["d: uint256 = a * b"]),
        ("arithmetic", "d: uint256 = (a >> b) & c", ["d: uint256 = (a >> b) | c", "d: uint256 = (a << b) & c"]),
        ("arithmetic", "self.total += a", ["self.total -= a"]),
        ("arithmetic", "d: uint256 = unsafe_mul(a, b)", ["d: uint256 = unsafe_div(a, b)"]),
        ("logic", 'assert a < b and b < c, "no"', ["or", "b < c", "a < b"]),
        ("term", "d: uint256 = a + b", ["d: uint256 = a", "d: uint256 = b"]),
        ("term", "d: uint256 = a - b", ["d: uint256 = a"]),
        ("term", "d: uint256 = (a >> b) & c", ["d: uint256 = (a >> b)"]),
        ("term", "d: uint256 = unsafe_add(a * b, c)", ["d: uint256 = (a * b)", "d: uint256 = c"]),
        ("term", "d: uint256 = min(a, b)", ["d: uint256 = a", "d: uint256 = b"]),
        ("term", "d: uint256 = a * b", []),
        ("sign", "d: uint256 = (a + b) - c", ["d: uint256 = c - ((a + b))"]),
        ("sign", "d: uint256 = unsafe_sub(a, b)", ["d: uint256 = unsafe_sub(b, a)"]),
        ("sign", "d: uint256 = unsafe_sub(0, b)", ["d: uint256 = b"]),
        ("sign", "d: int256 = -convert(a, int256)", ["d: int256 = convert(a, int256)"]),
        ("extreme", "d: uint256 = max(a, b)", ["d: uint256 = min(a, b)"]),
        ("rounding", "d: uint256 = self._div_up(a, b)", ["d: uint256 = unsafe_div(a, b)"]),
        ("number", "d: uint256 = a + 7", ["d: uint256 = a + 8", "d: uint256 = a + 6"]),
        ("number", "d: uint256 = 0", ["d: uint256 = 1"]),
        ("number", "d: uint256 = 10**18", ["d: uint256 = 10**19", "d: uint256 = 10**17"]),
        ("number", "d: uint256[4] = empty(uint256[4])", ["empty(uint256[5])", "empty(uint256[3])"]),
        ("condition", "d: uint256 = a if a < b else c", ["d: uint256 = a if not (a < b) else c"]),
        ("condition", "d: uint256 = a if a == b else c", []),
        ("statement", 'assert a < b, "no"', ["pass"]),
        ("statement", "self.total += a", ["pass"]),
        ("statement", "self.total = a", ["pass"]),
        ("statement", "self._check(a)", ["pass"]),
        ("statement", "d: uint256 = a", []),
    ],
)
def test_mutants__one_operator__these(operator: str, statement: str, made: list[str]) -> None:
    found = changes(statement, operator)
    assert len(found) == len(made)
    assert all(part in after for part, after in zip(made, found, strict=True)), found


def test_mutants__three_conditions__each_left_out_and_each_word_turned() -> None:
    assert changes('assert a < b and b < c and (c < a or a == 1), "no"', "logic") == [
        'assert a < b or b < c and (c < a or a == 1), "no"',
        'assert a < b and b < c or (c < a or a == 1), "no"',
        'assert b < c and (c < a or a == 1), "no"',
        'assert a < b and (c < a or a == 1), "no"',
        'assert a < b and b < c, "no"',
        'assert a < b and b < c and (c < a and a == 1), "no"',
        'assert a < b and b < c and (a == 1), "no"',
        'assert a < b and b < c and (c < a), "no"',
    ]


def test_mutants__over_several_lines__code_only_and_the_rest_as_it_was() -> None:
    source = function("d: uint256 = (\n        a  # + b\n        + b\n    )")
    (swapped,) = made_by("arithmetic", source)
    assert (swapped.before, swapped.after, swapped.line) == ("+ b", "- b", 9)
    assert swapped.source == source.replace("    + b", "    - b")


CONSTANTS = """FIRST_AT: constant(uint256) = 0
SECOND_AT: constant(uint256) = 16
LAST_AT: constant(uint256) = 32

ALONE: constant(uint256) = 1
"""


@pytest.mark.parametrize(
    ("used", "instead"),
    [("FIRST_AT", "SECOND_AT"), ("SECOND_AT", "LAST_AT"), ("LAST_AT", "SECOND_AT"), ("ALONE", None)],
)
def test_mutants__a_constant__its_neighbour_in_the_block(used: str, instead: str | None) -> None:
    made = changes(f"d: uint256 = a >> {used}", "constant", HEAD + CONSTANTS)
    assert made == ([f"d: uint256 = a >> {instead}"] if instead else [])


def test_mutants__a_constant_of_another_module__its_neighbour_there() -> None:
    made = made_by("constant", function("d: uint256 = a >> table.SECOND_AT"), {"table": HEAD + CONSTANTS})
    assert [mutant.after for mutant in made] == ["d: uint256 = a >> table.LAST_AT"]


def test_mutants__the_same_text_twice__one_mutant() -> None:
    assert changes("d: uint256 = min(a, a)", "term") == ["d: uint256 = a"]


def test_mutants__types_and_declarations__left_alone() -> None:
    struct = "struct Pair:\n    both: uint256[2]\n\n\n"
    assert mutants("some.vy", function("d: uint256[3] = self.held", HEAD + struct)) == []


def test_mutants__not_ascii__refused() -> None:
    with pytest.raises(ValueError, match="ASCII"):
        mutants("some.vy", "# \N{EN DASH}\n")


# judging

SUITE = """
import pytest

from prime_perps.chain import Contract
from prime_perps.chain.revm import RevmBackend
from prime_perps.errors import Revert


def test_approve__from_what_is_not_zero__refused():
    holder = "0x" + "11" * 20
    token = Contract.deploy(RevmBackend(), "SilentToken", sender=holder)
    token.approve(holder, 1, sender=holder)
    with pytest.raises(Revert, match="REASON"):
        token.approve(holder, 2, sender=holder)
"""
JUDGE = """
import sys
from pathlib import Path

from tests.mutation.judge import judge
from tests.mutation.operators import mutants

file = "contracts/devnet/SilentToken.vy"
some = [mutant for mutant in mutants(file, Path(file).read_text()) if mutant.operator == "statement"]
found = []
judge(some, ["SilentToken", "StockToken"], [Path(sys.argv[1])], 2, found.append)
for finding in found:
    print(finding.verdict, "|", finding.mutant.before, "|", finding.by)
"""


def judged(tmp_path: Path, reason: str) -> str:
    """What the judge says of the forgotten statements of a token, given a suite of one test."""
    suite = tmp_path / "test_suite.py"
    suite.write_text(SUITE.replace("REASON", reason))
    run = subprocess.run([sys.executable, "-c", JUDGE, suite], cwd=ROOT, capture_output=True, text=True, check=False)
    return run.stdout + run.stderr


def test_judge__killed_survived_and_stillborn__told_apart(tmp_path: Path) -> None:
    said = judged(tmp_path, "silent: allowance not zero")
    assert "killed | assert amount == 0 or" in said
    assert "::test_approve__from_what_is_not_zero__refused" in said
    assert "survived | erc20._spend_allowance(owner, msg.sender, amount) |" in said
    assert "stillborn | ownable.__init__() | InitializerException: " in said


def test_judge__suite_fails_without_a_mutant__broken(tmp_path: Path) -> None:
    assert "Broken: without any mutation: killed by" in judged(tmp_path, "another reason")


# counting


def mutant(after: str = "a - b", operator: str = "arithmetic") -> Mutant:
    return Mutant("some.vy", operator, "act", 7, "a + b", after, "source")


def equivalent(after: str) -> Equivalent:
    return Equivalent("some.vy", "act", "a + b", after, "reason")


def reported(equivalents: list[Equivalent], **verdicts: Verdict) -> Report:
    report = Report(equivalents)
    for after, verdict in verdicts.items():
        report.add(Finding(mutant(after), verdict, "test_x"))
    return report


def test_report__score__without_equivalent_and_stillborn() -> None:
    verdicts = {"k": Verdict.KILLED, "l": Verdict.KILLED, "s": Verdict.SURVIVED, "e": Verdict.SURVIVED}
    report = reported([equivalent("e")], **verdicts, t=Verdict.STILLBORN)
    assert report.counts() == {"killed": 2, "survived": 1, "equivalent": 1, "stillborn": 1}
    assert report.score == pytest.approx(200 / 3)
    assert report.survivors == [mutant("s")]
    assert report.refuted() == []


def test_report__nothing_tried__full_score() -> None:
    assert Report([]).score == 100


def test_report__equivalent_caught__refuted() -> None:
    (fault,) = reported([equivalent("k"), equivalent("e")], k=Verdict.KILLED, e=Verdict.SURVIVED).refuted()
    assert fault.startswith("not equivalent, killed by test_x: some.vy:7")


def test_report__written__all_of_it(tmp_path: Path) -> None:
    report = reported([], k=Verdict.KILLED, s=Verdict.SURVIVED)
    report.write(tmp_path / "deep" / "report.json", complete=False)
    told = json.loads((tmp_path / "deep" / "report.json").read_text())
    assert (told["score"], told["killed"], told["survived"], told["complete"]) == (50, 1, 1, False)
    assert told["by_operator"]["arithmetic"]["survived"] == 1
    assert [survivor["after"] for survivor in told["survivors"]] == ["s"]


def test_stale__entry_without_a_mutant_or_twice__named() -> None:
    assert stale([equivalent("k")], [mutant("k")]) == []
    assert stale([equivalent("old")], [mutant("k")]) == ["no longer a mutant: a + b -> old"]
    assert stale([equivalent("k")] * 2, [mutant("k")]) == ["listed 2 times: a + b -> k"]


# the tool


def test_equivalents__shipped_list__up_to_date_and_with_reasons() -> None:
    listed = load_equivalents()
    assert stale(listed, tool.every_mutant()) == []
    assert all(entry.reason for entry in listed)


def test_main__list__what_is_asked_for(capsys: pytest.CaptureFixture[str]) -> None:
    assert tool.main(["--list", "--only", "_sqrt_up"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines
    assert all("formula.vy" in line for line in lines)
    tool.main(["--list", "--sample", "5"])
    sample = capsys.readouterr().out
    assert len(sample.splitlines()) == 5
    tool.main(["--list", "--sample", "5"])
    assert capsys.readouterr().out == sample
    tool.main(["--list", "--sample", "5", "--seed", "2"])
    assert capsys.readouterr().out != sample


def test_main__only_what_is_nowhere__says_so() -> None:
    with pytest.raises(SystemExit, match="no mutant is named by 'no such text'"):
        tool.main(["--only", "no such text"])
