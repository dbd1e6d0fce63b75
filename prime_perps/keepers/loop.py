"""The loop every keeper runs in: do the work again and again, outlive the node, stop when told to."""

from __future__ import annotations

import random
import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType

import structlog

from prime_perps.errors import NodeError

FIRST_BACKOFF = 0.5  # seconds
LONGEST_BACKOFF = 30.0

log = structlog.get_logger()


class Stop(threading.Event):
    """Set when the program is to end; waiting for it is how a keeper sleeps."""

    @contextmanager
    def on_signals(self) -> Iterator[Stop]:
        """SIGINT and SIGTERM set it once; a second one acts as usual, for a program that hangs."""
        previous = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}

        def handle(number: int, _frame: FrameType | None) -> None:
            self.set()
            signal.signal(number, previous[signal.Signals(number)])

        for number in previous:
            signal.signal(number, handle)
        try:
            yield self
        finally:
            for number, handler in previous.items():
                signal.signal(number, handler)


def run(work: Callable[[], object], stop: Stop, interval: float, once: bool = False) -> None:
    """
    Call `work` every `interval` seconds until `stop`. A node that cannot be reached or does not answer is waited for,
    with a pause that doubles up to half a minute; every other error ends the loop, for it would only come again.
    With `once`, `work` runs a single time and its NodeError is raised.
    """
    failures = 0
    while not stop.is_set():
        pause = interval
        try:
            work()
        except NodeError as error:
            if once:
                raise
            pause = min(FIRST_BACKOFF * 2**failures, LONGEST_BACKOFF) * random.uniform(0.5, 1.0)
            failures += 1
            log.warning("node_unreachable", error=str(error), failures=failures, retry_in=round(pause, 2))
        else:
            if failures:
                log.info("node_back", failures=failures)
            failures = 0
        if once:
            return
        stop.wait(pause)
