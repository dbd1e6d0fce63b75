"""Which tests catch a mutant: the suites as they are, run against its bytecode instead of the contract's.

pytest collects once. Every mutant is then tried in a forked process, which finds everything imported, compiles the
mutated source from memory, and runs the collected tests until one fails. Nothing is written below contracts/.
"""

from __future__ import annotations

import contextlib
import gc
import io
import os
import signal
import time
from collections.abc import Callable, Generator, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from multiprocessing import connection, get_context
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any
from unittest import mock

import pytest
from hypothesis import HealthCheck, Phase, settings
from vyper.codegen.ir_node import IRnode
from vyper.compiler import compile_from_file_input
from vyper.compiler.input_bundle import FileInput, FilesystemInputBundle
from vyper.compiler.settings import OptimizationLevel, Settings

from prime_perps import compiler
from tests.mutation.operators import Mutant

# The same examples every time and no search for the shortest: the first that fails is enough. Fewer than usual,
# because a survivor sees them all.
settings.register_profile(
    "mutation",
    deadline=None,
    suppress_health_check=list(HealthCheck),
    derandomize=True,
    database=None,
    phases=(Phase.explicit, Phase.generate),
    max_examples=40,
)
ENVIRONMENT = {"HYPOTHESIS_PROFILE": "mutation", "PRIME_PERPS_SEED": "1"}
# A mutant that takes this many times as long as the contract itself does not end.
PATIENCE = 10


class Verdict(StrEnum):
    KILLED = "killed"
    SURVIVED = "survived"
    STILLBORN = "stillborn"


@dataclass(frozen=True)
class Finding:
    """What became of a mutant, and which test, or which error of the compiler, says so."""

    mutant: Mutant
    verdict: Verdict
    by: str


class Broken(Exception):
    """The suites do not pass without any mutation, so that nothing can be said about mutants."""


def judge(
    mutants: Sequence[Mutant],
    contracts: Sequence[str],
    suites: Sequence[Path],
    jobs: int,
    tell: Callable[[Finding], None],
) -> None:
    """
    Try each mutant against `suites`, in those of `contracts` that are built from its file, `jobs` at a time, and tell
    every finding as it comes. Raises Broken, and KeyboardInterrupt after ending what was running.
    """
    jury = _Jury(mutants, contracts, jobs, tell)
    # -s, because captured output would swallow the progress of this process too.
    arguments = [
        "-q",
        "-s",
        "-p",
        "no:cacheprovider",
        "--rootdir",
        str(compiler.ROOT),
        "-c",
        str(compiler.ROOT / "pyproject.toml"),
    ]
    with mock.patch.dict(os.environ, ENVIRONMENT), contextlib.redirect_stdout(io.StringIO()) as said:
        pytest.main([*arguments, *map(str, suites)], plugins=[jury])
    if jury.stopped is not None:
        raise jury.stopped
    if not jury.began:
        raise Broken(f"pytest did not begin:\n{said.getvalue()}")


@dataclass(frozen=True)
class _Trial:
    mutant: Mutant | None
    process: Any
    until: float


class _Jury:
    """The plugin that tries mutants where pytest would run the tests it has collected."""

    def __init__(
        self, mutants: Sequence[Mutant], contracts: Sequence[str], jobs: int, tell: Callable[[Finding], None]
    ) -> None:
        self._mutants, self._jobs, self._tell = mutants, jobs, tell
        self._files: dict[str, frozenset[str]] = dict.fromkeys(contracts, frozenset())
        self._failed = ""
        self.began = False
        self.stopped: BaseException | None = None

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtestloop(self, session: pytest.Session) -> bool:
        if session.testsfailed:
            return False
        self.began = True
        # Whatever stops this is told by `judge`: pytest would make a report of its own of it.
        try:
            self._try_all(session.items)
        except (Broken, KeyboardInterrupt) as stopped:
            self.stopped = stopped
        return True

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        if report.failed and not self._failed:
            self._failed = report.nodeid

    def _try_all(self, items: list[pytest.Item]) -> None:
        # Whatever a first compilation imports and keeps, no child need do again; nor look through it for garbage.
        self._files = {contract: compiled(contract, {})[1] for contract in self._files}
        gc.collect()
        gc.freeze()
        began = time.monotonic()
        ((_, verdict, by),) = self._verdicts([None], items, 600)
        if verdict is not Verdict.SURVIVED:
            raise Broken(f"without any mutation: {verdict} by {by}")
        patience = 30 + PATIENCE * (time.monotonic() - began)
        with contextlib.closing(self._verdicts(self._mutants, items, patience)) as verdicts:
            for mutant, verdict, by in verdicts:
                assert mutant is not None
                self._tell(Finding(mutant, verdict, by))

    def _verdicts(
        self, mutants: Sequence[Mutant | None], items: list[pytest.Item], patience: float
    ) -> Generator[tuple[Mutant | None, Verdict, str], None, None]:
        waiting = list(reversed(mutants))
        running: dict[Connection, _Trial] = {}
        try:
            while waiting or running:
                while waiting and len(running) < self._jobs:
                    receiver, trial = self._begin(waiting.pop(), items, patience)
                    running[receiver] = trial
                soonest = min(trial.until for trial in running.values())
                for ended in connection.wait([*running], max(soonest - time.monotonic(), 0)):
                    assert isinstance(ended, Connection)
                    trial = running.pop(ended)
                    yield trial.mutant, *_answer(ended)
                    trial.process.join()
                for late in [receiver for receiver, trial in running.items() if trial.until < time.monotonic()]:
                    trial = running.pop(late)
                    trial.process.kill()
                    yield trial.mutant, Verdict.KILLED, "took too long"
        finally:
            for trial in running.values():
                trial.process.kill()

    def _begin(self, mutant: Mutant | None, items: list[pytest.Item], patience: float) -> tuple[Connection, _Trial]:
        receiver, sender = get_context("fork").Pipe(duplex=False)
        process = get_context("fork").Process(target=self._try, args=(mutant, items, sender))
        process.start()
        sender.close()
        return receiver, _Trial(mutant, process, time.monotonic() + patience)

    def _try(self, mutant: Mutant | None, items: list[pytest.Item], sender: Connection) -> None:
        """In a process of its own, which ends right after."""
        # Ctrl-C is for the one who waits: away from the terminal's group.
        os.setsid()
        signal.signal(signal.SIGINT, signal.SIG_IGN)
        gc.disable()
        instead = {} if mutant is None else {mutant.file: mutant.source}
        affected = [contract for contract, files in self._files.items() if mutant is None or mutant.file in files]
        try:
            artifacts = {contract: compiled(contract, instead)[0] for contract in affected}
        except Exception as error:
            sender.send((Verdict.STILLBORN, f"{type(error).__name__}: {str(error).strip().splitlines()[0]}"))
            return
        genuine = compiler.load
        with mock.patch.object(compiler, "load", lambda name: artifacts[name] if name in artifacts else genuine(name)):
            for item, following in zip(items, [*items[1:], None], strict=True):
                item.config.hook.pytest_runtest_protocol(item=item, nextitem=following)
                if self._failed:
                    sender.send((Verdict.KILLED, self._failed))
                    return
        sender.send((Verdict.SURVIVED, ""))


def _answer(receiver: Connection) -> tuple[Verdict, str]:
    try:
        verdict, by = receiver.recv()
    except EOFError:
        return Verdict.KILLED, "the process died"
    return verdict, by


def compiled(contract: str, instead: Mapping[str, str]) -> tuple[compiler.Artifact, frozenset[str]]:
    """
    The contract with other text for some of its files, and the names of all its files, relative to the root. Not
    optimised, which takes a quarter of the time and changes nothing but gas.
    """
    files: set[str] = set()

    class Overlay(FilesystemInputBundle):  # type: ignore[misc]
        def _load_from_path(self, resolved_path: Path, original_path: Path) -> Any:
            loaded = super()._load_from_path(resolved_path, original_path)
            path = Path(resolved_path)
            name = str(path.relative_to(compiler.ROOT)) if path.is_relative_to(compiler.ROOT) else ""
            files.add(name)
            if name not in instead:
                return loaded
            return FileInput(loaded.source_id, loaded.path, loaded.resolved_path, instead[name])

    bundle = Overlay(compiler._search_paths())
    # Even then vyper optimises every expression to learn whether to inline it. Its other back end does not.
    with mock.patch.object(IRnode, "_optimized", property(lambda node: node)):
        output = compile_from_file_input(
            bundle.load_file(compiler.contract_paths()[contract]),
            input_bundle=bundle,
            settings=Settings(evm_version=compiler.EVM_VERSION, optimize=OptimizationLevel.NONE),
            output_formats=["abi", "bytecode"],
        )
    return compiler.Artifact(contract, output["abi"], output["bytecode"], ""), frozenset(files)
