"""What every command shares: one clear line and an exit code for what goes wrong, and the common options.

Wrong input and a stopped node are told in a line, Ctrl-C ends with 130. A mistake in this software keeps its traceback.
"""

from __future__ import annotations

import json
import signal
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Protocol, TypeVar

import click
from rich.console import Console, ConsoleRenderable

from prime_perps.errors import PrimePerpsError

ROOT = Path(__file__).resolve().parent.parent
PARAMETERS = ROOT / "parameters"
DEPLOYMENTS = ROOT / "deployments"
INTERRUPTED = 130  # what shells report for a program ended by Ctrl-C


class Command(click.Command):
    """A click command that ends plainly. Mixes with ape's connected command, whose connection it covers too."""

    def make_context(self, *args: Any, **kwargs: Any) -> click.Context:
        with plainly():
            return super().make_context(*args, **kwargs)

    def invoke(self, ctx: click.Context) -> Any:
        with plainly():
            return super().invoke(ctx)


@contextmanager
def plainly() -> Iterator[None]:
    """Turn what a person can put right into one line on stderr and exit code 1, and Ctrl-C into 130."""
    try:
        yield
    except (KeyboardInterrupt, click.Abort):
        click.echo("Stopped.", err=True)
        raise click.exceptions.Exit(INTERRUPTED) from None
    except SystemExit as ended:
        # ape answers Ctrl-C this way, with a handler of its own.
        if ended.code == INTERRUPTED:
            click.echo("Stopped.", err=True)
        raise
    except click.UsageError as error:
        error.message = " ".join(error.message.split())
        raise
    except (click.ClickException, click.exceptions.Exit):
        raise
    except Exception as error:
        told = explain(error)
        if told is None:
            raise
        raise click.ClickException(told) from error


def explain(error: BaseException) -> str | None:
    """One line for an error that is not a mistake in this software, None for one that may be."""
    if isinstance(error, json.JSONDecodeError):
        return f"not valid JSON: {error.msg} at line {error.lineno}, column {error.colno}"
    if isinstance(error, OSError):
        return _explain_os_error(error)
    if isinstance(error, PrimePerpsError) or _is_ape_exception(error):
        return " ".join(str(error).split()) or type(error).__name__
    return None


def _explain_os_error(error: OSError) -> str:
    if error.filename is not None:
        return f"{error.filename}: {error.strerror or type(error).__name__}"
    # The HTTP library and ape derive their own from OSError, not from Python's ConnectionError.
    if any(kind.__name__ == "ConnectionError" for kind in type(error).__mro__):
        return "the node does not answer: is it running, and is the address right?"
    return " ".join(str(error).split())


def _is_ape_exception(error: BaseException) -> bool:
    """Without importing ape, which takes a second: an exception of its own can only come from a loaded ape."""
    exceptions = sys.modules.get("ape.exceptions")
    return exceptions is not None and isinstance(error, exceptions.ApeException)


def read_json(path: Path) -> Any:
    """A JSON file. Raises PrimePerpsError that names the file and what is wrong with it."""
    try:
        return json.loads(path.read_text())
    except FileNotFoundError:
        raise PrimePerpsError(f"no such file: {shown(path)}") from None
    except (json.JSONDecodeError, UnicodeDecodeError) as error:
        raise PrimePerpsError(f"{shown(path)} is {explain(error) or 'not text'}") from None


def shown(path: Path) -> str:
    """A path as a person would write it: relative to where they are, when it lies there."""
    return str(path.relative_to(Path.cwd())) if path.is_relative_to(Path.cwd()) else str(path)


def url_option() -> Callable[..., Any]:
    """--url: the node a command without ape talks to."""
    return click.option(
        "--url",
        default="http://127.0.0.1:8545",
        envvar="PRIME_PERPS_URL",
        show_default=True,
        show_envvar=True,
        help="JSON-RPC address of the node.",
    )


def deployment_option() -> Callable[..., Any]:
    """--deployment: the manifest with the addresses."""
    return click.option(
        "--deployment",
        type=click.Path(dir_okay=False, path_type=Path),
        default=DEPLOYMENTS / "local.json",
        envvar="PRIME_PERPS_DEPLOYMENT",
        show_default="deployments/local.json",
        show_envvar=True,
        help="Manifest written by `ape run deploy` or `ape run devnet`.",
    )


class Report(Protocol):
    """What a replay found out."""

    @property
    def passed(self) -> bool: ...
    def render(self) -> ConsoleRenderable: ...


R = TypeVar("R", bound=Report)


def replay(run: Callable[[Path, Console], R], output: Path, console: Console) -> R:
    """Run a replay whose pictures, report.json and liquidator's log go to `output`."""
    # Imported late: --help should not wait for structlog.
    from prime_perps.keepers import logs

    output.mkdir(parents=True, exist_ok=True)
    with (output / "liquidator.log").open("w") as log:
        logs.configure(json=True, file=log)
        return run(output, console)


def conclude(report: Report, output: Path, console: Console, written: str = "Pictures and report.json") -> None:
    """Show a replay's report, and where `written` is. Raises ClickException when one of its checks failed."""
    console.print(report.render())
    console.print(f"{written} are in {shown(output.resolve())}")
    if not report.passed:
        raise click.ClickException("a check failed: see the table above")


def end_as_by_ctrl_c() -> None:
    """Ended by SIGTERM a program with a node of its own would leave it behind."""
    signal.signal(signal.SIGTERM, signal.default_int_handler)
