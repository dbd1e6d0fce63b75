"""Replays side by side, each in a process of its own; they end with this one, whatever ends it."""

from __future__ import annotations

import multiprocessing
import signal
import sys
import traceback
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from multiprocessing.connection import Connection, wait
from multiprocessing.process import BaseProcess
from pathlib import Path
from typing import Any

import structlog

from prime_perps import compiler
from prime_perps.errors import PrimePerpsError
from prime_perps.keepers import logs
from prime_perps.stress.replay import Outcome, Progress

Work = Callable[[Progress], Outcome]
Tell = Callable[[str, int, str], None]  # which task, how far it is, what day it is


@dataclass(frozen=True)
class Task:
    """One replay to be run. `log`: where its keepers say what they decide."""

    name: str
    work: Work
    log: Path


def run_all(tasks: Sequence[Task], jobs: int, tell: Tell) -> Mapping[str, Outcome]:
    """The outcomes by name. With one job everything happens in this process. Raises what a replay raises."""
    if jobs == 1:
        return {task.name: _logged(task, partial(tell, task.name)) for task in tasks}
    return _Processes(tasks, jobs, tell).run()


def _logged(task: Task, progress: Progress) -> Outcome:
    before = structlog.get_config()
    with task.log.open("w") as file:
        logs.configure(json=True, file=file)
        try:
            return task.work(progress)
        finally:
            structlog.configure(**before)


class _Processes:
    def __init__(self, tasks: Sequence[Task], jobs: int, tell: Tell) -> None:
        # Not by fork: the progress bar has a thread, whose locks a fork would inherit.
        self._context = multiprocessing.get_context("spawn")
        self._waiting = list(tasks)
        self._jobs = jobs
        self._tell = tell
        self._running: dict[Any, tuple[str, BaseProcess]] = {}
        self._outcomes: dict[str, Outcome] = {}

    def run(self) -> Mapping[str, Outcome]:
        try:
            while self._waiting or self._running:
                while self._waiting and len(self._running) < self._jobs:
                    self._begin(self._waiting.pop(0))
                for ready in wait(list(self._running)):
                    self._hear(ready)
        finally:
            for _, process in self._running.values():
                process.terminate()
            for _, process in self._running.values():
                process.join()
        return self._outcomes

    def _begin(self, task: Task) -> None:
        here, there = self._context.Pipe(duplex=False)
        process = self._context.Process(target=_child, args=(task, there), daemon=True)
        with _heritage():
            process.start()
        there.close()
        self._running[here] = task.name, process

    def _hear(self, ready: Any) -> None:
        name, process = self._running[ready]
        try:
            kind, *told = ready.recv()
        except EOFError:
            raise PrimePerpsError(f"the replay of {name} ended without a word: was it killed?") from None
        if kind == "progress":
            self._tell(name, *told)
            return
        del self._running[ready]
        process.join()
        if kind == "refused":
            raise PrimePerpsError(f"{name}: {told[0]}")
        if kind == "broken":
            raise RuntimeError(f"the replay of {name} broke\n{told[0]}")
        self._outcomes[name] = told[0]


@contextmanager
def _heritage() -> Iterator[None]:
    """
    What children have from this process. Ctrl-C is not for them: they are ended by it, and what is ignored now they
    ignore from the start. And they import the very files that run here: ape takes the project off the path.
    """
    handler, path = signal.signal(signal.SIGINT, signal.SIG_IGN), list(sys.path)
    sys.path.insert(0, str(compiler.ROOT))
    try:
        yield
    finally:
        sys.path[:] = path
        signal.signal(signal.SIGINT, handler)


def _child(task: Task, parent: Connection) -> None:
    # A node is stopped on the way out.
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        outcome = _logged(task, lambda done, day: parent.send(("progress", done, day)))
    except KeyboardInterrupt:
        return
    except (PrimePerpsError, OSError) as error:
        parent.send(("refused", str(error)))
    except Exception:
        # not swallowed: the parent raises it, which otherwise would wait for a child that has died
        parent.send(("broken", traceback.format_exc()))
    else:
        parent.send(("done", outcome))
