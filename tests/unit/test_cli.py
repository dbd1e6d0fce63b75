"""Whatever goes wrong in a command ends in one line and an exit code that is not zero."""

from __future__ import annotations

import json
from pathlib import Path

import click
import pytest
from ape.exceptions import ProviderError
from click.testing import CliRunner, Result

from prime_perps.errors import NodeError, Revert
from scripts import _cli


def _run(error: BaseException) -> Result:
    @click.command(cls=_cli.Command)
    def command() -> None:
        raise error

    return CliRunner().invoke(command, [], catch_exceptions=True)


@pytest.mark.parametrize(
    ("error", "line"),
    [
        (NodeError("no answer from http://127.0.0.1:1"), "Error: no answer from http://127.0.0.1:1"),
        (Revert("risk: below initial"), "Error: risk: below initial"),
        (ProviderError("Chain\nID mismatch"), "Error: Chain ID mismatch"),
        (FileNotFoundError(2, "No such file or directory", "x.json"), "Error: x.json: No such file or directory"),
        (PermissionError(13, "Permission denied", "x.json"), "Error: x.json: Permission denied"),
        (ConnectionRefusedError(111, "Connection refused"), "Error: the node does not answer"),
        (json.JSONDecodeError("Expecting value", "", 0), "Error: not valid JSON: Expecting value at line 1, column 1"),
    ],
)
def test_command__what_a_person_can_put_right__one_line_and_exit_1(error: Exception, line: str) -> None:
    result = _run(error)
    assert result.exit_code == 1
    assert result.output.startswith(line)
    assert result.output.count("\n") == 1


@pytest.mark.parametrize("error", [KeyboardInterrupt(), click.Abort(), SystemExit(130)])
def test_command__interrupted__exit_130(error: BaseException) -> None:
    result = _run(error)
    assert (result.exit_code, result.output) == (130, "Stopped.\n")


def test_command__mistake_in_this_software__keeps_its_traceback() -> None:
    result = _run(ZeroDivisionError())
    assert isinstance(result.exception, ZeroDivisionError)


def test_command__error_while_options_are_read__one_line_too() -> None:
    def refuse(*_: object) -> None:
        raise NodeError("wrong network")

    @click.command(cls=_cli.Command)
    @click.option("--network", callback=refuse)
    def command(network: str) -> None:
        raise AssertionError(network)

    result = CliRunner().invoke(command, ["--network", "x"])
    assert (result.exit_code, result.output) == (1, "Error: wrong network\n")


def test_read_json__no_such_file__named(tmp_path: Path) -> None:
    with pytest.raises(_cli.PrimePerpsError, match=r"no such file: .*none\.json"):
        _cli.read_json(tmp_path / "none.json")


@pytest.mark.parametrize(("content", "told"), [(b"{", "not valid JSON"), (b"\xff\xfe\x00", "not text")])
def test_read_json__bad_content__named_with_the_fault(tmp_path: Path, content: bytes, told: str) -> None:
    path = tmp_path / "bad.json"
    path.write_bytes(content)
    with pytest.raises(_cli.PrimePerpsError, match=f"bad.json is {told}"):
        _cli.read_json(path)
